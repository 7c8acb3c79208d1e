//! `Microsoft.ContainerService`: clusters, agent pools, versions, credentials.
//!
//! Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters>

use jiff::Timestamp;
use pmks_model::Tags;
use serde::Deserialize;
use serde_json::Value;

use super::or_default;

/// A cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ManagedCluster {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) e_tag: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
    pub(crate) sku: Option<Sku>,
    pub(crate) identity: Option<Identity>,
    pub(crate) system_data: Option<SystemData>,
    pub(crate) properties: ClusterProperties,
}

/// The price tier.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sku {
    pub(crate) tier: Option<String>,
}

/// Whom the cluster acts as.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) principal_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) user_assigned_identities: std::collections::BTreeMap<String, UserAssigned>,
}

/// An identity that the user made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UserAssigned {
    pub(crate) principal_id: Option<String>,
}

/// When it was made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SystemData {
    pub(crate) created_at: Option<Timestamp>,
}

/// What a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ClusterProperties {
    pub(crate) provisioning_state: String,
    pub(crate) power_state: Option<PowerState>,
    pub(crate) kubernetes_version: Option<String>,
    pub(crate) current_kubernetes_version: Option<String>,
    pub(crate) fqdn: Option<String>,
    #[serde(rename = "privateFQDN")]
    pub(crate) private_fqdn: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) agent_pool_profiles: Vec<AgentPoolProfile>,
    pub(crate) linux_profile: Option<LinuxProfile>,
    pub(crate) node_resource_group: Option<String>,
    pub(crate) network_profile: Option<NetworkProfile>,
    pub(crate) aad_profile: Option<AadProfile>,
    pub(crate) disable_local_accounts: Option<bool>,
    pub(crate) api_server_access_profile: Option<ApiServerAccess>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) addon_profiles: std::collections::BTreeMap<String, AddonProfile>,
    pub(crate) support_plan: Option<String>,
    #[serde(rename = "resourceUID")]
    pub(crate) resource_uid: Option<String>,
    pub(crate) status: Option<Status>,
}

/// Whether it runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PowerState {
    pub(crate) code: Option<String>,
}

/// How the API server is reached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ApiServerAccess {
    pub(crate) enable_private_cluster: Option<bool>,
}

/// Who may log in to nodes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinuxProfile {
    pub(crate) ssh: Ssh,
}

/// Public keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Ssh {
    #[serde(deserialize_with = "or_default")]
    pub(crate) public_keys: Vec<PublicKey>,
}

/// One of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PublicKey {
    pub(crate) key_data: String,
}

/// The cluster's network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NetworkProfile {
    pub(crate) network_plugin: Option<String>,
    pub(crate) network_plugin_mode: Option<String>,
    pub(crate) network_policy: Option<String>,
    pub(crate) pod_cidr: Option<String>,
    pub(crate) service_cidr: Option<String>,
    pub(crate) outbound_type: Option<String>,
}

/// Microsoft Entra for the cluster's users.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AadProfile {
    pub(crate) managed: Option<bool>,
    #[serde(rename = "enableAzureRBAC")]
    pub(crate) enable_azure_rbac: Option<bool>,
}

/// Something that AKS runs in the cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AddonProfile {
    pub(crate) enabled: bool,
}

/// Why it is as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) provisioning_error: Option<Value>,
}

/// A pool within its cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AgentPoolProfile {
    pub(crate) name: String,
    pub(crate) count: Option<u32>,
    pub(crate) vm_size: Option<String>,
    #[serde(rename = "osDiskSizeGB")]
    pub(crate) os_disk_size_gb: Option<u32>,
    pub(crate) os_disk_type: Option<String>,
    #[serde(rename = "vnetSubnetID")]
    pub(crate) vnet_subnet_id: Option<String>,
    pub(crate) max_pods: Option<u32>,
    #[serde(rename = "osSKU")]
    pub(crate) os_sku: Option<String>,
    pub(crate) max_count: Option<u32>,
    pub(crate) min_count: Option<u32>,
    pub(crate) enable_auto_scaling: Option<bool>,
    pub(crate) mode: Option<String>,
    pub(crate) orchestrator_version: Option<String>,
    pub(crate) current_orchestrator_version: Option<String>,
    pub(crate) node_image_version: Option<String>,
    pub(crate) provisioning_state: String,
    pub(crate) power_state: Option<PowerState>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) availability_zones: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
    pub(crate) status: Option<Status>,
}

/// The versions of a region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct KubernetesVersions {
    #[serde(deserialize_with = "or_default")]
    pub(crate) values: Vec<KubernetesVersion>,
}

/// A minor, with its patches.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct KubernetesVersion {
    pub(crate) version: String,
    pub(crate) is_default: Option<bool>,
    pub(crate) is_preview: Option<bool>,
    pub(crate) capabilities: Option<VersionCapabilities>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) patch_versions: std::collections::BTreeMap<String, Value>,
}

/// Under which plans it is cared for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VersionCapabilities {
    #[serde(deserialize_with = "or_default")]
    pub(crate) support_plan: Vec<String>,
}

/// Kubeconfigs. No `Debug`: they hold keys.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    #[serde(deserialize_with = "or_default")]
    pub(crate) kubeconfigs: Vec<Credential>,
}

/// One of them, in base64.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credential {
    pub(crate) value: String,
}
