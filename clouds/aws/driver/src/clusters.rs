//! Reads of clusters and node groups.

use pmks_driver::{Detail, DriverError, Listing, Result};
use pmks_model::{Cluster, KubernetesVersion, NodeGroup};

use crate::{AwsDriver, PROVIDER};

/// The clusters of the region.
pub(crate) async fn list(_driver: &AwsDriver, _detail: Detail) -> Result<Listing<Cluster>> {
    Err(DriverError::unsupported(PROVIDER, "clusters"))
}

/// One cluster.
pub(crate) async fn get(_driver: &AwsDriver, _name: &str) -> Result<Cluster> {
    Err(DriverError::unsupported(PROVIDER, "clusters"))
}

/// The node groups of a cluster.
pub(crate) async fn list_node_groups(_driver: &AwsDriver, _cluster: &str) -> Result<Listing<NodeGroup>> {
    Err(DriverError::unsupported(PROVIDER, "clusters"))
}

/// One node group.
pub(crate) async fn get_node_group(_driver: &AwsDriver, _cluster: &str, _name: &str) -> Result<NodeGroup> {
    Err(DriverError::unsupported(PROVIDER, "clusters"))
}

/// The versions on offer.
pub(crate) async fn versions(_driver: &AwsDriver) -> Result<Vec<KubernetesVersion>> {
    Err(DriverError::unsupported(PROVIDER, "clusters"))
}
