//! When to look again, and when it has lasted too long. Pure.

use std::time::Duration;

use jiff::Timestamp;
use pmks_transport::Limits;

/// Nothing waits longer than this: a time beyond it was written by a clock that stood wrong.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// For how long a claim lasts that nobody renews: longer than anything lasts between two writes, and less than
/// [`LONGEST_WAIT`].
pub(super) const LEASE: Duration = Duration::from_mins(9);

/// How long a cloud may be busy with something else.
const LONGEST_BUSY: Duration = Duration::from_hours(6);

/// However fast a cloud works, requests take their time.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
const SHORTEST_DEADLINE: Duration = Duration::from_mins(1);

/// How fast a cloud works, and where the jitter comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// How many times faster than the real cloud this one works.
    pub(super) pace: u32,
    /// What differs from operation to operation and is the same in every run of a test.
    pub(super) seed: u64,
}

impl Timing {
    /// How long after it was sent a request may still reach the cloud.
    pub(super) fn request_limit(self) -> Duration {
        Limits::default().at_pace(self.pace).total
    }

    /// A duration of the real cloud, at this cloud's pace.
    pub(super) fn paced(self, duration: Duration) -> Duration {
        duration / self.pace.max(1)
    }

    /// How long a stage may take.
    pub(super) fn deadline(self, seconds: u64) -> Duration {
        self.paced(Duration::from_secs(seconds)).max(SHORTEST_DEADLINE)
    }

    /// How long a cloud may be busy with something else.
    pub(super) fn longest_busy(self) -> Duration {
        self.paced(LONGEST_BUSY).max(SHORTEST_DEADLINE)
    }

    /// When to look at something that usually takes `expected` and began `elapsed` ago: seldom at first, closely when
    /// it should be done, seldom again when it is late. Where one list answers many who wait, closer: it costs none of
    /// them a call.
    pub(super) fn poll(self, expected: Duration, elapsed: Duration, is_shared: bool) -> Duration {
        let expected = self.paced(expected);
        let nearly = expected.mul_f64(0.8);
        let wait = if elapsed < nearly {
            (expected / 8).min(nearly.saturating_sub(elapsed))
        } else if elapsed < expected * 2 {
            expected / if is_shared { 60 } else { 20 }
        } else {
            (expected / 8).max(elapsed.saturating_sub(expected * 2) / 16)
        };
        let shortest = self.paced(Duration::from_secs(2));
        let longest = self.paced(Duration::from_mins(1));
        self.jitter(wait.clamp(shortest, longest), elapsed)
    }

    /// When to try again what could not be answered, after so many tries.
    pub(super) fn backoff(self, tries: u32) -> Duration {
        let wait = Duration::from_secs(1) * 2_u32.pow(tries.min(6));
        self.jitter(self.paced(wait.min(Duration::from_mins(1))), Duration::from_secs(tries.into()))
    }

    /// When to ask a busy cloud again, after so many refusals.
    pub(super) fn busy(self, refusals: u32) -> Duration {
        let wait = Duration::from_secs(10) * 2_u32.pow(refusals.min(3));
        self.jitter(self.paced(wait.min(Duration::from_mins(1))), Duration::from_secs(refusals.into()))
    }

    /// Up to a tenth more or less, so that what began together does not come together for ever.
    fn jitter(self, wait: Duration, salt: Duration) -> Duration {
        let roll = splitmix(self.seed ^ u64::try_from(salt.as_millis()).unwrap_or(u64::MAX)) % 2001;
        let factor = 0.9 + f64::from(u32::try_from(roll).unwrap_or(0)) / 10_000.0;
        wait.mul_f64(factor).clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }
}

/// `SplitMix64`'s finalizer: every bit of the input moves every bit of the output.
fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// That long after `now`, in whole milliseconds as the store keeps them, never earlier.
pub(super) fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = i64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(now.as_millisecond().saturating_add(1).saturating_add(wait))
        .unwrap_or(Timestamp::MAX)
}

/// How long ago; zero for what lies ahead, as after a clock was set back.
pub(super) fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// Whether the time has come, or is so far away that only a wrong clock can have set it.
pub(super) fn is_due(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at > after(now, LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { pace: 1, seed: 7 };

    #[test]
    fn polls_closely_only_when_it_should_be_done() {
        let expected = Duration::from_mins(9);
        let early = TIMING.poll(expected, Duration::ZERO, false);
        let near = TIMING.poll(expected, Duration::from_mins(8), false);
        let late = TIMING.poll(expected, Duration::from_mins(30), false);
        assert!(early > near && late > near, "{early:?} {near:?} {late:?}");
        assert!(near >= Duration::from_secs(24) && near <= Duration::from_secs(30), "{near:?}");
        let shared = TIMING.poll(expected, Duration::from_mins(8), true);
        assert!(shared >= Duration::from_secs(8) && shared <= Duration::from_secs(10), "{shared:?}");
        // What should have taken a moment is not asked for ten minutes every two seconds.
        let moment = Duration::from_secs(1);
        assert!(TIMING.poll(moment, Duration::from_secs(10), false) < Duration::from_secs(3));
        assert!(TIMING.poll(moment, Duration::from_mins(10), false) > Duration::from_secs(30));
    }

    #[test]
    fn pace_divides_waits_but_leaves_requests_their_time() {
        let fast = Timing { pace: 1000, seed: 7 };
        assert_eq!(fast.request_limit(), Duration::from_secs(1));
        assert_eq!(fast.deadline(900), SHORTEST_DEADLINE);
        assert_eq!(fast.poll(Duration::from_secs(5), Duration::ZERO, false), SHORTEST_WAIT);
    }

    #[test]
    fn times_are_whole_milliseconds_and_never_early() {
        let now = Timestamp::from_nanosecond(1_500_000_000_123_456_789).unwrap();
        let due = after(now, Duration::from_nanos(1));
        assert!(due > now);
        assert_eq!(due.subsec_nanosecond() % 1_000_000, 0);
    }

    #[test]
    fn a_time_too_far_away_is_due() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(is_due(now, now));
        assert!(!is_due(after(now, Duration::from_mins(9)), now));
        assert!(is_due(after(now, Duration::from_hours(1)), now));
    }

    #[test]
    fn backoff_rises_and_stays_within_a_minute() {
        let waits: Vec<Duration> = (0..12).map(|tries| TIMING.backoff(tries)).collect();
        assert!(waits[0] < waits[3] && waits[3] < waits[6]);
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(66)));
    }
}
