//! Whether what is stored is new enough, or the cloud has to be asked. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// An observation older than this is refreshed behind the reader's back.
const USUAL: Duration = Duration::from_mins(5);
/// The same while an operation runs there.
const WHILE_BUSY: Duration = Duration::from_secs(30);

/// What a read has to do before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: what is stored is new enough.
    Nothing,
    /// Answer what is stored, and start a refresh.
    Later,
    /// Ask the cloud first.
    Now,
}

/// What a read of something observed at that time has to do.
pub(crate) fn need(
    observed_at: Option<Timestamp>,
    now: Timestamp,
    busy: bool,
    max_age: Option<Duration>,
) -> Need {
    let age = observed_at.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    let older_than = |limit: Duration| age.is_none_or(|age| age > limit);
    match max_age {
        Some(limit) if limit.is_zero() || older_than(limit) => Need::Now,
        _ if older_than(if busy { WHILE_BUSY } else { USUAL }) => Need::Later,
        _ => Need::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_as_seldom_as_allowed() {
        let now: Timestamp = "2026-01-01T01:00:00Z".parse().unwrap();
        let ago = |seconds| Some(now - Duration::from_secs(seconds));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (observed_at, busy, max_age, expected) in [
            (ago(299), false, None, Need::Nothing),
            (ago(301), false, None, Need::Later),
            (ago(29), true, None, Need::Nothing),
            (ago(31), true, None, Need::Later),
            (ago(0), false, seconds(0), Need::Now),
            (ago(10), false, seconds(9), Need::Now),
            (ago(10), false, seconds(11), Need::Nothing),
            (None, false, None, Need::Later),
            (None, false, seconds(60), Need::Now),
            // A clock that was set back: the observation seems to come from the future.
            (Some(now + Duration::from_mins(1)), false, seconds(9), Need::Nothing),
        ] {
            assert_eq!(need(observed_at, now, busy, max_age), expected, "{observed_at:?} {busy} {max_age:?}");
        }
    }
}
