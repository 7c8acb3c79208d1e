//! The simulated Google Cloud through its front door, on virtual time.

mod clusters;
mod identity;
mod networks;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Cloud, Effect, Effects, ManualTime};
use serde_json::{Value, json};

use crate::{GcpCloud, Settings};

/// A fresh cloud on virtual time, and the token that it offers.
struct Rig {
    cloud: GcpCloud,
    time: Arc<ManualTime>,
    token: String,
    project: String,
}

/// What came back.
#[derive(Debug)]
struct Got {
    status: u16,
    body: Value,
}

impl Got {
    fn refused(&self, status: u16, words: &str) {
        let message = self.body["error"]["message"].as_str().unwrap_or_default();
        assert!(self.status == status && message.contains(words), "{} {}", self.status, self.body);
    }
}

impl Rig {
    fn new() -> Self {
        let time = Arc::new(ManualTime::new("2026-11-23T12:00:00Z".parse().unwrap()));
        let cloud = GcpCloud::new(Settings { time: Arc::clone(&time) as Arc<_>, ..Settings::default() });
        let token = cloud.access_token().unwrap();
        let project = cloud.core().with_world(|world, _| world.first.clone());
        Self { cloud, time, token, project }
    }

    fn advance(&self, seconds: u64) {
        self.time.advance(Duration::from_secs(seconds));
        self.cloud.settle();
    }

    fn send(&self, request: &Request<Bytes>, effects: Vec<Effect>) -> Got {
        let call = self.cloud.identify(request);
        let answered = self.cloud.answer(request, &call, &Effects::of(effects));
        let body = serde_json::from_slice(answered.response.body()).unwrap_or(Value::Null);
        Got { status: answered.response.status().as_u16(), body }
    }

    fn call_with(&self, effects: Vec<Effect>, method: &str, path: &str, body: &Value) -> Got {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let path = path.replace("{p}", &self.project);
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", self.token)).body(body).unwrap();
        self.send(&request, effects)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Got {
        self.call_with(Vec::new(), method, path, body)
    }

    /// A call that must go well.
    fn ok(&self, method: &str, path: &str, body: &Value) -> Value {
        let got = self.call(method, path, body);
        assert_eq!(got.status, 200, "{method} {path}: {}", got.body);
        got.body
    }

    fn get(&self, path: &str) -> Value {
        self.ok("GET", path, &Value::Null)
    }

    /// A network with a subnetwork `net-a`.
    fn network(&self) {
        let network = json!({"name": "net", "autoCreateSubnetworks": false});
        self.ok("POST", "/compute/v1/projects/{p}/global/networks", &network);
        self.advance(30);
        let subnet =
            json!({"name": "net-a", "network": "global/networks/net", "ipCidrRange": "10.200.0.0/24"});
        self.ok("POST", "/compute/v1/projects/{p}/regions/asia-northeast3/subnetworks", &subnet);
        self.advance(30);
    }

    /// A cluster `one` with a pool `workers` of two nodes.
    fn cluster(&self) -> Value {
        self.network();
        self.ok("POST", CLUSTERS, &cluster_request());
        self.advance(600);
        self.get(ONE)
    }

    fn kinds(&self, kind: &str) -> usize {
        self.cloud.resources().iter().filter(|row| row.kind == kind).count()
    }
}

const CLUSTERS: &str = "/v1/projects/{p}/locations/asia-northeast3-a/clusters";
const ONE: &str = "/v1/projects/{p}/locations/asia-northeast3-a/clusters/one";
const WORKERS: &str = "/v1/projects/{p}/locations/asia-northeast3-a/clusters/one/nodePools/workers";
const OPERATIONS: &str = "/v1/projects/{p}/locations/asia-northeast3-a/operations";

fn cluster_request() -> Value {
    json!({"cluster": {
        "name": "one", "network": "net", "subnetwork": "net-a", "initialClusterVersion": "1.34",
        "resourceLabels": {"team": "blue"},
        "nodePools": [{"name": "workers", "initialNodeCount": 2, "config": {"machineType": "e2-standard-2", "tags": ["mine"]}}],
    }})
}
