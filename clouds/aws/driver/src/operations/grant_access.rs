//! The plan of `grant_access`.

use pmks_driver::{ClusterTarget, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &ClusterTarget) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "grant_access"))
}
