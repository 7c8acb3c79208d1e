//! The simulated AWS as a whole: its world behind one mutex, its controls, its clusters' endpoints.
//!
//! Nothing waits while the mutex is held.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{
    Answered, Buckets, Cloud, Controls, Effects, Identified, Now, Refusal, Resource, SimulationClock,
    StateError, SystemTime, TimeSource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::World;
use crate::{ec2, eks, elb, front, iam};

/// The version of [`Cloud::snapshot`]'s JSON.
const SNAPSHOT_VERSION: u32 = 1;
/// How many earlier worlds are kept while a fault shows old ones.
const HISTORY: usize = 200;

/// How a simulated AWS begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides every identifier.
    pub seed: u64,
    /// How many times faster than the real cloud work goes; 0 stands still until told.
    pub speed: f64,
    /// The raw clocks: the process's, or a test's.
    pub time: Arc<dyn TimeSource>,
    /// The region of the connection that the ready file offers.
    pub region: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, speed: 1.0, time: Arc::new(SystemTime::new()), region: "ap-northeast-2".to_owned() }
    }
}

/// A simulated AWS.
pub struct AwsCloud {
    core: Arc<Core>,
    endpoints: eks::Endpoints,
}

/// What the API and the clusters' endpoints share.
pub(crate) struct Core {
    /// Clock, faults, calls.
    pub(crate) controls: Controls,
    /// How fast calls may come.
    pub(crate) buckets: Buckets,
    settings: Settings,
    world: Mutex<World>,
    history: Mutex<VecDeque<(Duration, World)>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    version: u32,
    work_seconds: f64,
    world: World,
}

impl AwsCloud {
    /// A fresh world with one account.
    pub fn new(settings: Settings) -> Self {
        let clock = SimulationClock::new(Arc::clone(&settings.time), settings.speed);
        let core = Arc::new(Core {
            controls: Controls::new(clock, settings.seed),
            buckets: Buckets::default(),
            world: Mutex::new(World::new(settings.seed)),
            history: Mutex::default(),
            settings,
        });
        Self { core, endpoints: eks::Endpoints::default() }
    }

    /// What has happened since somebody looked, the clusters' endpoints included.
    fn keep_up(&self) {
        self.core.with_world(|_, _| ());
        self.endpoints.keep(&self.core);
    }
}

#[cfg(test)]
impl AwsCloud {
    /// What the API and the clusters' endpoints share.
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl Core {
    /// Runs `act` on the world as it is at this moment. Must not be called from within itself.
    pub(crate) fn with_world<T>(&self, act: impl FnOnce(&mut World, Now) -> T) -> T {
        let mut world = self.lock();
        let now = self.controls.clock.now();
        world.settle(now);
        act(&mut world, now)
    }

    /// The region of the connection that is offered.
    pub(crate) fn default_region(&self) -> &str {
        &self.settings.region
    }

    /// Carries out one request, on an old copy of the world where a fault says that reads are stale.
    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        if let Some(seconds) = effects.stale_seconds()
            && let Some(mut old) = self.world_before(Duration::from_secs(seconds))
        {
            let now = self.controls.clock.now();
            return front::answer(self, &mut old, now, request, call, effects);
        }
        let keep = self.controls.faults.wants_history();
        self.with_world(|world, now| {
            if keep {
                self.remember(world, now);
            }
            front::answer(self, world, now, request, call, effects)
        })
    }

    fn remember(&self, world: &World, now: Now) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.len() >= HISTORY {
            history.pop_front();
        }
        history.push_back((now.work, world.clone()));
    }

    /// The world as it was before the first call of the last `age`, if calls were made in it.
    fn world_before(&self, age: Duration) -> Option<World> {
        let since = self.controls.clock.now_work().saturating_sub(age);
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.iter().find(|(at, _)| *at >= since).map(|(_, world)| world.clone())
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud for AwsCloud {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn controls(&self) -> &Controls {
        &self.core.controls
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        front::identify(request)
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.endpoints.stand(&self.core);
        let answered = self.core.answer(request, call, effects);
        self.endpoints.stand(&self.core);
        answered
    }

    fn refuse(&self, call: &Identified, refusal: &Refusal) -> Answered {
        self.core.with_world(|world, _| front::refuse(world, call, refusal))
    }

    fn settle(&self) {
        self.keep_up();
    }

    fn next_due(&self) -> Option<Duration> {
        self.core.lock().next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.core.with_world(|world, _| world.resources())
    }

    fn reset(&self) {
        *self.core.lock() = World::new(self.core.settings.seed);
        self.core.history.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.core.buckets.clear();
        self.endpoints.keep(&self.core);
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        let result = self.core.with_world(|world, now| match event.get("type").and_then(Value::as_str) {
            Some("controllerMakesLoadBalancer") => elb::controller::from_event(world, event, now),
            Some("controllerMakesVolume") => ec2::volumes_of_controllers::from_event(world, event, now),
            Some("clustersAreCopied") => eks::copies::make(world, event, now),
            Some("copiesVanish") => eks::copies::remove(world, event, now),
            Some("findUpgradeInsight") => eks::find_upgrade_insight(world, event, now),
            Some("registerWebIdentityProvider") => iam::web_identity::register(world, event),
            Some(other) => Err(StateError(format!("no event of type `{other}` happens in aws"))),
            None => Err(StateError("an event needs a type".to_owned())),
        });
        self.endpoints.keep(&self.core);
        result
    }

    fn connection(&self, endpoint: &str) -> Value {
        let core = &self.core;
        let credential = core.with_world(|world, _| iam::offered_credential(world));
        // A whole number of at least 1: a world that stands still, or is slower than real, is waited for as a real one.
        let pace =
            Duration::try_from_secs_f64(core.controls.clock.speed()).map_or(1, |pace| pace.as_secs().max(1));
        let zone = format!("{}a", core.default_region());
        json!({
            "provider": "aws",
            "region": core.default_region(),
            "zone": zone,
            "pace": pace,
            "credential": credential,
            "endpoints": {"all": endpoint},
        })
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        let world = self.core.with_world(|world, _| world.clone());
        let work_seconds = self.core.controls.clock.now_work().as_secs_f64();
        serde_json::to_value(Snapshot { version: SNAPSHOT_VERSION, work_seconds, world })
            .map_err(|error| StateError(format!("the world cannot be written: {error}")))
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        let damaged =
            |error: &dyn std::fmt::Display| StateError(format!("the world cannot be read: {error}"));
        let snapshot: Snapshot = serde_json::from_value(snapshot).map_err(|error| damaged(&error))?;
        if snapshot.version != SNAPSHOT_VERSION {
            return Err(StateError(format!(
                "the world is of version {}, not {SNAPSHOT_VERSION}",
                snapshot.version
            )));
        }
        let work = Duration::try_from_secs_f64(snapshot.work_seconds).map_err(|error| damaged(&error))?;
        self.core.controls.clock.restore(work);
        *self.core.lock() = snapshot.world;
        self.keep_up();
        Ok(())
    }
}
