//! Who may do what.

use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::rig::{PASSWORD, Rig, TOKEN, connection, json_request, request};

const PUBLIC: [&str; 5] = ["/healthz", "/readyz", "/docs", "/docs/errors/{kind}", "/v1/openapi.json"];

/// Every documented route with its names filled in.
fn routes() -> Vec<(Method, String, String)> {
    let document = serde_json::to_value(pmks_server::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut routes = Vec::new();
    for (template, item) in paths {
        let path =
            template.replace("{kind}", "stale").replace("{connection}", "here").replace(['{', '}'], "");
        for method in item.as_object().unwrap().keys() {
            routes.push((method.to_uppercase().parse().unwrap(), template.clone(), path.clone()));
        }
    }
    assert!(routes.len() > 60, "{}", routes.len());
    routes
}

#[tokio::test]
async fn no_route_answers_without_a_token() {
    let rig = Rig::new().await;
    for (method, template, path) in routes() {
        let bare = Request::builder().method(method.clone()).uri(&path).body(Body::empty()).unwrap();
        let wrong = request(method.clone(), &path, "pmks_wrong").body(Body::empty()).unwrap();
        if PUBLIC.contains(&template.as_str()) {
            assert_ne!(rig.send(bare).await.status.as_u16(), 401, "{method} {path}");
            continue;
        }
        for request in [bare, wrong] {
            let answer = rig.send(request).await;
            answer.refused(401, "not-authenticated");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn no_viewer_mutates_and_no_operator_reaches_further_than_given() {
    let rig = Rig::new().await;
    let viewer = rig.token("viewer", None).await;
    rig.post("/v1/connections", connection("there")).await.ok(201);
    let elsewhere = rig.token("operator", Some(&["there"])).await;
    rig.delete("/v1/connections/there").await;
    for (method, template, path) in routes() {
        let read = method == Method::GET;
        let admin = template.starts_with("/v1/apiTokens") || template == "/v1/audit";
        if !read || admin {
            let asked = json_request(method.clone(), &path, &viewer, &json!({}));
            rig.send(asked).await.refused(403, "not-allowed");
        }
        if !read && template.contains("{connection}") {
            let asked = json_request(method.clone(), &path, &elsewhere, &json!({}));
            rig.send(asked).await.refused(403, "not-allowed");
        }
    }
    let list = request(Method::GET, "/v1/connections", &viewer).body(Body::empty()).unwrap();
    assert_eq!(rig.send(list).await.ok(200)["items"][0]["name"], "here");
    let there = json_request(Method::POST, "/v1/connections", &elsewhere, &connection("there"));
    rig.send(there).await.ok(201);
    let here = json_request(Method::POST, "/v1/connections", &elsewhere, &connection("other"));
    rig.send(here).await.refused(403, "not-allowed");
}

#[tokio::test]
async fn endpoints_certificates_and_the_machines_own_credential_need_the_administrator() {
    let rig = Rig::new().await;
    let operator = rig.token("operator", None).await;
    let with = |field: &str, value: Value| {
        let mut body = connection("new");
        body[field] = value;
        body
    };
    let bodies = [
        with("endpoints", json!({"all": "http://127.0.0.1:1"})),
        with("caCertificate", json!("-----BEGIN CERTIFICATE-----")),
        with("credential", json!({"ambient": true})),
    ];
    for body in &bodies {
        let asked = json_request(Method::POST, "/v1/connections", &operator, body);
        rig.send(asked).await.refused(403, "not-allowed");
    }
    // Even the administrator may not where the server was not told to allow it.
    rig.post("/v1/connections", bodies[2].clone()).await.refused(403, "not-allowed");
    rig.post("/v1/connections", bodies[0].clone()).await.ok(201);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let rig = Rig::empty().await;
    let token = rig.token("viewer", None).await;
    let ask = || request(Method::GET, "/v1/providers", &token).body(Body::empty()).unwrap();
    rig.send(ask()).await.ok(200);
    assert_eq!(rig.delete("/v1/apiTokens/viewer-0").await.status.as_u16(), 204);
    rig.send(ask()).await.refused(401, "not-authenticated");
    let listed = rig.get("/v1/apiTokens").await;
    assert!(listed.ok(200)["items"][0]["revokedAt"].is_string());
    assert!(!listed.text.contains(&token));
}

#[tokio::test]
async fn the_administrator_comes_in_by_basic() {
    let rig = Rig::empty().await;
    for (name, password, status) in
        [("root", PASSWORD, 200), ("root", "wrong", 401), ("other", PASSWORD, 401), ("root", PASSWORD, 200)]
    {
        let basic = STANDARD.encode(format!("{name}:{password}"));
        let asked = Request::get("/v1/apiTokens").header("authorization", format!("Basic {basic}"));
        assert_eq!(rig.send(asked.body(Body::empty()).unwrap()).await.status.as_u16(), status, "{name}");
    }
}

#[tokio::test]
async fn the_same_process_needs_no_token_and_no_header_makes_one_of_it() {
    let rig = Rig::empty().await;
    rig.inside("/v1/audit").await.ok(200);
    let posing = Request::get("/v1/audit").header("inprocess", "admin").body(Body::empty()).unwrap();
    rig.send(posing).await.refused(401, "not-authenticated");
}

#[tokio::test]
async fn what_changes_is_in_the_audit_with_its_request() {
    let rig = Rig::empty().await;
    let mut asked = json_request(Method::POST, "/v1/connections", TOKEN, &connection("here"));
    asked.headers_mut().insert("x-request-id", "my-request.1".parse().unwrap());
    let answer = rig.send(asked).await;
    assert_eq!(answer.header("x-request-id"), "my-request.1");
    assert!(!answer.text.contains("hunter2"));
    let audit = rig.get("/v1/audit").await;
    let line = &audit.ok(200)["items"][0];
    assert_eq!((&line["who"], &line["action"]), (&json!("local"), &json!("connection.create")));
    assert_eq!(line["requestId"], "my-request.1");
    assert!(!audit.text.contains("hunter2"));
}

#[tokio::test]
async fn the_audit_is_told_by_time_and_in_pages() {
    let rig = Rig::empty().await;
    for name in ["a", "b", "c", "d"] {
        rig.post("/v1/connections", connection(name)).await.ok(201);
        rig.clock.advance(Duration::from_mins(1));
    }
    let read = async |query: &str| {
        let page = rig.get(&format!("/v1/audit?{query}")).await.ok(200).clone();
        let lines = page["items"].as_array().unwrap().iter();
        let targets: Vec<String> =
            lines.map(|line| line["target"].as_str().unwrap().replace("connection ", "")).collect();
        (targets.join(""), page["nextPageToken"].as_str().map(str::to_owned))
    };
    let (minute, later) = ("2026-01-01T00:01:00Z", "2026-01-01T00:03:00Z");
    assert_eq!(read("").await, ("dcba".into(), None));
    assert_eq!(read(&format!("since={minute}")).await, ("dcb".into(), None));
    assert_eq!(read(&format!("until={later}")).await, ("cba".into(), None));
    assert_eq!(read(&format!("before={later}")).await, ("cba".into(), None), "as it was called before");
    let (first, token) = read(&format!("since={minute}&pageSize=2")).await;
    assert_eq!(first, "dc");
    let token = token.unwrap();
    // What comes meanwhile moves nothing.
    rig.post("/v1/connections", connection("e")).await.ok(201);
    assert_eq!(read(&format!("since={minute}&pageSize=2&pageToken={token}")).await, ("b".into(), None));
    for (query, status, kind) in [
        (format!("since={later}&until={minute}"), 422, "invalid-request"),
        (format!("until={later}&before={later}"), 400, "malformed"),
        ("since=yesterday".into(), 400, "malformed"),
        ("pageToken=x".into(), 400, "malformed"),
        ("pageSize=0".into(), 422, "invalid-request"),
    ] {
        rig.get(&format!("/v1/audit?{query}")).await.refused(status, kind);
    }
}

#[tokio::test]
async fn a_token_names_what_there_is_and_opens_nothing_after_its_end() {
    let rig = Rig::new().await;
    let ask = |more: Value| {
        let mut body = json!({"name": "ci", "role": "viewer"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, field) in [
        (json!({"connections": ["here", "nowhere"]}), "connections"),
        (json!({"connections": []}), "connections"),
        (json!({"expiresAt": "tomorrow"}), "expiresAt"),
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), "expiresAt"),
    ] {
        let problem = rig.post("/v1/apiTokens", ask(more)).await.refused(422, "invalid-request");
        assert_eq!(problem["field"], field, "{problem}");
    }
    let made = rig.post("/v1/apiTokens", ask(json!({"expiresAt": "2026-01-01T01:00:00Z"}))).await.ok(201);
    assert_eq!(made["expiresAt"], "2026-01-01T01:00:00Z");
    assert_eq!(rig.get("/v1/apiTokens").await.ok(200)["items"][0]["expiresAt"], "2026-01-01T01:00:00Z");
    let bearer = made["token"].as_str().unwrap();
    let read = || request(Method::GET, "/v1/providers", bearer).body(Body::empty()).unwrap();
    rig.send(read()).await.ok(200);
    rig.clock.advance(std::time::Duration::from_hours(1));
    rig.send(read()).await.refused(401, "not-authenticated");
    let revoked = rig.delete(&format!("/v1/apiTokens/{}", made["uid"].as_str().unwrap())).await;
    assert_eq!(revoked.status.as_u16(), 204);
}
