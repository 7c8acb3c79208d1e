//! What shares a commit: who is told what, and what a disk that takes no more does to it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Wake, Waker};

use jiff::Timestamp;

use super::*;
use crate::{
    Access as _, AuditEntry, AuditFilter, Connections as _, Fault, MasterKey, NoKillPoints, Operations as _,
    Resources as _, SqliteStore,
};

async fn limit_pages(store: &SqliteStore, pages: u32) {
    let mut connection = store.writers.acquire().await.unwrap();
    let pragma = format!("PRAGMA max_page_count = {pages}");
    sqlx::query(sqlx::AssertSqlSafe(pragma)).execute(&mut *connection).await.unwrap();
}

fn line(target: &str) -> AuditEntry {
    let [who, action, request_id] = ["me", "test", ""].map(str::to_owned);
    AuditEntry { at: Timestamp::UNIX_EPOCH, who, action, target: target.to_owned(), request_id }
}

/// The connection of an acceptance.
fn connection() -> crate::NewConnection {
    crate::NewConnection {
        uid: uuid::Uuid::nil(),
        name: "c".to_owned(),
        provider: "p".to_owned(),
        specification: serde_json::Value::Null,
        account: None,
        credential: None,
    }
}

/// An acceptance as large as that text.
fn creation(text: &str) -> Accept {
    let resource = pmks_model::ResourceReference {
        kind: pmks_model::ResourceKind::Cluster,
        connection: "c".to_owned(),
        cluster: None,
        network: None,
        name: "k".to_owned(),
    };
    let operation = crate::NewOperation {
        id: crate::new_uid(Timestamp::UNIX_EPOCH),
        kind: pmks_model::OperationKind::ClusterCreate,
        resource,
        resource_uid: None,
        account: "a".to_owned(),
        intent: text.into(),
        requested_by: "me".to_owned(),
        traceparent: None,
        now: Timestamp::UNIX_EPOCH,
    };
    let through = crate::Through {
        connection: uuid::Uuid::nil(),
        specification: serde_json::Value::Null,
        account: None,
    };
    Accept {
        operation,
        through,
        resources: Vec::new(),
        decided: None,
        holds: Vec::new(),
        joins: false,
        names: Vec::new(),
        alike: Vec::new(),
        supersedes: false,
        idempotency: None,
        audit: line("it"),
    }
}

/// Who is woken by an event, and notes the newest change that is told by then.
struct Woken {
    changes: watch::Receiver<i64>,
    told: AtomicI64,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.told.store(*self.changes.borrow(), Ordering::Relaxed);
    }
}

#[tokio::test]
async fn changes_are_told_before_events() {
    let directory = tempfile::tempdir().unwrap();
    let key = MasterKey::from_bytes([1; 32]);
    let store = SqliteStore::open(&directory.path().join("s"), key, Arc::new(NoKillPoints)).await.unwrap();
    store.create_connection(connection(), line("first")).await.unwrap();
    let (mut events, changes) = (store.events(), store.changes());
    let before = *changes.borrow();
    let woken = Arc::new(Woken { changes: changes.clone(), told: AtomicI64::new(before) });
    let waker = Waker::from(Arc::clone(&woken));
    let mut heard = std::pin::pin!(events.changed());
    assert!(heard.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    store.accept(creation("one")).await.unwrap();
    let told = woken.told.load(Ordering::Relaxed);
    assert!(told > before, "{before} still, when the event was heard");
    assert_eq!(told, *changes.borrow());
}

#[tokio::test]
async fn a_database_that_became_read_only_is_said_and_all_goes_on_when_it_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let key = MasterKey::from_bytes([1; 32]);
    let store = SqliteStore::open(&path, key, Arc::new(NoKillPoints)).await.unwrap();
    let only_read = async |on: &'static str| {
        let mut connection = store.writers.acquire().await.unwrap();
        sqlx::query(on).execute(&mut *connection).await.unwrap();
    };
    only_read("PRAGMA query_only = 1").await;
    let refused = store.audit(line("refused")).await;
    let Err(Error::Database(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.fault, Fault::Forbidden);
    assert!(store.probe().await.is_err(), "it is not ready");
    only_read("PRAGMA query_only = 0").await;
    store.audit(line("kept")).await.unwrap();
    assert_eq!(store.audit_log(&AuditFilter::default(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_half_is_stored_and_all_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let key = MasterKey::from_bytes([1; 32]);
    let store = SqliteStore::open(&path, key, Arc::new(NoKillPoints)).await.unwrap();
    store.create_connection(connection(), line("first")).await.unwrap();
    // As many as there are: the next that is needed is refused.
    limit_pages(&store, 1).await;
    let large = "x".repeat(100_000);
    let (small, refused) = tokio::join!(store.audit(line("small")), store.audit(line(&large)));
    let Err(Error::Database(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.fault, Fault::Full);
    let mut kept: Vec<String> = store
        .audit_log(&AuditFilter::default(), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|line| line.entry.target)
        .collect();
    kept.reverse();
    // What shared its commit is on the disk, or was told that it is not.
    assert_eq!(kept, if small.is_ok() { vec!["first", "small"] } else { vec!["first"] });
    let (one, other) = tokio::join!(store.accept(creation(&large)), store.accept(creation(&large)));
    for refused in [one, other] {
        let Err(Error::Database(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(error.fault, Fault::Full);
    }
    limit_pages(&store, 1_000_000).await;
    store.audit(line(&large)).await.unwrap();
    assert_eq!(store.audit_log(&AuditFilter::default(), 10).await.unwrap().len(), kept.len() + 1);
}
