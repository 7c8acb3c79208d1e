//! Ground truth of clusters, pools, scale sets and machines.

use pmks_simulation::Resource;

use super::copies::is_copy;
use super::nodes;
use super::state::{Cluster, Pool};
use crate::json::at;
use crate::world::tags;

/// A cluster with its pools, scale sets and machines. Copies have no machines of their own.
pub(crate) fn resources(cluster: &Cluster) -> Vec<Resource> {
    let own = Resource::new("managedCluster", &cluster.id, &cluster.state, cluster.created)
        .named(cluster.name())
        .tagged(&tags(at(&cluster.body, "tags")))
        .with("resourceGroup", &*cluster.group)
        .with("nodeResourceGroup", cluster.node_group())
        .with("resourceUID", &*cluster.uid)
        .with("version", &*cluster.version)
        .with("powerState", if cluster.stopped { "Stopped" } else { "Running" });
    let pools = cluster.pools.iter().flat_map(|pool| of_pool(cluster, pool));
    std::iter::once(own).chain(pools).collect()
}

fn of_pool(cluster: &Cluster, pool: &Pool) -> Vec<Resource> {
    let id = format!("{}/agentPools/{}", cluster.id, pool.name);
    let own = Resource::new("agentPool", &id, &pool.state, pool.created)
        .named(&pool.name)
        .tagged(&tags(at(&pool.properties, "tags")))
        .with("cluster", cluster.name())
        .with("version", &*pool.version)
        .with("count", pool.count());
    if is_copy(cluster.name()) || is_copy(&pool.name) {
        return vec![own];
    }
    let scale_set = cluster.inner_id("Microsoft.Compute/virtualMachineScaleSets", &pool.scale_set);
    let set =
        Resource::new("virtualMachineScaleSet", &scale_set, "Succeeded", pool.created).named(&pool.scale_set);
    let machines = pool.machines.iter().map(|machine| {
        let id = cluster.machine_id("", pool, machine);
        let state = if machine.ready_since.is_some() { "Succeeded" } else { "Creating" };
        Resource::new("virtualMachine", &id, state, machine.created).named(&nodes::name(pool, machine))
    });
    std::iter::once(own).chain(pool.next.gt(&0).then_some(set)).chain(machines).collect()
}
