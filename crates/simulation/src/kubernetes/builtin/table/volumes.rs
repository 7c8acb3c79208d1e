//! Rows of persistent volumes and their claims.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Printer;
use super::text::{age, items, joined, name, or};

pub(super) static PERSISTENT_VOLUMES: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Capacity", "string", 0),
        ("Access Modes", "string", 0),
        ("Reclaim Policy", "string", 0),
        ("Status", "string", 0),
        ("Claim", "string", 0),
        ("StorageClass", "string", 0),
        ("VolumeAttributesClass", "string", 0),
        ("Reason", "string", 0),
        ("Age", "string", 0),
        ("VolumeMode", "string", 1),
    ],
    cells: volume,
};

pub(super) static PERSISTENT_VOLUME_CLAIMS: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Status", "string", 0),
        ("Volume", "string", 0),
        ("Capacity", "string", 0),
        ("Access Modes", "string", 0),
        ("StorageClass", "string", 0),
        ("VolumeAttributesClass", "string", 0),
        ("Age", "string", 0),
        ("VolumeMode", "string", 1),
    ],
    cells: claim,
};

fn volume(object: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &object["spec"];
    let claim = &spec["claimRef"];
    let claim = format!("{}/{}", or(&claim["namespace"], ""), or(&claim["name"], ""));
    vec![
        name(object),
        spec["capacity"]["storage"].clone(),
        access_modes(&spec["accessModes"]).into(),
        spec["persistentVolumeReclaimPolicy"].clone(),
        object["status"]["phase"].clone(),
        json!(if claim == "/" { "" } else { &claim }),
        json!(or(&spec["storageClassName"], "")),
        "<unset>".into(),
        json!(or(&object["status"]["reason"], "")),
        age(object, now),
        json!(or(&spec["volumeMode"], "<unset>")),
    ]
}

fn claim(object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    vec![
        name(object),
        status["phase"].clone(),
        json!(or(&spec["volumeName"], "")),
        json!(or(&status["capacity"]["storage"], "")),
        access_modes(&status["accessModes"]).into(),
        json!(or(&spec["storageClassName"], "")),
        "<unset>".into(),
        age(object, now),
        json!(or(&spec["volumeMode"], "<unset>")),
    ]
}

fn access_modes(modes: &Value) -> String {
    joined(items(modes).iter().map(|mode| match or(mode, "") {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    }))
}
