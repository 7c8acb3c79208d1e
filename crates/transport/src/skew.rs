//! How far this machine's clock is from each host's, by the `Date` of its answers. A signature with a wrong time is
//! refused, so calls are signed with the host's time when the two differ noticeably.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// `Date` has whole seconds and answers take time, so less than this is not a difference.
const NOTICEABLE: Duration = Duration::from_secs(30);

/// By host, what its clock showed when the monotonic one stood at zero: this machine's clock may be set meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    began: Mutex<HashMap<String, Timestamp>>,
}

impl Skew {
    /// The host's time when this machine's clocks say `wall` and `monotonic`.
    pub(crate) fn correct(&self, host: &str, (wall, monotonic): (Timestamp, Duration)) -> Timestamp {
        let began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let there = began.get(host).and_then(|began| began.checked_add(monotonic).ok());
        there.filter(|there| is_noticeable(*there, wall)).unwrap_or(wall)
    }

    /// Learns from an answer that said `date` while this machine's clocks said `wall` and `monotonic`.
    pub(crate) fn learn(&self, host: &str, (wall, monotonic): (Timestamp, Duration), date: Timestamp) {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(now) = date.checked_sub(monotonic) else { return };
        if !is_noticeable(date, wall) {
            began.remove(host);
        } else if began.get(host).is_none_or(|before| is_noticeable(*before, now)) {
            began.insert(host.to_owned(), now);
        }
    }
}

fn is_noticeable(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).unsigned_abs() >= NOTICEABLE
}

/// Whether what was signed at that time and answered so much later was signed at a wrong one, by the answer's date: a
/// refusal may then end with another signature. What others have learned meanwhile does not matter.
pub(crate) fn was_off(signed_at: Timestamp, duration: Duration, date: Timestamp) -> bool {
    let since =
        |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
    since(date, signed_at) >= NOTICEABLE || since(signed_at, date) >= NOTICEABLE.saturating_add(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_off_where_the_answer_has_another_date() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (signed, minute) = (at("2026-01-01T00:00:00Z"), Duration::from_mins(1));
        assert!(!was_off(signed, Duration::ZERO, at("2026-01-01T00:00:20Z")));
        assert!(!was_off(signed, Duration::ZERO, at("2025-12-31T23:59:40Z")));
        assert!(was_off(signed, Duration::ZERO, at("2026-01-01T00:00:40Z")));
        assert!(!was_off(signed, minute, at("2026-01-01T00:00:40Z")), "the answer took its time");
        assert!(was_off(signed, minute, at("2025-12-31T23:59:00Z")));
    }

    #[test]
    fn a_host_is_believed_only_when_it_differs_noticeably() {
        let skew = Skew::default();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let here = (at("2026-01-01T00:00:00Z"), Duration::from_hours(1));
        let (wall, _) = here;
        skew.learn("a", here, at("2026-01-01T00:00:20Z"));
        assert_eq!(skew.correct("a", here), wall);
        skew.learn("a", here, at("2026-01-01T01:00:00Z"));
        skew.learn("a", here, at("2026-01-01T01:00:02Z"));
        assert_eq!(skew.correct("a", here), at("2026-01-01T01:00:00Z"));
        assert_eq!(skew.correct("b", here), wall);
        skew.learn("a", here, at("2025-12-31T23:00:00Z"));
        assert_eq!(skew.correct("a", here), at("2025-12-31T23:00:00Z"));
        skew.learn("a", here, at("2025-12-31T23:59:59Z"));
        assert_eq!(skew.correct("a", here), wall);
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_of_what_a_host_has_said() {
        let skew = Skew::default();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let minute = Duration::from_mins(1);
        skew.learn("a", (at("2027-01-01T00:00:00Z"), minute), at("2026-01-01T00:00:00Z"));
        // Set right, and a minute later: what it was corrected by before would be a year too much.
        let right = at("2026-01-01T00:01:02Z");
        assert_eq!(skew.correct("a", (right, minute * 2)), right);
        let wrong = at("2024-01-01T00:00:00Z");
        assert_eq!(skew.correct("a", (wrong, minute * 2)), at("2026-01-01T00:01:00Z"));
    }
}
