//! What passing work time does to clusters and pools.

use std::time::Duration;

use pmks_simulation::Now;
use serde::{Deserialize, Serialize};

use super::state::{Cluster, Pool};
use super::{infrastructure, machines};
use crate::json::{number, set};
use crate::operations;
use crate::world::World;

/// A step of a cluster's operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The node resource group is there, with network, balancer and identity.
    Build,
    /// The control plane stands.
    ControlPlane,
    /// The control plane has another version.
    Version(String),
    /// A pool has as many machines as were asked for.
    Machines(String),
    /// A machine of a pool is replaced by one of that version.
    Replace(String, u32, String),
    /// The nodes of a pool have that version.
    PoolVersion(String, String),
    /// A pool's operation is done.
    FinishPool(String),
    /// The autoscaler has looked after a pool's limits.
    KeepLimits(String),
    /// The cluster's operation is done.
    Finish,
    /// A pool is gone.
    RemovePool(String),
    /// All machines are gone.
    RemoveMachines,
    /// The cluster is gone, with all that was made for it.
    RemoveCluster,
    /// The cluster is stopped.
    Stopped,
    /// The control plane runs again.
    Started,
    /// The address of a deleted Service is gone: namespace and name.
    RemoveEntrance(String, String),
}

/// Takes one step of the operation `id` on the cluster of that key.
pub(crate) fn take(world: &mut World, subscription: &str, target: &str, id: &str, step: Step, now: Now) {
    match step {
        Step::Build => infrastructure::build(world, subscription, target, now),
        Step::RemoveCluster => infrastructure::remove(world, subscription, target),
        Step::RemoveEntrance(namespace, name) => {
            infrastructure::remove_entrance(world, subscription, target, &namespace, &name);
        }
        Step::Machines(pool) => machines::scale(world, subscription, target, &pool, now),
        Step::Replace(pool, number, version) => {
            machines::replace(world, subscription, target, &pool, (number, &version), now);
        }
        Step::KeepLimits(pool) => keep_limits(world, subscription, target, &pool, now),
        step => {
            if let Step::FinishPool(_) = &step {
                wake_autoscaler(world, subscription, target, &step, now);
            }
            let etag = world.random.uuid();
            let held = world.subscription_mut(subscription);
            if let Some(cluster) = held.clusters.get_mut(target) {
                cluster.etag.clone_from(&etag);
                change(cluster, id, step, now);
            }
        }
    }
}

fn change(cluster: &mut Cluster, id: &str, step: Step, now: Now) {
    match step {
        Step::ControlPlane => cluster.stands = true,
        Step::Version(version) => cluster.version = version,
        Step::PoolVersion(pool, version) => {
            if let Some(pool) = cluster.pool_mut(&pool) {
                pool.version = version;
            }
        }
        Step::FinishPool(pool) => finish_pool(cluster, &pool, now),
        Step::Finish => {
            cluster.stands = true;
            end(cluster, id, "Succeeded");
        }
        Step::RemovePool(pool) => cluster.pools.retain(|held| held.name != pool),
        Step::RemoveMachines => {
            cluster.stands = false;
            cluster.pools.iter_mut().for_each(|pool| pool.machines.clear());
        }
        Step::Stopped => {
            cluster.stopped = true;
            cluster.pools.iter_mut().for_each(|pool| pool.machines.clear());
            end(cluster, id, "Succeeded");
        }
        Step::Started => cluster.stopped = false,
        _ => {}
    }
}

fn finish_pool(cluster: &mut Cluster, name: &str, now: Now) {
    let Some(pool) = cluster.pool_mut(name) else { return };
    for machine in &mut pool.machines {
        machine.ready_since.get_or_insert(now.wall);
    }
    "Succeeded".clone_into(&mut pool.state);
    (pool.busy, pool.failure) = (None, None);
}

/// How long after a pool's change its autoscaler has looked, and has made what is missing.
const AUTOSCALED_AFTER: Duration = Duration::from_secs(30);

/// The autoscaler looks at a pool that was changed, some time later.
fn wake_autoscaler(world: &mut World, subscription: &str, target: &str, step: &Step, now: Now) {
    let Step::FinishPool(name) = step else { return };
    let Some(cluster) = world.subscription(subscription).clusters.get(target) else { return };
    if !cluster.pool(name).is_some_and(|pool| pool.auto_scaling() && pool.count() < least(pool)) {
        return;
    }
    let (location, due) = (cluster.location.clone(), now.work.saturating_add(AUTOSCALED_AFTER));
    let phases = [(due, operations::Step::Cluster(Step::KeepLimits(name.clone())))];
    operations::add(world, subscription, now, ("", &location, target), phases.into());
}

fn least(pool: &Pool) -> u32 {
    number(&pool.properties, "minCount").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(0)
}

/// The autoscaler enforces the lower limit; above the upper one it removes only nodes that are not needed.
///
/// Source: <https://learn.microsoft.com/azure/aks/cluster-autoscaler#update-the-cluster-autoscaler-settings>.
fn keep_limits(world: &mut World, subscription: &str, target: &str, name: &str, now: Now) {
    let etag = world.random.uuid();
    let held = world.subscription_mut(subscription);
    let pool = held.clusters.get_mut(target).and_then(|cluster| cluster.pool_mut(name));
    let Some(pool) = pool.filter(|pool| pool.auto_scaling() && pool.count() < least(pool)) else { return };
    let count = least(pool);
    set(&mut pool.properties, "count", count);
    pool.etag = etag;
    machines::scale(world, subscription, target, name, now);
    let held = world.subscription_mut(subscription);
    let pool = held.clusters.get_mut(target).and_then(|cluster| cluster.pool_mut(name));
    for machine in pool.into_iter().flat_map(|pool| &mut pool.machines) {
        machine.ready_since.get_or_insert(now.wall);
    }
}

/// Ends an operation in this state, for the cluster and the pools that it made busy.
pub(super) fn end(cluster: &mut Cluster, id: &str, state: &str) {
    end_as(cluster, id, state, None);
}

fn end_as(cluster: &mut Cluster, id: &str, state: &str, failure: Option<&(String, String)>) {
    if cluster.busy.as_deref() == Some(id) {
        cluster.busy = None;
        state.clone_into(&mut cluster.state);
        cluster.failure = failure.cloned();
    }
    for pool in cluster.pools.iter_mut().filter(|pool| pool.busy.as_deref() == Some(id)) {
        pool.busy = None;
        state.clone_into(&mut pool.state);
        pool.failure = failure.cloned();
    }
}

/// Ends an operation as failed.
pub(crate) fn fail(world: &mut World, subscription: &str, target: &str, id: &str) {
    let operation = world.subscription(subscription).operations.get(id);
    let failure = operation.and_then(|operation| operation.failure.clone());
    let etag = world.random.uuid();
    if let Some(cluster) = world.subscription_mut(subscription).clusters.get_mut(target) {
        cluster.etag = etag;
        end_as(cluster, id, "Failed", failure.as_ref());
    }
}
