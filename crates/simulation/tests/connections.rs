//! The loopback server over real sockets: resets, late application, broken bodies, control routes, refusals.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test that calls them")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use pmks_simulation::{
    Answered, Cloud, Controls, Effects, Identified, ManualTime, Refusal, Resource, RunningCloud,
    SimulationClock, StateError, serve,
};
use serde_json::{Value, json};

/// A cloud whose only state is how many calls were applied.
struct Counter {
    controls: Controls,
    applied: AtomicU64,
}

impl Cloud for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }
    fn controls(&self) -> &Controls {
        &self.controls
    }
    fn identify(&self, request: &Request<Bytes>) -> Identified {
        let action = request.uri().path().trim_start_matches('/').to_owned();
        Identified { service: "counter".to_owned(), action, resource: None, caller: None }
    }
    fn answer(&self, _: &Request<Bytes>, _: &Identified, _: &Effects) -> Answered {
        let applied = self.applied.fetch_add(1, Ordering::SeqCst) + 1;
        let response = Response::new(Bytes::from(format!("{{\"applied\": {applied}}}")));
        Answered { response, code: None, request_id: "r".to_owned() }
    }
    fn refuse(&self, _: &Identified, refusal: &Refusal) -> Answered {
        let status = if *refusal == Refusal::Throttle { 429 } else { 403 };
        let response = Response::builder().status(status).body(Bytes::new()).unwrap();
        Answered { response, code: Some("Refused".to_owned()), request_id: "r".to_owned() }
    }
    fn settle(&self) {}
    fn next_due(&self) -> Option<Duration> {
        None
    }
    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
    fn reset(&self) {
        self.applied.store(0, Ordering::SeqCst);
    }
    fn event(&self, _: &Value) -> Result<Value, StateError> {
        Err(StateError("no events here".to_owned()))
    }
    fn connection(&self, endpoint: &str) -> Value {
        json!({"endpoints": {"all": endpoint}})
    }
    fn snapshot(&self) -> Result<Value, StateError> {
        Ok(Value::Null)
    }
    fn restore(&self, _: Value) -> Result<(), StateError> {
        Ok(())
    }
}

async fn start() -> (Arc<Counter>, RunningCloud) {
    let time = Arc::new(ManualTime::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let controls = Controls::new(SimulationClock::new(time, 0.0), 1);
    let cloud = Arc::new(Counter { controls, applied: AtomicU64::new(0) });
    let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, 0).await.unwrap();
    (cloud, running)
}

/// Sends one request on a connection of its own and reads until it ends.
async fn send(address: SocketAddr, request: String) -> Result<String, ErrorKind> {
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).map_err(|error| error.kind())?;
        stream.write_all(request.as_bytes()).map_err(|error| error.kind())?;
        let mut text = Vec::new();
        match stream.read_to_end(&mut text) {
            Ok(_) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(_) if !text.is_empty() => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => Err(error.kind()),
        }
    })
    .await
    .unwrap()
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn put_fault(address: SocketAddr, effect: &str) {
    let body = format!(r#"{{"rules":[{{"match":{{"action":"make"}},"effect":{effect}}}]}}"#);
    let answer = send(address, request("PUT", "/_sim/faults", &body)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn resets_are_real_and_before_differs_from_after() {
    let (cloud, running) = start().await;
    put_fault(running.address(), r#"{"type":"resetBefore"}"#).await;
    let answer = send(running.address(), request("POST", "/make", "")).await;
    assert_eq!(answer, Err(ErrorKind::ConnectionReset));
    assert_eq!(cloud.applied.load(Ordering::SeqCst), 0);
    put_fault(running.address(), r#"{"type":"resetAfter"}"#).await;
    let answer = send(running.address(), request("POST", "/make", "")).await;
    assert_eq!(answer, Err(ErrorKind::ConnectionReset));
    assert_eq!(cloud.applied.load(Ordering::SeqCst), 1);
    let calls = cloud.controls.calls.records();
    assert_eq!(
        calls.iter().map(|call| (call.status, call.applied)).collect::<Vec<_>>(),
        [(None, false), (None, true)]
    );
    running.stop().await;
}

#[tokio::test]
async fn a_late_call_is_applied_when_its_time_has_come() {
    let (cloud, running) = start().await;
    put_fault(running.address(), r#"{"type":"applyLate","seconds":30}"#).await;
    assert_eq!(send(running.address(), request("POST", "/make", "")).await, Err(ErrorKind::ConnectionReset));
    let clock = send(running.address(), request("GET", "/_sim/clock", "")).await.unwrap();
    assert!(clock.contains(r#""nextDueInSeconds":30.0"#), "{clock}");
    send(running.address(), request("POST", "/_sim/clock/advance", r#"{"seconds":29}"#)).await.unwrap();
    assert_eq!(cloud.applied.load(Ordering::SeqCst), 0);
    send(running.address(), request("POST", "/_sim/clock/advance", r#"{"seconds":1}"#)).await.unwrap();
    assert_eq!(cloud.applied.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_truncated_body_ends_before_its_announced_length() {
    let (_, running) = start().await;
    put_fault(running.address(), r#"{"type":"truncatedBody"}"#).await;
    let answer = send(running.address(), request("POST", "/make", "")).await.unwrap();
    assert!(answer.contains("content-length: 14"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n{\"appli"), "{answer}");
}

#[tokio::test]
async fn throttling_says_when_to_come_again_and_applies_nothing() {
    let (cloud, running) = start().await;
    put_fault(running.address(), r#"{"type":"throttle","retryAfterSeconds":7}"#).await;
    let answer = send(running.address(), request("POST", "/make", "")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 7"), "{answer}");
    assert_eq!(cloud.applied.load(Ordering::SeqCst), 0);
    assert_eq!(cloud.controls.calls.counts().get("counter.make"), Some(&1));
}

#[tokio::test]
async fn foreign_pages_unknown_routes_and_bad_bodies_are_refused() {
    let (_, running) = start().await;
    let foreign =
        "GET /_sim/resources HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned();
    assert!(send(running.address(), foreign).await.unwrap().starts_with("HTTP/1.1 403"));
    let cases = [
        ("GET", "/_sim/nothing", "", "404"),
        ("DELETE", "/_sim/resources", "", "405"),
        ("PUT", "/_sim/clock", r#"{"speed":-1}"#, "400"),
        ("POST", "/_sim/clock/advance", r#"{"seconds":1e300}"#, "400"),
        ("PUT", "/_sim/faults", r#"{"rules":[{"effect":{"type":"explode"}}]}"#, "400"),
        ("PUT", "/_sim/faults", r#"{"events":[{}]}"#, "400"),
    ];
    for (method, path, body, status) in cases {
        let answer = send(running.address(), request(method, path, body)).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {path}: {answer}");
    }
}
