//! Busy clouds: what is asked again, when, and what it does to the budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pmks_transport::{
    Bucket, Buckets, Bytes, Effect, ErrorKind, HeaderValue, Renewal, SignContext, SignError, Signer, Verdict,
};

use crate::rig::Rig;
use crate::server::answer;

#[tokio::test]
async fn a_throttled_read_waits_as_long_as_the_cloud_says() {
    let rig =
        Rig::new([answer(429, &[("Retry-After", "7")], ""), answer(503, &[("Retry-After", "2")], "")]).await;
    let (result, paused) = rig.send(Effect::Read).await;
    assert_eq!(result.unwrap().status, 200);
    assert!(paused >= Duration::from_secs(9) && paused < Duration::from_secs(12), "{paused:?}");
}

#[tokio::test]
async fn a_throttled_change_is_given_back_and_its_bucket_is_lowered() {
    let rig = Rig::new([answer(429, &[("Retry-After", "7")], "busy")]).await;
    let (result, paused) = rig.send(Effect::Creates).await;
    assert_eq!(result.unwrap().status, 429);
    assert_eq!(paused, Duration::ZERO);
    assert_eq!(rig.server.seen(), 1);
    let (result, paused) = rig.send(Effect::Creates).await;
    assert_eq!(result.unwrap().status, 200);
    assert!(paused >= Duration::from_secs(7), "the next call of the action waits: {paused:?}");
}

#[tokio::test]
async fn a_wait_longer_than_the_limit_is_the_callers() {
    let rig = Rig::new([answer(429, &[("Retry-After", "3600")], "")]).await;
    let (result, paused) = rig.send(Effect::Read).await;
    assert_eq!(result.unwrap().status, 429);
    assert_eq!(paused, Duration::ZERO);
    let error = rig.send(Effect::Read).await.0.unwrap_err();
    let ErrorKind::Budget { retry_after } = error.kind() else { panic!("{error}") };
    assert!(retry_after > Duration::from_secs(250), "{retry_after:?}");
    assert_eq!(error.to_string(), "eks.DoIt: the request budget is used up for 300 s more");
    assert_eq!(rig.server.seen(), 1, "nothing is sent without a turn");
}

#[tokio::test]
async fn an_unavailable_cloud_is_asked_again_only_for_reads_and_its_last_word_is_given_back() {
    let rig = Rig::new((0..4).map(|_| answer(500, &[], "oops"))).await;
    let (result, _) = rig.send(Effect::Read).await;
    assert_eq!((result.unwrap().status.as_u16(), rig.server.seen()), (500, 4));
    for effect in [Effect::Creates, Effect::Idempotent] {
        let rig = Rig::new([answer(500, &[], "oops")]).await;
        let (result, _) = rig.send(effect).await;
        assert_eq!((result.unwrap().status.as_u16(), rig.server.seen()), (500, 1));
    }
}

#[tokio::test]
async fn the_drivers_own_verdict_decides() {
    let rig = Rig::with(
        [answer(400, &[], "ThrottlingException"), answer(400, &[], "InvalidParameterException")],
        |mut options| {
            options.classify = |response| match &response.body[..] {
                b"ThrottlingException" => Verdict::Throttled { retry_after: None },
                _ => Verdict::Fine,
            };
            options
        },
        |builder| builder,
    )
    .await;
    let (result, paused) = rig.send(Effect::Read).await;
    assert_eq!(result.unwrap().body, "InvalidParameterException");
    assert!(paused > Duration::ZERO);
    assert_eq!(rig.server.seen(), 2);
}

#[tokio::test]
async fn the_budget_holds_over_concurrent_calls() {
    let rig = Rig::with(
        [],
        |mut options| {
            options.buckets = Buckets::new(Bucket::new(2, 1.0));
            options
        },
        |builder| builder,
    )
    .await;
    let start = pmks_transport::Clock::monotonic(&rig.clock);
    let call = |number: usize| rig.call(Effect::Read).query("number", &number.to_string());
    let calls = futures::future::join_all((0..6).map(|number| rig.client.send(call(number))));
    let answers = rig.clock.run(Duration::from_millis(40), calls).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status == 200));
    let passed = pmks_transport::Clock::monotonic(&rig.clock).saturating_sub(start);
    assert!(passed >= Duration::from_millis(3990) && passed < Duration::from_millis(4200), "{passed:?}");
}

#[tokio::test]
async fn accounts_do_not_share_a_budget() {
    let rig = Rig::new([answer(429, &[("Retry-After", "7")], "")]).await;
    rig.send(Effect::Creates).await.0.unwrap();
    let other = rig.client.with_account("another");
    assert_eq!(other.send(rig.call(Effect::Creates)).await.unwrap().status, 200);
    assert_eq!(rig.client.counts()["eks.DoIt"], 2, "counts are shared");
    rig.client.reset_counts();
    assert!(rig.client.counts().is_empty());
}

#[tokio::test]
async fn pace_shortens_pauses_and_limits() {
    let rig = Rig::with(
        (0..3).map(|_| answer(500, &[], "")),
        |mut options| {
            options.pace = 1000;
            options
        },
        |builder| builder,
    )
    .await;
    assert_eq!(rig.client.limits().total, Duration::from_secs(1));
    let (result, paused) = rig.send(Effect::Read).await;
    assert_eq!(result.unwrap().status, 200);
    assert!(paused < Duration::from_millis(10), "{paused:?}");
}

/// Signs with a token that it can have anew so many times.
#[derive(Debug)]
struct TokenSigner {
    token: AtomicU32,
    last: u32,
    accepted: AtomicBool,
}

impl TokenSigner {
    fn new(last: u32) -> Arc<Self> {
        Arc::new(Self { token: AtomicU32::new(1), last, accepted: AtomicBool::new(false) })
    }
}

#[async_trait]
impl Signer for TokenSigner {
    async fn sign(&self, request: &mut http::Request<Bytes>, _: SignContext<'_>) -> Result<(), SignError> {
        let token = self.token.load(Ordering::Relaxed).to_string();
        request.headers_mut().insert("x-token", HeaderValue::from_str(&token).unwrap());
        Ok(())
    }

    async fn refused(&self, request: &http::Request<Bytes>, _: SignContext<'_>) -> Renewal {
        let token = self.token.load(Ordering::Relaxed);
        assert_eq!(request.headers()["x-token"], token.to_string(), "the request that was refused");
        if token < self.last {
            self.token.store(token + 1, Ordering::Relaxed);
            return Renewal::Now;
        }
        if self.accepted.load(Ordering::Relaxed) {
            Renewal::After(Duration::from_secs(20))
        } else {
            Renewal::Never
        }
    }

    async fn accepted(&self, _: &http::Request<Bytes>) {
        self.accepted.store(true, Ordering::Relaxed);
    }
}

/// Nothing of a call that is refused as unauthenticated was carried out: even one that creates is sent again.
#[tokio::test]
async fn what_is_refused_with_an_old_token_is_signed_and_sent_once_more() {
    for effect in [Effect::Read, Effect::Idempotent, Effect::Creates] {
        for (last, refusals, status, sent) in [(2, 0, 200, 1), (2, 1, 200, 2), (2, 9, 401, 2), (1, 9, 401, 1)]
        {
            let rig = Rig::with(
                (0..refusals).map(|_| answer(401, &[], "expired")),
                |mut options| {
                    options.signer = TokenSigner::new(last);
                    options
                },
                |builder| builder,
            )
            .await;
            let (result, paused) = rig.send(effect).await;
            assert_eq!((result.unwrap().status.as_u16(), rig.server.seen()), (status, sent), "{effect:?}");
            assert_eq!(paused, Duration::ZERO);
        }
    }
}

/// What a good credential was given a moment ago and the cloud refuses is an error of its own, which says when to come
/// again; one that the cloud has never accepted gets the cloud's own answer.
#[tokio::test]
async fn a_good_credential_is_told_when_to_come_again() {
    for (first, expected) in [(200, Some(Duration::from_secs(20))), (404, None)] {
        let answers = [answer(first, &[], "first"), answer(401, &[], "expired"), answer(401, &[], "expired")];
        let rig = Rig::with(
            answers,
            |mut options| {
                options.signer = TokenSigner::new(2);
                options
            },
            |builder| builder,
        )
        .await;
        rig.send(Effect::Read).await.0.unwrap();
        let (result, _) = rig.send(Effect::Creates).await;
        assert_eq!(rig.server.seen(), 3);
        match (result, expected) {
            (Err(error), Some(after)) => {
                assert_eq!(error.kind(), ErrorKind::Refused { retry_after: after });
                assert!(error.to_string().contains("in 20 s") && error.surely_not_sent(), "{error}");
            }
            (Ok(response), None) => assert_eq!(response.status.as_u16(), 401),
            (result, _) => panic!("{first}: {result:?}"),
        }
    }
}
