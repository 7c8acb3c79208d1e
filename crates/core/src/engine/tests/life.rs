//! The life of an operation: queue, cancel, retry, blocked, events.

use std::time::Duration;

use pmks_driver::{Effect, ErrorKind, FailedCreate, Identity};
use pmks_model::{FailureKind, OperationKind, OperationState, ResourceKind, StageState};
use pmks_store::{Access as _, Operations as _, Resources as _};
use pmks_transport::Clock as _;

use super::cloud::{Cloud, Fault};
use super::driver::{makes, removes};
use super::rig::{CLUSTER, GROUPS, MARK, Rig, Set, creation, deletion, plans};

const CREATE: OperationKind = OperationKind::ClusterCreate;
const UPGRADE: OperationKind = OperationKind::ClusterUpgrade;
const DELETE: OperationKind = OperationKind::ClusterDelete;

async fn rig() -> Rig {
    let upgrade = vec![removes("upgrade", "u")];
    let plans = plans([(CREATE, creation()), (DELETE, deletion()), (UPGRADE, upgrade)]);
    Rig::new(Set::new(Cloud::new(), CREATE, plans)).await
}

#[tokio::test]
async fn stages_run_in_the_order_of_the_graph_and_at_once_where_it_allows() {
    let rig = rig().await;
    let accepted = rig.accept(CREATE, 1).await;
    assert_eq!(accepted.state, OperationState::Queued);
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded);
    let stage = |name: &str| {
        let found = ended.stages.iter().find(|stage| stage.name == name);
        found.unwrap().record.clone()
    };
    let (cluster, a, b) = (stage("cluster k"), stage("group a"), stage("group b"));
    assert!(a.asked_at.unwrap() >= cluster.finished_at.unwrap());
    assert!(b.asked_at.unwrap() < a.finished_at.unwrap());
    assert_eq!(ended.view().progress.done, 6);
    for (name, uid) in GROUPS {
        let record = rig.store.resource(uid).await.unwrap().unwrap();
        assert_eq!(record.system_id, stage(&format!("group {name}")).system_id);
    }
}

#[tokio::test]
async fn every_change_is_an_event_that_holds_the_whole_operation() {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    let events = rig.store.events_after(0, Some(ended.id), 1000).await.unwrap();
    assert_eq!(events.last().unwrap().snapshot, serde_json::to_value(ended.view()).unwrap());
    assert!(events.len() > 10);
    assert_eq!(*rig.store.events().borrow(), events.last().unwrap().sequence);
    assert!(events.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    assert!(events.iter().all(|event| event.snapshot.get("intent").is_none()));
}

#[tokio::test]
async fn one_mutation_at_a_time_first_in_first_out() {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    rig.accept(UPGRADE, 2).await;
    rig.run_for(Duration::from_secs(20)).await;
    assert_eq!(rig.operation(1).await.state, OperationState::Running);
    assert_eq!(rig.operation(2).await.state, OperationState::Queued);
    let second = rig.run(2).await;
    assert_eq!(second.state, OperationState::Succeeded);
    let first = rig.operation(1).await;
    assert!(second.started_at.unwrap() >= first.finished_at.unwrap());
}

#[tokio::test]
async fn a_failed_creation_cancels_what_waits_behind_it_but_not_its_removal() {
    let rig = rig().await;
    rig.cloud().rule("ask", "k", 1, Fault::Refused(ErrorKind::QuotaExceeded));
    rig.accept(CREATE, 1).await;
    rig.accept(UPGRADE, 2).await;
    let first = rig.run(1).await;
    assert_eq!(first.state, OperationState::Failed);
    assert_eq!(first.error.unwrap().kind, FailureKind::QuotaExceeded);
    let second = rig.operation(2).await;
    assert_eq!(second.state, OperationState::Cancelled);
    assert!(second.error.unwrap().detail.contains("was not made"));
    // What was made before is listed, and the user's to keep or remove.
    let kinds: Vec<&str> = first.remains.iter().map(|remains| remains.kind.as_str()).collect();
    assert_eq!(kinds, ["make", "make"]);
    rig.accept(DELETE, 3).await;
    assert_eq!(rig.run(3).await.state, OperationState::Succeeded);
    assert!(rig.cloud().in_the_end().is_empty());
    assert!(rig.store.resource(CLUSTER).await.unwrap().is_none());
}

#[tokio::test]
async fn a_deletion_stops_what_runs_runs_next_and_is_joined() {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    rig.accept(UPGRADE, 2).await;
    rig.run_for(Duration::from_secs(30)).await;
    let delete = rig.accept(DELETE, 3).await;
    assert_eq!(rig.operation(2).await.state, OperationState::Cancelled);
    assert!(rig.operation(1).await.cancel_requested);
    assert_eq!(rig.accept(DELETE, 4).await.id, delete.id);
    assert_eq!(rig.run(3).await.state, OperationState::Succeeded);
    assert_eq!(rig.operation(1).await.state, OperationState::Cancelled);
    assert!(rig.cloud().in_the_end().is_empty());
}

#[tokio::test]
async fn cancelling_what_is_queued_is_at_once_and_drops_its_record() {
    let rig = rig().await;
    let queued = rig.accept(CREATE, 1).await;
    assert_eq!(queued.state, OperationState::Queued);
    let cancelled = rig.store.cancel(rig.set.wish(1)).await.unwrap();
    assert_eq!(cancelled.state, OperationState::Cancelled);
    assert!(rig.store.resource(CLUSTER).await.unwrap().is_none());
    assert_eq!(rig.cloud().calls("ask"), 0);
}

#[tokio::test]
async fn cancelling_what_runs_settles_a_lost_ask_and_lists_what_remains() {
    let rig = rig().await;
    rig.cloud().rule("ask", "x", 1, Fault::LostLate(Duration::from_secs(50)));
    rig.accept(CREATE, 1).await;
    rig.run_for(Duration::from_secs(5)).await;
    rig.store.cancel(rig.set.wish(1)).await.unwrap();
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Cancelled);
    let mut left: Vec<String> = ended.remains.iter().map(|remains| remains.system_id.clone()).collect();
    left.sort();
    assert_eq!(left, ["role-r-1", "rules-x-1"]);
    assert_eq!(rig.cloud().in_the_end().len(), 2);
}

#[tokio::test]
async fn a_deletion_that_is_cancelled_lists_what_still_stands() {
    let group = removes("group", "a").subject(ResourceKind::NodeGroup, "a");
    let cluster = removes("cluster", "k").subject(ResourceKind::Cluster, "k").after(["remove group a"]);
    let plans = plans([(CREATE, creation()), (DELETE, vec![group, cluster])]);
    let rig = Rig::new(Set::new(Cloud::new(), CREATE, plans)).await;
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
    rig.accept(DELETE, 2).await;
    rig.run_for(Duration::from_secs(5)).await;
    rig.store.cancel(rig.set.wish(2)).await.unwrap();
    let ended = rig.run(2).await;
    assert_eq!(ended.state, OperationState::Cancelled);
    let left: Vec<(&str, &str)> =
        ended.remains.iter().map(|remains| (remains.kind.as_str(), remains.name.as_str())).collect();
    assert_eq!(left, [("nodeGroup", "a"), ("cluster", "k")]);
    assert!(ended.remains[0].reason.contains("its removal was asked for"), "{:?}", ended.remains);
    let asked = &ended.intent["asked"]["target"]["iid"]["systemId"];
    assert_eq!(Some(ended.remains[1].system_id.as_str()), asked.as_str());
}

#[tokio::test]
async fn a_retry_goes_on_where_the_failed_attempt_stopped() {
    let rig = rig().await;
    rig.cloud().rule("ask", "b", 1, Fault::Refused(ErrorKind::QuotaExceeded));
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Failed);
    let again = rig.store.retry(rig.set.wish(1), None).await.unwrap();
    assert_eq!((again.state, again.attempt), (OperationState::Queued, 2));
    assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
    for (what, name) in [("role", "r"), ("rules", "x"), ("cluster", "k"), ("group", "a"), ("group", "b")] {
        assert_eq!(rig.cloud().ever_made(what, name), 1, "{what} {name}");
    }
}

#[tokio::test]
async fn a_retry_replaces_what_its_own_first_attempt_left_failed() {
    let rig = rig().await;
    rig.cloud().rule("ask", "k", 1, Fault::MadeBroken);
    rig.accept(CREATE, 1).await;
    let failed = rig.run(1).await;
    assert_eq!(failed.state, OperationState::Failed);
    assert!(failed.remains.iter().any(|remains| remains.system_id == "cluster-k-1"));
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    let standing = rig.cloud().in_the_end();
    assert_eq!(standing.len(), 5);
    assert!(standing.iter().any(|thing| thing.id == "cluster-k-2" && !thing.fails));
    let record = rig.store.resource(CLUSTER).await.unwrap().unwrap();
    assert_eq!(record.system_id.as_deref(), Some("cluster-k-2"));
}

#[tokio::test]
async fn a_cloud_that_says_when_is_not_asked_before() {
    let mut cloud = Cloud::new();
    cloud.first_after = Some(Duration::from_secs(50));
    let rig = Rig::new(Set::new(cloud, CREATE, plans([(CREATE, creation())]))).await;
    rig.accept(CREATE, 1).await;
    while rig.cloud().ever_made("cluster", "k") == 0 {
        rig.run_for(Duration::from_secs(1)).await;
    }
    rig.run_for(Duration::from_secs(45)).await;
    assert_eq!(rig.cloud().calls("poll k"), 0);
    rig.run_for(Duration::from_secs(10)).await;
    assert_eq!(rig.cloud().calls("poll k"), 1);
}

#[tokio::test]
async fn work_that_something_changed_under_is_asked_for_again_a_few_times() {
    for (times, made, state) in [(2, 3, OperationState::Succeeded), (99, 6, OperationState::Failed)] {
        let rig = rig().await;
        rig.cloud().rule("poll", "k", times, Fault::WorkFailed(ErrorKind::Stale));
        rig.accept(CREATE, 1).await;
        let ended = rig.run(1).await;
        assert_eq!((ended.state, rig.cloud().ever_made("cluster", "k")), (state, made), "{:?}", ended.error);
        assert!(ended.error.is_none_or(|error| error.kind == FailureKind::Stale));
    }
    // Every other failure of it is final.
    let rig = rig().await;
    rig.cloud().rule("poll", "k", 1, Fault::WorkFailed(ErrorKind::Unavailable));
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.error.unwrap().kind, FailureKind::Unavailable);
    assert_eq!(rig.cloud().ever_made("cluster", "k"), 1);
}

/// A cloud that goes on with what failed when it is asked again.
async fn repairing() -> Rig {
    let mut set = Set::new(Cloud::new(), CREATE, plans([(CREATE, creation())]));
    set.driver.capabilities.failed_create = FailedCreate::Repair;
    Rig::new(set).await
}

#[tokio::test]
async fn a_retry_asks_again_for_what_its_own_first_attempt_left_failed() {
    let rig = repairing().await;
    rig.cloud().rule("ask", "k", 1, Fault::MadeBroken);
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Failed);
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.cloud().calls("remove_failed"), 0);
    for (what, name) in [("role", "r"), ("rules", "x"), ("cluster", "k"), ("group", "a"), ("group", "b")] {
        assert_eq!(rig.cloud().ever_made(what, name), 1, "{what} {name}");
    }
}

/// A change of what exists, by one stage, which the cloud ends as failed.
async fn failed_change(then: &[Fault]) -> Rig {
    let stage = makes("upgrade", "u", MARK, Identity::UniqueName).effect(Effect::Idempotent);
    let rig = Rig::new(Set::new(Cloud::new(), UPGRADE, plans([(UPGRADE, vec![stage])]))).await;
    rig.cloud().rule("ask", "u", 1, Fault::MadeBroken);
    rig.accept(UPGRADE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Failed);
    for fault in then {
        rig.cloud().rule("ask", "u", 1, fault.clone());
    }
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    rig
}

#[tokio::test]
async fn a_retry_asks_again_for_a_change_that_the_cloud_ended_as_failed() {
    // Once more where the first answer is lost or is a refusal that passes, and never after what was applied.
    let busy = Fault::Refused(ErrorKind::Conflict { by: String::new() });
    let stale = Fault::Refused(ErrorKind::Stale);
    let (lost, applied) = (Fault::LostBefore, Fault::LostAfter);
    for (then, asks) in [(vec![], 2), (vec![busy], 3), (vec![stale], 3), (vec![lost], 3), (vec![applied], 2)]
    {
        let rig = failed_change(&then).await;
        let ended = rig.run(1).await;
        assert_eq!(ended.state, OperationState::Succeeded, "{then:?} {:?}", ended.error);
        assert_eq!(rig.cloud().calls("ask u"), asks, "{then:?}");
        assert_eq!(rig.cloud().calls("repair u"), 1, "{then:?}");
        assert_eq!(rig.cloud().calls("remove_failed"), 0);
        assert_eq!(rig.cloud().ever_made("upgrade", "u"), 1);
    }
}

#[tokio::test]
async fn a_change_that_fails_at_every_attempt_is_asked_for_once_an_attempt() {
    let rig = failed_change(&[]).await;
    rig.cloud().rule("repair", "u", 1, Fault::Ignored);
    assert_eq!(rig.run(1).await.state, OperationState::Failed);
    assert_eq!(rig.cloud().calls("ask u"), 2);
}

#[tokio::test]
async fn a_retry_leaves_a_strangers_thing_alone_however_failures_are_mended() {
    for rig in [rig().await, repairing().await] {
        rig.cloud().put("cluster", "k");
        rig.accept(CREATE, 1).await;
        assert_eq!(rig.run(1).await.state, OperationState::Failed);
        let calls = rig.cloud().calls("ask k") + rig.cloud().calls("remove_failed k");
        rig.store.retry(rig.set.wish(1), None).await.unwrap();
        assert_eq!(rig.run(1).await.error.unwrap().kind, FailureKind::AlreadyExists);
        assert_eq!(rig.cloud().calls("ask k") + rig.cloud().calls("remove_failed k"), calls);
    }
}

#[tokio::test]
async fn a_strangers_thing_of_the_same_name_is_never_touched() {
    let rig = rig().await;
    rig.cloud().put("cluster", "k");
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::AlreadyExists);
    assert!(!ended.remains.iter().any(|remains| remains.name == "k"));
    let record = rig.store.resource(CLUSTER).await.unwrap().unwrap();
    assert_eq!(record.system_id, None, "a deletion would be aimed at it");
    let stage = |stage: &&pmks_store::Stage| stage.name == "cluster k";
    assert_eq!(ended.stages.iter().find(stage).unwrap().record.state, StageState::Failed);
    assert_eq!(rig.cloud().in_the_end().len(), 3);
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    assert_eq!(rig.run(1).await.error.unwrap().kind, FailureKind::AlreadyExists);
    assert_eq!(rig.cloud().in_the_end().len(), 3);
    assert_eq!(rig.cloud().calls("remove_failed"), 0);
}

#[tokio::test]
async fn what_failed_and_does_not_go_is_said_so_in_the_end() {
    let rig = rig().await;
    rig.cloud().rule("ask", "k", 1, Fault::MadeBroken);
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Failed);
    rig.cloud().rule("remove_failed", "k", 20, Fault::Ignored);
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Failed);
    assert!(ended.error.unwrap().detail.contains("it came out broken"));
    assert_eq!(rig.cloud().calls("remove_failed"), 5);
    assert!(ended.remains.iter().any(|remains| remains.system_id == "cluster-k-1"));
}

#[tokio::test]
async fn a_restarted_wall_clock_does_not_stop_the_engine() {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    rig.run_for(Duration::from_secs(30)).await;
    let back = rig.set.now().saturating_sub(Duration::from_hours(5)).unwrap();
    rig.cloud().clock.set_wall(back);
    // What the store says lies hours ahead; it is due all the same.
    let before = rig.cloud().calls("look") + rig.cloud().calls("poll");
    rig.engine.tick(rig.set.now()).await.unwrap();
    rig.engine.settle().await;
    assert!(rig.cloud().calls("look") + rig.cloud().calls("poll") > before);
}

/// So many operations of a cloud that answers nothing, spread over so many connections of one account.
async fn accept_silent(rig: &Rig, operations: u128, connections: u128) {
    for number in 0..operations {
        let mut slow = rig.set.accept(UPGRADE, 100 + number);
        slow.operation.resource.connection = format!("slow {}", number % connections);
        slow.operation.account = "slow:1".into();
        slow.operation.resource_uid = None;
        slow.holds.clear();
        rig.store.accept(slow).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_cloud_holds_up_nobody_else() {
    // More than may be at work at once, by one connection, and by so many that none has its number.
    for (operations, connections) in [(40, 1), (400, 100)] {
        let rig = rig().await;
        accept_silent(&rig, operations, connections).await;
        let clock = rig.cloud().clock.clone();
        let served = rig.engine.serve(std::future::pending());
        let asks = async {
            clock.sleep(Duration::from_secs(1)).await;
            rig.accept(CREATE, 1).await;
            rig.engine.wake();
            while rig.operation(1).await.state != OperationState::Succeeded {
                clock.sleep(Duration::from_secs(1)).await;
            }
        };
        let asks = tokio::time::timeout(Duration::from_mins(1), clock.run(Duration::from_millis(20), asks));
        tokio::select! {
            () = served => unreachable!("nobody stops it"),
            done = asks => done.expect("it gets its turn"),
        }
        let ended = rig.operation(1).await;
        let took = ended.finished_at.unwrap().duration_since(ended.created_at);
        assert!(took.as_secs() < 600, "{connections} connections: {took:?}");
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_cloud_that_answers_nothing() {
    let rig = rig().await;
    accept_silent(&rig, 8, 1).await;
    let asked = async {
        while rig.cloud().calls("connected") < 8 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), rig.engine.serve(asked)).await.unwrap();
    // Nothing of it goes on.
    tokio::time::timeout(Duration::from_secs(1), rig.engine.settle()).await.unwrap();
    assert!(rig.operation(100).await.finished_at.is_none());
}

#[tokio::test]
async fn what_is_too_old_is_dropped() {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    rig.cloud().clock.advance(Duration::from_hours(91 * 24));
    tokio::select! {
        () = rig.engine.serve(std::future::pending()) => unreachable!("nobody stops it"),
        () = tokio::time::sleep(Duration::from_millis(200)) => {}
    }
    assert!(rig.store.events_after(0, Some(ended.id), 10).await.unwrap().is_empty());
    assert!(rig.store.operation(ended.id).await.unwrap().is_some());
}
