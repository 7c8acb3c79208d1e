//! What kubelets would do on machines that are only words: start what is bound to a ready node, confirm what is
//! deleted, and take what ran on a machine along with it.

use std::sync::PoisonError;

use serde_json::{Value, json};

use super::Refusals;
use super::api::{Api, Refused};

/// One round over all pods.
pub(super) async fn follow(api: &Api, nodes: &[&Value], refusals: &Refusals) {
    let Ok(pods) = api.list("/api/v1/pods?resourceVersion=0").await else { return };
    for pod in &pods {
        let Some(name) = pod["spec"]["nodeName"].as_str() else { continue };
        let node = nodes.iter().find(|node| node["metadata"]["name"] == name);
        if let Err(refused) = follow_one(api, pod, node.copied()).await
            && ![404, 409].contains(&refused.status)
        {
            refusals.lock().unwrap_or_else(PoisonError::into_inner).push(refused.says);
        }
    }
}

async fn follow_one(api: &Api, pod: &Value, node: Option<&Value>) -> Result<(), Refused> {
    let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
    let path = format!("/api/v1/namespaces/{}/pods/{}", text("namespace"), text("name"));
    let Some(node) = node else { return api.delete(&path).await };
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return api.delete(&path).await;
    }
    if pod["status"]["phase"] == "Pending" && is_ready(node) {
        api.patch(&format!("{path}/status"), &json!({"status": running(pod, node)})).await?;
    }
    Ok(())
}

fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"))
}

/// The status of a pod whose containers all run.
fn running(pod: &Value, node: &Value) -> Value {
    let addresses = node["status"]["addresses"].as_array();
    let internal = addresses.and_then(|all| all.iter().find(|address| address["type"] == "InternalIP"));
    let host = internal.and_then(|address| address["address"].as_str()).unwrap_or_default();
    let created = &pod["metadata"]["creationTimestamp"];
    let address = if pod["spec"]["hostNetwork"] == true { host.to_owned() } else { beside(host, pod) };
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": created});
    let kinds = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    let container = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "imageID": container["image"],
            "containerID": format!("containerd://{}", pod["metadata"]["uid"].as_str().unwrap_or_default()),
            "restartCount": 0, "ready": true, "started": true, "state": {"running": {"startedAt": created}},
        })
    };
    let containers = pod["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    json!({
        "phase": "Running", "hostIP": host, "hostIPs": [{"ip": host}], "podIP": address,
        "podIPs": [{"ip": address}], "startTime": created,
        "conditions": kinds.map(condition),
        "containerStatuses": containers.iter().map(container).collect::<Vec<_>>(),
    })
}

/// An address in the node's subnet, as the network plugins of managed clouds give them.
fn beside(host: &str, pod: &Value) -> String {
    let number = pod["metadata"]["uid"].to_string().bytes().map(u32::from).sum::<u32>() % 200 + 20;
    host.rsplit_once('.').map_or_else(|| host.to_owned(), |(network, _)| format!("{network}.{number}"))
}
