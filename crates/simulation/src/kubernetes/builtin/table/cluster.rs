//! Rows of nodes, namespaces and leases.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Printer;
use super::text::{NONE, age, items, joined, name, or};

pub(super) static NODES: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Status", "string", 0),
        ("Roles", "string", 0),
        ("Age", "string", 0),
        ("Version", "string", 0),
        ("Internal-IP", "string", 1),
        ("External-IP", "string", 1),
        ("OS-Image", "string", 1),
        ("Kernel-Version", "string", 1),
        ("Container-Runtime", "string", 1),
    ],
    cells: node,
};

pub(super) static NAMESPACES: Printer = Printer {
    columns: &[("Name", "string", 0), ("Status", "string", 0), ("Age", "string", 0)],
    cells: |object, now| vec![name(object), object["status"]["phase"].clone(), age(object, now)],
};

pub(super) static LEASES: Printer = Printer {
    columns: &[("Name", "string", 0), ("Holder", "string", 0), ("Age", "string", 0)],
    cells: |object, now| vec![name(object), object["spec"]["holderIdentity"].clone(), age(object, now)],
};

fn node(object: &Value, now: Timestamp) -> Vec<Value> {
    let info = &object["status"]["nodeInfo"];
    let address = |kind: &str| {
        let all = items(&object["status"]["addresses"]);
        let found = all.iter().find(|address| address["type"] == kind);
        json!(found.map_or(NONE, |address| or(&address["address"], NONE)))
    };
    vec![
        name(object),
        status(object).into(),
        roles(object).into(),
        age(object, now),
        info["kubeletVersion"].clone(),
        address("InternalIP"),
        address("ExternalIP"),
        json!(or(&info["osImage"], "<unknown>")),
        json!(or(&info["kernelVersion"], "<unknown>")),
        json!(or(&info["containerRuntimeVersion"], "<unknown>")),
    ]
}

fn status(node: &Value) -> String {
    let ready = items(&node["status"]["conditions"]).iter().find(|condition| condition["type"] == "Ready");
    let word = match ready {
        Some(condition) if condition["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if node["spec"]["unschedulable"] == true { ",SchedulingDisabled" } else { "" };
    format!("{word}{cordoned}")
}

fn roles(node: &Value) -> String {
    let labels = node["metadata"]["labels"].as_object();
    let roles = joined(
        labels.into_iter().flatten().filter_map(|(label, _)| label.strip_prefix("node-role.kubernetes.io/")),
    );
    if roles.is_empty() { NONE.to_owned() } else { roles }
}
