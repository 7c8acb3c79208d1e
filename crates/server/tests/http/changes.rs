//! The life of things through `/v1`.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, TOKEN, cluster, connection, json_request, request};

const CLUSTER: &str = "/v1/connections/here/clusters/prod";

#[tokio::test]
async fn a_cluster_lives() {
    let rig = Rig::new().await;
    rig.network().await;
    let answer = rig.post("/v1/connections/here/clusters", cluster("prod")).await;
    let operation = answer.ok(202);
    assert_eq!(answer.header("location"), format!("/v1/operations/{}", operation["id"].as_str().unwrap()));
    assert_eq!((&operation["kind"], &operation["requestedBy"]), (&json!("cluster.create"), &json!("local")));
    rig.succeeded(&operation).await;

    let cluster = rig.get(CLUSTER).await.ok(200);
    assert_eq!((&cluster["status"], &cluster["tags"]), (&json!("Active"), &json!({"team": "a"})));
    assert_eq!(cluster["nodeGroups"][0]["scaling"]["desired"], 2);
    let all = rig.get("/v1/connections/-/clusters").await.ok(200);
    assert_eq!(all["items"][0]["uid"], cluster["uid"]);
    let none = rig.get("/v1/connections/-/clusters?tag=team%3Db").await.ok(200);
    assert_eq!(none["items"], json!([]));
    rig.get(&format!("{CLUSTER}?maxAge=0")).await.ok(200);
    rig.get(&format!("{CLUSTER}/nodes")).await.ok(200);
    assert_eq!(
        rig.get("/v1/connections/here/clusters?managed=false").await.ok(200),
        json!({"items": [], "missed": []})
    );

    let scale = json!({"desired": 3});
    let operation = rig.post(&format!("{CLUSTER}/nodeGroups/workers/scale"), scale).await.ok(202);
    rig.succeeded(&operation).await;
    let group = rig.get(&format!("{CLUSTER}/nodeGroups/workers")).await.ok(200);
    assert_eq!(group["scaling"], json!({"autoScaling": false, "min": 1, "max": 3, "desired": 3}));
    rig.post(&format!("{CLUSTER}/nodeGroups/workers/upgrade"), json!({})).await.refused(501, "unsupported");

    let plan = rig.delete(&format!("{CLUSTER}?dryRun=plan")).await.ok(200);
    assert_eq!(plan["kind"], "cluster.delete");
    rig.get(CLUSTER).await.ok(200);
    let operation = rig.delete(CLUSTER).await.ok(202);
    rig.succeeded(&operation).await;
    rig.get(CLUSTER).await.refused(404, "not-found");
}

#[tokio::test]
async fn what_has_a_unique_name_at_the_cloud_shows_both() {
    let rig = Rig::new().await;
    rig.network().await;
    let mut asked = cluster("prod");
    asked["uniqueCloudName"] = json!(true);
    asked["nodeGroups"][0]["uniqueCloudName"] = json!(false);
    let operation = rig.post("/v1/connections/here/clusters", asked).await.ok(202);
    assert_eq!(operation["resource"]["name"], "prod");
    rig.succeeded(&operation).await;
    let shown = rig.get(CLUSTER).await.ok(200);
    let called = shown["cloudName"].as_str().unwrap();
    assert!(called.starts_with("prod-") && called.len() == 25, "{called}");
    assert_eq!((&shown["uniqueCloudName"], &shown["iid"]["nameId"]), (&json!(true), &json!("prod")));
    let group = &shown["nodeGroups"][0];
    assert_eq!((&group["cloudName"], group.get("uniqueCloudName")), (&json!("workers"), None));
    let import = json!({"name": "n", "systemId": "net-9", "uniqueCloudName": true});
    let refused = rig.post("/v1/connections/here/networks", import).await.refused(422, "invalid-request");
    assert_eq!(refused["field"], "uniqueCloudName", "{refused}");
}

#[tokio::test]
async fn a_plan_stores_nothing() {
    let rig = Rig::new().await;
    rig.network().await;
    let before = rig.get("/v1/operations").await.ok(200);
    let plan = rig.post("/v1/connections/here/clusters?dryRun=plan", cluster("prod")).await.ok(200);
    assert!(!plan["stages"].as_array().unwrap().is_empty(), "{plan:#}");
    assert_eq!(rig.get("/v1/operations").await.ok(200), before);
    rig.get(CLUSTER).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_plan_of_a_connection_finds_what_its_creation_would() {
    let rig = Rig::new().await;
    let plan = "/v1/connections?dryRun=plan";
    assert_eq!(rig.post(plan, connection("there")).await.ok(200)["kind"], "connection.create");
    rig.get("/v1/connections/there").await.refused(404, "not-found");
    rig.post(plan, connection("here")).await.refused(409, "already-exists");
    let mut wrong = connection("there");
    wrong["region"] = json!("");
    wrong["settings"] = json!({"nosuch": "x"});
    let refused = rig.post(plan, wrong.clone()).await.refused(422, "invalid-request");
    assert_eq!(
        rig.post("/v1/connections", wrong).await.refused(422, "invalid-request")["findings"],
        refused["findings"]
    );

    let before = rig.get("/v1/connections/here").await.ok(200);
    let change = |patch: Value| {
        let request =
            request(Method::PATCH, "/v1/connections/here?dryRun=plan", TOKEN).header("if-match", "*");
        let request = request.header("content-type", "application/merge-patch+json");
        rig.send(request.body(Body::from(patch.to_string())).unwrap())
    };
    assert_eq!(change(json!({"pace": 2})).await.ok(200)["kind"], "connection.update");
    change(json!({"pace": 0})).await.refused(422, "invalid-request");
    assert_eq!(rig.get("/v1/connections/here").await.ok(200), before);
}

/// What is left of an answer without the fields that its schema calls read-only.
fn writable(document: &Value, schema: &Value, answer: &mut Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        writable(document, document.pointer(reference.trim_start_matches('#')).unwrap(), answer);
    }
    for part in ["allOf", "oneOf"].iter().filter_map(|kind| schema[kind].as_array()).flatten() {
        writable(document, part, answer);
    }
    match answer {
        Value::Array(items) => items.iter_mut().for_each(|item| writable(document, &schema["items"], item)),
        Value::Object(fields) => {
            let Some(known) = schema["properties"].as_object() else { return };
            fields.retain(|name, _| known.get(name).is_none_or(|field| field["readOnly"] != true));
            for (name, field) in fields {
                writable(document, &known.get(name).cloned().unwrap_or_default(), field);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn an_answer_without_its_read_only_fields_is_a_request() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let rules = json!([{"direction": "inbound", "protocol": "tcp", "fromPort": 22, "cidr": "10.0.0.0/8"}]);
    let group = json!({"name": "web", "network": "net", "rules": rules});
    let operation = rig.post("/v1/connections/here/securityGroups", group).await.ok(202);
    rig.succeeded(&operation).await;
    rig.key_pair("mine").await.ok(201);
    let document = serde_json::to_value(pmks_server::document()).unwrap();
    for (list, name, schema) in [
        ("/v1/connections/here/clusters", "prod", "Cluster"),
        ("/v1/connections/here/networks", "net", "Network"),
        ("/v1/connections/here/networks/net/subnets", "sub", "Subnet"),
        ("/v1/connections/here/securityGroups", "web", "SecurityGroup"),
        ("/v1/connections/here/keyPairs", "mine", "KeyPair"),
        (&format!("{CLUSTER}/nodeGroups"), "workers", "NodeGroup"),
        ("/v1/connections", "here", "Connection"),
    ] {
        let mut body = rig.get(&format!("{list}/{name}")).await.ok(200);
        writable(&document, &json!({"$ref": format!("#/components/schemas/{schema}")}), &mut body);
        body["name"] = json!("copy");
        match schema {
            // What is never shown is given again, and a connection has no plan.
            "Connection" => {
                body["credential"]["secretKey"] = json!("hunter2");
                rig.post(list, body).await.ok(201);
                continue;
            }
            // Beside its original.
            "Subnet" => body["cidr"] = json!("10.0.9.0/24"),
            _ => {}
        }
        let answer = rig.post(&format!("{list}?dryRun=plan"), body.clone()).await;
        assert_eq!(answer.status.as_u16(), 200, "{schema} {body:#} {answer:?}");
    }
}

#[tokio::test]
async fn a_patch_names_what_it_read() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let tag = rig.get(CLUSTER).await.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");
    let patch = json!({"tags": {"team": null, "owner": "b"}, "deletionProtection": true});
    let ask = |tag: Option<&str>, kind: &str| {
        let mut asked = request(Method::PATCH, CLUSTER, TOKEN).header("content-type", kind);
        if let Some(tag) = tag {
            asked = asked.header("if-match", tag);
        }
        asked.body(Body::from(patch.to_string())).unwrap()
    };
    let merge = "application/merge-patch+json";
    let problem = rig.send(ask(None, merge)).await.refused(422, "invalid-request");
    assert_eq!(problem["field"], "If-Match");
    rig.send(ask(Some("\"other\""), merge)).await.refused(412, "stale");
    let operation = rig.send(ask(Some(&tag), merge)).await.ok(202);
    rig.succeeded(&operation).await;
    let cluster = rig.get(CLUSTER).await.ok(200);
    assert_eq!((&cluster["tags"], &cluster["deletionProtection"]), (&json!({"owner": "b"}), &json!(true)));
    rig.send(ask(Some(&tag), "application/json")).await.refused(412, "stale");
    rig.delete(CLUSTER).await.refused(422, "precondition");
}

#[tokio::test]
async fn tags_of_what_clusters_stand_on_change_by_a_patch_that_names_what_it_read() {
    let rig = Rig::new().await;
    rig.network().await;
    let network = "/v1/connections/here/networks/net";
    for path in [network.to_owned(), format!("{network}/subnets/sub")] {
        let tag = rig.get(&path).await.header("etag").to_owned();
        let ask = |tag: Option<&str>, patch: &Value| {
            let mut asked = json_request(Method::PATCH, &path, TOKEN, patch);
            if let Some(tag) = tag {
                asked.headers_mut().insert("if-match", tag.parse().unwrap());
            }
            asked
        };
        let patch = json!({"tags": {"team": "a"}});
        let problem = rig.send(ask(None, &patch)).await.refused(422, "invalid-request");
        assert_eq!(problem["field"], "If-Match");
        // Two who read the same: the second is told before the first is carried out.
        let operation = rig.send(ask(Some(&tag), &patch)).await.ok(202);
        rig.send(ask(Some(&tag), &json!({"tags": {"team": "b"}}))).await.refused(412, "stale");
        rig.succeeded(&operation).await;
        assert_eq!(rig.get(&path).await.ok(200)["tags"], json!({"team": "a"}));
        let unknown = rig.send(ask(Some("*"), &json!({"cidr": "10.0.0.0/8"}))).await;
        unknown.refused(400, "malformed");
        let marked = rig.send(ask(Some("*"), &json!({"tags": {"pmks-uid": null}}))).await;
        assert_eq!(marked.refused(422, "invalid-request")["field"], "tags[\"pmks-uid\"]");
        let operation = rig.send(ask(Some("*"), &json!({"tags": null}))).await.ok(202);
        rig.succeeded(&operation).await;
        assert_eq!(rig.get(&path).await.ok(200)["tags"], json!({}));
    }
    let found = rig.get("/v1/connections/here/networks?tag=team%3Da").await.ok(200);
    assert_eq!(found["items"], json!([]));
}

#[tokio::test]
async fn a_key_gives_the_same_operation_again() {
    let rig = Rig::new().await;
    rig.network().await;
    let ask = |body: &Value, path: &str| {
        let mut asked = json_request(Method::POST, path, TOKEN, body);
        asked.headers_mut().insert("idempotency-key", "once".parse().unwrap());
        asked
    };
    let path = "/v1/connections/here/clusters";
    let first = rig.send(ask(&cluster("prod"), path)).await.ok(202);
    let second = rig.send(ask(&cluster("prod"), path)).await.ok(202);
    assert_eq!(first["id"], second["id"]);
    let problem = rig.send(ask(&cluster("other"), path)).await.refused(422, "invalid-request");
    assert_eq!(problem["field"], "Idempotency-Key");
    let mut asked = ask(&cluster("third"), path);
    asked.headers_mut().insert("idempotency-key", "".parse().unwrap());
    rig.send(asked).await.refused(400, "malformed");
    rig.post(path, cluster("prod")).await.refused(409, "already-exists");
}

#[tokio::test]
async fn a_private_key_is_shown_once() {
    let rig = Rig::new().await;
    let made = rig.key_pair("mine").await;
    assert_eq!(made.header("cache-control"), "no-store");
    let body = made.ok(201);
    let private = body["privateKey"].as_str().unwrap();
    assert!(private.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    assert_eq!(body["operation"]["state"], "succeeded", "{body}");
    let secret = private.lines().nth(2).unwrap();
    for path in ["/v1/connections/here/keyPairs/mine", "/v1/operations", "/v1/audit"] {
        let answer = rig.get(path).await;
        answer.ok(200);
        assert!(!answer.text.contains(secret), "{path}");
    }
    // The same request is told it again.
    let again = async || {
        let mut asked =
            json_request(Method::POST, "/v1/connections/here/keyPairs", TOKEN, &json!({"name": "again"}));
        asked.headers_mut().insert("idempotency-key", "once".parse().unwrap());
        tokio::select! {
            answer = rig.send(asked) => answer.ok(201)["privateKey"].clone(),
            () = async { loop { tokio::time::sleep(Duration::from_millis(10)).await; rig.settle().await; } } => unreachable!(),
        }
    };
    let told = again().await;
    assert!(told.is_string() && again().await == told && told != private, "{told}");
    // A pair that was not made has no key.
    rig.cloud.world().failures.insert("ask key pair".into(), pmks_driver::ErrorKind::QuotaExceeded);
    let refused = rig.key_pair("never").await;
    refused.refused(422, "quota-exceeded");
    assert!(!refused.text.contains("PRIVATE KEY"), "{refused:?}");
    let both = json!({"name": "other", "systemId": "key-1", "publicKey": "ssh-ed25519 AAAA"});
    let problem = rig.post("/v1/connections/here/keyPairs", both).await.refused(422, "invalid-request");
    assert_eq!(problem["field"], "publicKey");
}

#[tokio::test]
async fn a_finding_says_what_there_is_not() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let missing = |kind: &str, name: &str| json!([{"kind": kind, "name": name}]);
    for (path, body, kind) in [
        ("networks", json!({"name": "n", "systemId": "none"}), "network"),
        ("keyPairs", json!({"name": "k", "systemId": "none"}), "keyPair"),
        ("securityGroups", json!({"name": "g", "systemId": "none"}), "securityGroup"),
        ("clusters:import", json!({"name": "c", "systemId": "none"}), "cluster"),
        ("securityGroups", json!({"name": "g", "network": "none"}), "network"),
    ] {
        let answer = rig.post(&format!("/v1/connections/here/{path}"), body).await;
        let problem = answer.refused(422, "invalid-request");
        let told: Value =
            problem["findings"].as_array().unwrap().iter().map(|one| one["missing"].clone()).collect();
        assert_eq!(told, missing(kind, "none"), "{problem:#}");
    }
    let whole = rig.get(CLUSTER).await.ok(200)["iid"]["systemId"].clone();
    let import = json!({"name": "c", "systemId": whole, "nodeGroups": [{"name": "g", "systemId": "none"}]});
    let problem =
        rig.post("/v1/connections/here/clusters:import", import).await.refused(422, "invalid-request");
    assert_eq!(problem["findings"][0]["field"], "nodeGroups[0].systemId");
    assert_eq!(problem["findings"][0]["missing"], missing("nodeGroup", "none")[0]);
    // What is there, and wrong, is not missing.
    let other = json!({"name": "-", "systemId": "none"});
    let problem = rig.post("/v1/connections/here/networks", other).await.refused(422, "invalid-request");
    assert_eq!(problem["findings"][0].get("missing"), None, "{problem:#}");
}

#[tokio::test]
async fn networks_are_made_listed_forgotten() {
    let rig = Rig::new().await;
    rig.network().await;
    let list = rig.get("/v1/connections/here/networks").await.ok(200);
    assert_eq!(
        (&list["items"][0]["name"], &list["items"][0]["subnets"][0]["name"]),
        (&json!("net"), &json!("sub"))
    );
    let body = json!({"name": "b", "cidr": "10.0.2.0/24"});
    let operation = rig.post("/v1/connections/here/networks/net/subnets", body).await.ok(202);
    rig.succeeded(&operation).await;
    let page = rig.get("/v1/connections/here/networks/net/subnets?pageSize=1").await.ok(200);
    let token = page["nextPageToken"].as_str().unwrap();
    let rest = rig.get(&format!("/v1/connections/here/networks/net/subnets?pageToken={token}")).await.ok(200);
    assert_eq!((&rest["items"][0]["name"], &rest["nextPageToken"]), (&json!("b"), &Value::Null));
    let forget = rig.post("/v1/connections/here/networks/net/subnets/b/forget", json!({})).await;
    assert_eq!(forget.status.as_u16(), 204, "{forget:?}");
    rig.get("/v1/connections/here/networks/net/subnets/b").await.refused(404, "not-found");
    rig.delete("/v1/connections/here").await.refused(409, "conflict");
}

#[tokio::test]
async fn connections_are_validated_changed_removed() {
    let rig = Rig::empty().await;
    let made = rig.post("/v1/connections", connection("here")).await;
    assert_eq!(made.header("location"), "/v1/connections/here");
    rig.post("/v1/connections", connection("here")).await.refused(409, "already-exists");
    let validation = rig.post("/v1/connections/here/validate", json!({})).await.ok(200);
    assert_eq!((&validation["valid"], &validation["account"]["account"]), (&json!(true), &json!("fake:1")));
    rig.get("/v1/connections/here/prerequisites").await.ok(200);
    for what in ["versions", "machineTypes", "images", "regions"] {
        let read = rig.get(&format!("/v1/connections/here/{what}")).await.ok(200);
        assert!(read["items"].is_array() && read["observedAt"].is_string(), "{read:#}");
    }
    let mut asked = json_request(Method::PATCH, "/v1/connections/here", TOKEN, &json!({"pace": 2}));
    asked.headers_mut().insert("if-match", "*".parse().unwrap());
    assert_eq!(rig.send(asked).await.ok(200)["pace"], 2);
    assert_eq!(rig.delete("/v1/connections/here").await.status.as_u16(), 204);
    rig.get("/v1/connections/here").await.refused(404, "not-found");
}

#[tokio::test]
async fn the_ways_in_are_kept_nowhere() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let viewer = rig.token("viewer", None).await;
    let ask = |path: &str| request(Method::GET, path, &viewer).body(Body::empty()).unwrap();
    let exec = rig.send(ask(&format!("{CLUSTER}/kubeconfig?command=/opt/pmks"))).await;
    assert_eq!((exec.status.as_u16(), exec.header("cache-control")), (200, "no-store"));
    assert_eq!(exec.header("content-type"), "application/yaml");
    assert!(exec.text.contains("/opt/pmks"), "{}", exec.text);
    rig.send(ask(&format!("{CLUSTER}/kubeconfig?format=native"))).await.refused(403, "not-allowed");
    assert_eq!(rig.get(&format!("{CLUSTER}/kubeconfig?format=native")).await.status.as_u16(), 200);
    rig.get(&format!("{CLUSTER}/kubeconfig?format=static")).await.refused(501, "unsupported");
    let token = rig.post(&format!("{CLUSTER}/token"), json!({})).await;
    assert_eq!(token.header("cache-control"), "no-store");
    assert!(token.ok(200)["expirationTimestamp"].is_string());
}

#[tokio::test]
async fn a_choice_says_which_thing_an_operation_made() {
    let rig = Rig::new().await;
    {
        let mut world = rig.cloud.world();
        world.failures.insert("ask network".into(), pmks_driver::ErrorKind::Ambiguous);
        world.several.insert("network".into(), vec!["net-a".into(), "net-b".into()]);
    }
    let body = json!({"name": "net", "cidr": "10.0.0.0/16"});
    let operation = rig.post("/v1/connections/here/networks", body).await.ok(202);
    rig.settle().await;
    let path = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
    let blocked = rig.get(&path).await.ok(200);
    assert_eq!((&blocked["state"], &blocked["blocked"]["reason"]), (&json!("blocked"), &json!("which")));
    assert_eq!(blocked["blocked"]["candidates"], json!(["net-a", "net-b"]));
    let retry = format!("{path}/retry");
    let problem = rig.post(&retry, json!({"choice": "net-z"})).await.refused(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("net-a, net-b"), "{problem}");
    rig.post(&retry, json!({"which": "net-a"})).await.refused(400, "malformed");
    let again = rig.post(&retry, json!({"choice": "net-b"})).await.ok(202);
    rig.succeeded(&again).await;
    let network = rig.get("/v1/connections/here/networks/net").await.ok(200);
    assert_eq!(network["iid"], json!({"nameId": "net", "systemId": "net-b"}));
}
