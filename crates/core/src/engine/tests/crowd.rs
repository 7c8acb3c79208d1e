//! Many that wait at one place.

use std::time::Duration;

use pmks_driver::{Change, ErrorKind, Identity};
use pmks_model::{OperationKind, OperationState};
use pmks_store::Operations as _;
use uuid::Uuid;

use super::cloud::{Cloud, Fault};
use super::driver::{makes, removes};
use super::rig::{MARK, Rig, Set, plans};

const CREATE: OperationKind = OperationKind::ClusterCreate;
const DELETE: OperationKind = OperationKind::ClusterDelete;

/// So many creations, each of a thing of its own, settled in that way.
async fn crowd(size: u128, identity: Identity) -> Rig {
    let plans =
        plans([(CREATE, vec![makes("cluster", "*", MARK, identity)]), (DELETE, vec![removes("role", "r")])]);
    let rig = Rig::new(Set::new(Cloud::new(), CREATE, plans)).await;
    for number in 1..=size {
        let mut accept = rig.set.accept(CREATE, number);
        let mut change = serde_json::from_value(accept.operation.intent).unwrap();
        if let Change::CreateCluster(asked) = &mut change {
            asked.request.name = format!("k{number}");
        }
        accept.operation.intent = serde_json::to_value(change).unwrap();
        accept.operation.resource_uid = None;
        accept.resources.clear();
        accept.holds.clear();
        rig.store.accept(accept).await.unwrap();
    }
    rig
}

async fn all_succeed(rig: &Rig, size: u128) {
    rig.run_for(Duration::from_mins(5)).await;
    for number in 1..=size {
        let operation = rig.store.operation(Uuid::from_u128(number)).await.unwrap().unwrap();
        assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
    }
}

const TOKEN: Identity = Identity::Token { lifetime_seconds: 24 * 3600 };

#[tokio::test]
async fn more_than_five_that_wait_are_answered_by_one_list() {
    for (identity, call) in [(TOKEN, "poll"), (Identity::UniqueName, "look")] {
        let rig = crowd(12, identity).await;
        rig.run_for(Duration::from_secs(1)).await;
        let asked = rig.cloud().calls(call);
        all_succeed(&rig, 12).await;
        // The first five do not know yet that they are many, and the last five are few again.
        let own = rig.cloud().calls(call) - asked;
        assert!((5..=10).contains(&own), "{call}: {own}");
        let lists = rig.cloud().calls("list_progress");
        assert!((2..=12).contains(&lists), "{lists} lists in five minutes");
    }
}

#[tokio::test]
async fn five_that_wait_ask_for_themselves() {
    let rig = crowd(5, TOKEN).await;
    all_succeed(&rig, 5).await;
    assert_eq!(rig.cloud().calls("list_progress"), 0);
    assert!(rig.cloud().calls("poll") >= 10);
}

#[tokio::test]
async fn a_list_that_fails_stops_nobody() {
    let rig = crowd(12, TOKEN).await;
    rig.cloud().rule("list_progress", "", 1_000, Fault::Refused(ErrorKind::Unavailable));
    all_succeed(&rig, 12).await;
    assert!(rig.cloud().calls("list_progress") > 0 && rig.cloud().calls("poll") > 24);
}

#[tokio::test]
async fn a_list_is_not_believed_that_something_is_gone() {
    let rig = crowd(12, TOKEN).await;
    rig.cloud().put("role", "r");
    rig.cloud().clock.advance(Duration::from_mins(1));
    let mut accept = rig.set.accept(DELETE, 100);
    accept.operation.resource_uid = None;
    accept.holds.clear();
    rig.store.accept(accept).await.unwrap();
    rig.run_for(Duration::from_secs(15)).await;
    // The crowd's list says of every removal that it is done.
    assert!(rig.cloud().calls("list_progress") > 0);
    assert_eq!(rig.operation(100).await.state, OperationState::Running);
    assert_eq!(rig.run(100).await.state, OperationState::Succeeded);
    assert!(rig.cloud().standing().iter().all(|thing| thing.part.what != "role"));
}
