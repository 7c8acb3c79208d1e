//! The store's promises: fences, unique keys, sealed rows that cannot be swapped, transactions that are whole.

#![expect(clippy::unwrap_used, reason = "a test whose setting fails has failed")]

mod audit_log;
mod changes;
mod connections;
mod files;
mod groups;
mod operations;
mod pieces;
mod resources;
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
