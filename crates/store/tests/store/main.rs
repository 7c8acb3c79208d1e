//! The store's promises: fences, unique keys, sealed rows that cannot be swapped, transactions that are whole.

#![expect(clippy::unwrap_used, reason = "a test whose setting fails has failed")]

mod audit_log;
mod changes;
mod files;
mod groups;
mod pieces;
mod turns;
mod wishes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pmks_model::{OperationKind, OperationState, ResourceKind, ResourceReference, StageState};
use pmks_store::{
    Accept, Accepted, Access as _, AuditEntry, AuditFilter, Begun, Claim, Claimed, ConnectionUpdate,
    Connections as _, Credential, End, Error, Finish, Hold, HoldMode, IdempotencyKey, KillPoints, MasterKey,
    NewApiToken, NewConnection, NewOperation, NewResource, NewStage, NoKillPoints, Observation, Observe,
    OperationFilter, Operations as _, Page, ResourceFilter, ResourceKey, ResourceUpdate, Resources as _,
    Role, SqliteStore, StageRecord, SystemKey, Through, WhenHeld, Wish,
};
use serde_json::json;
use uuid::Uuid;

const CONNECTION: Uuid = Uuid::from_u128(0xc0);
const CLUSTER: Uuid = Uuid::from_u128(0xc1);
const NETWORK: Uuid = Uuid::from_u128(0x41);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn key(byte: u8) -> MasterKey {
    MasterKey::from_bytes([byte; 32])
}

fn audit() -> AuditEntry {
    AuditEntry {
        at: at(0),
        who: "me".into(),
        action: "test".into(),
        target: "it".into(),
        request_id: "r".into(),
    }
}

async fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(&directory.join("s"), key(1), Arc::new(NoKillPoints)).await.unwrap()
}

fn connection(name: &str, secret: Option<&str>) -> NewConnection {
    NewConnection {
        uid: if name == "c" { CONNECTION } else { pmks_store::new_uid(at(0)) },
        name: name.into(),
        provider: "aws".into(),
        specification: json!({"region": "r"}),
        account: None,
        credential: secret.map(|secret| Credential::new(secret.as_bytes().to_vec())),
    }
}

async fn with_connection(directory: &Path) -> SqliteStore {
    let store = open(directory).await;
    store.create_connection(connection("c", Some("hunter2")), audit()).await.unwrap();
    store
}

fn resource(uid: Uuid, kind: ResourceKind, name: &str) -> NewResource {
    NewResource {
        uid,
        kind,
        connection: "c".into(),
        account: "aws:1".into(),
        location: "r".into(),
        parent: None,
        name: name.into(),
        cloud_name: None,
        system_id: None,
        incarnation: None,
        request: json!({"name": name}),
        observation: None,
        protected: false,
        imported: false,
    }
}

fn accept(number: u128, kind: OperationKind, resources: Vec<NewResource>) -> Accept {
    let hold = |resource, mode| Hold { resource, mode, when_held: WhenHeld::Wait };
    Accept {
        operation: NewOperation {
            id: Uuid::from_u128(number),
            kind,
            resource: ResourceReference {
                kind: ResourceKind::Cluster,
                connection: "c".into(),
                cluster: None,
                network: None,
                name: "k".into(),
            },
            resource_uid: Some(CLUSTER),
            account: "aws:1".into(),
            intent: json!({"change": "x"}),
            requested_by: "me".into(),
            traceparent: None,
            now: at(0),
        },
        through: Through { connection: CONNECTION, specification: json!({"region": "r"}), account: None },
        resources,
        decided: None,
        holds: vec![hold(CLUSTER, HoldMode::Exclusive), hold(NETWORK, HoldMode::Shared)],
        names: Vec::new(),
        joins: false,
        alike: Vec::new(),
        supersedes: false,
        idempotency: None,
        audit: audit(),
    }
}

fn wish(number: u128, seconds: i64) -> Wish {
    Wish { operation: Uuid::from_u128(number), now: at(seconds), idempotency: None, audit: audit() }
}

fn create(number: u128) -> Accept {
    accept(number, OperationKind::ClusterCreate, vec![resource(CLUSTER, ResourceKind::Cluster, "k")])
}

async fn claim(store: &SqliteStore, seconds: i64) -> Vec<Claimed> {
    let claim = Claim {
        owner: Uuid::from_u128(9),
        now: at(seconds),
        until: at(seconds + 60),
        longest: at(seconds + 600),
        limit: 10,
        limit_per_connection: 10,
        except: Vec::new(),
        except_accounts: Vec::new(),
        under_way: Vec::new(),
        only: None,
    };
    store.claim(claim).await.unwrap()
}

fn finish(end: End, now: Timestamp) -> Finish {
    Finish {
        end,
        remains: Vec::new(),
        broken_off: None,
        not_removed: None,
        observations: Vec::new(),
        updates: Vec::new(),
        inserts: Vec::new(),
        removes: Vec::new(),
        now,
    }
}

fn begun() -> Begun {
    Begun {
        intent: json!({"change": "y"}),
        stages: vec![NewStage { name: "one".into(), specification: json!({"kind": "x"}) }],
        resolved: [("version".to_owned(), "1.33".to_owned())].into(),
        notices: vec!["n".into()],
        children: json!(null),
        expected_seconds: 7,
    }
}

fn done() -> StageRecord {
    StageRecord { state: StageState::Done, ..StageRecord::default() }
}

#[tokio::test]
async fn the_installation_and_everything_else_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let installation = store.installation();
    store.accept(create(1)).await.unwrap();
    let before = store.operation(Uuid::from_u128(1)).await.unwrap();
    store.close().await;
    let store = open(directory.path()).await;
    assert_eq!(store.installation(), installation);
    assert_eq!(store.operation(Uuid::from_u128(1)).await.unwrap(), before);
    assert_eq!(store.connections(Page::all()).await.unwrap().len(), 1);
    assert_eq!(store.resources(&ResourceFilter::default(), Page::all()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_credential_comes_back_and_lies_nowhere_in_the_clear() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let (revision, credential) = store.credential("c").await.unwrap().unwrap();
    assert_eq!((revision, credential.expose()), (1, b"hunter2".as_slice()));
    assert_eq!(format!("{credential:?}"), "Credential(..)");
    let update = ConnectionUpdate {
        credential: Some(Credential::new(b"hunter3".to_vec())),
        ..ConnectionUpdate::default()
    };
    let changed = store.update_connection("c", Some(1), update, audit()).await.unwrap();
    assert_eq!((changed.credential_revision, changed.revision), (2, 2));
    assert_eq!(store.credential("c").await.unwrap().unwrap().1.expose(), b"hunter3");
    store.close().await;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"hunter"));
    }
}

#[tokio::test]
async fn sealed_rows_cannot_be_swapped_or_put_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.create_connection(connection("d", Some("other")), audit()).await.unwrap();
    store.close().await;
    let url = format!("sqlite://{}", directory.path().join("s").display());
    let raw = sqlx::SqlitePool::connect(&url).await.unwrap();
    for swap in [
        "UPDATE credentials SET sealed = (SELECT sealed FROM credentials o WHERE o.connection <> credentials.connection)",
        "UPDATE credentials SET data_key = (SELECT data_key FROM credentials o WHERE o.connection <> credentials.connection)",
        "UPDATE credentials SET revision = revision + 1",
    ] {
        let kept = sqlx::query("CREATE TABLE kept AS SELECT * FROM credentials").execute(&raw).await;
        kept.unwrap();
        sqlx::query(swap).execute(&raw).await.unwrap();
        let store = open(directory.path()).await;
        let error = store.credential("c").await.unwrap_err();
        assert!(matches!(error, Error::Damaged(_)), "{swap}: {error}");
        store.close().await;
        sqlx::query("DELETE FROM credentials").execute(&raw).await.unwrap();
        sqlx::query("INSERT INTO credentials SELECT * FROM kept").execute(&raw).await.unwrap();
        sqlx::query("DROP TABLE kept").execute(&raw).await.unwrap();
    }
    let store = open(directory.path()).await;
    assert!(store.credential("c").await.unwrap().is_some());
}

#[tokio::test]
async fn a_rotated_master_key_is_the_only_one_that_opens() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.rotate(key(2), audit()).await.unwrap();
    assert_eq!(store.credential("c").await.unwrap().unwrap().1.expose(), b"hunter2");
    store.close().await;
    let path = directory.path().join("s");
    let old = SqliteStore::open(&path, key(1), Arc::new(NoKillPoints)).await;
    assert!(matches!(old, Err(Error::WrongMasterKey)));
    let new = SqliteStore::open(&path, key(2), Arc::new(NoKillPoints)).await.unwrap();
    assert_eq!(new.credential("c").await.unwrap().unwrap().1.expose(), b"hunter2");
}

#[tokio::test]
async fn a_connection_stays_in_its_account_and_while_something_is_known_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let account = |name: &str| ConnectionUpdate {
        account: Some((name.to_owned(), "me".to_owned())),
        ..ConnectionUpdate::default()
    };
    store.update_connection("c", None, account("aws:1"), audit()).await.unwrap();
    let other = store.update_connection("c", None, account("aws:2"), audit()).await;
    assert!(matches!(other, Err(Error::Conflict(_))));
    let stale = store.update_connection("c", Some(1), account("aws:1"), audit()).await;
    assert!(matches!(stale, Err(Error::Stale { .. })));
    let twice = store.create_connection(connection("c", None), audit()).await;
    assert!(matches!(twice, Err(Error::AlreadyExists { .. })));
    let through = Through { account: Some("aws:1".into()), ..create(1).through };
    let of_account = Accept { through, ..create(1) };
    store.accept(of_account).await.unwrap();
    assert!(matches!(store.delete_connection("c", Vec::new(), audit()).await, Err(Error::Held { .. })));
    store.cancel(wish(1, 1)).await.unwrap();
    store.delete_connection("c", Vec::new(), audit()).await.unwrap();
    assert!(store.credential("c").await.unwrap().is_none());
}

#[tokio::test]
async fn names_and_identifiers_are_unique_in_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let mut first = resource(CLUSTER, ResourceKind::Cluster, "k");
    first.system_id = Some("id".into());
    store.insert_resources(vec![first.clone()], audit()).await.unwrap();
    let refused = async |change: fn(&mut NewResource)| {
        let mut next = NewResource { uid: pmks_store::new_uid(at(1)), ..first.clone() };
        change(&mut next);
        store.insert_resources(vec![next], audit()).await.is_err()
    };
    assert!(refused(|next| next.system_id = Some("other".into())).await, "the same name");
    assert!(refused(|next| next.name = "other".into()).await, "the same identifier");
    assert!(!refused(|next| next.account = "aws:2".into()).await);
    assert!(!refused(|next| next.location = "elsewhere".into()).await);
    assert!(!refused(|next| next.parent = Some(CLUSTER)).await);
    let by_name = ResourceKey {
        account: "aws:1".into(),
        location: "r".into(),
        kind: ResourceKind::Cluster,
        parent: None,
        name: "k".into(),
    };
    assert_eq!(store.find_resource(&by_name).await.unwrap().unwrap().uid, CLUSTER);
    let by_id = SystemKey {
        account: "aws:1".into(),
        location: "r".into(),
        kind: ResourceKind::Cluster,
        parent: None,
        system_id: "id".into(),
    };
    assert_eq!(store.find_system_id(&by_id).await.unwrap().unwrap().uid, CLUSTER);
}

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
async fn an_observation_from_before_a_change_never_overwrites_a_later_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let observe = |value: i64, start: i64, end: i64| Observe {
        uid: CLUSTER,
        system_id: Some("id".into()),
        incarnation: Some("1".into()),
        observation: Observation { value: json!(value), started_at: at(start), observed_at: at(end) },
    };
    assert_eq!(store.observe(vec![observe(1, 10, 11)]).await.unwrap(), 1);
    assert_eq!(store.observe(vec![observe(2, 9, 12)]).await.unwrap(), 0, "read before what is stored");
    let claimed = claim(&store, 20).await.remove(0);
    let mut end = finish(End::Succeeded, at(30));
    end.observations = vec![observe(3, 29, 30)];
    store.finish(claimed.fence, end).await.unwrap();
    assert_eq!(store.observe(vec![observe(4, 25, 35)]).await.unwrap(), 0, "began before the change ended");
    assert_eq!(store.observe(vec![observe(5, 31, 36)]).await.unwrap(), 1);
    let record = store.resource(CLUSTER).await.unwrap().unwrap();
    assert_eq!(record.observation.unwrap().value, json!(5));
    assert_eq!(record.system_id.as_deref(), Some("id"));
}

#[tokio::test]
async fn a_record_is_forgotten_only_when_nothing_runs_or_it_is_abandoned() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let claimed = claim(&store, 0).await.remove(0);
    store.start(claimed.fence, done(), at(1)).await.unwrap();
    assert!(matches!(store.forget(CLUSTER, false, audit()).await, Err(Error::Held { .. })));
    store.forget(CLUSTER, true, audit()).await.unwrap();
    assert!(store.resource(CLUSTER).await.unwrap().is_none());
    let given_up = store.operation(Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!(given_up.state, OperationState::Cancelled);
    assert!(matches!(store.release(claimed.fence, at(9), at(9)).await, Err(Error::Fenced)));
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

#[tokio::test]
async fn pages_by_uid_survive_inserts() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let uids: Vec<Uuid> = (0..5).map(|second| pmks_store::new_uid(at(second))).collect();
    let records = uids.iter().enumerate();
    let records: Vec<NewResource> =
        records.map(|(index, uid)| resource(*uid, ResourceKind::Network, &format!("n{index}"))).collect();
    store.insert_resources(records, audit()).await.unwrap();
    let filter = ResourceFilter { kind: Some(ResourceKind::Network), ..ResourceFilter::default() };
    let first = store.resources(&filter, Page::first(2)).await.unwrap();
    let after = Page { after: Some(first[1].uid), limit: 10 };
    let rest = store.resources(&filter, after).await.unwrap();
    let seen: Vec<Uuid> = first.iter().chain(&rest).map(|record| record.uid).collect();
    assert_eq!(seen, uids);
    let update = ResourceUpdate { protected: Some(true), ..ResourceUpdate::default() };
    let changed = store.update_resource(uids[0], Some(1), update.clone(), audit()).await.unwrap();
    assert!(changed.protected && changed.revision == 2);
    assert!(matches!(
        store.update_resource(uids[0], Some(1), update, audit()).await,
        Err(Error::Stale { .. })
    ));
    let none = OperationFilter { unfinished: true, ..OperationFilter::default() };
    assert!(store.operations(&none, Page::all()).await.unwrap().is_empty());
}

#[tokio::test]
async fn tokens_are_kept_as_hashes_and_revoked_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let token = NewApiToken {
        uid: pmks_store::new_uid(at(0)),
        name: "ci".into(),
        hash: "h".into(),
        role: Role::Operator,
        connections: vec!["c".into()],
        expires_at: Some(at(3600)),
    };
    let known = store.changes_since(None).await.unwrap().version;
    let made = store.create_api_token(token.clone(), audit()).await.unwrap();
    assert!(matches!(store.create_api_token(token, audit()).await, Err(Error::AlreadyExists { .. })));
    assert_eq!(store.api_tokens().await.unwrap(), std::slice::from_ref(&made));
    let hint = store.changes();
    let (told, number) = (store.changes_since(Some(known)).await.unwrap(), *hint.borrow());
    assert_eq!((told.api_tokens, told.gone.len()), (vec![made], 0), "who keeps them hears of a new one");
    store.revoke_api_token("ci", audit()).await.unwrap();
    assert_ne!(*hint.borrow(), number, "the number differs before the revocation is answered");
    let told = store.changes_since(Some(told.version)).await.unwrap();
    assert!(told.api_tokens.len() == 1 && told.api_tokens[0].revoked_at.is_some());
    assert_eq!(store.changes_since(None).await.unwrap().api_tokens, told.api_tokens);
    assert!(store.api_tokens().await.unwrap()[0].revoked_at.is_some());
    assert!(matches!(store.revoke_api_token("ci", audit()).await, Err(Error::NotFound { .. })));
}

/// Ends everything at one named point, and tells that it was reached.
#[derive(Debug)]
struct EndAt(&'static str, Arc<tokio::sync::Notify>);

#[async_trait::async_trait]
impl KillPoints for EndAt {
    async fn at(&self, point: &str) {
        if point == self.0 {
            self.1.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn a_crash_within_a_transaction_leaves_all_of_it_or_nothing() {
    for (point, there) in
        [("store.accept.before", false), ("store.accept.within", false), ("store.accept.after", true)]
    {
        let directory = tempfile::tempdir().unwrap();
        with_connection(directory.path()).await.close().await;
        let path = directory.path().join("s");
        let reached = Arc::new(tokio::sync::Notify::new());
        let end = Arc::new(EndAt(point, Arc::clone(&reached)));
        let store = SqliteStore::open(&path, key(1), end).await.unwrap();
        tokio::select! {
            accepted = store.accept(create(1)) => panic!("{point}: {accepted:?}"),
            () = reached.notified() => {}
        }
        store.close().await;
        let store = open(directory.path()).await;
        assert_eq!(store.operation(Uuid::from_u128(1)).await.unwrap().is_some(), there, "{point}");
        assert_eq!(store.resource(CLUSTER).await.unwrap().is_some(), there, "{point}");
        assert_eq!(store.events_after(0, None, 9).await.unwrap().len(), usize::from(there), "{point}");
        assert_eq!(
            store.audit_log(&AuditFilter::default(), 9).await.unwrap().len(),
            1 + usize::from(there),
            "{point}"
        );
    }
}
