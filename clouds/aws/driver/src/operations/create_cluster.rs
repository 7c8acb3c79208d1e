//! The plan of `create_cluster`.

use pmks_driver::{CreateCluster, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &CreateCluster) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "create_cluster"))
}
