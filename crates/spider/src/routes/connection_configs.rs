//! Connection configs: which driver, credential and region make a connection. Those of which all is there are
//! connections of the one inventory.

use pmks_core::{Holds, Piece, PieceKind};
use serde_json::{Value, json};

use super::{pieces, spellings};
use crate::call::{Answer, Call};
use crate::fields::Fields;
use crate::reply::Reply;

pub(super) async fn put(call: Call) -> Answer {
    pieces::put(&call, read, show).await
}

pub(super) async fn plan(call: Call) -> Answer {
    pieces::plan(&call, read, show).await
}

/// What a body says.
pub(super) fn read(_: &Call, body: &Fields) -> pieces::Asked {
    let (name, provider) = pieces::named(body, "ConfigName")?;
    let (driver, credential, region) =
        (body.required("DriverName")?, body.required("CredentialName")?, body.required("RegionName")?);
    Ok((Piece { name, provider, holds: Holds::Connection { driver, credential, region } }, None))
}

pub(super) async fn list(call: Call) -> Answer {
    pieces::list(&call, PieceKind::Connection, "connectionconfig", show).await
}

pub(super) async fn get(call: Call) -> Answer {
    pieces::get(&call, PieceKind::Connection, show).await
}

pub(super) async fn delete(call: Call) -> Answer {
    pieces::delete(&call, PieceKind::Connection).await
}

/// Of one provider, or of all.
pub(super) async fn count(call: Call) -> Answer {
    let provider = spellings::to_core(call.named(0));
    let all = call.pmks().pieces().list(PieceKind::Connection).await?;
    Ok(Reply::count(all.iter().filter(|piece| provider.is_empty() || piece.provider == provider).count()))
}

fn show(_: &Call, piece: &Piece) -> Value {
    let Holds::Connection { driver, credential, region } = &piece.holds else { return Value::Null };
    json!({
        "ConfigName": piece.name,
        "ProviderName": spellings::to_spider(&piece.provider),
        "DriverName": driver,
        "CredentialName": credential,
        "RegionName": region,
    })
}
