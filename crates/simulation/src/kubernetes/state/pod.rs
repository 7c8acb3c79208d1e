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
    if daemon {
        metadata["labels"]["pod-template-generation"] = "1".into();
    }
    metadata["ownerReferences"] = json!([owner_reference(resource, owner)]);
    let mut spec = spec(workload, daemon);
    let suffix = metadata["name"].as_str().and_then(|name| name.rsplit('-').next()).unwrap_or_default();
    admit(&mut spec, suffix, daemon);
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec,
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

/// What admission adds to every pod, and the daemon sets' controller to theirs: the account's token, and how long the
/// pod stays on a node that is not well.
///
/// Sources: <https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken>,
/// <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations>
fn admit(spec: &mut Value, suffix: &str, daemon: bool) {
    let volume = format!("kube-api-access-{suffix}");
    spec["volumes"] = json!([{"name": volume, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {"downwardAPI": {"items": [
            {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"},
        ]}},
    ]}}]);
    spec["containers"][0]["volumeMounts"] = json!([
        {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": volume, "readOnly": true},
    ]);
    let Some(tolerations) = spec["tolerations"].as_array_mut() else { return };
    let toleration = |key: &str, effect: &str| json!({"effect": effect, "key": format!("node.kubernetes.io/{key}"), "operator": "Exists"});
    tolerations.extend(["not-ready", "unreachable"].map(|key| {
        let mut toleration = toleration(key, "NoExecute");
        if !daemon {
            toleration["tolerationSeconds"] = 300.into();
        }
        toleration
    }));
    if daemon {
        let troubles =
            ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable", "network-unavailable"];
        tolerations.extend(troubles.map(|key| toleration(key, "NoSchedule")));
    }
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
    if pod["spec"]["hostNetwork"] == true {
        // The daemon sets' controller made it for this node.
        let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
        pod["spec"]["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": [field]}],
        }}});
    }
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
