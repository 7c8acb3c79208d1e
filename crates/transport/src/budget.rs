//! The request budget: a token bucket per account, service and action, shared fairly by the lanes. A cloud that says
//! it is too much lowers that action's bucket; it recovers over minutes. Time only by the clock.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::fair_queue::FairQueue;
use crate::{Clock, Lane};

/// How often an action may be called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// How many calls at once.
    pub burst: u32,
    /// How many calls a second, in the long run.
    pub per_second: f64,
}

impl Bucket {
    /// A bucket of `burst` calls at once and `per_second` in the long run.
    pub const fn new(burst: u32, per_second: f64) -> Self {
        Self { burst, per_second }
    }

    /// The bucket at a cloud that works so many times faster.
    pub(crate) fn at_pace(self, pace: u32) -> Self {
        Self { per_second: self.per_second * f64::from(pace.max(1)), ..self }
    }
}

/// The buckets of a provider: an action's own, else its service's, else the default. Each action of each service of
/// each account has a bucket for itself, whichever entry describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    /// Where neither action nor service has an entry.
    pub default: Bucket,
    /// By service, as in [`crate::Call::new`].
    pub services: BTreeMap<String, Bucket>,
    /// By action, as in [`crate::Call::new`].
    pub actions: BTreeMap<String, Bucket>,
    /// By HTTP method: what all calls of an account by that method count against together, beside their own buckets.
    pub methods: BTreeMap<String, Bucket>,
}

impl Default for Buckets {
    /// Twenty at once and ten a second: below what every cloud known here allows for reads.
    fn default() -> Self {
        Self::new(Bucket::new(20, 10.0))
    }
}

impl Buckets {
    /// The same bucket for each action.
    pub fn new(default: Bucket) -> Self {
        Self { default, services: BTreeMap::new(), actions: BTreeMap::new(), methods: BTreeMap::new() }
    }

    /// Sets the bucket of each action of a service.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>, bucket: Bucket) -> Self {
        self.services.insert(service.into(), bucket);
        self
    }

    /// Sets the bucket of one action.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>, bucket: Bucket) -> Self {
        self.actions.insert(action.into(), bucket);
        self
    }

    /// Sets the bucket of all calls by that HTTP method together.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>, bucket: Bucket) -> Self {
        self.methods.insert(method.into(), bucket);
        self
    }

    pub(crate) fn of(&self, service: &str, action: &str) -> Bucket {
        *self.actions.get(action).or_else(|| self.services.get(service)).unwrap_or(&self.default)
    }
}

/// Whose bucket: provider, account, service, action.
pub(crate) type Key = (&'static str, String, &'static str, &'static str);

/// How the buckets of one action stand, whichever account they are of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetReading {
    /// The provider.
    pub provider: &'static str,
    /// The service, as in [`crate::Call::new`].
    pub service: &'static str,
    /// The action, as in [`crate::Call::new`].
    pub action: &'static str,
    /// The calls that may be sent at once now, in the account where they are fewest.
    pub tokens: f64,
    /// The calls that wait for their turn, in all accounts.
    pub waiting: usize,
    /// How much of the rate is used, in the account where that is least: 1, less after the cloud said it was too much.
    pub share: f64,
}

/// Every bucket of the process.
#[derive(Debug)]
pub(crate) struct Budget {
    clock: Arc<dyn Clock>,
    gates: Mutex<HashMap<Key, Arc<Gate>>>,
}

impl Budget {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, gates: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn gate(&self, key: Key, bucket: Bucket) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(key).or_insert_with(|| Arc::new(Gate::new(Arc::clone(&self.clock), bucket))))
    }

    /// How every action stands that was ever called.
    pub(crate) fn readings(&self) -> Vec<BudgetReading> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let mut readings: BTreeMap<_, BudgetReading> = BTreeMap::new();
        for ((provider, _, service, action), gate) in &*gates {
            let one = gate.reading(provider, service, action);
            readings
                .entry((*provider, *service, *action))
                .and_modify(|all| {
                    all.tokens = all.tokens.min(one.tokens);
                    all.waiting += one.waiting;
                    all.share = all.share.min(one.share);
                })
                .or_insert(one);
        }
        readings.into_values().collect()
    }
}

/// One bucket and those who wait at it.
#[derive(Debug)]
pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    tokens: f64,
    refilled: Duration,
    /// How much of the bucket's rate is used: 1, lowered by throttling.
    share: f64,
    lowered: Option<Duration>,
    closed_until: Duration,
    queue: FairQueue<oneshot::Sender<()>>,
    pumping: bool,
}

/// A throttled action falls to no less than this share of its rate.
const LEAST_SHARE: f64 = 1.0 / 16.0;
/// From the least share back to the whole rate.
const RECOVERY: Duration = Duration::from_mins(5);
/// Throttled answers closer together than this are one event: they answer calls that were under way together.
const ONE_EVENT: Duration = Duration::from_secs(1);
/// A cloud that asks for more is asked again after this all the same: one call finds out whether it means it, and an answer
/// that something on the way made up holds nobody for longer.
const LONGEST_CLOSED: Duration = Duration::from_mins(5);
/// Tokens are fractions; this much missing is rounding.
const ROUNDING: f64 = 1e-6;

impl State {
    fn rate(&self) -> f64 {
        self.bucket.per_second.max(0.001) * self.share
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.refilled);
        self.refilled = now;
        self.share = (self.share + passed.as_secs_f64() / RECOVERY.as_secs_f64()).min(1.0);
        let most = f64::from(self.bucket.burst.max(1)) * self.share;
        self.tokens = (self.tokens + passed.as_secs_f64() * self.rate()).min(most.max(1.0));
    }

    fn take(&mut self, now: Duration) -> bool {
        let open = now >= self.closed_until && self.tokens + ROUNDING >= 1.0;
        if open {
            self.tokens -= 1.0;
        }
        open
    }

    /// Until the so-many-th token from now is there.
    fn until(&self, now: Duration, turns: usize) -> Duration {
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        let missing = (f64::from(turns) - self.tokens).max(0.0);
        let refilled = Duration::try_from_secs_f64(missing / self.rate()).unwrap_or(Duration::MAX);
        refilled.max(self.closed_until.saturating_sub(now))
    }

    fn lower(&mut self, now: Duration, retry_after: Option<Duration>) {
        self.refill(now);
        let same_event = self.lowered.is_some_and(|at| now.saturating_sub(at) < ONE_EVENT);
        if !same_event {
            self.share = (self.share / 2.0).max(LEAST_SHARE);
            self.lowered = Some(now);
        }
        self.tokens = 0.0;
        if let Some(wait) = retry_after {
            self.closed_until = self.closed_until.max(now.saturating_add(wait.min(LONGEST_CLOSED)));
        }
    }
}

impl Gate {
    fn new(clock: Arc<dyn Clock>, bucket: Bucket) -> Self {
        let state = State {
            bucket,
            tokens: f64::from(bucket.burst.max(1)),
            refilled: clock.monotonic(),
            share: 1.0,
            lowered: None,
            closed_until: Duration::ZERO,
            queue: FairQueue::new(),
            pumping: false,
        };
        Self { clock, state: Mutex::new(state) }
    }

    /// Waits for a turn, at most `limit`.
    ///
    /// # Errors
    /// How long the wait would (still) be, when that is longer than `limit`.
    pub(crate) async fn acquire(self: &Arc<Self>, lane: Lane, limit: Duration) -> Result<(), Duration> {
        let granted = {
            let mut state = self.lock();
            let now = self.clock.monotonic();
            state.refill(now);
            if state.queue.is_empty() && state.take(now) {
                return Ok(());
            }
            let foreseen = state.until(now, state.queue.turns_until(lane));
            if foreseen > limit {
                return Err(foreseen);
            }
            let (grant, granted) = oneshot::channel();
            state.queue.push(lane, grant);
            if !state.pumping {
                state.pumping = true;
                tokio::spawn(pump(Arc::clone(self)));
            }
            granted
        };
        tokio::select! {
            biased;
            _ = granted => Ok(()),
            () = self.clock.sleep(limit) => {
                let state = self.lock();
                Err(state.until(self.clock.monotonic(), state.queue.turns_until(lane)))
            }
        }
    }

    /// Takes a turn that is free now, if nobody waits.
    pub(crate) fn take_now(&self) -> bool {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        state.refill(now);
        state.queue.is_empty() && state.take(now)
    }

    /// A turn that was taken was not used.
    pub(crate) fn give_back(&self) {
        self.lock().tokens += 1.0;
    }

    /// How long one more would wait in this lane.
    pub(crate) fn foreseen(&self, lane: Lane) -> Duration {
        let state = self.lock();
        state.until(self.clock.monotonic(), state.queue.turns_until(lane))
    }

    /// The cloud throttled a call of this action.
    pub(crate) fn lower(&self, retry_after: Option<Duration>) {
        self.lock().lower(self.clock.monotonic(), retry_after);
    }

    /// Grants what can be granted now. `None` when nobody waits any more.
    fn grant(&self) -> Option<Duration> {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        state.refill(now);
        while !state.queue.is_empty() {
            if !state.take(now) {
                return Some(state.until(now, 1).max(Duration::from_millis(1)));
            }
            let heard = state.queue.pop().is_some_and(|waiter| waiter.send(()).is_ok());
            if !heard {
                state.tokens += 1.0;
            }
        }
        state.pumping = false;
        None
    }

    fn reading(&self, provider: &'static str, service: &'static str, action: &'static str) -> BudgetReading {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        state.refill(now);
        let is_closed = state.closed_until > now;
        let tokens = if is_closed { 0.0 } else { state.tokens.max(0.0) };
        let (waiting, share) = (state.queue.len(), state.share);
        BudgetReading { provider, service, action, tokens, waiting, share }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Grants turns while anybody waits. One task a bucket, so that a thousand waiters are one timer.
async fn pump(gate: Arc<Gate>) {
    let stopped = Stopped(gate);
    while let Some(wait) = stopped.0.grant() {
        stopped.0.clock.sleep(wait).await;
    }
}

/// The runtime may drop the pump with waiters left; the next one who waits then starts another.
struct Stopped(Arc<Gate>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.lock().pumping = false;
    }
}

#[cfg(test)]
mod tests;
