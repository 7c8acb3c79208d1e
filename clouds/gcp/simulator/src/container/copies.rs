//! Many clusters at once: an event that copies what stands, so that lists are long without hours of calls. Copies share
//! the machines of what they were copied from, and vanish by an event of their own.

use pmks_simulation::StateError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Cluster;
use crate::world::World;

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
    /// So many more of its first node pool, in itself.
    #[serde(default)]
    node_groups: usize,
}

/// The event `clustersAreCopied {cluster, clusters?, nodeGroups?}`.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn make(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let copies = read(event)?;
    let (project, held) = place(world, &copies.cluster)?;
    let ids: Vec<String> = (0..copies.clusters).map(|_| world.random.hex(64)).collect();
    let clusters = &mut world.project_mut(&project).container.clusters;
    let Some(original) = clusters.get_mut(&held) else { return Ok(Value::Null) };
    let template = original.clone();
    if let Some(pool) = template.pools.first() {
        for number in 0..copies.node_groups {
            let mut copy = pool.clone();
            copy.name = format!("{}{COPY}{number:04}", pool.name);
            original.pools.push(copy);
        }
    }
    for (number, id) in ids.into_iter().enumerate() {
        let name = format!("{}{COPY}{number:04}", template.name);
        let copy = Cluster { name, id, endpoint: None, ..template.clone() };
        clusters.insert(copy.key(), copy);
    }
    Ok(json!({"clusters": copies.clusters, "nodeGroups": copies.node_groups}))
}

/// The event `copiesVanish {cluster}`.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn remove(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let copies = read(event)?;
    let (project, held) = place(world, &copies.cluster)?;
    let clusters = &mut world.project_mut(&project).container.clusters;
    let prefix = clusters.get(&held).map(|original| format!("{}{COPY}", original.name)).unwrap_or_default();
    clusters.retain(|_, cluster| prefix.is_empty() || !cluster.name.starts_with(&prefix));
    if let Some(original) = clusters.get_mut(&held) {
        original.pools.retain(|pool| !pool.name.contains(COPY));
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

/// The cluster by name, or by the last part of its path.
pub(crate) fn place(world: &World, cluster: &str) -> Result<(String, String), StateError> {
    let name = cluster.rsplit('/').next().unwrap_or_default();
    for project in world.projects.values() {
        if let Some(found) = project.container.clusters.values().find(|found| found.name == name) {
            return Ok((project.id.clone(), found.key()));
        }
    }
    Err(StateError(format!("there is no cluster `{cluster}`")))
}
