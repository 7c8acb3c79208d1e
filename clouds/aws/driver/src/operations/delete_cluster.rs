//! The plan of `delete_cluster`.

use pmks_driver::{DeleteCluster, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &DeleteCluster) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "delete_cluster"))
}
