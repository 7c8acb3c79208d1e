//! What no EKS ever said, for tests of what a client makes of it: members that are shown over a cluster's own.

use pmks_simulation::{Now, ShowsOver, StateError, show_over};
use serde_json::{Value, json};

use super::copies::place_of;
use crate::world::World;

/// Shows it from now on, and answers what is shown over the cluster's own and over each node group's.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn over(world: &mut World, event: &Value, _: Now) -> Result<Value, StateError> {
    let shown = ShowsOver::read(event)?;
    let place = place_of(world, &shown.cluster)?;
    let clusters = &mut world.region_mut(&place).eks.clusters;
    let Some(cluster) = clusters.get_mut(&shown.cluster) else { return Ok(Value::Null) };
    show_over(&mut cluster.shown_over, &shown.members);
    for group in cluster.node_groups.values_mut() {
        show_over(&mut group.shown_over, &shown.node_groups);
    }
    let groups: Vec<_> = cluster.node_groups.values().map(|group| &group.shown_over).collect();
    Ok(json!({"cluster": cluster.shown_over, "nodeGroups": groups}))
}
