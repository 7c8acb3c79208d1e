//! Providers: what each can do, its limits and its rules, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Its name, as in a connection.
    pub name: String,
    /// The product's name.
    pub title: String,
    /// The credential forms; a connection uses one of them.
    pub credential_forms: Vec<CredentialForm>,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// One way to prove who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialForm {
    /// Its name.
    pub name: String,
    /// What it is.
    pub help: String,
    /// Its fields.
    pub fields: Vec<CredentialField>,
}

/// A field of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialField {
    /// Its name.
    pub name: String,
    /// Whether it is never shown.
    pub secret: bool,
    /// Whether the form needs it.
    pub required: bool,
    /// The environment variable that the cloud's own tools use for it; empty: none.
    pub env: String,
    /// What it is.
    pub help: String,
}

/// What a provider can do. Words of choices are in camelCase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each named after what it says")]
pub struct Capabilities {
    /// The services whose endpoints a connection may replace, beside `all`.
    pub services: Vec<String>,
    /// A region that every account has.
    pub first_region: String,
    /// The provider's own settings of a connection.
    pub settings: Vec<OptionField>,
    /// The provider's own options of a cluster.
    pub cluster_options: Vec<OptionField>,
    /// The operation kinds that it has. The others answer 501.
    pub operations: Vec<String>,
    /// What names of clusters are allowed.
    pub cluster_name: NameRule,
    /// What names of node groups are allowed.
    pub node_group_name: NameRule,
    /// What names of networks are allowed.
    pub network_name: NameRule,
    /// What names of subnets are allowed.
    pub subnet_name: NameRule,
    /// What names of security groups are allowed.
    pub security_group_name: NameRule,
    /// What names of key pairs are allowed.
    pub key_pair_name: NameRule,
    /// How names that are to be unique are formed, by kind: `cluster`, `nodeGroup`, `network`, `subnet`, `securityGroup`,
    /// `keyPair`.
    #[serde(default)]
    pub unique_names: BTreeMap<String, UniqueName>,
    /// What tags are allowed; absent: it has no tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagRule>,
    /// Whether, and how many, node groups may be asked for with a cluster.
    pub node_groups_at_creation: NodeGroupsAtCreation,
    /// The least number of subnets of a cluster.
    pub minimum_subnets: usize,
    /// The least number of different zones that these subnets lie in.
    pub minimum_zones: usize,
    /// The most subnets of a cluster; absent: as many as the user likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_subnets: Option<usize>,
    /// Whether a subnet lies in one zone. Elsewhere it spans the zones, and none is given for it.
    pub zonal_subnets: bool,
    /// The kinds of resources that take tags: of `cluster`, `network`, `subnet`, `securityGroup` and `keyPair`.
    pub tagged: Vec<String>,
    /// Whether a cluster takes security groups: `required`, `optional` or `forbidden`.
    pub security_groups: String,
    /// What a node group's image means: `type`, `identifier` or `fixed`.
    pub image: String,
    /// The root disks of nodes.
    pub root_disk: RootDisk,
    /// What a node group's key pair is: `required`, `optional`, `ofCluster` (one for all node groups) or
    /// `unused`.
    pub key_pair: String,
    /// Whether a node group may have no nodes.
    pub scales_to_zero: bool,
    /// How autoscaling is switched.
    pub auto_scaling: AutoScaling,
    /// What lets a client in at a cluster: `bearer`, `clientCertificate`, or `byCluster`: the one or the other, by how
    /// the cluster was made.
    pub token: String,
    /// What that opens: the `cluster`, all `clusters` that the credential may use, or the `account`: then only
    /// administrators are handed one.
    pub token_reach: String,
    /// Whether there is a `native` kubeconfig.
    pub native_kubeconfig: bool,
    /// Whether there is a `static` kubeconfig.
    pub static_kubeconfig: bool,
    /// Whether the last node group may be removed: `removable`, `kept`, or `systemKept`: the first one, which runs the
    /// cloud's own pods, is kept and has at least one node.
    pub last_node_group: String,
    /// How versions are raised.
    pub upgrade: VersionRules,
    /// What becomes of a cluster whose creation failed: `replace` or `repair`.
    pub failed_create: String,
    /// What it measures of nodes.
    pub node_metrics: Vec<String>,
    /// The intervals of such measures in minutes; empty: any.
    pub metric_intervals: Vec<u32>,
    /// The cloud's request limits.
    pub buckets: Vec<ActionBucket>,
    /// The most calls that each read makes.
    pub call_bounds: Vec<CallBound>,
    /// The longest time in seconds during which something that was just made may still be «not found».
    pub visible_after: u64,
}

/// What names are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NameRule {
    /// An anchored regular expression.
    pub pattern: String,
    /// The same in words.
    pub says: String,
}

/// How unique names of a kind are formed: the asked name in lower case, cut, then the joint, then the suffix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UniqueName {
    /// The most characters of the whole.
    pub most: usize,
    /// What stands before the suffix, and for hyphens and underscores; empty: nothing does.
    pub joint: String,
    /// How many characters are left to chance.
    pub suffix: usize,
}

/// What tags are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagRule {
    /// The most tags of a resource.
    pub most: usize,
    /// What keys are allowed.
    pub key: NameRule,
    /// What values are allowed; an empty one may be.
    pub value: NameRule,
}

/// Whether, and how many, node groups may be asked for with a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroupsAtCreation {
    /// `required`, `optional` or `forbidden`.
    pub presence: String,
    /// The most of them.
    pub most: usize,
}

/// The root disks of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RootDisk {
    /// The types to choose from; empty: not choosable.
    pub types: Vec<String>,
    /// What the cloud takes where the user says nothing, in GiB.
    pub default_gib: u32,
    /// The least size in GiB.
    pub min_gib: u32,
    /// The largest size in GiB; 0: not choosable.
    pub max_gib: u32,
}

/// How autoscaling is switched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoScaling {
    /// Whether the cloud itself moves the size. If not, an autoscaler in the cluster has to.
    pub managed: bool,
    /// Whether limits are kept while autoscaling is off. If not, they wait for it.
    pub keeps_limits: bool,
    /// What the switch does.
    pub says: String,
}

/// How versions are raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionRules {
    /// Whether the control plane rises one minor at a time.
    pub one_minor_at_a_time: bool,
    /// Whether every node group must be at the control plane's version before its next hop.
    pub node_groups_before_next_hop: bool,
    /// The most minors that nodes may lie behind the control plane.
    pub largest_skew: u32,
}

/// A request limit of a cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionBucket {
    /// The service; empty: all of them together, beside their own limits.
    pub service: String,
    /// The action; empty: every one that has no limit of its own. Of all services together: an HTTP method.
    pub action: String,
    /// How many requests at once.
    pub burst: u32,
    /// How many a second after that.
    pub per_second: f64,
}

/// The most calls that a read makes: `fixed + clusters × perCluster + node groups × perNodeGroup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallBound {
    /// The read.
    pub read: String,
    /// Calls for any answer.
    pub fixed: u32,
    /// Calls for each cluster.
    pub per_cluster: u32,
    /// Calls for each node group.
    pub per_node_group: u32,
}

/// An option or setting of the provider's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OptionField {
    /// Its name.
    pub name: String,
    /// `boolean`, `text`, `texts` or `choice`.
    pub kind: String,
    /// The words to choose from, for `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Its default, in words or as the value is written; empty: none.
    pub default: String,
    /// What it is for.
    pub help: String,
    /// Whether it can be changed after creation.
    pub changeable: bool,
}
