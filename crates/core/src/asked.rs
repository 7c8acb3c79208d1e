//! What a caller may ask for, in the shapes of `/v1`: references are names, versions and addresses are texts.
//!
//! Texts, so that everything wrong with a request is found together and names its field, instead of the first wrong
//! type ending the reading.

use std::collections::BTreeMap;

use pmks_driver::Credential;
use pmks_model::{Findings, Scaling, Tags};
use serde::{Deserialize, Serialize};

/// A connection that is asked for. `Debug` shows no value of its credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewConnection {
    /// Our name of it; never changes.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// The region.
    #[serde(default)]
    pub region: String,
    /// The zone, where one is meant.
    #[serde(default)]
    pub zone: Option<String>,
    /// How many times faster than the real cloud it works; `None`: 1.
    #[serde(default)]
    pub pace: Option<u32>,
    /// Who acts.
    pub credential: Credential,
    /// What could not be read of what was given, such as values that make no credential; empty: nothing.
    #[serde(skip)]
    pub unreadable: Findings,
    /// Endpoints that replace the real cloud's, by service or `all`.
    #[serde(default)]
    pub endpoints: BTreeMap<String, String>,
    /// PEM certificates to trust beside the public ones.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// The provider's own settings.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

impl NewConnection {
    /// Whether the credential is what was given.
    pub(crate) fn has_its_credential(&self) -> bool {
        !self.unreadable.iter().any(|finding| finding.field.starts_with("credential"))
    }
}

/// A cluster that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCluster {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own, and what is made with it; `None`: as is usual here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The wanted version; empty or `default`: the cloud's default.
    #[serde(default)]
    pub version: String,
    /// The network.
    pub network: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// The node groups to begin with.
    #[serde(default)]
    pub node_groups: Vec<NewNodeGroup>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
    /// Whether a deletion is refused until this is taken back.
    #[serde(default)]
    pub deletion_protection: bool,
    /// The provider's own options.
    #[serde(default)]
    pub options: BTreeMap<String, serde_json::Value>,
}

/// A node group that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNodeGroup {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; `None`: as its cluster, else as is usual here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The wanted version; empty or `default`: follows the cluster.
    #[serde(default)]
    pub version: String,
    /// The machine type; empty: the provider's default.
    #[serde(default)]
    pub machine_type: String,
    /// The image; empty or `default`: the provider's default.
    #[serde(default)]
    pub image: String,
    /// The root disk's type; empty or `default`: the cloud's default.
    #[serde(default)]
    pub root_disk_type: String,
    /// The root disk's size in GiB; `None`: the cloud's default.
    #[serde(default)]
    pub root_disk_size_gib: Option<u32>,
    /// The key pair; empty: none.
    #[serde(default)]
    pub key_pair: String,
    /// Limits and size; `None`: the least that the cloud takes here, and no wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

/// A network that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNetwork {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own, and what is made with it; `None`: as is usual here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// Its addresses, such as `10.0.0.0/16`.
    pub cidr: String,
    /// Its subnets to begin with.
    #[serde(default)]
    pub subnets: Vec<NewSubnet>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A subnet that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubnet {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; `None`: as a network that it is made with, else as is usual here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// Its addresses.
    pub cidr: String,
    /// Its zone; empty: chosen by the driver.
    #[serde(default)]
    pub zone: String,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A security group that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSecurityGroup {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; `None`: as is usual here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The network it belongs to.
    pub network: String,
    /// What it lets through. Without an outbound rule everything may leave, and it gets the rule that says so.
    #[serde(default)]
    pub rules: Vec<NewRule>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A rule of a security group that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRule {
    /// `inbound` or `outbound`.
    pub direction: String,
    /// `tcp`, `udp`, `icmp` or `all`.
    pub protocol: String,
    /// The first port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i64>,
    /// The last port; absent: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i64>,
    /// The other side's addresses.
    pub cidr: String,
}

/// A key pair that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKeyPair {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; `None`: as is usual here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The public half in OpenSSH's form; `None`: pmks makes the pair and answers the private half, once.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// An existing network, subnet, security group or key pair to keep a record of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportResource {
    /// Our name for it.
    pub name: String,
    /// The cloud's identifier.
    pub system_id: String,
}

/// An existing cluster to take over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportCluster {
    /// Our name for it.
    pub name: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Goes on where another installation's live mark is on it.
    #[serde(default)]
    pub take_over: bool,
    /// Our names for its node groups, each by its identifier or its name at the cloud; the others have theirs.
    #[serde(default)]
    pub node_groups: Vec<ImportResource>,
    /// Whether the others are called by the cluster's name and a number from zero instead (`prod-nodegroup-0`), in the
    /// order of their names at the cloud.
    #[serde(default)]
    pub number_node_groups: bool,
    /// The network that it has to lie in, by our name or the cloud's identifier; empty: wherever it lies.
    #[serde(default)]
    pub network: String,
}
