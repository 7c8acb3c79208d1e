//! What each kind of error leads to.

use std::time::Duration;

use jiff::SignedDuration;
use pmks_driver::{Effect, ErrorKind, Identity};
use pmks_model::{FailureKind, OperationKind, OperationState, ResourceKind};

use super::cloud::{Cloud, Fault};
use super::driver::{makes, removes};
use super::rig::{MARK, Rig, Set, creation, plans};

const CREATE: OperationKind = OperationKind::ClusterCreate;
const DELETE: OperationKind = OperationKind::ClusterDelete;
const UPGRADE: OperationKind = OperationKind::ClusterUpgrade;

async fn rig() -> Rig {
    Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, creation())]))).await
}

fn busy() -> Fault {
    Fault::Refused(ErrorKind::Conflict { by: String::new() })
}

/// A change of an existing cluster by one stage.
async fn upgrade() -> Rig {
    let plan = vec![makes("upgrade", "u", MARK, Identity::UniqueName).effect(Effect::Idempotent)];
    let rig = Rig::new(Set::new(Cloud::new(), UPGRADE, plans([(UPGRADE, plan)]))).await;
    rig.accept(UPGRADE, 1).await;
    rig
}

#[tokio::test]
async fn lost_answers_are_settled_whatever_became_of_the_request() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::LostLate(Duration::from_secs(55))] {
        for name in ["r", "x", "k", "a"] {
            let rig = rig().await;
            rig.cloud().rule("ask", name, 1, fault.clone());
            rig.accept(CREATE, 1).await;
            let ended = rig.run(1).await;
            assert_eq!(ended.state, OperationState::Succeeded, "{name} {fault:?} {:?}", ended.error);
            assert_eq!(rig.cloud().in_the_end().len(), 5, "{name} {fault:?}");
        }
    }
}

#[tokio::test]
async fn an_ask_that_is_lost_again_and_again_makes_one_thing() {
    let rig = rig().await;
    rig.cloud().rule("ask", "a", 4, Fault::LostBefore);
    rig.cloud().rule("ask", "a", 1, Fault::LostLate(Duration::from_secs(58)));
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
    assert_eq!(rig.cloud().ever_made("group", "a"), 1);
}

#[tokio::test]
async fn what_comes_late_does_not_outlive_a_deletion() {
    let mut cloud = Cloud::new();
    cloud.takes = Duration::from_secs(1);
    // Asking again makes nothing twice here, as long as the first one stands.
    let make = makes("cluster", "k", MARK, Identity::UniqueName).effect(Effect::Idempotent);
    let make = make.subject(ResourceKind::Cluster, "k");
    let plans = plans([(CREATE, vec![make]), (DELETE, vec![removes("cluster", "k")])]);
    let rig = Rig::new(Set::new(cloud, CREATE, plans)).await;
    rig.cloud().rule("ask", "k", 1, Fault::LostLate(Duration::from_secs(55)));
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
    rig.accept(DELETE, 2).await;
    assert_eq!(rig.run(2).await.state, OperationState::Succeeded);
    assert_eq!(rig.cloud().in_the_end(), []);
    assert_eq!(rig.cloud().ever_made("cluster", "k"), 1);
}

#[tokio::test]
async fn what_changes_under_the_ask_is_asked_again_five_times() {
    for (times, state) in [(5, OperationState::Succeeded), (6, OperationState::Failed)] {
        let rig = rig().await;
        rig.cloud().rule("ask", "a", times, Fault::Refused(ErrorKind::Stale));
        rig.accept(CREATE, 1).await;
        assert_eq!(rig.run(1).await.state, state, "{times}");
    }
}

#[tokio::test]
async fn a_busy_cloud_is_waited_for_while_its_resource_is_unsettled() {
    let rig = upgrade().await;
    rig.cloud().set_busy(true);
    rig.cloud().rule("ask", "u", 60, busy());
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    // Longer than the stage's own deadline: being busy does not count against it.
    let took = ended.finished_at.unwrap().duration_since(ended.created_at);
    assert!(took.as_secs() > 45 * 60, "{took:?}");
}

#[tokio::test]
async fn a_cloud_that_is_busy_for_six_hours_has_failed() {
    let rig = upgrade().await;
    rig.cloud().set_busy(true);
    rig.cloud().rule("ask", "u", 100_000, busy());
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::Timeout);
    let took = ended.finished_at.unwrap().duration_since(ended.created_at);
    assert!((6 * 3600..6 * 3600 + 300).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn what_is_not_shown_any_more_is_waited_for_as_long_as_its_stage_may_take() {
    let rig = upgrade().await;
    rig.cloud().set_busy(true);
    rig.cloud().rule("ask", "u", 1, busy());
    rig.cloud().rule("look", "u", 1, Fault::ClockSet(SignedDuration::ZERO));
    rig.cloud().rule("look", "u", 100_000, Fault::NotShown);
    let ended = rig.run(1).await;
    let error = ended.error.unwrap();
    assert_eq!(error.kind, FailureKind::Timeout);
    assert!(error.detail.contains("it is not shown yet"), "{error:?}");
    let took = ended.finished_at.unwrap().duration_since(ended.created_at);
    assert!((15 * 60..18 * 60).contains(&took.as_secs()), "{took:?}");
    assert_eq!(rig.cloud().calls("ask u"), 1);
    assert!(rig.cloud().calls("look u") < 100, "{}", rig.cloud().calls("look u"));
}

#[tokio::test]
async fn busy_while_three_looks_find_the_resource_settled_is_a_failure() {
    let rig = upgrade().await;
    rig.cloud().rule("ask", "u", 100_000, busy());
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::Conflict);
    assert_eq!(rig.cloud().calls("get_cluster"), 3);
}

#[tokio::test]
async fn a_network_that_stands_and_is_busy_for_long_is_held_by_somebody_else() {
    let kind = OperationKind::NetworkDelete;
    let plan = vec![removes("network", "n")];
    let rig = Rig::new(Set::new(Cloud::new(), kind, plans([(kind, plan)]))).await;
    rig.cloud().put("network", "n");
    rig.cloud().clock.advance(Duration::from_mins(1));
    rig.cloud().rule("ask", "n", 100_000, busy());
    rig.accept(kind, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::Conflict);
    let took = ended.finished_at.unwrap().duration_since(ended.created_at);
    assert!((20 * 60..30 * 60).contains(&took.as_secs()), "{took:?}");
    assert_eq!(rig.cloud().calls("get_network"), 3);
}

#[tokio::test]
async fn throttling_is_obeyed() {
    let rig = upgrade().await;
    let retry_after = Some(Duration::from_mins(4));
    rig.cloud().rule("ask", "u", 1, Fault::Refused(ErrorKind::Throttled { retry_after }));
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded);
    let took = ended.finished_at.unwrap().duration_since(ended.created_at);
    assert!(took.as_secs() >= 240, "{took:?}");
    assert_eq!(rig.cloud().calls("ask u"), 2);
}

#[tokio::test]
async fn a_cloud_out_of_reach_is_tried_until_the_deadline() {
    let rig = upgrade().await;
    rig.cloud().rule("look", "u", 100_000, Fault::Refused(ErrorKind::Unavailable));
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::Timeout);
    let took = ended.finished_at.unwrap().duration_since(ended.created_at);
    assert!((900..1000).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn what_is_stuck_ends_with_what_exists_listed() {
    let mut cloud = Cloud::new();
    cloud.takes = Duration::from_hours(99);
    let rig = Rig::new(Set::new(cloud, CREATE, plans([(CREATE, creation())]))).await;
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::Timeout);
    assert_eq!(ended.remains.len(), 2);
}

#[tokio::test]
async fn a_refused_preparation_changes_nothing() {
    let rig = rig().await;
    let missing = ErrorKind::PrerequisiteMissing { what: "a role".into(), fix: "make it".into() };
    rig.cloud().rule("prepare", "", 1, Fault::Refused(missing));
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::PrerequisiteMissing);
    assert_eq!(rig.cloud().calls("ask"), 0);
    assert!(ended.remains.is_empty());
}

#[tokio::test]
async fn a_failed_stage_lets_its_neighbours_finish_and_begins_nothing_new() {
    let rig = rig().await;
    rig.cloud().rule("ask", "a", 1, Fault::Refused(ErrorKind::QuotaExceeded));
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::QuotaExceeded);
    let made: Vec<&str> = ended.remains.iter().map(|remains| remains.name.as_str()).collect();
    assert_eq!(made, ["role r", "rules x", "k", "b"]);
    assert!(ended.remains.iter().all(|remains| remains.reason.contains("was made before")));
}

#[tokio::test]
async fn an_idle_engine_asks_nothing() {
    let rig = upgrade().await;
    rig.run(1).await;
    let before = rig.cloud().calls("look");
    rig.run_for(Duration::from_hours(5)).await;
    assert_eq!(rig.cloud().calls("look"), before);
    assert_eq!(rig.engine.tick(rig.set.now()).await.unwrap(), None);
}

#[tokio::test]
async fn who_acts_is_asked_for_a_quarter_of_an_hour_and_not_for_ever() {
    for (times, state) in [(60, OperationState::Succeeded), (usize::MAX, OperationState::Failed)] {
        let rig = rig().await;
        rig.cloud().rule("identity", "", times, Fault::Refused(ErrorKind::Unavailable));
        rig.accept(CREATE, 1).await;
        let ended = rig.run(1).await;
        assert_eq!(ended.state, state, "{times}");
        if state == OperationState::Failed {
            assert_eq!(ended.error.unwrap().kind, FailureKind::Unavailable);
            assert_eq!(rig.cloud().calls("prepare") + rig.cloud().calls("ask"), 0);
            assert_eq!(rig.cloud().calls("identity"), 61);
        }
    }
}
