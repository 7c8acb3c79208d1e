//! What was sent when, by the virtual clock, and whether that is within a provider's budget.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pmks_driver::{ActionBucket, Capabilities};
use pmks_store::KillPoints;
use pmks_transport::{CallFacts, CallObserver, Clock as _, Outcome, VirtualClock};

use super::stillness::is_still;

/// Tokens are fractions; this much missing is rounding.
const ROUNDING: f64 = 1e-3;

/// Where the system does not tell what threads do: how long, in real time, nothing may be heard of any before whoever
/// sleeps is woken; longer than between two points that an engine or a store passes while it works.
const QUIET: Duration = Duration::from_millis(15);

/// The same where threads are never seen asleep: worlds look after themselves in real time, and on a busy machine one of
/// many may always do. Longer than a thread that has something to do waits for a processor there.
const RESTLESS: Duration = Duration::from_secs(5);

/// Every call of a process.
#[derive(Debug)]
pub(super) struct Traffic {
    clock: VirtualClock,
    sent: Mutex<Vec<(Bucket, Duration)>>,
    under_way: AtomicUsize,
    /// When, in real time, one was last sent or answered.
    moved: Mutex<Instant>,
}

/// Account, service, action: each counts by itself.
type Bucket = (String, &'static str, &'static str);

/// The actions of a budget, the one that comes nearest to its bounds first.
pub(super) struct Spent(Vec<Line>);

struct Line {
    least_left: f64,
    calls: usize,
    bucket: ActionBucket,
    of: Bucket,
}

impl Traffic {
    pub(super) fn new(clock: VirtualClock) -> Self {
        Self {
            clock,
            sent: Mutex::default(),
            under_way: AtomicUsize::new(0),
            moved: Mutex::new(Instant::now()),
        }
    }

    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    /// How many calls were sent.
    pub(super) fn sent(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing happens, and nothing that was sent has no answer.
    pub(super) fn is_quiet(&self) -> bool {
        let long_ago = |time| self.moved.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > time;
        self.under_way.load(Ordering::SeqCst) == 0
            && match is_still() {
                Some(true) => true,
                Some(false) => long_ago(RESTLESS),
                None => long_ago(QUIET),
            }
    }

    fn moves(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What is left of each bucket that was full at first, at the moment when it is least.
    pub(super) fn spent(&self, capabilities: &Capabilities) -> Spent {
        let mut by_bucket: BTreeMap<Bucket, Vec<Duration>> = BTreeMap::new();
        for (of, at) in self.lock().iter() {
            by_bucket.entry(of.clone()).or_default().push(*at);
        }
        let mut lines: Vec<Line> = by_bucket
            .into_iter()
            .filter_map(|(of, times)| {
                let bucket = *bucket(capabilities, of.1, of.2)?;
                Some(Line { least_left: least_left(&bucket, &times), calls: times.len(), bucket, of })
            })
            .collect();
        lines.sort_by(|one, other| one.least_left.total_cmp(&other.least_left));
        Spent(lines)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Bucket, Duration)>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bucket<'a>(capabilities: &'a Capabilities, service: &str, action: &str) -> Option<&'a ActionBucket> {
    let of_service = || capabilities.buckets.iter().filter(|bucket| bucket.service == service);
    of_service()
        .find(|bucket| bucket.action == action)
        .or_else(|| of_service().find(|bucket| bucket.action.is_empty()))
}

fn least_left(bucket: &ActionBucket, times: &[Duration]) -> f64 {
    let burst = f64::from(bucket.burst);
    let (mut left, mut least, mut since) = (burst, burst, times.first().copied().unwrap_or_default());
    for at in times {
        left = (left + at.saturating_sub(since).as_secs_f64() * bucket.per_second).min(burst) - 1.0;
        since = *at;
        least = least.min(left);
    }
    least
}

impl Spent {
    /// Whether no bucket was ever asked for more than was in it.
    pub(super) fn is_within(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|line| line.least_left > -ROUNDING)
    }

    /// The eight actions that came nearest, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |line: &Line| {
            let (_, service, action) = &line.of;
            let Line { least_left, calls, bucket, .. } = line;
            format!(
                "  {service} {action}: {calls} calls of one account, at least {least_left:.1} of {} left, {} a second",
                bucket.burst, bucket.per_second
            )
        };
        self.0.iter().take(8).map(line).collect()
    }
}

#[async_trait]
impl CallObserver for Traffic {
    async fn before(&self, call: &CallFacts) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        self.moves();
        self.lock().push(((call.account.clone(), call.service, call.action), self.clock.monotonic()));
    }

    async fn after(&self, call: &CallFacts, _outcome: Outcome) {
        self.abandoned(call);
    }

    fn abandoned(&self, _call: &CallFacts) {
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.moves();
    }
}

/// The points at which others die: what passes one is at work.
#[async_trait]
impl KillPoints for Traffic {
    async fn at(&self, _point: &str) {
        self.moves();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_overdrawn_by_one_call_too_many() {
        let bucket = ActionBucket { service: "s", action: "", burst: 3, per_second: 2.0 };
        let at = |milliseconds: &[u64]| -> Vec<Duration> {
            milliseconds.iter().copied().map(Duration::from_millis).collect()
        };
        assert!(least_left(&bucket, &at(&[0, 0, 0, 500, 1000])) > -ROUNDING);
        assert!(least_left(&bucket, &at(&[0, 0, 0, 400])) < -ROUNDING);
    }
}
