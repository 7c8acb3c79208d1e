//! What readers that keep records in memory are told: everything, once, in one piece.

use super::*;

fn uids(changes: &pmks_store::Changes) -> Vec<Uuid> {
    changes.resources.iter().map(|resource| resource.uid).collect()
}

#[tokio::test]
async fn everything_first_and_then_only_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let hint = store.changes();
    let first = store.changes_since(None).await.unwrap();
    assert!(first.whole && first.connections.len() == 1 && first.resources.is_empty());
    let known = *hint.borrow();
    store.accept(create(1)).await.unwrap();
    assert_ne!(*hint.borrow(), known, "the number differs before the change is answered");
    let second = store.changes_since(Some(first.version)).await.unwrap();
    assert!(!second.whole && second.connections.is_empty() && second.gone.is_empty());
    assert_eq!(uids(&second), [CLUSTER]);
    assert_eq!(second.operations[0].resource, Some(CLUSTER));
    let nothing = store.changes_since(Some(second.version)).await.unwrap();
    assert!(nothing.resources.is_empty() && nothing.operations.is_empty() && !nothing.whole);
    // Events, audit lines and stages are nobody's who keeps records.
    let known = *hint.borrow();
    store.audit(audit()).await.unwrap();
    assert_eq!(*hint.borrow(), known);
    store.forget(CLUSTER, true, audit()).await.unwrap();
    let third = store.changes_since(Some(second.version)).await.unwrap();
    assert_eq!((third.resources.len(), third.operations.len(), third.gone.len()), (0, 0, 2));
    assert!(third.gone.contains(&CLUSTER) && third.gone.contains(&Uuid::from_u128(1)));
}

#[tokio::test]
async fn what_is_undone_is_no_change() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let version = store.changes_since(None).await.unwrap().version;
    store.accept(create(2)).await.unwrap_err();
    let after = store.changes_since(Some(version)).await.unwrap();
    assert_eq!((after.version, after.resources.len(), after.gone.len()), (version, 0, 0));
}

#[tokio::test]
async fn who_knows_less_than_is_kept_reads_everything() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let version = store.changes_since(None).await.unwrap().version;
    // More comes and goes than is kept.
    let many = |from: u128| {
        let one = |number| resource(Uuid::from_u128(number), ResourceKind::KeyPair, &number.to_string());
        (from..from + 5_100).map(one).collect::<Vec<_>>()
    };
    for from in [1_000_000, 2_000_000] {
        store.insert_resources(many(from), audit()).await.unwrap();
        let writer = sqlx::SqlitePool::connect_with(
            sqlx::sqlite::SqliteConnectOptions::new().filename(directory.path().join("s")),
        )
        .await
        .unwrap();
        sqlx::query("DELETE FROM resources").execute(&writer).await.unwrap();
        writer.close().await;
    }
    store.accept(create(1)).await.unwrap();
    let (mut read_to, mut gone, mut pieces) = (version, 0, 0);
    loop {
        let piece = store.changes_since(Some(read_to)).await.unwrap();
        assert!(!piece.whole && piece.version > read_to && piece.gone.len() <= 1_000);
        (read_to, gone, pieces) = (piece.version, gone + piece.gone.len(), pieces + 1);
        if !piece.more {
            break;
        }
    }
    assert_eq!((gone, pieces), (10_200, 11));
    store.prune(at(0), at(0)).await.unwrap();
    let all = store.changes_since(Some(version)).await.unwrap();
    assert!(all.whole && all.gone.is_empty() && all.resources.is_empty());
    let next = store.changes_since(Some(all.version)).await.unwrap();
    assert!(!next.whole && next.resources.is_empty());
    store.forget(CLUSTER, true, audit()).await.unwrap();
    assert!(store.changes_since(Some(all.version)).await.unwrap().gone.contains(&CLUSTER));
}
