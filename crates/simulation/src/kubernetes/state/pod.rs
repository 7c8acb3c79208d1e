//! The life of a system pod as its object tells it: waiting, bound to a node, running.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::timestamp;
use super::workload::Workload;
use crate::kubernetes::resource::{DAEMON_SETS, REPLICA_SETS, Resource};

/// What refers to an owner by its metadata.
pub(super) fn owner_reference(resource: &Resource, owner: &Value) -> Value {
    json!({
        "apiVersion": resource.api_version(), "kind": resource.kind, "name": owner["name"], "uid": owner["uid"],
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// A pod that waits for a node.
pub(super) fn pending(
    mut metadata: Value,
    workload: &Workload,
    owner: &Value,
    daemon: bool,
    now: Timestamp,
) -> Value {
    let hash_label = if daemon { "controller-revision-hash" } else { "pod-template-hash" };
    let resource = if daemon { &DAEMON_SETS } else { &REPLICA_SETS };
    metadata["generateName"] = format!("{}-", owner["name"].as_str().unwrap_or_default()).into();
    metadata["labels"] = json!({"k8s-app": workload.label, hash_label: workload.template()});
    metadata["ownerReferences"] = json!([owner_reference(resource, owner)]);
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec(workload, daemon),
        "status": {
            "phase": "Pending", "qosClass": "Burstable",
            "conditions": [{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastProbeTime": null,
                "message": "no nodes available to schedule pods", "lastTransitionTime": timestamp(now),
            }],
        },
    })
}

/// The spec that pods of a workload have, before they are bound.
pub(super) fn spec(workload: &Workload, daemon: bool) -> Value {
    let mut spec = json!({
        "containers": [{
            "name": workload.name, "image": workload.image, "imagePullPolicy": "IfNotPresent",
            "resources": {"requests": {"cpu": "50m", "memory": "70Mi"}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }],
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
        "priority": 2_000_001_000_u32, "priorityClassName": "system-node-critical", "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "securityContext": {}, "serviceAccountName": workload.name,
        "serviceAccount": workload.name, "terminationGracePeriodSeconds": 30,
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
    });
    if daemon {
        spec["hostNetwork"] = true.into();
        spec["tolerations"] = json!([{"operator": "Exists"}]);
    }
    spec
}

pub(super) fn node_name(pod: &Value) -> Option<&str> {
    pod["spec"]["nodeName"].as_str()
}

pub(super) fn is_running(pod: &Value) -> bool {
    pod["status"]["phase"] == "Running"
}

/// The pod has its node; its containers do not run yet.
pub(super) fn bind(pod: &mut Value, node: &str, host: &str, now: Timestamp) {
    pod["spec"]["nodeName"] = node.into();
    let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
    let status = json!({
        "phase": "Pending", "qosClass": "Burstable", "hostIP": host, "hostIPs": [{"ip": host}],
        "startTime": timestamp(now),
        "conditions": conditions(false, now),
        "containerStatuses": [container(pod, "", &waiting, false)],
    });
    pod["status"] = status;
}

/// The pod's containers run.
pub(super) fn run(pod: &mut Value, address: &str, container_id: &str, now: Timestamp) {
    let running = json!({"running": {"startedAt": timestamp(now)}});
    let statuses = json!([container(pod, container_id, &running, true)]);
    pod["status"]["phase"] = "Running".into();
    pod["status"]["podIP"] = address.into();
    pod["status"]["podIPs"] = json!([{"ip": address}]);
    pod["status"]["conditions"] = conditions(true, now);
    pod["status"]["containerStatuses"] = statuses;
}

/// An address beside a node's: the network plugins of managed clouds give pods addresses of the node's subnet.
pub(super) fn neighbour(host: &str, number: u64) -> String {
    match host.rsplit_once('.') {
        Some((network, _)) => format!("{network}.{number}"),
        None => host.to_owned(),
    }
}

fn conditions(ready: bool, now: Timestamp) -> Value {
    let now = timestamp(now);
    let condition = |kind: &str, met: bool| {
        let status = if met { "True" } else { "False" };
        let mut condition =
            json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": now});
        if !met {
            condition["reason"] = "ContainersNotReady".into();
        }
        condition
    };
    json!([
        condition("PodReadyToStartContainers", ready),
        condition("Initialized", true),
        condition("Ready", ready),
        condition("ContainersReady", ready),
        condition("PodScheduled", true),
    ])
}

fn container(pod: &Value, id: &str, state: &Value, ready: bool) -> Value {
    let spec = &pod["spec"]["containers"][0];
    let mut status = json!({
        "name": spec["name"], "image": spec["image"], "imageID": "", "restartCount": 0,
        "ready": ready, "started": ready, "state": state, "lastState": {},
    });
    if !id.is_empty() {
        status["containerID"] = format!("containerd://{id}{id}").into();
        status["imageID"] = spec["image"].clone();
    }
    status
}
