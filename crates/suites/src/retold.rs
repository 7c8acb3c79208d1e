//! A simulated cloud whose answers pass through somebody who may change them. The world behind it is as it is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::kubernetes::AuthoritySnapshot;
use pmks_simulation::{Answered, Cloud, Controls, Effects, Identified, Refusal, Resource, StateError};
use serde_json::Value;

/// Who answers in a cloud's place.
pub(crate) trait Tells: Send + Sync + 'static {
    /// The answer of one request; the cloud's own is what `cloud` answers.
    fn tell(
        &self,
        cloud: &dyn Cloud,
        request: &Request<Bytes>,
        call: &Identified,
        effects: &Effects,
    ) -> Answered;
}

/// A cloud and who answers in its place.
pub(crate) struct Retold<T> {
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) teller: Arc<T>,
}

impl<T: Tells> Cloud for Retold<T> {
    fn name(&self) -> &'static str {
        self.cloud.name()
    }

    fn controls(&self) -> &Controls {
        self.cloud.controls()
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        self.cloud.identify(request)
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.teller.tell(&*self.cloud, request, call, effects)
    }

    fn refuse(&self, call: &Identified, refusal: &Refusal) -> Answered {
        self.cloud.refuse(call, refusal)
    }

    fn settle(&self) {
        self.cloud.settle();
    }

    fn next_due(&self) -> Option<Duration> {
        self.cloud.next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.cloud.resources()
    }

    fn reset(&self) {
        self.cloud.reset();
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        self.cloud.event(event)
    }

    fn connection(&self, endpoint: &str) -> Value {
        self.cloud.connection(endpoint)
    }

    fn access_token(&self) -> Option<String> {
        self.cloud.access_token()
    }

    fn authority(&self) -> Option<AuthoritySnapshot> {
        self.cloud.authority()
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        self.cloud.snapshot()
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        self.cloud.restore(snapshot)
    }
}
