//! The plan of `create_security_group`.

use pmks_driver::{CreateSecurityGroup, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &CreateSecurityGroup) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "create_security_group"))
}
