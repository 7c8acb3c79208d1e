//! What no GKE ever said, for tests of what a client makes of it: members that are shown over a cluster's own.

use pmks_simulation::{ShowsOver, StateError, show_over};
use serde_json::{Value, json};

use super::copies::place;
use crate::world::World;

/// Shows it from now on, and answers what is shown over the cluster's own and over each node pool's.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn over(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let shown = ShowsOver::read(event)?;
    let (project, held) = place(world, &shown.cluster)?;
    let clusters = &mut world.project_mut(&project).container.clusters;
    let Some(cluster) = clusters.get_mut(&held) else { return Ok(Value::Null) };
    show_over(&mut cluster.shown_over, &shown.members);
    for pool in &mut cluster.pools {
        show_over(&mut pool.shown_over, &shown.node_groups);
    }
    let pools: Vec<_> = cluster.pools.iter().map(|pool| &pool.shown_over).collect();
    Ok(json!({"cluster": cluster.shown_over, "nodeGroups": pools}))
}
