//! What the four records of CB-Spider have in common.

use pmks_core::{Piece, PieceKind};
use pmks_driver::Credential;
use serde_json::Value;

use super::spellings;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::fields::Fields;
use crate::reply::Reply;

/// How a piece is shown.
pub(super) type Show = fn(&Call, &Piece) -> Value;

/// Puts a piece, and shows it.
pub(super) async fn put(call: &Call, piece: Piece, credential: Option<Credential>, show: Show) -> Answer {
    let shown = show(call, &piece);
    let capabilities = call.pmks().provider(&piece.provider).ok();
    call.pmks().pieces().put(&call.caller, piece, credential).await.map_err(|mut failure| {
        // Both are keys of a list, under the names that clients gave them.
        failure.findings.rename(|field| {
            let own = field.strip_prefix("credential.").map(|field| spellings::key(capabilities, field));
            own.or_else(|| field.strip_prefix("settings.").map(str::to_owned))
        });
        Refusal::from(failure)
    })?;
    Ok(Reply::Json(shown))
}

/// The pieces of that kind, of one provider if one is given.
pub(super) async fn list(call: &Call, kind: PieceKind, name: &str, show: Show) -> Answer {
    let provider = match call.query.text("provider")? {
        text if text.is_empty() => call.query.text("ProviderName")?,
        text => text,
    };
    let provider = spellings::to_core(&provider);
    let all = call.pmks().pieces().list(kind).await?;
    let wanted = all.iter().filter(|piece| provider.is_empty() || piece.provider == provider);
    Ok(Reply::list(name, wanted.map(|piece| show(call, piece)).collect()))
}

/// The piece that the path names.
pub(super) async fn get(call: &Call, kind: PieceKind, show: Show) -> Answer {
    let name = call.named(0);
    let piece = call.pmks().pieces().get(kind, name).await.map_err(|failure| {
        let mut refusal = Refusal::from(failure);
        if refusal.is_absent() {
            refusal.message = format!("{name}: does not exist!");
        }
        refusal
    })?;
    Ok(Reply::Json(show(call, &piece)))
}

pub(super) async fn delete(call: &Call, kind: PieceKind) -> Answer {
    call.pmks().pieces().delete(&call.caller, kind, call.named(0)).await?;
    Ok(Reply::result(true))
}

/// Name and provider of a piece that is put.
pub(super) fn named(body: &Fields, name: &str) -> Result<(String, String), Refusal> {
    Ok((body.required(name)?, spellings::to_core(&body.required("ProviderName")?)))
}
