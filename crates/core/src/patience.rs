//! How long a request for a change, its plan or an import waits for a cloud before it is answered. The two bounds
//! together lie well below the time that a server gives a request, so that who asks is always told whether the change
//! was taken on.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use pmks_model::{Failure, FailureKind};
use pmks_transport::Clock;

use crate::Result;

/// How long the cloud is waited for where the operation finds out by itself what it would have said later.
const USEFUL: Duration = Duration::from_secs(10);
/// How long it is waited for in all. What a request cannot do without must be known by then: whom the credential acts
/// for, what it names and no record tells of.
const NEEDED: Duration = Duration::from_secs(20);
/// When who was refused may come again, in seconds: by then a request budget has room for some.
const COME_AGAIN: u64 = 10;

/// What is waited for: whose account it is.
pub(crate) const ACTS_FOR: &str = "whom the credential acts for";
/// What is waited for: what the request names and no record tells of.
pub(crate) const NAMED: &str = "what it has of what the request names";

/// One request's patience with its cloud, from when it came. What is waited for is boxed: whoever awaits this is large
/// enough.
pub(crate) struct Patience {
    clock: Arc<dyn Clock>,
    ends: Shared<BoxFuture<'static, ()>>,
}

impl Patience {
    /// A request has come.
    pub(crate) fn begins(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), ends: clock.deadline(NEEDED).shared() }
    }

    /// What the request cannot do without; `what` names it where it does not come.
    ///
    /// # Errors
    /// Its own; `Unavailable` once patience has ended.
    pub(crate) async fn needed<T>(
        &self,
        connection: &str,
        what: &str,
        asked: BoxFuture<'_, Result<T>>,
    ) -> Result<T> {
        let waited = NEEDED.as_secs();
        let says = || format!("connection {connection:?}: the cloud has not said within {waited} s {what}");
        self.within(asked, says).await
    }

    /// The same of what is done here, for one request after the other.
    ///
    /// # Errors
    /// As [`Self::needed`].
    pub(crate) async fn turn<T>(&self, what: &str, done: BoxFuture<'_, Result<T>>) -> Result<T> {
        let waited = NEEDED.as_secs();
        self.within(done, || format!("within {waited} s {what}")).await
    }

    async fn within<T>(&self, asked: BoxFuture<'_, Result<T>>, says: impl Fn() -> String) -> Result<T> {
        tokio::select! {
            biased;
            answered = asked => answered,
            () = self.ends.clone() => Err(not_in_time(&says())),
        }
    }

    /// What is good to know; `None` if it is not said in some seconds.
    pub(crate) async fn useful<T>(&self, asked: BoxFuture<'_, T>) -> Option<T> {
        tokio::select! {
            biased;
            answered = asked => Some(answered),
            () = self.clock.deadline(USEFUL) => None,
            () = self.ends.clone() => None,
        }
    }
}

fn not_in_time(says: &str) -> Box<Failure> {
    let says = format!("{says}; nothing was taken on, and nothing changed");
    let failure = Failure::new(FailureKind::Unavailable, says)
        .with_fix("ask again a little later, with fewer requests at once if there were many");
    Box::new(Failure { retry_after_seconds: Some(COME_AGAIN), ..failure })
}

#[cfg(test)]
mod tests {
    use pmks_transport::VirtualClock;

    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_turn_is_told_when_it_does_not_come() {
        let clock = Arc::new(VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
        let ended = Patience { clock, ends: std::future::ready(()).boxed().shared() };
        assert_eq!(ended.turn("it", std::future::ready(Ok(1)).boxed()).await.unwrap(), 1);
        let late = ended.turn::<()>("its turn did not come", std::future::pending().boxed());
        let failure = late.await.unwrap_err();
        assert_eq!((failure.kind, failure.retry_after_seconds), (FailureKind::Unavailable, Some(COME_AGAIN)));
        assert!(failure.detail.starts_with("within 20 s its turn did not come; nothing was"), "{failure:?}");
    }
}
