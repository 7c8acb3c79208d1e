//! The roles that clusters and nodes act as: found, checked, never made here.

use pmks_driver::{DriverError, Prerequisite, Result};

use crate::{AwsDriver, PROVIDER};

/// What must exist in the account first.
pub(crate) async fn of_account(_driver: &AwsDriver) -> Result<Vec<Prerequisite>> {
    Err(DriverError::unsupported(PROVIDER, "prerequisites"))
}

/// The ARN of the role that clusters act as; `PrerequisiteMissing` naming every candidate and what it lacks.
pub(crate) async fn cluster_role(_driver: &AwsDriver) -> Result<String> {
    Err(DriverError::unsupported(PROVIDER, "prerequisites"))
}

/// The ARN of the role that nodes act as; `PrerequisiteMissing` naming every candidate and what it lacks.
pub(crate) async fn node_group_role(_driver: &AwsDriver) -> Result<String> {
    Err(DriverError::unsupported(PROVIDER, "prerequisites"))
}
