//! The bodies of `/v1`: serde and schema, no logic. Shared by the server and the command line, and apart from the
//! domain, so that a change of the domain never changes what clients see unnoticed.
//!
//! JSON in camelCase, times as RFC 3339 texts in UTC, sizes in GiB. Unknown fields of requests are refused. The fields
//! of an answer that a request has too carry what was asked for; what the cloud says stands in `observed`.

mod cluster;
mod connection;
mod discovery;
mod error_page;
mod installation;
mod list;
mod network;
mod node_group;
mod operation;
mod problem;
mod provider;

pub use cluster::{
    AccessToken, Addon, Cluster, ClusterPatch, Clusters, ImportCluster, ImportNodeGroup, Missed, NewCluster,
    ObservedCluster, UnmanagedCluster, UnmanagedClusters, Upgrade, UpgradeNodeGroups,
};
pub use connection::{
    Account, Connection, ConnectionOrPlan, ConnectionPatch, CredentialValues, FixPrerequisites,
    NewConnection, Prerequisite, PrerequisiteState, Prerequisites, Validation,
};
pub use discovery::{Discovered, GpuKind, Image, KubernetesVersion, MachineType, Region};
pub use error_page::{PAGES, error_page};
pub use installation::{ApiToken, AuditEntry, Check, CreatedApiToken, Health, LogLevel, NewApiToken};
pub use list::List;
pub use network::{
    ChangeRules, CreatedKeyPair, KeyPair, Network, NewKeyPair, NewNetwork, NewSecurityGroup, NewSubnet,
    Record, Rule, SecurityGroup, Subnet, TagsPatch,
};
pub use node_group::{
    MetricValue, NewNodeGroup, Node, NodeGroup, NodeMetrics, ObservedNodeGroup, Scale, Scaling,
    UpgradeNodeGroup,
};
pub use operation::{
    Blocked, Child, Children, Operation, Plan, PlannedStage, Progress, Remains, ResourceReference,
    RetryOperation, Stage,
};
pub use problem::{Finding, Missing, Problem};
pub use provider::{
    ActionBucket, AutoScaling, CallBound, Capabilities, CredentialField, CredentialForm, NameRule,
    NodeGroupsAtCreation, OptionField, Provider, RootDisk, TagRule, UniqueName, VersionRules,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Tags: key to value.
pub type Tags = BTreeMap<String, String>;

/// Values of the provider's own options or settings, as its capabilities describe them.
pub type Options = BTreeMap<String, serde_json::Value>;

/// What a resource is called by its user and by its cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Iid {
    /// Our name.
    pub name_id: String,
    /// The cloud's own identifier; empty until the cloud has given one.
    pub system_id: String,
}

/// One of the cloud's own facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyValue {
    /// The cloud's name of it.
    pub key: String,
    /// Its value as text.
    pub value: String,
}
