//! The plan of `remove_node_group`.

use pmks_driver::{DriverError, Prepared, RemoveNodeGroup, Result};

use super::Maker;
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[];

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(_driver: &AwsDriver, _asked: &RemoveNodeGroup) -> Result<Prepared> {
    Err(DriverError::unsupported(PROVIDER, "remove_node_group"))
}
