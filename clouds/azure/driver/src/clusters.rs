//! Reads of clusters, node groups and versions: the fewest calls that Azure allows, paged, several at once.
//!
//! One list answers for all clusters with their pools; what it lacks is how a cluster is reached, which stands in its
//! kubeconfig alone, and the instances of scale sets. Nothing here changes anything.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use pmks_driver::{Detail, DriverError, ErrorKind, Listing, Missed, Result};
use pmks_model::{AccessInfo, Cluster, Iid, KubernetesVersion, NodeGroup};

use crate::arm_id::ArmId;
use crate::convert::{self, Nodes};
use crate::whereabouts::{self, Guards};
use crate::wire::compute;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, access, machines};

/// How many calls of one read are under way at once.
pub(crate) const AT_ONCE: usize = 8;

/// The clusters of the region.
pub(crate) async fn list(driver: &AzureDriver, detail: Detail) -> Result<Listing<Cluster>> {
    let mut found: Vec<wire::ManagedCluster> = driver.api.clusters().await?;
    found.retain(|cluster| is_in(&cluster.location, driver.region()));
    found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    if detail == Detail::Ids {
        let bare = |cluster: &wire::ManagedCluster| Cluster {
            iid: Iid::new(&cluster.name, convert::cluster_id(cluster)),
            ..Cluster::default()
        };
        return Ok(Listing::complete(found.iter().map(bare).collect()));
    }
    let mut missed = Vec::new();
    let ways_in = ways_in(driver, &found, &mut missed).await;
    let (mut nodes, mut sets, mut guards) = (BTreeMap::new(), Vec::new(), Guards::new());
    if detail == Detail::Nodes && !found.is_empty() {
        match driver.api.all_scale_sets().await {
            Ok(read) => {
                nodes = nodes_of(driver, &found, &read, &mut missed).await;
                sets = read;
            }
            Err(error) => missed.push(miss("the scale sets", &error)),
        }
        guards = whereabouts::guards(driver, &found, &mut missed).await;
    }
    let items = found.iter().zip(ways_in).map(|(cluster, access)| {
        let own = nodes.remove(&convert::cluster_id(cluster)).unwrap_or_default();
        whereabouts::placed(convert::cluster(cluster, access, &own), cluster, &sets, &guards)
    });
    Ok(Listing { items: items.collect(), missed })
}

/// One cluster, with its node groups and their nodes.
pub(crate) async fn get(driver: &AzureDriver, id: &str) -> Result<Cluster> {
    let found = driver.api.cluster(&driver.cluster_id(id)).await?;
    let mut missed = Vec::new();
    let one = std::slice::from_ref(&found);
    let access = ways_in(driver, one, &mut missed).await.pop().unwrap_or_default();
    let sets = sets_of_one(driver, &found, &mut missed).await;
    let nodes = nodes_of_one(driver, &found, &sets, &mut missed).await;
    let guards = whereabouts::guards(driver, one, &mut missed).await;
    complete(&missed)?;
    Ok(whereabouts::placed(convert::cluster(&found, access, &nodes), &found, &sets, &guards))
}

/// The node groups of a cluster, ordered by name.
pub(crate) async fn list_node_groups(driver: &AzureDriver, cluster: &str) -> Result<Listing<NodeGroup>> {
    let found = driver.api.cluster(&driver.cluster_id(cluster)).await?;
    let mut missed = Vec::new();
    let sets = sets_of_one(driver, &found, &mut missed).await;
    let nodes = nodes_of_one(driver, &found, &sets, &mut missed).await;
    let pools = found.properties.agent_pool_profiles.iter();
    let mut items: Vec<NodeGroup> = pools.map(|pool| convert::node_group(&found, pool, &nodes)).collect();
    items.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(Listing { items, missed })
}

/// One node group.
pub(crate) async fn get_node_group(driver: &AzureDriver, cluster: &str, id: &str) -> Result<NodeGroup> {
    let mut found = driver.api.cluster(&driver.cluster_id(cluster)).await?;
    let name = pool_name(id);
    found.properties.agent_pool_profiles.retain(|pool| pool.name == name);
    let mut missed = Vec::new();
    let sets = sets_of_one(driver, &found, &mut missed).await;
    let nodes = nodes_of_one(driver, &found, &sets, &mut missed).await;
    complete(&missed)?;
    let pool = found.properties.agent_pool_profiles.first().ok_or_else(|| {
        let message = format!("cluster {} has no node group {name:?}", found.name);
        DriverError::new(ErrorKind::NotFound, PROVIDER, message).with_action("ManagedClusters.Get")
    })?;
    Ok(convert::node_group(&found, pool, &nodes))
}

/// A pool's name, of its identifier or as it is.
pub(crate) fn pool_name(id: &str) -> String {
    let of_pool = ArmId::parse(id).filter(|id| id.is("managedClusters/agentPools"));
    of_pool.map_or_else(|| id.to_owned(), |id| id.name().to_owned())
}

/// The versions on offer in the region, oldest first.
pub(crate) async fn versions(driver: &AzureDriver) -> Result<Vec<KubernetesVersion>> {
    let answer = driver.api.kubernetes_versions().await?;
    let mut versions: Vec<KubernetesVersion> =
        answer.values.iter().flat_map(convert::kubernetes_versions).collect();
    versions.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(versions)
}

/// A location as connections name it: some services write `Korea Central` for `koreacentral`.
pub(crate) fn region_of(location: &str) -> String {
    location.replace(' ', "").to_ascii_lowercase()
}

/// Whether a location is the region.
pub(crate) fn is_in(location: &str, region: &str) -> bool {
    region_of(location) == region
}

/// How each of these clusters is reached.
async fn ways_in(
    driver: &AzureDriver,
    clusters: &[wire::ManagedCluster],
    missed: &mut Vec<Missed>,
) -> Vec<AccessInfo> {
    let calls: Vec<_> = clusters.iter().map(|cluster| access::way_in(driver, cluster)).collect();
    let read: Vec<Result<AccessInfo>> = stream::iter(calls).buffered(AT_ONCE).collect().await;
    let kept = clusters.iter().zip(read).map(|(cluster, read)| {
        read.unwrap_or_else(|error| {
            missed.push(miss(&format!("how cluster {} is reached", cluster.name), &error));
            AccessInfo::default()
        })
    });
    kept.collect()
}

/// The scale sets of one cluster.
async fn sets_of_one(
    driver: &AzureDriver,
    cluster: &wire::ManagedCluster,
    missed: &mut Vec<Missed>,
) -> Vec<compute::ScaleSet> {
    let Some(group) = cluster.properties.node_resource_group.as_deref() else { return Vec::new() };
    match driver.api.scale_sets(group).await {
        Ok(sets) => sets,
        // A cluster that is being made or removed has no group yet, or no longer.
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => {
            missed.push(miss("the scale sets", &error));
            Vec::new()
        }
    }
}

/// The nodes of one cluster's pools.
async fn nodes_of_one(
    driver: &AzureDriver,
    cluster: &wire::ManagedCluster,
    sets: &[compute::ScaleSet],
    missed: &mut Vec<Missed>,
) -> Nodes {
    let mut nodes = nodes_of(driver, std::slice::from_ref(cluster), sets, missed).await;
    nodes.remove(&convert::cluster_id(cluster)).unwrap_or_default()
}

/// The nodes of the pools of these clusters, by the cluster's identifier: one list a scale set.
async fn nodes_of(
    driver: &AzureDriver,
    clusters: &[wire::ManagedCluster],
    sets: &[compute::ScaleSet],
    missed: &mut Vec<Missed>,
) -> BTreeMap<String, Nodes> {
    let mut wanted = Vec::new();
    for cluster in clusters {
        let of_cluster = machines::scale_sets_of(cluster.properties.node_resource_group.as_deref(), sets);
        for (pool, set) in of_cluster {
            if cluster.properties.agent_pool_profiles.iter().any(|known| known.name == pool) {
                wanted.push((cluster, pool, set));
            }
        }
    }
    let calls: Vec<_> = wanted
        .into_iter()
        .map(|(cluster, pool, set)| async move { (cluster, pool, driver.api.instances(&set, false).await) })
        .collect();
    let read: Vec<_> = stream::iter(calls).buffered(AT_ONCE).collect().await;
    let mut all: BTreeMap<String, Nodes> = BTreeMap::new();
    for (cluster, pool, read) in read {
        match read {
            Ok(instances) => {
                let nodes = all.entry(convert::cluster_id(cluster)).or_default().entry(pool).or_default();
                nodes.extend(instances.iter().filter_map(machines::node_iid));
                nodes.sort_by(|a, b| a.system_id.cmp(&b.system_id));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                missed.push(miss(
                    &format!("the nodes of node group {pool} of cluster {}", cluster.name),
                    &error,
                ));
            }
        }
    }
    all
}

fn complete(missed: &[Missed]) -> Result<()> {
    let Some(missed) = missed.first() else { return Ok(()) };
    let message = format!("{} could not be read: {}", missed.what, missed.failure.detail);
    Err(DriverError::new(ErrorKind::Unavailable, PROVIDER, message))
}

pub(crate) fn miss(what: &str, error: &DriverError) -> Missed {
    Missed { what: what.to_owned(), failure: error.to_failure() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_named_by_its_identifier_too() {
        let id = "/subscriptions/0/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c/agentPools/ga";
        assert_eq!((pool_name(id).as_str(), pool_name("ga").as_str()), ("ga", "ga"));
    }

    #[test]
    fn regions_are_written_in_two_ways() {
        assert!(is_in("koreacentral", "koreacentral") && is_in("Korea Central", "koreacentral"));
        assert!(!is_in("koreasouth", "koreacentral"));
    }
}
