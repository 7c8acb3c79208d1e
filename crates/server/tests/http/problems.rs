//! What is refused, and how.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::rig::{Rig, TOKEN, cluster, connection, json_request, request};

fn raw(method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    request(method, path, TOKEN).header("content-type", kind).body(body.into()).unwrap()
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let rig = Rig::empty().await;
    for path in ["/", "/v1", "/v1/nothing", "/v2/providers", "/v1/providers/", "/docs/errors/nothing"] {
        rig.get(path).await.refused(404, "not-found");
    }
    let answer = rig.send(request(Method::PUT, "/v1/connections", TOKEN).body(Body::empty()).unwrap()).await;
    answer.refused(405, "malformed");
    let allowed = answer.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST") && !allowed.contains("PUT"), "{allowed}");
    rig.get("/v1/connections/%FF").await.refused(400, "malformed");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_names_its_field() {
    let rig = Rig::new().await;
    let wrong = |pointer: &str, value: Value| {
        let mut body = cluster("prod");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let mut unknown = cluster("prod");
    unknown["nodeGroups"][0]["diskSize"] = json!(3);
    for (body, field) in [
        (wrong("/tags/team", json!(1)), "tags.team"),
        (wrong("/subnets", json!("sub")), "subnets"),
        // By position nobody says which value is meant.
        (wrong("/nodeGroups/0/scaling", json!([false, 1, 3, 2])), "nodeGroups[0].scaling"),
        (wrong("/nodeGroups/0", json!(["workers"])), "nodeGroups[0]"),
        (unknown, "nodeGroups[0].diskSize"),
    ] {
        let problem = rig.post("/v1/connections/here/clusters", body).await.refused(400, "malformed");
        assert_eq!(problem["field"], field, "{problem:#}");
    }
    for body in
        ["", "{", "[]", "null", "{} {}", "\u{feff}{}", r#"{"name":"a","name":"b"}"#, "{\"name\":\"\u{0}\"}"]
    {
        let asked = raw(Method::POST, "/v1/connections/here/clusters", "application/json", body);
        rig.send(asked).await.refused(400, "malformed");
    }
    let pair = r#"["kk", null]"#;
    let asked = raw(Method::POST, "/v1/connections/here/keyPairs", "application/json", pair);
    rig.send(asked).await.refused(400, "malformed");
    let deep = "[".repeat(100_000);
    let asked = raw(Method::POST, "/v1/connections/here/clusters", "application/json", deep);
    rig.send(asked).await.refused(400, "malformed");
}

#[tokio::test]
async fn everything_wrong_with_a_request_is_said_at_once() {
    let rig = Rig::new().await;
    rig.network().await;
    let mut body = cluster("Not A Name");
    body["nodeGroups"][0]["scaling"] = json!({"autoScaling": true, "min": 3, "max": 1, "desired": 2});
    body["options"] = json!({"colour": "red"});
    let problem = rig.post("/v1/connections/here/clusters", body).await.refused(422, "invalid-request");
    let fields: Vec<&str> = problem["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["field"].as_str().unwrap())
        .collect();
    for field in ["name", "options.colour"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
    assert!(fields.iter().any(|field| field.starts_with("nodeGroups[0].scaling")), "{fields:?}");
    assert_eq!(problem["field"], fields[0]);
    rig.post("/v1/connections/here/clusters", cluster("-")).await.refused(422, "invalid-request");
}

fn fields(problem: &Value) -> Vec<String> {
    let findings = problem["findings"].as_array().unwrap();
    let mut fields: Vec<String> =
        findings.iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect();
    fields.sort();
    fields
}

#[tokio::test]
async fn numbers_that_are_none_stand_beside_everything_else_that_is_wrong() {
    let rig = Rig::new().await;
    rig.network().await;
    let mut body = cluster("Not A Name");
    body["nodeGroups"][0] = json!({"name": "workers", "rootDiskSizeGib": -1, "rootDiskType": "tape",
        "scaling": {"autoScaling": false, "min": "3", "max": 99_999_999_999_u64, "desired": 1.5}});
    body["options"] = json!({"colour": "red"});
    let path = "/v1/connections/here/clusters";
    for path in [path.to_owned(), format!("{path}?dryRun=plan")] {
        let problem = rig.post(&path, body.clone()).await.refused(422, "invalid-request");
        let wanted = [
            "name",
            "nodeGroups[0].rootDiskSizeGib",
            "nodeGroups[0].rootDiskType",
            "nodeGroups[0].scaling.desired",
            "nodeGroups[0].scaling.max",
            "nodeGroups[0].scaling.min",
            "options.colour",
        ];
        assert_eq!(fields(&problem), wanted, "{problem:#}");
        let says = problem.to_string();
        for word in ["u32", "integer `", "floating", "line 1", "expected"] {
            assert!(!says.contains(word), "{word}: {says}");
        }
    }
    // With those numbers set right, nothing is left that they hid.
    body["nodeGroups"][0] =
        json!({"name": "w", "scaling": {"autoScaling": false, "min": 2, "max": -1, "desired": 3}});
    body["name"] = json!("prod");
    body.as_object_mut().unwrap().remove("options");
    let problem = rig.post(path, body).await.refused(422, "invalid-request");
    assert_eq!(fields(&problem), ["nodeGroups[0].scaling.max"], "{problem:#}");
    rig.cluster_in_network().await;
    let groups = "/v1/connections/here/clusters/prod/nodeGroups";
    let problem = rig
        .post(
            groups,
            json!({"name": "-", "scaling": {"autoScaling": true, "min": 1, "max": 2, "desired": "2"}}),
        )
        .await;
    assert_eq!(fields(&problem.refused(422, "invalid-request")), ["name", "scaling.desired"]);
    let scale = format!("{groups}/workers/scale");
    let problem = rig.post(&scale, json!({"desired": -1})).await.refused(422, "invalid-request");
    assert_eq!(fields(&problem), ["scaling.desired"], "{problem:#}");
    let problem = rig.post(&scale, json!({"desired": 9, "min": 1e3})).await.refused(422, "invalid-request");
    assert_eq!(fields(&problem), ["scaling.desired", "scaling.min"], "{problem:#}");
    let rules = json!([{"direction": "in", "protocol": "tcp", "fromPort": "22", "cidr": "10.0.0.0/8"}]);
    let group = json!({"name": "g", "network": "net", "rules": rules});
    let problem =
        rig.post("/v1/connections/here/securityGroups", group).await.refused(422, "invalid-request");
    assert_eq!(fields(&problem), ["rules[0].direction", "rules[0].fromPort"], "{problem:#}");
}

#[tokio::test]
async fn a_pace_that_is_no_number_stands_beside_everything_else_that_is_wrong() {
    let rig = Rig::new().await;
    for pace in [json!(-1), json!("3"), json!(1e3), json!(0)] {
        let mut body = connection("a/b");
        body["pace"] = pace.clone();
        body["credential"] = json!({"accessKey": "AK1"});
        let problem = rig.post("/v1/connections", body).await.refused(422, "invalid-request");
        assert_eq!(fields(&problem), ["credential.secretKey", "name", "pace"], "{problem:#}");
        let patch = json!({"pace": pace, "credential": {"accessKey": "AK1"}});
        let asked = json_request(Method::PATCH, "/v1/connections/here", TOKEN, &patch);
        let (mut parts, body) = asked.into_parts();
        parts.headers.insert("if-match", "*".parse().unwrap());
        let problem = rig.send(Request::from_parts(parts, body)).await.refused(422, "invalid-request");
        assert_eq!(fields(&problem), ["credential.secretKey", "pace"], "{problem:#}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_said_without_places_that_are_not_there() {
    let rig = Rig::new().await;
    for (body, says) in [
        ("", "the body is empty"),
        ("[]", "must be an object, not an array"),
        ("{\"name\":\"a\"", "the body ends before its JSON is whole"),
        ("{\"name\":\"a\",}", "trailing comma, at line 1, byte 13"),
    ] {
        let asked = raw(Method::POST, "/v1/connections/here/clusters", "application/json", body);
        let problem = rig.send(asked).await.refused(400, "malformed");
        let found = &problem["findings"][0];
        assert_eq!(found["field"], "", "{problem:#}");
        assert!(found["says"].as_str().unwrap().contains(says), "{body:?} {problem:#}");
    }
}

#[tokio::test]
async fn a_port_beyond_sixteen_bits_is_a_finding_beside_the_others() {
    let rig = Rig::new().await;
    let rules = json!([{"direction": "in", "protocol": "tcp", "fromPort": 22, "toPort": 65536, "cidr": "10.0.0.0/8"}]);
    let body = json!({"name": "g", "network": "nowhere", "rules": rules});
    let problem = rig.post("/v1/connections/here/securityGroups", body).await.refused(422, "invalid-request");
    let fields: Vec<&str> =
        problem["findings"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    for field in ["network", "rules[0].direction", "rules[0].toPort"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
}

#[tokio::test]
async fn media_types_and_sizes_are_bounded() {
    let rig = Rig::empty().await;
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded"] {
        let asked = raw(Method::POST, "/v1/connections", kind, "{}");
        rig.send(asked).await.refused(415, "malformed");
    }
    let asked =
        raw(Method::POST, "/v1/connections", "application/json; charset=utf-8", connection("a").to_string());
    rig.send(asked).await.ok(201);
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(1 << 20));
    let asked = raw(Method::POST, "/v1/connections", "application/json", large.clone());
    rig.send(asked).await.refused(413, "body-too-large");
    let stream = futures::stream::iter([Ok::<_, std::io::Error>(large)]);
    let asked = raw(Method::POST, "/v1/connections", "application/json", Body::from_stream(stream));
    rig.send(asked).await.refused(413, "body-too-large");
    let heads = [("x-large", "a".repeat(20_000))];
    let mut asked = request(Method::GET, "/v1/providers", TOKEN);
    for (name, value) in heads {
        asked = asked.header(name, value);
    }
    rig.send(asked.body(Body::empty()).unwrap()).await.refused(431, "headers-too-large");
    let many = (0..70)
        .fold(request(Method::GET, "/v1/providers", TOKEN), |asked, n| asked.header(format!("x-{n}"), "a"));
    rig.send(many.body(Body::empty()).unwrap()).await.refused(431, "headers-too-large");
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let rig = Rig::new().await;
    for (path, field) in [
        ("/v1/connections?pageSize=many", "pageSize"),
        ("/v1/connections?secretAccessKey=hunter2", "secretAccessKey"),
        ("/v1/providers?token=hunter2", "token"),
        ("/v1/connections/here/clusters?maxAge=-1", "maxAge"),
        ("/v1/connections/here/clusters?managed=maybe", "managed"),
    ] {
        let answer = rig.get(path).await;
        let problem = answer.refused(400, "malformed");
        assert!(problem.to_string().contains(field), "{problem}");
        assert!(!answer.text.contains("hunter2"));
    }
    for path in ["/v1/connections?pageSize=0", "/v1/providers?pageSize=1001", "/v1/operations?kind=x"] {
        rig.get(path).await.refused(422, "invalid-request");
    }
    rig.get("/v1/connections?pageToken=%25").await.refused(400, "malformed");
    let asked = json_request(Method::POST, "/v1/connections/here/clusters?dryRun=true", TOKEN, &cluster("a"));
    rig.send(asked).await.refused(400, "malformed");
}

#[tokio::test]
async fn every_list_comes_in_pages_and_takes_its_own_tokens_alone() {
    let rig = Rig::new().await;
    rig.cluster().await;
    for name in ["there", "elsewhere"] {
        rig.post("/v1/connections", connection(name)).await.ok(201);
        rig.post("/v1/apiTokens", json!({"name": name, "role": "viewer"})).await.ok(201);
    }
    let cluster = "/v1/connections/here/clusters/prod";
    let mut tokens = Vec::new();
    let lists = [
        "/v1/connections",
        "/v1/operations",
        "/v1/apiTokens",
        "/v1/providers",
        "/v1/connections/here/networks",
        "/v1/connections/here/networks/net/subnets",
        "/v1/connections/here/clusters",
        "/v1/connections/here/versions",
        "/v1/connections/here/machineTypes",
        "/v1/connections/here/images",
        "/v1/connections/here/regions",
        &format!("{cluster}/nodes"),
        &format!("{cluster}/nodeGroups"),
        "/v1/connections/here/securityGroups",
        "/v1/connections/here/keyPairs",
    ];
    for list in lists {
        let whole = rig.get(list).await.ok(200)["items"].as_array().unwrap().clone();
        let (mut paged, mut token) = (Vec::new(), String::new());
        loop {
            let page = rig.get(&format!("{list}?pageSize=1&pageToken={token}")).await.ok(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 1, "{list}");
            paged.extend(items.clone());
            let Some(next) = page["nextPageToken"].as_str() else { break };
            token = next.to_owned();
            tokens.push((list.to_owned(), token.clone()));
        }
        assert_eq!(paged, whole, "{list}");
    }
    assert!(tokens.len() > 4, "{tokens:?}");
    for (of, token) in &tokens {
        for list in lists.iter().filter(|list| *list != of) {
            let problem = rig.get(&format!("{list}?pageToken={token}")).await.refused(400, "malformed");
            assert_eq!(problem["field"], "pageToken", "{list} with a token of {of}");
        }
    }
}

#[tokio::test]
async fn no_secret_is_quoted() {
    let rig = Rig::empty().await;
    for credential in
        [json!("hunter2"), json!(["hunter2"]), json!({"ambient": "hunter2"}), json!({"other": "hunter2"})]
    {
        let mut body = connection("here");
        body["credential"] = credential;
        let answer = rig.post("/v1/connections", body).await;
        assert!(answer.status.is_client_error());
        assert!(!answer.problem().to_string().contains("hunter2"), "{answer:?}");
    }
}

#[tokio::test]
async fn values_that_are_no_credential_are_told_beside_whatever_else_is_wrong() {
    let rig = Rig::new().await;
    let fields = |problem: &Value| -> Vec<String> {
        let findings = problem["findings"].as_array().unwrap();
        findings.iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect()
    };
    let credential = json!({"accessKey": 7, "secretKey": {"hunter2": "x"}});
    let mut body = connection("a/b");
    body["credential"] = credential.clone();
    body["region"] = json!("");
    body["endpoints"] = json!({"all": "no url"});
    let problem = rig.post("/v1/connections", body.clone()).await.refused(422, "invalid-request");
    let wrong = ["name", "region", "credential.accessKey", "credential.secretKey", "endpoints.all"];
    assert_eq!(fields(&problem), wrong, "{problem:#}");
    assert!(!problem.to_string().contains("hunter2"));
    // At a provider that nobody knows, what is right at all of them is checked too.
    body["provider"] = json!("nobody");
    let problem = rig.post("/v1/connections", body).await.refused(422, "invalid-request");
    let wrong = ["provider", "name", "region", "credential.accessKey", "credential.secretKey"];
    assert_eq!(fields(&problem), wrong, "{problem:#}");
    let patch = json!({"credential": credential, "pace": 0});
    let asked = json_request(Method::PATCH, "/v1/connections/here", TOKEN, &patch);
    let (mut parts, body) = asked.into_parts();
    parts.headers.insert("if-match", "*".parse().unwrap());
    parts.headers.insert("content-type", "application/merge-patch+json".parse().unwrap());
    let problem = rig.send(Request::from_parts(parts, body)).await.refused(422, "invalid-request");
    assert_eq!(fields(&problem), ["pace", "credential.accessKey", "credential.secretKey"], "{problem:#}");
}

#[tokio::test]
async fn request_ids_are_sane() {
    let rig = Rig::empty().await;
    for id in ["a b", "a\"b", "<script>", &"a".repeat(200)] {
        let asked = request(Method::GET, "/v1/providers", TOKEN).header("x-request-id", id);
        let answer = rig.send(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("x-request-id").len(), 36, "{id}");
    }
}

#[tokio::test]
async fn a_clouds_refusal_is_never_ours() {
    let rig = Rig::new().await;
    rig.cloud.world().failures.insert("versions".into(), pmks_driver::ErrorKind::Unauthenticated);
    let answer = rig.get("/v1/connections/here/versions").await;
    let problem = answer.refused(502, "unauthenticated");
    assert_eq!(problem["provider"], "fake");
    assert_eq!(answer.header("www-authenticate"), "");
}

#[tokio::test]
async fn an_array_for_an_object_is_refused_in_words_of_json() {
    let rig = Rig::new().await;
    let mut asked = cluster("prod");
    asked["nodeGroups"][0]["scaling"] = json!([false, 1, 3, 2]);
    let problem = rig.post("/v1/connections/here/clusters", asked).await.refused(400, "malformed");
    assert_eq!(problem["field"], "nodeGroups[0].scaling");
    let says = problem.to_string();
    assert!(says.contains("must be an object, not an array") && !says.contains("struct"), "{says}");
}
