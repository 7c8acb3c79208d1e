//! The world by its own protocol: what is made at once, what takes its time, what is refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Cloud, Effects, ManualTime};
use serde_json::{Value, json};

use crate::{MockCloud, Settings};

struct Client(MockCloud);

impl Client {
    fn new(work: u64) -> Self {
        let time = Arc::new(ManualTime::new("2026-11-30T00:00:00Z".parse().unwrap()));
        let settings = Settings { speed: 0.0, time, work: Duration::from_secs(work), ..Settings::default() };
        Self(MockCloud::new(settings))
    }

    fn send_as(&self, name: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/mars/{path}"))
            .header("authorization", format!("Bearer {name}"))
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answered = self.0.answer(&request, &self.0.identify(&request), &Effects::default());
        (answered.response.status().as_u16(), serde_json::from_slice(answered.response.body()).unwrap())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send_as("mock_name00", method, path, body)
    }

    /// Makes a thing and answers its identifier.
    fn make(&self, collection: &str, body: &Value) -> String {
        let (status, operation) = self.ask("POST", collection, body);
        assert_eq!(status, 200, "{operation}");
        operation["target"].as_str().unwrap().to_owned()
    }

    /// A cluster with a node group of two nodes.
    fn cluster(&self) -> (String, String) {
        let network = self.make("networks", &json!({"name": "net", "cidr": "10.0.0.0/16"}));
        let subnet = json!({"name": "sub", "parent": network, "cidr": "10.0.1.0/24", "zone": "mars-z1"});
        let subnet = self.make("subnets", &subnet);
        let cluster = json!({"name": "prod", "network": network, "subnetIds": [subnet], "version": "1.33.3"});
        let cluster = self.make("clusters", &cluster);
        let group = json!({"name": "ga", "parent": cluster, "machineType": "mock-vmspec-03",
            "version": "1.33.3", "scaling": {"desired": 2, "min": 1, "max": 3, "autoScaling": false}});
        (cluster.clone(), self.make("nodeGroups", &group))
    }
}

fn code(answer: &(u16, Value)) -> &str {
    answer.1["error"]["code"].as_str().unwrap_or_default()
}

#[test]
fn what_is_asked_for_is_there_when_it_is_answered() {
    let client = Client::new(0);
    let (cluster, group) = client.cluster();
    let (_, shown) = client.ask("GET", &format!("clusters/{cluster}"), &json!({}));
    assert_eq!(shown["state"], "Active");
    let addresses: Vec<&Value> =
        shown["nodeGroups"][0]["nodes"].as_array().unwrap().iter().map(|node| &node["privateIp"]).collect();
    assert_eq!(addresses, ["10.0.1.2", "10.0.1.3"]);
    let scaling = json!({"scaling": {"desired": 3, "min": 1, "max": 3, "autoScaling": false}});
    let (_, operation) = client.ask("PATCH", &format!("nodeGroups/{group}"), &scaling);
    assert_eq!(operation["state"], "Done");
    let (_, page) = client.ask("GET", "clusters?name=prod", &json!({}));
    assert_eq!(page["items"][0]["nodeGroups"][0]["nodes"].as_array().unwrap().len(), 3);
    client.ask("DELETE", &format!("clusters/{cluster}"), &json!({}));
    assert_eq!(code(&client.ask("GET", &format!("nodeGroups/{group}"), &json!({}))), "NotFound");
}

#[test]
fn work_that_takes_time_keeps_others_out_until_it_is_done() {
    let client = Client::new(60);
    let network = client.make("networks", &json!({"name": "net", "cidr": "10.0.0.0/16"}));
    let path = format!("networks/{network}");
    assert_eq!(code(&client.ask("DELETE", &path, &json!({}))), "Busy");
    client.0.controls().clock.advance(Duration::from_mins(1));
    let (_, operation) = client.ask("DELETE", &path, &json!({}));
    assert_eq!(operation["state"], "Running");
    let operation = format!("operations/{}", operation["id"].as_str().unwrap());
    assert_eq!(client.ask("GET", &path, &json!({})).1["state"], "Deleting");
    client.0.controls().clock.advance(Duration::from_mins(1));
    assert_eq!(client.ask("GET", &operation, &json!({})).1["state"], "Done");
    assert_eq!(code(&client.ask("GET", &path, &json!({}))), "NotFound");
}

#[test]
fn what_cannot_be_is_refused() {
    let client = Client::new(0);
    let (cluster, _) = client.cluster();
    let refused = |method: &str, path: &str, body: Value| {
        let answer = client.ask(method, path, &body);
        code(&answer).to_owned()
    };
    let another = json!({"name": "net", "cidr": "10.0.0.0/16"});
    assert_eq!(refused("POST", "networks", another), "AlreadyExists");
    let (_, networks) = client.ask("GET", "networks", &json!({}));
    let network = networks["items"][0]["id"].as_str().unwrap();
    assert_eq!(refused("DELETE", &format!("networks/{network}"), json!({})), "InUse");
    let outside = json!({"name": "x", "parent": network, "cidr": "10.1.0.0/24"});
    assert_eq!(refused("POST", "subnets", outside), "InvalidArgument");
    let inside = json!({"name": "x", "parent": network, "cidr": "10.0.1.128/25"});
    assert_eq!(refused("POST", "subnets", inside), "InvalidArgument");
    let path = format!("clusters/{cluster}");
    for version in ["1.32.3", "1.99.0"] {
        assert_eq!(refused("PATCH", &path, json!({"version": version})), "InvalidArgument");
    }
    assert_eq!(refused("PATCH", &path, json!({"name": "x"})), "InvalidArgument");
    assert_eq!(client.send_as("wrong-name", "GET", "account", &json!({})).0, 401);
}

#[test]
fn each_mock_name_is_an_account_of_its_own_and_survives_its_snapshot() {
    let client = Client::new(0);
    client.cluster();
    let (_, other) = client.send_as("another", "GET", "clusters", &json!({}));
    assert_eq!(other["items"], json!([]));
    let account = |client: &Client, name: &str| client.send_as(name, "GET", "account", &json!({})).1;
    assert_ne!(account(&client, "another"), account(&client, "mock_name00"));
    let again = Client::new(0);
    again.0.restore(client.0.snapshot().unwrap()).unwrap();
    assert_eq!(again.0.resources(), client.0.resources());
    assert_eq!(account(&again, "another"), account(&client, "another"));
}

#[test]
fn a_world_that_is_kept_by_its_changes_is_the_same() {
    let client = Client::new(60);
    let later = || client.0.controls().clock.advance(Duration::from_mins(1));
    assert_eq!(client.0.changes(), None, "nothing was told before");
    let mut kept = client.0.snapshot().unwrap();
    let keep = |kept: &mut Value| {
        for change in client.0.changes().expect("all accounts are there") {
            change.put_into(kept);
        }
        assert_eq!(*kept, client.0.snapshot().unwrap());
    };
    let network = client.make("networks", &json!({"name": "net", "cidr": "10.0.0.0/16"}));
    keep(&mut kept);
    later();
    let subnet = json!({"name": "sub", "parent": network, "cidr": "10.0.1.0/24", "zone": "mars-z1"});
    let subnet = client.make("subnets", &subnet);
    client.send_as("another", "GET", "clusters", &json!({}));
    keep(&mut kept);
    later();
    client.ask("PATCH", &format!("networks/{network}"), &json!({"labels": {"a": "b"}}));
    client.ask("DELETE", &format!("subnets/{subnet}"), &json!({}));
    keep(&mut kept);
    later();
    client.ask("PATCH", &format!("networks/{network}"), &json!({"labels": {"a": null}}));
    later();
    keep(&mut kept);
    assert_eq!(client.0.resources().len(), 1);
    client.0.reset();
    assert_eq!(client.0.changes(), None, "accounts are gone");
}
