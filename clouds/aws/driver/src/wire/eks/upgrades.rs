//! Versions on offer, what stands in the way of one, and EKS' own work.

use serde::{Deserialize, Serialize};

use super::{Moment, nullable};

/// `UpdateClusterVersion` and `UpdateNodegroupVersion`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateVersion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) force: bool,
    pub(crate) client_request_token: String,
}

/// The answer about one update.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateAnswer {
    pub(crate) update: Update,
}

/// EKS' own work at a cluster, node group or add-on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Update {
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) errors: Vec<UpdateError>,
}

/// Why an update failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateError {
    #[serde(default)]
    pub(crate) error_code: String,
    #[serde(default)]
    pub(crate) error_message: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) resource_ids: Vec<String>,
}

/// A page of versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Versions {
    #[serde(default)]
    pub(crate) cluster_versions: Vec<ClusterVersion>,
    pub(crate) next_token: Option<String>,
}

/// A version on offer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterVersion {
    #[serde(default)]
    pub(crate) cluster_version: String,
    #[serde(default)]
    pub(crate) default_version: bool,
    pub(crate) status: Option<String>,
    pub(crate) version_status: Option<String>,
    pub(crate) end_of_standard_support_date: Option<Moment>,
    pub(crate) end_of_extended_support_date: Option<Moment>,
}

/// A page of insights.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Insights {
    #[serde(default)]
    pub(crate) insights: Vec<Insight>,
    pub(crate) next_token: Option<String>,
}

/// What EKS found about an upgrade.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Insight {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kubernetes_version: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) insight_status: Option<InsightStatus>,
}

/// How an insight stands.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct InsightStatus {
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) reason: String,
}
