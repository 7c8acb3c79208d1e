//! Drivers: names for what the program has built in. The file that a client names is kept and means nothing.

use pmks_core::{Holds, Piece, PieceKind};
use serde_json::{Value, json};

use super::{pieces, spellings};
use crate::call::{Answer, Call};
use crate::fields::Fields;

pub(super) async fn put(call: Call) -> Answer {
    pieces::put(&call, read, show).await
}

pub(super) async fn plan(call: Call) -> Answer {
    pieces::plan(&call, read, show).await
}

/// What a body says.
pub(super) fn read(_: &Call, body: &Fields) -> pieces::Asked {
    let (name, provider) = pieces::named(body, "DriverName")?;
    let file = body.required("DriverLibFileName")?;
    Ok((Piece { name, provider, holds: Holds::Driver { file } }, None))
}

pub(super) async fn list(call: Call) -> Answer {
    pieces::list(&call, PieceKind::Driver, "driver", show).await
}

pub(super) async fn get(call: Call) -> Answer {
    pieces::get(&call, PieceKind::Driver, show).await
}

pub(super) async fn delete(call: Call) -> Answer {
    pieces::delete(&call, PieceKind::Driver).await
}

fn show(_: &Call, piece: &Piece) -> Value {
    let Holds::Driver { file } = &piece.holds else { return Value::Null };
    json!({
        "DriverName": piece.name,
        "ProviderName": spellings::to_spider(&piece.provider),
        "DriverLibFileName": file,
    })
}
