//! Where a request ends: pipelines, framings that two readers may read in two ways, and floods. What a peer hides in the
//! body of one request is never taken for the next one.

use futures::FutureExt as _;
use pmks_server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt};
use tokio::time::Instant;

use crate::rig::TOKEN;
use crate::sockets::{SOON, read_all, served, short};

/// Where each answer of a connection begins: the statuses, in order.
fn statuses(answers: &str) -> Vec<&str> {
    answers.match_indices("HTTP/1.1 ").filter_map(|(at, _)| answers.get(at + 9..at + 12)).collect()
}

#[tokio::test]
async fn a_pipeline_is_answered_in_order() {
    let served = served(Limits::default()).await;
    let [good, absent, nobody] = [
        served.get("/healthz", ""),
        served.get("/v1/providers/nothing", ""),
        served.get("/v1/providers", "").replace(TOKEN, "nobody"),
    ];
    let round = [&*good, &absent, &nobody];
    let mut asked: String = (0..100).map(|number| round[number % 3]).collect();
    asked.push_str(&served.get("/healthz", "Connection: close\r\n"));
    let answers = served.exchange(asked.as_bytes()).await;
    let wanted: Vec<&str> = (0..101).map(|number| ["200", "404", "401"][number % 3]).collect();
    assert_eq!(statuses(&answers)[..100], wanted[..100]);
    assert_eq!(statuses(&answers)[100], "200");
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_and_ends_the_connection() {
    let served = served(short()).await;
    let hidden = served.get("/v1/openapi.json", "");
    let post = |headers: &str, body: &str| {
        format!(
            "POST /v1/connections HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\n{headers}\r\n\r\n{body}",
            served.address
        )
    };
    let chunked = "Transfer-Encoding: chunked";
    for (headers, body) in [
        // Both: the one that ends the body may be the other one for who stands between.
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", format!("0\r\n\r\n{hidden}")),
        ("Content-Length: 2\r\nContent-Length: 4", format!("{{}}{hidden}")),
        ("Content-Length: 2, 4", format!("{{}}{hidden}")),
        ("Content-Length: +2", format!("{{}}{hidden}")),
        ("Content-Length: 0x2", format!("{{}}{hidden}")),
        ("Content-Length: -1", hidden.clone()),
        ("Content-Length: 99999999999999999999999", hidden.clone()),
        ("Transfer-Encoding: xchunked", format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding: chunked, identity", format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding: identity", format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding : chunked", format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding:\r\n chunked", format!("0\r\n\r\n{hidden}")),
        ("X Y: 1", hidden.clone()),
        ("X\0Y: 1", hidden.clone()),
        (chunked, format!("fffffffffffffffff\r\n{hidden}")),
        (chunked, format!("ffffffffffffffff\r\n{hidden}")),
        (chunked, format!("-1\r\n{hidden}")),
        (chunked, format!("1;{}\r\n", "a".repeat(100_000))),
        (chunked, format!("2\r\n{{}}x\r\n0\r\n\r\n{hidden}")),
        (chunked, format!("0\r\n{}\r\n{hidden}", "T: 1\r\n".repeat(20_000))),
    ] {
        let asked = post(headers, &body);
        let answers = served.exchange(asked.as_bytes()).await;
        let statuses = statuses(&answers);
        assert!(statuses.len() <= 1, "{headers:?}: {answers}");
        // A chunk that is announced and does not come is waited for.
        let refused = |status: &&str| status.starts_with('4') || *status == "504";
        assert!(statuses.iter().all(refused), "{headers:?}: {answers}");
    }
    let fine = served.exchange(served.get("/healthz", "Connection: close\r\n").as_bytes()).await;
    assert_eq!(statuses(&fine), ["200"]);
}

#[tokio::test]
async fn what_is_no_request_of_ours_is_refused() {
    let served = served(Limits::default()).await;
    let host = served.address;
    let many: String = (0..10_000).map(|number| format!("X-{number}: 1\r\n")).collect::<Vec<_>>().concat();
    for (asked, wanted) in [
        (served.get("/healthz", &many), &["431"][..]),
        (
            format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            &["400", "403"],
        ),
        (
            format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            &["400", "403", "404", "405"],
        ),
        (format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), &["400", "404", "405"]),
        (format!("GET //healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), &["404"]),
        (format!("GET /v1/../healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), &["404"]),
        // Read as the name of a host, which is not this one's.
        (format!("GET healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), &["400", "403"]),
        ("GET /healthz\r\n\r\n".to_owned(), &["400"]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &["400", "505"]),
        (
            format!("GET /healthz HTTP/1.1\nHost: {host}\nX: \u{1b}]0;a\u{7}\nConnection: close\n\n"),
            &["200", "400"],
        ),
        (format!("G\u{0}T /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"), &["400"]),
    ] {
        let answers = served.exchange(asked.as_bytes()).await;
        let statuses = statuses(&answers);
        // What speaks another protocol may be let go without a word.
        let is_fine = statuses.len() <= 1 && statuses.iter().all(|status| wanted.contains(status));
        assert!(is_fine, "{:?}: {answers}", asked.get(..asked.len().min(80)));
    }
}

#[tokio::test]
async fn an_old_client_is_answered_and_let_go() {
    let served = served(Limits::default()).await;
    let asked = format!("GET /healthz HTTP/1.0\r\nHost: {}\r\n\r\n", served.address);
    let answer = served.exchange(asked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let chunked = format!(
        "POST /v1/connections HTTP/1.0\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        served.address
    );
    let answer = served.exchange(chunked.as_bytes()).await;
    assert!(!answer.contains(" 200 "), "{answer}");
}

/// A guess at a password costs the server much; who has a token waits for no guesser.
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_passwords_crowds_nobody_out() {
    let served = served(Limits::default()).await;
    let guess = served
        .get("/v1/providers", "Connection: close\r\n")
        .replace(&format!("Bearer {TOKEN}"), "Basic cm9vdDpndWVzcw==");
    let mut guessing = Vec::new();
    for _ in 0..60 {
        let mut stream = served.connect().await;
        stream.write_all(guess.as_bytes()).await.unwrap();
        guessing.push(stream);
    }
    let answer = served.exchange(served.get("/v1/providers", "Connection: close\r\n").as_bytes()).await;
    assert_eq!(statuses(&answer), ["200"]);
    let mut last = guessing.pop().unwrap();
    assert!(last.read_u8().now_or_never().is_none(), "whoever guesses is answered first");
    drop(guessing);
    assert_eq!(statuses(&read_all(&mut last).await), ["401"]);
}

/// Connections that come and go at once, and requests that nobody waits for, leave nothing behind.
#[tokio::test]
async fn a_flood_passes() {
    let served = served(Limits::default()).await;
    let ask = served.get("/v1/providers", "");
    for _ in 0..1000 {
        let mut stream = served.connect().await;
        let _ = stream.write_all(ask.as_bytes()).await;
    }
    let start = Instant::now();
    let answer = served.exchange(served.get("/healthz", "Connection: close\r\n").as_bytes()).await;
    assert_eq!(statuses(&answer), ["200"]);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
