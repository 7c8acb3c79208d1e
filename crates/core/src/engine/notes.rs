//! What the engine remembers of a stage beside what everybody sees: versioned JSON in the stage's row.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pmks_model::Failure;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::timing::after;

/// The engine's notes on a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Notes {
    /// The version of this shape.
    version: u32,
    /// The operation's attempt that the counters belong to.
    pub(super) attempt: u32,
    /// The number in the client token: rises whenever a new thing is asked for.
    pub(super) generation: u32,
    /// When to look again. Not worth a write by itself: looking early does no harm.
    pub(super) due: Option<Timestamp>,
    /// An ask was sent, and nobody knows what became of it.
    pub(super) unsettled: bool,
    /// From when «not there» is believed: until then a request may be under way, or its effect not visible.
    pub(super) certain_at: Option<Timestamp>,
    /// The same on a clock that nobody sets.
    pub(super) certain_by: Option<CertainBy>,
    /// When the present token was first sent.
    pub(super) token_since: Option<Timestamp>,
    /// The operation's attempt in which the cloud was last asked.
    pub(super) asked_in: u32,
    /// How often the thing changed between our read and our write.
    pub(super) stale: u32,
    /// How often the answer to an ask contradicted the look before it.
    pub(super) refused: u32,
    /// How often there was no answer, since there last was one.
    pub(super) tries: u32,
    /// How often what was accepted was not there afterwards.
    pub(super) vanished: u32,
    /// Since when the cloud is busy with something else.
    pub(super) busy_since: Option<Timestamp>,
    /// What it says about that.
    pub(super) busy: Option<Failure>,
    /// How often it said so.
    pub(super) busy_times: u32,
    /// How often it said so while the resource was settled.
    pub(super) settled_looks: u32,
    /// How far the wall clock was set, as far as that is reckoned with.
    pub(super) drift: Option<Drift>,
    /// How long it was busy, and how far the clock was set forward, in milliseconds: that does not count against the
    /// deadline.
    pub(super) paused_ms: u64,
    /// How far the clock was set back beyond that: it counts although the clock does not show it.
    pub(super) behind_ms: u64,
    /// The failed result of an earlier attempt is being removed.
    pub(super) replacing: bool,
    /// How often that was asked for.
    pub(super) removals: u32,
}

/// A time on the monotonic clock of one process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CertainBy {
    /// The engine whose clock it is.
    pub(super) owner: Uuid,
    /// The time, in milliseconds of that clock.
    pub(super) monotonic_ms: u64,
    /// How long it was away when it was set, in milliseconds.
    pub(super) wait_ms: u64,
}

/// How far the wall clock was set since an engine began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Drift {
    /// That engine.
    pub(super) owner: Uuid,
    /// How far, in milliseconds: forward, or back below nothing.
    pub(super) ms: i64,
}

impl Default for Notes {
    fn default() -> Self {
        Self {
            version: 1,
            attempt: 1,
            generation: 1,
            due: None,
            unsettled: false,
            certain_at: None,
            certain_by: None,
            token_since: None,
            asked_in: 0,
            stale: 0,
            refused: 0,
            tries: 0,
            vanished: 0,
            busy_since: None,
            busy: None,
            busy_times: 0,
            settled_looks: 0,
            drift: None,
            paused_ms: 0,
            behind_ms: 0,
            replacing: false,
            removals: 0,
        }
    }
}

impl Notes {
    /// From a stage's row; notes that cannot be read are new ones, unsettled to be on the safe side.
    pub(super) fn read(value: &serde_json::Value) -> Self {
        if value.is_null() {
            return Self::default();
        }
        serde_json::from_value(value.clone()).unwrap_or_else(|_| Self { unsettled: true, ..Self::default() })
    }

    pub(super) fn write(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The same without what is not worth a write.
    pub(super) fn worth_writing(&self) -> Self {
        Self { due: None, ..self.clone() }
    }

    /// Begins another attempt of the operation: counters start anew, what was asked stays known.
    pub(super) fn begin_attempt(&mut self, attempt: u32) {
        let fresh_token = !self.unsettled && self.asked_in > 0;
        *self = Self {
            attempt,
            generation: self.generation + u32::from(fresh_token),
            token_since: if fresh_token { None } else { self.token_since },
            unsettled: self.unsettled,
            certain_at: self.certain_at,
            certain_by: self.certain_by,
            asked_in: self.asked_in,
            replacing: self.replacing,
            ..Self::default()
        };
    }

    /// That time does not count against deadlines.
    pub(super) fn forgive(&mut self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.paused_ms = self.paused_ms.saturating_add(milliseconds);
        self.busy_since = self.busy_since.map(|since| after(since, time));
    }

    /// The wall clock was set by so many milliseconds, forward or back: what is reckoned by it stays as old as it is.
    pub(super) fn set_clock(&mut self, by: i64) {
        let (less, more, distance) = match by {
            ..0 => (&mut self.paused_ms, &mut self.behind_ms, by.unsigned_abs()),
            0.. => (&mut self.behind_ms, &mut self.paused_ms, by.unsigned_abs()),
        };
        let taken = distance.min(*less);
        *less -= taken;
        *more = more.saturating_add(distance - taken);
        let moved = |since: Timestamp| since.checked_add(SignedDuration::from_millis(by)).unwrap_or(since);
        self.busy_since = self.busy_since.map(moved);
    }

    /// How long what began then has lasted, without what does not count.
    pub(super) fn lasted(&self, began: Timestamp, now: Timestamp) -> Duration {
        let shown = i128::from(now.as_millisecond()) - i128::from(began.as_millisecond());
        let lasted = shown + i128::from(self.behind_ms) - i128::from(self.paused_ms);
        Duration::from_millis(u64::try_from(lasted).unwrap_or(0))
    }

    /// A new thing is asked for from now on.
    pub(super) fn next_generation(&mut self) {
        self.generation += 1;
        self.token_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsettled_ask_keeps_its_token_through_a_retry() {
        let mut notes = Notes { unsettled: true, asked_in: 1, stale: 4, ..Notes::default() };
        notes.begin_attempt(2);
        assert_eq!((notes.generation, notes.stale, notes.unsettled), (1, 0, true));
        notes.unsettled = false;
        notes.begin_attempt(3);
        assert_eq!(notes.generation, 2);
    }

    #[test]
    fn a_clock_that_is_set_back_and_forth_ages_nothing() {
        const YEAR: i64 = 365 * 24 * 3600 * 1000;
        let began: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut notes = Notes { busy_since: Some(began), ..Notes::default() };
        let (mut off, mut passed) = (0_i64, 0_i64);
        for by in [-YEAR, 2 * YEAR, -YEAR, YEAR, -2 * YEAR, YEAR] {
            (off, passed) = (off + by, passed + 1_000);
            notes.set_clock(by);
            let now = began.checked_add(SignedDuration::from_millis(off + passed)).unwrap();
            let lasted = Duration::from_millis(passed.unsigned_abs());
            assert_eq!(notes.lasted(began, now), lasted, "{by}");
            assert_eq!(now.duration_since(notes.busy_since.unwrap()).unsigned_abs(), lasted, "{by}");
        }
        notes.forgive(Duration::from_secs(5));
        let now = began.checked_add(SignedDuration::from_millis(passed)).unwrap();
        assert_eq!(notes.lasted(began, now), Duration::from_secs(1));
    }

    #[test]
    fn survives_a_round_through_json_and_unknown_shapes() {
        let notes = Notes { tries: 3, ..Notes::default() };
        assert_eq!(Notes::read(&notes.write()), notes);
        assert_eq!(Notes::read(&serde_json::Value::Null), Notes::default());
        assert!(Notes::read(&serde_json::json!({"tries": "x"})).unsettled);
        assert_eq!(Notes::read(&serde_json::json!({"tries": 2, "later": 1})).tries, 2);
    }
}
