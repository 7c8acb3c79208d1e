//! What the simulated GKE holds for one project. Data, and small questions about it; what changes it are the calls and
//! passing work time (`progress.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::kubernetes::ClusterEndpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::catalogue;

/// All of GKE in one project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Clusters by location and name.
    pub(crate) clusters: BTreeMap<String, Cluster>,
    /// Operations by name.
    pub(crate) operations: BTreeMap<String, Operation>,
}

/// What a cluster or node pool is when no operation is at work on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Provisioning,
    Running,
    RunningWithError,
    Stopping,
    Error,
}

/// A cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    /// Zone or region.
    pub(crate) location: String,
    /// 64 hexadecimal digits: what a later cluster of the same name does not share.
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) status: Status,
    /// What ails it: code and message.
    pub(crate) conditions: Vec<(String, String)>,
    /// Members that are shown over its own, because a test said so.
    #[serde(default)]
    pub(crate) shown_over: Map<String, Value>,
    /// What was asked for at its creation or later, but for what has a field of its own here.
    pub(crate) asked: Map<String, Value>,
    pub(crate) version: String,
    pub(crate) initial_version: String,
    /// `RAPID`, …, or empty.
    pub(crate) channel: String,
    pub(crate) network: String,
    pub(crate) subnetwork: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) zones: Vec<String>,
    /// Block and name of the range that pods live in, and whether GKE made it.
    pub(crate) pods: (String, String, bool),
    pub(crate) services: String,
    /// In the order of their making.
    pub(crate) pools: Vec<NodePool>,
    /// The number of nodes of its creation, which never changes.
    pub(crate) initial_node_count: i64,
    /// Eight hexadecimal digits in the names of what belongs to it.
    pub(crate) hash: String,
    /// Counts its changes; its `etag` is made of it.
    pub(crate) revision: u64,
    pub(crate) endpoint: Option<ClusterEndpoint>,
}

/// A node pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodePool {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) conditions: Vec<(String, String)>,
    /// Members that are shown over its own, because a test said so.
    #[serde(default)]
    pub(crate) shown_over: Map<String, Value>,
    /// The machines' configuration, with GKE's defaults.
    pub(crate) config: Map<String, Value>,
    /// Everything else that was asked.
    pub(crate) asked: Map<String, Value>,
    pub(crate) version: String,
    /// What it was before its last upgrade, for a rollback of one that did not end well.
    pub(crate) before: Option<String>,
    pub(crate) initial_node_count: u32,
    /// Nodes in each zone.
    pub(crate) size: u32,
    /// Zones, each with the name of its group of machines.
    pub(crate) groups: Vec<(String, String)>,
    pub(crate) revision: u64,
}

/// Work on a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) name: String,
    /// GKE's word (`CREATE_CLUSTER`).
    pub(crate) kind: String,
    pub(crate) location: String,
    pub(crate) cluster: String,
    pub(crate) pool: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    /// Whether its caller wants it to end early.
    pub(crate) aborting: bool,
    /// Canonical code and message.
    pub(crate) error: Option<(i32, String)>,
    pub(crate) detail: String,
    /// The work time at which the next step is due; absent where it never comes.
    pub(crate) due: Option<Duration>,
    pub(crate) step: Step,
}

impl Operation {
    /// What it is about: a cluster, or a node pool of it.
    pub(crate) fn about(&self) -> String {
        format!("{}/{}", self.cluster, self.pool.as_deref().unwrap_or_default())
    }
}

/// What happens next in an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The control plane stands; the node pools' machines are made.
    ControlPlane { stockout: bool },
    /// All nodes are looked for, until that work time.
    Nodes { until: Duration },
    /// The creation of the cluster or node pool fails with that code.
    FailCreation(String),
    /// The cluster vanishes with all that is its own.
    DeleteCluster,
    /// The machines of a new node pool are made.
    PoolMachines { stockout: bool },
    /// A pool's nodes are looked for, until that work time.
    PoolNodes { until: Duration },
    /// A node pool vanishes, once its machines are gone.
    DeletePool,
    /// The control plane is at that version.
    Master(String),
    /// One round of replacing the nodes of a pool.
    Replace(Target),
    /// The change is done.
    Change(Change),
    /// Done; nothing happens any more.
    Done,
}

/// What the nodes of a pool shall become.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) version: String,
    pub(crate) config: Map<String, Value>,
}

/// A change that is seen when its operation is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// All labels of the cluster.
    Labels(BTreeMap<String, String>),
    /// Fields of the cluster.
    Cluster(Map<String, Value>),
    /// Its release channel.
    Channel(String),
    /// Fields of a node pool.
    Pool(Map<String, Value>),
}

impl Cluster {
    /// Its region.
    pub(crate) fn region(&self) -> &str {
        catalogue::region_of(&self.location).map_or(&self.location, |region| region.name)
    }

    /// The uid of its namespace `kube-system`, by which its controllers tell it from other clusters.
    pub(crate) fn uid(&self) -> String {
        let part = |from: usize, to: usize| self.id.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// The network tag of its nodes.
    pub(crate) fn node_tag(&self) -> String {
        format!("gke-{:.20}-{}-node", self.name, self.hash)
    }

    /// The key under which it is held.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.location, self.name)
    }

    /// The node pool of this name.
    pub(crate) fn pool(&self, name: &str) -> Option<&NodePool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// The node pool of this name, to change it.
    pub(crate) fn pool_mut(&mut self, name: &str) -> Option<&mut NodePool> {
        self.pools.iter_mut().find(|pool| pool.name == name)
    }
}

impl NodePool {
    /// Its groups of machines, by zone and name.
    pub(crate) fn group_keys(&self) -> Vec<String> {
        self.groups.iter().map(|(zone, group)| format!("{zone}/{group}")).collect()
    }

    /// A text of its configuration.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.config.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

impl State {
    /// What is at work on a cluster.
    pub(crate) fn running(&self, cluster: &Cluster) -> impl Iterator<Item = &Operation> {
        let (location, name) = (cluster.location.clone(), cluster.name.clone());
        self.operations.values().filter(move |operation| {
            operation.ended.is_none() && operation.cluster == name && operation.location == location
        })
    }
}
