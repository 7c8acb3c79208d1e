//! The plan of `update_cluster`.

use pmks_driver::{DriverError, Prepared, Result, UpdateCluster};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &UpdateCluster) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "update_cluster"))
}
