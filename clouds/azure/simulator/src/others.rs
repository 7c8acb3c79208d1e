//! What somebody else does beside the client ([`pmks_simulation::others`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_simulation::others::{CHANGED, STRANGER};
use pmks_simulation::{Deed, DeedEvent, Now, StateError};
use serde_json::{Value, json};

use crate::arm::key;
use crate::container_service;
use crate::json::{set, set_default};
use crate::network;
use crate::world::{Subscription, World};

/// Does it; answers the identifier of what is there then, or of what is gone.
///
/// # Errors
/// When there is no such thing, or it cannot happen to it.
pub(crate) fn act(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let event = DeedEvent::read(event)?;
    let subscriptions: Vec<String> = world.subscriptions.keys().cloned().collect();
    for subscription in subscriptions {
        let done = match event.kind.as_str() {
            "managedCluster" => container_service::others::to_cluster(world, &subscription, &event, now),
            "agentPool" => container_service::others::to_pool(world, &subscription, &event, now)?,
            "virtualNetwork" | "subnet" | "networkSecurityGroup" | "sshPublicKey" => {
                to_document(world, &subscription, &event, now)?
            }
            _ => return Err(event.is_not_done()),
        };
        if let Some(id) = done {
            return Ok(json!({"id": id}));
        }
    }
    Err(event.is_missing())
}

/// An id is a name: what stands in another's place has the same one.
fn to_document(
    world: &mut World,
    subscription: &str,
    event: &DeedEvent,
    now: Now,
) -> Result<Option<String>, StateError> {
    let (etag, guid) = (world.random.uuid(), world.random.uuid());
    let held = world.subscription_mut(subscription);
    let id = key(&event.id);
    if !held.documents.contains_key(&id) {
        return Ok(None);
    }
    let below = format!("{id}/");
    if event.deed != Deed::IsChanged {
        if is_used(held, &id) {
            return Err(event.is_in_use());
        }
        held.documents.retain(|other, _| !other.starts_with(&below));
    }
    if event.deed == Deed::Vanishes {
        held.documents.remove(&id);
        forget(held, &id);
        return Ok(Some(event.id.clone()));
    }
    let Some(document) = held.documents.get_mut(&id) else { return Ok(None) };
    let (is_subnet, is_new) = (document.kind == network::SUBNETS, event.deed == Deed::IsReplaced);
    let has_guid = [network::NETWORKS, network::GROUPS].contains(&document.kind.as_str());
    if !document.etag.is_empty() {
        document.etag = etag;
    }
    if is_new {
        document.created = now.wall;
        match document.body.get_mut("properties") {
            Some(properties) if has_guid => set(properties, "resourceGuid", guid),
            // Another's key is another key.
            Some(properties) if !is_subnet => set(properties, "publicKey", another_key(&guid)),
            _ => {}
        }
    }
    match (is_subnet, is_new) {
        // Subnets have no tags.
        (true, true) => document.body = only_prefix(&document.body),
        (true, false) => {
            set_default(&mut document.body, "properties", json!({}));
            if let Some(properties) = document.body.get_mut("properties") {
                set(properties, "privateEndpointNetworkPolicies", "Enabled");
            }
        }
        (false, true) => set(&mut document.body, "tags", json!({STRANGER.0: STRANGER.1})),
        (false, false) => change(&mut document.body),
    }
    Ok(Some(event.id.clone()))
}

/// A public key that nobody else has.
fn another_key(seed: &str) -> String {
    let seed = seed.bytes().filter(|byte| *byte != b'-');
    let key: Vec<u8> = b"\0\0\0\x0bssh-ed25519\0\0\0 ".iter().copied().chain(seed).collect();
    format!("ssh-ed25519 {} {}", STANDARD.encode(key), STRANGER.0)
}

/// Changes a tag.
pub(crate) fn change(body: &mut Value) {
    set_default(body, "tags", json!({}));
    if let Some(tags) = body.get_mut("tags") {
        set(tags, CHANGED.0, CHANGED.1);
    }
}

fn only_prefix(body: &Value) -> Value {
    let properties = body.get("properties").and_then(Value::as_object).into_iter().flatten();
    let prefixes = properties.filter(|(name, _)| name.starts_with("addressPrefix"));
    json!({"properties": prefixes.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>()})
}

/// Whether machines lie in it.
fn is_used(held: &Subscription, id: &str) -> bool {
    let subnets = held.documents.values().filter(|one| one.kind == network::SUBNETS);
    let inside = |other: &str| other == id || other.starts_with(&format!("{id}/"));
    subnets.filter(|one| inside(&key(&one.id))).any(|one| !network::users(held, &one.id).is_empty())
}

/// A security group that is gone is on no subnet.
fn forget(held: &mut Subscription, id: &str) {
    for document in held.documents.values_mut().filter(|one| one.kind == network::SUBNETS) {
        let Some(properties) = document.body.get_mut("properties").and_then(Value::as_object_mut) else {
            continue;
        };
        let is_it = |group: &Value| group.get("id").and_then(Value::as_str).map(key).as_deref() == Some(id);
        if properties.get("networkSecurityGroup").is_some_and(is_it) {
            properties.remove("networkSecurityGroup");
        }
    }
}
