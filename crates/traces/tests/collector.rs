//! Collectors that take what they are sent, and those that are dead, slow or hang: these cost spans, and no time.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails here fails the test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use pmks_traces::{Settings, TraceLayer, Traces};
use pmks_transport::SystemClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00";

fn traces(endpoint: &str, more: &[(&str, &str)]) -> Traces {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let find = |name: &str| {
        let of = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "20")];
        let found = more.iter().chain(&of).find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Traces::new(Settings::read(&find).unwrap().unwrap(), Arc::new(SystemClock)).unwrap()
}

fn collecting(traces: &Traces) -> tracing::subscriber::DefaultGuard {
    let layer = traces.layer().with_filter(filter_fn(|metadata| {
        // The target of a test is its own name.
        TraceLayer::looks_at(metadata) || metadata.target().starts_with("collector")
    }));
    tracing::subscriber::set_default(tracing_subscriber::registry().with(layer))
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

/// Reads one request: its head and its body.
async fn read(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        bytes.extend_from_slice(part.get(..count).unwrap());
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(bytes.get(..end).unwrap()).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        let body = bytes.get(end + 4..).unwrap();
        if body.len() >= length.unwrap() {
            return (head, body.to_vec());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_is_sent_in_its_place_and_again_after_a_busy_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (teller, mut received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for status in ["503 Service Unavailable", "200 OK"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (head, body) = read(&mut stream).await;
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            teller.send((head, body)).unwrap();
        }
    });
    let mut traces = traces(&endpoint, &[("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2")]);
    traces.begin();
    {
        let _guard = collecting(&traces);
        let request =
            tracing::info_span!("request", method = "GET", route = "/r", trace = TRACE, status = 200);
        request.in_scope(|| drop(tracing::info_span!("cloud_call", action = "x.Get", outcome = "5xx")));
        drop(request);
        drop(tracing::info_span!("request", method = "GET", route = "/silent", trace = UNSAMPLED));
        drop(tracing::info_span!("turn", trace = TRACE, carries = true));
        drop(tracing::info_span!("elsewhere", says = "hunter3"));
    }
    let (head, refused) = received.recv().await.unwrap();
    assert!(head.starts_with("post /v1/traces ") && head.contains("application/x-protobuf"), "{head}");
    assert!(head.contains("x-key: hunter2"), "{head}");
    let (_, taken) = received.recv().await.unwrap();
    assert_eq!(refused, taken, "the same again");
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    for part in [b"GET /r".as_slice(), b"x.Get", b"http.route", b"pmks", &trace] {
        assert!(contains(&taken, part), "{}", String::from_utf8_lossy(part));
    }
    let failures = taken.windows(10).filter(|part| part == b"error.type").count();
    assert_eq!(failures, 1, "the call failed, the request did not");
    for part in ["/silent", "turn", "hunter2", "hunter3"] {
        assert!(!contains(&taken, part.as_bytes()), "{part}");
    }
    traces.end(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_sent_at_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        request.1
    });
    let mut traces = traces(&endpoint, &[("OTEL_BSP_SCHEDULE_DELAY", "600000")]);
    traces.begin();
    let guard = collecting(&traces);
    drop(tracing::info_span!("operation", kind = "cluster.create", trace = TRACE, started_ms = 1_i64));
    drop(guard);
    traces.end(Duration::from_secs(5)).await;
    assert!(contains(&collector.await.unwrap(), b"cluster.create"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_does_not_answer_costs_no_time() {
    // Takes connections, and nothing else.
    let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (hanging, gone) = (hangs.local_addr().unwrap(), dead.local_addr().unwrap());
    drop(dead);
    for address in [hanging, gone] {
        let mut traces = traces(&format!("http://{address}"), &[("OTEL_BSP_MAX_QUEUE_SIZE", "64")]);
        traces.begin();
        let began = Instant::now();
        {
            let _guard = collecting(&traces);
            for _ in 0..20_000 {
                drop(tracing::info_span!("request", method = "GET", route = "/r", trace = TRACE));
            }
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let began = Instant::now();
        traces.end(Duration::from_millis(500)).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    drop(hangs);
}
