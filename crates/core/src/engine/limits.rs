//! The limits of a stage: when it is looked at next, when it has lasted too long, from when «not there» is believed.

use std::time::Duration;

use jiff::Timestamp;
use pmks_driver::Identity;
use pmks_model::{Failure, FailureKind};

use super::notes::{CertainBy, Drift};
use super::stage::Turn;
use super::timing::{self, after, since};

/// What was accepted is given at least this long, at the real cloud's pace, to be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(10);

/// Two clocks that are read one after the other differ by less than this many milliseconds.
const NOTICED_MS: u64 = 1_000;

impl Turn<'_> {
    /// The next look is that far away, unless the stage has lasted too long.
    pub(super) fn look_again(&mut self, wait: Duration) {
        let now = self.forgive_drift();
        if let Some(failure) = self.overdue(now) {
            return self.fail(failure);
        }
        self.notes.due = Some(after(self.run.house.steady(), wait.min(timing::LONGEST_WAIT)));
    }

    /// The stage begins. From now on it counts how far the wall clock is set: what was set before is in its beginning
    /// already.
    pub(super) fn begin_reckoning(&mut self) {
        let (now, ms) = self.run.house.now_and_drift();
        self.record.started_at = Some(now);
        self.notes.drift = Some(Drift { owner: self.run.house.owner, ms });
    }

    /// A wall clock that is set ages nothing. What happens between two steps is neglect, and forgiven as such. Answers the
    /// time up to which it was: another look at the clock may show another one.
    pub(super) fn forgive_drift(&mut self) -> Timestamp {
        let owner = self.run.house.owner;
        let (now, drift) = self.run.house.now_and_drift();
        let known = self.notes.drift.filter(|known| known.owner == owner);
        if known.is_none() {
            // How far another process was behind, nobody knows any more.
            self.notes.behind_ms = 0;
        }
        let more = drift.saturating_sub(known.map_or(self.run.drift, |known| known.ms));
        if more.unsigned_abs() > NOTICED_MS {
            self.notes.set_clock(more);
            self.notes.drift = Some(Drift { owner, ms: drift });
        }
        now
    }

    /// Whether «not there» is to be believed: nothing that was sent can still be under way or out of sight.
    pub(super) fn is_certain(&self) -> bool {
        self.until_certain().is_zero()
    }

    pub(super) fn until_certain(&self) -> Duration {
        let Some(at) = self.notes.certain_at.filter(|_| !self.run.is_over(&self.notes)) else {
            return Duration::ZERO;
        };
        let (house, timing) = (self.run.house, self.run.timing);
        let longest = timing.request_limit()
            + timing.paced(Duration::from_secs(self.specification.visible_after_seconds).max(SEEN_WITHIN));
        // A time further away than it can have been set was set by a clock that stood wrong.
        let by_wall = since(self.now(), at).min(longest);
        let monotonic = house.clock.monotonic();
        match self.notes.certain_by {
            Some(by) if by.owner == house.owner => {
                Duration::from_millis(by.monotonic_ms).saturating_sub(monotonic)
            }
            // Somebody else asked, before this process began or beside it. How the wall clock was set since then
            // nobody knows, but the whole wait after our beginning is long enough.
            Some(by) => {
                let since_we_began = monotonic.saturating_sub(house.began.1);
                by_wall.max(Duration::from_millis(by.wait_ms).min(longest).saturating_sub(since_we_began))
            }
            None => by_wall,
        }
    }

    /// From now on «not there» is not believed for a while: a request was sent, or it was answered.
    pub(super) fn doubt(&mut self, sent: bool) {
        let timing = self.run.timing;
        let visible = Duration::from_secs(self.specification.visible_after_seconds);
        let wait = if sent {
            timing.request_limit() + timing.paced(visible)
        } else {
            timing.paced(visible.max(SEEN_WITHIN))
        };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.notes.certain_at = Some(after(self.now(), wait));
        self.notes.certain_by = Some(CertainBy {
            owner: self.run.house.owner,
            monotonic_ms: milliseconds(self.run.house.clock.monotonic() + wait).saturating_add(1),
            wait_ms: milliseconds(wait),
        });
    }

    pub(super) fn poll_wait(&self) -> Duration {
        let began = self.record.asked_at.or(self.record.started_at);
        let elapsed = since(began.unwrap_or_else(|| self.now()), self.now());
        let expected = Duration::from_secs(self.specification.expected_seconds);
        self.run.timing.poll(expected, elapsed, self.in_crowd)
    }

    /// Why the stage has lasted too long, if it has.
    fn overdue(&self, now: Timestamp) -> Option<Failure> {
        let timing = self.run.timing;
        let (lasted, limit) = match self.notes.busy_since {
            Some(busy_since) => (since(busy_since, now), timing.longest_busy()),
            None => (
                self.notes.lasted(self.record.started_at.unwrap_or(now), now),
                timing.deadline(self.specification.deadline_seconds),
            ),
        };
        (lasted > limit).then(|| {
            let says = match self.record.detail.as_str() {
                "" => String::new(),
                detail => format!("; last: {detail}"),
            };
            Failure::new(
                FailureKind::Timeout,
                format!("{:?} took longer than {} s{says}", self.specification.name, limit.as_secs()),
            )
        })
    }

    /// Whether a token of the cloud settles a lost answer, and still does.
    pub(super) fn token_holds(&self) -> bool {
        match self.specification.identity {
            Identity::Token { lifetime_seconds } => {
                let age = since(self.notes.token_since.unwrap_or_else(|| self.now()), self.now());
                age < Duration::from_secs(lifetime_seconds)
            }
            Identity::UniqueName | Identity::Tag | Identity::Baseline => true,
        }
    }
}
