//! Every documented route once, with success.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, TOKEN, cluster, connection, json_request};

/// Asks, and notes the route as answered with that status.
struct Tour {
    rig: Rig,
    answered: BTreeSet<(String, String)>,
    templates: Vec<String>,
}

impl Tour {
    async fn new() -> Self {
        let document = serde_json::to_value(pmks_server::document()).unwrap();
        let templates = document["paths"].as_object().unwrap().keys().cloned().collect();
        let rig = Rig::empty().await;
        rig.state.engine_runs(true);
        Self { rig, answered: BTreeSet::new(), templates }
    }

    /// The route of a path: the one with the most plain words that fits.
    fn template(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
        let fits = |template: &&String| {
            let of: Vec<&str> = template.split('/').collect();
            let same = |(part, word): (&&str, &&str)| word.starts_with('{') || part == word;
            of.len() == parts.len() && parts.iter().zip(&of).all(same)
        };
        self.templates
            .iter()
            .filter(fits)
            .min_by_key(|template| template.matches('{').count())
            .unwrap()
            .clone()
    }

    #[track_caller]
    fn note(&mut self, method: &Method, path: &str) {
        let template = self.template(path);
        self.answered.insert((method.to_string(), template));
    }

    async fn ask(&mut self, method: Method, path: &str, body: Value, status: u16) -> Value {
        let mut asked = json_request(method.clone(), path, TOKEN, &body);
        asked.headers_mut().insert("if-match", "*".parse().unwrap());
        let answer = self.rig.send(asked).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {answer:?}");
        self.note(&method, path);
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    async fn get(&mut self, path: &str) {
        let answer = self.rig.get(path).await;
        assert_eq!(answer.status.as_u16(), 200, "{path} {answer:?}");
        self.note(&Method::GET, path);
    }

    async fn post(&mut self, path: &str, body: Value, status: u16) -> Value {
        self.ask(Method::POST, path, body, status).await
    }

    /// A mutation that is carried out to its end.
    async fn done(&mut self, method: Method, path: &str, body: Value) {
        let operation = self.ask(method, path, body, 202).await;
        self.rig.succeeded(&operation).await;
    }
}

const HERE: &str = "/v1/connections/here";

#[tokio::test]
async fn every_route_succeeds() {
    let mut tour = Tour::new().await;
    installation(&mut tour).await;
    resources(&mut tour).await;
    clusters(&mut tour).await;
    operations(&mut tour).await;
    removal(&mut tour).await;

    let document = serde_json::to_value(pmks_server::document()).unwrap();
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| (method.to_uppercase(), path.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = documented.difference(&tour.answered).collect();
    // A stream of all operations does not end; this provider has no upgrade of a single node group.
    let missing: Vec<&str> =
        missing.iter().map(|(_, path)| path.rsplit_once('}').map_or(&**path, |(_, end)| end)).collect();
    assert_eq!(missing, ["/v1/events", "/upgrade"]);
}

async fn installation(tour: &mut Tour) {
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/docs/errors/conflict",
        "/v1/openapi.json",
        "/v1/providers",
        "/v1/providers/fake",
        "/v1/audit?since=2020-01-01T00:00:00Z&until=2030-01-01T00:00:00Z&pageSize=10",
        "/v1/apiTokens",
        "/v1/logLevel",
    ] {
        tour.get(path).await;
    }
    tour.ask(Method::PUT, "/v1/logLevel", json!({"filter": "debug"}), 200).await;
    tour.post("/v1/apiTokens", json!({"name": "ci", "role": "viewer"}), 201).await;
    tour.ask(Method::DELETE, "/v1/apiTokens/ci", json!({}), 204).await;
    tour.post("/v1/connections", connection("here"), 201).await;
    tour.ask(Method::PATCH, HERE, json!({"pace": 2}), 200).await;
    tour.post(&format!("{HERE}/validate"), json!({}), 200).await;
    tour.done(Method::POST, &format!("{HERE}/prerequisites/fix"), json!({})).await;
    for path in ["", "/prerequisites", "/versions", "/machineTypes", "/images?maxAge=0", "/regions"] {
        tour.get(&format!("{HERE}{path}")).await;
    }
    tour.get("/v1/connections?name=here").await;
}

async fn resources(tour: &mut Tour) {
    for (kind, name, more) in [
        (
            "networks",
            "net",
            json!({"cidr": "10.0.0.0/16", "tags": {"team": "a"}, "subnets": [{"name": "sub", "cidr": "10.0.1.0/24"}]}),
        ),
        ("networks/net/subnets", "b", json!({"cidr": "10.0.2.0/24"})),
        ("securityGroups", "ssh", json!({"network": "net", "rules": []})),
        ("keyPairs", "mine", json!({})),
    ] {
        let mut body = more;
        body["name"] = json!(name);
        let path = format!("{HERE}/{kind}");
        if kind == "keyPairs" {
            tour.rig.key_pair(name).await.ok(201);
            tour.note(&Method::POST, &path);
        } else {
            tour.done(Method::POST, &path, body).await;
        }
        tour.get(&format!("{HERE}/{kind}")).await;
        if kind == "securityGroups" {
            let rule =
                json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "cidr": "10.0.0.0/8"});
            tour.done(Method::POST, &format!("{path}/ssh/rules"), json!({"add": [rule]})).await;
            let group = tour.rig.get(&format!("{path}/ssh")).await.ok(200);
            assert_eq!(group["rules"].as_array().unwrap().last().unwrap()["fromPort"], 22);
        }
        tour.done(Method::PATCH, &format!("{path}/{name}"), json!({"tags": {"team": "b"}})).await;
        tour.get(&format!("{HERE}/{kind}/{name}?maxAge=0")).await;
        assert_eq!(tour.rig.get(&format!("{path}/{name}")).await.ok(200)["tags"], json!({"team": "b"}));
    }
}

async fn clusters(tour: &mut Tour) {
    let prod = format!("{HERE}/clusters/prod");
    tour.done(Method::POST, &format!("{HERE}/clusters"), cluster("prod")).await;
    tour.done(Method::PATCH, &prod, json!({"tags": {"team": "b"}})).await;
    let group = json!({"name": "more", "scaling": {"autoScaling": false, "min": 1, "max": 2, "desired": 1}});
    tour.done(Method::POST, &format!("{prod}/nodeGroups"), group).await;
    tour.done(Method::POST, &format!("{prod}/nodeGroups/more/scale"), json!({"desired": 2})).await;
    tour.done(Method::POST, &format!("{prod}/upgrade"), json!({})).await;
    for path in ["", "/children", "/nodeGroups?maxAge=0", "/nodeGroups/more", "/nodes", "/kubeconfig"] {
        tour.get(&format!("{prod}{path}")).await;
    }
    let nodes = tour.rig.get(&format!("{prod}/nodes")).await.ok(200);
    let node = nodes["items"][0]["name"].as_str().unwrap().to_owned();
    tour.get(&format!("{prod}/nodes/{node}")).await;
    let metrics = format!("{prod}/nodes/{node}/metrics");
    tour.get(&format!("{metrics}/cpuUsage?intervalMinutes=5&hours=2")).await;
    let told = tour.rig.get(&format!("{metrics}/cpuUsage?intervalMinutes=5&hours=2")).await.ok(200);
    assert_eq!((&told["unit"], &told["metric"]), (&json!("percent"), &json!("cpuUsage")));
    let at = |index: usize| told["values"][index]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    // Whole intervals, of which the last is over.
    assert_eq!(at(0).as_second() % 300, 0);
    assert_eq!(at(1).as_second() - at(0).as_second(), 7200 - 300);
    tour.rig.get(&format!("{metrics}/networkIn")).await.refused(501, "unsupported");
    tour.rig.get(&format!("{metrics}/heat")).await.refused(404, "not-found");
    tour.rig.get(&format!("{metrics}/cpuUsage?intervalMinutes=7")).await.refused(422, "invalid-request");
    tour.get("/v1/connections/-/clusters").await;
    tour.post(&format!("{prod}/token"), json!({}), 200).await;
    tour.done(Method::DELETE, &format!("{prod}/nodeGroups/more"), json!({})).await;
    let whole = tour.rig.get(&prod).await.ok(200);
    tour.post(&format!("{prod}/forget"), json!({}), 204).await;
    let found = tour.rig.get(&format!("{HERE}/clusters?managed=false")).await.ok(200);
    assert_eq!(found["items"][0]["iid"]["systemId"], whole["iid"]["systemId"]);
    let import = json!({"name": "again", "systemId": whole["iid"]["systemId"], "takeOver": true});
    tour.done(Method::POST, &format!("{HERE}/clusters:import"), import).await;
}

async fn operations(tour: &mut Tour) {
    let cancelled = tour.post(&format!("{HERE}/clusters"), cluster("late"), 202).await;
    let id = cancelled["id"].as_str().unwrap().to_owned();
    tour.post(&format!("/v1/operations/{id}/cancel"), json!({}), 202).await;
    tour.rig.settle().await;
    tour.get(&format!("/v1/operations/{id}")).await;
    tour.get(&format!("/v1/operations/{id}/events")).await;
    tour.get("/v1/operations?connection=here&kind=cluster.create&state=cancelled").await;

    let failed = tour.post(&format!("{HERE}/clusters"), cluster("large"), 202).await;
    tour.rig.cloud.world().failures.insert("prepare".into(), pmks_driver::ErrorKind::QuotaExceeded);
    tour.rig.settle().await;
    let path = format!("/v1/operations/{}", failed["id"].as_str().unwrap());
    let now = tour.rig.get(&path).await.ok(200);
    assert_eq!((&now["state"], &now["error"]["code"]), (&json!("failed"), &json!("quota-exceeded")));
    tour.rig.cloud.world().failures.clear();
    let again = tour.post(&format!("{path}/retry"), json!({}), 202).await;
    assert_eq!(again["attempt"], 2);
    tour.rig.succeeded(&again).await;
}

async fn removal(tour: &mut Tour) {
    for name in ["again", "large"] {
        tour.done(Method::DELETE, &format!("{HERE}/clusters/{name}"), json!({})).await;
    }
    for path in ["networks/net/subnets/b", "securityGroups/ssh", "keyPairs/mine", "networks/net"] {
        tour.done(Method::DELETE, &format!("{HERE}/{path}"), json!({})).await;
        tour.rig.get(&format!("{HERE}/{path}")).await.refused(404, "not-found");
    }
    tour.rig.network().await;
    let group = json!({"name": "ssh", "network": "net", "rules": []});
    tour.rig.post(&format!("{HERE}/securityGroups"), group).await;
    tour.rig.key_pair("mine").await;
    tour.rig.settle().await;
    for path in ["securityGroups/ssh", "keyPairs/mine", "networks/net/subnets/sub", "networks/net"] {
        let before = tour.rig.get(&format!("{HERE}/{path}")).await.ok(200);
        tour.post(&format!("{HERE}/{path}/forget"), json!({}), 204).await;
        import(tour, path, &before).await;
    }
    let empty = connection("empty");
    tour.post("/v1/connections", empty, 201).await;
    tour.ask(Method::DELETE, "/v1/connections/empty", json!({}), 204).await;
}

/// What was forgotten comes back by its identifier at the cloud.
async fn import(tour: &mut Tour, path: &str, before: &Value) {
    let (kind, name) = path.rsplit_once('/').unwrap();
    if kind.ends_with("subnets") {
        return;
    }
    let found = tour.rig.get(&format!("{HERE}/{kind}?managed=false")).await.ok(200);
    let is_it = |one: &&Value| one["iid"] == before["iid"];
    let one = found["items"].as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("{found}"));
    assert_eq!((&one["uid"], &one["createdByPmks"]), (&json!(""), &json!(false)));
    let body = json!({"name": name, "systemId": before["iid"]["systemId"]});
    let after = tour.post(&format!("{HERE}/{kind}"), body, 201).await;
    assert_eq!((&after["iid"], &after["createdByPmks"]), (&before["iid"], &json!(false)));
    tour.post(&format!("{HERE}/{path}/forget"), json!({}), 204).await;
}
