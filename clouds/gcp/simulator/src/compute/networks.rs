//! Networks, and the `default` one that every project begins with.
//!
//! Source: <https://cloud.google.com/vpc/docs/vpc>.

use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::Random;
use serde_json::{Value, json};

use super::operations::{self, End};
use super::references::{find, new_name, ready};
use super::state::{Stored, link, path};
use super::{Asked, invalid, quota};
use crate::call::Call;
use crate::catalogue::REGIONS;
use crate::error::Result;
use crate::world::Project;

/// How long a creation takes.
const MAKING: Duration = Duration::from_secs(15);

/// Makes a network.
pub(crate) fn insert(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Network")?;
    let name = new_name(call, &body, "networks", "global")?;
    quota::check(call, "NETWORKS")?;
    let Some(auto) = body.get("autoCreateSubnetworks").and_then(Value::as_bool) else {
        return Err(invalid(
            "IPv4Range",
            "",
            "Legacy networks can no longer be made; autoCreateSubnetworks must be set.",
        ));
    };
    let mut held = json!({
        "autoCreateSubnetworks": auto,
        "routingConfig": {"routingMode": "REGIONAL", "bgpBestPathSelectionMode": "LEGACY"},
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    });
    for field in ["description", "mtu", "routingConfig", "networkFirewallPolicyEnforcementOrder"] {
        if let Some(value) = body.get(field) {
            held[field] = value.clone();
        }
    }
    let made = {
        let (random, now) = (&mut call.world.random, call.now.wall);
        Stored::new("networks", "global", &name, held, random, now)
    };
    let project = call.project.to_owned();
    let now = call.now.wall;
    let mut rest = vec![internet_route(&project, &name, &mut call.world.random, now)];
    if auto {
        rest.extend(auto_subnetworks(&project, &name, &mut call.world.random, now));
    }
    let state = &mut call.held_mut().compute;
    for stored in rest.into_iter().chain([made.clone()]) {
        state.resources.insert(stored.key(), stored);
    }
    operations::begin(call, "insert", &made, End::Ready, MAKING)
}

/// Changes what of a network can be changed.
pub(crate) fn patch(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Network")?;
    let found = find(call, asked, "networks")?.clone();
    ready(&found, call.project)?;
    if let Some(stored) = call.held_mut().compute.resources.get_mut(&found.key()) {
        for field in ["routingConfig", "mtu", "networkFirewallPolicyEnforcementOrder"] {
            if let Some(value) = body.get(field) {
                stored.body.insert(field.to_owned(), value.clone());
            }
        }
    }
    operations::begin(call, "patch", &found, End::Nothing, Duration::from_secs(5))
}

/// The network that every project begins with, its subnetworks and rules.
///
/// Source: <https://cloud.google.com/vpc/docs/vpc#default-network>.
pub(crate) fn make_default_network(project: &mut Project, random: &mut Random, now: Timestamp) {
    let id = project.id.clone();
    let body = json!({
        "autoCreateSubnetworks": true, "description": "Default network for the project",
        "routingConfig": {"routingMode": "REGIONAL", "bgpBestPathSelectionMode": "LEGACY"},
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    });
    let mut made = vec![Stored::new("networks", "global", "default", body, random, now)];
    made.push(internet_route(&id, "default", random, now));
    made.extend(auto_subnetworks(&id, "default", random, now));
    let internal = json!([
        {"IPProtocol": "tcp", "ports": ["0-65535"]}, {"IPProtocol": "udp", "ports": ["0-65535"]}, {"IPProtocol": "icmp"}
    ]);
    for (name, range, allowed) in [
        ("default-allow-internal", "10.128.0.0/9", internal),
        ("default-allow-ssh", "0.0.0.0/0", json!([{"IPProtocol": "tcp", "ports": ["22"]}])),
        ("default-allow-icmp", "0.0.0.0/0", json!([{"IPProtocol": "icmp"}])),
    ] {
        let body = json!({
            "network": network_link(&id, "default"), "priority": 65534, "direction": "INGRESS",
            "sourceRanges": [range], "allowed": allowed, "disabled": false, "logConfig": {"enable": false},
        });
        made.push(Stored::new("firewalls", "global", name, body, random, now));
    }
    for stored in made {
        project.compute.resources.insert(stored.key(), stored);
    }
}

/// The link of a network.
pub(crate) fn network_link(project: &str, name: &str) -> String {
    link(&path(project, "global", "networks", name))
}

fn internet_route(project: &str, network: &str, random: &mut Random, now: Timestamp) -> Stored {
    let body = json!({
        "network": network_link(project, network), "destRange": "0.0.0.0/0", "priority": 1000,
        "description": "Default route to the Internet.",
        "nextHopGateway": link(&format!("projects/{project}/global/gateways/default-internet-gateway")),
    });
    let name = format!("default-route-{}", random.hex(16));
    Stored::new("routes", "global", &name, body, random, now)
}

/// Each region has a fixed block of 10.128.0.0/9.
fn auto_subnetworks(project: &str, network: &str, random: &mut Random, now: Timestamp) -> Vec<Stored> {
    let mut made = Vec::new();
    for (number, region) in REGIONS.iter().enumerate() {
        // Blocks of twenty bits, four of which lie between one region's and the next one's.
        let third = number * 4;
        let (second, third) = (128 + third * 16 / 256, third * 16 % 256);
        let body = super::subnetworks::body(
            &network_link(project, network),
            &format!("10.{second}.{third}.0/20"),
            &format!("10.{second}.{third}.1"),
        );
        made.push(Stored::new(
            "subnetworks",
            &format!("regions/{}", region.name),
            network,
            body,
            random,
            now,
        ));
    }
    made
}
