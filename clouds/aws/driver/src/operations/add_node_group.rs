//! The plan of `add_node_group`.

use pmks_driver::{AddNodeGroup, DriverError, Prepared, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &AddNodeGroup) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "add_node_group"))
}
