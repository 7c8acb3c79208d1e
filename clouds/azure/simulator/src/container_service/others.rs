//! What somebody else does to clusters and pools: gone, they took their machines along; another one in their place has
//! the same name, its own identity and none of our tags.

use pmks_simulation::others::STRANGER;
use pmks_simulation::{Deed, DeedEvent, Now, StateError};
use serde_json::json;

use super::infrastructure;
use super::state::Pool;
use crate::arm::key;
use crate::json::set;
use crate::others::change;
use crate::world::World;

/// Clusters.
pub(crate) fn to_cluster(
    world: &mut World,
    subscription: &str,
    event: &DeedEvent,
    now: Now,
) -> Option<String> {
    let target = key(&event.id);
    world.subscription(subscription).clusters.get(&target)?;
    let (uid, etag) = (world.random.hex(24), world.random.uuid());
    match event.deed {
        Deed::Vanishes => {
            end_operations(world, subscription, &target, now);
            infrastructure::remove(world, subscription, &target);
        }
        Deed::IsChanged => {
            let cluster = world.subscription_mut(subscription).clusters.get_mut(&target)?;
            cluster.etag = etag;
            change(&mut cluster.body);
        }
        Deed::IsReplaced => {
            end_operations(world, subscription, &target, now);
            let cluster = world.subscription_mut(subscription).clusters.get_mut(&target)?;
            (cluster.uid, cluster.etag, cluster.created) = (uid, etag.clone(), now.wall);
            (cluster.busy, cluster.failure) = (None, None);
            "Succeeded".clone_into(&mut cluster.state);
            set(&mut cluster.body, "tags", json!({STRANGER.0: STRANGER.1}));
            for pool in &mut cluster.pools {
                replace(pool, &etag, now);
            }
        }
    }
    Some(event.id.clone())
}

/// Pools. A cluster keeps its last one.
pub(crate) fn to_pool(
    world: &mut World,
    subscription: &str,
    event: &DeedEvent,
    now: Now,
) -> Result<Option<String>, StateError> {
    let Some((cluster, name)) = event.id.rsplit_once("/agentPools/") else { return Ok(None) };
    let (target, etag) = (key(cluster), world.random.uuid());
    let clusters = &mut world.subscription_mut(subscription).clusters;
    let Some(cluster) = clusters.get_mut(&target) else { return Ok(None) };
    if event.deed == Deed::Vanishes && cluster.pools.len() == 1 {
        return Err(event.is_in_use());
    }
    let Some(pool) = cluster.pool_mut(name) else { return Ok(None) };
    match event.deed {
        Deed::IsReplaced => replace(pool, &etag, now),
        Deed::IsChanged => {
            pool.etag = etag;
            change(&mut pool.properties);
        }
        Deed::Vanishes => cluster.pools.retain(|pool| pool.name != name),
    }
    if event.deed != Deed::IsChanged {
        end_operations(world, subscription, &key(&event.id), now);
    }
    Ok(Some(event.id.clone()))
}

fn replace(pool: &mut Pool, etag: &str, now: Now) {
    etag.clone_into(&mut pool.etag);
    (pool.created, pool.busy, pool.failure) = (now.wall, None, None);
    "Succeeded".clone_into(&mut pool.state);
    set(&mut pool.properties, "tags", json!({STRANGER.0: STRANGER.1}));
}

/// What was at work on what is gone has ended with it.
fn end_operations(world: &mut World, subscription: &str, target: &str, now: Now) {
    let below = format!("{target}/");
    for operation in world.subscription_mut(subscription).operations.values_mut() {
        let is_of_it = operation.target == target || operation.target.starts_with(&below);
        if operation.ended.is_none() && is_of_it {
            operation.phases.clear();
            operation.ended = Some(now.wall);
            "Succeeded".clone_into(&mut operation.status);
        }
    }
}
