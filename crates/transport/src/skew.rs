//! How far this machine's clock is from each host's, by the `Date` of its answers. A signature with a wrong time is
//! refused, so calls are signed with the host's time when the two differ noticeably.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// `Date` has whole seconds and answers take time, so less than this is not a difference.
const NOTICEABLE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Skew {
    ahead: Mutex<HashMap<String, SignedDuration>>,
}

impl Skew {
    /// The host's time when this machine's clock says `wall`.
    pub(crate) fn correct(&self, host: &str, wall: Timestamp) -> Timestamp {
        let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.get(host).and_then(|ahead| wall.checked_add(*ahead).ok()).unwrap_or(wall)
    }

    /// Learns from an answer that said `date` while this machine's clock said `wall`. Answers whether the correction
    /// changed noticeably, so that a call refused for its date may be signed anew.
    pub(crate) fn learn(&self, host: &str, wall: Timestamp, date: Timestamp) -> bool {
        let now = date.duration_since(wall);
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ahead.get(host).copied().unwrap_or_default();
        if now.unsigned_abs() < NOTICEABLE {
            ahead.remove(host);
        } else if now.saturating_sub(before).unsigned_abs() >= NOTICEABLE {
            ahead.insert(host.to_owned(), now);
        }
        now.saturating_sub(before).unsigned_abs() >= NOTICEABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_believed_only_when_it_differs_noticeably() {
        let skew = Skew::default();
        let wall: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        assert!(!skew.learn("a", wall, at("2026-01-01T00:00:20Z")));
        assert_eq!(skew.correct("a", wall), wall);
        assert!(skew.learn("a", wall, at("2026-01-01T01:00:00Z")));
        assert!(!skew.learn("a", wall, at("2026-01-01T01:00:02Z")));
        assert_eq!(skew.correct("a", wall), at("2026-01-01T01:00:00Z"));
        assert_eq!(skew.correct("b", wall), wall);
        assert!(skew.learn("a", wall, at("2025-12-31T23:00:00Z")));
        assert_eq!(skew.correct("a", wall), at("2025-12-31T23:00:00Z"));
        assert!(skew.learn("a", wall, at("2025-12-31T23:59:59Z")));
        assert_eq!(skew.correct("a", wall), wall);
    }
}
