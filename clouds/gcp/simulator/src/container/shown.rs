//! What no GKE ever said, for tests of what a client makes of it: members that are shown over a cluster's own.

use pmks_simulation::StateError;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::copies::place;
use crate::world::World;

/// The event `showsOver {cluster, members?, nodeGroups?}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shown {
    #[serde(rename = "type")]
    _kind: String,
    /// By name, or by its path.
    cluster: String,
    /// Over the cluster's; a `null` takes it away again.
    #[serde(default)]
    members: Map<String, Value>,
    /// Over those of each of its node pools.
    #[serde(default)]
    node_groups: Map<String, Value>,
}

/// Shows it from now on, and answers what is shown over the cluster's own and over each node pool's.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn over(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let shown: Shown = serde_json::from_value(event.clone())
        .map_err(|error| StateError(format!("the event cannot be read: {error}")))?;
    let (project, held) = place(world, &shown.cluster)?;
    let clusters = &mut world.project_mut(&project).container.clusters;
    let Some(cluster) = clusters.get_mut(&held) else { return Ok(Value::Null) };
    put(&mut cluster.shown_over, &shown.members);
    for pool in &mut cluster.pools {
        put(&mut pool.shown_over, &shown.node_groups);
    }
    let pools: Vec<_> = cluster.pools.iter().map(|pool| &pool.shown_over).collect();
    Ok(json!({"cluster": cluster.shown_over, "nodeGroups": pools}))
}

fn put(over: &mut Map<String, Value>, members: &Map<String, Value>) {
    over.extend(members.clone());
    over.retain(|_, value| !value.is_null());
}
