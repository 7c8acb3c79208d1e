//! What is done about a cluster that does not say what stands in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pmks_model::{Children, FailureKind, OperationKind, OperationState};
use pmks_store::{NoKillPoints, Operation};
use pmks_transport::{Bytes, Effect, Fault, StatusCode};

use super::clear::says_why;
use crate::CloudUnderTest;
use crate::kill_matrix::{Calls, HERE, Process, Stage, is_long, scene_of, scenes, truth};

/// For how long a cluster is listened to before it is deleted, and until when it was asked for the last time.
const HEARD: [Duration; 2] = [Duration::from_mins(5), Duration::from_mins(15)];

/// The deletion of a cluster that is silent goes on without it; when it fails, the next attempt finds what the cluster
/// alone knew, if it speaks by then.
pub(super) async fn deleted_unheard(under_test: &'static dyn CloudUnderTest) {
    if !under_test.asks_clusters() {
        println!("this provider's clusters are asked for nothing");
        return;
    }
    let scene = |offer: &_| Some(scenes::of_balanced_cluster(offer));
    let Some(stage) = Stage::set(under_test, scene).await else { return };
    let quiet = stage.run(&[]).await.unwrap();
    let (house, process) = (&stage.house, process(&stage).await);
    let refuses = |calls| (calls, Fault::Refuse, usize::MAX);
    house.breaker.put(vec![refuses(Calls::ToClusters), refuses(Calls::Changing)]);
    let id = stage.scene.ask(house, &process).await.unwrap();
    let failed = house.drive(&process, id).await.unwrap();
    house.breaker.clear();
    assert_eq!(failed.state, OperationState::Failed, "{failed:#?}");
    says_why(house, &failed).unwrap();
    let preflight = &failed.stages[0].record;
    let [begin, end] = [preflight.started_at, preflight.finished_at].map(Option::unwrap);
    let heard = Duration::try_from(end.duration_since(begin)).unwrap();
    assert!(heard >= HEARD[0] && heard < HEARD[1], "it was listened to for {heard:?}");
    assert!(!children(&failed).unknown.is_empty(), "nothing is unknown: {failed:#?}");
    house.rest().await;
    house.retry(&process, id).await.unwrap();
    let done = house.drive(&process, id).await.unwrap();
    assert!(children(&done).unknown.is_empty(), "{done:#?}");
    stage.judge(&process, &done).await.unwrap().differs(&quiet.picture).unwrap();
}

/// How many of them are tried, unless all are.
const FEW_ANSWERS: usize = 3;

/// What answers in a cluster's place where a proxy, a captive portal or a balancer without its cluster does.
fn other_answers() -> [(&'static str, Fault); 6] {
    let answer = |status, content_type, body: &'static str| Fault::Answer {
        status: StatusCode::from_u16(status).unwrap(),
        content_type,
        body: Bytes::from_static(body.as_bytes()),
    };
    [
        ("a web page", answer(200, "text/html", "<html>Please sign in</html>")),
        ("another place", answer(307, "text/html", "")),
        ("an empty object", answer(200, "application/json", "{}")),
        ("a web page instead of nothing", answer(404, "text/html", "<html>Not Found</html>")),
        ("a list of nothing that is none", answer(200, "application/json", r#"{"items": []}"#)),
        ("nothing", Fault::Delay(Duration::from_hours(1))),
    ]
}

/// The deletion of a cluster in whose place something else answers ends clearly, takes nothing for an empty cluster, and
/// leaves nothing once the cluster itself answers.
pub(super) async fn deleted_beside_others(under_test: &'static dyn CloudUnderTest) {
    if !under_test.asks_clusters() {
        println!("this provider's clusters are asked for nothing");
        return;
    }
    let scene = |offer: &_| scene_of(OperationKind::ClusterDelete, offer);
    let Some(stage) = Stage::set(under_test, scene).await else { return };
    let quiet = stage.run(&[]).await.unwrap();
    let tried = if is_long() { usize::MAX } else { FEW_ANSWERS };
    for (what, fault) in other_answers().into_iter().take(tried) {
        let (house, process) = (&stage.house, process(&stage).await);
        let before = truth::counts(house);
        house.breaker.put(vec![(Calls::ToClusters, fault, usize::MAX)]);
        let id = stage.scene.ask(house, &process).await.unwrap();
        let refused = house.drive(&process, id).await.unwrap_or_else(|why| panic!("{what}: {why}"));
        house.breaker.clear();
        // Its volumes are to go with it, and nobody has seen them.
        assert_eq!(refused.state, OperationState::Failed, "{what}: {refused:#?}");
        says_why(house, &refused).unwrap_or_else(|why| panic!("{what}: {why}"));
        assert_eq!(truth::counts(house), before, "{what}");
        house.rest().await;
        house.retry(&process, id).await.unwrap();
        let done = house.drive(&process, id).await.unwrap();
        let judged = stage.judge(&process, &done).await.and_then(|picture| picture.differs(&quiet.picture));
        judged.unwrap_or_else(|why| panic!("{what}: {why}"));
        drop(process.pmks);
        process.store.close().await;
    }
}

/// Volumes that nobody sees are not said to be deleted: nothing is, until they are seen.
pub(super) async fn volumes_unseen(under_test: &'static dyn CloudUnderTest) {
    if !under_test.asks_clusters() {
        println!("this provider's clusters are asked for nothing");
        return;
    }
    let scene = |offer: &_| scene_of(OperationKind::ClusterDelete, offer);
    let Some(stage) = Stage::set(under_test, scene).await else { return };
    let quiet = stage.run(&[]).await.unwrap();
    let (house, process) = (&stage.house, process(&stage).await);
    let before = truth::counts(house);
    house.breaker.put(vec![(Calls::ToClusters, Fault::Refuse, usize::MAX)]);
    let id = stage.scene.ask(house, &process).await.unwrap();
    let refused = house.drive(&process, id).await.unwrap();
    house.breaker.clear();
    let kind = refused.error.as_ref().map(|failure| failure.kind);
    assert_eq!(
        (refused.state, kind),
        (OperationState::Failed, Some(FailureKind::Precondition)),
        "{refused:#?}"
    );
    says_why(house, &refused).unwrap();
    assert_eq!(truth::counts(house), before);
    house.rest().await;
    house.retry(&process, id).await.unwrap();
    let done = house.drive(&process, id).await.unwrap();
    stage.judge(&process, &done).await.unwrap().differs(&quiet.picture).unwrap();
}

/// Whoever asks for the children of a cluster is shown what answers, and told what does not.
pub(super) async fn shown_in_parts(under_test: &'static dyn CloudUnderTest) {
    let scene = |offer: &_| scene_of(OperationKind::ClusterDelete, offer);
    let Some(stage) = Stage::set(under_test, scene).await else { return };
    let house = &stage.house;
    let ask = async || {
        let process = process(&stage).await;
        let shown = house.run(process.pmks.clusters().children(HERE, "prod")).await;
        drop(process.pmks);
        process.store.close().await;
        shown
    };
    let mark = house.calls.mark();
    let whole = ask().await.unwrap();
    assert!(whole.unknown.is_empty() && !whole.found.is_empty(), "{whole:#?}");
    let calls = house.calls.since(mark).into_iter().filter(|call| call.effect == Effect::Read);
    let asked: BTreeSet<&'static str> = calls.map(|call| call.action).collect();
    for action in asked {
        house.breaker.set(action, Fault::Refuse, usize::MAX);
        let shown = ask().await;
        let struck = house.breaker.clear();
        let shown = shown.unwrap_or_else(|failure| panic!("{action} does not answer: {failure}"));
        let lost = whole.found.iter().any(|child| !shown.found.contains(child));
        assert!(!struck || !lost || !shown.unknown.is_empty(), "{action}: {shown:#?}");
    }
}

async fn process(stage: &Stage) -> Process {
    let path = stage.house.go_back(&stage.moment, "silence");
    stage.house.process(&path, Arc::new(NoKillPoints)).await
}

fn children(operation: &Operation) -> Children {
    serde_json::from_value(operation.children.clone()).unwrap()
}
