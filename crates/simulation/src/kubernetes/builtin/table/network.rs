//! Rows of services, ingresses and endpoint slices.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Printer;
use super::text::{NONE, age, items, joined, labels, name, or};

pub(super) static SERVICES: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Type", "string", 0),
        ("Cluster-IP", "string", 0),
        ("External-IP", "string", 0),
        ("Port(s)", "string", 0),
        ("Age", "string", 0),
        ("Selector", "string", 1),
    ],
    cells: service,
};

pub(super) static INGRESSES: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("Class", "string", 0),
        ("Hosts", "string", 0),
        ("Address", "string", 0),
        ("Ports", "string", 0),
        ("Age", "string", 0),
    ],
    cells: ingress,
};

pub(super) static ENDPOINT_SLICES: Printer = Printer {
    columns: &[
        ("Name", "string", 0),
        ("AddressType", "string", 0),
        ("Ports", "string", 0),
        ("Endpoints", "string", 0),
        ("Age", "string", 0),
    ],
    cells: endpoint_slice,
};

fn service(object: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &object["spec"];
    let balancer = balancer(object);
    let external = match (spec["type"] == "LoadBalancer", balancer.is_empty()) {
        (true, true) => "<pending>".to_owned(),
        (true, false) => balancer,
        (false, _) => NONE.to_owned(),
    };
    vec![
        name(object),
        spec["type"].clone(),
        json!(or(&spec["clusterIP"], NONE)),
        external.into(),
        ports(&spec["ports"]).into(),
        age(object, now),
        labels(&spec["selector"]).into(),
    ]
}

fn ports(ports: &Value) -> String {
    let ports: Vec<String> = items(ports)
        .iter()
        .map(|port| {
            let node_port =
                port["nodePort"].as_u64().map_or_else(String::new, |node_port| format!(":{node_port}"));
            format!("{}{node_port}/{}", port["port"], or(&port["protocol"], "TCP"))
        })
        .collect();
    if ports.is_empty() { NONE.to_owned() } else { ports.join(",") }
}

fn endpoint_slice(object: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = items(&object["ports"]).iter().map(|port| port["port"].to_string()).collect();
    let addresses = items(&object["endpoints"]).iter().flat_map(|endpoint| items(&endpoint["addresses"]));
    let addresses: Vec<&str> = addresses.filter_map(Value::as_str).collect();
    let shown = addresses.get(..3).map_or_else(
        || addresses.join(","),
        |first| match addresses.len() - first.len() {
            0 => first.join(","),
            more => format!("{} + {more} more...", first.join(",")),
        },
    );
    let or_unset = |text: String| if text.is_empty() { "<unset>".to_owned() } else { text };
    vec![
        name(object),
        object["addressType"].clone(),
        or_unset(ports.join(",")).into(),
        or_unset(shown).into(),
        age(object, now),
    ]
}

fn ingress(object: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &object["spec"];
    let hosts = joined(items(&spec["rules"]).iter().filter_map(|rule| rule["host"].as_str()));
    let ports = if items(&spec["tls"]).is_empty() { "80" } else { "80, 443" };
    vec![
        name(object),
        json!(or(&spec["ingressClassName"], NONE)),
        json!(if hosts.is_empty() { "*" } else { &hosts }),
        balancer(object).into(),
        ports.into(),
        age(object, now),
    ]
}

fn balancer(object: &Value) -> String {
    let ingress = items(&object["status"]["loadBalancer"]["ingress"]);
    joined(ingress.iter().map(|point| or(&point["ip"], or(&point["hostname"], ""))))
}
