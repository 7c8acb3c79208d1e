//! What cannot go on without its user, and how it goes on with one.

use std::time::Duration;

use pmks_driver::{ErrorKind, Identity};
use pmks_model::{FailureKind, OperationKind, OperationState, ResourceKind};
use pmks_store::{Operations as _, Resources as _};

use super::cloud::{Cloud, Fault};
use super::driver::makes;
use super::rig::{CLUSTER, MARK, Rig, Set, creation, plans};

const CREATE: OperationKind = OperationKind::ClusterCreate;

async fn rig() -> Rig {
    Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, creation())]))).await
}

/// An operation that made something, lost the answer, and found a stranger's beside it.
async fn between_two() -> Rig {
    let plan = vec![makes("rules", "x", MARK, Identity::Baseline).subject(ResourceKind::Cluster, "k")];
    let rig = Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, plan)]))).await;
    rig.cloud().rule("ask", "x", 1, Fault::LostAfter);
    rig.accept(CREATE, 1).await;
    rig.run_for(Duration::from_secs(2)).await;
    rig.cloud().put("rules", "y");
    assert_eq!(rig.run(1).await.state, OperationState::Blocked);
    rig
}

#[tokio::test]
async fn another_account_blocks_until_the_credential_is_right() {
    let rig = rig().await;
    rig.cloud().set_account("fake:2");
    rig.accept(CREATE, 1).await;
    let blocked = rig.run(1).await;
    assert_eq!(blocked.state, OperationState::Blocked);
    assert_eq!(blocked.blocked.unwrap().reason, "credential");
    assert_eq!(rig.cloud().calls("look") + rig.cloud().calls("prepare"), 0);
}

#[tokio::test]
async fn several_candidates_block_and_a_retry_resumes() {
    let rig = between_two().await;
    let blocked = rig.operation(1).await;
    assert_eq!(blocked.blocked.unwrap().candidates, ["rules-x-1", "rules-y-1"]);
    assert_eq!(rig.cloud().ever_made("rules", "x"), 1);
    // The user removes the stranger's, a long time later.
    rig.cloud().clock.advance(Duration::from_hours(3));
    let part = super::cloud::Part { what: "rules".into(), name: "y".into(), mark: String::new() };
    rig.cloud().remove(&part, None).unwrap();
    rig.cloud().clock.advance(Duration::from_mins(5));
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.cloud().ever_made("rules", "x"), 1);
}

#[tokio::test]
async fn a_choice_between_candidates_is_taken_and_the_other_left_alone() {
    let rig = between_two().await;
    rig.store.retry(rig.set.wish(1), Some("rules-x-1")).await.unwrap();
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    let record = rig.store.resource(CLUSTER).await.unwrap().unwrap();
    assert_eq!(record.system_id.as_deref(), Some("rules-x-1"));
    assert_eq!(rig.cloud().ever_made("rules", "x"), 1);
    assert_eq!(rig.cloud().in_the_end().len(), 2);
}

#[tokio::test]
async fn another_connection_of_the_same_name_proves_its_own_account() {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
    rig.cloud().connect_again("fake:2");
    // An operation that is pinned to the account of before touches nothing in the new one.
    let upgrade = rig.set.accept(OperationKind::ClusterUpgrade, 2);
    rig.store.accept(upgrade).await.unwrap();
    assert_eq!(rig.run(2).await.state, OperationState::Blocked);
    rig.store.cancel(rig.set.wish(2)).await.unwrap();
    rig.run(2).await;
    let mut upgrade = rig.set.accept(OperationKind::ClusterUpgrade, 3);
    upgrade.operation.account = "fake:2".into();
    rig.store.accept(upgrade).await.unwrap();
    assert_eq!(rig.run(3).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn what_was_blocked_before_it_began_does_not_try_for_ever_when_it_is_resumed() {
    let rig = rig().await;
    rig.cloud().set_account("fake:2");
    rig.accept(CREATE, 1).await;
    assert_eq!(rig.run(1).await.state, OperationState::Blocked);
    rig.cloud().connect_again("fake:1");
    rig.cloud().rule("prepare", "", 100_000, Fault::Refused(ErrorKind::Unavailable));
    rig.cloud().clock.advance(Duration::from_hours(20));
    rig.store.retry(rig.set.wish(1), None).await.unwrap();
    let resumed = rig.set.now();
    let ended = rig.run(1).await;
    assert_eq!(ended.error.unwrap().kind, FailureKind::Unavailable);
    let took = ended.finished_at.unwrap().duration_since(resumed);
    assert!((15 * 60..20 * 60).contains(&took.as_secs()), "{took:?}");
}
