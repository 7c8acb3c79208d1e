//! Clusters.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Iid, KeyValue, List, NewNodeGroup, NodeGroup, Options, Problem, Tags};

/// A cluster to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "prod", "version": "1.33", "network": "net", "subnets": ["a", "c"], "securityGroups": ["ssh"],
    "nodeGroups": [{"name": "workers", "machineType": "t3.medium", "keyPair": "mine",
                    "scaling": {"autoScaling": true, "min": 1, "max": 3, "desired": 2}}],
    "tags": {"team": "platform"}
}))]
pub struct NewCluster {
    /// Our name.
    pub name: String,
    /// Whether it, and what is made with it, gets a unique name at the cloud, made of its own; absent: as the server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The wanted version; absent or `default`: the cloud's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The network, by our name or the cloud's identifier.
    pub network: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// The node groups to begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_groups: Vec<NewNodeGroup>,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    #[schema(inline)]
    pub tags: Tags,
    /// Whether pmks refuses a deletion until this is taken back; the cloud's own protection stays as it is.
    #[serde(default)]
    pub deletion_protection: bool,
    /// The provider's own options.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    #[schema(value_type = Object)]
    pub options: Options,
}

/// A merge patch of a cluster: `null` removes a tag, or all of them, and takes the protection back. Options are set,
/// and never removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"tags": {"team": null, "owner": "platform"}, "deletionProtection": true}))]
pub struct ClusterPatch {
    /// Tags to set or, with `null`, to remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<std::collections::BTreeMap<String, Option<String>>>,
    /// Whether pmks refuses a deletion; the cloud's own protection stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
    /// Options to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub options: Option<Options>,
}

/// An existing cluster to take over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "old", "systemId": "old-cluster"}))]
pub struct ImportCluster {
    /// Our name for it.
    pub name: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Goes on where another installation's live mark is on it.
    #[serde(default)]
    pub take_over: bool,
    /// Our names for its node groups, each by its identifier or its name at the cloud; the others have theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_groups: Vec<ImportNodeGroup>,
}

/// Our name for a node group of a cluster that is taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "workers", "systemId": "workers-1f0c"}))]
pub struct ImportNodeGroup {
    /// Our name for it.
    pub name: String,
    /// Its identifier or its name at the cloud.
    pub system_id: String,
}

/// A rise of a cluster's version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"version": "1.34", "nodeGroups": "all"}))]
pub struct Upgrade {
    /// The wanted version, a floor; absent or `default`: the cloud's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Which node groups go along: `"all"` (default), `"none"` or their names.
    #[serde(default)]
    pub node_groups: UpgradeNodeGroups,
    /// Goes on where the cloud only warns.
    #[serde(default)]
    pub force: bool,
}

/// Which node groups an upgrade takes along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum UpgradeNodeGroups {
    /// `"all"` or `"none"`.
    Word(String),
    /// Names.
    Names(Vec<String>),
}

impl Default for UpgradeNodeGroups {
    fn default() -> Self {
        Self::Word("all".to_owned())
    }
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Our name.
    pub name: String,
    /// Whether pmks gave it a unique name at the cloud.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_cloud_name: bool,
    /// The version as it was asked for; empty: the cloud's default.
    pub version: String,
    /// The network.
    pub network: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Its node groups, ordered by name.
    pub node_groups: Vec<NodeGroup>,
    /// The user's tags.
    #[schema(inline)]
    pub tags: Tags,
    /// Whether pmks refuses a deletion; the cloud's own protection stays as it is.
    pub deletion_protection: bool,
    /// The provider's own options, as they were asked for.
    #[schema(value_type = Object)]
    pub options: Options,
    /// Our record's id.
    pub uid: String,
    /// The connection it belongs to.
    pub connection: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    #[serde(default)]
    pub cloud_name: String,
    /// Whether it was imported.
    pub imported: bool,
    /// How it is.
    pub status: String,
    /// Why.
    pub status_reason: String,
    /// The URL of its Kubernetes API; empty until there is one.
    pub endpoint: String,
    /// The PEM certificates that the endpoint's certificate is signed by.
    pub certificate_authority: String,
    /// What the cloud runs in it.
    pub addons: Vec<Addon>,
    /// What the cloud says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedCluster>,
    /// When the cloud made it, else our record.
    pub created_at: String,
    /// When the cloud was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// Why the last refresh did not succeed, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_error: Option<String>,
    /// The cloud's own facts.
    pub key_value_list: Vec<KeyValue>,
}

/// What the cloud says of a cluster, where it may differ from what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservedCluster {
    /// The control plane's version; empty while the cloud does not say.
    pub version: String,
    /// The network.
    pub network: Iid,
    /// Its subnets.
    pub subnets: Vec<Iid>,
    /// Its security groups.
    pub security_groups: Vec<Iid>,
    /// Its tags, pmks' marks taken off.
    #[schema(inline)]
    pub tags: Tags,
}

/// Something that the cloud runs in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Addon {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its state in the cloud's words.
    pub status: String,
}

/// A cluster at the cloud of which pmks keeps no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnmanagedCluster {
    /// The connection through which it was found.
    pub connection: String,
    /// The cloud's name and identifier.
    pub iid: Iid,
    /// The control plane's version.
    pub version: String,
    /// How it is.
    pub status: String,
    /// When the cloud made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The pmks installation whose mark it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
}

/// The clusters at a cloud of which pmks keeps no record, as asked now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnmanagedClusters {
    /// The clusters; never null.
    pub items: Vec<UnmanagedCluster>,
    /// What could not be read. Empty: the list is complete.
    pub missed: Vec<Missed>,
}

/// Something that a list could not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Missed {
    /// Which part, such as `connection prod`.
    pub what: String,
    /// Why.
    pub error: Problem,
}

/// A page of clusters; with `managed=false` those that pmks keeps no record of.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Clusters {
    /// A page of those that pmks keeps a record of.
    Managed(List<Cluster>),
    /// The others.
    Unmanaged(UnmanagedClusters),
}

/// What lets a client in at a cluster's Kubernetes API, for a while: a token, or a client certificate. `Debug` shows
/// neither.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// The bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The PEM client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_data: Option<String>,
    /// The PEM private key of the client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key_data: Option<String>,
    /// When it is no longer accepted.
    pub expiration_timestamp: String,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expiration_timestamp", &self.expiration_timestamp)
            .finish_non_exhaustive()
    }
}
