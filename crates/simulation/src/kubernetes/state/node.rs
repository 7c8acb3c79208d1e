//! Nodes as Kubernetes objects: what the cloud says of a machine, in the words of kubelet and node controller.
//! Never decides when a node is ready: the cloud does.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::store::Key;
use super::{World, timestamp};
use crate::kubernetes::resource::{LEASES, NODES};

/// A node, as the cloud's simulator knows the machine behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The node's name, such as `ip-10-0-1-17.ap-northeast-2.compute.internal`.
    pub name: String,
    /// The machine's address in its subnet.
    pub internal_ip: IpAddr,
    /// The machine's public address, if it has one.
    pub external_ip: Option<IpAddr>,
    /// `aws:///ap-northeast-2a/i-0123456789abcdef0` and the like.
    pub provider_id: String,
    /// The cloud's name of the machine type.
    pub instance_type: String,
    /// The region, for the topology labels.
    pub region: String,
    /// The zone, for the topology labels.
    pub zone: String,
    /// `amd64` or `arm64`.
    pub architecture: String,
    /// The kubelet's version, such as `v1.33.4-eks-99d6cc0`.
    pub version: String,
    /// `Amazon Linux 2023.9.20251105` and the like.
    pub os_image: String,
    /// The kernel's version.
    pub kernel_version: String,
    /// `containerd://2.1.4` and the like.
    pub container_runtime: String,
    /// Virtual processors.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// How many pods the kubelet takes.
    pub max_pods: u32,
    /// Thousandths of a processor that the cloud's image keeps from pods.
    pub reserved_cpu_millis: u32,
    /// Memory in MiB that it keeps from pods, for eviction too.
    pub reserved_memory_mib: u64,
    /// Labels beside the standard ones: the cloud's own (`eks.amazonaws.com/nodegroup`, …) and the user's.
    pub labels: BTreeMap<String, String>,
    /// Since when the node is ready; `None`: not yet, and [`super::ClusterState::set_node_ready`] will say so.
    pub ready_since: Option<Timestamp>,
}

impl World {
    pub(super) fn put_node(&mut self, node: &Node, now: Timestamp) {
        let mut metadata = self.metadata(&NODES, "", &node.name, now);
        metadata["labels"] = json!(labels(node));
        metadata["annotations"] = json!({
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        });
        let mut object = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": metadata,
            "spec": {"providerID": node.provider_id},
            "status": status(node, now),
        });
        set_ready(&mut object, node.ready_since.is_some(), node.ready_since.unwrap_or(now));
        self.put(&NODES, object);
        self.put_lease(&node.name, now);
    }

    pub(super) fn edit_node(&mut self, name: &str, edit: impl FnOnce(&mut Value)) -> bool {
        let key = Key::new(&NODES, "", name);
        let Some(mut object) = self.store.get(&key).map(|object| Value::clone(object)) else {
            return false;
        };
        edit(&mut object);
        self.store.put(key, object);
        true
    }

    pub(super) fn remove_node(&mut self, name: &str) -> bool {
        self.store.remove(&Key::new(&LEASES, "kube-node-lease", name));
        self.store.remove(&Key::new(&NODES, "", name)).is_some()
    }

    fn put_lease(&mut self, node: &str, now: Timestamp) {
        let metadata = self.metadata(&LEASES, "kube-node-lease", node, now);
        let renewed = now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        self.put(
            &LEASES,
            json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
                "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": renewed},
            }),
        );
    }
}

/// Sets the node's `Ready` condition, and the taints that go with it.
pub(super) fn set_ready(node: &mut Value, ready: bool, since: Timestamp) {
    let (status, reason, message) = if ready {
        ("True", "KubeletReady", "kubelet is posting ready status")
    } else {
        (
            "False",
            "KubeletNotReady",
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
             message:Network plugin returns error: cni plugin not initialized",
        )
    };
    if let Some(conditions) = node["status"]["conditions"].as_array_mut() {
        let known = conditions.iter().find(|known| known["type"] == "Ready" && known["status"] == status);
        let since =
            known.map_or_else(|| timestamp(since).into(), |known| known["lastTransitionTime"].clone());
        conditions.retain(|known| known["type"] != "Ready");
        conditions.push(condition("Ready", status, reason, message, &since));
    }
    let effects: &[&str] = if ready { &[] } else { &["NoSchedule", "NoExecute"] };
    set_taint(node, "node.kubernetes.io/not-ready", effects, since);
}

pub(super) fn set_version(node: &mut Value, version: &str) {
    if let Some(info) = node["status"]["nodeInfo"].as_object_mut() {
        info.insert("kubeletVersion".to_owned(), version.into());
        info.insert("kubeProxyVersion".to_owned(), version.into());
    }
}

pub(super) fn set_unschedulable(node: &mut Value, unschedulable: bool, now: Timestamp) {
    if let Some(spec) = node["spec"].as_object_mut() {
        spec.remove("unschedulable");
        if unschedulable {
            spec.insert("unschedulable".to_owned(), true.into());
        }
    }
    let effects: &[&str] = if unschedulable { &["NoSchedule"] } else { &[] };
    set_taint(node, "node.kubernetes.io/unschedulable", effects, now);
}

pub(super) fn is_ready(node: &Value) -> bool {
    node["status"]["conditions"]
        .as_array()
        .is_some_and(|all| all.iter().any(|known| known["type"] == "Ready" && known["status"] == "True"))
}

fn set_taint(node: &mut Value, key: &str, effects: &[&str], now: Timestamp) {
    let Some(spec) = node["spec"].as_object_mut() else {
        return;
    };
    let mut taints = spec.remove("taints").and_then(|taints| taints.as_array().cloned()).unwrap_or_default();
    taints.retain(|taint| taint["key"] != key || effects.iter().any(|effect| taint["effect"] == *effect));
    for effect in effects {
        if !taints.iter().any(|taint| taint["key"] == key && taint["effect"] == *effect) {
            taints.push(json!({"key": key, "effect": effect, "timeAdded": timestamp(now)}));
        }
    }
    if !taints.is_empty() {
        spec.insert("taints".to_owned(), taints.into());
    }
}

/// The labels that kubelet and cloud controller put on every node, under the cloud's own.
fn labels(node: &Node) -> BTreeMap<String, String> {
    let standard = [
        ("beta.kubernetes.io/arch", node.architecture.as_str()),
        ("beta.kubernetes.io/instance-type", &node.instance_type),
        ("beta.kubernetes.io/os", "linux"),
        ("failure-domain.beta.kubernetes.io/region", &node.region),
        ("failure-domain.beta.kubernetes.io/zone", &node.zone),
        ("kubernetes.io/arch", &node.architecture),
        ("kubernetes.io/hostname", &node.name),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", &node.instance_type),
        ("topology.kubernetes.io/region", &node.region),
        ("topology.kubernetes.io/zone", &node.zone),
    ];
    let standard = standard.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    standard.chain(node.labels.clone()).collect()
}

fn status(node: &Node, now: Timestamp) -> Value {
    let memory = node.memory_mib * 1024;
    let reserved = node.reserved_memory_mib * 1024;
    let mut addresses = vec![json!({"type": "InternalIP", "address": node.internal_ip})];
    addresses.extend(node.external_ip.map(|address| json!({"type": "ExternalIP", "address": address})));
    addresses.push(json!({"type": "InternalDNS", "address": node.name}));
    addresses.push(json!({"type": "Hostname", "address": node.name}));
    let since = timestamp(now).into();
    json!({
        "addresses": addresses,
        "capacity": {
            "cpu": node.cpu.to_string(), "memory": quantity(memory), "ephemeral-storage": "20893676Ki",
            "hugepages-1Gi": "0", "hugepages-2Mi": "0", "pods": node.max_pods.to_string(),
        },
        "allocatable": {
            "cpu": format!("{}m", (1000 * node.cpu).saturating_sub(node.reserved_cpu_millis)),
            "memory": quantity(memory.saturating_sub(reserved)), "ephemeral-storage": "18181869946",
            "hugepages-1Gi": "0", "hugepages-2Mi": "0", "pods": node.max_pods.to_string(),
        },
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", &since),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", &since),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available", &since),
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": node.architecture, "bootID": "", "machineID": "", "systemUUID": "",
            "containerRuntimeVersion": node.container_runtime, "kernelVersion": node.kernel_version,
            "kubeProxyVersion": node.version, "kubeletVersion": node.version,
            "operatingSystem": "linux", "osImage": node.os_image,
        },
    })
}

/// An amount of KiB in the greatest unit that gives a whole number, as the API server writes it.
fn quantity(kib: u64) -> String {
    let mut units = ["Ki", "Mi", "Gi", "Ti"].into_iter();
    let (mut amount, mut unit) = (kib, units.next().unwrap_or_default());
    for greater in units {
        if amount == 0 || amount % 1024 != 0 {
            break;
        }
        (amount, unit) = (amount / 1024, greater);
    }
    format!("{amount}{unit}")
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, since: &Value) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastHeartbeatTime": since, "lastTransitionTime": since,
    })
}
