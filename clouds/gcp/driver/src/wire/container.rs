//! Google Kubernetes Engine v1.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>

#![expect(clippy::struct_field_names, reason = "the names are GKE's own")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_model::Tags;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A cluster as GKE describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    /// Unique, and never used again.
    pub(crate) id: String,
    /// A zone or a region.
    pub(crate) location: String,
    /// The zones of its nodes.
    pub(crate) locations: Vec<String>,
    pub(crate) status: String,
    pub(crate) status_message: String,
    pub(crate) conditions: Vec<StatusCondition>,
    pub(crate) current_master_version: String,
    /// The address of the control plane.
    pub(crate) endpoint: String,
    pub(crate) master_auth: MasterAuth,
    /// The network's name alone.
    pub(crate) network: String,
    pub(crate) subnetwork: String,
    pub(crate) network_config: NetworkConfig,
    pub(crate) node_pools: Vec<NodePool>,
    pub(crate) resource_labels: Tags,
    pub(crate) label_fingerprint: String,
    pub(crate) release_channel: ReleaseChannel,
    /// By name; each says `disabled` or `enabled` in its own way.
    pub(crate) addons_config: BTreeMap<String, Value>,
    pub(crate) autopilot: Switch,
    pub(crate) cluster_ipv4_cidr: String,
    pub(crate) services_ipv4_cidr: String,
    pub(crate) create_time: Option<Timestamp>,
    pub(crate) etag: String,
    pub(crate) self_link: String,
}

/// Something that is on or off.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Switch {
    pub(crate) enabled: bool,
}

/// Why something is as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StatusCondition {
    /// GKE's own word, such as `GCE_STOCKOUT`.
    pub(crate) code: String,
    /// The word of all Google's services, such as `RESOURCE_EXHAUSTED`.
    pub(crate) canonical_code: String,
    pub(crate) message: String,
}

/// How a control plane is authenticated to and trusted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MasterAuth {
    /// Base64 of PEM.
    pub(crate) cluster_ca_certificate: String,
}

/// Where a cluster lies, with the project of a shared network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkConfig {
    /// `projects/P/global/networks/N`.
    pub(crate) network: String,
    /// `projects/P/regions/R/subnetworks/S`.
    pub(crate) subnetwork: String,
}

/// The channel that brings a cluster its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ReleaseChannel {
    pub(crate) channel: String,
}

/// A node pool as GKE describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodePool {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) status_message: String,
    pub(crate) conditions: Vec<StatusCondition>,
    pub(crate) version: String,
    pub(crate) config: NodeConfig,
    pub(crate) autoscaling: NodePoolAutoscaling,
    /// The zones of its nodes.
    pub(crate) locations: Vec<String>,
    /// URLs of managed instance groups, one a zone.
    pub(crate) instance_group_urls: Vec<String>,
    pub(crate) management: NodeManagement,
}

/// What nodes are made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeConfig {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) machine_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) image_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) disk_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_size_gb: Option<u32>,
    /// Network tags: what firewall rules aim at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// Of the instances.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Labels of the nodes in Kubernetes.
    #[serde(skip_serializing)]
    pub(crate) labels: BTreeMap<String, String>,
    /// Labels of the instances and their disks.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) resource_labels: Tags,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_account: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) spot: bool,
}

/// The autoscaler's limits: for each zone, or (`total…`) for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodePoolAutoscaling {
    pub(crate) enabled: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) min_node_count: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) max_node_count: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) total_min_node_count: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) total_max_node_count: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What GKE does to nodes by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeManagement {
    pub(crate) auto_upgrade: bool,
    pub(crate) auto_repair: bool,
}

/// Asks for a cluster with its node pools.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CreateCluster {
    pub(crate) cluster: NewCluster,
}

/// A cluster that is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewCluster {
    pub(crate) name: String,
    pub(crate) initial_cluster_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) release_channel: Option<ReleaseChannel>,
    pub(crate) network: String,
    pub(crate) subnetwork: String,
    pub(crate) locations: Vec<String>,
    pub(crate) ip_allocation_policy: IpAllocationPolicy,
    pub(crate) resource_labels: Tags,
    pub(crate) node_pools: Vec<NewNodePool>,
}

/// Where the addresses of pods and services come from.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IpAllocationPolicy {
    pub(crate) use_ip_aliases: bool,
}

/// A node pool that is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewNodePool {
    pub(crate) name: String,
    /// Of each zone.
    pub(crate) initial_node_count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    pub(crate) config: NodeConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) autoscaling: Option<NodePoolAutoscaling>,
    pub(crate) management: NodeManagement,
    pub(crate) locations: Vec<String>,
}

/// Asks for a node pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateNodePool {
    pub(crate) node_pool: NewNodePool,
}

/// One change of a cluster.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desired_master_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desired_node_pool_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desired_node_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desired_release_channel: Option<ReleaseChannel>,
    /// What was read: a change in between is refused as `ABORTED`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) etag: String,
}

/// The same in the form of the call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct UpdateCluster {
    pub(crate) update: ClusterUpdate,
}

/// All labels of a cluster, with the fingerprint of those that they replace.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetLabels {
    pub(crate) resource_labels: Tags,
    pub(crate) label_fingerprint: String,
}

/// The number of nodes of each zone.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetSize {
    pub(crate) node_count: u32,
}

/// The autoscaler's switch and limits.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct SetAutoscaling {
    pub(crate) autoscaling: NodePoolAutoscaling,
}

/// GKE's own work.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Operation {
    /// `operation-…`.
    pub(crate) name: String,
    pub(crate) operation_type: String,
    pub(crate) status: String,
    pub(crate) status_message: String,
    pub(crate) detail: String,
    /// What it works on.
    pub(crate) target_link: String,
    /// A zone or a region.
    pub(crate) location: String,
    pub(crate) error: Option<OperationError>,
}

/// Why GKE's own work failed.
///
/// Source: <https://cloud.google.com/apis/design/errors>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OperationError {
    /// A number of `google.rpc.Code`.
    pub(crate) code: i64,
    pub(crate) message: String,
}

/// The clusters of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClusterList {
    pub(crate) clusters: Vec<Cluster>,
    /// Zones and regions that did not answer.
    pub(crate) missing_zones: Vec<String>,
}

/// GKE's own work in a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OperationList {
    pub(crate) operations: Vec<Operation>,
}

/// What GKE offers in a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServerConfig {
    pub(crate) default_cluster_version: String,
    pub(crate) valid_master_versions: Vec<String>,
    pub(crate) valid_node_versions: Vec<String>,
    pub(crate) default_image_type: String,
    pub(crate) valid_image_types: Vec<String>,
    pub(crate) channels: Vec<Channel>,
}

/// What a release channel offers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Channel {
    pub(crate) channel: String,
    pub(crate) default_version: String,
    pub(crate) valid_versions: Vec<String>,
}
