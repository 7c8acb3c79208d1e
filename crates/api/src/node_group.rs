//! Node groups and nodes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Iid, KeyValue};

/// Limits and size of a node group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaling {
    /// Whether an autoscaler moves the size between the limits.
    pub auto_scaling: bool,
    /// The least number of nodes.
    pub min: u32,
    /// The largest number of nodes.
    pub max: u32,
    /// The wanted number of nodes; with autoscaling on, where creation starts.
    pub desired: u32,
}

/// A change of scaling: what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"desired": 3}))]
pub struct Scale {
    /// Autoscaling on or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<bool>,
    /// The least number of nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The largest number of nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The wanted number of nodes; alone only while autoscaling is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<u32>,
}

/// A node group to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "large", "machineType": "m6i.xlarge", "rootDiskType": "gp3", "rootDiskSizeGib": 50,
    "scaling": {"autoScaling": false, "min": 1, "max": 5, "desired": 2}
}))]
pub struct NewNodeGroup {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; absent: as what it is made with, else as the server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The wanted version; absent: follows the cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The machine type; absent: the provider's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub machine_type: String,
    /// The image; absent or `default`: the provider's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// The root disk's type; absent or `default`: the cloud's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root_disk_type: String,
    /// The root disk's size in GiB; absent: the cloud's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_disk_size_gib: Option<u32>,
    /// The key pair; absent: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key_pair: String,
    /// Limits and size; absent: one node, at a cloud that counts nodes by zone one in each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

/// A rise of a node group's version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"version": "1.34"}))]
pub struct UpgradeNodeGroup {
    /// The wanted version; absent: the cluster's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Goes on where pods cannot be moved.
    #[serde(default)]
    pub force: bool,
}

/// A node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroup {
    /// Our name.
    pub name: String,
    /// Whether pmks gave it a unique name at the cloud.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_cloud_name: bool,
    /// The version as it was asked for; empty: follows the cluster.
    pub version: String,
    /// The machine type.
    pub machine_type: String,
    /// The image.
    pub image: String,
    /// The root disk's type.
    pub root_disk_type: String,
    /// The root disk's size in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_disk_size_gib: Option<u32>,
    /// The key pair; empty: none.
    pub key_pair: String,
    /// Limits and size, as asked for, else as the cloud has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// Our record's id; empty where pmks keeps none.
    pub uid: String,
    /// Its cluster.
    pub cluster: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    #[serde(default)]
    pub cloud_name: String,
    /// How it is.
    pub status: String,
    /// Why.
    pub status_reason: String,
    /// Its nodes.
    pub nodes: Vec<Iid>,
    /// What the cloud says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedNodeGroup>,
    /// When the cloud made it, else our record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When the cloud was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// The cloud's own facts.
    pub key_value_list: Vec<KeyValue>,
}

/// What the cloud says of a node group, where it may differ from what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservedNodeGroup {
    /// The nodes' version; empty while the cloud does not say.
    pub version: String,
    /// The image.
    pub image: String,
    /// The machine type.
    pub machine_type: String,
    /// The root disk's type.
    pub root_disk_type: String,
    /// The root disk's size in GiB; 0: the cloud does not say.
    pub root_disk_size_gib: u32,
    /// Limits and size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

/// What the cloud measures of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeMetrics {
    /// The connection it belongs to.
    pub connection: String,
    /// Its cluster.
    pub cluster: String,
    /// Both names of the node.
    pub iid: Iid,
    /// What is measured.
    pub metric: String,
    /// What values are counted in: `percent`, the mean of an interval; `bytes` or `count`, the sum of one.
    pub unit: String,
    /// How long the interval of a value is.
    pub interval_minutes: u32,
    /// The values, the oldest first; an interval of which the cloud knows nothing has none.
    pub values: Vec<MetricValue>,
    /// When the cloud was asked.
    pub observed_at: String,
}

/// A value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricValue {
    /// When its interval began.
    pub at: String,
    /// The mean or the sum of the interval.
    pub value: f64,
}

/// A VM of a node group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// The name of the Kubernetes node.
    pub name: String,
    /// Both names: that of the Kubernetes node, and the VM's identifier.
    pub iid: Iid,
    /// The connection it belongs to.
    pub connection: String,
    /// Its cluster.
    pub cluster: String,
    /// Its node group.
    pub node_group: String,
    /// The machine type.
    pub machine_type: String,
    /// `linux` or `windows`; empty where nobody says.
    #[serde(default)]
    pub operating_system: String,
    /// The zone.
    pub zone: String,
    /// Its address within the network.
    pub private_ip: String,
    /// Its public address; empty if it has none.
    pub public_ip: String,
    /// The VM's state in the cloud's words.
    pub state: String,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launched_at: Option<String>,
    /// When the cloud was asked.
    pub observed_at: String,
    /// The cloud's own facts.
    pub key_value_list: Vec<KeyValue>,
}
