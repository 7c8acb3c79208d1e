//! The operation engine: carries stored intents out, stage by stage, so that a crash anywhere loses and doubles
//! nothing.
//!
//! ```text
//! queued ─ claim ─▶ running: preflight ─▶ plan stored ─▶ stages: look, ask if absent, follow ─▶ finish
//! ```
//! It never holds a task, a lock or a connection while a cloud works: between two looks an operation is rows. It
//! never decides what an error means: [`pmks_driver::reaction`] does. It never undoes.

mod contract;

mod step;

mod preflight;
mod settle;

mod ask;
mod crowd;
mod limits;
mod stage;

mod ending;

mod bounded;
mod children;
mod identity;
mod made;
mod notes;
mod own_names;
mod timing;

mod pulse;
mod room;
mod steady;
mod telemetry;
mod traced;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(test)]
mod tests;

pub(crate) use children::{known_before, removal};
pub use contract::{Connected, Drivers, Hooks, Outcome};
pub(crate) use made::{made_for, prepare_removal};
pub use pulse::Trouble;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pmks_store::{Claim, Claimed, Error, Fence, KillPoints, NoKillPoints, Operation, Store, new_uid};
use pmks_transport::Clock;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::Instrument as _;
use uuid::Uuid;

use crowd::Crowds;
use identity::Identities;
use pulse::Pulse;
use room::Room;
use steady::Steady;
use traced::Traced;

/// The longest sleep between two ticks: other servers, and clocks that are set, give no sign.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How long the end waits for steps that are under way: less than whoever ends the process waits before killing it.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);

/// How often what is too old is dropped.
const BETWEEN_PRUNINGS: Duration = Duration::from_hours(1);

/// How an engine works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most operations that are at work at the same moment. Most of them wait for an account's request budget: with
    /// fewer, those of many accounts wait for each other.
    pub concurrent: u32,
    /// The most operations of one connection that begin to be at work at the same moment; at twice that number no
    /// more begin.
    pub concurrent_per_connection: u32,
    /// Where the jitter comes from.
    pub seed: u64,
    /// Carries on only this operation, and those that it waits for.
    pub only: Option<Uuid>,
    /// For how long events are kept.
    pub events_kept: Duration,
    /// For how long idempotency keys are kept.
    pub keys_kept: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrent: 256,
            concurrent_per_connection: 8,
            seed: 0,
            only: None,
            events_kept: Duration::from_hours(90 * 24),
            keys_kept: Duration::from_hours(24),
        }
    }
}

/// The operation engine. Clones are the same engine; when the last one is dropped, steps under way are dropped too,
/// which is what a crash does.
#[derive(Clone)]
pub struct Engine {
    house: Arc<House>,
    steps: Arc<Mutex<JoinSet<()>>>,
}

/// What every step needs.
struct House {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    drivers: Arc<dyn Drivers>,
    hooks: Arc<dyn Hooks>,
    kill_points: Arc<dyn KillPoints>,
    options: Options,
    owner: Uuid,
    identities: Identities,
    crowds: Crowds,
    room: Room,
    /// Claims that could not be given back when their steps ended, as on a full disk.
    unreleased: Mutex<Vec<Fence>>,
    pulse: Pulse,
    /// Both clocks when this engine began: how they differ since then is how far the wall clock was set.
    began: (Timestamp, Duration),
    steady: Steady,
    wake: Notify,
    idle: Notify,
}

impl Engine {
    /// An engine over a store.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        drivers: Arc<dyn Drivers>,
        hooks: Arc<dyn Hooks>,
        options: Options,
    ) -> Self {
        Self::with_kill_points(store, clock, drivers, hooks, options, Arc::new(NoKillPoints))
    }

    /// The same, passing named points at which tests end everything: `engine.<look|ask|poll|…>.<before|after>`.
    pub fn with_kill_points(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        drivers: Arc<dyn Drivers>,
        hooks: Arc<dyn Hooks>,
        options: Options,
        kill_points: Arc<dyn KillPoints>,
    ) -> Self {
        let began = (clock.wall(), clock.monotonic());
        let owner = new_uid(began.0);
        let house = House {
            store,
            clock,
            drivers,
            hooks,
            kill_points,
            options,
            owner,
            identities: Identities::default(),
            crowds: Crowds::default(),
            room: Room::new(options.concurrent, options.concurrent_per_connection),
            unreleased: Mutex::default(),
            pulse: Pulse::default(),
            began,
            steady: Steady::at(began),
            wake: Notify::new(),
            idle: Notify::new(),
        };
        Self { house: Arc::new(house), steps: Arc::default() }
    }

    /// Starts the next step of every operation that is due, and answers when to tick next. Steps under way wake the
    /// engine when they end.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tick(&self, now: Timestamp) -> pmks_store::Result<Option<Timestamp>> {
        let now = now.max(self.house.steady());
        self.house.give_back().await?;
        let claimed = match self.house.claim(now) {
            Some(claim) => self.house.store.claim(claim).await?,
            None => Vec::new(),
        };
        let started = !claimed.is_empty();
        for claimed in claimed {
            telemetry::waited(timing::since(claimed.operation.next_run_at, now));
            self.start(claimed);
        }
        let due = self.house.store.next_due(self.house.options.only).await?;
        // What is due and was not claimed waits for room, and a step that ends makes room and wakes us.
        Ok(due.map(|due| match (due > now, started) {
            (true, _) => due,
            (false, true) => now,
            (false, false) => timing::after(now, Duration::from_secs(1)),
        }))
    }

    /// Waits until no step is under way.
    pub async fn settle(&self) {
        loop {
            let idle = self.house.idle.notified();
            if self.house.room.is_empty() {
                return;
            }
            idle.await;
        }
    }

    /// Ticks and sleeps until `stop` is ready; then waits for the steps that are under way, but not for a cloud that is
    /// silent: a step that is dropped is taken up again as after a crash.
    pub async fn serve(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut pruned = None;
        loop {
            let now = self.house.clock.wall();
            if pruned.is_none_or(|pruned| timing::since(pruned, now) > BETWEEN_PRUNINGS) {
                self.house.prune(now).await;
                pruned = Some(now);
            }
            let ticked = self.tick(now).await;
            let steady = self.house.steady();
            self.house.pulse.beat(self.house.clock.monotonic(), now, ticked.as_ref().err());
            let next = match ticked {
                Ok(next) => next.map_or(LONGEST_SLEEP, |next| timing::since(steady, next)),
                Err(error) => {
                    tracing::error!(error = pmks_driver::chain(&error), "the store does not answer");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.house.wake.notified() => {}
                () = self.house.clock.sleep(next.min(LONGEST_SLEEP)) => {}
            }
        }
        tokio::select! {
            () = self.settle() => {}
            () = self.house.clock.deadline(SETTLED_WITHIN) => {
                tracing::warn!("operations that wait for a cloud are left; they go on at the next start");
                self.steps.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
                self.settle().await;
            }
        }
    }

    /// What keeps the engine from its work, if anything does; nothing, while nobody calls [`Engine::serve`].
    pub fn trouble(&self) -> Option<Trouble> {
        self.house.pulse.trouble(self.house.clock.monotonic(), self.house.clock.wall())
    }

    /// Something was accepted, cancelled or retried: look now.
    pub fn wake(&self) {
        self.house.wake.notify_one();
    }

    fn start(&self, claimed: Claimed) {
        let under_way = UnderWay::begin(&self.house, &claimed.operation);
        let house = Arc::clone(&self.house);
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = steps.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(%error, "a step ended by a defect; it is taken up again when its claim ends");
            }
        }
        steps.spawn(async move {
            let _under_way = under_way;
            let span = Traced::of(&claimed.operation).step(&claimed.operation);
            Box::pin(step::step(&house, claimed)).instrument(span).await;
        });
    }
}

impl House {
    /// What to claim now; `None` if there is no room.
    fn claim(&self, now: Timestamp) -> Option<Claim> {
        Some(Claim {
            owner: self.owner,
            now,
            until: timing::after(now, timing::LEASE),
            longest: timing::after(now, timing::LONGEST_WAIT),
            only: self.options.only,
            ..self.room.more()?
        })
    }

    /// Gives back the claims that could not be given back before: what they hold is due again after a while.
    async fn give_back(&self) -> pmks_store::Result<()> {
        loop {
            let Some(fence) = self.lock_unreleased().last().copied() else { return Ok(()) };
            match self.later(fence).await {
                Ok(()) | Err(Error::Fenced) => self.lock_unreleased().retain(|other| *other != fence),
                Err(error) => return Err(error),
            }
        }
    }

    fn lock_unreleased(&self) -> std::sync::MutexGuard<'_, Vec<Fence>> {
        self.unreleased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by which is decided what is due: the wall clock's, which does not wait where that is set back.
    fn steady(&self) -> Timestamp {
        self.steady.read(self.clock.wall(), self.clock.monotonic())
    }

    /// How far the wall clock was set since this engine began, in milliseconds: forward, or back below nothing.
    fn drift(&self) -> i64 {
        self.now_and_drift().1
    }

    /// The wall clock, and how far it was set, by one look at it: between two it may be set.
    fn now_and_drift(&self) -> (Timestamp, i64) {
        let (wall, monotonic) = self.began;
        let now = self.clock.wall();
        let passed = self.clock.monotonic().saturating_sub(monotonic).as_millis();
        let shown = now.as_millisecond().saturating_sub(wall.as_millisecond());
        (now, shown.saturating_sub(i64::try_from(passed).unwrap_or(i64::MAX)))
    }

    async fn prune(&self, now: Timestamp) {
        let before = |kept: Duration| now.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        let (events, keys) = (before(self.options.events_kept), before(self.options.keys_kept));
        if let Err(error) = self.store.prune(events, keys).await {
            tracing::warn!(error = pmks_driver::chain(&error), "what is too old could not be dropped");
        }
    }

    async fn at(&self, point: &str) {
        self.kill_points.at(point).await;
    }
}

/// Counts a step for as long as it lives.
struct UnderWay {
    house: Arc<House>,
    operation: Uuid,
}

impl UnderWay {
    fn begin(house: &Arc<House>, operation: &Operation) -> Self {
        house.room.enter(operation);
        telemetry::under_way(1.0);
        Self { house: Arc::clone(house), operation: operation.id }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let was_last = self.house.room.leave(self.operation);
        telemetry::under_way(-1.0);
        self.house.wake.notify_one();
        if was_last {
            self.house.idle.notify_waiters();
        }
    }
}
