//! Time, passed in. `SystemClock` is the only place of the program that reads the operating system's clocks.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// The clocks of the program: wall for stored times and signatures, monotonic for waits and leases.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time of day as this machine believes it to be.
    fn wall(&self) -> Timestamp;

    /// Time passed since an arbitrary start, including the time during which the machine slept.
    fn monotonic(&self) -> Duration;

    /// Waits until `duration` has passed on this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Bounds a wait for a real peer (an answer, a connection). Same as [`Clock::sleep`], but for a clock that is not
    /// real: a peer answers in real time whatever the tests' clock says.
    fn deadline(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Timers of the runtime stand still while the machine is suspended, so a long sleep is taken in slices and what is
/// left is read from the clock that does not.
const SLICE: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        since_boot()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let start = since_boot();
            loop {
                let left = duration.saturating_sub(since_boot().saturating_sub(start));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(SLICE)).await;
            }
        })
    }
}

fn since_boot() -> Duration {
    // On Linux the monotonic clock stops during suspend and the boot-time clock does not; on macOS the monotonic
    // clock already counts it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let id = rustix::time::ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let id = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(id);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_clock_goes_forward_and_sleeps_as_long_as_asked() {
        let clock = SystemClock;
        let before = clock.monotonic();
        clock.sleep(Duration::from_millis(20)).await;
        assert!(clock.monotonic().saturating_sub(before) >= Duration::from_millis(20));
        assert!(clock.wall() > "2020-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
    }
}
