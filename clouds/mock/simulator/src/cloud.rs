//! The Mock cloud as a whole: its world behind one mutex, its controls, its clusters' endpoints.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::kubernetes::Endpoints;
use pmks_simulation::{
    Answered, Change, Cloud, Controls, Effects, Held, Identified, Refusal, Resource, SimulationClock,
    StateError, SystemTime, TimeSource,
};
use serde_json::{Value, json};

use crate::error::Error;
use crate::world::World;
use crate::{error, events, front};

/// How the Mock cloud begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides every identifier.
    pub seed: u64,
    /// How many times faster than the clock work goes; 0 stands still until told.
    pub speed: f64,
    /// The raw clocks: the process's, or a test's.
    pub time: Arc<dyn TimeSource>,
    /// How long the work of a change takes. Nothing: every change is done when it is answered.
    pub work: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, speed: 1.0, time: Arc::new(SystemTime::new()), work: Duration::ZERO }
    }
}

/// The Mock cloud.
pub struct MockCloud {
    held: Arc<Held<World>>,
    settings: Settings,
    endpoints: Endpoints<World>,
    /// The revision for which endpoints were last looked after.
    stood: AtomicU64,
}

impl MockCloud {
    /// A fresh world.
    pub fn new(settings: Settings) -> Self {
        let clock = SimulationClock::new(Arc::clone(&settings.time), settings.speed);
        let world = World::new(settings.seed, settings.work);
        let held = Arc::new(Held::new(Controls::new(clock, settings.seed), world));
        Self { held, settings, endpoints: Endpoints::default(), stood: AtomicU64::new(u64::MAX) }
    }
}

impl Cloud for MockCloud {
    fn name(&self) -> &'static str {
        "mock"
    }

    fn controls(&self) -> &Controls {
        &self.held.controls
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        front::identify(request)
    }

    fn answer(&self, request: &Request<Bytes>, _call: &Identified, effects: &Effects) -> Answered {
        let answered = self.held.answer(effects, |world, now| front::answer(world, now, request, effects));
        let revision = self.held.with_world(|world, _| world.revision);
        if self.stood.swap(revision, Ordering::SeqCst) != revision {
            self.endpoints.stand(&self.held);
        }
        answered
    }

    fn refuse(&self, _call: &Identified, refusal: &Refusal) -> Answered {
        let request_id = self.held.with_world(|world, _| world.random.hex(16));
        error::answer(Err(Error::of(refusal)), request_id)
    }

    fn settle(&self) {
        if self.held.next_due().is_some_and(|due| due <= self.held.controls.clock.now_work()) {
            self.held.with_world(|_, _| ());
            self.endpoints.keep(&self.held);
        }
    }

    fn next_due(&self) -> Option<Duration> {
        self.held.next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.held.with_world(|world, _| world.resources())
    }

    fn reset(&self) {
        // It goes on: whoever keeps the world tells by it what is newer.
        let revision = self.held.with_world(|world, _| world.revision) + 1;
        self.held.reset(World { revision, ..World::new(self.settings.seed, self.settings.work) });
        self.endpoints.keep(&self.held);
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        let result = self.held.with_world(|world, now| events::happen(world, event, now));
        self.endpoints.keep(&self.held);
        result
    }

    fn connection(&self, endpoint: &str) -> Value {
        json!({
            "provider": "mock",
            "region": "mercury",
            "pace": self.held.controls.clock.pace(),
            "credential": {"mockName": self.held.with_world(|world, _| world.offered.clone())},
            "endpoints": {"all": endpoint},
        })
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        self.held.snapshot()
    }

    fn changes(&self) -> Option<Vec<Change>> {
        self.held.changes()
    }

    fn revision(&self) -> Option<u64> {
        Some(self.held.with_world(|world, _| world.revision))
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        self.held.restore(snapshot)?;
        self.endpoints.keep(&self.held);
        Ok(())
    }
}
