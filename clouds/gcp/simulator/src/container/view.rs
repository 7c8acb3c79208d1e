//! Clusters and node pools as GKE shows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::places::path;
use super::state::{Cluster, NodePool, Status};
use super::versions;
use crate::call::Call;
use crate::compute::group_outcome;

/// GKE writes whole seconds for clusters and parts of seconds for operations; all of it is read alike.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What identifies a revision.
pub(crate) fn etag(id: &str, revision: u64) -> String {
    hexadecimal(&format!("{id}{revision}"), 16)
}

/// What identifies these labels.
pub(crate) fn label_fingerprint(labels: &BTreeMap<String, String>) -> String {
    hexadecimal(&json!(labels).to_string(), 8)
}

fn hexadecimal(text: &str, length: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text.chars().take(length).collect()
}

fn conditions(found: &[(String, String)]) -> Vec<Value> {
    let canonical = |code: &str| match code {
        "GCE_STOCKOUT" | "GCE_QUOTA_EXCEEDED" => "RESOURCE_EXHAUSTED",
        _ => "INTERNAL",
    };
    let known = ["GCE_STOCKOUT", "GCE_QUOTA_EXCEEDED", "GKE_SERVICE_ACCOUNT_DELETED", "CLOUD_KMS_KEY_ERROR"];
    found
        .iter()
        .map(|(code, message)| {
            let word = if known.contains(&code.as_str()) { code } else { "UNKNOWN" };
            json!({"code": word, "canonicalCode": canonical(code), "message": message})
        })
        .collect()
}

fn status_word(status: Status, busy: bool) -> &'static str {
    match status {
        Status::Running | Status::RunningWithError if busy => "RECONCILING",
        Status::Provisioning => "PROVISIONING",
        Status::Running => "RUNNING",
        Status::RunningWithError => "RUNNING_WITH_ERROR",
        Status::Stopping => "STOPPING",
        Status::Error => "ERROR",
    }
}

/// A cluster. Labels are set without a sign in its status.
pub(crate) fn cluster(call: &Call<'_>, cluster: &Cluster) -> Value {
    let busy = call.held().container.running(cluster).any(|operation| operation.kind != "SET_LABELS");
    let mut shown = defaults(cluster);
    shown.extend(cluster.asked.clone());
    let mut put = |field: &str, value: Value| drop(shown.insert(field.to_owned(), value));
    let place = path(call.project, &cluster.location);
    put("selfLink", format!("https://container.googleapis.com/v1/{place}/clusters/{}", cluster.name).into());
    put("name", cluster.name.as_str().into());
    put("id", cluster.id.as_str().into());
    put("etag", etag(&cluster.id, cluster.revision).into());
    put("location", cluster.location.as_str().into());
    put("zone", cluster.location.as_str().into());
    put("locations", json!(cluster.zones));
    put("createTime", time(cluster.created).into());
    put("status", status_word(cluster.status, busy).into());
    put("initialClusterVersion", cluster.initial_version.as_str().into());
    put("currentMasterVersion", cluster.version.as_str().into());
    let oldest =
        cluster.pools.iter().map(|pool| oldest(call, pool)).min_by_key(|version| versions::order(version));
    put("currentNodeVersion", oldest.unwrap_or_else(|| cluster.version.clone()).into());
    put("network", cluster.network.as_str().into());
    put("subnetwork", cluster.subnetwork.as_str().into());
    put("clusterIpv4Cidr", cluster.pods.0.as_str().into());
    put("servicesIpv4Cidr", cluster.services.as_str().into());
    put("labelFingerprint", label_fingerprint(&cluster.labels).into());
    put(
        "releaseChannel",
        if cluster.channel.is_empty() { json!({}) } else { json!({"channel": cluster.channel}) },
    );
    put("initialNodeCount", cluster.initial_node_count.into());
    put("currentNodeCount", node_count(call, cluster).into());
    put("ipAllocationPolicy", ip_allocation(cluster));
    if !cluster.labels.is_empty() {
        put("resourceLabels", json!(cluster.labels));
    }
    let pools: Vec<Value> = cluster.pools.iter().map(|one| pool(call, cluster, one)).collect();
    if let Some(first) = cluster.pools.first() {
        put("nodeConfig", Value::Object(first.config.clone()));
        put("nodePools", pools.into());
        put("instanceGroupUrls", cluster.pools.iter().flat_map(|one| group_urls(call, one)).collect());
    }
    if !cluster.conditions.is_empty() {
        put("conditions", conditions(&cluster.conditions).into());
        put("statusMessage", cluster.conditions.first().map_or("", |(_, message)| message).into());
    }
    let network = json!({
        "network": format!("projects/{}/global/networks/{}", call.project, cluster.network),
        "subnetwork": format!("projects/{}/regions/{}/subnetworks/{}", call.project, cluster.region(), cluster.subnetwork),
        "datapathProvider": "ADVANCED_DATAPATH", "defaultSnatStatus": {}, "serviceExternalIpsConfig": {},
    });
    put("networkConfig", network);
    if let Some(endpoint) = &cluster.endpoint {
        let address = endpoint.url.trim_start_matches("https://");
        put("endpoint", address.into());
        put(
            "masterAuth",
            json!({
                "clusterCaCertificate": endpoint.certificate_authority, "clientCertificateConfig": {},
            }),
        );
        put(
            "controlPlaneEndpointsConfig",
            json!({"ipEndpointsConfig": {
                "enabled": true, "enablePublicEndpoint": true, "publicEndpoint": address, "privateEndpoint": "10.128.0.2",
            }}),
        );
    }
    shown.extend(cluster.shown_over.clone());
    Value::Object(shown)
}

/// What GKE gives to clusters that do not ask for something else.
fn defaults(cluster: &Cluster) -> Map<String, Value> {
    let defaults = json!({
        "loggingService": "logging.googleapis.com/kubernetes",
        "monitoringService": "monitoring.googleapis.com/kubernetes",
        "loggingConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]}},
        "monitoringConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]}},
        "addonsConfig": {
            "kubernetesDashboard": {"disabled": true}, "networkPolicyConfig": {"disabled": true},
            "gcePersistentDiskCsiDriverConfig": {"enabled": true}, "dnsCacheConfig": {"enabled": true},
        },
        "databaseEncryption": {"state": "DECRYPTED", "currentState": "CURRENT_STATE_DECRYPTED"},
        "defaultMaxPodsConstraint": {"maxPodsPerNode": "110"},
        "legacyAbac": {}, "autopilot": {}, "shieldedNodes": {"enabled": true},
        "autoscaling": {"autoscalingProfile": "BALANCED"},
        "maintenancePolicy": {"resourceVersion": "e3b0c442"},
        "nodePoolDefaults": {"nodeConfigDefaults": {"loggingConfig": {"variantConfig": {"variant": "DEFAULT"}}}},
        "securityPostureConfig": {"mode": "BASIC", "vulnerabilityMode": "VULNERABILITY_DISABLED"},
        "notificationConfig": {"pubsub": {}},
        "privateClusterConfig": {"enablePrivateNodes": false},
    });
    let _ = cluster;
    match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    }
}

fn ip_allocation(cluster: &Cluster) -> Value {
    let (block, name, _) = &cluster.pods;
    json!({
        "useIpAliases": true, "clusterIpv4Cidr": block, "clusterIpv4CidrBlock": block, "clusterSecondaryRangeName": name,
        "servicesIpv4Cidr": cluster.services, "servicesIpv4CidrBlock": cluster.services, "stackType": "IPV4",
        "podCidrOverprovisionConfig": {},
    })
}

/// A node pool.
pub(crate) fn pool(call: &Call<'_>, cluster: &Cluster, pool: &NodePool) -> Value {
    let busy =
        call.held().container.running(cluster).any(|operation| operation.pool.as_ref() == Some(&pool.name));
    let mut shown = pool.asked.clone();
    let mut put = |field: &str, value: Value| drop(shown.insert(field.to_owned(), value));
    let place = path(call.project, &cluster.location);
    let link = format!(
        "https://container.googleapis.com/v1/{place}/clusters/{}/nodePools/{}",
        cluster.name, pool.name
    );
    put("selfLink", link.into());
    put("name", pool.name.as_str().into());
    put("etag", etag(&cluster.id, pool.revision).into());
    put("status", status_word(pool.status, busy).into());
    put("version", pool.version.as_str().into());
    put("config", Value::Object(pool.config.clone()));
    put("initialNodeCount", pool.initial_node_count.into());
    put("locations", pool.groups.iter().map(|(zone, _)| zone.as_str()).collect());
    put("instanceGroupUrls", group_urls(call, pool).into());
    put("podIpv4CidrSize", 24.into());
    put("maxPodsConstraint", json!({"maxPodsPerNode": "110"}));
    put("networkConfig", json!({"podRange": cluster.pods.1, "podIpv4CidrBlock": cluster.pods.0}));
    if !pool.conditions.is_empty() {
        put("conditions", conditions(&pool.conditions).into());
        put("statusMessage", pool.conditions.first().map_or("", |(_, message)| message).into());
    }
    shown.extend(pool.shown_over.clone());
    Value::Object(shown)
}

fn group_urls(call: &Call<'_>, pool: &NodePool) -> Vec<String> {
    let url = |(zone, group): &(String, String)| {
        crate::compute::link(&format!("projects/{}/zones/{zone}/instanceGroupManagers/{group}", call.project))
    };
    pool.groups.iter().map(url).collect()
}

fn node_count(call: &Call<'_>, cluster: &Cluster) -> usize {
    let groups = cluster.pools.iter().flat_map(NodePool::group_keys);
    groups.map(|group| group_outcome(&call.held().compute, &group).present).sum()
}

/// The oldest version of a pool's nodes, which differ while they are replaced.
fn oldest(call: &Call<'_>, pool: &NodePool) -> String {
    let keys = pool.group_keys();
    let machines = call.held().compute.instances.values();
    let own = machines.filter(|one| keys.contains(&format!("{}/{}", one.wish.zone, one.group)));
    let versions = own.map(|one| one.wish.version.clone()).chain([pool.version.clone()]);
    versions.min_by_key(|version| versions::order(version)).unwrap_or_default()
}
