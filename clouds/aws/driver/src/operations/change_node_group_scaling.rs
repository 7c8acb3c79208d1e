//! The plan of `change_node_group_scaling`.

use pmks_driver::{ChangeNodeGroupScaling, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "change_node_group_scaling"))
}
