//! The simulated EKS.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use pmks_simulation::{Now, Resource};
use serde::{Deserialize, Serialize};

use crate::cloud::Core;
use crate::context::Context;
use crate::world::{Place, World};

/// What EKS holds for one account in one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {}

/// The Kubernetes endpoints of the clusters.
#[derive(Default)]
pub(crate) struct Endpoints {}

impl Endpoints {
    /// Starts those of new clusters, stops those of deleted ones.
    pub(crate) fn keep(&self, _core: &Arc<Core>) {}
}

/// The action and the resource that a request names.
pub(crate) fn identify(_request: &Request<Bytes>) -> (String, Option<String>) {
    ("unknown".to_owned(), None)
}

/// Carries out one call.
pub(crate) fn handle(_context: &mut Context<'_>, _request: &Request<Bytes>) -> Response<Bytes> {
    Response::new(Bytes::new())
}

/// Does what has fallen due at one place.
pub(crate) fn settle(_world: &mut World, _place: &Place, _now: Now) {}

/// When the next thing falls due.
pub(crate) fn next_due(_state: &State) -> Option<Duration> {
    None
}

/// Ground truth.
pub(crate) fn resources(_state: &State) -> Vec<Resource> {
    Vec::new()
}

/// The subnets of a cluster.
pub(crate) fn cluster_subnets(_state: &State, _cluster: &str) -> Option<Vec<String>> {
    None
}
