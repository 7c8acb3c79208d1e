//! From the wire to the model, and Azure's words into ours: pure functions. Nothing here asks Azure.

use std::collections::BTreeMap;

use pmks_driver::{DriverError, ErrorKind};
use pmks_model::{
    AccessInfo, Addon, Cluster, ClusterNetwork, Iid, KeyValueList, KubernetesVersion, NodeGroup, Scaling,
    Status, Support, Version,
};
use serde_json::Value;

use crate::arm_id::{ArmId, COMPUTE, canonical_text};
use crate::errors::{self, Said};
use crate::wire::container_service as wire;
use crate::{PROVIDER, errors as table};

/// The nodes of pools, by the pool's name.
pub(crate) type Nodes = BTreeMap<String, Vec<Iid>>;

/// The tag by which CB-Spider tells the key pair of a cluster that it makes.
const KEY_PAIR_TAG: &str = "sshkey";
/// The fact under which a cluster's node resource group stands.
pub(crate) const NODE_RESOURCE_GROUP: &str = "NodeResourceGroup";
/// The fact that says whether Microsoft Entra proves the cluster's users.
pub(crate) const ENTRA: &str = "Entra";
/// The fact that says whether the cluster has accounts of its own.
pub(crate) const LOCAL_ACCOUNTS: &str = "LocalAccounts";
/// The fact that names whom the cluster acts as.
pub(crate) const PRINCIPAL: &str = "IdentityPrincipalId";

/// What tells a cluster from a later one of the same name.
pub(crate) fn incarnation(cluster: &wire::ManagedCluster) -> String {
    cluster.properties.resource_uid.clone().unwrap_or_default()
}

/// The canonical identifier of a cluster.
pub(crate) fn cluster_id(cluster: &wire::ManagedCluster) -> String {
    canonical_text(&cluster.id)
}

/// The version that the control plane has now.
pub(crate) fn cluster_version(cluster: &wire::ManagedCluster) -> Option<Version> {
    let properties = &cluster.properties;
    version(properties.current_kubernetes_version.as_deref().or(properties.kubernetes_version.as_deref()))
}

/// The version that a pool's nodes have now.
pub(crate) fn pool_version(pool: &wire::AgentPoolProfile) -> Option<Version> {
    version(pool.current_orchestrator_version.as_deref().or(pool.orchestrator_version.as_deref()))
}

fn version(text: Option<&str>) -> Option<Version> {
    text.and_then(|text| text.parse().ok())
}

/// AKS' words for a state in ours: whether it exists, and whether it runs, are two words there.
///
/// Source: <https://learn.microsoft.com/azure/aks/start-stop-cluster>
pub(crate) fn status(of: &str, provisioning: &str, power: Option<&wire::PowerState>) -> Status {
    let stopped = power.and_then(|power| power.code.as_deref()) == Some("Stopped");
    match provisioning {
        "Creating" | "Accepted" => Status::Creating,
        "Succeeded" if stopped => Status::Stopped,
        "Succeeded" => Status::Active,
        "Deleting" => Status::Deleting,
        "Failed" | "Canceled" => Status::Failed,
        // `Upgrading`, `UpgradingNodeImageVersion`, `RotatingClusterCertificates`: every work has such a word.
        word if is_work(word) => Status::Updating,
        word => {
            tracing::warn!(of, word, "AKS says a state that is not known here");
            Status::Unknown
        }
    }
}

fn is_work(word: &str) -> bool {
    let second = word.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase());
    let verb = word.get(..second.map_or(word.len(), |(at, _)| at)).unwrap_or_default();
    verb.len() > 4 && verb.ends_with("ing")
}

/// The status of a cluster: one whose pool failed works in part.
pub(crate) fn cluster_status(cluster: &wire::ManagedCluster) -> Status {
    let properties = &cluster.properties;
    let failed =
        |pool: &wire::AgentPoolProfile| matches!(pool.provisioning_state.as_str(), "Failed" | "Canceled");
    match status("cluster", &properties.provisioning_state, properties.power_state.as_ref()) {
        Status::Active if properties.agent_pool_profiles.iter().any(failed) => Status::Degraded,
        status => status,
    }
}

/// Why it is as it is, in AKS' words, where something is wrong with it.
fn reason(provisioning: &str, status: Option<&wire::Status>) -> String {
    match said(status) {
        Some(said) => format!("{}: {}", said.code, said.message),
        None if matches!(provisioning, "Failed" | "Canceled") => {
            format!("AKS says {provisioning} and not why: its activity log does")
        }
        None => String::new(),
    }
}

/// The same of a cluster; that of the first node group that failed, where that alone is wrong.
fn cluster_reason(found: &wire::ManagedCluster) -> String {
    let properties = &found.properties;
    let own = reason(&properties.provisioning_state, properties.status.as_ref());
    if !own.is_empty() {
        return own;
    }
    let of_pool = |pool: &wire::AgentPoolProfile| {
        let reason = reason(&pool.provisioning_state, pool.status.as_ref());
        (!reason.is_empty()).then(|| format!("node group {}: {reason}", pool.name))
    };
    properties.agent_pool_profiles.iter().find_map(of_pool).unwrap_or_default()
}

fn said(status: Option<&wire::Status>) -> Option<Said> {
    errors::said_by(status?.provisioning_error.as_ref()?)
}

/// The error of something whose work failed, by what AKS left in it.
pub(crate) fn failure(action: &'static str, what: &str, status: Option<&wire::Status>) -> DriverError {
    if let Some(said) = said(status) {
        return table::of_operation(action, said);
    }
    let message = format!("AKS says that {what} failed and not why: its activity log does");
    let fix = "retry: AKS goes on with what failed".to_owned();
    DriverError::new(ErrorKind::Precondition { what: message.clone(), fix }, PROVIDER, message)
}

/// A cluster with what was read beside it.
pub(crate) fn cluster(found: &wire::ManagedCluster, access: AccessInfo, nodes: &Nodes) -> Cluster {
    let properties = &found.properties;
    let mut node_groups: Vec<NodeGroup> =
        properties.agent_pool_profiles.iter().map(|pool| node_group(found, pool, nodes)).collect();
    node_groups.sort_by(|a, b| a.iid.cmp(&b.iid));
    Cluster {
        iid: Iid::new(&found.name, cluster_id(found)),
        region: crate::clusters::region_of(&found.location),
        incarnation: incarnation(found),
        version: cluster_version(found),
        network: network(&subnets(found)),
        node_groups,
        access,
        addons: addons(properties),
        status: cluster_status(found),
        status_reason: cluster_reason(found),
        created_at: found.system_data.as_ref().and_then(|data| data.created_at),
        tags: found.tags.clone(),
        key_value_list: facts(found),
    }
}

/// The subnets that were named for a cluster's pools, each once.
pub(crate) fn subnets(cluster: &wire::ManagedCluster) -> Vec<ArmId> {
    let pools = cluster.properties.agent_pool_profiles.iter();
    each_once(pools.filter_map(|pool| pool.vnet_subnet_id.as_deref()))
}

/// What these texts identify, each once.
pub(crate) fn each_once<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<ArmId> {
    let mut found: Vec<ArmId> = Vec::new();
    for id in texts.filter_map(ArmId::parse) {
        if !found.iter().any(|known| known.same(&id)) {
            found.push(id);
        }
    }
    found
}

/// The network of these subnets is what they are parts of. Which security group guards a subnet, AKS does not say.
pub(crate) fn network(subnets: &[ArmId]) -> ClusterNetwork {
    let iid = |id: &ArmId| Iid::new(id.name(), id.to_string());
    ClusterNetwork {
        network: subnets.first().and_then(ArmId::parent).map(|id| iid(&id)).unwrap_or_default(),
        subnets: subnets.iter().map(iid).collect(),
        security_groups: Vec::new(),
    }
}

fn addons(properties: &wire::ClusterProperties) -> Vec<Addon> {
    let enabled = properties.addon_profiles.iter().filter(|(_, addon)| addon.enabled);
    enabled
        .map(|(name, _)| Addon { name: name.clone(), status: "enabled".to_owned(), ..Addon::default() })
        .collect()
}

/// Whether users prove themselves by Microsoft Entra.
pub(crate) fn is_entra(found: &wire::ManagedCluster) -> bool {
    found.properties.aad_profile.as_ref().is_some_and(|profile| profile.managed == Some(true))
}

/// Whom the cluster acts as at Azure: its own identity, or the one that its maker gave it.
pub(crate) fn principal(found: &wire::ManagedCluster) -> Option<String> {
    let identity = found.identity.as_ref()?;
    let own = identity.principal_id.clone().filter(|id| !id.is_empty());
    own.or_else(|| identity.user_assigned_identities.values().find_map(|given| given.principal_id.clone()))
}

fn facts(found: &wire::ManagedCluster) -> KeyValueList {
    let properties = &found.properties;
    let mut facts = KeyValueList::default();
    facts.add_some("ResourceGroup", ArmId::parse(&found.id).map(|id| id.group().to_owned()));
    facts.add_some(NODE_RESOURCE_GROUP, properties.node_resource_group.as_deref());
    facts.add("Location", &found.location);
    facts.add("ProvisioningState", &properties.provisioning_state);
    facts.add_some("PowerState", properties.power_state.as_ref().and_then(|power| power.code.as_deref()));
    facts.add_some("Tier", found.sku.as_ref().and_then(|sku| sku.tier.as_deref()));
    facts.add_some("SupportPlan", properties.support_plan.as_deref());
    facts.add_some("Fqdn", properties.fqdn.as_deref());
    facts.add_some("PrivateFqdn", properties.private_fqdn.as_deref());
    let private =
        properties.api_server_access_profile.as_ref().and_then(|access| access.enable_private_cluster);
    facts.add_some("PrivateCluster", private.map(|private| private.to_string()));
    if let Some(network) = &properties.network_profile {
        facts.add_some("NetworkPlugin", network.network_plugin.as_deref());
        facts.add_some("NetworkPluginMode", network.network_plugin_mode.as_deref());
        facts.add_some("NetworkPolicy", network.network_policy.as_deref());
        facts.add_some("PodCidr", network.pod_cidr.as_deref());
        facts.add_some("ServiceCidr", network.service_cidr.as_deref());
        facts.add_some("OutboundType", network.outbound_type.as_deref());
    }
    facts.add_some("IdentityType", found.identity.as_ref().and_then(|identity| identity.kind.as_deref()));
    facts.add_some(PRINCIPAL, principal(found));
    facts.add(ENTRA, is_entra(found).to_string());
    let azure_rbac = properties.aad_profile.as_ref().and_then(|profile| profile.enable_azure_rbac);
    facts.add_some("AzureRbac", azure_rbac.map(|on| on.to_string()));
    facts.add(LOCAL_ACCOUNTS, (properties.disable_local_accounts != Some(true)).to_string());
    facts
}

/// The key pair of all nodes of a cluster that CB-Spider made: AKS keeps the public key alone, and CB-Spider a tag with the
/// name, in the cluster's own resource group.
///
/// Source: <https://github.com/cloud-barista/cb-spider>, `drivers/azure/resources/ClusterHandler.go`, `getClusterSSHKey`
fn key_pair(cluster: &wire::ManagedCluster) -> Iid {
    let tag = cluster.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(KEY_PAIR_TAG));
    let name = tag.map(|(_, name)| name.as_str()).filter(|name| !name.is_empty() && !name.contains('/'));
    let (Some(name), Some(cluster)) = (name, ArmId::parse(&cluster.id)) else { return Iid::default() };
    Iid::new(name, cluster.beside(COMPUTE, "sshPublicKeys", name).to_string())
}

/// A pool of a cluster. AKS has nothing that tells a pool from a later one of the same name: the cluster's incarnation
/// stands in.
pub(crate) fn node_group(
    cluster: &wire::ManagedCluster,
    pool: &wire::AgentPoolProfile,
    nodes: &Nodes,
) -> NodeGroup {
    NodeGroup {
        iid: Iid::new(&pool.name, format!("{}/agentPools/{}", cluster_id(cluster), pool.name)),
        incarnation: incarnation(cluster),
        version: pool_version(pool),
        image: pool.os_sku.clone().unwrap_or_default(),
        machine_type: pool.vm_size.clone().unwrap_or_default(),
        root_disk_type: pool.os_disk_type.clone().unwrap_or_default(),
        root_disk_size_gib: pool.os_disk_size_gb.unwrap_or_default(),
        key_pair: key_pair(cluster),
        scaling: scaling(pool),
        status: status("node group", &pool.provisioning_state, pool.power_state.as_ref()),
        status_reason: reason(&pool.provisioning_state, pool.status.as_ref()),
        nodes: nodes.get(&pool.name).cloned().unwrap_or_default(),
        created_at: None,
        tags: pool.tags.clone(),
        key_value_list: pool_facts(pool),
    }
}

/// Limits exist only while autoscaling is on.
pub(crate) fn scaling(pool: &wire::AgentPoolProfile) -> Option<Scaling> {
    let desired = pool.count?;
    if pool.enable_auto_scaling != Some(true) {
        return Some(Scaling { auto_scaling: false, min: desired, max: desired, desired });
    }
    Some(Scaling {
        auto_scaling: true,
        min: pool.min_count.unwrap_or(desired),
        max: pool.max_count.unwrap_or(desired),
        desired,
    })
}

fn pool_facts(pool: &wire::AgentPoolProfile) -> KeyValueList {
    let mut facts = KeyValueList::default();
    facts.add_some("Mode", pool.mode.as_deref());
    facts.add("ProvisioningState", &pool.provisioning_state);
    facts.add_some("PowerState", pool.power_state.as_ref().and_then(|power| power.code.as_deref()));
    facts.add_some("NodeImageVersion", pool.node_image_version.as_deref());
    facts.add_some("SubnetId", pool.vnet_subnet_id.as_deref().map(canonical_text));
    facts.add_some("MaxPods", pool.max_pods.map(|pods| pods.to_string()));
    facts.add("AvailabilityZones", pool.availability_zones.join(","));
    facts
}

/// The versions of one minor on offer.
pub(crate) fn kubernetes_versions(minor: &wire::KubernetesVersion) -> Vec<KubernetesVersion> {
    let mut patches: Vec<Version> =
        minor.patch_versions.keys().filter_map(|text| text.parse().ok()).collect();
    if patches.is_empty() {
        patches.extend(minor.version.parse::<Version>().ok());
    }
    patches.sort();
    let newest = patches.last().cloned();
    let plans = minor.capabilities.as_ref().map(|known| known.support_plan.as_slice()).unwrap_or_default();
    let has = |plan: &str| plans.iter().any(|known| known == plan);
    let support = if minor.is_preview == Some(true) {
        Support::Preview
    } else if !plans.is_empty() && !has("KubernetesOfficial") && has("AKSLongTermSupport") {
        Support::Extended
    } else {
        Support::Standard
    };
    let offered = |version: Version| KubernetesVersion {
        default: minor.is_default == Some(true) && newest.as_ref() == Some(&version),
        version,
        support,
        end_of_standard_support: None,
        end_of_extended_support: None,
    };
    patches.into_iter().map(offered).collect()
}

/// The version of a resource as it was read, for a condition: AKS writes `eTag`, Network `etag`.
pub(crate) fn etag(raw: &Value) -> Option<&str> {
    let places = [raw.get("eTag"), raw.get("etag"), raw.pointer("/properties/eTag")];
    places.into_iter().flatten().find_map(Value::as_str).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
