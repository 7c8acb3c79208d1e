//! Answers that do not come: what is known then, and who may send again.

use std::time::Duration;

use pmks_transport::{Effect, ErrorKind, Limits};

use crate::rig::Rig;
use crate::server::{Act, http};

fn broken() -> Vec<(&'static str, Act)> {
    let whole = http(200, &[], b"{\"a\": 1}");
    let half = whole[..whole.len() - 3].to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec();
    vec![
        ("reset", Act::Reset),
        ("half a head", Act::BreakOff(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec())),
        ("half a body", Act::BreakOff(half)),
        ("half the chunks", Act::BreakOff(chunked)),
        ("garbage", Act::Answer(b"\x00\xff\x01 no HTTP at all\r\n\r\n".to_vec())),
    ]
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_sent_once() {
    for (name, act) in broken() {
        for effect in [Effect::Creates, Effect::Idempotent] {
            let rig = Rig::new([act.clone()]).await;
            let error = rig.send(effect).await.0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Lost, "{name}: {error}");
            assert_eq!(rig.server.seen(), 1, "{name}");
            assert!(!error.surely_not_sent());
        }
    }
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_sent_again() {
    for (name, act) in broken() {
        let rig = Rig::new([act.clone(), act]).await;
        let (result, paused) = rig.send(Effect::Read).await;
        assert_eq!(result.unwrap().status, 200, "{name}");
        assert_eq!(rig.server.seen(), 3, "{name}");
        assert!(
            paused >= Duration::from_millis(600) && paused < Duration::from_secs(2),
            "{name}: {paused:?}"
        );
        assert_eq!(rig.client.counts()["eks.DoIt"], 3);
    }
}

#[tokio::test]
async fn a_read_is_not_sent_for_ever() {
    let rig = Rig::new(std::iter::repeat_n(Act::Reset, 20)).await;
    let error = rig.send(Effect::Read).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(rig.server.seen(), 4);
}

#[tokio::test]
async fn silence_ends_at_the_read_limit() {
    let rig = Rig::with(
        [Act::Hang],
        |mut options| {
            let short = Duration::from_millis(50);
            options.limits = Limits { connect: short, read: short, ..Limits::default() };
            options
        },
        |builder| builder,
    )
    .await;
    let error = rig.send(Effect::Creates).await.0.unwrap_err();
    assert_eq!(error.to_string(), "eks.DoIt: the answer stopped coming");
    assert_eq!(error.kind(), ErrorKind::Lost);
}

#[tokio::test]
async fn an_answer_that_trickles_ends_at_the_total_limit() {
    let rig = Rig::with(
        [Act::Trickle(http(200, &[], &[b'x'; 500]), Duration::from_millis(5))],
        |mut options| {
            options.limits.total = Duration::from_millis(300);
            options
        },
        |builder| builder,
    )
    .await;
    let error = rig.send(Effect::Creates).await.0.unwrap_err();
    assert_eq!(error.to_string(), "eks.DoIt: no whole answer within the time limit");
    assert_eq!(error.kind(), ErrorKind::Lost);
}

#[tokio::test]
async fn moving_the_clock_does_not_time_out_a_call_under_way() {
    let rig = Rig::new([Act::Trickle(http(200, &[], b"{}"), Duration::from_millis(1))]).await;
    let clock = rig.clock.clone();
    let hours = async move {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            clock.advance(Duration::from_hours(1));
        }
    };
    let (result, ()) = tokio::join!(rig.client.send(rig.call(Effect::Creates)), hours);
    assert_eq!(result.unwrap().body, "{}");
}

#[tokio::test]
async fn what_was_surely_not_sent_is_tried_again_for_every_effect() {
    for effect in [Effect::Read, Effect::Idempotent, Effect::Creates] {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let rig = Rig::with(
            [],
            |mut options| {
                let url = pmks_transport::Url::parse(&format!("http://{free}/")).unwrap();
                options.allowed_hosts.push(pmks_transport::AllowedHost::origin_of(&url));
                options
            },
            |builder| builder,
        )
        .await;
        let url = pmks_transport::Url::parse(&format!("http://{free}/?token=hunter2")).unwrap();
        let call = pmks_transport::Call::new("eks", "eks.DoIt", effect, pmks_transport::Method::POST, url);
        let (result, paused) = rig.send_call(call).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSent);
        assert_eq!(rig.client.counts()["eks.DoIt"], 4);
        assert!(paused >= Duration::from_millis(1400), "{paused:?}");
        let text = format!("{error:?}");
        assert!(text.contains("refused") && !text.contains("hunter2"), "{text}");
    }
}
