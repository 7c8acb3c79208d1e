//! Regions with their zones, of a connection or before there is one.

use pmks_core::Unconnected;
use pmks_model::{FailureKind, Region, Zone, ZoneStatus};
use serde_json::{Value, json};

use super::{first_of, one};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(in crate::routes) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    let found = call.pmks().discovery().regions_with_zones(&connection, None, None).await?;
    Ok(Reply::list("regionzone", found.items.iter().map(region_info).collect()))
}

pub(in crate::routes) async fn get(call: Call) -> Answer {
    let connection = call.connection()?;
    match call.pmks().discovery().regions_with_zones(&connection, Some(call.named(0)), None).await {
        // Of what else there is not core says so itself.
        Err(failure) if failure.kind == FailureKind::NotFound && failure.about.is_none() => {
            one(None, "Region", &call)
        }
        found => one(found?.items.first().map(region_info), "Region", &call),
    }
}

/// The same before there is a connection config: of a driver and a credential, asked at the region that
/// `RegionName` names, with its endpoints, or else where every account of the provider can ask.
pub(in crate::routes) async fn list_before(call: Call) -> Answer {
    let found = before(&call, None).await?;
    Ok(Reply::list("regionzone", found.iter().map(region_info).collect()))
}

pub(in crate::routes) async fn get_before(call: Call) -> Answer {
    let name = call.named(0);
    let found = before(&call, Some(name)).await?;
    one(found.first().map(region_info), "Region", &call)
}

async fn before(call: &Call, name: Option<&str>) -> Result<Vec<Region>, Refusal> {
    let named = |key: &str| {
        let text = call.either(key)?.trim().to_owned();
        if text.is_empty() { Err(Refusal::invalid(format!("{key} is empty!"))) } else { Ok(text) }
    };
    let region = call.either("RegionName")?.trim().to_owned();
    let asked = Unconnected {
        driver: named("DriverName")?,
        credential: named("CredentialName")?,
        region: Some(region).filter(|region| !region.is_empty()),
    };
    let found = call.pmks().pieces().regions(&call.caller, &asked, name).await;
    found.map_err(|failure| Refusal::from(failure).renamed(as_asked))
}

/// What names a piece, as these requests call it.
fn as_asked(field: &str) -> Option<String> {
    let name = match field {
        "credential" => "CredentialName",
        "region" => "RegionName",
        _ => return None,
    };
    Some(name.to_owned())
}

fn region_info(region: &Region) -> Value {
    let display_name = first_of(&region.display_name, &region.name);
    json!({
        "Name": region.name,
        "DisplayName": display_name,
        "CSPDisplayName": display_name,
        "ZoneList": region.zones.iter().map(zone_info).collect::<Vec<_>>(),
        "KeyValueList": [],
    })
}

fn zone_info(zone: &Zone) -> Value {
    let display_name = first_of(&zone.display_name, &zone.name);
    let status = match zone.status {
        ZoneStatus::Available => "Available",
        ZoneStatus::Unavailable => "Unavailable",
        ZoneStatus::Unsaid => "StatusNotSupported",
    };
    json!({
        "Name": zone.name,
        "DisplayName": display_name,
        "CSPDisplayName": display_name,
        "Status": status,
        "KeyValueList": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_zones_are_cb_spiders_words() {
        for (status, word) in [
            (ZoneStatus::Available, "Available"),
            (ZoneStatus::Unavailable, "Unavailable"),
            (ZoneStatus::Unsaid, "StatusNotSupported"),
        ] {
            assert_eq!(zone_info(&Zone { status, ..Zone::default() })["Status"], word);
        }
    }
}
