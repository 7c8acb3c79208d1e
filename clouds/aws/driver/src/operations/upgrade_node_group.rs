//! The plan of `upgrade_node_group`.

use pmks_driver::{DriverError, Prepared, Result, UpgradeNodeGroup};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &UpgradeNodeGroup) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "upgrade_node_group"))
}
