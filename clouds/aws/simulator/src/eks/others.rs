//! What somebody else does to clusters and node groups: gone, they took their machines along; another one in their place
//! has the same name, its own identity and none of our tags.

use pmks_simulation::{Deed, DeedEvent, Effects, Now};

use super::call::Call;
use super::progress;
use super::state::{Cluster, NodeGroup, Status};
use crate::others::{change, replaces, strangers_tags};
use crate::world::{Place, World};

/// Clusters.
pub(crate) fn to_cluster(world: &mut World, place: &Place, event: &DeedEvent, now: Now) -> Option<String> {
    let clusters = &world.region(place).eks.clusters;
    let cluster = clusters.values().find(|cluster| cluster.arn == event.id)?.clone();
    let effects = Effects::default();
    let mut call = Call { world, place, now, effects: &effects, principal: String::new() };
    if event.deed == Deed::Vanishes {
        for group in cluster.node_groups.values() {
            remove_node_group(&mut call, &cluster.name, group);
        }
        progress::remove(&mut call, &cluster.name);
        return Some(event.id.clone());
    }
    let uid = call.world.random.uuid().replace('-', "").to_uppercase();
    let groups: Vec<(String, String)> =
        cluster.node_groups.keys().map(|name| (name.clone(), call.world.random.uuid())).collect();
    let found = call.eks_mut().clusters.get_mut(&cluster.name)?;
    if !replaces(event) {
        change(&mut found.tags);
        return Some(event.id.clone());
    }
    (found.uid, found.created_at, found.token) = (uid, now.wall, None);
    (found.status, found.pending) = (Status::Active, None);
    found.updates.clear();
    found.tags = strangers_tags(&found.tags);
    for (name, uuid) in groups {
        if let Some(group) = found.node_groups.get_mut(&name) {
            replace(group, &uuid, now);
        }
    }
    for addon in found.addons.values_mut() {
        (addon.created_at, addon.tags) = (now.wall, strangers_tags(&addon.tags));
    }
    Some(event.id.clone())
}

/// Node groups.
pub(crate) fn to_node_group(world: &mut World, place: &Place, event: &DeedEvent, now: Now) -> Option<String> {
    let of = |cluster: &Cluster| {
        let group = cluster.node_groups.values().find(|group| group.arn == event.id)?;
        Some((cluster.name.clone(), group.clone()))
    };
    let (cluster, group) = world.region(place).eks.clusters.values().find_map(of)?;
    let effects = Effects::default();
    let mut call = Call { world, place, now, effects: &effects, principal: String::new() };
    if event.deed == Deed::Vanishes {
        remove_node_group(&mut call, &cluster, &group);
        return Some(event.id.clone());
    }
    let uuid = call.world.random.uuid();
    let found = call.eks_mut().clusters.get_mut(&cluster)?.node_groups.get_mut(&group.name)?;
    if replaces(event) {
        replace(found, &uuid, now);
    } else {
        change(&mut found.tags);
    }
    Some(found.arn.clone())
}

/// The last part of a node group's ARN is its identity.
fn replace(group: &mut NodeGroup, uuid: &str, now: Now) {
    if let Some((name, _)) = group.arn.rsplit_once('/') {
        group.arn = format!("{name}/{uuid}");
    }
    (group.created_at, group.modified_at, group.token) = (now.wall, now.wall, None);
    (group.status, group.pending) = (Status::Active, None);
    group.updates.clear();
    group.tags = strangers_tags(&group.tags);
}

/// It is gone at once, with its machines and what EKS made for it.
fn remove_node_group(call: &mut Call<'_>, cluster: &str, group: &NodeGroup) {
    let place = call.place;
    let region = call.world.region_mut(place);
    let scaled = group.auto_scaling_group.as_ref().and_then(|name| region.auto_scaling.groups.remove(name));
    for member in scaled.iter().flat_map(|scaled| &scaled.members) {
        if let Some(machine) = region.ec2.instances.remove(&member.instance) {
            region.ec2.network_interfaces.remove(&machine.interface);
            region.ec2.volumes.remove(&machine.volume);
        }
    }
    if let Some(scaled) = scaled.filter(|_| group.launch_template.is_none()) {
        call.remove_template(&scaled.launch.template_id);
    }
    if let Some(id) = &group.remote_access_group {
        call.remove_security_group(id);
    }
    if let Some(cluster) = call.eks_mut().clusters.get_mut(cluster) {
        cluster.node_groups.remove(&group.name);
    }
}
