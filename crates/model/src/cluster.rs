//! What a cloud says of a cluster: control plane, node groups, add-ons, endpoint.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Iid, KeyValueList, Scaling, Status, Tags, Version};

/// A managed Kubernetes cluster as its cloud describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its names.
    pub iid: Iid,
    /// The region it lies in, as connections name it; empty where an identifier can name none of another region.
    #[serde(default)]
    pub region: String,
    /// What tells it from another of the same name made later; never empty.
    pub incarnation: String,
    /// The control plane's version; `None` while the cloud does not say.
    pub version: Option<Version>,
    /// Where it lives.
    pub network: ClusterNetwork,
    /// Its node groups, ordered by name.
    pub node_groups: Vec<NodeGroup>,
    /// How its Kubernetes API is reached.
    pub access: AccessInfo,
    /// What runs in it on the cloud's account.
    pub addons: Vec<Addon>,
    /// How it is.
    pub status: Status,
    /// Why it is so, in the cloud's words; empty if there is nothing to say.
    pub status_reason: String,
    /// When the cloud made it.
    pub created_at: Option<Timestamp>,
    /// Its tags at the cloud, our marks included.
    pub tags: Tags,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// Where a cluster lives: the cloud's identifiers in `system_id`, our names where we know them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterNetwork {
    /// The network (CB-Spider: VPC).
    pub network: Iid,
    /// Its subnets.
    pub subnets: Vec<Iid>,
    /// Its security groups.
    pub security_groups: Vec<Iid>,
}

/// How the Kubernetes API of a cluster is reached. Holds no credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessInfo {
    /// The URL of the Kubernetes API; empty until there is one.
    pub endpoint: String,
    /// The PEM certificates that the endpoint's certificate is signed by; empty: the public ones.
    pub certificate_authority: String,
}

/// Something that the cloud runs in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addon {
    /// Its name.
    pub name: String,
    /// Its version as the cloud writes it.
    pub version: String,
    /// Its state in the cloud's words.
    pub status: String,
}

/// Nodes of one image and one machine type, with scaling limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroup {
    /// Its names.
    pub iid: Iid,
    /// What tells it from another of the same name made later; never empty, and the same from the first look to the
    /// end. Where the cloud has nothing of the kind, the cluster's.
    pub incarnation: String,
    /// The nodes' Kubernetes version.
    pub version: Option<Version>,
    /// The image, in the cloud's words.
    pub image: String,
    /// The machine type.
    pub machine_type: String,
    /// The root disk's type; empty where the cloud does not say.
    pub root_disk_type: String,
    /// The root disk's size in GiB; 0 where the cloud does not say.
    pub root_disk_size_gib: u32,
    /// The key pair; both names empty if there is none.
    pub key_pair: Iid,
    /// Limits and size, as the cloud has them.
    pub scaling: Option<Scaling>,
    /// How it is.
    pub status: Status,
    /// Why it is so, in the cloud's words.
    pub status_reason: String,
    /// Its nodes, ordered by identifier; empty where a read was asked for less.
    pub nodes: Vec<Iid>,
    /// When the cloud made it.
    pub created_at: Option<Timestamp>,
    /// Its tags at the cloud.
    pub tags: Tags,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// One VM of a node group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Its names: that of the Kubernetes node, and the VM's identifier.
    pub iid: Iid,
    /// The node group it belongs to, by name.
    pub node_group: String,
    /// The machine type.
    pub machine_type: String,
    /// `linux` or `windows`; empty where nobody says.
    #[serde(default)]
    pub operating_system: String,
    /// The zone it runs in.
    pub zone: String,
    /// The subnet it is in; empty where the cloud does not tell it with the VM.
    #[serde(default)]
    pub subnet: Iid,
    /// The security groups that guard it; empty where the cloud does not tell them with the VM.
    #[serde(default)]
    pub security_groups: Vec<Iid>,
    /// Its address within the network.
    pub private_ip: String,
    /// Its public address; empty if it has none.
    pub public_ip: String,
    /// The VM's state in the cloud's words.
    pub state: String,
    /// When it started.
    pub launched_at: Option<Timestamp>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// What an image setting of a node group means at a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImageKind {
    /// One of the cloud's image types, such as `AL2023_x86_64_STANDARD`.
    Type,
    /// An image's identifier.
    Identifier,
    /// Not choosable.
    Fixed,
}

/// Something that came into being because a cluster stood: a balancer, a volume, a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// What it is, in one word such as `loadBalancer`, [`Child::VOLUME`], `securityGroup`, `networkInterface`.
    pub kind: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Its name, if it has one.
    pub name: String,
    /// Who made it, such as `Service default/web`.
    pub made_by: String,
    /// Whether deleting the cluster takes it along.
    pub goes_with_cluster: bool,
}

impl Child {
    /// The word of a volume that a workload asked for: what it holds may be wanted after the cluster.
    pub const VOLUME: &'static str = "volume";
}

/// All that came into being because a cluster stood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Children {
    /// What was found.
    pub found: Vec<Child>,
    /// What could not be looked at, and why.
    pub unknown: Vec<Unseen>,
}

/// A part of a cluster's children that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unseen {
    /// What, such as `load balancers`.
    pub what: String,
    /// Why.
    pub why: String,
    /// Whether volumes may be among it that workloads asked for.
    pub volumes: UnseenVolumes,
}

/// What becomes of unseen volumes when the cluster is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnseenVolumes {
    /// There are none.
    None,
    /// They stay, and nobody knows of them any more.
    Stay,
    /// They go with the cluster, and with them what they hold.
    Go,
}

impl std::fmt::Display for Unseen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}
