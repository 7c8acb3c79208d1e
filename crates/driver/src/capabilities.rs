//! What a provider can do, its limits and its rules, as data. One literal a provider; nothing else in the program
//! asks which provider it is.

use std::time::Duration;

use pmks_model::{
    Findings, ImageKind, NameRule, NodeMetric, OperationKind, ResourceKind, Says, Scaling, ScalingChange,
    ScalingField, Term,
};
use pmks_transport::{Bucket, Buckets};
use serde::Serialize;

use crate::{Form, UniqueNames};

/// Everything that differs between providers and that somebody outside the driver must know.
///
/// It is the provider's literal, narrowed by the connection where a region or endpoint differs
/// ([`crate::Driver::capabilities`]).
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each named after what it says")]
pub struct Capabilities {
    /// The provider's name, as in a connection: `aws`.
    pub provider: &'static str,
    /// The product's name, for people: `Amazon EKS`.
    pub title: &'static str,
    /// The services whose endpoints a connection may replace (`eks`, `ec2`, …), beside `all`.
    pub services: &'static [&'static str],
    /// A region that every account has: what is asked for before anybody has chosen one, as which regions there are,
    /// is asked there.
    pub first_region: &'static str,
    /// The credential forms; a connection uses one of them.
    pub credential_forms: &'static [Form],
    /// The provider's own settings of a connection.
    pub settings: &'static [OptionField],
    /// The provider's own options of a cluster.
    pub cluster_options: &'static [OptionField],
    /// The operation kinds that this provider has. The others answer `Unsupported`.
    pub operations: &'static [OperationKind],
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
    /// How names are formed that are to be unique; each is one that the rules allow.
    pub unique_names: UniqueNames,
    /// What tags are allowed; `None`: the provider has no tags.
    pub tags: Option<TagRule>,
    /// Whether, and how many, node groups may be asked for with the cluster.
    pub node_groups_at_creation: NodeGroupsAtCreation,
    /// The least number of subnets of a cluster.
    pub minimum_subnets: usize,
    /// The least number of different zones that these subnets lie in.
    pub minimum_zones: usize,
    /// The most subnets of a cluster; `None`: as many as the user likes.
    pub most_subnets: Option<usize>,
    /// Whether a subnet lies in one zone. Elsewhere it spans the region's, and a zone that is given for it is a finding.
    pub zonal_subnets: bool,
    /// Whether a network has addresses of its own at the cloud, of which its subnets take parts. Elsewhere only subnets
    /// have any; a network may be asked for without, and those that it is asked for with are kept here alone.
    pub network_addresses: bool,
    /// The kinds of resources that take the user's tags, by that rule. Our marks everything carries in any case, and reads
    /// give them as tags.
    pub tagged: &'static [ResourceKind],
    /// Whether a cluster takes security groups.
    pub security_groups: Presence,
    /// What a node group's image setting means.
    pub image: ImageKind,
    /// The root disks of nodes.
    pub root_disk: RootDisk,
    /// What a node group's key pair is used for.
    pub key_pair: KeyPairUse,
    /// Whether a node group may have no nodes.
    pub scales_to_zero: bool,
    /// How autoscaling is switched.
    pub auto_scaling: AutoScaling,
    /// What lets a client in at the cluster's Kubernetes API.
    pub token: TokenKind,
    /// What that opens beside the cluster.
    pub token_reach: TokenReach,
    /// Whether the cloud has a credential plugin of its own for kubeconfigs. Where [`TokenKind::ByCluster`], some
    /// clusters may not know it: the driver answers `Precondition` for those.
    pub native_kubeconfig: bool,
    /// Whether the cloud hands out kubeconfigs with a credential that does not expire soon; the same exception.
    pub static_kubeconfig: bool,
    /// Whether the last node group may be removed.
    pub last_node_group: LastNodeGroup,
    /// How versions are raised.
    pub upgrade: Upgrade,
    /// What becomes of a cluster whose creation failed.
    pub failed_create: FailedCreate,
    /// Whether one list of the cloud tells how everything under way in an account and location stands
    /// ([`crate::Driver::list_progress`]): more than five that wait there are answered by it.
    pub progress_list: bool,
    /// What the cloud measures of nodes by itself ([`crate::Driver::node_metrics`]). Others are `Unsupported`.
    pub node_metrics: &'static [NodeMetric],
    /// The intervals of such measures in minutes; empty: any.
    pub metric_intervals: &'static [u32],
    /// The cloud's request limits.
    pub buckets: &'static [ActionBucket],
    /// The most calls that each read makes.
    pub call_bounds: &'static [CallBound],
    /// The longest time during which something that was just made may still be «not found».
    #[serde(serialize_with = "seconds")]
    pub visible_after: Duration,
}

/// Whether something must, may or must not be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// At least one.
    Required,
    /// As the user likes.
    Optional,
    /// None.
    Forbidden,
}

/// Whether, and how many, node groups may be asked for with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroupsAtCreation {
    /// Whether they must, may or must not be given.
    pub presence: Presence,
    /// The most of them.
    pub most: usize,
}

/// The root disks of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RootDisk {
    /// The types to choose from; empty: not choosable.
    pub types: &'static [&'static str],
    /// What the cloud takes where the user says nothing, in GiB.
    pub default_gib: u32,
    /// The least size in GiB.
    pub min_gib: u32,
    /// The largest size in GiB; 0: the size is not choosable.
    pub max_gib: u32,
}

/// What a node group's key pair is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyPairUse {
    /// A node group needs one.
    Required,
    /// A node group may have one.
    Optional,
    /// The cluster may have one, for the nodes of all its node groups: those that name one name the same. Which one a
    /// standing cluster has, the driver knows: a node group that is added with another is its finding.
    OfCluster,
    /// The cloud has no use for one.
    Unused,
}

/// How autoscaling is switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScaling {
    /// Whether the cloud itself moves the size. If not, an autoscaler in the cluster has to.
    pub managed: bool,
    /// Whether limits are kept while autoscaling is off. If not, a node group whose autoscaling is off is observed
    /// with both limits at its size, and what is asked of its limits waits for autoscaling.
    pub keeps_limits: bool,
    /// What the switch does, for people.
    pub says: &'static str,
}

/// What lets a client in at a cluster's Kubernetes API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// A bearer token.
    Bearer,
    /// A client certificate.
    ClientCertificate,
    /// The one or the other, by how the cluster was made.
    ByCluster,
}

/// What a cluster's token opens. A driver asks for the narrowest that the Kubernetes API takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenReach {
    /// The one cluster that it was made for.
    Cluster,
    /// Every cluster of the product that the connection's credential may use, and nothing else.
    Clusters,
    /// More than clusters: what the credential may do in the account. Only administrators are handed one.
    Account,
}

/// Whether the last node group may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LastNodeGroup {
    /// It may.
    Removable,
    /// The cloud keeps at least one.
    Kept,
    /// The cloud keeps one for its own pods, the first that a cluster is made with, and it is never without nodes. The
    /// others may be removed; the driver refuses what would leave none of that kind.
    SystemKept,
}

/// How versions are raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// Whether the control plane rises one minor at a time.
    pub one_minor_at_a_time: bool,
    /// Whether every node group must be at the control plane's version before its next hop.
    pub node_groups_before_next_hop: bool,
    /// The most minors that nodes may lie behind the control plane.
    pub largest_skew: u32,
}

/// What becomes of a cluster or node group whose creation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FailedCreate {
    /// It never comes right: a retry removes it ([`crate::StageCalls::remove_failed`]) and makes it again.
    Replace,
    /// The cloud goes on with it when it is asked again: a retry sends the ask once more, which reads what stands,
    /// refuses what is not this operation's, and sends its change on the condition that nothing moved meanwhile.
    Repair,
}

/// A request limit of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionBucket {
    /// The service; empty: all services together, beside their own buckets.
    pub service: &'static str,
    /// The action; empty: every action of the service that has no bucket of its own. Of all services together: an HTTP
    /// method.
    pub action: &'static str,
    /// How many requests at once.
    pub burst: u32,
    /// How many a second after that.
    pub per_second: f64,
}

/// The most calls that a read makes: `fixed + clusters × per_cluster + node groups × per_node_group`, pages of
/// larger lists apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallBound {
    /// The read.
    pub read: ReadKind,
    /// Calls for any answer.
    pub fixed: u32,
    /// Calls for each cluster in the answer.
    pub per_cluster: u32,
    /// Calls for each node group in the answer.
    pub per_node_group: u32,
}

/// The reads whose number of calls is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReadKind {
    /// `list_clusters` of identifiers alone.
    ListClusterIds,
    /// `list_clusters` of whole clusters.
    ListClusters,
    /// `list_clusters` with the nodes' identifiers.
    ListClustersWithNodes,
    /// `get_cluster`, with its node groups and their nodes' identifiers.
    GetCluster,
    /// `nodes` of a cluster.
    Nodes,
    /// `node_metrics`.
    NodeMetrics,
    /// `versions`.
    Versions,
    /// `list_security_groups`.
    ListSecurityGroups,
    /// `list_key_pairs`.
    ListKeyPairs,
    /// `generate_cluster_token`.
    ClusterToken,
}

/// What tags a cloud allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagRule {
    /// The most tags of a resource that a user may give; our marks are already taken off.
    pub most: usize,
    /// What keys are allowed.
    pub key: NameRule,
    /// What values are allowed. Some clouds have labels in lower case alone; an empty value may be one.
    pub value: NameRule,
}

/// An option or setting of the provider's own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OptionField {
    /// Its name in camelCase.
    pub name: &'static str,
    /// Its type.
    pub kind: OptionKind,
    /// Its default, in words or as the value is written; empty: none.
    pub default: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Whether it can be changed after creation.
    pub changeable: bool,
}

/// The type of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OptionKind {
    /// `true` or `false`.
    Boolean,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// One of these words.
    Choice(&'static [&'static str]),
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

impl Capabilities {
    /// The bound of a read, if one is stated.
    pub fn call_bound(&self, read: ReadKind) -> Option<CallBound> {
        self.call_bounds.iter().copied().find(|bound| bound.read == read)
    }

    /// The request limits, as the transport keeps them.
    pub fn budget(&self) -> Buckets {
        self.buckets.iter().fold(Buckets::default(), |buckets, limit| {
            let bucket = Bucket::new(limit.burst, limit.per_second);
            match (limit.service, limit.action) {
                ("", method) => buckets.method(method, bucket),
                (service, "") => buckets.service(service, bucket),
                (_, action) => buckets.action(action, bucket),
            }
        })
    }

    /// Whether resources of this kind take the user's tags.
    pub fn takes_tags(&self, kind: ResourceKind) -> bool {
        self.tags.is_some() && self.tagged.contains(&kind)
    }

    /// What is said where they do not.
    pub fn no_tags(&self, kind: ResourceKind) -> Says {
        Says::from("a ")
            .term(Term::Kind(kind))
            .text(format!(" of {} takes no tags of the user's", self.title))
    }

    /// Whether the provider has this kind of operation.
    pub fn has(&self, kind: OperationKind) -> bool {
        self.operations.contains(&kind)
    }
}

impl AutoScaling {
    /// The whole scaling that a change results in.
    pub fn apply(self, change: ScalingChange, now: Scaling) -> Scaling {
        if self.keeps_limits { change.applied_to(now) } else { change.applied_without_limits(now) }
    }

    /// Finds a size that nobody would set: while autoscaling is on, the size is the autoscaler's, at every cloud. One that
    /// comes with limits says where in them creation would start, and is not sent. `wanted` is the whole scaling that
    /// results.
    pub fn find_lost_size(self, asked: ScalingChange, wanted: Scaling, findings: &mut Findings) {
        if asked.is_lost(wanted) {
            let says = Says::from(
                "autoscaling is on, and moves the size by itself: switch it off to set the size (",
            )
            .term(Term::AutoScalingOff)
            .text("), or move ")
            .term(Term::Field(ScalingField::Min))
            .text(" and ")
            .term(Term::Field(ScalingField::Max));
            findings.add("scaling.desired", says);
        }
    }

    /// What a plan says where limits are asked for that nothing holds before autoscaling is on; for
    /// [`crate::Prepared::notices`]. `wanted` is the whole scaling that results.
    pub fn waiting_limits(self, asked: ScalingChange, wanted: Scaling) -> Option<String> {
        let differs = |limit: Option<u32>| limit.is_some_and(|limit| limit != wanted.desired);
        let waits = !self.keeps_limits && !wanted.auto_scaling && (differs(asked.min) || differs(asked.max));
        waits.then(|| "the limits wait for autoscaling: the cloud keeps none while it is off".to_owned())
    }
}

impl CallBound {
    /// The most calls for an answer of that size.
    pub fn most(&self, clusters: u32, node_groups: u32) -> u32 {
        self.fixed + clusters * self.per_cluster + node_groups * self.per_node_group
    }
}
