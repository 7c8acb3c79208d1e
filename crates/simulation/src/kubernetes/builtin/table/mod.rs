//! Objects as the rows that `kubectl get` prints: the same columns as the API server's own printers.
//!
//! Source: <https://github.com/kubernetes/kubernetes/blob/master/pkg/printers/internalversion/printers.go>

mod cluster;
mod network;
mod text;
mod volumes;
mod workloads;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kubernetes::resource::Resource;

/// A column: its name, its type, and 0 if it is always shown or 1 if only by `-o wide`.
type Column = (&'static str, &'static str, u8);

/// How a kind is printed.
struct Printer {
    columns: &'static [Column],
    cells: fn(&Value, Timestamp) -> Vec<Value>,
}

/// A kind without a printer of its own.
static DEFAULT: Printer = Printer {
    columns: &[("Name", "string", 0), ("Created At", "date", 0)],
    cells: |object, _| {
        vec![object["metadata"]["name"].clone(), object["metadata"]["creationTimestamp"].clone()]
    },
};

fn printer(resource: &Resource) -> &'static Printer {
    match resource.plural {
        "nodes" => &cluster::NODES,
        "namespaces" => &cluster::NAMESPACES,
        "leases" => &cluster::LEASES,
        "pods" => &workloads::PODS,
        "daemonsets" => &workloads::DAEMON_SETS,
        "deployments" => &workloads::DEPLOYMENTS,
        "replicasets" => &workloads::REPLICA_SETS,
        "services" => &network::SERVICES,
        "ingresses" => &network::INGRESSES,
        "endpointslices" => &network::ENDPOINT_SLICES,
        "persistentvolumes" => &volumes::PERSISTENT_VOLUMES,
        "persistentvolumeclaims" => &volumes::PERSISTENT_VOLUME_CLAIMS,
        _ => &DEFAULT,
    }
}

/// A `Table` of these objects. The query's `includeObject` says how much of each object goes with its row.
pub(super) fn table(
    resource: &Resource,
    objects: &[Arc<Value>],
    metadata: &Value,
    query: &str,
    now: Timestamp,
    with_columns: bool,
) -> Value {
    let printer = printer(resource);
    let included = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "includeObject")
        .map(|(_, value)| value.into_owned());
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut row = json!({"cells": (printer.cells)(object, now)});
            match included.as_deref() {
                Some("None") => {}
                Some("Object") => row["object"] = Value::clone(object),
                _ => row["object"] = metadata_of(object),
            }
            row
        })
        .collect();
    let columns: Vec<Value> = printer.columns.iter().filter(|_| with_columns).map(definition).collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns, "rows": rows,
    })
}

/// An object's metadata alone.
pub(super) fn metadata_of(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
    })
}

fn definition((name, kind, priority): &Column) -> Value {
    let format = if *name == "Name" { "name" } else { "" };
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
}
