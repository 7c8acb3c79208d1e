//! Rows of pods and of what owns them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::text::{NONE, age, items, joined, labels, name, number, or};
use super::{Column, Printer};

const CONTAINERS: Column = ("Containers", "string", 1);
const IMAGES: Column = ("Images", "string", 1);
const SELECTOR: Column = ("Selector", "string", 1);

pub(super) static PODS: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Ready", "string", 0),
        ("Status", "string", 0),
        ("Restarts", "string", 0),
        ("Age", "string", 0),
        ("IP", "string", 1),
        ("Node", "string", 1),
        ("Nominated Node", "string", 1),
        ("Readiness Gates", "string", 1),
    ],
    cells: pod,
};

pub(super) static DAEMON_SETS: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Desired", "integer", 0),
        ("Current", "integer", 0),
        ("Ready", "integer", 0),
        ("Up-to-date", "integer", 0),
        ("Available", "integer", 0),
        ("Node Selector", "string", 0),
        ("Age", "string", 0),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let status = &object["status"];
        let mut cells = vec![
            name(object),
            number(&status["desiredNumberScheduled"]),
            number(&status["currentNumberScheduled"]),
            number(&status["numberReady"]),
            number(&status["updatedNumberScheduled"]),
            number(&status["numberAvailable"]),
            labels(&object["spec"]["template"]["spec"]["nodeSelector"]).into(),
            age(object, now),
        ];
        cells.extend(template(object));
        cells
    },
};

pub(super) static DEPLOYMENTS: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Ready", "string", 0),
        ("Up-to-date", "integer", 0),
        ("Available", "integer", 0),
        ("Age", "string", 0),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let status = &object["status"];
        let ready = format!("{}/{}", number(&status["readyReplicas"]), number(&object["spec"]["replicas"]));
        let mut cells = vec![
            name(object),
            ready.into(),
            number(&status["updatedReplicas"]),
            number(&status["availableReplicas"]),
            age(object, now),
        ];
        cells.extend(template(object));
        cells
    },
};

pub(super) static REPLICA_SETS: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Desired", "integer", 0),
        ("Current", "integer", 0),
        ("Ready", "integer", 0),
        ("Age", "string", 0),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let mut cells = vec![
            name(object),
            number(&object["spec"]["replicas"]),
            number(&object["status"]["replicas"]),
            number(&object["status"]["readyReplicas"]),
            age(object, now),
        ];
        cells.extend(template(object));
        cells
    },
};

fn pod(object: &Value, now: Timestamp) -> Vec<Value> {
    let statuses = items(&object["status"]["containerStatuses"]);
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    let restarts: u64 = statuses.iter().filter_map(|status| status["restartCount"].as_u64()).sum();
    vec![
        name(object),
        format!("{ready}/{}", items(&object["spec"]["containers"]).len()).into(),
        pod_status(object).into(),
        restarts.to_string().into(),
        age(object, now),
        json!(or(&object["status"]["podIP"], NONE)),
        json!(or(&object["spec"]["nodeName"], NONE)),
        json!(or(&object["status"]["nominatedNodeName"], NONE)),
        json!(NONE),
    ]
}

fn pod_status(pod: &Value) -> &str {
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating";
    }
    items(&pod["status"]["containerStatuses"])
        .iter()
        .find_map(|status| status["state"]["waiting"]["reason"].as_str())
        .unwrap_or_else(|| or(&pod["status"]["phase"], "Unknown"))
}

fn template(object: &Value) -> [Value; 3] {
    let containers = items(&object["spec"]["template"]["spec"]["containers"]);
    let each = |field: &str| joined(containers.iter().map(|container| or(&container[field], "")));
    [each("name").into(), each("image").into(), labels(&object["spec"]["selector"]["matchLabels"]).into()]
}
