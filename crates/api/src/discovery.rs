//! What a cloud offers, as read live or not long ago.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::KeyValue;

/// A list that was read from the cloud, with the time of the reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Discovered<T> {
    /// The items; never null.
    pub items: Vec<T>,
    /// When the cloud was asked.
    pub observed_at: String,
    /// What to ask the next page with; absent: this was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// A Kubernetes version on offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesVersion {
    /// The version as the cloud writes it.
    pub version: String,
    /// Whether the cloud takes it where the user names none.
    pub default: bool,
    /// `standard`, `extended`, `preview` or `unsupported`.
    pub support: String,
    /// The last day of standard support (`YYYY-MM-DD`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_standard_support: Option<String>,
    /// The last day of extended support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_extended_support: Option<String>,
}

/// A machine type on offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MachineType {
    /// The cloud's name of it.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Accelerators.
    pub gpus: u32,
    /// The zones of the connection's region that have it; empty where the cloud does not say.
    pub zones: Vec<String>,
    /// The cloud's own facts.
    pub key_value_list: Vec<KeyValue>,
}

/// An image that nodes can be made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// What to write into a node group's `image`.
    pub name: String,
    /// What it is.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `linux` or `windows`.
    pub operating_system: String,
    /// Whether it is taken where the user names none.
    pub default: bool,
}

/// A region of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The cloud's name of it.
    pub name: String,
    /// Its zones, for the connection's own region.
    pub zones: Vec<String>,
}
