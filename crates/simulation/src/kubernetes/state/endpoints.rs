//! Which pods answer for a Service: one slice for each Service that selects pods, as the endpoint slices' controller
//! keeps it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::pod;
use super::store::Key;
use crate::kubernetes::resource::{ENDPOINT_SLICES, NODES, PODS, SERVICES};

/// Which Service a slice is of.
const OF: &str = "kubernetes.io/service-name";

impl World {
    /// Brings the slices in step with Services and pods.
    pub(super) fn follow_services(&mut self, now: Timestamp) {
        let services: Vec<Value> = self
            .store
            .list(&SERVICES, None)
            .filter(|(_, service)| service["spec"]["selector"].is_object())
            .map(|(_, service)| Value::clone(service))
            .collect();
        self.drop_slices_without_service(&services);
        for service in &services {
            let slice = self.slice(service, now);
            self.put(&ENDPOINT_SLICES, slice);
        }
    }

    fn drop_slices_without_service(&mut self, services: &[Value]) {
        let of = |slice: &Value, service: &Value| {
            slice["metadata"]["namespace"] == service["metadata"]["namespace"]
                && slice["metadata"]["ownerReferences"][0]["uid"] == service["metadata"]["uid"]
        };
        let lost: Vec<Key> = self
            .store
            .list(&ENDPOINT_SLICES, None)
            .filter(|(_, slice)| !services.iter().any(|service| of(slice, service)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in lost {
            self.store.remove(&key);
        }
    }

    fn slice(&mut self, service: &Value, now: Timestamp) -> Value {
        let text = |key: &str| service["metadata"][key].as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        let known = self
            .store
            .list(&ENDPOINT_SLICES, Some(&namespace))
            .find(|(_, slice)| slice["metadata"]["labels"][OF] == name.as_str())
            .map(|(key, _)| key.name.clone());
        let slice_name = known.unwrap_or_else(|| format!("{name}-{}", self.identifiers.suffix(5)));
        let mut metadata = self.metadata(&ENDPOINT_SLICES, &namespace, &slice_name, now);
        metadata["generateName"] = format!("{name}-").into();
        let mut labels = service["metadata"]["labels"].clone();
        labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io".into();
        labels[OF] = name.as_str().into();
        metadata["labels"] = labels;
        metadata["ownerReferences"] = json!([{
            "apiVersion": "v1", "blockOwnerDeletion": true, "controller": true, "kind": "Service", "name": name,
            "uid": service["metadata"]["uid"],
        }]);
        let endpoints = self.endpoints(service, &namespace);
        let ports = if endpoints.is_empty() { Value::Null } else { ports(service) };
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
            "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
        })
    }

    /// The pods that run and have all labels that the Service selects by.
    fn endpoints(&self, service: &Value, namespace: &str) -> Vec<Value> {
        let selector = service["spec"]["selector"].as_object();
        let selected = |pod: &Value| {
            selector
                .is_some_and(|all| all.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value))
        };
        let pods = self.store.list(&PODS, Some(namespace));
        pods.filter(|(_, pod)| pod::is_running(pod) && selected(pod))
            .map(|(key, pod)| {
                let node = pod::node_name(pod).unwrap_or_default();
                let node_object = self.store.get(&Key::new(&NODES, "", node));
                let zone = node_object.map(|node| &node["metadata"]["labels"]["topology.kubernetes.io/zone"]);
                json!({
                    "addresses": [pod["status"]["podIP"]],
                    "conditions": {"ready": true, "serving": true, "terminating": false},
                    "nodeName": node, "zone": zone,
                    "targetRef": {
                        "kind": "Pod", "name": key.name, "namespace": namespace, "uid": pod["metadata"]["uid"],
                    },
                })
            })
            .collect()
    }
}

/// The Service's ports as the pods have them.
fn ports(service: &Value) -> Value {
    let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    let port = |port: &Value| {
        let name = port["name"].as_str().unwrap_or_default();
        json!({"name": name, "port": port["targetPort"], "protocol": port["protocol"]})
    };
    ports.iter().map(port).collect()
}
