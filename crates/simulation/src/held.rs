//! The world of one simulated cloud behind its mutex: settled whenever somebody looks, kept with its earlier states
//! while a fault shows old ones, written to a snapshot and read from one.
//!
//! Nothing waits while the mutex is held.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Buckets, Change, Changes, Controls, Effects, Now, StateError};

/// How many earlier worlds are kept while a fault shows old ones.
const HISTORY: usize = 200;
/// More steps than this at one look mean pending work that never gets done, which is a fault of the simulator.
const MOST_STEPS: usize = 100_000;

/// The whole state of a simulated cloud: plain data that can be cloned and written as JSON.
pub trait World: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// The version of its JSON; a snapshot of another one is not read.
    const SNAPSHOT_VERSION: u32;

    /// Does what has fallen due at this moment.
    fn settle_at(&mut self, now: Now);

    /// When the next pending work falls due. Whatever is due must be gone after it was settled.
    fn next_due(&self) -> Option<Duration>;

    /// Notes what is another than in `before`, an earlier copy, by the keys of its JSON; whether that is all.
    fn changes_since(&self, _before: &Self, _changes: &mut Changes) -> bool {
        false
    }

    /// Does what has fallen due until `now`, step by step in the order in which it fell due.
    fn settle(&mut self, now: Now) {
        for _ in 0..MOST_STEPS {
            let Some(due) = self.next_due().filter(|due| *due <= now.work) else { return };
            self.settle_at(Now { wall: now.wall, work: due });
        }
        tracing::error!("pending work of a simulated cloud does not end");
    }
}

/// A world, and what its API and its clusters' endpoints share beside it.
#[derive(Debug)]
pub struct Held<W> {
    /// Clock, faults, calls.
    pub controls: Controls,
    /// How fast calls may come.
    pub buckets: Buckets,
    world: Mutex<W>,
    history: Mutex<VecDeque<(Duration, W)>>,
    /// As it was when its changes were last asked for.
    told: Mutex<Option<W>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot<W> {
    version: u32,
    work_seconds: f64,
    world: W,
}

impl<W: World> Held<W> {
    /// Holds this world, with full buckets.
    pub fn new(controls: Controls, world: W) -> Self {
        Self {
            controls,
            buckets: Buckets::default(),
            world: Mutex::new(world),
            history: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Runs `act` on the world as it is at this moment. Must not be called from within itself.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut W, Now) -> T) -> T {
        let mut world = self.lock();
        let now = self.controls.clock.now();
        world.settle(now);
        act(&mut world, now)
    }

    /// Carries out one call, on an old copy of the world where a fault says that reads are stale.
    pub fn answer<T>(&self, effects: &Effects, act: impl FnOnce(&mut W, Now) -> T) -> T {
        if let Some(seconds) = effects.stale_seconds()
            && let Some(mut old) = self.world_before(Duration::from_secs(seconds))
        {
            return act(&mut old, self.controls.clock.now());
        }
        let keep = self.controls.faults.wants_history();
        self.with_world(|world, now| {
            if keep {
                self.remember(world, now);
            }
            act(world, now)
        })
    }

    /// The work time at which the next pending work falls due.
    pub fn next_due(&self) -> Option<Duration> {
        self.lock().next_due()
    }

    /// Puts another world in its place, forgets the earlier ones and fills all buckets.
    pub fn reset(&self, world: W) {
        *self.lock() = world;
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.buckets.clear();
    }

    /// The whole world as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn snapshot(&self) -> Result<Value, StateError> {
        let world = self.with_world(|world, _| world.clone());
        let work_seconds = self.controls.clock.now_work().as_secs_f64();
        serde_json::to_value(Snapshot { version: W::SNAPSHOT_VERSION, work_seconds, world })
            .map_err(|error| StateError(format!("the world cannot be written: {error}")))
    }

    /// What to put into the JSON of a snapshot since this was last asked; `None`: only a snapshot says it. One that is
    /// taken afterwards may hold some of the next ones already.
    pub fn changes(&self) -> Option<Vec<Change>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.with_world(|world, _| world.clone());
        let changes = told.as_ref().and_then(|before| {
            let (mut changes, mut are_all) = (Changes::default(), false);
            changes.is("workSeconds", &self.controls.clock.now_work().as_secs_f64());
            changes.within("world", |changes| are_all = now.changes_since(before, changes));
            changes.found().filter(|_| are_all)
        });
        *told = Some(now);
        changes
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When it is of another version or damaged; the world is unchanged then.
    pub fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        let damaged =
            |error: &dyn std::fmt::Display| StateError(format!("the world cannot be read: {error}"));
        let version = snapshot.get("version").and_then(Value::as_u64);
        if version.is_some_and(|version| version != u64::from(W::SNAPSHOT_VERSION)) {
            let version = version.unwrap_or_default();
            return Err(StateError(format!(
                "the world is of version {version}, not {}",
                W::SNAPSHOT_VERSION
            )));
        }
        let snapshot: Snapshot<W> = serde_json::from_value(snapshot).map_err(|error| damaged(&error))?;
        let work = Duration::try_from_secs_f64(snapshot.work_seconds).map_err(|error| damaged(&error))?;
        self.controls.clock.restore(work);
        *self.lock() = snapshot.world;
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    fn remember(&self, world: &W, now: Now) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.len() >= HISTORY {
            history.pop_front();
        }
        history.push_back((now.work, world.clone()));
    }

    /// The world as it was before the first call of the last `age`, if calls were made in it.
    fn world_before(&self, age: Duration) -> Option<W> {
        let since = self.controls.clock.now_work().saturating_sub(age);
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.iter().find(|(at, _)| *at >= since).map(|(_, world)| world.clone())
    }

    fn lock(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
