//! What only a socket shows: slow, huge, broken and foreign peers, many of them, and an end in good order.

use std::time::Duration;

use pmks_server::{Limits, ServeOptions, serve};
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::rig::{Rig, TOKEN, cluster, connection};

pub(super) struct Served {
    pub(super) rig: Rig,
    pub(super) address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    finished: JoinHandle<()>,
}

const PATIENCE: Duration = Duration::from_secs(10);
/// On a busy machine too; less than any of the usual limits takes.
pub(super) const SOON: Duration = Duration::from_secs(8);

pub(super) async fn served(limits: Limits) -> Served {
    let rig = Rig::new().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let options = ServeOptions { limits, ..ServeOptions::on("127.0.0.1:0".parse().unwrap()) };
    let shutdown = async { drop(stopped.await) };
    let serving = serve(options, rig.state.clone(), shutdown).await.unwrap();
    let address = serving.address;
    let finished = tokio::spawn(serving.finished());
    Served { rig, address, stop, finished }
}

impl Served {
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server ends the connection.
    pub(super) async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may end the connection before it has read all.
        let _ = stream.write_all(bytes).await;
        read_all(&mut stream).await
    }

    pub(super) fn get(&self, path: &str, more: &str) -> String {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n{more}\r\n",
            self.address
        )
    }
}

pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ =
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server holds the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

pub(super) fn short() -> Limits {
    Limits {
        head_read: Duration::from_millis(300),
        request: Duration::from_millis(500),
        stall: Duration::from_millis(500),
        linger: Duration::from_millis(500),
        drain: Duration::from_millis(500),
        heartbeat: Duration::from_millis(100),
        ..Limits::default()
    }
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order() {
    let served = served(Limits::default()).await;
    let both = served.get("/healthz", "") + &served.get("/v1/providers/nothing", "Connection: close\r\n");
    let answers = served.exchange(both.as_bytes()).await;
    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 1, "{answers}");
}

#[tokio::test]
async fn slow_heads_and_silent_peers_are_let_go() {
    let served = served(short()).await;
    let start = Instant::now();
    let mut silent = served.connect().await;
    let mut slow = served.connect().await;
    slow.write_all(b"GET /healthz HT").await.unwrap();
    let mut idle = served.connect().await;
    idle.write_all(served.get("/healthz", "").as_bytes()).await.unwrap();
    for stream in [&mut silent, &mut slow, &mut idle] {
        read_all(stream).await;
    }
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_slow_body_ends_in_time() {
    let served = served(short()).await;
    let head = format!(
        "POST /v1/connections HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        served.address
    );
    let answer = served.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("\"timeout\""), "{answer}");
}

/// A connection of that name is made, by one request.
fn making(served: &Served, name: &str) -> String {
    let body = connection(name).to_string();
    format!(
        "POST /v1/connections HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        served.address,
        body.len()
    )
}

#[tokio::test]
async fn a_peer_that_will_send_nothing_more_is_answered() {
    let served = served(short()).await;
    let mut stream = served.connect().await;
    stream.write_all(making(&served, "there").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_came_whole_is_carried_out_whoever_hangs_up() {
    let served = served(Limits::default()).await;
    let names: Vec<String> = (0..40).map(|number| format!("c{number:02}")).collect();
    for name in &names {
        let mut stream = served.connect().await;
        stream.write_all(making(&served, name).as_bytes()).await.unwrap();
        drop(stream);
    }
    let all = async {
        loop {
            let known = served.rig.get("/v1/connections?pageSize=1000").await.ok(200);
            let known: Vec<_> =
                known["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
            if names.iter().all(|name| known.contains(&json!(name))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), all).await.expect("some were not carried out");
}

#[tokio::test]
async fn huge_heads_and_bodies_are_refused() {
    let served = served(Limits::default()).await;
    let ours = served.get("/healthz", &format!("X-Large: {}\r\nConnection: close\r\n", "a".repeat(20_000)));
    let answer = served.exchange(ours.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431") && answer.contains("headers-too-large"), "{answer}");
    for head in [
        served.get("/healthz", &format!("X-Large: {}\r\n", "a".repeat(200_000))),
        served.get(&format!("/{}", "a".repeat(200_000)), ""),
        served.get("/healthz", &"X-Many: 1\r\n".repeat(2000)),
    ] {
        let answer = served.exchange(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let head = format!(
        "POST /v1/connections HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n",
        served.address
    );
    let answer = served.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    for garbage in [&b"\x16\x03\x01\x00\x05hello"[..], b"\r\n\r\n\0\0\0", b"GET / HTTP/9.9\r\n\r\n"] {
        served.exchange(garbage).await;
    }
    let after = served.exchange(served.get("/healthz", "Connection: close\r\n").as_bytes()).await;
    assert!(after.starts_with("HTTP/1.1 200"), "{after}");
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let served = served(Limits::default()).await;
    let head = |path: &str, token: &str, framing: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{framing}\r\n\r\n",
            served.address
        )
    };
    for (path, token, chunked, size, status) in [
        ("/v1/connections", TOKEN, false, 3 << 20, 413),
        ("/v1/connections", TOKEN, false, 20 << 20, 413),
        ("/v1/connections", TOKEN, true, 8 << 20, 413),
        ("/v1/connections", "nobody", false, 8 << 20, 401),
        ("/v1/nothing", TOKEN, false, 8 << 20, 404),
    ] {
        let body = "a".repeat(size);
        let (framing, body) = if chunked {
            ("Transfer-Encoding: chunked".to_owned(), format!("{size:x}\r\n{body}\r\n0\r\n\r\n"))
        } else {
            (format!("Content-Length: {size}"), body)
        };
        let mut stream = served.connect().await;
        // As most clients do: all is written before anything is read.
        stream.write_all(head(path, token, &framing).as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap_or_else(|error| panic!("{status}: {error}"));
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{size} {answer}");
    }
}

#[tokio::test]
async fn who_never_stops_sending_is_let_go() {
    for (limits, every) in [
        (short(), Duration::from_millis(20)),
        (Limits { linger_bytes: 1 << 20, linger: PATIENCE * 6, ..Limits::default() }, Duration::ZERO),
    ] {
        let served = served(limits).await;
        let mut stream = served.connect().await;
        let head = format!(
            "POST /v1/connections HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n",
            served.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let start = Instant::now();
        let piece = vec![b'a'; if every.is_zero() { 1 << 16 } else { 1 }];
        let mut sent = 0;
        while stream.write_all(&piece).await.is_ok() {
            tokio::time::sleep(every).await;
            sent += piece.len();
            assert!(start.elapsed() < PATIENCE * 2, "it may go on sending: {sent}");
        }
        assert!(sent < 64 << 20, "{sent}");
    }
}

#[tokio::test]
async fn who_is_still_sending_crowds_nobody_out() {
    let served = served(Limits { connections: 1, linger: PATIENCE * 6, ..Limits::default() }).await;
    let mut stream = served.connect().await;
    let head = format!(
        "POST /v1/nothing HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000000\r\n\r\n",
        served.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 4"));
    // It does not end its own side: the one place is taken, and made free for who comes.
    let start = Instant::now();
    let answer = served.exchange(served.get("/healthz", "Connection: close\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[tokio::test]
async fn on_loopback_other_names_and_origins_are_refused() {
    let served = served(Limits::default()).await;
    let port = served.address.port();
    let ask = |host: &str, more: &str| {
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n")
    };
    let own = format!("127.0.0.1:{port}");
    for (host, more, status) in [
        (own.as_str(), String::new(), 200),
        (&format!("localhost:{port}"), String::new(), 200),
        (&format!("[::1]:{port}"), String::new(), 200),
        (&own, format!("Origin: http://{own}\r\n"), 200),
        (&format!("evil.example:{port}"), String::new(), 403),
        ("127.0.0.1.evil.example", String::new(), 403),
        ("", String::new(), 403),
        ("a b", String::new(), 400),
        ("127.0.0.1:x", String::new(), 400),
        ("127.0.0.1/v1?", String::new(), 400),
        (&own, format!("Host: {own}\r\n"), 400),
        (&own, "Host: evil.example\r\n".to_owned(), 400),
        (&own, "Origin: http://evil.example\r\n".to_owned(), 403),
        (&own, "Origin: null\r\n".to_owned(), 403),
        (&own, format!("Origin: http://127.0.0.1:{}\r\n", port.wrapping_add(1)), 403),
    ] {
        let answer = served.exchange(ask(host, &more).as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host} {more} {answer}");
        assert!(!answer.contains("your role"), "nobody's role is the reason: {answer}");
        let is_of_name = answer.contains("answers to that name only");
        assert_eq!(is_of_name, answer.contains("--external-url"), "what helps is said: {answer}");
    }
    let nameless = served.exchange(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!(nameless.starts_with("HTTP/1.1 400") && nameless.contains("Host"), "{nameless}");
}

#[tokio::test]
async fn behind_a_proxy_the_external_name_is_ours_too() {
    let rig = Rig::empty().await;
    let options = ServeOptions {
        external_url: Some("https://pmks.example".parse().unwrap()),
        ..ServeOptions::on("127.0.0.1:0".parse().unwrap())
    };
    let serving = serve(options, rig.state.clone(), std::future::pending()).await.unwrap();
    let address = serving.address;
    assert_eq!(serving.url.as_str(), "https://pmks.example/");
    tokio::spawn(serving.finished());
    for (origin, status) in [("https://pmks.example", 200), ("https://evil.example", 403)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let ask = format!(
            "GET /healthz HTTP/1.1\r\nHost: pmks.example\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{origin} {answer}");
    }
}

#[tokio::test]
async fn more_connections_than_allowed_wait() {
    let served = served(Limits { connections: 2, ..short() }).await;
    let follow = || async {
        let mut stream = served.connect().await;
        stream.write_all(served.get("/v1/events", "").as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        stream
    };
    let (one, _two) = (follow().await, follow().await);
    let asked = served.get("/healthz", "Connection: close\r\n");
    let third = served.exchange(asked.as_bytes());
    let mut third = std::pin::pin!(third);
    assert!(timeout(Duration::from_millis(500), third.as_mut()).await.is_err(), "both are being answered");
    drop(one);
    let answer = third.await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn all_streams_together_leave_room_for_who_asks_for_something() {
    let served = served(Limits { connections: 3, all_event_readers: 2, ..short() }).await;
    let follow = || async {
        let mut stream = served.connect().await;
        stream.write_all(served.get("/v1/events", "").as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        (stream, String::from_utf8_lossy(&head[9..]).into_owned())
    };
    let (one, two) = (follow().await, follow().await);
    assert_eq!((one.1.as_str(), two.1.as_str()), ("200", "200"));
    assert_eq!(follow().await.1, "429");
    let answer = served.exchange(served.get("/healthz", "Connection: close\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(one);
    let again = async {
        while follow().await.1 != "200" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), again).await.unwrap();
}

#[tokio::test]
async fn half_a_head_crowds_nobody_out() {
    for limits in [
        Limits { heads: 4, connections: 64, ..Limits::default() },
        Limits { heads: 8, connections: 4, ..Limits::default() },
    ] {
        let served = served(limits).await;
        let mut kept = Vec::new();
        for _ in 0..20 {
            let mut half = served.connect().await;
            half.write_all(b"GET /v1/prov").await.unwrap();
            kept.push(half);
        }
        let start = Instant::now();
        let answer = served.exchange(served.get("/healthz", "Connection: close\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        // The one that waited longest was let go; the newest may still send the rest.
        assert_eq!(read_all(kept.first_mut().unwrap()).await, "");
        let newest = kept.last_mut().unwrap();
        newest.write_all(b"iders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        assert!(read_all(newest).await.starts_with("HTTP/1.1 401"));
    }
}

#[tokio::test]
async fn of_many_who_come_at_once_each_is_answered() {
    // The moment that they have may be long: this machine may be a slow one.
    let served = served(Limits { heads: 4, connections: 64, moment: PATIENCE, ..Limits::default() }).await;
    let asked = served.get("/v1/providers", "Connection: close\r\n");
    let mut all = Vec::new();
    for _ in 0..60 {
        all.push(served.connect().await);
    }
    // The server has taken all of them by now, and let go of all but four.
    tokio::time::sleep(Duration::from_millis(20)).await;
    for stream in &mut all {
        stream.write_all(asked.as_bytes()).await.unwrap();
    }
    for stream in &mut all {
        let answer = read_all(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_let_go() {
    let served = served(Limits { drain: PATIENCE, ..short() }).await;
    let mut stream = served.connect().await;
    // Answers worth some megabytes, of which nobody reads a byte.
    let many = served.get("/v1/openapi.json", "").repeat(400);
    let _ = timeout(PATIENCE, stream.write_all(many.as_bytes())).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let Served { stop, finished, .. } = served;
    stop.send(()).unwrap();
    let start = Instant::now();
    timeout(PATIENCE * 2, finished).await.unwrap().unwrap();
    // It was let go before: the end needs no patience.
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_stream_says_that_it_lives_and_ends_with_the_server() {
    let served = served(Limits { drain: PATIENCE, ..short() }).await;
    served.rig.network().await;
    served.rig.post("/v1/connections/here/clusters", cluster("prod")).await.ok(202);
    let operations = served.rig.get("/v1/operations?state=queued").await.ok(200);
    let id = operations["items"][0]["id"].as_str().unwrap();
    let mut stream = served.connect().await;
    let ask = served.get(&format!("/v1/operations/{id}/events"), "");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut seen = String::new();
    let heartbeats = async {
        let mut buffer = [0; 4096];
        while seen.matches(": alive").count() < 8 {
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "{seen}");
            seen.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    };
    // Longer than a request may take.
    timeout(PATIENCE, heartbeats).await.unwrap();
    assert!(seen.contains("event: operation"), "{seen}");
    let Served { stop, finished, .. } = served;
    stop.send(()).unwrap();
    let start = Instant::now();
    read_all(&mut stream).await;
    timeout(PATIENCE, finished).await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn tls_is_spoken_where_a_certificate_is_given() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = pmks_server::Tls {
        certificate: made.cert.pem(),
        key: SecretString::from(made.signing_key.serialize_pem()),
    };
    let rig = Rig::empty().await;
    let options = ServeOptions { tls: Some(tls), ..ServeOptions::on("127.0.0.1:0".parse().unwrap()) };
    let serving = serve(options, rig.state.clone(), std::future::pending()).await.unwrap();
    assert_eq!(serving.url.scheme(), "https");
    let address = serving.address;
    tokio::spawn(serving.finished());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let wrong = pmks_server::Tls { certificate: "no certificate".into(), key: "no key".into() };
    let options = ServeOptions { tls: Some(wrong), ..ServeOptions::on("127.0.0.1:0".parse().unwrap()) };
    assert!(serve(options, rig.state.clone(), std::future::pending()).await.is_err());
}
