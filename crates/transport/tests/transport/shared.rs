//! Reads of the same thing that wait for their turn: sent once, and answered with what came after the question.

use std::time::Duration;

use pmks_transport::{Bucket, Buckets, Call, Clock as _, Effect, Lane, Method};

use crate::rig::Rig;
use crate::server::{Act, answer, http};

/// One call at once, and one a second.
async fn rig(acts: impl IntoIterator<Item = Act>) -> Rig {
    Rig::with(
        acts,
        |mut options| {
            options.buckets = Buckets::new(Bucket::new(1, 1.0));
            options
        },
        |builder| builder,
    )
    .await
}

async fn bodies(rig: &Rig, effect: Effect, count: usize) -> Vec<String> {
    let calls = futures::future::join_all((0..count).map(|_| rig.client.send(rig.call(effect))));
    let answers = rig.clock.run(Duration::from_millis(40), calls).await;
    answers.into_iter().map(|answer| String::from_utf8(answer.unwrap().body.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn those_that_wait_are_sent_once_and_what_was_sent_before_answers_nobody_else() {
    let rig = rig([answer(200, &[], "before"), answer(200, &[], "after")]).await;
    let bodies = bodies(&rig, Effect::Read, 6).await;
    assert_eq!(bodies, ["before", "after", "after", "after", "after", "after"]);
    assert_eq!(rig.server.seen(), 2);
}

#[tokio::test]
async fn what_waited_and_was_sent_answers_nobody_who_comes_after_that() {
    let slow = Act::Trickle(http(200, &[], b"second"), Duration::from_millis(5));
    let rig = rig([answer(200, &[], "first"), slow, answer(200, &[], "third")]).await;
    let ask = async || rig.client.send(rig.call(Effect::Read)).await.unwrap().body;
    assert_eq!(ask().await, "first");
    let late = async {
        while rig.server.seen() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ask().await
    };
    let both = rig.clock.run(Duration::from_millis(40), futures::future::join(ask(), late)).await;
    assert_eq!(both, ("second".into(), "third".into()));
}

#[tokio::test]
async fn before_a_change_is_taken_on_an_answer_of_a_moment_ago_will_do() {
    let many = ["1", "2", "3", "4", "5"].map(|body| answer(200, &[], body));
    let rig = Rig::with(many, |options| options, |builder| builder).await;
    let text = |response: pmks_transport::Response| String::from_utf8(response.body.to_vec()).unwrap();
    let check = async || text(rig.client.send(rig.call(Effect::Read).lane(Lane::Check)).await.unwrap());
    // Those that come while it is under way have its answer too, though there is room for all.
    assert_eq!(futures::future::join_all((0..5).map(|_| check())).await, ["1"; 5]);
    rig.clock.advance(Duration::from_millis(900));
    assert_eq!(check().await, "1");
    // In other lanes, and of another account, nobody has an answer that is older than the question.
    assert_eq!(text(rig.client.send(rig.call(Effect::Read)).await.unwrap()), "2");
    rig.clock.advance(Duration::from_millis(200));
    assert_eq!(check().await, "3");
    // What was asked before a change of ours is not how it is after it.
    rig.client.send(rig.call(Effect::Idempotent)).await.unwrap();
    assert_eq!(check().await, "5");
    let other = rig.client.with_account("another");
    let elsewhere = other.send(rig.call(Effect::Read).lane(Lane::Check)).await.unwrap();
    assert_ne!(text(elsewhere), "5");
}

#[tokio::test]
async fn what_nobody_changes_is_known_for_a_while_and_an_error_is_not() {
    let acts = [answer(404, &[], "none"), answer(200, &[], "1"), answer(200, &[], "change")];
    let rig = Rig::with(acts, |options| options, |builder| builder).await;
    let versions = || rig.call(Effect::Read).unchanging(Duration::from_secs(10));
    assert_eq!(rig.client.send(versions()).await.unwrap().status, 404);
    assert_eq!(rig.client.send(versions()).await.unwrap().body, "1");
    rig.client.send(rig.call(Effect::Creates)).await.unwrap();
    rig.clock.advance(Duration::from_secs(9));
    assert_eq!(rig.client.send(versions()).await.unwrap().body, "1");
    assert_eq!(rig.server.seen(), 3);
    rig.clock.advance(Duration::from_secs(2));
    rig.client.send(versions()).await.unwrap();
    assert_eq!(rig.server.seen(), 4);
}

#[tokio::test]
async fn large_answers_that_are_known_for_a_while_keep_nobody_from_being_answered_and_have_a_bound() {
    const ANSWERS: usize = 5;
    let large = "x".repeat(8 << 20);
    let acts = (0..=ANSWERS).map(|_| answer(200, &[], &large));
    let rig = Rig::with(acts, |options| options, |builder| builder).await;
    let ask = |page: usize| {
        let call =
            rig.call(Effect::Read).query("page", &page.to_string()).unchanging(Duration::from_secs(10));
        rig.client.send(call)
    };
    for page in 0..ANSWERS {
        assert_eq!(ask(page).await.unwrap().body.len(), large.len());
    }
    assert_eq!(rig.server.seen(), ANSWERS);
    // Four have the room that there is for what is known; the fifth is asked for anew.
    for page in 0..ANSWERS {
        assert_eq!(ask(page).await.unwrap().body.len(), large.len());
    }
    assert_eq!(rig.server.seen(), ANSWERS + 1);
}

#[tokio::test]
async fn changes_are_never_shared_nor_are_reads_that_differ() {
    let rig = rig([]).await;
    bodies(&rig, Effect::Idempotent, 3).await;
    assert_eq!(rig.server.seen(), 3);
    let read = || rig.call(Effect::Read);
    let (others, elsewhere) = (rig.client.with_account("another"), rig.client.with_account("another"));
    let different = [
        rig.client.send(read()),
        rig.client.send(read().query("page", "2")),
        rig.client.send(read().lane(Lane::Refresh)),
        rig.client.send(read().body("other")),
        others.send(read().query("page", "3")),
        elsewhere.send(read()),
    ];
    rig.clock.run(Duration::from_millis(40), futures::future::join_all(different)).await;
    assert_eq!(rig.server.seen(), 9);
}

#[tokio::test]
async fn who_is_asked_again_or_given_up_leaves_the_others_to_ask_for_themselves() {
    // The second answer is asked for again by whoever got it, and is nobody else's.
    let rig = rig([answer(200, &[], "1"), answer(500, &[], "oops")]).await;
    assert_eq!(bodies(&rig, Effect::Read, 4).await.len(), 4);
    let seen = rig.server.seen();
    assert!((4..=5).contains(&seen), "{seen}");

    let first = rig.client.send(rig.call(Effect::Read));
    let other = rig.client.send(rig.call(Effect::Read));
    let given_up = async {
        let waits = tokio::time::timeout(Duration::from_millis(100), first);
        assert!(waits.await.is_err(), "it waits for its turn");
    };
    let before = rig.clock.monotonic();
    let (answered, ()) = tokio::join!(
        async {
            // After the first one has begun to wait.
            tokio::task::yield_now().await;
            rig.clock.run(Duration::from_millis(200), other).await
        },
        given_up
    );
    assert_eq!(answered.unwrap().status, 200);
    assert!(rig.clock.monotonic() > before);
}

#[tokio::test]
async fn calls_by_one_method_count_together_whatever_they_are() {
    let bucket = |burst| Bucket::new(burst, 1.0);
    let rig = Rig::with(
        [],
        |mut options| {
            options.buckets = Buckets::new(bucket(100)).method("GET", bucket(2));
            options
        },
        |builder| builder,
    )
    .await;
    let call = |action| Call::new("eks", action, Effect::Read, Method::GET, rig.url("/do"));
    let began = rig.clock.monotonic();
    let actions = ["a", "b", "c", "d", "e", "f"];
    let calls = actions.map(|action| rig.client.send(call(action)));
    for answer in rig.clock.run(Duration::from_millis(40), futures::future::join_all(calls)).await {
        answer.unwrap();
    }
    let took = rig.clock.monotonic().saturating_sub(began);
    assert!(took >= Duration::from_millis(3900) && took < Duration::from_secs(6), "{took:?}");
    assert_eq!(rig.server.seen(), 6);
    // Another account has its own, and another method none.
    let other = rig.client.with_account("another");
    other.send(call("a")).await.unwrap();
    rig.client.send(rig.call(Effect::Idempotent)).await.unwrap();
    assert!(rig.clock.monotonic().saturating_sub(began) < took + Duration::from_secs(1));
}

#[tokio::test]
async fn a_throttled_call_slows_all_by_its_method_and_pauses_its_action_alone() {
    let bucket = |burst| Bucket::new(burst, 1.0);
    let rig = Rig::with(
        [answer(429, &[("Retry-After", "600")], "")],
        |mut options| {
            options.buckets = Buckets::new(bucket(100)).method("GET", bucket(100));
            options
        },
        |builder| builder,
    )
    .await;
    let call = |action, effect| Call::new("eks", action, effect, Method::GET, rig.url("/do"));
    rig.client.send(call("a", Effect::Idempotent)).await.unwrap();
    let began = rig.clock.monotonic();
    let calls = ["b", "c", "d", "e"].map(|action| rig.client.send(call(action, Effect::Read)));
    for answer in rig.clock.run(Duration::from_millis(40), futures::future::join_all(calls)).await {
        answer.unwrap();
    }
    let took = rig.clock.monotonic().saturating_sub(began);
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(9), "{took:?}");
}
