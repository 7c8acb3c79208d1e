//! Clusters, node groups and nodes as they are shown: what was asked for, and what the cloud said, with its time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_model::{
    AccessInfo, Addon, ClusterNetwork, Iid, KeyValueList, MetricUnit, MetricValue, MetricWindow, Node,
    NodeGroup, NodeMetric, Scaling, Status, Tags, Version,
};
use serde::{Deserialize, Serialize};

/// A cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterView {
    /// Our record's id.
    pub uid: String,
    /// The connection it belongs to.
    pub connection: String,
    /// Our name.
    pub name: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    pub cloud_name: String,
    /// Whether pmks made that name unique.
    pub unique_cloud_name: bool,
    /// The version as it was asked for; empty: the cloud's default, or imported.
    pub version: String,
    /// The network, by our name where we have one.
    pub network: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Those that were asked for alone, by both names as far as they have a record: some clouds keep none of a cluster.
    pub asked_security_groups: Vec<Iid>,
    /// Its node groups, ordered by name.
    pub node_groups: Vec<NodeGroupView>,
    /// The user's tags.
    pub tags: Tags,
    /// Whether a deletion is refused.
    pub deletion_protection: bool,
    /// The provider's own options, as they were asked for.
    pub options: BTreeMap<String, serde_json::Value>,
    /// Whether it was imported: nothing is desired then but what was asked for since.
    pub imported: bool,
    /// How it is.
    pub status: Status,
    /// Why.
    pub status_reason: String,
    /// How its Kubernetes API is reached.
    pub access: AccessInfo,
    /// What the cloud runs in it.
    pub addons: Vec<Addon>,
    /// What the cloud says.
    pub observed: Option<ObservedCluster>,
    /// When the cloud made it, else our record.
    pub created_at: Timestamp,
    /// When the cloud was last asked.
    pub observed_at: Option<Timestamp>,
    /// Why the last refresh did not succeed, if it did not.
    pub refresh_error: Option<String>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
    /// The version tag (`ETag`) that a PATCH must name.
    pub version_tag: String,
}

/// What the cloud says of a cluster, where it may differ from what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedCluster {
    /// How the cloud says that it is, whatever became of its node groups.
    pub status: Status,
    /// The control plane's version.
    pub version: Option<Version>,
    /// The network.
    pub network: Iid,
    /// Its subnets.
    pub subnets: Vec<Iid>,
    /// Its security groups.
    pub security_groups: Vec<Iid>,
    /// Its tags, our marks taken off.
    pub tags: Tags,
}

/// A node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroupView {
    /// Our record's id; empty where we keep none (made by somebody else in a cluster of ours).
    pub uid: String,
    /// Its cluster, by our name.
    pub cluster: String,
    /// Our name.
    pub name: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    pub cloud_name: String,
    /// Whether pmks made that name unique.
    pub unique_cloud_name: bool,
    /// The version as it was asked for; empty: follows the cluster.
    pub version: String,
    /// The machine type, as asked for, else as the cloud says.
    pub machine_type: String,
    /// The image, likewise.
    pub image: String,
    /// The root disk's type, likewise.
    pub root_disk_type: String,
    /// The root disk's size in GiB, likewise.
    pub root_disk_size_gib: Option<u32>,
    /// The key pair, by our name where we have one; empty: none.
    pub key_pair: String,
    /// Both names of it; the cloud's as our record has it, else as the cloud says.
    pub key_pair_iid: Iid,
    /// Limits and size as they were asked for, else as the cloud has them.
    pub scaling: Option<Scaling>,
    /// How it is.
    pub status: Status,
    /// Why.
    pub status_reason: String,
    /// Its nodes.
    pub nodes: Vec<Iid>,
    /// What the cloud says.
    pub observed: Option<ObservedNodeGroup>,
    /// When the cloud made it, else our record.
    pub created_at: Option<Timestamp>,
    /// When the cloud was last asked.
    pub observed_at: Option<Timestamp>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// What the cloud says of a node group, where it may differ from what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedNodeGroup {
    /// The nodes' version.
    pub version: Option<Version>,
    /// The image.
    pub image: String,
    /// The machine type.
    pub machine_type: String,
    /// The root disk's type.
    pub root_disk_type: String,
    /// The root disk's size in GiB; 0: the cloud does not say.
    pub root_disk_size_gib: u32,
    /// Limits and size.
    pub scaling: Option<Scaling>,
}

/// A cluster at the cloud of which we keep no record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnmanagedCluster {
    /// The connection through which it was found.
    pub connection: String,
    /// The cloud's name and identifier.
    pub iid: Iid,
    /// The control plane's version.
    pub version: Option<Version>,
    /// Where it lives.
    pub network: ClusterNetwork,
    /// Its node groups; of a list that was asked for clusters alone none.
    pub node_groups: Vec<NodeGroup>,
    /// How it is.
    pub status: Status,
    /// When the cloud made it.
    pub created_at: Option<Timestamp>,
    /// The pmks installation whose mark it carries, if it carries one.
    pub installation: Option<String>,
}

/// What the cloud measures of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeMetricsView {
    /// The connection it belongs to.
    pub connection: String,
    /// Its cluster, by our name.
    pub cluster: String,
    /// The node.
    pub node: Iid,
    /// What is measured.
    pub metric: NodeMetric,
    /// What the values are counted in.
    pub unit: MetricUnit,
    /// Which times were asked for.
    pub window: MetricWindow,
    /// The values, the oldest first.
    pub values: Vec<MetricValue>,
    /// When the cloud was asked.
    pub observed_at: Timestamp,
}

/// A VM of a node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    /// The connection it belongs to.
    pub connection: String,
    /// Its cluster, by our name.
    pub cluster: String,
    /// What the cloud says.
    #[serde(flatten)]
    pub node: Node,
    /// When the cloud was asked.
    pub observed_at: Timestamp,
}
