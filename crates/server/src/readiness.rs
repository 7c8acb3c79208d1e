//! Whether anything can be kept: tried now and then, since whoever asks `/readyz` needs no token.

use std::time::Duration;

use jiff::Timestamp;
use pmks_core::Pmks;
use pmks_model::Failure;
use tokio::sync::Mutex;

/// How long an answer holds: the next one costs a write to the disk.
const HOLDS: Duration = Duration::from_secs(5);

/// What the last try found, and when.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<Tried>>);

/// When it was tried, and what it came to.
type Tried = (Timestamp, Result<(), Box<Failure>>);

impl Readiness {
    /// Whether the store keeps what it is given. All who ask at once wait for one try.
    pub(crate) async fn of(&self, pmks: &Pmks, now: Timestamp) -> Result<(), Box<Failure>> {
        let mut last = self.0.lock().await;
        if let Some((at, found)) = last.as_ref()
            && Duration::try_from(now.duration_since(*at)).is_ok_and(|age| age < HOLDS)
        {
            return found.clone();
        }
        let found = match pmks.ping().await {
            Ok(()) => pmks.ready().await,
            failed => failed,
        };
        *last = Some((now, found.clone()));
        found
    }
}
