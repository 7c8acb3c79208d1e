//! The machines of node pools as Kubernetes nodes. Pure: from the world to what the endpoint is told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pmks_simulation::kubernetes::{ClusterSettings, Node, Workload};

use super::state::{Cluster, NodePool};
use crate::catalogue::machine_type;
use crate::compute::Instance;
use crate::world::Project;

/// Every node of the cluster, each with whether it is about to go.
pub(crate) fn nodes(project: &Project, cluster: &Cluster) -> Vec<(Node, bool)> {
    let mut found = Vec::new();
    for pool in &cluster.pools {
        let keys = pool.group_keys();
        let machines = project.compute.instances.values();
        let own = machines.filter(|one| keys.contains(&format!("{}/{}", one.wish.zone, one.group)));
        for one in own.filter(|one| one.ready_since.is_some()) {
            found.push((node(project, cluster, pool, one), one.going()));
        }
    }
    found
}

fn node(project: &Project, cluster: &Cluster, pool: &NodePool, one: &Instance) -> Node {
    let machine = machine_type(&one.wish.machine_type);
    let (cpu, memory_mib) =
        machine.map_or((2, 4096), |machine| (machine.cpus, u64::from(machine.memory_mib)));
    let arm = machine.is_some_and(|machine| machine.arm);
    let ubuntu = one.wish.image_type.starts_with("UBUNTU");
    Node {
        name: one.name.clone(),
        internal_ip: IpAddr::V4(one.internal_ip),
        external_ip: one.external_ip.map(IpAddr::V4),
        provider_id: format!("gce://{}/{}/{}", project.id, one.wish.zone, one.name),
        instance_type: one.wish.machine_type.clone(),
        region: cluster.region().to_owned(),
        zone: one.wish.zone.clone(),
        architecture: if arm { "arm64" } else { "amd64" }.to_owned(),
        version: format!("v{}", one.wish.version),
        os_image: if ubuntu { "Ubuntu 24.04.3 LTS" } else { "Container-Optimized OS from Google" }.to_owned(),
        kernel_version: if ubuntu { "6.8.0-1039-gke" } else { "6.12.46+" }.to_owned(),
        container_runtime: "containerd://2.1.5".to_owned(),
        cpu,
        memory_mib,
        max_pods: 110,
        // Of the first core 6 %, of the second 1 %, of the rest about a half.
        // Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes>.
        reserved_cpu_millis: 70 + 4 * cpu.saturating_sub(2),
        // A quarter of the first 4 GiB and a tenth of what follows, and 100 MiB for eviction.
        reserved_memory_mib: 100 + memory_mib.min(4096) / 4 + memory_mib.saturating_sub(4096) / 10,
        labels: labels(pool, one),
        ready_since: one.ready_since,
    }
}

/// The labels that GKE adds, and the user's.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels>.
fn labels(pool: &NodePool, one: &Instance) -> BTreeMap<String, String> {
    let image = if one.wish.image_type.starts_with("UBUNTU") { "ubuntu" } else { "cos" };
    let family = one.wish.machine_type.split('-').next().unwrap_or_default();
    let mut labels: BTreeMap<String, String> = [
        ("cloud.google.com/gke-nodepool", pool.name.as_str()),
        ("cloud.google.com/gke-os-distribution", image),
        ("cloud.google.com/gke-container-runtime", "containerd"),
        ("cloud.google.com/gke-boot-disk", one.wish.disk_type.as_str()),
        ("cloud.google.com/machine-family", family),
        ("cloud.google.com/gke-provisioning", if one.wish.spot { "spot" } else { "standard" }),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    labels.extend(one.wish.node_labels.clone());
    labels
}

/// What a cluster is made with.
pub(crate) fn settings(cluster: &Cluster) -> ClusterSettings {
    let mut settings = ClusterSettings::new(&cluster.name, &format!("v{}", cluster.version));
    let mut numbers = cluster.services.split('.').filter_map(|part| part.parse().ok());
    if let (Some(first), Some(second)) = (numbers.next(), numbers.next()) {
        settings.service_network = [first, second];
    }
    settings.daemon_sets = vec![Workload::new("anetd", "gke.gcr.io/cilium/cilium")];
    settings.deployments =
        vec![Workload { replicas: 2, ..Workload::new("kube-dns", "gke.gcr.io/k8s-dns-kube-dns") }];
    "gce".clone_into(&mut settings.ingress_class);
    "networking.gke.io/ingress-finalizer-V2".clone_into(&mut settings.ingress_finalizer);
    settings.system_uid = Some(cluster.uid());
    settings
}
