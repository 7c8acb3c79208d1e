//! What came into being because a cluster stood: balancers, groups, interfaces, volumes.

use pmks_driver::{DriverError, Result};
use pmks_model::{Child, Children, Cluster};

use crate::{AwsDriver, PROVIDER};

/// All of them: through the cluster's Kubernetes API where it can be reached ([`crate::kubernetes`]), and by tags.
/// Kinds: `service` and `ingress` (`system_id` is `namespace/name`), `classicLoadBalancer`, `loadBalancer`,
/// `targetGroup`, `securityGroup`, `networkInterface`, `volume`.
pub(crate) async fn children(_driver: &AwsDriver, _cluster: &Cluster) -> Result<Children> {
    Err(DriverError::unsupported(PROVIDER, "children"))
}

/// Which of these still exist at AWS. One call a kind of child; Kubernetes objects are left out.
pub(crate) async fn standing(_driver: &AwsDriver, _children: &[Child]) -> Result<Vec<Child>> {
    Err(DriverError::unsupported(PROVIDER, "children"))
}

/// Asks AWS to remove one child, by its stored identifier; gone is success. `Conflict` while something holds it.
pub(crate) async fn remove(_driver: &AwsDriver, _child: &Child) -> Result<()> {
    Err(DriverError::unsupported(PROVIDER, "children"))
}
