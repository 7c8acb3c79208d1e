//! What a cloud offers: regions, machine types, images, Kubernetes versions.

use serde::{Deserialize, Serialize};

use crate::{KeyValueList, Version};

/// A region of a cloud, with its zones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The cloud's name of it.
    pub name: String,
    /// Its zones that this account can use; empty where a read was asked for less.
    pub zones: Vec<String>,
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
    /// Accelerators.
    pub gpus: u32,
    /// The zones of the connection's region that have it; empty where the cloud does not say.
    pub zones: Vec<String>,
    /// The cloud's own facts.
    pub key_value_list: KeyValueList,
}

/// An image that nodes can be made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// What to write into a node group's `image`.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `linux` or `windows`.
    pub operating_system: String,
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
