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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
    /// The sustained clock of its processors in GHz; absent where the cloud does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ghz: Option<f64>,
    /// Accelerators, of every kind together.
    pub gpus: u32,
    /// The same by kind, as far as the cloud says.
    #[serde(default)]
    pub gpu_kinds: Vec<GpuKind>,
    /// The zones of the connection's region that have it; empty where the cloud does not say.
    pub zones: Vec<String>,
    /// The cloud's own facts.
    pub key_value_list: Vec<KeyValue>,
}

/// The accelerators of one kind that a machine type has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuKind {
    /// How many.
    pub count: u32,
    /// Who makes them; empty where the cloud does not say.
    pub manufacturer: String,
    /// What they are; empty where the cloud does not say.
    pub model: String,
    /// The memory of each in MiB; absent where the cloud does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
}

/// An image that nodes can be made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// What to write into a node group's `image`.
    pub name: String,
    /// What the cloud calls it towards people; empty where that is its name.
    #[serde(default)]
    pub display_name: String,
    /// What it is.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `linux` or `windows`.
    pub operating_system: String,
    /// The type of the disk that it is made for; empty where the cloud does not say.
    #[serde(default)]
    pub disk_type: String,
    /// How large that disk is, in GiB; absent where the cloud does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_size_gib: Option<u32>,
    /// Whether it is taken where the user names none.
    pub default: bool,
}

/// A region of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The cloud's name of it.
    pub name: String,
    /// What the cloud calls it towards people; empty where that is its name.
    #[serde(default)]
    pub display_name: String,
    /// Its zones, for the connection's own region.
    pub zones: Vec<String>,
}
