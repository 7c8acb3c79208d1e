//! Whether the engine is at work: when it last looked for what is due, and since when that fails.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::LONGEST_SLEEP;

/// What looks for what is due at least every [`LONGEST_SLEEP`] and did not for that long hangs.
const SILENCE: Duration = Duration::from_secs(LONGEST_SLEEP.as_secs() * 3);

/// What keeps the engine from its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// What is wrong, for people.
    pub says: String,
}

/// The engine's last look.
#[derive(Default)]
pub(super) struct Pulse(Mutex<Option<Beat>>);

struct Beat {
    at: Duration,
    trouble: Option<Trouble>,
}

impl Pulse {
    /// The engine looked, and this is what came of it.
    pub(super) fn beat(&self, at: Duration, now: Timestamp, failed: Option<&pmks_store::Error>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.take().and_then(|beat| beat.trouble);
        let trouble = failed.map(|error| Trouble {
            since: known.map_or(now, |known| known.since),
            says: format!("what is due cannot be found out: {error}"),
        });
        *last = Some(Beat { at, trouble });
    }

    pub(super) fn trouble(&self, at: Duration, now: Timestamp) -> Option<Trouble> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let beat = last.as_ref()?;
        let silent = at.saturating_sub(beat.at);
        if silent > SILENCE {
            let since = now.saturating_sub(silent).unwrap_or(now);
            return Some(Trouble { since, says: "it does not look for what is due any more".to_owned() });
        }
        beat.trouble.clone()
    }
}

#[cfg(test)]
mod tests {
    use pmks_store::Error;

    use super::super::timing;
    use super::*;

    #[test]
    fn says_since_when_it_fails_and_when_it_hangs() {
        let pulse = Pulse::default();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (at, second) = (Duration::from_hours(1), Duration::from_secs(1));
        assert_eq!(pulse.trouble(at, now), None, "nobody serves");
        pulse.beat(at, now, Some(&Error::Closed));
        let later = timing::after(now, second);
        pulse.beat(at + second, later, Some(&Error::Closed));
        let trouble = pulse.trouble(at + second, later).unwrap();
        assert!(trouble.since == now && trouble.says.contains("the store is closed"), "{trouble:?}");
        pulse.beat(at + second, later, None);
        assert_eq!(pulse.trouble(at + second, later), None);
        let long = at + second + SILENCE + second;
        assert!(pulse.trouble(long, timing::after(now, SILENCE)).is_some());
    }
}
