//! The simulated Google Cloud as a whole: its world behind one mutex, its controls, its clusters' endpoints.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::kubernetes::Endpoints;
use pmks_simulation::{
    Answered, Cloud, Controls, Effects, Held, Identified, Refusal, Resource, SimulationClock, StateError,
    SystemTime, TimeSource,
};
use serde_json::{Value, json};

use crate::auth::ServiceKey;
use crate::world::World;
use crate::{auth, compute, container, front, others, service_usage};

/// The key that all worlds of this process offer at first: making one takes longer than most tests.
static KEY: LazyLock<Option<ServiceKey>> = LazyLock::new(|| ServiceKey::generate().ok());

/// How a simulated Google Cloud begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides every identifier but the key of the service account, which each process makes anew.
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
        Self { seed: 1, speed: 1.0, time: Arc::new(SystemTime::new()), region: "asia-northeast3".to_owned() }
    }
}

/// The world, and what the API and the clusters' endpoints share beside it.
pub(crate) type Core = Held<World>;

/// A simulated Google Cloud.
pub struct GcpCloud {
    core: Arc<Core>,
    settings: Settings,
    endpoints: Endpoints<World>,
}

impl GcpCloud {
    /// A fresh world with one project and a service account.
    ///
    /// # Panics
    /// When the machine has no randomness for the key.
    #[expect(clippy::expect_used, reason = "without randomness no process of this machine can do its work")]
    pub fn new(settings: Settings) -> Self {
        let clock = SimulationClock::new(Arc::clone(&settings.time), settings.speed);
        let key = KEY.clone().expect("randomness for a key");
        let world = World::new(settings.seed, key, clock.wall());
        let core = Arc::new(Held::new(Controls::new(clock, settings.seed), world));
        Self { core, settings, endpoints: Endpoints::default() }
    }
}

#[cfg(test)]
impl GcpCloud {
    /// What the API and the clusters' endpoints share.
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl Cloud for GcpCloud {
    fn name(&self) -> &'static str {
        "gcp"
    }

    fn controls(&self) -> &Controls {
        &self.core.controls
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        self.core.with_world(|world, now| front::identify(world, now, request))
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.endpoints.stand(&self.core);
        let answered = self
            .core
            .answer(effects, |world, now| front::answer(&self.core, world, now, request, call, effects));
        self.endpoints.stand(&self.core);
        answered
    }

    fn refuse(&self, call: &Identified, refusal: &Refusal) -> Answered {
        self.core.with_world(|world, _| front::refuse(world, call, refusal))
    }

    fn settle(&self) {
        self.core.with_world(|_, _| ());
        self.endpoints.keep(&self.core);
    }

    fn next_due(&self) -> Option<Duration> {
        self.core.next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.core.with_world(|world, _| world.resources())
    }

    fn reset(&self) {
        // The same key, so that the offered connection goes on working.
        let key = self.core.with_world(|world, _| world.offered_key());
        if let Some(key) = key {
            self.core.reset(World::new(self.settings.seed, key, self.core.controls.clock.wall()));
        }
        self.endpoints.keep(&self.core);
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        let kind = event.get("type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| StateError("an event needs a type".to_owned()))?;
        let result = self.core.with_world(|world, now| match kind {
            "controllerMakesLoadBalancer" => compute::controller_makes_load_balancer(world, event, now),
            "controllerMakesVolume" => compute::controller_makes_volume(world, event, now),
            "clustersAreCopied" => container::copies::make(world, event),
            "copiesVanish" => container::copies::remove(world, event),
            "vanishes" | "isReplaced" | "isChanged" => others::act(world, event, now),
            "showsOver" => container::shown::over(world, event),
            "credentialsMove" => Ok(auth::credentials_move(world)),
            "googleOperates" => container::google_operates(world, event, now),
            "servicesAreDisabled" => service_usage::disabled(world, event),
            "quotaIs" => compute::quota_is(world, event),
            "projectIsMade" => auth::project_is_made(world, event, now),
            other => auth::from_event(world, other, event, now),
        });
        self.endpoints.keep(&self.core);
        result
    }

    fn connection(&self, endpoint: &str) -> Value {
        let key_file = self.core.with_world(|world, _| world.offered_key_file().to_string());
        let zone = crate::catalogue::region(&self.settings.region).and_then(|region| region.zones().next());
        json!({
            "provider": "gcp",
            "region": self.settings.region,
            "zone": zone.unwrap_or_default(),
            "pace": self.core.controls.clock.pace(),
            "credential": {"serviceAccountKey": key_file},
            "endpoints": {"all": endpoint},
        })
    }

    fn access_token(&self) -> Option<String> {
        Some(self.core.with_world(|world, _| world.offered_token.clone()))
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        self.core.snapshot()
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        self.core.restore(snapshot)?;
        self.settle();
        Ok(())
    }
}
