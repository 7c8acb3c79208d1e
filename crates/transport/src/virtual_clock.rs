//! A clock that stands still until it is told otherwise: for tests, and for rehearsals on simulated clouds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::Clock;

/// A clock for tests and rehearsals: it moves only by [`VirtualClock::advance`] and [`VirtualClock::set_wall`].
///
/// Clones share the time. [`Clock::sleep`] is virtual; [`Clock::deadline`] passes in real time, because it bounds
/// waiting for a real peer: moving the clock while a call is under way does not time that call out.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: Timestamp,
    monotonic: Duration,
    sleepers: Vec<Sleeper>,
}

#[derive(Debug)]
struct Sleeper {
    at: Duration,
    wake: oneshot::Sender<()>,
}

impl VirtualClock {
    /// A clock whose wall time is `wall` and whose monotonic time is one hour (so that tests can look back).
    pub fn new(wall: Timestamp) -> Self {
        let state = State { wall, monotonic: Duration::from_hours(1), sleepers: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Moves wall and monotonic time forward and wakes every sleeper whose time has come.
    pub fn advance(&self, duration: Duration) {
        let due = {
            let mut state = self.lock();
            state.monotonic = state.monotonic.saturating_add(duration);
            state.wall = state.wall.saturating_add(duration).unwrap_or(Timestamp::MAX);
            let now = state.monotonic;
            let (due, later): (Vec<_>, Vec<_>) =
                state.sleepers.drain(..).partition(|sleeper| sleeper.at <= now);
            state.sleepers = later;
            due
        };
        for sleeper in due {
            // A sleeper that was dropped meanwhile has nobody to wake.
            let _ = sleeper.wake.send(());
        }
    }

    /// Sets the wall time alone, forwards or backwards, as an administrator or NTP would. Nobody wakes.
    pub fn set_wall(&self, wall: Timestamp) {
        self.lock().wall = wall;
    }

    /// How long until the earliest sleeper wakes; `None` when nobody sleeps.
    pub fn next_wake(&self) -> Option<Duration> {
        let mut state = self.lock();
        state.sleepers.retain(|sleeper| !sleeper.wake.is_closed());
        let now = state.monotonic;
        state.sleepers.iter().map(|sleeper| sleeper.at.saturating_sub(now)).min()
    }

    /// Runs `future` to its end, moving the clock to the next sleeper whenever nothing else happens for
    /// `patience` of real time (long enough for a loopback peer to answer; some milliseconds).
    pub async fn run<F: Future>(&self, patience: Duration, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        loop {
            match tokio::time::timeout(patience, &mut future).await {
                Ok(output) => return output,
                Err(_) => {
                    if let Some(wait) = self.next_wake() {
                        self.advance(wait);
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn wall(&self) -> Timestamp {
        self.lock().wall
    }

    fn monotonic(&self) -> Duration {
        self.lock().monotonic
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if duration.is_zero() {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        let mut state = self.lock();
        let at = state.monotonic.saturating_add(duration);
        state.sleepers.push(Sleeper { at, wake });
        drop(state);
        let keep = self.clone();
        Box::pin(async move {
            // The sender lives in the state that `keep` holds, so this ends only by waking.
            let _ = woken.await;
            drop(keep);
        })
    }

    fn deadline(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> VirtualClock {
        VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_come_and_not_before() {
        let clock = clock();
        let mut early = clock.sleep(Duration::from_secs(1));
        let mut late = clock.sleep(Duration::from_secs(5));
        assert_eq!(clock.next_wake(), Some(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(2));
        assert!(futures::poll!(&mut early).is_ready());
        assert!(futures::poll!(&mut late).is_pending());
        assert_eq!(clock.next_wake(), Some(Duration::from_secs(3)));
        drop(late);
        assert_eq!(clock.next_wake(), None);
        assert_eq!(clock.wall(), "2026-01-01T00:00:02Z".parse().unwrap());
    }

    #[tokio::test]
    async fn run_moves_the_clock_over_every_sleep() {
        let clock = clock();
        let slept = clock.clone();
        clock
            .run(Duration::from_millis(1), async move {
                slept.sleep(Duration::from_hours(9)).await;
                slept.sleep(Duration::from_hours(1)).await;
            })
            .await;
        assert_eq!(clock.wall(), "2026-01-01T10:00:00Z".parse().unwrap());
    }

    #[test]
    fn setting_the_wall_leaves_the_monotonic_time_alone() {
        let clock = clock();
        let before = clock.monotonic();
        clock.set_wall("2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.monotonic(), before);
    }
}
