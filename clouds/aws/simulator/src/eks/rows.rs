//! EKS' part of the ground truth.

use std::collections::BTreeMap;

use pmks_simulation::Resource;

use super::state::{Cluster, State};

/// Every cluster with what belongs to it.
pub(crate) fn resources(state: &State) -> Vec<Resource> {
    state.clusters.values().flat_map(of_cluster).collect()
}

fn of_cluster(cluster: &Cluster) -> Vec<Resource> {
    let of = |row: Resource| row.with("cluster", cluster.name.as_str());
    let mut rows = vec![
        Resource::new("cluster", &cluster.arn, cluster.status.word(), cluster.created_at)
            .named(&cluster.name)
            .tagged(&cluster.tags)
            .with("version", cluster.version.as_str())
            .with("vpc", cluster.network.vpc.as_str())
            .with("endpoint", cluster.endpoint.as_ref().map(|endpoint| endpoint.url.clone()))
            .with("deletionProtection", cluster.deletion_protection),
    ];
    rows.extend(cluster.node_groups.values().map(|group| {
        of(Resource::new("nodeGroup", &group.arn, group.status.word(), group.created_at))
            .named(&group.name)
            .tagged(&group.tags)
            .with("version", group.version.clone())
            .with("releaseVersion", group.release_version.as_str())
            .with("autoScalingGroup", group.auto_scaling_group.clone())
    }));
    rows.extend(cluster.fargate_profiles.values().map(|profile| {
        of(Resource::new("fargateProfile", &profile.arn, profile.status.word(), profile.created_at))
            .named(&profile.name)
            .tagged(&profile.tags)
    }));
    rows.extend(cluster.addons.values().map(|addon| {
        of(Resource::new("addon", &addon.arn, addon.status.word(), addon.created_at))
            .named(&addon.name)
            .tagged(&addon.tags)
            .with("version", addon.version.as_str())
    }));
    rows.extend(cluster.access_entries.values().map(|entry| {
        let policies: BTreeMap<_, _> =
            entry.policies.iter().map(|(arn, policy)| (arn.clone(), policy.scope.clone())).collect();
        of(Resource::new("accessEntry", &entry.arn, "active", entry.created_at))
            .named(&entry.principal)
            .tagged(&entry.tags)
            .with("policies", serde_json::json!(policies))
    }));
    rows
}
