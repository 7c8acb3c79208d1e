//! What a cloud offers: regions, machine types, images, Kubernetes versions.

use serde::{Deserialize, Serialize};

use crate::{KeyValueList, Version};

/// A region of a cloud, with its zones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The cloud's name of it.
    pub name: String,
    /// What the cloud calls it towards people; empty where that is its name.
    #[serde(default)]
    pub display_name: String,
    /// Its zones that this account knows; empty where a read was asked for less.
    pub zones: Vec<Zone>,
}

/// A zone of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Zone {
    /// The cloud's name of it.
    pub name: String,
    /// What the cloud calls it towards people; empty where that is its name.
    #[serde(default)]
    pub display_name: String,
    /// Whether it can be used now.
    #[serde(default)]
    pub status: ZoneStatus,
}

impl Zone {
    /// A zone that can be used, and has no other name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Whether a zone can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ZoneStatus {
    /// It can.
    #[default]
    Available,
    /// It cannot now.
    Unavailable,
    /// The cloud does not say.
    Unsaid,
}

/// A machine type (CB-Spider: `VMSpec`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The sustained clock of its processors in GHz; `None` where the cloud does not say.
    #[serde(default)]
    pub clock_ghz: Option<f64>,
    /// The local disk that every machine of it has, in MiB; `None` where it is not told.
    #[serde(default)]
    pub local_disk_mib: Option<u64>,
    /// Accelerators, of every kind together.
    pub gpus: u32,
    /// The same by kind, as far as the cloud says.
    #[serde(default)]
    pub gpu_kinds: Vec<GpuKind>,
    /// The region that the cloud says it is of; empty where that is the connection's own.
    #[serde(default)]
    pub region: String,
    /// The zones of the connection's region that have it; empty where the cloud does not say.
    pub zones: Vec<String>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// The accelerators of one kind that a machine type has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuKind {
    /// How many.
    pub count: u32,
    /// Who makes them (`NVIDIA`); empty where the cloud does not say.
    pub manufacturer: String,
    /// What they are (`T4`); empty where the cloud does not say.
    pub model: String,
    /// The memory of each in MiB; `None` where the cloud does not say.
    pub memory_mib: Option<u64>,
}

/// An image that nodes can be made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// What to write into a node group's `image`.
    pub name: String,
    /// What the cloud calls it towards people; empty where that is its name.
    #[serde(default)]
    pub display_name: String,
    /// What it is, in words.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `linux` or `windows`.
    pub operating_system: String,
    /// The type of the disk that it is made for; empty where the cloud does not say.
    #[serde(default)]
    pub disk_type: String,
    /// How large that disk is, in GiB; `None` where the cloud does not say.
    #[serde(default)]
    pub disk_size_gib: Option<u32>,
    /// Whether it is taken where the user names none.
    pub default: bool,
}

/// How long a version is cared for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Support {
    /// In standard support.
    #[default]
    Standard,
    /// In extended support, which may cost more.
    Extended,
    /// A preview.
    Preview,
    /// No longer to be chosen.
    Unsupported,
}

/// A Kubernetes version that a cloud offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesVersion {
    /// The version as the cloud writes it.
    pub version: Version,
    /// Whether the cloud takes it where the user names none.
    pub default: bool,
    /// How long it is cared for.
    pub support: Support,
    /// The last day of standard support (`YYYY-MM-DD`), where the cloud says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_standard_support: Option<String>,
    /// The last day of extended support, where the cloud says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_extended_support: Option<String>,
}
