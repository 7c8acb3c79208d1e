//! The plan of `create_network`.

use pmks_driver::{CreateNetwork, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &CreateNetwork) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "create_network"))
}
