//! A simulated cloud that stands before another one: what it does not answer itself, that one does.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Request;
use serde_json::Value;

use crate::kubernetes::AuthoritySnapshot;
use crate::{Answered, Change, Cloud, Controls, Effects, Identified, Refusal, Resource, StateError};

/// What is done before another cloud, which is left as it is where nothing is said.
pub trait Before: Send + Sync + 'static {
    /// The cloud behind it.
    fn behind(&self) -> &dyn Cloud;

    /// As [`Cloud::answer`].
    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.behind().answer(request, call, effects)
    }

    /// As [`Cloud::reset`].
    fn reset(&self) {
        self.behind().reset();
    }

    /// As [`Cloud::event`].
    ///
    /// # Errors
    /// Those of the cloud.
    fn event(&self, event: &Value) -> Result<Value, StateError> {
        self.behind().event(event)
    }

    /// As [`Cloud::kept`].
    fn kept(&self) -> BoxFuture<'static, ()> {
        self.behind().kept()
    }
}

/// A cloud with something before it.
#[derive(Clone, Debug)]
pub struct Over<T>(pub T);

impl<T: Before> Cloud for Over<T> {
    fn name(&self) -> &'static str {
        self.0.behind().name()
    }

    fn controls(&self) -> &Controls {
        self.0.behind().controls()
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        self.0.behind().identify(request)
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.0.answer(request, call, effects)
    }

    fn refuse(&self, call: &Identified, refusal: &Refusal) -> Answered {
        self.0.behind().refuse(call, refusal)
    }

    fn settle(&self) {
        self.0.behind().settle();
    }

    fn next_due(&self) -> Option<Duration> {
        self.0.behind().next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.0.behind().resources()
    }

    fn reset(&self) {
        self.0.reset();
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        self.0.event(event)
    }

    fn connection(&self, endpoint: &str) -> Value {
        self.0.behind().connection(endpoint)
    }

    fn access_token(&self) -> Option<String> {
        self.0.behind().access_token()
    }

    fn authority(&self) -> Option<AuthoritySnapshot> {
        self.0.behind().authority()
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        self.0.behind().snapshot()
    }

    fn changes(&self) -> Option<Vec<Change>> {
        self.0.behind().changes()
    }

    fn revision(&self) -> Option<u64> {
        self.0.behind().revision()
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        self.0.behind().restore(snapshot)
    }

    fn kept(&self) -> BoxFuture<'static, ()> {
        self.0.kept()
    }
}
