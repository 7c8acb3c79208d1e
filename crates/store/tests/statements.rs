//! What an operation costs in statements: each that is sent by itself wakes SQLite's thread and waits for it.
//!
//! Alone in its program: what is counted is whatever any store of the process is asked.

#![expect(clippy::unwrap_used, reason = "a test whose setting fails has failed")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pmks_model::{OperationKind, ResourceKind, ResourceReference, StageState};
use pmks_store::{
    Accept, AuditEntry, Begun, Claim, Connections as _, End, Finish, Hold, HoldMode, MasterKey,
    NewConnection, NewOperation, NewResource, NewStage, NoKillPoints, Observation, Observe, Operations as _,
    Resources as _, SqliteStore, StageRecord, Through, WhenHeld,
};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use uuid::Uuid;

const CLUSTER: Uuid = Uuid::from_u128(0xc1);
const OPERATION: Uuid = Uuid::from_u128(1);

/// Hears of each statement, or several sent as one, that SQLite carried out.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<String>>>);

impl Sent {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Sent {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A statement: whole, or its first words where it is no longer.
struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if (field.name() == "summary" || field.name() == "db.statement") && !value.is_empty() {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn audit() -> AuditEntry {
    let [who, action, target, request_id] = ["me", "test", "it", "r"].map(str::to_owned);
    AuditEntry { at: at(0), who, action, target, request_id }
}

fn creation(connection: Uuid) -> Accept {
    let hold = |resource, mode| Hold { resource, mode, when_held: WhenHeld::Wait };
    Accept {
        operation: NewOperation {
            id: OPERATION,
            kind: OperationKind::ClusterCreate,
            resource: ResourceReference {
                kind: ResourceKind::Cluster,
                connection: "c".to_owned(),
                cluster: None,
                network: None,
                name: "k".to_owned(),
            },
            resource_uid: Some(CLUSTER),
            account: "mock:1".to_owned(),
            intent: json!({"change": "x"}),
            requested_by: "me".to_owned(),
            traceparent: None,
            now: at(0),
        },
        through: Through { connection, specification: json!({}), account: None },
        resources: vec![NewResource {
            uid: CLUSTER,
            kind: ResourceKind::Cluster,
            connection: "c".to_owned(),
            account: "mock:1".to_owned(),
            location: "r".to_owned(),
            parent: None,
            name: "k".to_owned(),
            cloud_name: None,
            system_id: None,
            incarnation: None,
            request: json!({}),
            observation: None,
            protected: false,
            imported: false,
        }],
        decided: None,
        holds: vec![hold(CLUSTER, HoldMode::Exclusive), hold(connection, HoldMode::Shared)],
        joins: false,
        alike: Vec::new(),
        supersedes: false,
        names: Vec::new(),
        idempotency: None,
        audit: audit(),
    }
}

fn in_state(state: StageState) -> StageRecord {
    StageRecord { state, started_at: Some(at(1)), ..StageRecord::default() }
}

#[tokio::test]
async fn a_creation_takes_few_statements_and_none_is_planned_anew_each_time() {
    let sent = Sent::default();
    tracing::subscriber::set_global_default(sent.clone()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let key = MasterKey::from_bytes([1; 32]);
    let store = SqliteStore::open(&directory.path().join("s"), key, Arc::new(NoKillPoints)).await.unwrap();
    let connection = NewConnection {
        uid: Uuid::from_u128(0xc0),
        name: "c".to_owned(),
        provider: "mock".to_owned(),
        specification: json!({}),
        account: None,
        credential: None,
    };
    store.create_connection(connection, audit()).await.unwrap();
    let mut all = Vec::new();
    let mut takes = |what: &str, most: usize| {
        let taken = sent.take();
        assert!(!taken.is_empty() && taken.len() <= most, "{what} takes {}: {taken:#?}", taken.len());
        all.extend(taken);
    };
    sent.take();
    store.accept(creation(Uuid::from_u128(0xc0))).await.unwrap();
    takes("an acceptance", 13);
    let claim = Claim {
        owner: Uuid::from_u128(9),
        now: at(1),
        until: at(61),
        longest: at(3600),
        limit: 10,
        limit_per_connection: 10,
        except: Vec::new(),
        except_accounts: Vec::new(),
        under_way: Vec::new(),
        only: None,
    };
    let claimed = store.claim(claim).await.unwrap();
    let fence = claimed[0].fence;
    takes("a claim", 6);
    store.start(fence, in_state(StageState::Following), at(1)).await.unwrap();
    takes("a start", 6);
    let begun = Begun {
        intent: json!({"change": "y"}),
        stages: vec![NewStage { name: "cluster".to_owned(), specification: json!({}) }],
        resolved: std::collections::BTreeMap::new(),
        notices: Vec::new(),
        children: json!({}),
        expected_seconds: 1,
    };
    store.begin(fence, begun, in_state(StageState::Done), at(1)).await.unwrap();
    takes("a plan", 8);
    let asking = in_state(StageState::Asking);
    store.record(fence, "cluster", asking, Some(CLUSTER), at(61), at(1)).await.unwrap();
    takes("a stage that is to ask", 7);
    let done = StageRecord { system_id: Some("k".to_owned()), ..in_state(StageState::Done) };
    store.record(fence, "cluster", done, Some(CLUSTER), at(61), at(1)).await.unwrap();
    takes("a stage that is done", 8);
    let seen = Observe {
        uid: CLUSTER,
        system_id: Some("k".to_owned()),
        incarnation: None,
        observation: Observation { value: json!({}), started_at: at(1), observed_at: at(1) },
    };
    let finish = Finish {
        end: End::Succeeded,
        remains: Vec::new(),
        broken_off: None,
        not_removed: None,
        observations: vec![seen],
        updates: Vec::new(),
        inserts: Vec::new(),
        removes: Vec::new(),
        now: at(1),
    };
    let ended = store.finish(fence, finish).await.unwrap();
    assert_eq!(store.operation(OPERATION).await.unwrap().unwrap(), ended, "what was told is what is kept");
    takes("an end, read once more", 11);
    store.changes_since(Some(0)).await.unwrap();
    pmks_store::Access::events_after(&store, 0, Some(OPERATION), 64).await.unwrap();
    takes("what is read of it", 8);
    // As SQLite does where the number of rows is bound: see `limit`.
    let anew: Vec<&String> =
        all.iter().filter(|text| text.contains("LIMIT $") && !text.contains("LIMIT $5 + 0")).collect();
    assert!(anew.is_empty(), "{anew:#?}");
    assert!(all.iter().any(|text| text.contains("LIMIT 64")), "{all:#?}");
}
