//! What a cloud offers and wants, as far as the demo needs it: by its capabilities and its lists, whichever cloud it is.

use pmks_api::Capabilities;
use pmks_model::FailureKind;
use serde_json::{Value, json};

use crate::client::{Client, Path, shaped};
use crate::error::{Error, Result};
use crate::output::scalar;

/// What a cloud offers and wants.
pub(super) struct Offer {
    /// A zone for each subnet of the network; empty texts where subnets span zones.
    pub(super) zones: Vec<String>,
    /// Whether clusters use security groups of the user's.
    pub(super) security_groups: bool,
    /// Whether node groups use a key pair.
    pub(super) key_pairs: bool,
    /// What the cluster begins with, and what it is raised to.
    pub(super) versions: (String, String),
}

impl Offer {
    /// Asks for it.
    pub(super) async fn of(client: &Client, connection: &str) -> Result<Self> {
        let path = Path::v1(["connections", connection]);
        let described = client.get(path.clone()).await?;
        let text = |key: &str| described.get(key).map(scalar).unwrap_or_default();
        let provider = client.get(Path::v1(["providers", &text("provider")])).await?;
        let own = provider.get("capabilities").cloned().unwrap_or_default();
        let capabilities: Capabilities = shaped(own)?;
        let regions = client.list(path.clone().join("regions")).await?;
        let versions = client.list(path.join("versions")).await?;
        Ok(Self {
            zones: zones(&capabilities, &regions, &text("region"))?,
            security_groups: capabilities.security_groups != "forbidden",
            key_pairs: capabilities.key_pair != "unused",
            versions: neighbours(&versions)?,
        })
    }

    /// The network with its subnets, as it is asked for.
    pub(super) fn network(&self, name: &str) -> Value {
        let subnets: Vec<Value> = self
            .zones
            .iter()
            .zip(self.subnet_names())
            .enumerate()
            .map(|(index, (zone, name))| {
                let cidr = format!("10.0.{}.0/20", index * 16);
                json!({"name": name, "cidr": cidr, "zone": zone})
            })
            .collect();
        json!({"name": name, "cidr": "10.0.0.0/16", "subnets": subnets})
    }

    /// The names of the subnets.
    pub(super) fn subnet_names(&self) -> Vec<String> {
        ('a'..='z').take(self.zones.len()).map(|letter| format!("demo-{letter}")).collect()
    }

    /// Where the subnets are, for people; empty where they span zones.
    pub(super) fn places(&self) -> String {
        let zones: Vec<&str> =
            self.zones.iter().map(String::as_str).filter(|zone| !zone.is_empty()).collect();
        if zones.is_empty() { String::new() } else { format!(" in {}", zones.join(" and ")) }
    }
}

/// As many subnets, in as many zones, as a cluster needs there.
fn zones(capabilities: &Capabilities, regions: &[Value], region: &str) -> Result<Vec<String>> {
    let least = capabilities.minimum_subnets.max(1);
    if !capabilities.zonal_subnets {
        return Ok(vec![String::new(); least]);
    }
    let count = least.max(capabilities.minimum_zones);
    let own = regions.iter().find(|each| each.get("name").and_then(Value::as_str) == Some(region));
    let zones =
        own.and_then(|region| region.get("zones")).and_then(Value::as_array).cloned().unwrap_or_default();
    let zones: Vec<String> = zones.iter().map(scalar).take(count).collect();
    if zones.len() < count {
        let says = format!("{region} has {} zones, and a cluster needs {count}", zones.len());
        return Err(Error::new(FailureKind::Unexpected, says));
    }
    Ok(zones)
}

/// The newest minor on offer, and the one below it.
fn neighbours(offered: &[Value]) -> Result<(String, String)> {
    let minor = |version: &str| {
        let mut parts = version.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let mut minors: Vec<(u32, u32)> = offered
        .iter()
        .filter(|each| matches!(each.get("support").and_then(Value::as_str), Some("standard" | "extended")))
        .filter_map(|each| minor(each.get("version").and_then(Value::as_str)?))
        .collect();
    minors.sort_unstable();
    let newest = minors.last().copied();
    let before = newest.and_then(|(major, newest)| {
        minors.iter().copied().find(|(of, minor)| *of == major && minor + 1 == newest)
    });
    match (before, newest) {
        (Some(before), Some(newest)) => {
            Ok((format!("{}.{}", before.0, before.1), format!("{}.{}", newest.0, newest.1)))
        }
        _ => Err(Error::new(FailureKind::Unexpected, "the cloud offers no two neighbouring versions")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upgrade_is_one_minor_to_the_newest() {
        let offered = ["1.9", "1.33.2-gke.7", "1.33.1", "1.31", "1.32.9", "1.32"]
            .map(|version| json!({"version": version, "support": "standard"}));
        assert_eq!(neighbours(&offered).unwrap(), ("1.32".to_owned(), "1.33".to_owned()));
        assert!(neighbours(&offered[..2]).is_err());
    }

    #[test]
    fn subnets_lie_where_the_cloud_wants_them() {
        let offer = |zones: &[&str]| Offer {
            zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
            security_groups: true,
            key_pairs: true,
            versions: (String::new(), String::new()),
        };
        let two = offer(&["z1", "z2"]);
        assert_eq!(two.places(), " in z1 and z2");
        let network = two.network("n");
        assert_eq!(network["subnets"][1], json!({"name": "demo-b", "cidr": "10.0.16.0/20", "zone": "z2"}));
        let one = offer(&[""]);
        assert_eq!((one.places().as_str(), one.subnet_names()), ("", vec!["demo-a".to_owned()]));
        assert_eq!(one.network("n")["subnets"][0]["zone"], "");
    }
}
