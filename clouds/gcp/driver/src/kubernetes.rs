//! The way to a cluster's own Kubernetes API, by the same token that users get.

use pmks_driver::Result;
use pmks_driver::kubernetes::ClusterApi;
use pmks_model::AccessInfo;

use crate::{GcpDriver, PROVIDER, access};

/// A client of the Kubernetes API behind that endpoint. Makes no call but, where the token has come to its end, for
/// another.
///
/// # Errors
/// As of [`ClusterApi::new`], and those of the credential.
pub(crate) async fn of(driver: &GcpDriver, access: &AccessInfo) -> Result<ClusterApi> {
    let token = access::token(driver).await?;
    ClusterApi::new(&driver.here.transport, PROVIDER, access, &token, driver.here.pace)
}
