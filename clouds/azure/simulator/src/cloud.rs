//! The simulated Azure as a whole: its world, its controls, its clusters' endpoints.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::kubernetes::{Authority, AuthoritySnapshot, Endpoints};
use pmks_simulation::{
    Answered, Cloud, Controls, Effects, Held, Identified, Random, Refusal, Resource, SimulationClock,
    StateError, SystemTime, TimeSource,
};
use serde_json::{Value, json};

use crate::entra::{self, Keys};
use crate::world::World;
use crate::{container_service, front, others};

/// How a simulated Azure begins.
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
        Self { seed: 1, speed: 1.0, time: Arc::new(SystemTime::new()), region: "koreacentral".to_owned() }
    }
}

/// A simulated Azure.
pub struct AzureCloud {
    core: Arc<Held<World>>,
    settings: Settings,
    endpoints: Endpoints<World>,
}

impl AzureCloud {
    /// A fresh world with one subscription.
    pub fn new(settings: Settings) -> Self {
        let clock = SimulationClock::new(Arc::clone(&settings.time), settings.speed);
        let authority = Authority::new(clock.wall()).map(|authority| authority.snapshot());
        if let Err(error) = &authority {
            tracing::error!(%error, "the simulated Azure has no authority of its own, and no HTTPS");
        }
        let world = World::new(settings.seed, Keys::new(), authority.ok());
        let core = Arc::new(Held::new(Controls::new(clock, settings.seed), world));
        Self { core, settings, endpoints: Endpoints::default() }
    }

    /// What has happened since somebody looked, the clusters' endpoints included.
    fn keep_up(&self) {
        self.core.with_world(|_, _| ());
        self.endpoints.keep(&self.core);
    }
}

impl Cloud for AzureCloud {
    fn name(&self) -> &'static str {
        "azure"
    }

    fn controls(&self) -> &Controls {
        &self.core.controls
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        front::identify(request)
    }

    fn answer(&self, request: &Request<Bytes>, _: &Identified, effects: &Effects) -> Answered {
        self.endpoints.stand(&self.core);
        let answered =
            self.core.answer(effects, |world, now| front::answer(&self.core, world, now, request, effects));
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
        // Who holds the connection or trusts the authority goes on doing so.
        let (keys, authority) =
            self.core.with_world(|world, _| (world.directory.keys.clone(), world.authority.clone()));
        self.core.reset(World::new(self.settings.seed, keys, authority));
        self.endpoints.keep(&self.core);
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        let result = self.core.with_world(|world, now| match event.get("type").and_then(Value::as_str) {
            Some("controllerMakesLoadBalancer") => container_service::make_load_balancer(world, event, now),
            Some("controllerMakesVolume") => container_service::make_volume(world, event, now),
            Some("autoscalerScales") => container_service::autoscale(world, event, now),
            Some("clustersAreCopied") => container_service::copy(world, event),
            Some("copiesVanish") => container_service::remove_copies(world, event),
            Some("vanishes" | "isReplaced" | "isChanged") => others::act(world, event, now),
            Some("showsOver") => container_service::show_over(world, event),
            Some("credentialsMove") => Ok(world.move_subscriptions()),
            Some("tokensExpire") => Ok(entra::end_tokens(&mut world.directory)),
            Some("registerClientCertificate") => entra::register_certificate(&mut world.directory, event),
            Some("registerFederatedCredential") => entra::register_federated(&mut world.directory, event),
            Some(other) => Err(StateError(format!("no event of type `{other}` happens in azure"))),
            None => Err(StateError("an event needs a type".to_owned())),
        });
        self.endpoints.keep(&self.core);
        result
    }

    fn connection(&self, endpoint: &str) -> Value {
        let credential = self.core.with_world(|world, _| {
            let subscription = world.subscriptions.keys().next().map(String::as_str).unwrap_or_default();
            world.directory.offered(subscription)
        });
        json!({
            "provider": "azure",
            "region": self.settings.region,
            "zone": "1",
            "pace": self.core.controls.clock.pace(),
            "credential": credential,
            "endpoints": {"all": endpoint},
        })
    }

    fn access_token(&self) -> Option<String> {
        // Its own numbers: asking for the ready file must not change what comes after.
        let mut random = Random::new(self.settings.seed);
        self.core.with_world(|world, now| entra::access_token(&world.directory, &mut random, now.wall))
    }

    fn authority(&self) -> Option<AuthoritySnapshot> {
        self.core.with_world(|world, _| world.authority.clone())
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
