//! Many clusters at once: an event that copies what stands, so that lists have more than one page without hours of
//! calls. Copies share the machines of what they were copied from, and vanish by an event of their own.

use pmks_simulation::StateError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::events::find;
use super::state::Cluster;
use crate::arm::key;
use crate::world::World;

/// What stands between the name of the original and the number of its copy.
const COPY: &str = "-copy-";

/// How many copies of what.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Copies {
    /// The cluster that is copied: its name or id.
    cluster: String,
    /// So many more clusters like it.
    #[serde(default)]
    clusters: usize,
    /// So many more of its first pool, in itself.
    #[serde(default)]
    node_groups: usize,
}

/// Whether this is the name of a copy.
pub(crate) fn is_copy(name: &str) -> bool {
    name.contains(COPY)
}

/// Copies a standing cluster, and its first pool.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn make(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let copies = read(event)?;
    let (subscription, id, template) = find(world, &copies.cluster)?;
    let uids: Vec<String> = (0..copies.clusters).map(|_| world.random.hex(24)).collect();
    let held = world.subscription_mut(&subscription);
    if let Some(original) = held.clusters.get_mut(&id) {
        copy_pools(original, copies.node_groups);
    }
    for (number, uid) in uids.into_iter().enumerate() {
        let copy = Cluster {
            id: format!("{}{COPY}{number:04}", template.id),
            uid,
            endpoint: None,
            ..template.clone()
        };
        held.clusters.insert(key(&copy.id), copy);
    }
    Ok(json!({"clusters": copies.clusters, "nodeGroups": copies.node_groups}))
}

fn copy_pools(cluster: &mut Cluster, count: usize) {
    let Some(template) = cluster.pools.first().cloned() else { return };
    for number in 0..count {
        let mut copy = template.clone();
        copy.name = format!("{}{COPY}{number:04}", template.name);
        cluster.pools.push(copy);
    }
}

/// Takes all copies of a cluster and of its pools away.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn remove(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let copies = read(event)?;
    let (subscription, id, _) = find(world, &copies.cluster)?;
    let held = world.subscription_mut(&subscription);
    let prefix = format!("{id}{COPY}");
    held.clusters.retain(|id, _| !id.starts_with(&prefix));
    if let Some(original) = held.clusters.get_mut(&id) {
        original.pools.retain(|pool| !is_copy(&pool.name));
    }
    Ok(Value::Null)
}

fn read(event: &Value) -> Result<Copies, StateError> {
    let mut event = event.clone();
    if let Some(members) = event.as_object_mut() {
        members.remove("type");
    }
    serde_json::from_value(event).map_err(|error| StateError(format!("the event cannot be read: {error}")))
}
