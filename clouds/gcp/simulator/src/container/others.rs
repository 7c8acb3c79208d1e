//! What somebody else does to clusters and node pools: gone, they took their machines along; another one in their place
//! has the same name, its own identity and none of our labels.

use pmks_simulation::others::{CHANGED, STRANGER};
use pmks_simulation::{Deed, DeedEvent, Now};
use serde_json::json;

use super::progress::remove_cluster;
use super::state::{Cluster, NodePool, Status, Step};
use crate::compute::{self, key};
use crate::world::World;

/// Whether GKE would refuse anybody's change: an operation that runs has the cluster, or that node pool, for itself.
pub(crate) fn is_busy(world: &World, project: &str, event: &DeedEvent) -> bool {
    let container = &world.project(project).container;
    let (cluster, pool) =
        event.id.split_once('/').map_or((event.id.as_str(), None), |(id, pool)| (id, Some(pool)));
    let Some(cluster) = container.clusters.values().find(|one| one.id == cluster) else { return false };
    let mut running = container.running(cluster);
    running.any(|operation| pool.is_none() || operation.pool.is_none() || operation.pool.as_deref() == pool)
}

/// Clusters.
pub(crate) fn to_cluster(world: &mut World, project: &str, event: &DeedEvent, now: Now) -> Option<String> {
    let clusters = &world.project(project).container.clusters;
    let cluster = clusters.values().find(|cluster| cluster.id == event.id)?.clone();
    if event.deed == Deed::Vanishes {
        for pool in &cluster.pools {
            remove_machines(world, project, pool);
        }
        remove_cluster(world.project_mut(project), &cluster);
        return Some(event.id.clone());
    }
    let id = world.random.hex(64);
    let held = world.project_mut(project);
    let found = held.container.clusters.get_mut(&cluster.key())?;
    found.revision += 1;
    if event.deed == Deed::IsChanged {
        found.labels.insert(CHANGED.0.to_owned(), CHANGED.1.to_owned());
        return Some(event.id.clone());
    }
    found.id.clone_from(&id);
    (found.created, found.status) = (now.wall, Status::Running);
    found.labels = [(STRANGER.0.to_owned(), STRANGER.1.to_owned())].into();
    for pool in &mut found.pools {
        pool.status = Status::Running;
        replace(pool);
    }
    end_operations(world, project, &cluster, None, now);
    Some(id)
}

/// Node pools.
pub(crate) fn to_node_pool(world: &mut World, project: &str, event: &DeedEvent, now: Now) -> Option<String> {
    let (cluster, name) = event.id.split_once('/')?;
    let clusters = &mut world.project_mut(project).container.clusters;
    let found = clusters.values_mut().find(|found| found.id == cluster)?;
    let cluster = found.clone();
    let pool = found.pool_mut(name)?;
    pool.revision += 1;
    match event.deed {
        Deed::IsChanged => label(pool, CHANGED),
        Deed::IsReplaced => {
            pool.status = Status::Running;
            replace(pool);
            end_operations(world, project, &cluster, Some(name), now);
        }
        Deed::Vanishes => {
            found.pools.retain(|one| one.name != name);
            end_operations(world, project, &cluster, Some(name), now);
            cluster.pool(name).into_iter().for_each(|pool| remove_machines(world, project, pool));
        }
    }
    Some(event.id.clone())
}

fn label(pool: &mut NodePool, (key, value): (&str, &str)) {
    let labels = pool.config.entry("resourceLabels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert(key.to_owned(), json!(value));
    }
}

fn replace(pool: &mut NodePool) {
    pool.config.insert("resourceLabels".to_owned(), json!({}));
    pool.revision = 0;
    label(pool, STRANGER);
}

/// What was at work on the one that is gone has ended with it.
fn end_operations(world: &mut World, project: &str, cluster: &Cluster, pool: Option<&str>, now: Now) {
    for operation in world.project_mut(project).container.operations.values_mut() {
        let is_of_it = operation.cluster == cluster.name && operation.location == cluster.location;
        if operation.ended.is_none() && is_of_it && (pool.is_none() || operation.pool.as_deref() == pool) {
            (operation.due, operation.step, operation.ended) = (None, Step::Done, Some(now.wall));
        }
    }
}

/// The machines of a pool are gone at once, with their disks.
fn remove_machines(world: &mut World, project: &str, pool: &NodePool) {
    let state = &mut world.project_mut(project).compute;
    for (zone, group) in &pool.groups {
        if let Some(gone) = state.groups.remove(&format!("{zone}/{group}")) {
            state.resources.remove(&key("instanceTemplates", "global", &gone.template));
        }
        let of_group = |one: &compute::Instance| one.wish.zone == *zone && one.group == *group;
        let machines: Vec<String> =
            state.instances.values().filter(|one| of_group(one)).map(|one| one.name.clone()).collect();
        for name in machines {
            state.instances.remove(&format!("{zone}/{name}"));
            state.resources.remove(&key("disks", &format!("zones/{zone}"), &name));
        }
    }
}
