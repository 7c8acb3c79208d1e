//! What no EKS ever said, for tests of what a client makes of it: members that are shown over a cluster's own.

use pmks_simulation::{Now, StateError};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::copies::place_of;
use crate::world::World;

/// The event `{"type":"showsOver","cluster":NAME,"members":{…},"nodeGroups"?:{…}}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shown {
    #[serde(rename = "type")]
    _kind: String,
    cluster: String,
    /// Over the cluster's; a `null` takes it away again. Absent: nothing changes.
    #[serde(default)]
    members: Map<String, Value>,
    /// Over those of each of its node groups.
    #[serde(default)]
    node_groups: Map<String, Value>,
}

/// Shows it from now on, and answers what is shown over the cluster's own and over each node group's.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn over(world: &mut World, event: &Value, _: Now) -> Result<Value, StateError> {
    let shown: Shown = serde_json::from_value(event.clone())
        .map_err(|error| StateError(format!("the event cannot be read: {error}")))?;
    let place = place_of(world, &shown.cluster)?;
    let clusters = &mut world.region_mut(&place).eks.clusters;
    let Some(cluster) = clusters.get_mut(&shown.cluster) else { return Ok(Value::Null) };
    put(&mut cluster.shown_over, &shown.members);
    for group in cluster.node_groups.values_mut() {
        put(&mut group.shown_over, &shown.node_groups);
    }
    let groups: Vec<_> = cluster.node_groups.values().map(|group| &group.shown_over).collect();
    Ok(json!({"cluster": cluster.shown_over, "nodeGroups": groups}))
}

fn put(over: &mut Map<String, Value>, members: &Map<String, Value>) {
    over.extend(members.clone());
    over.retain(|_, value| !value.is_null());
}
