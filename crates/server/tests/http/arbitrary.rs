//! Requests as nobody would write them: bodies of each route with parts changed, names, queries and headers of any
//! bytes. Each is answered, or refused with what is wrong; none is a failure of the server.

use axum::body::Body;
use http::{HeaderValue, Method, Request};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use crate::rig::{Rig, TOKEN, cluster, connection, request};

/// The routes that read a body, each with one that it takes.
fn routes() -> Vec<(Method, &'static str, Value)> {
    let group = cluster("c")["nodeGroups"][0].clone();
    let scaling = group["scaling"].clone();
    let rule = json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "toPort": 23, "cidr": "10.0.0.0/16"});
    let subnet = json!({"name": "s", "cidr": "10.0.2.0/24", "zone": "r1-a"});
    vec![
        (Method::POST, "/v1/connections", connection("more")),
        (Method::PATCH, "/v1/connections/here", json!({"zone": "r1-a", "pace": 3, "settings": {"a": "b"}})),
        (
            Method::POST,
            "/v1/connections/here/networks",
            json!({"name": "n", "cidr": "10.0.0.0/16", "subnets": [subnet]}),
        ),
        (Method::POST, "/v1/connections/here/networks/net/subnets", subnet),
        (
            Method::POST,
            "/v1/connections/here/securityGroups",
            json!({"name": "g", "network": "net", "rules": [rule]}),
        ),
        (
            Method::POST,
            "/v1/connections/here/keyPairs?dryRun=plan",
            json!({"name": "k", "publicKey": "ssh-ed25519 AAAA x"}),
        ),
        (Method::POST, "/v1/connections/here/clusters", cluster("c")),
        (
            Method::PATCH,
            "/v1/connections/here/clusters/prod",
            json!({"tags": {"a": "b", "c": null}, "deletionProtection": true}),
        ),
        (
            Method::POST,
            "/v1/connections/here/clusters/prod/upgrade",
            json!({"version": "1.32", "nodeGroups": ["workers"], "force": true}),
        ),
        (Method::POST, "/v1/connections/here/clusters/prod/nodeGroups", group),
        (Method::POST, "/v1/connections/here/clusters/prod/nodeGroups/workers/scale", scaling),
        (
            Method::POST,
            "/v1/connections/here/clusters/prod/nodeGroups/workers/upgrade",
            json!({"version": "1.32"}),
        ),
        (
            Method::POST,
            "/v1/connections/here/clusters:import",
            json!({"name": "i", "systemId": "x", "takeOver": true}),
        ),
        (Method::POST, "/v1/connections/here/prerequisites/fix?dryRun=plan", json!({"cluster": "prod"})),
        (
            Method::POST,
            "/v1/apiTokens",
            json!({"name": "t", "role": "viewer", "connections": ["here"], "expiresAt": "2027-01-01T00:00:00Z"}),
        ),
        (Method::PUT, "/v1/logLevel", json!({"filter": "debug"})),
        (Method::POST, "/v1/operations/x/retry", json!({"choice": "y"})),
    ]
}

/// Texts that mean something to somebody on the way.
static TEXTS: [&str; 16] = [
    "",
    "-",
    "..",
    "../../../../etc/passwd",
    "%2e%2e%2f",
    "a\nb\r\nX: y",
    "a\u{0}b",
    "\u{1b}]0;title\u{7}",
    "\u{202e}txt.exe",
    "{{ .Values }}",
    "null",
    "- a: &x [*x]",
    "클러스터🚀",
    "'; DROP TABLE operations; --",
    "+292277026596-12-04T15:30:07Z",
    "18446744073709551616",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(&TEXTS[..]).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("x".repeat(100_000))),
    ];
    let name = prop_oneof![
        select(vec!["name", "credential", "tags", "nodeGroups", "scaling"]).prop_map(str::to_owned),
        "\\PC{0,6}"
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

/// A part of a body and what happens to it.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, Value),
    Remove(Index),
    Add(Index, String, Value),
    Wrap(Index),
    Repeat(Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), any_value()).prop_map(|(at, value)| Change::Replace(at, value)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => (any::<Index>(), "\\PC{0,8}", any_value()).prop_map(|(at, name, value)| Change::Add(at, name, value)),
        1 => any::<Index>().prop_map(Change::Wrap),
        1 => any::<Index>().prop_map(Change::Repeat),
    ]
}

fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            places(member, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), all);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{here}/{at}"), all));
        }
        _ => {}
    }
}

fn changed(body: &Value, changes: &[Change]) -> Value {
    let mut body = body.clone();
    for change in changes {
        let mut all = Vec::new();
        places(&body, "", &mut all);
        let (Change::Replace(at, _)
        | Change::Remove(at)
        | Change::Add(at, ..)
        | Change::Wrap(at)
        | Change::Repeat(at)) = change;
        let place = at.get(&all).clone();
        let Some(part) = body.pointer_mut(&place) else { continue };
        match (change, &mut *part) {
            (Change::Replace(_, value), part) => *part = value.clone(),
            (Change::Add(_, name, value), Value::Object(members)) => {
                members.insert(name.clone(), value.clone());
            }
            (Change::Remove(at), Value::Object(members)) if !members.is_empty() => {
                let names: Vec<String> = members.keys().cloned().collect();
                members.remove(at.get(&names));
            }
            (Change::Repeat(_), Value::Array(items)) => items.extend(items.clone()),
            (_, part) => *part = json!([part.take()]),
        }
    }
    body
}

/// The same cases in each run.
fn runner(cases: u32) -> TestRunner {
    let config =
        Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Config::default() };
    TestRunner::new(config)
}

fn cases(usual: u32) -> u32 {
    if std::env::var_os("PMKS_LONG").is_some() { usual * 40 } else { usual }
}

/// Sends each case to one server, which must still be well at the end. A case is refused or answered.
fn hold<S: Strategy>(usual: u32, strategy: &S, ask: impl Fn(&S::Value) -> Option<Request<Body>>)
where
    S::Value: Clone,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(async {
        let rig = Rig::new().await;
        rig.cluster().await;
        rig
    });
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let checked = runner(cases(usual)).run(strategy, |case| {
        let Some(asked) = ask(&case) else { return Ok(()) };
        let answer = runtime.block_on(rig.send(asked));
        let status = answer.status.as_u16();
        seen.borrow_mut().insert(status);
        prop_assert!(status < 500 || status == 501, "{answer:?}");
        if status >= 400 {
            prop_assert_eq!(answer.header("content-type"), "application/problem+json", "{:?}", answer);
            answer.problem();
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert!(seen.borrow().len() >= 2, "always the same answer: {seen:?}");
    runtime.block_on(rig.get("/v1/connections/-/clusters")).ok(200);
}

#[test]
fn whatever_a_body_holds_it_is_answered_or_refused() {
    let strategy = (select(routes()), prop::collection::vec(any_change(), 0..4), any::<bool>());
    hold(600, &strategy, |((method, path, body), changes, by_name)| {
        let mut body = changed(body, changes);
        // Names that are free each time would let every case end at the same finding.
        if *by_name && body.get("name").is_some_and(Value::is_string) && !changes.is_empty() {
            body["name"] = json!(format!("n{}", uuid_of(changes)));
        }
        let asked = request(method.clone(), path, TOKEN).header("content-type", "application/json");
        Some(asked.header("if-match", "*").body(Body::from(body.to_string())).unwrap())
    });
}

/// A short word of what was changed, the same in each run.
fn uuid_of(changes: &[Change]) -> usize {
    format!("{changes:?}").bytes().map(usize::from).sum()
}

#[test]
fn whatever_bytes_a_body_is_made_of_it_is_answered_or_refused() {
    let strategy =
        (select(routes()), prop::collection::vec(any::<u8>(), 0..64), any::<Index>(), any::<bool>());
    hold(300, &strategy, |((method, path, body), bytes, at, cut)| {
        let mut text = body.to_string().into_bytes();
        let place = at.index(text.len());
        if *cut {
            text.truncate(place);
        }
        let place = place.min(text.len());
        text.splice(place..place, bytes.iter().copied());
        let asked = request(method.clone(), path, TOKEN).header("content-type", "application/json");
        Some(asked.header("if-match", "*").body(Body::from(text)).unwrap())
    });
}

#[test]
fn whatever_stands_in_names_queries_and_headers_it_is_answered_or_refused() {
    static PATHS: [&str; 14] = [
        "/v1/connections/{}",
        "/v1/connections/here/clusters/{}",
        "/v1/connections/{}/clusters",
        "/v1/connections/here/networks/{}/subnets/{}",
        "/v1/connections/here/clusters/prod/nodes/{}",
        "/v1/connections/here/clusters/prod/nodeGroups/{}",
        "/v1/connections/here/keyPairs/{}",
        "/v1/operations/{}",
        "/v1/operations",
        "/v1/audit",
        "/v1/connections",
        "/v1/connections/-/clusters",
        "/v1/connections/here/machineTypes",
        "/v1/providers/{}",
    ];
    static PARAMETERS: [&str; 14] = [
        "pageSize",
        "pageToken",
        "name",
        "state",
        "tag",
        "maxAge",
        "managed",
        "connection",
        "kind",
        "before",
        "format",
        "command",
        "dryRun",
        "cluster",
    ];
    static HEADERS: [&str; 9] = [
        "idempotency-key",
        "if-match",
        "if-none-match",
        "last-event-id",
        "traceparent",
        "accept",
        "content-type",
        "x-request-id",
        "x-forwarded-host",
    ];
    let value = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..24),
            select(&TEXTS[..]).prop_map(|text| text.as_bytes().to_vec()),
            any::<u64>().prop_map(|number| number.to_string().into_bytes()),
            // Page tokens of ours, of another list, or of no list.
            prop::collection::vec(any::<u8>(), 0..24).prop_map(|bytes| base64(&bytes)),
            "(operations|clusters|connections|machineTypes)\n\\PC{0,12}"
                .prop_map(|text| base64(text.as_bytes())),
        ]
    };
    let strategy = (
        select(vec![Method::GET, Method::DELETE, Method::POST]),
        select(&PATHS[..]),
        value(),
        prop::collection::vec((select(&PARAMETERS[..]), value()), 0..3),
        prop::collection::vec((select(&HEADERS[..]), value()), 0..3),
    );
    hold(900, &strategy, |(method, path, name, query, headers)| {
        let method = if path.contains("{}") { method.clone() } else { Method::GET };
        let pairs = query.iter().map(|(parameter, value)| format!("{parameter}={}", encoded(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let path = format!("{}?{query}", path.replace("{}", &encoded(name)));
        let mut asked = request(method, &path, TOKEN);
        for (header, value) in headers {
            // What is no header cannot be sent.
            asked = asked.header(*header, HeaderValue::from_bytes(value).ok()?);
        }
        asked.body(Body::empty()).ok()
    });
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes).into_bytes()
}
