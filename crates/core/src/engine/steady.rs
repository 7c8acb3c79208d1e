//! A wall clock that is never set back by what nobody would notice: what is to be looked at in five seconds is looked at in
//! five seconds, also where the clock was set back by five minutes meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::timing::{LONGEST_WAIT, after};

/// The furthest that was read of the wall clock, and what the monotonic one showed then.
pub(super) struct Steady(Mutex<(Timestamp, Duration)>);

impl Steady {
    /// Both clocks as they are.
    pub(super) fn at(both: (Timestamp, Duration)) -> Self {
        Self(Mutex::new(both))
    }

    /// The wall clock, or what it would show if nobody had set it back. By more than [`LONGEST_WAIT`] it may have been
    /// set right: what was written before is due then in any case.
    pub(super) fn read(&self, wall: Timestamp, monotonic: Duration) -> Timestamp {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = monotonic.saturating_sub(last.1);
        let unset = last.0.saturating_add(gone).unwrap_or(Timestamp::MAX);
        let now = if unset > wall && unset <= after(wall, LONGEST_WAIT) { unset } else { wall };
        *last = (now, monotonic);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn goes_on_where_the_wall_clock_is_set_back_by_minutes() {
        let steady = Steady::at((start(), SECOND));
        let back = start().saturating_sub(LONGEST_WAIT / 2).unwrap();
        assert_eq!(steady.read(back, SECOND * 3), start().saturating_add(SECOND * 2).unwrap());
        assert_eq!(steady.read(back, SECOND * 4), start().saturating_add(SECOND * 3).unwrap());
    }

    #[test]
    fn follows_the_wall_clock_forward_and_far_back() {
        let steady = Steady::at((start(), SECOND));
        for hours in [5, -7, 2] {
            let set = start().saturating_add(jiff::SignedDuration::from_hours(hours)).unwrap();
            assert_eq!(steady.read(set, SECOND), set);
        }
    }
}
