//! Time as a simulated cloud sees it, in two readings that are never mixed: the wall clock, for dates in answers,
//! signatures, tokens and certificates; and work, which says how much of what is pending has been done.
//!
//! Speed changes work alone. Nothing here sleeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the two raw readings come from: the process, or a test's virtual time.
pub trait TimeSource: Send + Sync + std::fmt::Debug {
    /// The date.
    fn wall(&self) -> Timestamp;
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The process's own clocks.
#[derive(Debug)]
pub struct SystemTime {
    began: Instant,
}

impl SystemTime {
    /// Begins counting now.
    pub fn new() -> Self {
        Self { began: Instant::now() }
    }
}

impl Default for SystemTime {
    fn default() -> Self {
        Self::new()
    }
}

impl TimeSource for SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a simulated world reads the process's date"
    )]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Virtual time: it stands still until a test moves it, both readings together.
#[derive(Debug)]
pub struct ManualTime {
    start: Timestamp,
    elapsed: Mutex<Duration>,
}

impl ManualTime {
    /// Virtual time that begins at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { start, elapsed: Mutex::new(Duration::ZERO) }
    }

    /// Moves both readings forward.
    pub fn advance(&self, by: Duration) {
        let mut elapsed = locked(&self.elapsed);
        *elapsed = elapsed.saturating_add(by);
    }
}

impl TimeSource for ManualTime {
    fn wall(&self) -> Timestamp {
        later(self.start, self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *locked(&self.elapsed)
    }
}

/// One moment in both readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The date.
    pub wall: Timestamp,
    /// Work done since the world began.
    pub work: Duration,
}

/// The clock of one simulated cloud.
#[derive(Debug)]
pub struct SimulationClock {
    source: Arc<dyn TimeSource>,
    work: Mutex<Work>,
}

/// Work up to `since` (a monotonic reading); from there on it grows at `speed`.
#[derive(Debug, Clone, Copy)]
struct Work {
    done: Duration,
    since: Duration,
    speed: f64,
}

impl Work {
    fn at(&self, monotonic: Duration) -> Duration {
        let real = monotonic.saturating_sub(self.since);
        let gained = Duration::try_from_secs_f64(real.as_secs_f64() * self.speed).unwrap_or(Duration::MAX);
        self.done.saturating_add(gained)
    }
}

impl SimulationClock {
    /// The greatest accepted speed: a million times the real cloud's.
    pub const MAX_SPEED: f64 = 1_000_000.0;

    /// A clock whose work runs `speed` times as fast as `source`; 0 stands still until [`Self::advance`].
    pub fn new(source: Arc<dyn TimeSource>, speed: f64) -> Self {
        let since = source.monotonic();
        Self { source, work: Mutex::new(Work { done: Duration::ZERO, since, speed: sane(speed) }) }
    }

    /// Both readings of this moment.
    pub fn now(&self) -> Now {
        Now { wall: self.wall(), work: self.now_work() }
    }

    /// The date, for answers and signatures.
    pub fn wall(&self) -> Timestamp {
        self.source.wall()
    }

    /// A reading that never goes back, for what is limited in real time (token buckets).
    pub fn monotonic(&self) -> Duration {
        self.source.monotonic()
    }

    /// Work done since the world began.
    pub fn now_work(&self) -> Duration {
        locked(&self.work).at(self.source.monotonic())
    }

    /// How many times faster than the date work goes.
    pub fn speed(&self) -> f64 {
        locked(&self.work).speed
    }

    /// The speed as a connection's `pace`: a whole number of at least 1, because a world that stands still, or is slower
    /// than real, is waited for as a real one.
    pub fn pace(&self) -> u64 {
        Duration::try_from_secs_f64(self.speed()).map_or(1, |pace| pace.as_secs().max(1))
    }

    /// Changes the speed from now on; what is done stays done.
    pub fn set_speed(&self, speed: f64) {
        let since = self.source.monotonic();
        let mut work = locked(&self.work);
        *work = Work { done: work.at(since), since, speed: sane(speed) };
    }

    /// Does that much work at once, whatever the speed.
    pub fn advance(&self, by: Duration) {
        let mut work = locked(&self.work);
        work.done = work.done.saturating_add(by);
    }

    /// Sets the work done, for a world that is read back from a file.
    pub fn restore(&self, done: Duration) {
        let since = self.source.monotonic();
        let mut work = locked(&self.work);
        *work = Work { done, since, speed: work.speed };
    }

    /// How long, in real time, until work that falls due at `due` is done; `None` while the clock stands still.
    pub fn real_time_until(&self, due: Duration) -> Option<Duration> {
        let missing = due.saturating_sub(self.now_work());
        let speed = self.speed();
        if missing.is_zero() {
            return Some(Duration::ZERO);
        }
        Duration::try_from_secs_f64(missing.as_secs_f64() / speed).ok()
    }
}

/// Refuses what no clock can run at: negative, endless and not a number become 0 or the greatest speed.
fn sane(speed: f64) -> f64 {
    if speed.is_nan() { 0.0 } else { speed.clamp(0.0, SimulationClock::MAX_SPEED) }
}

fn later(start: Timestamp, by: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(by)
        .ok()
        .and_then(|by| start.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// A poisoned clock still tells the time: no writer leaves it half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(speed: f64) -> (Arc<ManualTime>, SimulationClock) {
        let time = Arc::new(ManualTime::new(Timestamp::UNIX_EPOCH));
        (Arc::clone(&time), SimulationClock::new(time, speed))
    }

    #[test]
    fn work_runs_at_the_speed_and_the_date_does_not() {
        let (time, clock) = clock(60.0);
        time.advance(Duration::from_secs(9));
        assert_eq!(clock.now_work(), Duration::from_mins(9));
        assert_eq!(clock.wall().as_second(), 9);
    }

    #[test]
    fn speed_zero_stands_still_until_advanced() {
        let (time, clock) = clock(0.0);
        time.advance(Duration::from_secs(100));
        assert_eq!(clock.now_work(), Duration::ZERO);
        assert_eq!(clock.real_time_until(Duration::from_secs(1)), None);
        clock.advance(Duration::from_secs(30));
        assert_eq!(clock.now_work(), Duration::from_secs(30));
    }

    #[test]
    fn a_changed_speed_keeps_what_is_done() {
        let (time, clock) = clock(10.0);
        time.advance(Duration::from_secs(1));
        clock.set_speed(f64::NAN);
        time.advance(Duration::from_secs(50));
        assert_eq!(clock.now_work(), Duration::from_secs(10));
        clock.set_speed(f64::INFINITY);
        assert!((clock.speed() - SimulationClock::MAX_SPEED).abs() < f64::EPSILON);
    }

    #[test]
    fn the_real_time_until_work_is_due_counts_the_speed() {
        let (_, clock) = clock(4.0);
        assert_eq!(clock.real_time_until(Duration::from_secs(8)), Some(Duration::from_secs(2)));
    }
}
