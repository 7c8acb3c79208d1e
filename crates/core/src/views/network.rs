//! Networks, subnets, security groups and key pairs as they are shown.

use jiff::Timestamp;
use pmks_model::{Iid, KeyValueList, Status, Tags};
use serde::{Deserialize, Serialize};

use crate::NewRule;

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkView {
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
    /// Its addresses.
    pub cidr: String,
    /// Its subnets; those that we keep no record of have no uid.
    pub subnets: Vec<SubnetView>,
    /// The user's tags.
    pub tags: Tags,
    /// The version tag of what the user decides: it changes with every change of that.
    #[serde(skip)]
    pub version_tag: String,
    /// Whether pmks made it; else it was imported.
    pub created_by_pmks: bool,
    /// How it is: `Creating`, `Active`, `Degraded`, `Deleting`, `Failed`, `Missing`.
    pub status: Status,
    /// Why.
    pub status_reason: String,
    /// When our record was made.
    pub created_at: Timestamp,
    /// When the cloud was last asked.
    pub observed_at: Option<Timestamp>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetView {
    /// Our record's id; empty where we keep none: then the cloud's identifier is its name.
    pub uid: String,
    /// The connection it belongs to.
    pub connection: String,
    /// The network it is a part of, by our name.
    pub network: String,
    /// Our name.
    pub name: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    pub cloud_name: String,
    /// Whether pmks made that name unique.
    pub unique_cloud_name: bool,
    /// Its addresses.
    pub cidr: String,
    /// Its zone.
    pub zone: String,
    /// The user's tags.
    pub tags: Tags,
    /// The version tag of what the user decides: it changes with every change of that.
    #[serde(skip)]
    pub version_tag: String,
    /// Whether pmks made it; else it was imported.
    pub created_by_pmks: bool,
    /// How it is.
    pub status: Status,
    /// Why.
    pub status_reason: String,
    /// When our record was made.
    pub created_at: Timestamp,
    /// When the cloud was last asked.
    pub observed_at: Option<Timestamp>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroupView {
    /// Our record's id.
    pub uid: String,
    /// The connection it belongs to.
    pub connection: String,
    /// The network it belongs to, by our name where we have one.
    pub network: String,
    /// Our name.
    pub name: String,
    /// Both names.
    pub iid: Iid,
    /// What the cloud calls it, or is to call it.
    pub cloud_name: String,
    /// Whether pmks made that name unique.
    pub unique_cloud_name: bool,
    /// What it lets through.
    pub rules: Vec<NewRule>,
    /// The user's tags.
    pub tags: Tags,
    /// The version tag of what the user decides: it changes with every change of that.
    #[serde(skip)]
    pub version_tag: String,
    /// Whether pmks made it; else it was imported.
    pub created_by_pmks: bool,
    /// How it is.
    pub status: Status,
    /// Why.
    pub status_reason: String,
    /// When our record was made.
    pub created_at: Timestamp,
    /// When the cloud was last asked.
    pub observed_at: Option<Timestamp>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// A key pair. Never holds the private half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPairView {
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
    /// The public half; empty where it was imported.
    pub public_key: String,
    /// The cloud's fingerprint; empty until it is known.
    pub fingerprint: String,
    /// The user's tags.
    pub tags: Tags,
    /// The version tag of what the user decides: it changes with every change of that.
    #[serde(skip)]
    pub version_tag: String,
    /// Whether pmks made it; else it was imported.
    pub created_by_pmks: bool,
    /// How it is.
    pub status: Status,
    /// Why.
    pub status_reason: String,
    /// When our record was made.
    pub created_at: Timestamp,
    /// When the cloud was last asked.
    pub observed_at: Option<Timestamp>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}
