//! Operations: accepted, waiting, overtaken, tried again.

use super::*;

#[tokio::test]
async fn a_refused_acceptance_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let mut second = create(2);
    second.resources.insert(0, resource(Uuid::from_u128(77), ResourceKind::Network, "n"));
    assert!(matches!(store.accept(second).await, Err(Error::AlreadyExists { .. })));
    assert!(store.operation(Uuid::from_u128(2)).await.unwrap().is_none());
    assert!(store.resource(Uuid::from_u128(77)).await.unwrap().is_none());
    assert_eq!(store.audit_log(&AuditFilter::default(), 100).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_operation() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let with_key = |number, body: &str| Accept {
        idempotency: Some(IdempotencyKey {
            scope: "me POST /x".into(),
            key: "k".into(),
            body_hash: body.into(),
        }),
        ..create(number)
    };
    store.accept(with_key(1, "h")).await.unwrap();
    let again = store.accept(with_key(2, "h")).await.unwrap();
    assert!(matches!(&again, Accepted::Repeated(operation) if operation.id == Uuid::from_u128(1)));
    assert!(matches!(store.accept(with_key(3, "other")).await, Err(Error::KeyReused)));
    store.prune(at(-1), at(1)).await.unwrap();
    assert!(matches!(store.accept(with_key(4, "h")).await, Err(Error::AlreadyExists { .. })));
}

#[tokio::test]
async fn holds_make_a_queue_and_refusals_name_the_holders() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.insert_resources(vec![resource(NETWORK, ResourceKind::Network, "n")], audit()).await.unwrap();
    store.accept(create(1)).await.unwrap();
    store.accept(accept(2, OperationKind::ClusterUpgrade, Vec::new())).await.unwrap();
    let mut delete = accept(3, OperationKind::NetworkDelete, Vec::new());
    delete.operation.resource_uid = Some(NETWORK);
    delete.holds = vec![Hold { resource: NETWORK, mode: HoldMode::Exclusive, when_held: WhenHeld::Refuse }];
    let holders = vec![Uuid::from_u128(1), Uuid::from_u128(2)];
    let refused = store.accept(delete).await;
    assert!(matches!(refused, Err(Error::Held { holders: named }) if named == holders));
    let first = claim(&store, 1).await;
    assert_eq!(first.len(), 1);
    assert_eq!(store.next_due(None).await.unwrap(), Some(at(61)));
    store.finish(first[0].fence, finish(End::Succeeded, at(2))).await.unwrap();
    let second = claim(&store, 3).await;
    assert_eq!(second[0].operation.id, Uuid::from_u128(2));
}

#[tokio::test]
async fn who_was_overtaken_writes_nothing_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let slow = claim(&store, 0).await.remove(0);
    assert!(claim(&store, 30).await.is_empty(), "the claim still holds");
    let next = claim(&store, 61).await.remove(0);
    assert!(next.fence.number > slow.fence.number);
    let fenced = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Fenced)), "{result:?}");
    fenced(store.start(slow.fence, done(), at(62)).await.map(drop));
    fenced(store.begin(slow.fence, begun(), done(), at(62)).await.map(drop));
    fenced(store.record(slow.fence, "preflight", done(), None, at(99), at(62)).await);
    fenced(store.release(slow.fence, at(99), at(62)).await);
    fenced(store.finish(slow.fence, finish(End::Succeeded, at(62))).await.map(drop));
    store.start(next.fence, done(), at(62)).await.unwrap();
    let operation = store.begin(next.fence, begun(), done(), at(62)).await.unwrap();
    assert_eq!((operation.stages.len(), operation.expected_seconds), (2, 7));
    let twice = store.begin(next.fence, begun(), done(), at(62)).await;
    assert!(matches!(twice, Err(Error::Conflict(_))), "a plan is never computed again");
    // A restart frees what was claimed, and fences whoever claimed it.
    store.close().await;
    let store = open(directory.path()).await;
    fenced(store.release(next.fence, at(99), at(63)).await);
    assert_eq!(claim(&store, 63).await.len(), 1);
}

#[tokio::test]
async fn a_wish_to_stop_is_not_slept_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let claimed = claim(&store, 0).await.remove(0);
    store.start(claimed.fence, done(), at(1)).await.unwrap();
    let asked = store.cancel(wish(1, 2)).await.unwrap();
    assert!(asked.cancel_requested && asked.state == OperationState::Running);
    store.release(claimed.fence, at(500), at(3)).await.unwrap();
    assert_eq!(store.next_due(None).await.unwrap(), Some(at(3)));
}

#[tokio::test]
async fn only_the_newest_operation_of_a_record_is_retried() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let failure = pmks_model::Failure::new(pmks_model::FailureKind::Timeout, "late");
    store.accept(create(1)).await.unwrap();
    let claimed = claim(&store, 0).await.remove(0);
    store.finish(claimed.fence, finish(End::Failed(Box::new(failure)), at(1))).await.unwrap();
    let queued = store.retry(wish(1, 2), None).await.unwrap();
    assert_eq!((queued.state, queued.attempt, queued.error), (OperationState::Queued, 2, None));
    let claimed = claim(&store, 3).await.remove(0);
    let failure = pmks_model::Failure::new(pmks_model::FailureKind::Timeout, "late");
    store.finish(claimed.fence, finish(End::Failed(Box::new(failure)), at(4))).await.unwrap();
    store.accept(accept(2, OperationKind::ClusterUpgrade, Vec::new())).await.unwrap();
    let older = store.retry(wish(1, 5), None).await;
    assert!(matches!(older, Err(Error::Conflict(_))));
}
