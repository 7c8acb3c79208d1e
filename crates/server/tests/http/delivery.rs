//! Who hung up before a private key was handed over is told it when asking for the same again; whoever has it is not.

use std::time::Duration;

use pmks_server::Limits;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::rig::TOKEN;
use crate::sockets::{Served, read_all, served};

/// A key pair of that name, by one request.
fn pair(served: &Served, name: &str) -> String {
    let body = json!({"name": name}).to_string();
    format!(
        "POST /v1/connections/here/keyPairs HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        served.address,
        body.len()
    )
}

/// What a client is answered that reads all of it, while operations are carried out.
async fn heard(served: &Served, asked: &str) -> String {
    let carried = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            served.rig.settle().await;
        }
    };
    tokio::select! {
        answer = served.exchange(asked.as_bytes()) => answer,
        () = carried => unreachable!("it goes on for ever"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_key_that_nobody_was_handed_is_told_to_who_asks_again() {
    let served = served(Limits::default()).await;
    let (kept, lost, late) = (pair(&served, "kept"), pair(&served, "lost"), pair(&served, "late"));
    let is_told =
        |answer: &str| answer.starts_with("HTTP/1.1 201") && answer.contains("BEGIN RSA PRIVATE KEY");
    let is_refused = |answer: &str| answer.starts_with("HTTP/1.1 409") && !answer.contains("PRIVATE KEY");
    let answer = heard(&served, &kept).await;
    assert!(is_told(&answer), "{answer}");
    let answer = heard(&served, &kept).await;
    assert!(is_refused(&answer), "who has it is not told it again: {answer}");
    // One hangs up while the pair is being made, and one only says that it will send nothing more.
    let mut hung_up = served.connect().await;
    hung_up.write_all(lost.as_bytes()).await.unwrap();
    let mut half_closed = served.connect().await;
    half_closed.write_all(late.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(hung_up);
    half_closed.shutdown().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = heard(&served, &lost).await;
    assert!(is_told(&answer), "{answer}");
    let answer = heard(&served, &lost).await;
    assert!(is_refused(&answer), "{answer}");
    let answer = read_all(&mut half_closed).await;
    assert!(is_told(&answer), "it is answered all the same: {answer}");
    let answer = heard(&served, &late).await;
    assert!(is_told(&answer), "whether it heard that nobody knows: {answer}");
    let answer = heard(&served, &late).await;
    assert!(is_refused(&answer), "{answer}");
    assert_eq!(served.rig.cloud.world().key_pairs.len(), 3);
}
