//! A bound around every call of a driver: one that never answers must not hold its operation for ever.

use std::time::Duration;

use pmks_driver::{Capabilities, DriverError, ErrorKind, Result};
use pmks_transport::Clock;

/// The call's answer, or `Ambiguous` after that time: the transport should have given up long before.
pub(super) async fn bounded<T>(
    clock: &dyn Clock,
    limit: Duration,
    capabilities: &Capabilities,
    call: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    tokio::select! {
        answer = call => answer,
        () = clock.deadline(limit) => Err(DriverError::new(
            ErrorKind::Ambiguous,
            capabilities.provider,
            format!("no answer within {} s", limit.as_secs()),
        )),
    }
}
