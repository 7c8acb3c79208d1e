//! What the simulated EKS holds for one account in one region. Data and small questions about it; what changes
//! it are the calls (`clusters.rs`, `node_groups.rs`, …) and passing work time (`progress.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::kubernetes::ClusterEndpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{Error, Result};

pub(crate) use super::node_group_state::{LaunchTemplate, NodeGroup, NodeGroupStep, RemoteAccess, Scaling};
pub(crate) use crate::world::Tags;

/// All of EKS in one account and region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Clusters by name.
    pub(crate) clusters: BTreeMap<String, Cluster>,
}

impl State {
    /// The cluster of this name.
    pub(crate) fn cluster(&self, name: &str) -> Result<&Cluster> {
        self.clusters.get(name).ok_or_else(|| no_cluster(name))
    }

    /// The cluster of this name, to change it.
    pub(crate) fn cluster_mut(&mut self, name: &str) -> Result<&mut Cluster> {
        self.clusters.get_mut(name).ok_or_else(|| no_cluster(name))
    }
}

fn no_cluster(name: &str) -> Error {
    Error::not_found(format!("No cluster found for name: {name}.")).cluster(name)
}

/// A status of a cluster, a node group, a Fargate profile or an add-on; each uses the words that EKS gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// Being made.
    Creating,
    /// In service.
    Active,
    /// An update is under way.
    Updating,
    /// Being deleted.
    Deleting,
    /// A cluster that could not be made.
    Failed,
    /// Anything else that could not be made.
    CreateFailed,
    /// In service, but not well.
    Degraded,
}

impl Status {
    /// EKS' word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Failed => "FAILED",
            Self::CreateFailed => "CREATE_FAILED",
            Self::Degraded => "DEGRADED",
        }
    }
}

/// What ails a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Issue {
    /// EKS' code (`NodeCreationFailure`).
    pub(crate) code: String,
    /// EKS' words.
    pub(crate) message: String,
    /// What it is about.
    pub(crate) resource_ids: Vec<String>,
}

/// Work that ends by itself once its time has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending<T> {
    /// The work time at which the next step is due; absent where it never comes.
    pub(crate) due: Option<Duration>,
    /// What happens then.
    pub(crate) step: T,
}

impl<T> Pending<T> {
    /// Whether it is time.
    pub(crate) fn is_due(&self, work: Duration) -> bool {
        self.due.is_some_and(|due| due <= work)
    }
}

/// A cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// Its name, unique in account and region.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// 32 upper-case hexadecimal digits: the identity that the endpoint's and the issuer's names carry.
    pub(crate) uid: String,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
    /// Its status.
    pub(crate) status: Status,
    /// Its Kubernetes version (`1.34`).
    pub(crate) version: String,
    /// The role that EKS takes.
    pub(crate) role_arn: String,
    /// Who made it, as a principal's ARN (a role's own, not its session's).
    pub(crate) creator: String,
    /// Where it lives in EC2.
    pub(crate) network: ClusterNetwork,
    /// The kinds of control plane logs that are on.
    pub(crate) logging: Vec<String>,
    /// How identities are let in.
    pub(crate) authentication_mode: String,
    /// Whether the creator became an administrator.
    pub(crate) bootstrap_admin: bool,
    /// Whether networking add-ons came by themselves, unmanaged.
    pub(crate) bootstrap_addons: bool,
    /// `EXTENDED` or `STANDARD`.
    pub(crate) support_type: String,
    /// Whether it refuses to be deleted.
    pub(crate) deletion_protection: bool,
    /// The client's token of its creation.
    pub(crate) token: Option<String>,
    /// The request that made it, to tell a repetition from another one with the same token.
    pub(crate) request: Value,
    /// Its tags.
    pub(crate) tags: Tags,
    /// What ails it.
    pub(crate) issues: Vec<Issue>,
    /// Members that are shown over its own, because a test said so.
    #[serde(default)]
    pub(crate) shown_over: Map<String, Value>,
    /// What it is busy with.
    pub(crate) pending: Option<Pending<ClusterStep>>,
    /// Its managed node groups.
    pub(crate) node_groups: BTreeMap<String, NodeGroup>,
    /// Its Fargate profiles.
    pub(crate) fargate_profiles: BTreeMap<String, FargateProfile>,
    /// Its managed add-ons.
    pub(crate) addons: BTreeMap<String, Addon>,
    /// Its access entries, by the principal's ARN.
    pub(crate) access_entries: BTreeMap<String, AccessEntry>,
    /// Updates of the cluster itself, oldest first.
    pub(crate) updates: Vec<Update>,
    /// Upgrade insights.
    pub(crate) insights: Vec<Insight>,
    /// The address and the authority of its Kubernetes endpoint, once it runs.
    pub(crate) endpoint: Option<ClusterEndpoint>,
}

impl Cluster {
    /// The node group of this name.
    pub(crate) fn node_group(&self, name: &str) -> Result<&NodeGroup> {
        self.node_groups.get(name).ok_or_else(|| self.no_node_group(name))
    }

    /// The node group of this name, to change it.
    pub(crate) fn node_group_mut(&mut self, name: &str) -> Result<&mut NodeGroup> {
        let missing = self.no_node_group(name);
        self.node_groups.get_mut(name).ok_or(missing)
    }

    fn no_node_group(&self, name: &str) -> Error {
        Error::not_found(format!("No node group found for name: {name}."))
            .cluster(&self.name)
            .node_group(name)
    }
}

/// What a cluster is busy with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ClusterStep {
    /// Becomes active.
    Create,
    /// Its creation ends as failed, with that code.
    FailCreate(String),
    /// Vanishes.
    Delete,
    /// The update of this id ends.
    Update(String),
    /// The update of this id fails, with that code.
    FailUpdate(String, String),
}

/// The cluster's place in EC2.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClusterNetwork {
    /// The subnets that it was given.
    pub(crate) subnets: Vec<String>,
    /// The security groups that it was given.
    pub(crate) security_groups: Vec<String>,
    /// The VPC of the subnets.
    pub(crate) vpc: String,
    /// The group `eks-cluster-sg-…` that EKS made.
    pub(crate) cluster_security_group: Option<String>,
    /// The interfaces of the control plane.
    pub(crate) interfaces: Vec<String>,
    /// Whether the endpoint is reachable from outside.
    pub(crate) endpoint_public: bool,
    /// Whether the endpoint is reachable from inside.
    pub(crate) endpoint_private: bool,
    /// Who may reach it from outside.
    pub(crate) public_cidrs: Vec<String>,
    /// Addresses of Services.
    pub(crate) service_cidr: String,
}

/// A Fargate profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FargateProfile {
    /// Its name, unique in the cluster.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
    /// The role of its pods.
    pub(crate) role_arn: String,
    /// Its subnets.
    pub(crate) subnets: Vec<String>,
    /// Which pods, as asked.
    pub(crate) selectors: Vec<Value>,
    /// Its status.
    pub(crate) status: Status,
    /// Its tags.
    pub(crate) tags: Tags,
    /// The client's token of its creation.
    pub(crate) token: Option<String>,
    /// Whether its making fails.
    #[serde(default)]
    pub(crate) fails: bool,
    /// Work time of the next change of status.
    pub(crate) due: Option<Duration>,
}

/// A managed add-on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Addon {
    /// Its name, one of the catalogue's.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// Its version.
    pub(crate) version: String,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) modified_at: Timestamp,
    /// Its status.
    pub(crate) status: Status,
    /// The role of its service account.
    pub(crate) role_arn: Option<String>,
    /// Its configuration, as asked.
    pub(crate) configuration: Option<String>,
    /// Its tags.
    pub(crate) tags: Tags,
    /// Its updates, oldest first.
    pub(crate) updates: Vec<Update>,
    /// What its making will end in, where that fails: EKS' code.
    #[serde(default)]
    pub(crate) failure: Option<String>,
    /// Work time of the next change of status.
    pub(crate) due: Option<Duration>,
}

/// An identity that the cluster lets in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessEntry {
    /// The principal's ARN, as asked.
    pub(crate) principal: String,
    /// Its own ARN.
    pub(crate) arn: String,
    /// Groups that RBAC may name.
    pub(crate) groups: Vec<String>,
    /// The name that Kubernetes sees.
    pub(crate) username: String,
    /// `STANDARD`, `EC2_LINUX`, …
    pub(crate) kind: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) modified_at: Timestamp,
    /// Its tags.
    pub(crate) tags: Tags,
    /// Its access policies, by ARN.
    pub(crate) policies: BTreeMap<String, AccessPolicy>,
}

/// An access policy of an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessPolicy {
    /// `{"type": …, "namespaces": […]}`.
    pub(crate) scope: Value,
    /// When it was associated.
    pub(crate) associated_at: Timestamp,
    /// When it was last changed.
    pub(crate) modified_at: Timestamp,
}

/// An update of a cluster, a node group or an add-on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Update {
    /// Its id, a UUID.
    pub(crate) id: String,
    /// `InProgress`, `Successful` or `Failed`.
    pub(crate) status: String,
    /// `VersionUpdate`, `ConfigUpdate`, …
    pub(crate) kind: String,
    /// What was asked.
    pub(crate) params: Vec<(String, String)>,
    /// When.
    pub(crate) created_at: Timestamp,
    /// Why it failed.
    pub(crate) errors: Vec<Issue>,
    /// The client's token.
    pub(crate) token: Option<String>,
}

impl Update {
    /// Whether it still goes on.
    pub(crate) fn in_progress(&self) -> bool {
        self.status == "InProgress"
    }
}

/// An upgrade insight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Insight {
    /// Its id, a UUID.
    pub(crate) id: String,
    /// Its title.
    pub(crate) name: String,
    /// The version that it is about.
    pub(crate) kubernetes_version: String,
    /// What was found.
    pub(crate) description: String,
    /// `PASSING`, `WARNING` or `ERROR`.
    pub(crate) status: String,
    /// Why that status.
    pub(crate) reason: String,
    /// What to do.
    pub(crate) recommendation: String,
    /// When it was found.
    pub(crate) found_at: Timestamp,
}
