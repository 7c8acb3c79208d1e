//! The simulated AWS as a whole: its world behind one mutex, its controls, its clusters' endpoints.
//!
//! Nothing waits while the mutex is held.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::kubernetes::Endpoints;
use pmks_simulation::{
    Answered, Cloud, Controls, Effects, Held, Identified, Refusal, Resource, SimulationClock, StateError,
    SystemTime, TimeSource,
};
use serde_json::{Value, json};

use crate::world::World;
use crate::{ec2, eks, elb, front, iam, others, sts};

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

/// The world, and what the API and the clusters' endpoints share beside it.
pub(crate) type Core = Held<World>;

/// A simulated AWS.
pub struct AwsCloud {
    core: Arc<Core>,
    settings: Settings,
    endpoints: Endpoints<World>,
}

impl AwsCloud {
    /// A fresh world with one account.
    pub fn new(settings: Settings) -> Self {
        let clock = SimulationClock::new(Arc::clone(&settings.time), settings.speed);
        let core = Arc::new(Held::new(Controls::new(clock, settings.seed), World::new(settings.seed)));
        Self { core, settings, endpoints: Endpoints::default() }
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
        self.keep_up();
    }

    fn next_due(&self) -> Option<Duration> {
        self.core.next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.core.with_world(|world, _| world.resources())
    }

    fn reset(&self) {
        self.core.reset(World::new(self.settings.seed));
        self.endpoints.keep(&self.core);
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        let result = self.core.with_world(|world, now| match event.get("type").and_then(Value::as_str) {
            Some("controllerMakesLoadBalancer") => elb::controller::from_event(world, event, now),
            Some("controllerMakesVolume") => ec2::volumes_of_controllers::from_event(world, event, now),
            Some("clustersAreCopied") => eks::copies::make(world, event, now),
            Some("copiesVanish") => eks::copies::remove(world, event, now),
            Some("vanishes" | "isReplaced" | "isChanged") => others::act(world, event, now),
            Some("showsOver") => eks::shown::over(world, event, now),
            Some("credentialsMove") => Ok(iam::move_credentials(world)),
            Some("tokensExpire") => Ok(iam::end_sessions(world, now)),
            Some("findUpgradeInsight") => eks::find_upgrade_insight(world, event, now),
            Some("roleIsMade") => iam::roles::from_event(world, event, now),
            Some("roleIsTakenOn") => sts::from_event(world, event, now),
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
        let zone = format!("{}a", self.settings.region);
        json!({
            "provider": "aws",
            "region": self.settings.region,
            "zone": zone,
            "pace": core.controls.clock.pace(),
            "credential": credential,
            "endpoints": {"all": endpoint},
        })
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        self.core.snapshot()
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        self.core.restore(snapshot)?;
        self.keep_up();
        Ok(())
    }
}
