//! What the four records of CB-Spider have in common.

use pmks_core::{Piece, PieceKind};
use pmks_driver::Credential;
use pmks_model::Failure;
use serde_json::Value;

use super::{credentials, drivers, regions, spellings};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::fields::Fields;
use crate::reply::Reply;

/// How a piece is shown.
pub(super) type Show = fn(&Call, &Piece) -> Value;

/// A piece that a body asks for, and its secret where it is a credential.
pub(super) type Asked = Result<(Piece, Option<Credential>), Refusal>;

/// How a body is read.
type Read = fn(&Call, &Fields) -> Asked;

/// Puts a piece, and shows it.
pub(super) async fn put(call: &Call, read: Read, show: Show) -> Answer {
    let (piece, credential) = read(call, &call.body)?;
    let (shown, provider) = (show(call, &piece), piece.provider.clone());
    let put = call.pmks().pieces().put(&call.caller, piece, credential).await;
    put.map_err(|failure| refused(call, &provider, failure))?;
    Ok(Reply::Json(shown))
}

/// Shows a piece that would be put once those of `With` are; puts none. It refuses what [`put`] would.
pub(super) async fn plan(call: &Call, read: Read, show: Show) -> Answer {
    let (piece, credential) = read(call, &call.body)?;
    let (shown, provider) = (show(call, &piece), piece.provider.clone());
    let planned = call.pmks().pieces().plan_put(&call.caller, with(call)?, piece, credential).await;
    planned.map_err(|failure| refused(call, &provider, failure))?;
    Ok(Reply::Json(shown))
}

/// The pieces of `With`, which are put before what a plan is of.
pub(super) fn with(call: &Call) -> Result<Vec<(Piece, Option<Credential>)>, Refusal> {
    let with = call.body.part("With")?;
    let kinds: [(&str, Read); 3] =
        [("Driver", drivers::read), ("Credential", credentials::read), ("Region", regions::read)];
    let others = kinds.into_iter().filter(|(kind, _)| with.says(kind));
    others.map(|(kind, read)| read(call, &with.part(kind)?)).collect()
}

/// Fields of a credential and of a region are keys of a list, under the names that clients gave them.
fn refused(call: &Call, provider: &str, mut failure: Box<Failure>) -> Refusal {
    let capabilities = call.pmks().provider(provider).ok();
    failure.findings.rename(|field| {
        let own = field.strip_prefix("credential.").map(|field| spellings::key(capabilities, field));
        own.or_else(|| field.strip_prefix("settings.").map(str::to_owned))
    });
    failure.into()
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
