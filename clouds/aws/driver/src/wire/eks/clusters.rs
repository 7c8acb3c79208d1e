//! Clusters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Health, Moment, nullable};

/// `CreateCluster`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateCluster {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) version: Option<String>,
    pub(crate) role_arn: String,
    pub(crate) resources_vpc_config: VpcConfig,
    pub(crate) client_request_token: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) access_config: AccessConfig,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) upgrade_policy: Option<UpgradePolicy>,
}

/// Where a cluster lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VpcConfig {
    #[serde(default)]
    pub(crate) subnet_ids: Vec<String>,
    #[serde(default)]
    pub(crate) security_group_ids: Vec<String>,
    #[serde(default, skip_serializing)]
    pub(crate) cluster_security_group_id: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) vpc_id: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) endpoint_public_access: Option<bool>,
    #[serde(default, skip_serializing)]
    pub(crate) endpoint_private_access: Option<bool>,
}

/// Who may enter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authentication_mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bootstrap_cluster_creator_admin_permissions: Option<bool>,
}

/// What happens at the end of standard support.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpgradePolicy {
    #[serde(default)]
    pub(crate) support_type: String,
}

/// The answer about one cluster.
#[derive(Debug, Deserialize)]
pub(crate) struct ClusterAnswer {
    pub(crate) cluster: Cluster,
}

/// A cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) arn: String,
    pub(crate) created_at: Option<Moment>,
    pub(crate) version: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) resources_vpc_config: Option<VpcConfig>,
    #[serde(default)]
    pub(crate) status: String,
    pub(crate) certificate_authority: Option<Certificate>,
    pub(crate) platform_version: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) health: Option<Health>,
    pub(crate) access_config: Option<AccessConfig>,
    pub(crate) upgrade_policy: Option<UpgradePolicy>,
    pub(crate) kubernetes_network_config: Option<KubernetesNetwork>,
    pub(crate) deletion_protection: Option<bool>,
}

/// The certificates of an endpoint, in base64.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) data: Option<String>,
}

/// The addresses of Services.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KubernetesNetwork {
    pub(crate) service_ipv4_cidr: Option<String>,
}

/// `UpdateClusterConfig`, as far as options go.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateClusterConfig {
    pub(crate) upgrade_policy: UpgradePolicy,
    pub(crate) client_request_token: String,
}
