//! The `Date` of answers, written once a second. Left to itself, hyper repeats the date that it wrote last until the clock
//! has passed it: after a clock was set back, for as long as it had stood ahead.

use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// The date that was written last, and the second that it is of.
#[derive(Default)]
pub(crate) struct Date(Mutex<Option<(i64, HeaderValue)>>);

impl Date {
    /// What a clock shows that stands there, whatever it showed before.
    pub(crate) fn shown(&self, now: Timestamp) -> Option<HeaderValue> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((second, date)) = &*last
            && *second == now.as_second()
        {
            return Some(date.clone());
        }
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok()?;
        let date = HeaderValue::from_maybe_shared(bytes::Bytes::from(date)).ok()?;
        *last = Some((now.as_second(), date.clone()));
        Some(date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_the_clock_does_forth_and_back() {
        let date = Date::default();
        for (now, says) in [
            ("2026-01-01T00:00:00.9Z", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("2026-01-01T00:00:01Z", "Thu, 01 Jan 2026 00:00:01 GMT"),
            ("2026-01-01T00:00:00Z", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ] {
            assert_eq!(date.shown(now.parse().unwrap()).unwrap(), says, "{now}");
        }
    }
}
