//! Many clusters at once: an event that copies what stands, so that lists have more than one page without hours of
//! calls. Copies share the machines of what they were copied from, and vanish by an event of their own.

use pmks_simulation::{Now, StateError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Cluster;
use crate::world::{Place, World};

/// What stands between the name of the original and the number of its copy.
const COPY: &str = "-copy-";

/// How many copies of what.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Copies {
    /// The cluster that is copied.
    cluster: String,
    /// So many more clusters like it.
    #[serde(default)]
    clusters: usize,
    /// So many more of its first node group, in itself.
    #[serde(default)]
    node_groups: usize,
}

/// Copies a standing cluster, and its first node group.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn make(world: &mut World, event: &Value, _: Now) -> Result<Value, StateError> {
    let copies = read(event)?;
    let place = place_of(world, &copies.cluster)?;
    let uids: Vec<String> =
        (0..copies.clusters).map(|_| world.random.uuid().replace('-', "").to_uppercase()).collect();
    let clusters = &mut world.region_mut(&place).eks.clusters;
    let Some(original) = clusters.get_mut(&copies.cluster) else { return Ok(Value::Null) };
    let template = original.clone();
    copy_node_groups(original, copies.node_groups);
    for (number, uid) in uids.into_iter().enumerate() {
        let name = format!("{}{COPY}{number:04}", template.name);
        let arn = template.arn.replace(&format!("/{}", template.name), &format!("/{name}"));
        let copy = Cluster { name: name.clone(), arn, uid, token: None, endpoint: None, ..template.clone() };
        clusters.insert(name, copy);
    }
    Ok(json!({"clusters": copies.clusters, "nodeGroups": copies.node_groups}))
}

/// Takes all copies of a cluster and of its node groups away.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn remove(world: &mut World, event: &Value, _: Now) -> Result<Value, StateError> {
    let copies = read(event)?;
    let place = place_of(world, &copies.cluster)?;
    let clusters = &mut world.region_mut(&place).eks.clusters;
    let prefix = format!("{}{COPY}", copies.cluster);
    clusters.retain(|name, _| !name.starts_with(&prefix));
    if let Some(original) = clusters.get_mut(&copies.cluster) {
        original.node_groups.retain(|name, _| !name.contains(COPY));
    }
    Ok(Value::Null)
}

fn copy_node_groups(cluster: &mut Cluster, count: usize) {
    let Some(template) = cluster.node_groups.values().next().cloned() else { return };
    for number in 0..count {
        let mut copy = template.clone();
        copy.name = format!("{}{COPY}{number:04}", template.name);
        copy.arn = template.arn.replace(&format!("/{}/", template.name), &format!("/{}/", copy.name));
        copy.token = None;
        cluster.node_groups.insert(copy.name.clone(), copy);
    }
}

fn read(event: &Value) -> Result<Copies, StateError> {
    let mut event = event.clone();
    if let Some(members) = event.as_object_mut() {
        members.remove("type");
    }
    serde_json::from_value(event).map_err(|error| StateError(format!("the event cannot be read: {error}")))
}

pub(super) fn place_of(world: &World, cluster: &str) -> Result<Place, StateError> {
    let has_it = |place: &Place| world.region(place).eks.clusters.contains_key(cluster);
    let place = world.places().into_iter().find(has_it);
    place.ok_or_else(|| StateError(format!("there is no cluster `{cluster}`")))
}
