//! Regions and zones as the API lists them. Every zone is available.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>.

use super::describe::Filters;
use crate::catalogue::{self, CatalogueRegion, REGIONS};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Tags;
use crate::xml::Xml;

/// `DescribeRegions`
pub(super) fn regions(query: &Query) -> Result<Xml> {
    let names = query.list("RegionName");
    if let Some(absent) = names.iter().find(|name| catalogue::region(name).is_none()) {
        let message = format!("Invalid region provided: [{absent}]");
        return Err(Error::bad("InvalidParameterValue", message));
    }
    let filters = Filters::read(query, &["region-name", "endpoint", "opt-in-status"])?;
    let endpoint = |region: &CatalogueRegion| format!("ec2.{}.amazonaws.com", region.name);
    let wanted = REGIONS.iter().filter(|region| {
        (names.is_empty() || names.iter().any(|name| name == region.name))
            && filters.keep(&Tags::new(), |filter| {
                vec![match filter {
                    "region-name" => region.name.to_owned(),
                    "endpoint" => endpoint(region),
                    _ => "opt-in-not-required".to_owned(),
                }]
            })
    });
    let written = wanted.map(|region| {
        Xml::new()
            .text("regionName", region.name)
            .text("regionEndpoint", endpoint(region))
            .text("optInStatus", "opt-in-not-required")
    });
    Ok(Xml::new().list("regionInfo", "item", written))
}

/// `DescribeAvailabilityZones`
pub(super) fn zones(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let (names, ids) = (query.list("ZoneName"), query.list("ZoneId"));
    let region = &context.place.region;
    let all: Vec<(String, String)> =
        catalogue::region(region).into_iter().flat_map(CatalogueRegion::zones).collect();
    if let Some(absent) = names.iter().find(|wanted| !all.iter().any(|(name, _)| name == *wanted)) {
        let message = format!("Invalid availability zone: [{absent}]");
        return Err(Error::bad("InvalidParameterValue", message));
    }
    let known = ["zone-name", "zone-id", "state", "region-name", "zone-type", "opt-in-status", "group-name"];
    let filters = Filters::read(query, &known)?;
    let wanted = all.iter().filter(|(name, id)| {
        (names.is_empty() || names.contains(name))
            && (ids.is_empty() || ids.contains(id))
            && filters.keep(&Tags::new(), |filter| {
                vec![match filter {
                    "zone-name" => name.clone(),
                    "zone-id" => id.clone(),
                    "state" => "available".to_owned(),
                    "region-name" => region.clone(),
                    "zone-type" => "availability-zone".to_owned(),
                    "opt-in-status" => "opt-in-not-required".to_owned(),
                    _ => format!("{region}-zg-1"),
                }]
            })
    });
    let written = wanted.map(|(name, id)| {
        Xml::new()
            .text("zoneName", name)
            .text("zoneId", id)
            .text("zoneState", "available")
            .text("regionName", region)
            .text("zoneType", "availability-zone")
            .text("optInStatus", "opt-in-not-required")
            .text("groupName", format!("{region}-zg-1"))
            .text("networkBorderGroup", region)
            .list("messageSet", "item", [])
    });
    Ok(Xml::new().list("availabilityZoneInfo", "item", written))
}
