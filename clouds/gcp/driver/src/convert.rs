//! From the wire to the model, and GKE's words into ours: pure functions. Nothing here asks Google.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_driver::{DriverError, ErrorKind, Poll};
use pmks_model::{
    AccessInfo, Addon, Cluster, ClusterNetwork, Findings, Iid, KeyValueList, NodeGroup, Scaling, Status,
    Version,
};
use serde_json::Value;

use crate::live::Live;
use crate::names::{ClusterName, Shared, last, region_of};
use crate::wire::{compute, container};
use crate::{PROVIDER, errors};

/// The key of the nodes' metadata under which the name of their key pair stands.
pub(crate) const KEY_PAIR: &str = "pmks-key-pair";
/// The label of Kubernetes under which CB-Spider tells the key pair of a node pool that it makes.
///
/// Source: <https://github.com/cloud-barista/cb-spider>, `drivers/gcp/resources/ClusterHandler.go`, `GCP_PMKS_KEYPAIR_KEY`
const KEY_PAIR_LABEL: &str = "keypair";
/// What the labels begin with by which CB-Spider tells the security groups of a cluster that it made.
///
/// Source: the same, `GCP_PMKS_SECURITYGROUP_TAG`
const GROUP_LABEL: &str = "cb-spider-pmks-securitygroup-";

/// What tells a cluster from a later one of the same name: GKE's own identifier. Node pools have none: theirs is their
/// cluster's.
pub(crate) fn incarnation(cluster: &container::Cluster) -> String {
    match (cluster.id.as_str(), cluster.create_time) {
        ("", Some(time)) => time.to_string(),
        (id, _) => id.to_owned(),
    }
}

/// GKE's word for a cluster's state in ours.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#status>
pub(crate) fn cluster_status(status: &str) -> Status {
    match status {
        "PROVISIONING" => Status::Creating,
        "RUNNING" => Status::Active,
        "RECONCILING" => Status::Updating,
        "STOPPING" => Status::Deleting,
        "DEGRADED" => Status::Degraded,
        "ERROR" => Status::Failed,
        word => unknown_status("cluster", word),
    }
}

/// GKE's word for a node pool's state in ours.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools#status>
pub(crate) fn node_pool_status(status: &str) -> Status {
    match status {
        "PROVISIONING" => Status::Creating,
        "RUNNING" => Status::Active,
        "RUNNING_WITH_ERROR" => Status::Degraded,
        "RECONCILING" => Status::Updating,
        "STOPPING" => Status::Deleting,
        "ERROR" => Status::Failed,
        word => unknown_status("node pool", word),
    }
}

fn unknown_status(of: &str, word: &str) -> Status {
    tracing::warn!(of, word, "GKE says a state that is not known here");
    Status::Unknown
}

/// What is wrong, in GKE's words.
pub(crate) fn reasons(conditions: &[container::StatusCondition], message: &str) -> String {
    let says: Vec<String> = conditions
        .iter()
        .map(|condition| {
            let word = if condition.code.is_empty() { &condition.canonical_code } else { &condition.code };
            if word.is_empty() { condition.message.clone() } else { format!("{word}: {}", condition.message) }
        })
        .collect();
    if says.is_empty() { message.to_owned() } else { says.join("; ") }
}

/// The PEM certificates of a cluster's endpoint; empty while there are none.
fn certificate_authority(data: &str) -> String {
    STANDARD.decode(data.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Where a cluster's Kubernetes API is; empty while it has no address.
fn endpoint(address: &str) -> String {
    match address {
        "" => String::new(),
        url if url.starts_with("https://") => url.to_owned(),
        address => format!("https://{address}"),
    }
}

/// A cluster's whole name in its project.
pub(crate) fn cluster_name(cluster: &container::Cluster, project: &str) -> ClusterName {
    ClusterName {
        project: project.to_owned(),
        location: cluster.location.clone(),
        name: cluster.name.clone(),
    }
}

/// A cluster with what was read beside it.
pub(crate) fn cluster(cluster: &container::Cluster, project: &str, live: &Live) -> Cluster {
    let mut node_groups: Vec<NodeGroup> =
        cluster.node_pools.iter().map(|pool| node_group(cluster, pool, live)).collect();
    node_groups.sort_by(|a, b| a.iid.cmp(&b.iid));
    Cluster {
        iid: Iid::new(&cluster.name, cluster_name(cluster, project).path()),
        region: region_of(&cluster.location).to_owned(),
        incarnation: incarnation(cluster),
        version: version(&cluster.current_master_version),
        network: network(cluster, project),
        node_groups,
        access: access(cluster),
        addons: addons(cluster),
        status: cluster_status(&cluster.status),
        status_reason: reasons(&cluster.conditions, &cluster.status_message),
        created_at: cluster.create_time,
        tags: cluster.resource_labels.clone(),
        key_value_list: cluster_facts(cluster),
    }
}

/// How a cluster's Kubernetes API is reached.
pub(crate) fn access(cluster: &container::Cluster) -> AccessInfo {
    AccessInfo {
        endpoint: endpoint(&cluster.endpoint),
        certificate_authority: certificate_authority(&cluster.master_auth.cluster_ca_certificate),
    }
}

fn network(cluster: &container::Cluster, project: &str) -> ClusterNetwork {
    let or_name = |path: &str, name: &str| if path.is_empty() { name.to_owned() } else { path.to_owned() };
    let network = or_name(&cluster.network_config.network, &cluster.network);
    let subnetwork = or_name(&cluster.network_config.subnetwork, &cluster.subnetwork);
    let network = Shared::read("network", &network, project).map(|found| found.network(project));
    let subnetwork = Shared::read("subnet", &subnetwork, project)
        .map(|found| found.subnetwork(project, region_of(&cluster.location)));
    ClusterNetwork {
        network: network.map(Iid::unnamed).unwrap_or_default(),
        subnets: subnetwork.into_iter().map(Iid::unnamed).collect(),
        security_groups: security_groups(cluster).into_iter().map(Iid::unnamed).collect(),
    }
}

/// The network tags that all node pools have in common: a cluster has none of its own. Of one whose pools are gone, those
/// that CB-Spider gave each of them: it keeps them in labels of the cluster.
fn security_groups(cluster: &container::Cluster) -> Vec<String> {
    let mut pools = cluster.node_pools.iter().map(|pool| &pool.config.tags);
    let Some(first) = pools.next() else {
        let labels = cluster.resource_labels.iter();
        return labels.filter(|(key, _)| key.starts_with(GROUP_LABEL)).map(|(_, tag)| tag.clone()).collect();
    };
    let rest: Vec<&Vec<String>> = pools.collect();
    first.iter().filter(|tag| rest.iter().all(|tags| tags.contains(tag))).cloned().collect()
}

/// What runs in a cluster on Google's account: what is not switched off.
fn addons(cluster: &container::Cluster) -> Vec<Addon> {
    let is_on = |value: &Value| {
        let says = |name: &str| value.get(name).and_then(Value::as_bool);
        says("enabled").unwrap_or_else(|| says("disabled") == Some(false))
    };
    let names = cluster.addons_config.iter().filter(|(_, value)| is_on(value)).map(|(name, _)| name.clone());
    names.map(|name| Addon { name, ..Addon::default() }).collect()
}

fn cluster_facts(cluster: &container::Cluster) -> KeyValueList {
    let mut facts = KeyValueList::default();
    facts.add("SelfLink", &cluster.self_link);
    facts.add("Status", &cluster.status);
    facts.add("Location", &cluster.location);
    facts.add("NodeZones", cluster.locations.join(","));
    facts.add("ReleaseChannel", &cluster.release_channel.channel);
    facts.add("Endpoint", &cluster.endpoint);
    facts.add("ClusterIpv4Cidr", &cluster.cluster_ipv4_cidr);
    facts.add("ServicesIpv4Cidr", &cluster.services_ipv4_cidr);
    if cluster.autopilot.enabled {
        facts.add("Autopilot", "true");
    }
    facts
}

/// A node pool of `cluster`, with its nodes and live size.
pub(crate) fn node_group(cluster: &container::Cluster, pool: &container::NodePool, live: &Live) -> NodeGroup {
    let config = &pool.config;
    let told = config.metadata.get(KEY_PAIR).or_else(|| config.labels.get(KEY_PAIR_LABEL));
    let key_pair = told.filter(|name| !name.is_empty()).map(|name| Iid::new(name, name));
    NodeGroup {
        iid: Iid::unnamed(&pool.name),
        incarnation: incarnation(cluster),
        version: version(&pool.version),
        image: config.image_type.clone(),
        machine_type: config.machine_type.clone(),
        root_disk_type: config.disk_type.clone(),
        root_disk_size_gib: config.disk_size_gb.unwrap_or(0),
        key_pair: key_pair.unwrap_or_default(),
        scaling: live.size(pool).map(|size| scaling(pool, size)),
        status: node_pool_status(&pool.status),
        status_reason: reasons(&pool.conditions, &pool.status_message),
        nodes: live.nodes(pool),
        created_at: None,
        tags: config.resource_labels.clone(),
        key_value_list: node_pool_facts(pool),
    }
}

/// A pool's limits, and its live size. Limits exist only while autoscaling is on.
pub(crate) fn scaling(pool: &container::NodePool, size: u32) -> Scaling {
    match limits(pool) {
        Some((min, max)) => Scaling { auto_scaling: true, min, max, desired: size },
        None => Scaling { auto_scaling: false, min: size, max: size, desired: size },
    }
}

/// The autoscaler's limits for the whole pool; `None` while it is off.
pub(crate) fn limits(pool: &container::NodePool) -> Option<(u32, u32)> {
    let set = pool.autoscaling;
    let zones = zones(pool);
    set.enabled.then(|| {
        if set.total_max_node_count > 0 {
            (set.total_min_node_count, set.total_max_node_count)
        } else {
            (set.min_node_count * zones, set.max_node_count * zones)
        }
    })
}

/// In how many zones a pool's nodes are: sizes are said for each of them.
pub(crate) fn zones(pool: &container::NodePool) -> u32 {
    u32::try_from(pool.locations.len()).unwrap_or(1).max(1)
}

fn node_pool_facts(pool: &container::NodePool) -> KeyValueList {
    let mut facts = KeyValueList::default();
    facts.add("Status", &pool.status);
    facts.add("Zones", pool.locations.join(","));
    facts.add("NetworkTags", pool.config.tags.join(","));
    facts.add("AutoUpgrade", pool.management.auto_upgrade.to_string());
    facts.add("AutoRepair", pool.management.auto_repair.to_string());
    facts.add_some("ServiceAccount", pool.config.service_account.as_deref());
    if pool.config.spot {
        facts.add("Spot", "true");
    }
    for url in &pool.instance_group_urls {
        facts.add("InstanceGroup", url);
    }
    facts
}

/// A version; `None` for a text that is none.
pub(crate) fn version(text: &str) -> Option<Version> {
    text.parse().ok()
}

/// How GKE's own work stands.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations>
pub(crate) fn poll(operation: &container::Operation, outputs: Value) -> Poll {
    const ACTION: &str = "container.operations.get";
    let error = operation.error.as_ref().filter(|error| error.code != 0 || !error.message.is_empty());
    match (operation.status.as_str(), error) {
        ("DONE", Some(error)) => {
            Poll::Failed(errors::of_operation(ACTION, errors::word_of(error.code), &error.message))
        }
        ("DONE", None) => Poll::Done(outputs),
        (word, _) => {
            let detail =
                if operation.detail.is_empty() { &operation.status_message } else { &operation.detail };
            let separator = if detail.is_empty() { "" } else { ": " };
            let says = format!("{} {word}{separator}{detail}", operation.operation_type);
            Poll::Pending { says, after: None }
        }
    }
}

/// How Compute Engine's own work stands.
///
/// Source: <https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses#handling_api_responses>
pub(crate) fn compute_poll(operation: &compute::Operation, outputs: Value) -> Poll {
    const ACTION: &str = "compute.operations.get";
    let first = operation.error.as_ref().and_then(|error| error.errors.first());
    match (operation.status.as_str(), first) {
        ("DONE", Some(error)) => Poll::Failed(errors::of_operation(ACTION, &error.code, &error.message)),
        ("DONE", None) if operation.http_error_status_code.is_some_and(|status| status >= 400) => {
            Poll::Failed(errors::of_operation(ACTION, "", ""))
        }
        ("DONE", None) => Poll::Done(outputs),
        (word, _) => Poll::Pending { says: format!("{} {word}", operation.operation_type), after: None },
    }
}

/// What GKE is doing to a cluster now, in its words; `None`: nothing.
pub(crate) fn under_way(operations: &[container::Operation], cluster: &ClusterName) -> Option<String> {
    let running = |operation: &&container::Operation| {
        matches!(operation.status.as_str(), "PENDING" | "RUNNING" | "ABORTING")
            && is_about(&operation.target_link, cluster)
    };
    let says: Vec<String> = operations
        .iter()
        .filter(running)
        .map(|operation| format!("{} {}", operation.operation_type, operation.name))
        .collect();
    (!says.is_empty()).then(|| says.join(", "))
}

/// Whether a link is a cluster's, or of something in it. Links name projects by number.
fn is_about(link: &str, cluster: &ClusterName) -> bool {
    let mut parts = link.split('/').skip_while(|part| *part != "locations" && *part != "zones");
    parts.nth(1) == Some(&cluster.location) && parts.nth(1) == Some(&cluster.name)
}

/// The error of a cluster or node pool whose creation failed: which class GKE's own words mean.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/StatusCondition>
pub(crate) fn failed_creation(
    of: &str,
    name: &str,
    conditions: &[container::StatusCondition],
    message: &str,
) -> DriverError {
    let says = reasons(conditions, message);
    let message = match says.as_str() {
        "" => format!("GKE could not make {of} {name:?} and does not say why"),
        says => format!("GKE could not make {of} {name:?}: {says}"),
    };
    let has = |words: &[&str]| {
        let one = |text: &str| words.contains(&text);
        conditions.iter().any(|condition| one(&condition.code) || one(&condition.canonical_code))
    };
    let kind = if has(&["GCE_STOCKOUT", "GCE_QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED"]) {
        ErrorKind::QuotaExceeded
    } else if has(&["PERMISSION_DENIED", "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS"]) {
        ErrorKind::Forbidden { permission: None }
    } else if has(&["GKE_SERVICE_ACCOUNT_DELETED"]) {
        ErrorKind::PrerequisiteMissing {
            what: "GKE's own service agent of the project".to_owned(),
            fix: "disable and enable container.googleapis.com, which makes it again".to_owned(),
        }
    } else if has(&["INVALID_ARGUMENT"]) {
        ErrorKind::InvalidRequest(Findings::default())
    } else {
        ErrorKind::Precondition { what: message.clone(), fix: String::new() }
    };
    DriverError::new(kind, PROVIDER, message)
}

/// The error of a cluster or node pool that could not be removed.
pub(crate) fn failed_removal(
    of: &str,
    name: &str,
    conditions: &[container::StatusCondition],
    message: &str,
) -> DriverError {
    let message = match reasons(conditions, message).as_str() {
        "" => format!("GKE could not remove {of} {name:?} and does not say why"),
        says => format!("GKE could not remove {of} {name:?}: {says}"),
    };
    let fix = "settle what GKE names, and retry the removal".to_owned();
    DriverError::new(ErrorKind::Precondition { what: message.clone(), fix }, PROVIDER, message)
}

/// What no later one of a name has: Compute Engine's number of a resource. Empty for what is none: one that cannot be read
/// is no sign that another one stands there.
///
/// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/networks>, `id`
pub(crate) fn number(text: &str) -> &str {
    if text.parse::<u64>().is_ok() { text } else { "" }
}

/// The name of a network in a URL.
pub(crate) fn network_name(url: &str, project: &str) -> String {
    Shared::read("network", url, project)
        .map_or_else(|_| last(url).to_owned(), |found| found.network(project))
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
