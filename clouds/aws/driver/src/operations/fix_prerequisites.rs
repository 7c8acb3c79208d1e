//! The plan of `fix_prerequisites`.

use pmks_driver::{DriverError, FixPrerequisites, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &FixPrerequisites) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "fix_prerequisites"))
}
