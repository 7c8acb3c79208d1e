//! Answers that come, and requests as they are sent: signatures, hosts, redirects, sizes, compression.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pmks_transport::{
    AllowedHost, Bytes, Call, Effect, ErrorKind, HeaderValue, Method, SignContext, SignError, Signer,
    StatusCode, Url, header,
};

use crate::rig::Rig;
use crate::server::{Act, answer, http};

#[tokio::test]
async fn the_request_goes_out_as_it_was_signed() {
    let rig = Rig::with(
        [answer(201, &[("x-amzn-RequestId", "req-1")], "{\"a\":1}")],
        |mut options| {
            options.region = Some("ap-northeast-2".into());
            options
        },
        |builder| builder,
    )
    .await;
    let call = Call::new("eks", "eks.CreateCluster", Effect::Creates, Method::POST, rig.url("/a%2Fb/ü//c"))
        .query("x y", "1+2")
        .header(header::ACCEPT, HeaderValue::from_static("application/json"))
        .json(&serde_json::json!({"name": "k"}))
        .unwrap();
    let response = rig.client.send(call).await.unwrap();
    assert_eq!(response.status, StatusCode::CREATED);
    assert_eq!(response.request_id.as_deref(), Some("req-1"));
    let request = rig.server.request(0).to_ascii_lowercase();
    assert!(request.starts_with("post /a%2fb/%c3%bc//c?x%20y=1%2b2 http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nx-signed: eks ap-northeast-2 2026-01-01t00:00:00z\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: pmks/"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"name\":\"k\"}"), "{request}");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let rig = Rig::new([answer(307, &[("Location", "/elsewhere")], "")]).await;
    assert_eq!(rig.send(Effect::Read).await.0.unwrap().status, 307);
    assert_eq!(rig.server.seen(), 1);
}

#[tokio::test]
async fn a_foreign_host_gets_nothing() {
    let rig = Rig::new([]).await;
    for url in ["https://evil.example/?token=hunter2", "http://localhost:1/", "https://127.0.0.1/"] {
        let call = Call::new("eks", "eks.Next", Effect::Read, Method::GET, Url::parse(url).unwrap());
        let error = rig.client.send(call).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignHost);
        assert!(!error.to_string().contains("hunter2"));
    }
    assert!(rig.client.counts().is_empty() && rig.recorder.exchanges().is_empty());
}

#[tokio::test]
async fn a_call_that_names_nothing_is_not_sent() {
    let rig = Rig::new([]).await;
    for segments in [&["clusters", ""][..], &["clusters", "", "node-groups"]] {
        let base = rig.url("/");
        let call = Call::new("eks", "eks.DeleteCluster", Effect::Idempotent, Method::DELETE, base);
        let error = rig.client.send(call.below(segments)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(rig.client.counts().is_empty() && rig.recorder.exchanges().is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let rig = Rig::with(
        [answer(200, &[], "0123456789"), answer(200, &[], "0123456789x")],
        |mut options| {
            options.limits.body_bytes = 10;
            options
        },
        |builder| builder,
    )
    .await;
    assert_eq!(rig.send(Effect::Read).await.0.unwrap().body, "0123456789");
    assert_eq!(rig.send(Effect::Read).await.0.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(rig.server.seen(), 2);
}

/// A gzip file with one stored block (RFC 1952, RFC 1951 section 3.2.4).
fn gzip(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut crc = u32::MAX;
    for byte in text {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(text);
    file.extend((!crc).to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

#[tokio::test]
async fn compressed_answers_are_read_and_broken_ones_are_lost() {
    let whole = gzip(b"{\"compressed\": true}");
    let mut broken = whole.clone();
    broken[20] ^= 1;
    let zipped = |body: &[u8]| Act::Answer(http(200, &[("Content-Encoding", "gzip")], body));
    let rig = Rig::new([zipped(&whole), zipped(&broken)]).await;
    assert_eq!(rig.send(Effect::Creates).await.0.unwrap().body, "{\"compressed\": true}");
    assert!(rig.server.request(0).to_ascii_lowercase().contains("accept-encoding: gzip"));
    assert_eq!(rig.send(Effect::Creates).await.0.unwrap_err().kind(), ErrorKind::Lost);
}

#[tokio::test]
async fn a_wrong_clock_is_found_by_the_refusal_and_the_call_is_signed_anew_once() {
    let date = ("Date", "Thu, 01 Jan 2026 02:00:00 GMT");
    let rig = Rig::new([answer(403, &[date], "expired"), answer(200, &[date], "")]).await;
    let (result, paused) = rig.send(Effect::Creates).await;
    assert_eq!(result.unwrap().status, 200);
    assert_eq!(paused, Duration::ZERO);
    assert!(rig.server.request(0).contains("x-signed: eks - 2026-01-01T00:00:00Z\r\n"));
    let corrected = rig.server.request(1);
    assert!(corrected.contains("x-signed: eks - 2026-01-01T02:00:00Z\r\n"), "{corrected}");

    let rig = Rig::new([answer(403, &[date], "no"), answer(403, &[date], "no")]).await;
    assert_eq!(rig.send(Effect::Creates).await.0.unwrap().status, 403);
    assert_eq!(rig.server.seen(), 2, "a refusal that is not about the clock stays one");
}

#[tokio::test]
async fn calls_that_were_signed_together_at_a_wrong_time_are_all_signed_anew() {
    let date = ("Date", "Thu, 01 Jan 2026 02:00:00 GMT");
    let refused = (0..3).map(|_| answer(403, &[date], "expired"));
    let rig = Rig::new(refused.chain((0..3).map(|_| answer(200, &[date], "")))).await;
    let calls = futures::future::join_all((0..3).map(|_| rig.client.send(rig.call(Effect::Creates))));
    let answers = rig.clock.run(Duration::from_millis(40), calls).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status == 200));
    assert_eq!(rig.server.seen(), 6);
}

#[tokio::test]
async fn a_refusal_with_a_right_clock_is_final() {
    let rig = Rig::new([answer(403, &[("Date", "Thu, 01 Jan 2026 00:00:20 GMT")], "no")]).await;
    assert_eq!(rig.send(Effect::Creates).await.0.unwrap().status, 403);
    assert_eq!(rig.server.seen(), 1);
}

#[tokio::test]
async fn nothing_is_allowed_by_default() {
    let rig = Rig::with(
        [],
        |mut options| {
            options.allowed_hosts = vec![AllowedHost::Below("amazonaws.com".into())];
            options
        },
        |builder| builder,
    )
    .await;
    assert_eq!(rig.send(Effect::Read).await.0.unwrap_err().kind(), ErrorKind::ForeignHost);
}

/// Has no credential, or never finds out.
#[derive(Debug)]
enum NoCredential {
    Refused,
    Silent,
}

#[async_trait]
impl Signer for NoCredential {
    async fn sign(&self, _: &mut http::Request<Bytes>, _: SignContext<'_>) -> Result<(), SignError> {
        match self {
            Self::Refused => Err(SignError::credential("the session has expired")),
            Self::Silent => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    for (signer, temporary) in [(NoCredential::Refused, false), (NoCredential::Silent, true)] {
        let rig = Rig::with(
            [],
            |mut options| {
                options.signer = Arc::new(signer);
                options.limits.total = Duration::from_millis(100);
                options
            },
            |builder| builder,
        )
        .await;
        let error = rig.send(Effect::Read).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Signing { temporary });
        assert!(error.surely_not_sent() && std::error::Error::source(&error).is_some());
        assert_eq!(error.to_string(), "eks.DoIt: the call could not be signed");
        assert!(rig.server.seen() == 0 && rig.client.counts().is_empty());
    }
}
