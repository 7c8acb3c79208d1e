//! A real Kubernetes control plane as the back of one simulated cluster: etcd, API server, controllers and scheduler on
//! loopback; behind them what has no machine here, in a few words ([`machines`]), and in them what the cloud's world
//! holds ([`mirror`]).
//!
//! The cluster's front stays ours: it asks the cloud's authenticator who calls, and hands that on as an authenticating
//! proxy does ([`proxy`]).

mod api;
mod machines;
mod mirror;
mod processes;
mod proxy;
mod switch;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pmks_simulation::kubernetes::{Back, ClusterState};
use serde_json::Value;
use tokio::task::AbortHandle;

use self::api::Api;
use self::processes::Processes;
use self::proxy::Proxy;

pub use self::switch::{Switch, Switchboard};

/// How long anything may take to get ready on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the real API server refused of what the world holds.
type Refusals = Arc<Mutex<Vec<String>>>;

/// A real control plane that holds what one simulated cluster holds. Ends when it is dropped.
pub struct ControlPlane {
    api: Api,
    mirroring: AbortHandle,
    refusals: Refusals,
    processes: Processes,
}

impl ControlPlane {
    /// Starts one over a cluster's content, which it follows from now on.
    pub async fn start(program: &Path, state: ClusterState) -> Self {
        let processes = Processes::start(program, &service_network(&state)).await;
        let api = processes.api();
        let refusals = Refusals::default();
        let mirror = mirror::Mirror::new(api.clone(), state, Arc::clone(&refusals));
        let mirroring = tokio::spawn(mirror.run()).abort_handle();
        Self { api, mirroring, refusals, processes }
    }

    /// What answers with it behind a cluster's endpoint.
    pub fn back(&self) -> Arc<dyn Back> {
        Arc::new(Proxy::new(self.api.clone()))
    }

    /// Waits until the nodes that exist are those of these names, and so many pods run and none waits or goes.
    pub async fn settle(&self, nodes: &[String], pods: usize) {
        let begun = Instant::now();
        loop {
            let found = self.settled(nodes, pods).await;
            let Err(why) = found else { return };
            let patient = begun.elapsed() < PATIENCE;
            assert!(patient, "{why}; refused: {:?}{}", self.refusals(), self.processes.last_words());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until every node takes pods.
    pub async fn opened(&self) {
        let begun = Instant::now();
        loop {
            let nodes = self.api.list("/api/v1/nodes").await.unwrap_or_default();
            let open =
                |node: &Value| node["spec"]["unschedulable"] != true && node["spec"]["taints"].is_null();
            if !nodes.is_empty() && nodes.iter().all(open) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "a node stays closed: {nodes:?}{}",
                self.processes.last_words()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn settled(&self, nodes: &[String], pods: usize) -> Result<(), String> {
        let known = self.api.list("/api/v1/nodes").await.map_err(|refused| refused.says)?;
        let names: Vec<&str> = known.iter().filter_map(|node| node["metadata"]["name"].as_str()).collect();
        if names != nodes {
            return Err(format!("nodes {names:?} instead of {nodes:?}"));
        }
        let tainted = |node: &&Value| node["spec"]["taints"].to_string().contains("not-ready");
        if let Some(node) = known.iter().find(tainted) {
            return Err(format!("{} is not ready", node["metadata"]["name"]));
        }
        let all = self.api.list("/api/v1/pods").await.map_err(|refused| refused.says)?;
        let runs = |pod: &&Value| {
            pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null()
        };
        let running = all.iter().filter(runs).count();
        if (running, all.len()) == (pods, pods) {
            return Ok(());
        }
        Err(format!("{running} of {} pods run instead of {pods}", all.len()))
    }

    /// What the real API server refused so far of what the world holds: each a fault of the built-in content.
    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.mirroring.abort();
    }
}

/// The objects that a cluster holds.
fn objects(state: &ClusterState) -> Vec<Value> {
    let mut snapshot = serde_json::to_value(state.snapshot()).expect("a snapshot is JSON");
    match snapshot.get_mut("objects").map(Value::take) {
        Some(Value::Array(objects)) => objects,
        _ => Vec::new(),
    }
}

/// The first two numbers of the addresses of services, from the address of the API server's own.
fn service_network(state: &ClusterState) -> String {
    let own = |object: &&Value| object["kind"] == "Service" && object["metadata"]["name"] == "kubernetes";
    let objects = objects(state);
    let address = objects.iter().find(own).and_then(|object| object["spec"]["clusterIP"].as_str());
    let mut numbers = address.expect("the API server's own service").split('.');
    let (first, second) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    format!("{first}.{second}")
}
