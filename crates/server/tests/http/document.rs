//! The document is what is served.

use std::path::Path;

use axum::body::Body;
use http::{Method, Request};

use crate::rig::{Rig, TOKEN, json_request, request};

#[test]
fn the_repository_holds_the_present_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/openapi.json");
    let present = pmks_server::document_json();
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept != present {
        std::fs::write(&path, &present).unwrap();
        panic!(
            "docs/api/openapi.json was out of date and is written anew: look at the difference and commit it"
        );
    }
}

#[test]
fn every_operation_says_what_it_does_and_refers_to_what_exists() {
    let document = serde_json::to_value(pmks_server::document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is nowhere");
    }
}

#[tokio::test]
async fn every_body_has_an_example_that_can_be_read() {
    let rig = Rig::new().await;
    let document = serde_json::to_value(pmks_server::document()).unwrap();
    let mut bodies = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
            for (kind, media) in content {
                let pointer = media["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
                let example = &document.pointer(pointer).unwrap()["example"];
                assert!(example.is_object(), "{method} {path} {example}");
                let path = path.replace("{connection}", "here").replace(['{', '}'], "");
                let asked = request(method.to_uppercase().parse().unwrap(), &path, TOKEN)
                    .header("content-type", kind)
                    .header("if-match", "*");
                let answer = rig.send(asked.body(Body::from(example.to_string())).unwrap()).await;
                assert!(![400, 415].contains(&answer.status.as_u16()), "{method} {path} {answer:?}");
                bodies += 1;
            }
        }
    }
    assert!(bodies > 12, "{bodies}");
}

#[tokio::test]
async fn a_server_that_can_store_nothing_is_not_ready() {
    let rig = Rig::empty().await;
    rig.state.engine_runs(true);
    rig.get("/readyz").await.ok(200);
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(rig.database());
    let other = sqlx::SqlitePool::connect_with(file).await.unwrap();
    let run = async |sql: &'static str| sqlx::raw_sql(sql).execute(&other).await.map(drop).unwrap();
    // Reads go on, every write of it fails.
    run("CREATE TRIGGER full BEFORE UPDATE ON probe BEGIN SELECT RAISE(ABORT, 'full'); END").await;
    rig.get("/readyz").await.ok(200);
    rig.clock.advance(std::time::Duration::from_secs(6));
    let problem = rig.get("/readyz").await.refused(503, "unavailable");
    let store = &problem["checks"][2];
    assert_eq!((&store["name"], &store["status"]), (&"store".into(), &"failed".into()), "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().starts_with("not ready: store: the database failed"));
    rig.clock.advance(std::time::Duration::from_secs(6));
    let later = rig.get("/readyz").await.refused(503, "unavailable");
    assert_eq!(later["checks"][2]["since"], store["since"], "since the first time");
    rig.get("/v1/operations").await.ok(200);
    run("DROP TRIGGER full").await;
    rig.clock.advance(std::time::Duration::from_secs(6));
    let ready = rig.get("/readyz").await.ok(200);
    let names: Vec<&str> =
        ready["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!((ready["status"].as_str(), names), (Some("ok"), vec!["server", "engine", "store"]));
}

#[tokio::test]
async fn it_is_served_and_can_be_read_without_a_network() {
    let rig = Rig::empty().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let served = rig.send(get("/v1/openapi.json")).await;
    assert_eq!(served.text, pmks_server::document_json());
    let page = rig.send(get("/docs")).await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("/v1/connections/{connection}/clusters:import"));
    for loaded in ["<script", "src=", "<link", "http://", "https://", "@import"] {
        assert!(!page.text.contains(loaded), "{loaded}");
    }
    let kind = rig.send(get("/docs/errors/stale")).await;
    assert!(kind.text.starts_with("# stale: "));
    let problem = rig.send(get("/readyz")).await.refused(503, "unavailable");
    assert_eq!(problem["checks"][1]["says"], "the engine does not run");
    assert!(problem["checks"][1]["fix"].is_string() && problem["fix"].is_string());
    rig.state.engine_runs(true);
    rig.send(get("/readyz")).await.ok(200);
    rig.send(get("/healthz")).await.ok(200);
    let metrics = rig.get("/metrics").await;
    assert!(metrics.text.contains("route=\"/docs/errors/{kind}\""), "{}", metrics.text);
}

#[tokio::test]
async fn what_is_logged_is_changed_by_administrators_alone_and_audited() {
    let rig = Rig::new().await;
    let put = async |filter: &str, token: &str| {
        let body = serde_json::json!({"filter": filter});
        rig.send(json_request(Method::PUT, "/v1/logLevel", token, &body)).await
    };
    assert_eq!(rig.get("/v1/logLevel").await.ok(200)["filter"], "warn");
    assert_eq!(put("debug", TOKEN).await.ok(200)["filter"], "debug");
    assert_eq!(rig.get("/v1/logLevel").await.ok(200)["filter"], "debug");
    let problem = put("loud", TOKEN).await.refused(422, "invalid-request");
    assert_eq!(problem["field"], "filter");
    let operator = rig.token("operator", None).await;
    put("info", &operator).await.refused(403, "not-allowed");
    assert_eq!(rig.get("/v1/logLevel").await.ok(200)["filter"], "debug");
    let audit = rig.get("/v1/audit").await.ok(200);
    let lines = audit["items"].as_array().unwrap();
    let changes: Vec<_> = lines.iter().filter(|line| line["action"] == "logLevel.set").collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["target"], "log level \"warn\", now \"debug\"");
}
