//! What passing work time does to clusters, Fargate profiles and add-ons. Node groups: `node_group_progress.rs`.

use std::time::Duration;

use pmks_simulation::{Effects, Now};

use super::call::Call;
use super::state::{Cluster, ClusterStep, Issue, State, Status, Update};
use super::{access, cluster_updates, node_group_progress};
use crate::world::{Place, World};

/// Does what has fallen due at one place.
pub(crate) fn settle(world: &mut World, place: &Place, now: Now) {
    let names: Vec<String> = world.region(place).eks.clusters.keys().cloned().collect();
    let effects = Effects::default();
    for name in names {
        let mut call = Call { world: &mut *world, place, now, effects: &effects, principal: String::new() };
        settle_parts(&mut call, &name);
        node_group_progress::settle(&mut call, &name);
        let pending = call.eks().clusters.get(&name).and_then(|cluster| cluster.pending.clone());
        if let Some(pending) = pending.filter(|pending| pending.is_due(now.work)) {
            take(&mut call, &name, pending.step);
        }
    }
}

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    let of_cluster = |cluster: &Cluster| {
        let own = cluster.pending.as_ref().and_then(|pending| pending.due);
        let groups = cluster.node_groups.values().filter_map(|group| group.pending.as_ref()?.due);
        let profiles = cluster.fargate_profiles.values().filter_map(|profile| profile.due);
        let addons = cluster.addons.values().filter_map(|addon| addon.due);
        own.into_iter().chain(groups).chain(profiles).chain(addons).min()
    };
    state.clusters.values().filter_map(of_cluster).min()
}

/// Fargate profiles and add-ons have three ends each: in service, failed, or gone.
fn settle_parts(call: &mut Call<'_>, name: &str) {
    let work = call.now.work;
    let Some(cluster) = call.eks_mut().clusters.get_mut(name) else { return };
    let is_due = |due: Option<Duration>| due.is_some_and(|due| due <= work);
    cluster
        .fargate_profiles
        .retain(|_, profile| !(is_due(profile.due) && profile.status == Status::Deleting));
    for profile in cluster.fargate_profiles.values_mut().filter(|profile| is_due(profile.due)) {
        profile.status = if profile.fails { Status::CreateFailed } else { Status::Active };
        profile.due = None;
    }
    cluster.addons.retain(|_, addon| !(is_due(addon.due) && addon.status == Status::Deleting));
    let has_nodes = cluster.node_groups.values().any(|group| group.status == Status::Active);
    for addon in cluster.addons.values_mut().filter(|addon| is_due(addon.due)) {
        // What runs as a Deployment has no replica as long as there is no node.
        let homeless = !has_nodes && ["coredns", "aws-ebs-csi-driver"].contains(&addon.name.as_str());
        addon.status = match (&addon.failure, addon.status) {
            (Some(_), Status::Creating) => Status::CreateFailed,
            _ if homeless => Status::Degraded,
            _ => Status::Active,
        };
        addon.due = None;
        for update in &mut addon.updates {
            end(update, None);
        }
    }
}

/// Ends an update that is under way: well, or with this error.
pub(crate) fn end(update: &mut Update, error: Option<Issue>) {
    if update.in_progress() {
        let status = if error.is_some() { "Failed" } else { "Successful" };
        status.clone_into(&mut update.status);
        update.errors.extend(error);
    }
}

fn take(call: &mut Call<'_>, name: &str, step: ClusterStep) {
    match step {
        ClusterStep::Create => activate(call, name),
        ClusterStep::FailCreate(code) => change(call, name, |cluster| {
            cluster.status = Status::Failed;
            let message = format!("Cluster creation failed: {code}");
            cluster.issues = vec![Issue { code, message, resource_ids: vec![cluster.arn.clone()] }];
        }),
        ClusterStep::Update(id) => finish_update(call, name, &id),
        ClusterStep::FailUpdate(id, code) => change(call, name, |cluster| {
            cluster.status = Status::Active;
            let message = format!("The update failed: {code}");
            let error = Issue { code, message, resource_ids: Vec::new() };
            if let Some(update) = cluster.updates.iter_mut().find(|update| update.id == id) {
                end(update, Some(error));
            }
        }),
        ClusterStep::Delete => remove(call, name),
    }
}

fn change(call: &mut Call<'_>, name: &str, act: impl FnOnce(&mut Cluster)) {
    if let Some(cluster) = call.eks_mut().clusters.get_mut(name) {
        cluster.pending = None;
        act(cluster);
    }
}

/// The control plane stands: its security group and interfaces are there, and its creator may come in.
fn activate(call: &mut Call<'_>, name: &str) {
    let Some(cluster) = call.eks().clusters.get(name).cloned() else { return };
    let security_group = call.make_cluster_security_group(&cluster);
    let interfaces = call.make_interfaces(&cluster, &security_group);
    let entry = lets_creator_in(&cluster).then(|| access::creator_entry(call, name, &cluster.creator));
    change(call, name, |cluster| {
        cluster.status = Status::Active;
        cluster.network.cluster_security_group = Some(security_group);
        cluster.network.interfaces = interfaces;
        if let Some(entry) = entry {
            cluster.access_entries.insert(entry.principal.clone(), entry);
        }
    });
}

fn lets_creator_in(cluster: &Cluster) -> bool {
    cluster.bootstrap_admin && cluster.authentication_mode != "CONFIG_MAP"
}

fn finish_update(call: &mut Call<'_>, name: &str, id: &str) {
    let Some(before) = call.eks().clusters.get(name).cloned() else { return };
    change(call, name, |cluster| {
        cluster.status = Status::Active;
        let Some(update) = cluster.updates.iter_mut().find(|update| update.id == id) else { return };
        end(update, None);
        let params = update.params.clone();
        cluster_updates::apply(cluster, &params);
    });
    // Whoever was let in by the ConfigMap's own rule becomes an access entry when these begin to count.
    let Some(after) = call.eks().clusters.get(name).cloned() else { return };
    if !lets_creator_in(&before)
        && lets_creator_in(&after)
        && !after.access_entries.contains_key(&after.creator)
    {
        let entry = access::creator_entry(call, name, &after.creator);
        change(call, name, |cluster| {
            cluster.access_entries.insert(entry.principal.clone(), entry);
        });
    }
}

/// The cluster goes, and with it what EKS made for it in EC2.
pub(super) fn remove(call: &mut Call<'_>, name: &str) {
    let Some(cluster) = call.eks_mut().clusters.remove(name) else { return };
    call.remove_interfaces(&cluster.network.interfaces);
    if let Some(group) = &cluster.network.cluster_security_group {
        call.remove_security_group(group);
    }
}
