//! The fault layer and the observers: what the server saw, and what the caller learned.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pmks_transport::{
    Bytes, CallFacts, CallObserver, Effect, ErrorKind, Fault, FaultRule, Outcome, StatusCode, When,
};
use tokio::sync::Notify;

use crate::rig::Rig;

/// What the caller learned, and how many requests the server saw.
async fn strike(fault: Fault) -> (Result<u16, ErrorKind>, usize) {
    let rig = Rig::new([]).await;
    rig.faults.add(FaultRule::on("eks.DoIt", When::Nth(1), fault));
    let (result, _) = rig.send(Effect::Creates).await;
    assert_eq!(rig.faults.struck(), 1);
    let recorded = rig.recorder.exchanges();
    assert!(recorded[0].injected);
    (result.map(|response| response.status.as_u16()).map_err(|error| error.kind()), rig.server.seen())
}

#[tokio::test]
async fn each_fault_is_applied_or_not_and_known_or_not() {
    let garbled = Fault::Answer {
        status: StatusCode::CONFLICT,
        content_type: "application/json",
        body: Bytes::from_static(b"{}"),
    };
    for (fault, learned, seen) in [
        (Fault::Throttle { retry_after: Some(Duration::from_secs(1)) }, Ok(429), 0),
        (garbled, Ok(409), 0),
        (Fault::Refuse, Ok(200), 1),
        (Fault::ResetBefore, Err(ErrorKind::Lost), 0),
        (Fault::DropAnswer, Err(ErrorKind::Lost), 1),
        (Fault::Delay(Duration::from_secs(9)), Ok(200), 1),
        (Fault::Delay(Duration::from_mins(9)), Err(ErrorKind::Lost), 0),
        (Fault::Garbage, Ok(200), 1),
        (Fault::Truncate, Err(ErrorKind::Lost), 1),
    ] {
        assert_eq!(strike(fault.clone()).await, (learned, seen), "{fault:?}");
    }
}

#[tokio::test]
async fn garbage_is_no_answer_of_any_cloud() {
    let rig = Rig::new([]).await;
    rig.faults.add(FaultRule::on_any(When::Always, Fault::Garbage));
    let body = rig.send(Effect::Read).await.0.unwrap().body;
    assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
}

#[tokio::test]
async fn a_call_may_be_applied_after_its_connection_died() {
    let rig = Rig::new([]).await;
    rig.faults.add(FaultRule::on_any(When::First(1), Fault::ApplyLater(Duration::from_secs(5))));
    let error = rig.client.send(rig.call(Effect::Creates)).await.unwrap_err();
    assert_eq!((error.kind(), rig.server.seen()), (ErrorKind::Lost, 0));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(rig.server.seen(), 0);
    rig.clock.advance(Duration::from_secs(5));
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if rig.server.seen() == 1 {
            return;
        }
    }
    panic!("the call was never applied");
}

/// Stops the call at one of its two points, as a kill would.
struct Stop {
    before: bool,
    reached: Arc<Notify>,
}

#[async_trait]
impl CallObserver for Stop {
    async fn before(&self, _: &CallFacts) {
        if self.before {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn after(&self, call: &CallFacts, outcome: Outcome) {
        assert_eq!((call.action, call.nth, call.attempt), ("eks.DoIt", 1, 1));
        assert_eq!(outcome, Outcome::Answered(200));
        self.reached.notify_one();
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_call_can_be_killed_before_it_leaves_and_after_it_was_applied() {
    for (before, seen) in [(true, 0), (false, 1)] {
        let reached = Arc::new(Notify::new());
        let stop = Arc::new(Stop { before, reached: Arc::clone(&reached) });
        let rig = Rig::with([], |options| options, |builder| builder.observer(stop)).await;
        tokio::select! {
            result = rig.client.send(rig.call(Effect::Creates)) => panic!("not stopped: {result:?}"),
            () = reached.notified() => {}
        }
        assert_eq!(rig.server.seen(), seen);
    }
}

/// What observers were told, in order.
#[derive(Default)]
struct Heard(Mutex<Vec<&'static str>>);

#[async_trait]
impl CallObserver for Heard {
    async fn before(&self, _: &CallFacts) {
        self.0.lock().unwrap().push("before");
    }

    async fn after(&self, _: &CallFacts, _: Outcome) {
        self.0.lock().unwrap().push("after");
    }

    fn abandoned(&self, _: &CallFacts) {
        self.0.lock().unwrap().push("abandoned");
    }
}

#[tokio::test]
async fn whoever_heard_of_a_try_hears_of_its_end_also_where_nobody_waits_for_it() {
    for before in [true, false] {
        let reached = Arc::new(Notify::new());
        let (first, last) = (Arc::new(Heard::default()), Arc::new(Heard::default()));
        let stop = Arc::new(Stop { before, reached: Arc::clone(&reached) });
        let observers = (Arc::clone(&first), Arc::clone(&last));
        let rig = Rig::with(
            [],
            |options| options,
            |builder| builder.observer(observers.0).observer(stop).observer(observers.1),
        )
        .await;
        tokio::select! {
            result = rig.client.send(rig.call(Effect::Creates)) => panic!("not stopped: {result:?}"),
            () = reached.notified() => {}
        }
        let told = |heard: &Heard| heard.0.lock().unwrap().clone();
        let (first, last) = (told(&first), told(&last));
        if before {
            assert_eq!((first, last), (vec!["before", "abandoned"], vec![]));
        } else {
            assert_eq!((first, last), (vec!["before", "after"], vec!["before", "abandoned"]));
        }
    }
}
