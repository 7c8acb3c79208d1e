//! Reads of clusters and node groups: the fewest calls that Google allows. Nothing here changes anything.
//!
//! One list of GKE holds every cluster of the project with its node pools. What runs comes from two lists of Compute
//! Engine, for all of them together.

use pmks_driver::{Detail, DriverError, ErrorKind, Listing, Result};
use pmks_model::{Cluster, Iid, NodeGroup, Status};

use crate::live::{Live, miss, unreachable};
use crate::names::region_of;
use crate::wire::container;
use crate::{GcpDriver, PROVIDER, convert};

/// The clusters of the region, zonal and regional. One call for the names, two for whole clusters, three with nodes.
pub(crate) async fn list(driver: &GcpDriver, detail: Detail) -> Result<Listing<Cluster>> {
    let listed = driver.api.list_clusters().await?;
    let here = |location: &str| region_of(location) == driver.region();
    let mut missed = Vec::new();
    for place in listed.missing_zones.iter().filter(|place| here(place)) {
        missed.push(miss(&format!("the clusters of {place}"), &unreachable(place)));
    }
    let mut clusters: Vec<container::Cluster> =
        listed.clusters.into_iter().filter(|cluster| here(&cluster.location)).collect();
    clusters.sort_by(|a, b| (&a.name, &a.location).cmp(&(&b.name, &b.location)));
    let project = driver.api.project();
    if detail == Detail::Ids {
        let bare = |cluster: &container::Cluster| Cluster {
            iid: Iid::new(&cluster.name, convert::cluster_name(cluster, project).path()),
            ..Cluster::default()
        };
        return Ok(Listing { items: clusters.iter().map(bare).collect(), missed });
    }
    let live = if clusters.is_empty() {
        Live::default()
    } else {
        Live::read(driver, detail == Detail::Nodes, &mut missed).await
    };
    let items = clusters.iter().map(|cluster| convert::cluster(cluster, project, &live)).collect();
    Ok(Listing { items, missed })
}

/// One cluster, with its node groups and their nodes. GKE is busy with a cluster without a sign in its status, so that
/// it is asked what it is doing. Four calls.
pub(crate) async fn get(driver: &GcpDriver, text: &str) -> Result<Cluster> {
    let name = driver.cluster_name(text)?;
    let (cluster, operations, live) = futures::try_join!(
        driver.api.get_cluster(&name),
        driver.api.list_operations(&name.location),
        Live::read_all(driver),
    )?;
    let mut found = convert::cluster(&cluster, driver.api.project(), &live);
    if let Some(says) = convert::under_way(&operations.operations, &name)
        && found.status == Status::Active
    {
        found.status = Status::Updating;
        found.status_reason = says;
    }
    Ok(found)
}

/// The node groups of a cluster, ordered by name. Three calls.
pub(crate) async fn list_node_groups(driver: &GcpDriver, text: &str) -> Result<Listing<NodeGroup>> {
    let cluster = driver.api.get_cluster(&driver.cluster_name(text)?).await?;
    let mut missed = Vec::new();
    let live = Live::read(driver, true, &mut missed).await;
    let mut items: Vec<NodeGroup> =
        cluster.node_pools.iter().map(|pool| convert::node_group(&cluster, pool, &live)).collect();
    items.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(Listing { items, missed })
}

/// One node group. Three calls.
pub(crate) async fn get_node_group(driver: &GcpDriver, text: &str, name: &str) -> Result<NodeGroup> {
    let cluster = driver.api.get_cluster(&driver.cluster_name(text)?).await?;
    let pool = cluster.node_pools.iter().find(|pool| pool.name == name).ok_or_else(|| {
        let says = format!("cluster {} has no node pool {name:?}", cluster.name);
        DriverError::new(ErrorKind::NotFound, PROVIDER, says).with_action("container.clusters.get")
    })?;
    Ok(convert::node_group(&cluster, pool, &Live::read_all(driver).await?))
}
