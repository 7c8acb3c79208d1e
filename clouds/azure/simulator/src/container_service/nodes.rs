//! The machines of pools as Kubernetes nodes. Pure: from the world to what the endpoint is told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pmks_simulation::kubernetes::Node;

use super::endpoints::git_version;
use super::state::{Cluster, Machine, Pool};
use super::versions::NODE_IMAGE;
use crate::json::{at, members, number, text};

/// Every node of a cluster, each with whether it is about to go.
pub(super) fn nodes(subscription: &str, cluster: &Cluster) -> Vec<(Node, bool)> {
    let of_pool = |pool: &Pool| {
        let going = pool.state == "Deleting";
        pool.machines
            .iter()
            .map(|machine| (node(subscription, cluster, pool, machine), going))
            .collect::<Vec<_>>()
    };
    cluster.pools.iter().flat_map(of_pool).collect()
}

/// The name of a machine of a scale set: its number has base 36 and six digits.
pub(crate) fn name(pool: &Pool, machine: &Machine) -> String {
    let mut number = machine.number;
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(char::from_digit(number % 36, 36).unwrap_or('0'));
        number /= 36;
    }
    let digits: String = digits.into_iter().rev().collect();
    format!("{}{digits}", pool.scale_set)
}

fn node(subscription: &str, cluster: &Cluster, pool: &Pool, machine: &Machine) -> Node {
    let size = pool.size();
    // Without zones a machine's zone is its fault domain, which Kubernetes writes as a number.
    let zone =
        machine.zone.as_ref().map_or_else(|| "0".to_owned(), |zone| format!("{}-{zone}", cluster.location));
    let memory_mib = size.map_or(8192, |size| u64::from(size.memory_gib) * 1024);
    let cpu = size.map_or(2, |size| size.cpu);
    let max_pods =
        number(&pool.properties, "maxPods").and_then(|pods| u32::try_from(pods).ok()).unwrap_or(110);
    Node {
        name: name(pool, machine),
        internal_ip: IpAddr::V4(machine.address),
        external_ip: None,
        provider_id: format!("azure://{}", provider_path(subscription, cluster, pool, machine)),
        instance_type: text(&pool.properties, "vmSize").unwrap_or_default().to_owned(),
        region: cluster.location.clone(),
        zone,
        architecture: if size.is_some_and(|size| size.architecture == "Arm64") { "arm64" } else { "amd64" }
            .to_owned(),
        version: git_version(&machine.version),
        os_image: "Ubuntu 22.04.5 LTS".to_owned(),
        kernel_version: "5.15.0-1098-azure".to_owned(),
        container_runtime: "containerd://1.7.28-1".to_owned(),
        cpu,
        memory_mib,
        max_pods,
        // Source: <https://learn.microsoft.com/azure/aks/node-resource-reservations>.
        reserved_cpu_millis: if cpu <= 2 { 100 } else { 140 },
        reserved_memory_mib: (50 + 20 * u64::from(max_pods)).min(memory_mib / 4) + 100,
        labels: labels(cluster, pool),
        ready_since: machine.ready_since,
    }
}

/// The machine's id as the cloud provider writes it: with the resource group in lower case.
fn provider_path(subscription: &str, cluster: &Cluster, pool: &Pool, machine: &Machine) -> String {
    let group = cluster.node_group();
    cluster.machine_id(subscription, pool, machine).replace(
        &format!("/resourceGroups/{group}/"),
        &format!("/resourceGroups/{}/", group.to_ascii_lowercase()),
    )
}

/// The labels that AKS adds, and the user's.
///
/// Source: <https://learn.microsoft.com/azure/aks/use-labels#reserved-system-labels>.
fn labels(cluster: &Cluster, pool: &Pool) -> BTreeMap<String, String> {
    let property = |name: &str| text(&pool.properties, name).unwrap_or_default();
    let mode = property("mode").to_ascii_lowercase();
    let own = [
        ("agentpool", pool.name.as_str()),
        ("kubernetes.azure.com/agentpool", &pool.name),
        ("kubernetes.azure.com/cluster", cluster.node_group()),
        ("kubernetes.azure.com/mode", &mode),
        ("kubernetes.azure.com/role", "agent"),
        ("kubernetes.azure.com/node-image-version", NODE_IMAGE),
        ("kubernetes.azure.com/os-sku", property("osSKU")),
        ("kubernetes.azure.com/storageprofile", "managed"),
        ("kubernetes.azure.com/storagetier", "Premium_LRS"),
        ("kubernetes.io/role", "agent"),
        ("node-role.kubernetes.io/agent", ""),
        ("storageprofile", "managed"),
        ("storagetier", "Premium_LRS"),
    ];
    let users = members(at(&pool.properties, "nodeLabels"));
    let users =
        users.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.chain(users).collect()
}
