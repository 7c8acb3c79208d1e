//! The traces: one from a client's request to its operation, stages and cloud calls, across the death of the server; read
//! with the published messages of OTLP. No secret is in any, and a collector that is dead or hangs is not noticed.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pmks_driver::Presence;
use pmks_transport::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::Scene;
use crate::kubernetes::make_network;
use crate::simulated_cloud::SPEED;
use crate::{Served, text};

/// The client's trace and its span in it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";
/// One that its client does not want to be kept.
const UNSAMPLED: &str = "0af7651916cd43dd8448eb211c80319c";
/// What the collector wants to see.
const KEY: &str = "a-key-of-the-collector";

const PATIENCE: Duration = Duration::from_mins(2);

/// The collector, and what it has read.
struct Collector {
    process: Child,
    spans: PathBuf,
    endpoint: String,
}

impl Collector {
    fn start(scene: &Scene) -> Self {
        let home = scene.pmks.home();
        let (spans, port) = (home.join("spans.jsonl"), home.join("port"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("observability/collector.py");
        let mut command = Command::new(scene.python.program("python"));
        let process = command.arg(script).arg(&spans).arg(&port).stdin(Stdio::null()).spawn().unwrap();
        let port = wait("the collector", || std::fs::read_to_string(&port).ok());
        Self { process, spans, endpoint: format!("http://127.0.0.1:{port}") }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.spans).unwrap_or_default()
    }

    fn of(&self, trace: &str) -> Vec<Value> {
        let text = self.text();
        let spans = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        spans.filter(|span| span["trace"] == trace).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn run(scene: &Scene) {
    let collector = Collector::start(scene);
    let key = format!("x-key={KEY}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", &key),
        ("OTEL_SERVICE_NAME", "pmks-suite"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];
    let subnets = make_network(scene.under_test, &scene.world, &scene.pmks);
    let server = Served::start(&scene.pmks, &variables);
    let clusters = "/v1/connections/sim/clusters";
    // What the cloud works on stands still: the server dies in the middle of it.
    let clock = &scene.world.cloud.controls().clock;
    clock.set_speed(0.0);
    let body = cluster(scene, &subnets);
    let accepted = ask(&server, "POST", clusters, (TRACE, "01"), Some(&body), 202);
    let operation = format!("/v1/operations/{}", text(&accepted, "/id"));
    wait("a stage that the cloud works on", || {
        let now = ask(&server, "GET", &operation, (UNSAMPLED, "00"), None, 200);
        let stages = now["stages"].as_array().unwrap().iter().skip(1);
        stages.into_iter().any(|stage| stage["state"] == "following").then_some(())
    });
    wait("the request's span", || {
        collector.of(TRACE).iter().any(|span| span["kind"] == "SPAN_KIND_SERVER").then_some(())
    });
    // What was sent until then has been.
    std::thread::sleep(Duration::from_secs(1));
    server.kill();
    let died = SystemClock.wall().as_nanosecond();
    let server = Served::start(&scene.pmks, &variables);
    clock.set_speed(f64::from(SPEED));
    wait("the cluster", || {
        let now = ask(&server, "GET", &operation, (UNSAMPLED, "00"), None, 200);
        assert!(now["error"].is_null(), "{now:#}");
        (now["state"] == "succeeded").then_some(())
    });
    let token = server.token.clone();
    server.stop();
    judge(scene, &collector.of(TRACE), died);
    assert_eq!(collector.of(UNSAMPLED).len(), 0, "its client does not want it");
    no_secret(scene, &collector.text(), &token);
    unheard(scene);
}

/// The one span of that name.
fn only<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<&Value> = spans.iter().filter(|span| span["name"] == name).collect();
    assert_eq!(found.len(), 1, "{name}: {found:#?}");
    found[0]
}

/// One trace, whole: each span's parent is the client or another span of it.
fn judge(scene: &Scene, spans: &[Value], died: i128) {
    let provider = scene.under_test.provider().capabilities().provider;
    for span in spans {
        let said = (&span["path"], &span["contentType"], &span["key"], &span["known"], &span["scope"]);
        let right = (
            &json!("/v1/traces"),
            &json!("application/x-protobuf"),
            &json!(KEY),
            &json!(true),
            &json!("pmks"),
        );
        assert_eq!(said, right, "{span:#}");
        assert_eq!(span["resource"]["service.name"], "pmks-suite");
        assert_eq!(span["resource"]["deployment.environment.name"], "test");
        assert!(span["start"].as_u64() <= span["end"].as_u64(), "{span:#}");
    }
    let request = only(spans, "POST /v1/connections/{connection}/clusters");
    assert_eq!((&request["parent"], &request["kind"]), (&json!(CLIENT), &json!("SPAN_KIND_SERVER")));
    assert_eq!(request["attributes"]["http.response.status_code"], 202);
    let operation = only(spans, "cluster.create");
    assert_eq!(operation["parent"], request["span"]);
    assert!(!operation["error"].as_bool().unwrap());
    let mut known = BTreeSet::from([CLIENT]);
    for span in spans {
        assert!(known.insert(text(span, "/span")), "twice: {span:#}");
    }
    for span in spans {
        assert!(known.contains(text(span, "/parent")), "its parent is nowhere: {span:#}");
    }
    let below =
        |parent: &Value| spans.iter().filter(|span| span["parent"] == parent["span"]).collect::<Vec<_>>();
    let stages: Vec<&Value> =
        below(operation).into_iter().filter(|span| span["attributes"]["pmks.stage"].is_string()).collect();
    assert!(stages.iter().any(|stage| stage["name"] == "preflight"), "{stages:#?}");
    assert!(stages.iter().any(|stage| text(stage, "/name").starts_with(provider)), "{stages:#?}");
    let calls: Vec<&Value> = stages.iter().flat_map(|stage| below(stage)).collect();
    assert!(calls.iter().all(|call| call["kind"] == "SPAN_KIND_CLIENT"), "{calls:#?}");
    assert!(calls.iter().all(|call| call["attributes"]["pmks.provider"] == provider), "{calls:#?}");
    let before = |call: &&&Value| i128::from(call["end"].as_u64().unwrap()) < died;
    let (earlier, all) = (calls.iter().filter(before).count(), calls.len());
    assert!(earlier > 0 && earlier < all, "{earlier} of {all} calls before the server died");
    println!(
        "{} spans, {} stages, {all} calls of stages, {earlier} before the server died",
        spans.len(),
        stages.len()
    );
}

fn no_secret(scene: &Scene, spans: &str, token: &str) {
    let mut secrets = scene.under_test.secrets(&scene.world.connection("sim").credential);
    secrets.push(token.to_owned());
    for secret in secrets {
        assert!(!secret.is_empty() && !spans.contains(&secret), "a secret is in a span");
    }
}

/// Collectors that are dead, and that take connections and nothing else: everything is done as fast as without.
fn unheard(scene: &Scene) {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("http://{}", hangs.local_addr().unwrap());
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for endpoint in [hanging, format!("http://{dead}")] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
        ];
        let server = Served::start(&scene.pmks, &variables);
        let began = Instant::now();
        for _ in 0..200 {
            ask(&server, "GET", "/v1/connections", (TRACE, "01"), None, 200);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        let began = Instant::now();
        server.stop();
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
}

fn cluster(scene: &Scene, subnets: &[String]) -> Value {
    let scaling = json!({"autoScaling": false, "min": 1, "max": 3, "desired": 1});
    let capabilities = scene.under_test.provider().capabilities();
    let mut body = json!({"name": "traced", "network": "net", "subnets": subnets});
    if capabilities.node_groups_at_creation.presence != Presence::Forbidden {
        body["nodeGroups"] = json!([{"name": "workers", "scaling": scaling}]);
    }
    body
}

/// One request over plain HTTP, within a trace.
fn ask(
    server: &Served,
    method: &str,
    path: &str,
    (trace, flags): (&str, &str),
    body: Option<&Value>,
    status: u16,
) -> Value {
    let address = server.url.strip_prefix("http://").unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         traceparent: 00-{trace}-{CLIENT}-{flags}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        server.token,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
    serde_json::from_str(body).unwrap()
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
