//! What else belongs to a cluster: add-ons, Fargate profiles, access entries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Health, Moment, nullable};

/// `CreateAddon`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateAddon {
    pub(crate) addon_name: String,
    pub(crate) client_request_token: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The answer about one add-on.
#[derive(Debug, Deserialize)]
pub(crate) struct AddonAnswer {
    pub(crate) addon: Addon,
}

/// An add-on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Addon {
    #[serde(default)]
    pub(crate) addon_name: String,
    #[serde(default)]
    pub(crate) status: String,
    pub(crate) addon_version: Option<String>,
    pub(crate) health: Option<Health>,
    pub(crate) created_at: Option<Moment>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) tags: BTreeMap<String, String>,
}

/// The answer about one Fargate profile.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FargateProfileAnswer {
    pub(crate) fargate_profile: FargateProfile,
}

/// A Fargate profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FargateProfile {
    #[serde(default)]
    pub(crate) status: String,
}

/// The answer about one access entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessEntryAnswer {
    pub(crate) access_entry: AccessEntry,
}

/// An access entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessEntry {
    #[serde(default)]
    pub(crate) principal_arn: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) kubernetes_groups: Vec<String>,
}

/// A page of the policies of an access entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessPolicies {
    #[serde(default)]
    pub(crate) associated_access_policies: Vec<AccessPolicy>,
}

/// A policy of an access entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessPolicy {
    #[serde(default)]
    pub(crate) policy_arn: String,
    pub(crate) access_scope: Option<AccessScope>,
}

/// Where a policy holds.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AccessScope {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
}
