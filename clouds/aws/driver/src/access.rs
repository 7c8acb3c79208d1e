//! Who acts, and how a client gets in at a cluster.

use pmks_driver::{
    AccountIdentity, ClusterCredential, DriverError, KubeconfigFormat, KubeconfigUser, Prerequisite, Result,
};
use pmks_model::Cluster;

use crate::{AwsDriver, PROVIDER};

/// Who the credential acts for.
pub(crate) async fn account_identity(_driver: &AwsDriver) -> Result<AccountIdentity> {
    Err(DriverError::unsupported(PROVIDER, "access"))
}

/// Whether the credential's principal may enter the cluster.
pub(crate) async fn prerequisite(_driver: &AwsDriver, _cluster: &Cluster) -> Result<Prerequisite> {
    Err(DriverError::unsupported(PROVIDER, "access"))
}

/// The cloud's own kubeconfig user.
pub(crate) fn kubeconfig(
    _driver: &AwsDriver,
    _cluster: &Cluster,
    _format: KubeconfigFormat,
) -> Result<KubeconfigUser> {
    Err(DriverError::unsupported(PROVIDER, "access"))
}

/// A bearer token.
pub(crate) async fn token(_driver: &AwsDriver, _cluster: &Cluster) -> Result<ClusterCredential> {
    Err(DriverError::unsupported(PROVIDER, "access"))
}
