//! The plan of `delete_resource`.

use pmks_driver::{DeleteResource, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &DeleteResource) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "delete_resource"))
}
