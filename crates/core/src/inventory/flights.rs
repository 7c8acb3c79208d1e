//! Refreshes that are under way: whoever wants the same waits for the one that flies.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;

use crate::Result;

type Flight = Shared<BoxFuture<'static, Result<()>>>;

/// Refreshes by what they refresh.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, (Timestamp, Flight)>>);

impl Flights {
    /// The refresh under that key which began at `since` or later, else the one that `start` makes now. It goes on
    /// even if nobody waits for it any more.
    pub(super) fn join(
        &self,
        key: String,
        since: Timestamp,
        now: Timestamp,
        start: impl FnOnce() -> BoxFuture<'static, Result<()>>,
    ) -> Flight {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, (_, flight)| flight.peek().is_none());
        if let Some((began, flight)) = flights.get(&key)
            && *began >= since
        {
            return flight.clone();
        }
        let flight = start().shared();
        flights.insert(key, (now, flight.clone()));
        tokio::spawn(flight.clone());
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_readers_make_one_refresh_and_a_later_change_another() {
        let flights = Flights::default();
        let began = Arc::new(AtomicUsize::new(0));
        let (open, gate) = tokio::sync::watch::channel(false);
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let fly = |since| {
            let (began, mut gate) = (Arc::clone(&began), gate.clone());
            flights.join("a".to_owned(), since, now, move || {
                began.fetch_add(1, Ordering::SeqCst);
                async move {
                    let _ = gate.wait_for(|open| *open).await;
                    Ok(())
                }
                .boxed()
            })
        };
        let earlier = now - std::time::Duration::from_secs(1);
        let all = [fly(earlier), fly(earlier), fly(now)];
        assert_eq!(began.load(Ordering::SeqCst), 1);
        let after_a_change = fly(now + std::time::Duration::from_secs(1));
        assert_eq!(began.load(Ordering::SeqCst), 2);
        open.send(true).unwrap();
        for flight in all {
            flight.await.unwrap();
        }
        after_a_change.await.unwrap();
        fly(earlier).await.unwrap();
        assert_eq!(began.load(Ordering::SeqCst), 3);
    }
}
