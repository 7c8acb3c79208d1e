//! How far this machine's clock is from each host's, by the `Date` of its answers. A signature with a wrong time is
//! refused, so calls are signed with the host's time when the two differ noticeably.
//!
//! A refusal's date is believed at once: the refusal may be for it. One answer that says another time and none the less
//! took what was signed may be wrong itself, as a cache's is: two that agree are believed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// `Date` has whole seconds and answers take time, so less than this is not a difference.
const NOTICEABLE: Duration = Duration::from_secs(30);

/// By host, what its clock showed when the monotonic one stood at zero: this machine's clock may be set meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    began: Mutex<HashMap<String, Told>>,
}

/// What a host has told.
#[derive(Debug, Default)]
struct Told {
    believed: Option<Timestamp>,
    /// What one answer said that is not believed yet.
    heard: Option<Timestamp>,
}

/// An answer with a date.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dated {
    pub(crate) date: Timestamp,
    /// Whether it refuses what was signed.
    pub(crate) refuses: bool,
}

impl Skew {
    /// The host's time when this machine's clocks say `wall` and `monotonic`.
    pub(crate) fn correct(&self, host: &str, (wall, monotonic): (Timestamp, Duration)) -> Timestamp {
        let began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let there = began.get(host).and_then(|told| told.believed?.checked_add(monotonic).ok());
        there.filter(|there| is_noticeable(*there, wall)).unwrap_or(wall)
    }

    /// Learns from an answer that came while this machine's clocks said `wall` and `monotonic`.
    pub(crate) fn learn(&self, host: &str, (wall, monotonic): (Timestamp, Duration), answer: Dated) {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(now) = answer.date.checked_sub(monotonic) else { return };
        if !is_noticeable(answer.date, wall) {
            began.remove(host);
            return;
        }
        let told = began.entry(host.to_owned()).or_default();
        if told.believed.is_some_and(|before| !is_noticeable(before, now)) {
            told.heard = None;
        } else if answer.refuses || told.heard.is_some_and(|before| !is_noticeable(before, now)) {
            *told = Told { believed: Some(now), heard: None };
        } else {
            told.heard = Some(now);
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

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn refusal(date: &str) -> Dated {
        Dated { date: at(date), refuses: true }
    }

    #[test]
    fn one_good_answer_with_another_date_is_not_believed_and_two_that_agree_are() {
        let skew = Skew::default();
        let wall = at("2026-01-01T00:00:00Z");
        let here = (wall, Duration::from_hours(1));
        let good = |date: &str| Dated { date: at(date), refuses: false };
        skew.learn("a", here, good("1990-01-01T00:00:00Z"));
        assert_eq!(skew.correct("a", here), wall);
        skew.learn("a", here, good("1995-01-01T00:00:00Z"));
        assert_eq!(skew.correct("a", here), wall);
        skew.learn("a", here, good("1995-01-01T00:00:03Z"));
        assert_eq!(skew.correct("a", here), at("1995-01-01T00:00:03Z"));
        skew.learn("a", here, good("1990-01-01T00:00:00Z"));
        assert_eq!(skew.correct("a", here), at("1995-01-01T00:00:03Z"));
        skew.learn("a", here, refusal("2025-12-31T00:00:00Z"));
        assert_eq!(skew.correct("a", here), at("2025-12-31T00:00:00Z"));
        skew.learn("a", here, good("2026-01-01T00:00:02Z"));
        assert_eq!(skew.correct("a", here), wall);
    }

    #[test]
    fn a_host_is_believed_only_when_it_differs_noticeably() {
        let skew = Skew::default();
        let here = (at("2026-01-01T00:00:00Z"), Duration::from_hours(1));
        let (wall, _) = here;
        skew.learn("a", here, refusal("2026-01-01T00:00:20Z"));
        assert_eq!(skew.correct("a", here), wall);
        skew.learn("a", here, refusal("2026-01-01T01:00:00Z"));
        skew.learn("a", here, refusal("2026-01-01T01:00:02Z"));
        assert_eq!(skew.correct("a", here), at("2026-01-01T01:00:00Z"));
        assert_eq!(skew.correct("b", here), wall);
        skew.learn("a", here, refusal("2025-12-31T23:00:00Z"));
        assert_eq!(skew.correct("a", here), at("2025-12-31T23:00:00Z"));
        skew.learn("a", here, refusal("2025-12-31T23:59:59Z"));
        assert_eq!(skew.correct("a", here), wall);
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_of_what_a_host_has_said() {
        let skew = Skew::default();
        let minute = Duration::from_mins(1);
        skew.learn("a", (at("2027-01-01T00:00:00Z"), minute), refusal("2026-01-01T00:00:00Z"));
        // Set right, and a minute later: what it was corrected by before would be a year too much.
        let right = at("2026-01-01T00:01:02Z");
        assert_eq!(skew.correct("a", (right, minute * 2)), right);
        let wrong = at("2024-01-01T00:00:00Z");
        assert_eq!(skew.correct("a", (wrong, minute * 2)), at("2026-01-01T00:01:00Z"));
    }
}
