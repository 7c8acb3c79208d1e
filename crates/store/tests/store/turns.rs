//! Whose turn it is: noted when an operation is queued, and again whenever what it waits for lets go.

use super::*;

/// An operation that holds the network alone, after whoever holds it.
fn alone(number: u128) -> Accept {
    holding(number, HoldMode::Exclusive)
}

/// One that shares it.
fn sharing(number: u128) -> Accept {
    holding(number, HoldMode::Shared)
}

fn holding(number: u128, mode: HoldMode) -> Accept {
    let mut accept = accept(number, OperationKind::ClusterUpgrade, Vec::new());
    accept.operation.resource_uid = None;
    accept.holds = vec![Hold { resource: NETWORK, mode, when_held: WhenHeld::Wait }];
    accept
}

async fn behind(store: &SqliteStore) -> Vec<Option<u128>> {
    let all = store.operations(&OperationFilter::default(), Page::all()).await.unwrap();
    all.iter().map(|one| one.waits_for.map(|id| id.as_u128())).collect()
}

#[tokio::test]
async fn who_waits_for_several_waits_for_the_next_when_one_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    for accept in [sharing(1), sharing(2), alone(3), sharing(4)] {
        store.accept(accept).await.unwrap();
    }
    assert_eq!(behind(&store).await, [None, None, Some(1), Some(3)]);
    let both = claim(&store, 1).await;
    assert_eq!(both.len(), 2);
    store.finish(both[0].fence, finish(End::Succeeded, at(2))).await.unwrap();
    assert_eq!(behind(&store).await, [None, None, Some(2), Some(3)]);
    assert!(claim(&store, 3).await.is_empty());
    // One that fails and is asked for again stands at the end of the queue.
    let failure = pmks_model::Failure::new(pmks_model::FailureKind::Timeout, "late");
    store.finish(both[1].fence, finish(End::Failed(Box::new(failure)), at(4))).await.unwrap();
    assert_eq!(behind(&store).await, [None, None, None, Some(3)]);
    store.retry(wish(2, 5), None).await.unwrap();
    assert_eq!(behind(&store).await, [None, Some(3), None, Some(3)]);
    // Whoever gives up lets go.
    store.cancel(wish(3, 6)).await.unwrap();
    assert_eq!(behind(&store).await, [None, None, None, None]);
    assert_eq!(claim(&store, 7).await.len(), 2);
}

#[tokio::test]
async fn who_waits_in_a_file_of_an_earlier_release_waits_still() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    for accept in [sharing(1), alone(2), sharing(3)] {
        store.accept(accept).await.unwrap();
    }
    store.close().await;
    let path = directory.path().join("s");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let writer = sqlx::SqlitePool::connect_with(options).await.unwrap();
    // The file as the release before had it.
    sqlx::raw_sql(
        "DROP TRIGGER hold_given_up; DROP INDEX operations_ready; DROP INDEX operations_behind; \
         ALTER TABLE operations DROP COLUMN waits_for; DELETE FROM _sqlx_migrations WHERE version = 10",
    )
    .execute(&writer)
    .await
    .unwrap();
    writer.close().await;
    let store = open(directory.path()).await;
    assert_eq!(behind(&store).await, [None, Some(1), Some(2)]);
    let first = claim(&store, 1).await;
    assert_eq!(first.len(), 1);
    store.finish(first[0].fence, finish(End::Succeeded, at(2))).await.unwrap();
    assert_eq!(behind(&store).await, [None, None, Some(2)]);
}

/// A creation that names the network, and its removal.
fn of_network(number: u128) -> Accept {
    let mut accept = sharing(number);
    accept.operation.kind = OperationKind::ClusterCreate;
    accept.names = vec![NETWORK];
    accept
}

fn removal(number: u128) -> Accept {
    let mut accept = alone(number);
    accept.operation.kind = OperationKind::NetworkDelete;
    accept
}

#[tokio::test]
async fn nothing_is_made_of_what_is_gone_or_on_its_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let unknown = store.accept(of_network(1)).await;
    assert!(matches!(&unknown, Err(Error::Stale { .. })), "{unknown:?}");
    store.insert_resources(vec![resource(NETWORK, ResourceKind::Network, "n")], audit()).await.unwrap();
    // Behind a change of it there is a place, whoever waits together.
    store.accept(alone(2)).await.unwrap();
    let (first, second) = tokio::join!(store.accept(of_network(3)), store.accept(of_network(4)));
    assert!(first.is_ok() && second.is_ok());
    store.accept(removal(5)).await.unwrap();
    let (first, second) = tokio::join!(store.accept(of_network(6)), store.accept(sharing(7)));
    let holders = vec![Uuid::from_u128(5)];
    assert!(matches!(&first, Err(Error::Held { holders: named }) if *named == holders), "{first:?}");
    assert!(second.is_ok(), "what names nothing waits as ever");
    store.cancel(wish(5, 1)).await.unwrap();
    store.accept(of_network(8)).await.unwrap();
}
