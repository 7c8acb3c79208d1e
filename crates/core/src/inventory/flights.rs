//! Refreshes that are under way: whoever wants the same waits for the one that flies.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;

use crate::Result;

type Flight = Shared<BoxFuture<'static, Result<()>>>;

/// How long a refresh that is over is remembered: longer than any reader takes from reading a record to asking.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Refreshes by what they refresh.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, (Timestamp, Flight)>>);

/// When the times of a reader lie.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// When what it reads last changed: a refresh that began before shows what was.
    pub(super) since: Timestamp,
    /// When it began to read: a refresh that began later, and may be over, answers it too.
    pub(super) began: Timestamp,
    /// The time now.
    pub(super) now: Timestamp,
}

impl Flights {
    /// A refresh under that key that answers the reader, else the one that `start` makes now. It goes on even if
    /// nobody waits for it any more.
    pub(super) fn join(
        &self,
        key: String,
        reader: Reader,
        start: impl FnOnce() -> BoxFuture<'static, Result<()>>,
    ) -> Flight {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = reader.now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        flights.retain(|_, (began, flight)| flight.peek().is_none() || *began > forgotten);
        if let Some((began, flight)) = flights.get(&key) {
            let answers =
                if flight.peek().is_none() { *began >= reader.since } else { *began >= reader.began };
            if answers {
                return flight.clone();
            }
        }
        let flight = start().shared();
        flights.insert(key, (reader.now, flight.clone()));
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
        let second = std::time::Duration::from_secs(1);
        let fly = |since: Timestamp, now: Timestamp| {
            let (began, mut gate) = (Arc::clone(&began), gate.clone());
            flights.join("a".to_owned(), Reader { since, began: now, now }, move || {
                began.fetch_add(1, Ordering::SeqCst);
                async move {
                    let _ = gate.wait_for(|open| *open).await;
                    Ok(())
                }
                .boxed()
            })
        };
        let all = [fly(now - second, now), fly(now - second, now + second), fly(now, now + second)];
        assert_eq!(began.load(Ordering::SeqCst), 1);
        let after_a_change = fly(now + second, now + second);
        assert_eq!(began.load(Ordering::SeqCst), 2);
        open.send(true).unwrap();
        for flight in all {
            flight.await.unwrap();
        }
        after_a_change.await.unwrap();
        // Whoever began to read before the last one began is answered by it, though it is over.
        fly(now, now + second).await.unwrap();
        assert_eq!(began.load(Ordering::SeqCst), 2);
        fly(now, now + second * 2).await.unwrap();
        assert_eq!(began.load(Ordering::SeqCst), 3);
    }
}
