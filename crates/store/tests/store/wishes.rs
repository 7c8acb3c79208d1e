//! What users want of operations that are known, and what is decided together with one.

use super::*;

/// An operation whose one stage waits for a choice between three.
async fn waiting_for_a_choice(store: &SqliteStore) {
    store.accept(create(1)).await.unwrap();
    let fence = claim(store, 1).await.remove(0).fence;
    store.begin(fence, begun(), done(), at(1)).await.unwrap();
    let record = StageRecord { baseline: vec!["old".into()], ..StageRecord::default() };
    store.record(fence, "one", record, None, at(60), at(1)).await.unwrap();
    let blocked = pmks_store::Blocked {
        reason: "which".into(),
        needs: "a choice".into(),
        candidates: vec!["x".into(), "y".into(), "z".into()],
        stage: Some("one".into()),
    };
    store.block(fence, blocked, at(2)).await.unwrap();
}

#[tokio::test]
async fn a_choice_leaves_the_stage_one_candidate() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    waiting_for_a_choice(&store).await;
    let Err(Error::Conflict(says)) = store.retry(wish(1, 3), Some("w")).await else { panic!("it took w") };
    assert!(says.contains("x, y, z"), "{says}");
    let resumed = store.retry(wish(1, 3), Some("y")).await.unwrap();
    assert_eq!((resumed.state, resumed.blocked), (OperationState::Running, None));
    assert_eq!(resumed.stages[1].record.baseline, ["old", "x", "z"]);
}

#[tokio::test]
async fn a_choice_that_nobody_asked_for_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let fence = claim(&store, 1).await.remove(0).fence;
    let failure = pmks_model::Failure::new(pmks_model::FailureKind::Timeout, "late");
    store.finish(fence, finish(End::Failed(Box::new(failure)), at(2))).await.unwrap();
    assert!(matches!(store.retry(wish(1, 3), Some("y")).await, Err(Error::Conflict(_))));
    assert_eq!(store.retry(wish(1, 3), None).await.unwrap().attempt, 2);
}

#[tokio::test]
async fn the_same_key_retries_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    waiting_for_a_choice(&store).await;
    let keyed = |body: &str| Wish {
        idempotency: Some(IdempotencyKey { scope: "s".into(), key: "k".into(), body_hash: body.into() }),
        ..wish(1, 3)
    };
    store.retry(keyed("a"), None).await.unwrap();
    let again = store.retry(keyed("a"), None).await.unwrap();
    assert_eq!(again.state, OperationState::Running);
    assert!(matches!(store.retry(wish(1, 4), None).await, Err(Error::Conflict(_))));
    assert!(matches!(store.cancel(keyed("b")).await, Err(Error::KeyReused)));
}

#[tokio::test]
async fn what_waited_when_another_stage_failed_gets_its_time_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let fence = claim(&store, 1).await.remove(0).fence;
    store.begin(fence, begun(), done(), at(1)).await.unwrap();
    let waits = StageRecord { started_at: Some(at(1)), ..StageRecord::default() };
    store.record(fence, "one", waits, None, at(60), at(1)).await.unwrap();
    let failure = pmks_model::Failure::new(pmks_model::FailureKind::Timeout, "late");
    store.finish(fence, finish(End::Failed(Box::new(failure)), at(2))).await.unwrap();
    let again = store.retry(wish(1, 90_000), None).await.unwrap();
    assert_eq!(again.stages[1].record.started_at, None);
}

#[tokio::test]
async fn what_was_seen_gone_is_looked_at_once_more_and_what_was_asked_to_go_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let fence = claim(&store, 1).await.remove(0).fence;
    let stage = |name: &str, specification| NewStage { name: name.into(), specification };
    let stages = vec![
        stage("seen", json!({"doomed": "x"})),
        stage("asked", json!({"doomed": "y"})),
        stage("made", json!({"doomed": null})),
    ];
    store.begin(fence, Begun { stages, ..begun() }, done(), at(1)).await.unwrap();
    for (name, asked_at) in [("seen", None), ("asked", Some(at(1))), ("made", None)] {
        store.record(fence, name, StageRecord { asked_at, ..done() }, None, at(60), at(1)).await.unwrap();
    }
    let failure = pmks_model::Failure::new(pmks_model::FailureKind::Timeout, "late");
    store.finish(fence, finish(End::Failed(Box::new(failure)), at(2))).await.unwrap();
    let again = store.retry(wish(1, 3), None).await.unwrap();
    let found: Vec<_> = again.stages[1..].iter().map(|stage| stage.record.state).collect();
    assert_eq!(found, [StageState::Waiting, StageState::Done, StageState::Done]);
}

#[tokio::test]
async fn what_is_decided_is_true_with_its_operation_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let cluster = resource(CLUSTER, ResourceKind::Cluster, "k");
    store.insert_resources(vec![cluster], audit()).await.unwrap();
    let decided = |number, revision, resources| Accept {
        decided: Some(pmks_store::Decided {
            uid: CLUSTER,
            revision,
            update: ResourceUpdate { protected: Some(true), ..ResourceUpdate::default() },
        }),
        ..accept(number, OperationKind::ClusterUpdate, resources)
    };
    let protected = async || store.resource(CLUSTER).await.unwrap().unwrap().protected;
    // The name is taken: neither the operation nor the decision is there.
    let twice = vec![resource(NETWORK, ResourceKind::Cluster, "k")];
    assert!(matches!(store.accept(decided(1, 1, twice)).await, Err(Error::AlreadyExists { .. })));
    assert!(!protected().await);
    assert!(matches!(store.accept(decided(2, 7, Vec::new())).await, Err(Error::Stale { .. })));
    assert!(store.operation(Uuid::from_u128(2)).await.unwrap().is_none());
    store.accept(decided(3, 1, Vec::new())).await.unwrap();
    assert!(protected().await);
}

#[tokio::test]
async fn an_operation_ends_whatever_refreshes_did_to_its_records() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let part = |uid, name: &str| NewResource {
        parent: Some(CLUSTER),
        system_id: Some("g-1".into()),
        ..resource(Uuid::from_u128(uid), ResourceKind::NodeGroup, name)
    };
    store.insert_resources(vec![part(0xa1, "a")], audit()).await.unwrap();
    let fence = claim(&store, 1).await.remove(0).fence;
    let seen = |uid| Observe {
        uid,
        system_id: Some("g-1".into()),
        incarnation: None,
        observation: Observation { value: json!({}), started_at: at(2), observed_at: at(2) },
    };
    let unmade = NewResource { system_id: None, ..part(0xa2, "b") };
    store.insert_resources(vec![unmade], audit()).await.unwrap();
    let gone = Uuid::from_u128(0xdead);
    let finish = Finish {
        inserts: vec![part(0xa3, "a")],
        observations: vec![seen(Uuid::from_u128(0xa2)), seen(CLUSTER)],
        updates: vec![(gone, ResourceUpdate::default())],
        ..finish(End::Succeeded, at(3))
    };
    assert_eq!(store.finish(fence, finish).await.unwrap().state, OperationState::Succeeded);
    assert!(store.resource(Uuid::from_u128(0xa3)).await.unwrap().is_none());
    assert_eq!(store.resource(Uuid::from_u128(0xa2)).await.unwrap().unwrap().system_id, None);
    assert_eq!(store.resource(CLUSTER).await.unwrap().unwrap().system_id.as_deref(), Some("g-1"));
}
