//! Azure's own requests and answers, one file a service: only the fields that are used. What is sent back to Azure
//! is never made from these: it is the JSON that was read, with our changes.

pub(crate) mod authorization;
pub(crate) mod compute;
pub(crate) mod container_service;
pub(crate) mod insights;
pub(crate) mod login;
pub(crate) mod network;
pub(crate) mod resources;

use serde::Deserialize;

/// A page of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    /// There also where it is empty: what lacks it is no list.
    pub(crate) value: Vec<T>,
    #[serde(default)]
    pub(crate) next_link: Option<String>,
}

/// The identifier of another resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    pub(crate) id: String,
}

/// Reads `null` as the default: Azure writes lists and maps that are not there in both ways.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
