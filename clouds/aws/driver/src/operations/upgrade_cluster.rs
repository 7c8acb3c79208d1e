//! The plan of `upgrade_cluster`.

use pmks_driver::{DriverError, Prepared, Result, UpgradeCluster};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &UpgradeCluster) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "upgrade_cluster"))
}
