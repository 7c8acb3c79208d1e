//! Regions.

use pmks_core::{Holds, Piece, PieceKind};
use serde_json::{Value, json};

use super::{pieces, spellings};
use crate::Refusal;
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
    let (name, provider) = pieces::named(body, "RegionName")?;
    let given = body.pairs("KeyValueInfoList")?;
    let given = given.ok_or_else(|| Refusal::invalid("KeyValue List is nil!"))?;
    let mut more: Vec<(String, String)> = Vec::new();
    let (mut region, mut zone) = (None, None);
    for (key, value) in given {
        let said = value.trim().to_owned();
        let twice = match key.trim().to_lowercase().as_str() {
            "region" => region.replace(said).is_some(),
            "zone" => zone.replace(said).is_some(),
            _ => {
                let twice = more.iter().any(|(known, _)| *known == key);
                more.push((key.clone(), value));
                twice
            }
        };
        // Of two values for one key either would be lost.
        if twice {
            return Err(Refusal::invalid(format!("KeyValueInfoList: the key {key:?} is given twice")));
        }
    }
    let region = region.filter(|region| !region.is_empty());
    let region = region.ok_or_else(|| Refusal::invalid("Region is empty!"))?;
    let zone = zone.unwrap_or_default();
    let zones = if body.says("AvailableZoneList") { Some(body.texts("AvailableZoneList")?) } else { None };
    Ok((Piece { name, provider, holds: Holds::Region { region, zone, zones, more } }, None))
}

pub(super) async fn list(call: Call) -> Answer {
    pieces::list(&call, PieceKind::Region, "region", show).await
}

pub(super) async fn get(call: Call) -> Answer {
    pieces::get(&call, PieceKind::Region, show).await
}

pub(super) async fn delete(call: Call) -> Answer {
    pieces::delete(&call, PieceKind::Region).await
}

fn show(_: &Call, piece: &Piece) -> Value {
    let Holds::Region { region, zone, zones, more } = &piece.holds else { return Value::Null };
    let own = [("Region", region), ("Zone", zone)].into_iter().filter(|(_, value)| !value.is_empty());
    let pairs = own.map(|(key, value)| json!({"Key": key, "Value": value}));
    let more = more.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    json!({
        "RegionName": piece.name,
        "ProviderName": spellings::to_spider(&piece.provider),
        "KeyValueInfoList": pairs.chain(more).collect::<Vec<_>>(),
        // The published description knows no null here.
        "AvailableZoneList": zones.clone().unwrap_or_default(),
    })
}
