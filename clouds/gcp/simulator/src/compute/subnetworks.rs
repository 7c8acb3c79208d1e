//! Subnetworks: the blocks of addresses of a network in its regions, with the secondary ranges that pods live in.
//!
//! Source: <https://cloud.google.com/vpc/docs/subnets>.

use std::time::Duration;

use pmks_simulation::Cidr;
use serde_json::{Map, Value, json};

use super::networks::network_link;
use super::operations::{self, End};
use super::references::{find, last, new_name, ready, referred, scope};
use super::state::{State, Stored};
use super::{Asked, invalid, quota, required};
use crate::call::Call;
use crate::error::{Code, Error, Result};

/// How long a creation takes.
const MAKING: Duration = Duration::from_secs(12);

/// Makes a subnetwork.
pub(crate) fn insert(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Subnetwork")?;
    let scope = scope(call, asked.route.name(0))?;
    let name = new_name(call, &body, "subnetworks", &scope)?;
    quota::check(call, "SUBNETWORKS")?;
    let network = body.get("network").and_then(Value::as_str).ok_or_else(|| required("network"))?;
    let network = referred(call, "networks", "global", "network", network)?.name.clone();
    let network = network_link(call.project, &network);
    let range = body.get("ipCidrRange").and_then(Value::as_str).ok_or_else(|| required("ipCidrRange"))?;
    let block = block("ipCidrRange", range)?;
    free(call, &network, block, range)?;
    for secondary in secondary_ranges(&body) {
        free(call, &network, self::block("secondaryIpRanges[].ipCidrRange", &secondary.1)?, &secondary.1)?;
    }
    let gateway = block.usable(1, 1).next().map(|address| address.to_string()).unwrap_or_default();
    let mut held = self::body(&network, &block.to_string(), &gateway);
    for field in
        ["description", "privateIpGoogleAccess", "secondaryIpRanges", "logConfig", "purpose", "stackType"]
    {
        if let Some(value) = body.get(field) {
            held[field] = value.clone();
        }
    }
    let made = Stored::new("subnetworks", &scope, &name, held, &mut call.world.random, call.now.wall);
    call.held_mut().compute.resources.insert(made.key(), made.clone());
    operations::begin(call, "insert", &made, End::Ready, MAKING)
}

/// Changes secondary ranges and switches; the fingerprint must be that of the present state.
pub(crate) fn patch(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Subnetwork")?;
    let found = find(call, asked, "subnetworks")?.clone();
    ready(&found, call.project)?;
    let given = body.get("fingerprint").and_then(Value::as_str).ok_or_else(|| required("fingerprint"))?;
    if given != found.fingerprint() {
        return Err(Error::new(Code::ConditionNotMet, "Invalid fingerprint."));
    }
    change(call, &found.key(), |held| {
        for field in ["secondaryIpRanges", "privateIpGoogleAccess", "logConfig", "stackType"] {
            if let Some(value) = body.get(field) {
                held.insert(field.to_owned(), value.clone());
            }
        }
    });
    operations::begin(call, "patch", &found, End::Nothing, Duration::from_secs(8))
}

/// Makes the block larger.
pub(crate) fn expand(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("SubnetworksExpandIpCidrRangeRequest")?;
    let found = find(call, asked, "subnetworks")?.clone();
    ready(&found, call.project)?;
    let range = body.get("ipCidrRange").and_then(Value::as_str).ok_or_else(|| required("ipCidrRange"))?;
    let (wanted, present) = (block("ipCidrRange", range)?, block("ipCidrRange", found.text("ipCidrRange"))?);
    if !wanted.contains(present) || wanted == present {
        return Err(invalid("ipCidrRange", range, "It must contain the present range and be larger."));
    }
    change(call, &found.key(), |held| {
        held.insert("ipCidrRange".to_owned(), wanted.to_string().into());
    });
    operations::begin(call, "expandIpCidrRange", &found, End::Nothing, Duration::from_secs(8))
}

/// What a subnetwork says beside its name.
pub(crate) fn body(network: &str, range: &str, gateway: &str) -> Value {
    json!({
        "network": network, "ipCidrRange": range, "gatewayAddress": gateway, "privateIpGoogleAccess": false,
        "purpose": "PRIVATE", "stackType": "IPV4_ONLY", "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
    })
}

fn change(call: &mut Call<'_>, key: &str, act: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(stored) = call.held_mut().compute.resources.get_mut(key) {
        act(&mut stored.body);
        stored.revision += 1;
    }
}

fn block(field: &str, range: &str) -> Result<Cidr> {
    let block: Cidr = range.parse().map_err(|_| invalid(field, range, "Must be a CIDR address range."))?;
    if (8..=29).contains(&block.bits) && block.to_string() == range {
        return Ok(block);
    }
    Err(invalid(
        field,
        range,
        "Must be a CIDR address range with a prefix length between 8 and 29 and no host bits.",
    ))
}

fn free(call: &Call<'_>, network: &str, block: Cidr, range: &str) -> Result<()> {
    let taken = blocks(&call.held().compute, network).find(|(_, other)| other.overlaps(block));
    taken.map_or(Ok(()), |(subnet, _)| {
        let region = subnet.scope.trim_start_matches("regions/");
        let says = format!(
            "Invalid IPCidrRange: {range} conflicts with existing subnetwork '{}' in region '{region}'.",
            subnet.name
        );
        Err(Error::invalid(says).reason("invalid"))
    })
}

/// Every block of a network, secondary ones too, with its subnetwork.
fn blocks<'a>(state: &'a State, network: &'a str) -> impl Iterator<Item = (&'a Stored, Cidr)> {
    let subnets = state.resources.values().filter(|stored| stored.collection == "subnetworks");
    subnets.filter(move |subnet| subnet.text("network") == network).flat_map(|subnet| {
        let ranges = secondary_ranges(&subnet.body).into_iter().map(|(_, range)| range);
        ranges
            .chain([subnet.text("ipCidrRange").to_owned()])
            .filter_map(move |range| Some((subnet, range.parse().ok()?)))
    })
}

/// Name and block of each secondary range.
pub(crate) fn secondary_ranges(body: &Map<String, Value>) -> Vec<(String, String)> {
    let ranges = body.get("secondaryIpRanges").and_then(Value::as_array).into_iter().flatten();
    let text =
        |range: &Value, key: &str| range.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    ranges.map(|range| (text(range, "rangeName"), text(range, "ipCidrRange"))).collect()
}

/// The first block of 10.0.0.0/8 with so many bits that is free in a network.
pub(crate) fn free_block(state: &State, network: &str, bits: u8) -> Option<Cidr> {
    let taken: Vec<Cidr> = blocks(state, network).map(|(_, block)| block).collect();
    let all: Cidr = "10.0.0.0/8".parse().ok()?;
    all.blocks(bits).skip(1).find(|block| taken.iter().all(|other| !other.overlaps(*block)))
}

/// Adds a range for the pods of a cluster.
pub(crate) fn add_secondary_range(state: &mut State, key: &str, name: &str, range: &str) {
    if let Some(subnet) = state.resources.get_mut(key) {
        let ranges = subnet.body.entry("secondaryIpRanges").or_insert_with(|| json!([]));
        if let Some(ranges) = ranges.as_array_mut() {
            ranges.push(json!({"rangeName": name, "ipCidrRange": range}));
        }
        subnet.revision += 1;
    }
}

/// Removes it again.
pub(crate) fn drop_secondary_range(state: &mut State, key: &str, name: &str) {
    if let Some(subnet) = state.resources.get_mut(key) {
        if let Some(ranges) = subnet.body.get_mut("secondaryIpRanges").and_then(Value::as_array_mut) {
            ranges.retain(|range| range.get("rangeName").and_then(Value::as_str) != Some(name));
        }
        subnet.revision += 1;
    }
}

/// The subnetworks of a network, as its `subnetworks` lists them.
pub(crate) fn of_network(state: &State, network: &str, project: &str) -> Vec<String> {
    let subnets = state.resources.values().filter(|stored| stored.collection == "subnetworks");
    let own = subnets.filter(|subnet| last(subnet.text("network")) == network);
    own.map(|subnet| super::state::link(&subnet.path(project))).collect()
}
