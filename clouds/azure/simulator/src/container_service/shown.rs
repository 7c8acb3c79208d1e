//! What no AKS ever said, for tests of what a client makes of it: properties of a cluster and of its pools that somebody
//! put there. What only AKS says is shown over its own word; anything else is kept as if a request had said it, so that
//! a request which leaves it out takes it away.

use pmks_simulation::{ShowsOver, StateError, show_over};
use serde_json::{Value, json};

use super::cluster_request::READ_ONLY;
use super::events::find;
use super::state::Cluster;
use crate::json::{remove, set};
use crate::world::World;

/// Shows it from now on, and answers the properties of the cluster and of each pool.
///
/// # Errors
/// When the event cannot be read or there is no such cluster.
pub(crate) fn over(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let shown = ShowsOver::read(event)?;
    let (subscription, id, _) = find(world, &shown.cluster)?;
    let held = world.subscription_mut(&subscription);
    let Some(cluster) = held.clusters.get_mut(&id) else { return Ok(Value::Null) };
    for (name, value) in shown.members {
        put(cluster, &name, value);
    }
    for pool in &mut cluster.pools {
        shown.node_groups.iter().for_each(|(name, value)| keep(&mut pool.properties, name, value.clone()));
    }
    let pools: Vec<Value> = cluster.pools.iter().map(|pool| pool.properties.clone()).collect();
    Ok(json!({"cluster": cluster.show().get("properties"), "nodeGroups": pools}))
}

fn put(cluster: &mut Cluster, name: &str, value: Value) {
    if READ_ONLY.contains(&name) {
        show_over(&mut cluster.shown_over, &[(name.to_owned(), value)].into_iter().collect());
    } else if let Some(properties) = cluster.body.get_mut("properties") {
        keep(properties, name, value);
    }
}

fn keep(properties: &mut Value, name: &str, value: Value) {
    if value.is_null() { remove(properties, &[name]) } else { set(properties, name, value) }
}
