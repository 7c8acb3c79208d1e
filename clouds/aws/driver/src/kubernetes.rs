//! The way to a cluster's own Kubernetes API, by the same token that users get.

use pmks_driver::Result;
use pmks_driver::kubernetes::ClusterApi;
use pmks_model::Cluster;

use crate::{AwsDriver, PROVIDER, access};

/// A client of that cluster's Kubernetes API. Makes no call.
///
/// # Errors
/// As of [`ClusterApi::new`], and those of the credential.
pub(crate) async fn of(driver: &AwsDriver, cluster: &Cluster) -> Result<ClusterApi> {
    let token = access::token(driver, cluster).await?;
    ClusterApi::new(&driver.here.transport, PROVIDER, &cluster.access, &token, driver.here.pace)
}
