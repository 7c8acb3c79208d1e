//! What every provider says alike of versions that are asked for.

use pmks_model::{Findings, Version, VersionRequest};

use crate::{DriverError, Result};

/// Refuses a version that was named and is lower than the present one: no provider lowers one, and to succeed without
/// doing it would leave the user in the belief that it was done. The cloud's default is never a downgrade: where it
/// is lower, there is nothing to do.
///
/// # Errors
/// `InvalidRequest` on the field `version`; `what` says of what it is, such as `cluster "prod"`.
pub fn refuse_downgrade(
    provider: &'static str,
    asked: &VersionRequest,
    present: &Version,
    what: &str,
) -> Result<()> {
    match asked {
        VersionRequest::Given(version) if version.is_below(present) => {
            let mut findings = Findings::default();
            let says =
                format!("{version} is too low: {what} is at {present}, and versions are never lowered");
            findings.add("version", says);
            Err(DriverError::invalid(provider, findings))
        }
        VersionRequest::Given(_) | VersionRequest::Default => Ok(()),
    }
}
