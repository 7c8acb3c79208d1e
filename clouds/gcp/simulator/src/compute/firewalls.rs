//! Firewall rules.
//!
//! Source: <https://cloud.google.com/firewall/docs/firewalls>.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::networks::network_link;
use super::operations::{self, End};
use super::references::{find, new_name, ready, referred};
use super::state::Stored;
use super::{Asked, invalid, quota};
use crate::call::Call;
use crate::error::Result;

/// How long a change takes.
const CHANGING: Duration = Duration::from_secs(8);
/// What of a rule can be changed.
const CHANGEABLE: [&str; 12] = [
    "allowed",
    "denied",
    "description",
    "destinationRanges",
    "disabled",
    "logConfig",
    "priority",
    "sourceRanges",
    "sourceServiceAccounts",
    "sourceTags",
    "targetServiceAccounts",
    "targetTags",
];

/// Makes a rule.
pub(crate) fn insert(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Firewall")?;
    let name = new_name(call, &body, "firewalls", "global")?;
    quota::check(call, "FIREWALLS")?;
    let network = body.get("network").and_then(Value::as_str).unwrap_or("default");
    let network = referred(call, "networks", "global", "network", network)?.name.clone();
    let mut held = json!({
        "network": network_link(call.project, &network), "priority": 1000, "direction": "INGRESS", "disabled": false,
        "logConfig": {"enable": false},
    });
    for field in CHANGEABLE.iter().copied().chain(["direction"]) {
        if let Some(value) = body.get(field) {
            held[field] = value.clone();
        }
    }
    let held = complete(held)?;
    let made = Stored::new("firewalls", "global", &name, held, &mut call.world.random, call.now.wall);
    call.held_mut().compute.resources.insert(made.key(), made.clone());
    operations::begin(call, "insert", &made, End::Ready, CHANGING)
}

/// Changes a rule: `patch` what is said, `update` all of it.
pub(crate) fn change(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Firewall")?;
    let found = find(call, asked, "firewalls")?.clone();
    ready(&found, call.project)?;
    let mut held = found.body.clone();
    if asked.route.action.ends_with("update") {
        held.retain(|field, _| !CHANGEABLE.contains(&field.as_str()));
        held.insert("priority".to_owned(), 1000.into());
    }
    for field in CHANGEABLE {
        match body.get(field) {
            Some(Value::Null) => drop(held.remove(field)),
            Some(value) => drop(held.insert(field.to_owned(), value.clone())),
            None => {}
        }
    }
    let held = complete(Value::Object(held))?;
    if let (Some(stored), Value::Object(held)) =
        (call.held_mut().compute.resources.get_mut(&found.key()), held)
    {
        stored.body = held;
        stored.revision += 1;
    }
    operations::begin(call, "patch", &found, End::Nothing, CHANGING)
}

/// What a rule without a source or destination means, and what it must say.
fn complete(mut rule: Value) -> Result<Value> {
    let listed = |rule: &Value, field: &str| {
        rule.get(field).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    };
    if listed(&rule, "allowed") == listed(&rule, "denied") {
        return Err(invalid("allowed", "", "Exactly one of allowed and denied must be specified."));
    }
    for field in ["allowed", "denied"] {
        for part in rule.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            protocol(part.as_object_mut())?;
        }
    }
    let outwards = rule.get("direction").and_then(Value::as_str) == Some("EGRESS");
    let given =
        ["sourceRanges", "sourceTags", "sourceServiceAccounts"].iter().any(|field| listed(&rule, field));
    if outwards && given {
        return Err(invalid("sourceRanges", "", "Egress rules have no source."));
    }
    if outwards && !listed(&rule, "destinationRanges") {
        rule["destinationRanges"] = json!(["0.0.0.0/0"]);
    } else if !outwards && !given {
        rule["sourceRanges"] = json!(["0.0.0.0/0"]);
    }
    Ok(rule)
}

fn protocol(part: Option<&mut Map<String, Value>>) -> Result<()> {
    let known = ["tcp", "udp", "icmp", "esp", "ah", "ipip", "sctp", "all"];
    let value = part.and_then(|part| part.get_mut("IPProtocol"));
    let text = value.as_ref().and_then(|value| value.as_str()).unwrap_or_default().to_lowercase();
    if !known.contains(&text.as_str()) && text.parse::<u8>().is_err() {
        return Err(invalid("allowed[].IPProtocol", &text, "Must be a protocol's name or number."));
    }
    if let Some(value) = value {
        *value = text.into();
    }
    Ok(())
}
