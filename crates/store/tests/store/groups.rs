//! Changes that share a commit: each for itself, all on the disk before anybody hears.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use pmks_store::Grouping;
use tokio::sync::watch;

use super::*;

/// Holds everybody who comes to one of its points until it is opened, and remembers the commits.
#[derive(Debug)]
struct Gate {
    point: &'static str,
    open: watch::Sender<bool>,
    /// Whether it lets one pass, when it is opened, and no more.
    closes_behind: AtomicBool,
    commits: Mutex<usize>,
}

impl Gate {
    fn at(point: &'static str) -> Arc<Self> {
        let (open, closes_behind) = (watch::Sender::new(true), AtomicBool::new(false));
        Arc::new(Self { point, open, closes_behind, commits: Mutex::default() })
    }

    fn commits(&self) -> usize {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until somebody stands at the gate.
    async fn reached(&self) {
        while self.open.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait::async_trait]
impl KillPoints for Gate {
    async fn at(&self, point: &str) {
        if point == "store.group.after" {
            *self.commits.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        if point == self.point {
            self.open.subscribe().wait_for(|open| *open).await.unwrap();
            if self.closes_behind.load(Ordering::Relaxed) {
                self.open.send_replace(false);
            }
        }
    }
}

async fn open_at(directory: &Path, gate: &Arc<Gate>, changes: usize) -> Arc<SqliteStore> {
    let grouping = Grouping { changes, time: Duration::from_mins(1) };
    let path = directory.join("s");
    let store = SqliteStore::open_grouping(&path, key(1), Arc::clone(gate) as _, grouping).await.unwrap();
    Arc::new(store)
}

/// A creation of a cluster of its own.
fn another(number: u128) -> Accept {
    let uid = Uuid::from_u128(0xc00 + number);
    let mut accept = create(number);
    accept.operation.resource_uid = Some(uid);
    accept.resources = vec![resource(uid, ResourceKind::Cluster, &format!("k{number}"))];
    accept.holds.clear();
    accept
}

/// A store whose writer stands before a commit, so that whoever comes now shares the next one.
async fn crowded(directory: &Path, changes: usize) -> (Arc<SqliteStore>, Arc<Gate>) {
    let gate = Gate::at("store.group.before");
    let store = open_at(directory, &gate, changes).await;
    store.create_connection(connection("c", None), audit()).await.unwrap();
    gate.open.send_replace(false);
    let held = Arc::clone(&store);
    tokio::spawn(async move { held.audit(audit()).await.unwrap() });
    gate.reached().await;
    (store, gate)
}

#[tokio::test]
async fn changes_that_wait_together_share_a_commit_and_one_that_fails_takes_nothing_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (store, gate) = crowded(directory.path(), 256).await;
    let before = gate.commits();
    let mut given_up = Box::pin(store.accept(another(9)));
    let mut all: Vec<_> =
        [another(1), another(1), another(2)].map(|accept| Box::pin(store.accept(accept))).into();
    assert!((&mut given_up).now_or_never().is_none());
    assert!(all.iter_mut().all(|change| change.now_or_never().is_none()));
    drop(given_up);
    gate.open.send_replace(true);
    let answers = futures::future::join_all(all).await;
    // Whose name is taken asks once more by itself, and shares the commit of the others if it comes in time.
    let commits = gate.commits() - before;
    assert!((2..=3).contains(&commits), "the one at the gate and one for all others, not {commits}");
    assert!(matches!(answers[0], Ok(Accepted::New(_))), "{answers:?}");
    assert!(matches!(answers[1], Err(Error::AlreadyExists { .. })), "{answers:?}");
    assert!(matches!(answers[2], Ok(Accepted::New(_))), "{answers:?}");
    store.close().await;
    let store = open(directory.path()).await;
    let kept = store.operations(&OperationFilter::default(), Page::all()).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.id.as_u128()).collect::<Vec<_>>(), [1, 2]);
    let events = store.events_after(0, None, 100).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(*store.events().borrow(), events[1].sequence);
}

/// Everything of a store that an acceptance writes, but for identifiers and times.
async fn written(store: &SqliteStore) -> (Vec<pmks_store::Operation>, Vec<serde_json::Value>, usize) {
    let operations = store.operations(&OperationFilter::default(), Page::all()).await.unwrap();
    let events = store.events_after(0, None, 100).await.unwrap();
    let lines = store.audit_log(&AuditFilter::default(), 100).await.unwrap();
    (operations, events.into_iter().map(|event| event.snapshot).collect(), lines.len())
}

#[tokio::test]
async fn what_is_accepted_together_is_what_is_accepted_alone_and_what_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let (store, gate) = crowded(directory.path(), 256).await;
    let mut accepts: Vec<_> = (1..=9).map(another).collect();
    let network = Uuid::from_u128(0x41);
    for (number, accept) in accepts.iter_mut().enumerate() {
        let key = IdempotencyKey { scope: "s".into(), key: number.to_string(), body_hash: "h".into() };
        accept.idempotency = Some(key);
        accept.operation.traceparent = Some("t".into());
        accept.operation.now = Timestamp::from_nanosecond(1_800_000_000_123_456_789).unwrap();
        let mode = if number == 2 { HoldMode::Exclusive } else { HoldMode::Shared };
        let hold = |mode| Hold { resource: network, mode, when_held: WhenHeld::Wait };
        // Held twice.
        accept.holds = vec![hold(mode), hold(HoldMode::Shared)];
    }
    let mut all = futures::future::join_all(
        accepts.iter().cloned().map(|accept| Box::pin(store.accept(accept))).collect::<Vec<_>>(),
    );
    assert!((&mut all).now_or_never().is_none());
    gate.open.send_replace(true);
    let answered: Vec<_> = all.await.into_iter().map(|answer| answer.unwrap().operation()).collect();
    let behind: Vec<_> = answered.iter().map(|one| one.waits_for.map(|id| id.as_u128())).collect();
    assert_eq!(behind, [vec![None, None], vec![Some(1)], vec![Some(3); 6]].concat());
    let together = written(&store).await;
    assert_eq!(answered, together.0, "what was answered is what is stored");
    assert_eq!(*store.events().borrow(), 9);
    let again = store.repeated(accepts[4].idempotency.as_ref().unwrap()).await.unwrap();
    assert_eq!(again.as_ref(), answered.get(4));

    let alone = tempfile::tempdir().unwrap();
    let store = with_connection(alone.path()).await;
    store.audit(audit()).await.unwrap();
    for accept in accepts {
        // An acceptance that looks at what is there takes a turn of its own.
        store.accept(Accept { supersedes: true, ..accept }).await.unwrap();
    }
    assert_eq!(written(&store).await, together);
}

#[tokio::test]
async fn one_of_many_that_is_refused_takes_none_of_the_others_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (store, gate) = crowded(directory.path(), 256).await;
    let mut accepts: Vec<_> = (1..=20).map(another).collect();
    // The record of another, the place of another, a connection that is not there.
    accepts[3].resources = accepts[7].resources.clone();
    accepts[11].resources.push(resource(Uuid::from_u128(0xfff), ResourceKind::Cluster, "k2"));
    accepts[17].resources[0].connection = "nowhere".into();
    let all: Vec<_> = accepts.into_iter().map(|accept| Box::pin(store.accept(accept))).collect();
    let mut all = futures::future::join_all(all);
    assert!((&mut all).now_or_never().is_none());
    gate.open.send_replace(true);
    let answers = all.await;
    let refused: Vec<_> =
        (1..).zip(&answers).filter(|(_, answer)| answer.is_err()).map(|(id, _)| id).collect();
    assert_eq!(refused, [8, 12, 18], "{answers:?}");
    assert!(matches!(answers[7], Err(Error::AlreadyExists { .. })), "{answers:?}");
    assert!(matches!(answers[17], Err(Error::Database(_))), "{answers:?}");
    let kept = store.operations(&OperationFilter::default(), Page::all()).await.unwrap();
    assert_eq!(kept.len(), 17);
    assert!(kept.iter().is_sorted_by_key(|one| one.queue_order), "in the order in which they came");
    assert_eq!(store.events_after(0, None, 100).await.unwrap().len(), 17);
}

#[tokio::test]
async fn a_group_is_no_larger_than_its_bound() {
    let directory = tempfile::tempdir().unwrap();
    let (store, gate) = crowded(directory.path(), 2).await;
    let before = gate.commits();
    let all: Vec<_> = (1..=5).map(|number| Box::pin(store.accept(another(number)))).collect();
    let mut all = futures::future::join_all(all);
    assert!((&mut all).now_or_never().is_none());
    gate.open.send_replace(true);
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(gate.commits() - before, 1 + 3);
}

#[tokio::test]
async fn a_crash_before_the_commit_loses_what_nobody_was_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let (store, gate) = crowded(directory.path(), 256).await;
    let mut all =
        futures::future::join_all([another(1), another(2)].map(|accept| Box::pin(store.accept(accept))));
    assert!((&mut all).now_or_never().is_none());
    // The gate lets the first group pass and holds the second one, whose changes stand here, for ever.
    let commits = gate.commits();
    gate.closes_behind.store(true, Ordering::Relaxed);
    gate.open.send_replace(true);
    while gate.commits() == commits {
        tokio::task::yield_now().await;
    }
    tokio::select! {
        told = &mut all => panic!("they were told: {told:?}"),
        () = gate.reached() => {}
    }
    drop(all);
    store.close().await;
    let store = open(directory.path()).await;
    assert!(store.operations(&OperationFilter::default(), Page::all()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_crash_after_the_commit_keeps_the_whole_group() {
    let directory = tempfile::tempdir().unwrap();
    let gate = Gate::at("store.group.after");
    let store = open_at(directory.path(), &gate, 256).await;
    store.create_connection(connection("c", None), audit()).await.unwrap();
    gate.open.send_replace(false);
    let accepting = Arc::clone(&store);
    let change = tokio::spawn(async move { accepting.accept(another(1)).await });
    gate.reached().await;
    assert!(!change.is_finished(), "nobody heard of it");
    change.abort();
    store.close().await;
    let store = open(directory.path()).await;
    assert_eq!(store.operations(&OperationFilter::default(), Page::all()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_is_closed_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.close().await;
    assert!(matches!(store.audit(audit()).await, Err(Error::Closed)));
    let read = store.operations(&OperationFilter::default(), Page::all()).await;
    assert!(matches!(read, Err(Error::Closed)), "{read:?}");
}

#[tokio::test]
async fn what_was_made_ready_with_a_connection_that_leads_elsewhere_by_now_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (store, gate) = crowded(directory.path(), 256).await;
    let elsewhere = ConnectionUpdate {
        specification: Some(json!({"region": "elsewhere"})),
        moves: true,
        ..ConnectionUpdate::default()
    };
    let mut change = Box::pin(store.update_connection("c", None, elsewhere, audit()));
    assert!((&mut change).now_or_never().is_none());
    let moved_too = |number| {
        let through =
            Through { connection: CONNECTION, specification: json!({"region": "elsewhere"}), account: None };
        Accept { through, ..another(number) }
    };
    let another_one = |number| {
        let through = Through { connection: Uuid::from_u128(1), ..moved_too(number).through };
        Accept { through, ..another(number) }
    };
    let asked = [another(1), moved_too(2), another_one(3), moved_too(4), another(5)];
    let all: Vec<_> = asked.into_iter().map(|accept| Box::pin(store.accept(accept))).collect();
    let mut all = futures::future::join_all(all);
    assert!((&mut all).now_or_never().is_none());
    gate.open.send_replace(true);
    change.await.unwrap();
    for (answer, stands) in all.await.into_iter().zip([false, true, false, true, false]) {
        match answer {
            Ok(_) => assert!(stands),
            Err(Error::Conflict(says)) => assert!(!stands && says.contains("was changed"), "{says}"),
            Err(other) => panic!("{other:?}"),
        }
    }
    // Alone, and where whose account it is differs.
    let account =
        ConnectionUpdate { account: Some(("aws:2".into(), "me".into())), ..ConnectionUpdate::default() };
    store.update_connection("c", None, account, audit()).await.unwrap();
    for accept in [moved_too(6), Accept { supersedes: true, ..moved_too(7) }] {
        let refused = store.accept(accept).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    let kept = store.operations(&OperationFilter::default(), Page::all()).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.id.as_u128()).collect::<Vec<_>>(), [2, 4]);
}
