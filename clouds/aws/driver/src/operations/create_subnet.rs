//! The plan of `create_subnet`.

use pmks_driver::{CreateSubnet, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &CreateSubnet) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "create_subnet"))
}
