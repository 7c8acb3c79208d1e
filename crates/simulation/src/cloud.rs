//! What a cloud's simulator gives to the loopback server: its name, its answers, its world as ground truth.
//!
//! All of it is synchronous: a world sits behind one mutex, pending work is settled when somebody looks, and nothing
//! waits while the mutex is held.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;

use crate::kubernetes::{AuthoritySnapshot, Backs};
use crate::{Calls, Change, Deeds, Effects, Exchanges, Faults, Resource, SimulationClock};

/// What a request is about, as far as it says so itself; nothing is proven yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identified {
    /// The cloud's service.
    pub service: String,
    /// The cloud's name of the call; `unknown` where the request names none.
    pub action: String,
    /// The one resource that it names.
    pub resource: Option<String>,
    /// Who claims to call.
    pub caller: Option<String>,
}

/// An answer and what the record of calls keeps of it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The response in the cloud's own shape.
    pub response: Response<Bytes>,
    /// The cloud's error code, where it refused.
    pub code: Option<String>,
    /// The cloud's request id.
    pub request_id: String,
}

/// A refusal that a fault asks for; each cloud writes it in its own words and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many calls.
    Throttle,
    /// No permission.
    Deny,
    /// This status and code.
    Status {
        /// HTTP status.
        status: u16,
        /// The cloud's error code.
        code: String,
        /// The cloud's message.
        message: Option<String>,
    },
}

/// A world that cannot be read back, or an event that cannot happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StateError(pub String);

/// What every simulated cloud has beside its world.
#[derive(Debug)]
pub struct Controls {
    /// The two readings of time.
    pub clock: SimulationClock,
    /// What fails on demand.
    pub faults: Faults,
    /// What was called.
    pub calls: Calls,
    /// What was exchanged, for who asks that it is kept.
    pub exchanges: Exchanges,
    /// What others did because a rule said so.
    pub deeds: Deeds,
    /// What answers behind the Kubernetes endpoints of its clusters.
    pub backs: Backs,
    late: Mutex<Vec<(Duration, Request<Bytes>, Identified)>>,
}

impl Controls {
    /// Controls without rules or calls; `seed` decides what probabilities give.
    pub fn new(clock: SimulationClock, seed: u64) -> Self {
        Self {
            clock,
            faults: Faults::new(seed),
            calls: Calls::default(),
            exchanges: Exchanges::default(),
            deeds: Deeds::default(),
            backs: Backs::default(),
            late: Mutex::default(),
        }
    }

    /// Keeps a call whose connection died, to be applied when that much work is done.
    pub(crate) fn apply_later(&self, due: Duration, request: Request<Bytes>, call: Identified) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push((due, request, call));
    }

    /// When the next late call is applied.
    pub(crate) fn next_late(&self) -> Option<Duration> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(due, ..)| *due).min()
    }

    fn take_late(&self, now: Duration) -> Vec<(Request<Bytes>, Identified)> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, rest) = late.drain(..).partition(|(due, ..)| *due <= now);
        *late = rest;
        let due: Vec<(Duration, Request<Bytes>, Identified)> = due;
        due.into_iter().map(|(_, request, call)| (request, call)).collect()
    }

    /// Forgets rules, calls and what was still to be applied.
    pub fn reset(&self) {
        self.faults.clear();
        self.calls.clear();
        self.deeds.clear();
        self.late.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// One simulated cloud.
pub trait Cloud: Send + Sync + 'static {
    /// The provider's name (`aws`).
    fn name(&self) -> &'static str;

    /// Its clock, faults and calls.
    fn controls(&self) -> &Controls;

    /// What a request is about, before anything is checked.
    fn identify(&self, request: &Request<Bytes>) -> Identified;

    /// Checks and carries out one request. `effects` are those faults that only the cloud itself can act out.
    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered;

    /// The answer of a fault that refuses, in the cloud's shape.
    fn refuse(&self, call: &Identified, refusal: &Refusal) -> Answered;

    /// Does all pending work that is due.
    fn settle(&self);

    /// The work time at which the next pending work falls due.
    fn next_due(&self) -> Option<Duration>;

    /// Every resource that exists.
    fn resources(&self) -> Vec<Resource>;

    /// Makes the world as it was at the beginning.
    fn reset(&self);

    /// Something that happens in the world by itself (a controller makes a load balancer).
    ///
    /// # Errors
    /// When the event is unknown or cannot happen, with what is wrong.
    fn event(&self, event: &Value) -> Result<Value, StateError>;

    /// A whole connection (surfaces: «Shapes») that works as it is, but for its name.
    fn connection(&self, endpoint: &str) -> Value;

    /// A bearer token for clients that bring their own, where the cloud's API takes one.
    fn access_token(&self) -> Option<String> {
        None
    }

    /// The authority behind HTTPS on the cloud's port, where its clients insist on it; kept with the world.
    fn authority(&self) -> Option<AuthoritySnapshot> {
        None
    }

    /// The whole world, for the data directory. Holds the credentials that the world accepts.
    ///
    /// # Errors
    /// When the world cannot be written as JSON.
    fn snapshot(&self) -> Result<Value, StateError>;

    /// What to put into the JSON of a snapshot since this was last asked, where that is known; a snapshot that is taken
    /// afterwards may hold some of the next ones already.
    fn changes(&self) -> Option<Vec<Change>> {
        None
    }

    /// A number that is higher whenever the world may be another one. `None`: nobody counts, and it may be at any time.
    fn revision(&self) -> Option<u64> {
        None
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When the snapshot is of another version or damaged; the world is unchanged then.
    fn restore(&self, snapshot: Value) -> Result<(), StateError>;

    /// What an answer that was just made waits for before it leaves, where the world is kept somewhere.
    fn kept(&self) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }
}

/// Brings a world up to this moment: late calls first, then pending work.
pub fn catch_up(cloud: &dyn Cloud) {
    let now = cloud.controls().clock.now_work();
    for (request, call) in cloud.controls().take_late(now) {
        cloud.answer(&request, &call, &Effects::default());
    }
    cloud.settle();
}

/// The work time at which the next thing happens by itself: pending work or a late call.
pub fn next_due(cloud: &dyn Cloud) -> Option<Duration> {
    [cloud.next_due(), cloud.controls().next_late()].into_iter().flatten().min()
}

/// A cloud shared by the server and tests.
pub type Shared = Arc<dyn Cloud>;
