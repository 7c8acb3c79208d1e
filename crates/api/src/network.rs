//! Networks, subnets, security groups and key pairs.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Iid, KeyValue, Operation, Tags};

/// A network to be made, or, with `systemId`, an existing one to keep a record of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "net", "cidr": "10.0.0.0/16",
    "subnets": [{"name": "a", "cidr": "10.0.1.0/24", "zone": "ap-northeast-2a"},
                {"name": "c", "cidr": "10.0.2.0/24", "zone": "ap-northeast-2c"}]
}))]
pub struct NewNetwork {
    /// Our name.
    pub name: String,
    /// Whether it, and what is made with it, gets a unique name at the cloud, made of its own; absent: as the server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The cloud's identifier of an existing one; nothing is made then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// Its addresses, such as `10.0.0.0/16`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cidr: String,
    /// Its subnets to begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<NewSubnet>,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    #[schema(inline)]
    pub tags: Tags,
}

/// A subnet to be made, or, with `systemId`, an existing one to keep a record of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "b", "cidr": "10.0.3.0/24", "zone": "ap-northeast-2b"}))]
pub struct NewSubnet {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; absent: as what it is made with, else as the server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The cloud's identifier of an existing one; nothing is made then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// Its addresses, within the network's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cidr: String,
    /// Its zone; absent: chosen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    #[schema(inline)]
    pub tags: Tags,
}

/// A security group to be made, or, with `systemId`, an existing one to keep a record of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "ssh", "network": "net",
    "rules": [{"direction": "inbound", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidr": "10.0.0.0/16"}]
}))]
pub struct NewSecurityGroup {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; absent: as the server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The cloud's identifier of an existing one; nothing is made then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// The network it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network: String,
    /// What it lets through. Without an outbound rule everything may leave, and it gets the rule that says so.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    #[schema(inline)]
    pub tags: Tags,
}

/// Other rules for a security group. What is named neither to be added nor to be removed stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "add": [{"direction": "inbound", "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidr": "10.0.0.0/16"}]
}))]
pub struct ChangeRules {
    /// What it is to let through; what it lets through already stays one rule.
    #[serde(default)]
    pub add: Vec<Rule>,
    /// What it is no longer to let through; what is gone already is gone.
    #[serde(default)]
    pub remove: Vec<Rule>,
}

/// A rule of a security group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// `inbound` or `outbound`.
    pub direction: String,
    /// `tcp`, `udp`, `icmp` or `all`.
    pub protocol: String,
    /// The first port, for `tcp` and `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 65535)]
    pub from_port: Option<i64>,
    /// The last port; absent: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 65535)]
    pub to_port: Option<i64>,
    /// The other side's addresses.
    pub cidr: String,
}

/// A key pair to be made, or, with `systemId`, an existing one to keep a record of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "mine"}))]
pub struct NewKeyPair {
    /// Our name.
    pub name: String,
    /// Whether it gets a unique name at the cloud, made of its own; absent: as the server was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_cloud_name: Option<bool>,
    /// The cloud's identifier of an existing one; nothing is made then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// The public half in OpenSSH's form; absent: pmks makes the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    #[schema(inline)]
    pub tags: Tags,
}

/// A JSON merge patch of a network, subnet, security group or key pair: its tags. Those that are not named stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"tags": {"team": "a", "old": null}}))]
pub struct TagsPatch {
    /// Tags to set, and (with `null`) to remove; `null`: all that were given, of what was imported all that it has but our
    /// marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, Option<String>>>,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Our name.
    pub name: String,
    /// Whether pmks gave it a unique name at the cloud.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_cloud_name: bool,
    /// Its addresses.
    pub cidr: String,
    /// Its subnets. The `uid` of those that pmks keeps no record of is empty, and their name the cloud's identifier.
    pub subnets: Vec<Subnet>,
    /// The user's tags.
    #[schema(inline)]
    pub tags: Tags,
    /// Its place.
    #[serde(flatten)]
    pub record: Record,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// Our name.
    pub name: String,
    /// Whether pmks gave it a unique name at the cloud.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_cloud_name: bool,
    /// The network it is a part of.
    pub network: String,
    /// Its addresses.
    pub cidr: String,
    /// Its zone.
    pub zone: String,
    /// The user's tags; of what was imported all that it has but our marks.
    #[schema(inline)]
    pub tags: Tags,
    /// Its place.
    #[serde(flatten)]
    pub record: Record,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// Our name.
    pub name: String,
    /// Whether pmks gave it a unique name at the cloud.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_cloud_name: bool,
    /// The network it belongs to.
    pub network: String,
    /// What it lets through.
    pub rules: Vec<Rule>,
    /// The user's tags; of what was imported all that it has but our marks.
    #[schema(inline)]
    pub tags: Tags,
    /// Its place.
    #[serde(flatten)]
    pub record: Record,
}

/// A key pair. Never holds the private half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyPair {
    /// Our name.
    pub name: String,
    /// Whether pmks gave it a unique name at the cloud.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_cloud_name: bool,
    /// The public half; empty where an existing one was imported.
    pub public_key: String,
    /// The cloud's fingerprint of it.
    pub fingerprint: String,
    /// The user's tags; of what was imported all that it has but our marks.
    #[schema(inline)]
    pub tags: Tags,
    /// Its place.
    #[serde(flatten)]
    pub record: Record,
}

/// What the answers about networks, subnets, security groups and key pairs have in common. Read-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Our record's id; empty where pmks keeps none.
    pub uid: String,
    /// The connection it belongs to.
    pub connection: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    #[serde(default)]
    pub cloud_name: String,
    /// Whether pmks made it; else it was imported.
    pub created_by_pmks: bool,
    /// How it is.
    pub status: String,
    /// Why.
    pub status_reason: String,
    /// When our record was made.
    pub created_at: String,
    /// When the cloud was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// The cloud's own facts.
    pub key_value_list: Vec<KeyValue>,
}

/// A key pair that was accepted, or, where pmks made it, is there: 201. The only answer that ever holds a private key. `Debug` does not show it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedKeyPair {
    /// The key pair.
    #[serde(flatten)]
    pub key_pair: KeyPair,
    /// The private half in OpenSSH's form, if pmks made the pair. It is not kept: save it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// The operation that gives the cloud the public half.
    pub operation: Operation,
}

impl fmt::Debug for CreatedKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKeyPair").field("key_pair", &self.key_pair).finish_non_exhaustive()
    }
}
