//! Everything an engine test needs: a cloud, a store in a temporary directory, an engine on virtual time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pmks_driver::{
    Change, ClusterTarget, CreateCluster, DeleteCluster, DeleteResource, Identity, Marks, StageSpecification,
    UpgradeCluster,
};
use pmks_model::{Failure, Iid, OperationKind, ResourceKind, ResourceReference, UpgradeRequest};
use pmks_store::{
    Accept, AuditEntry, Hold, HoldMode, IdempotencyKey, MasterKey, NewConnection, NewOperation, NewResource,
    NoKillPoints, Operation, Operations as _, SqliteStore, Store, Through, WhenHeld, Wish,
};
use pmks_transport::Clock;
use uuid::Uuid;

use super::cloud::{Cloud, Thing};
use super::driver::{CAPABILITIES, FakeDriver, Plans, makes, removes};
use crate::engine::testing::{Scene, drive};
use crate::engine::{Connected, Drivers, Engine, Hooks, Options, Outcome};

const CONNECTION: Uuid = Uuid::from_u128(0xc0);

pub(super) const CLUSTER: Uuid = Uuid::from_u128(0xc1);
pub(super) const GROUPS: [(&str, Uuid); 2] = [("a", Uuid::from_u128(0xa1)), ("b", Uuid::from_u128(0xb1))];

/// The mark that the create's things carry.
pub(super) const MARK: &str = "operation 1";

/// Every identity that a stage can have, in the shape of a cluster's creation.
pub(super) fn creation() -> Vec<StageSpecification> {
    let token = Identity::Token { lifetime_seconds: 24 * 3600 };
    let mut plan = vec![
        makes("role", "r", MARK, Identity::UniqueName),
        makes("rules", "x", MARK, Identity::Baseline),
        makes("cluster", "k", MARK, token).after(["role r", "rules x"]).subject(ResourceKind::Cluster, "k"),
    ];
    plan.extend(GROUPS.map(|(name, _)| {
        makes("group", name, MARK, Identity::Tag).after(["cluster k"]).subject(ResourceKind::NodeGroup, name)
    }));
    plan
}

pub(super) fn deletion() -> Vec<StageSpecification> {
    vec![
        removes("group", ""),
        removes("cluster", "k").after(["remove group "]),
        removes("rules", "x").after(["remove cluster k"]),
        removes("role", "r").after(["remove cluster k"]),
    ]
}

pub(super) fn plans(plans: impl IntoIterator<Item = (OperationKind, Vec<StageSpecification>)>) -> Arc<Plans> {
    Arc::new(plans.into_iter().collect())
}

/// Intents as they are.
pub(super) struct PlainHooks;

#[async_trait]
impl Hooks for PlainHooks {
    async fn resolve(&self, operation: &Operation) -> Result<Option<Change>, Failure> {
        Ok(Some(serde_json::from_value(operation.intent.clone()).unwrap()))
    }

    async fn outcome(&self, _connected: &Connected, _operation: &Operation, _succeeded: bool) -> Outcome {
        Outcome::default()
    }
}

/// A cloud with a clock, and the operations that tests ask for.
pub(super) struct Set {
    pub(super) cloud: Arc<Cloud>,
    pub(super) driver: FakeDriver,
    asks: OperationKind,
    /// The cloud has ended the operation as failed before, and what is asked for is its next attempt.
    pub(super) retries: bool,
}

impl Set {
    pub(super) fn new(cloud: Cloud, asks: OperationKind, plans: Arc<Plans>) -> Self {
        let cloud = Arc::new(cloud);
        let driver = FakeDriver { cloud: Arc::clone(&cloud), plans, capabilities: CAPABILITIES };
        Self { cloud, driver, asks, retries: false }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.cloud.clock.wall()
    }

    pub(super) fn audit(&self) -> AuditEntry {
        AuditEntry {
            at: self.now(),
            who: "me".into(),
            action: "test".into(),
            target: "k".into(),
            request_id: String::new(),
        }
    }

    pub(super) fn wish(&self, number: u128) -> Wish {
        Wish { operation: Uuid::from_u128(number), now: self.now(), idempotency: None, audit: self.audit() }
    }

    fn record(uid: Uuid, kind: ResourceKind, parent: Option<Uuid>, name: &str) -> NewResource {
        NewResource {
            uid,
            kind,
            connection: "c".into(),
            account: "fake:1".into(),
            location: "here".into(),
            parent,
            name: name.into(),
            cloud_name: None,
            system_id: None,
            incarnation: None,
            request: serde_json::Value::Null,
            observation: None,
            protected: false,
            imported: false,
        }
    }

    fn records() -> Vec<NewResource> {
        let groups =
            GROUPS.map(|(name, uid)| Self::record(uid, ResourceKind::NodeGroup, Some(CLUSTER), name));
        std::iter::once(Self::record(CLUSTER, ResourceKind::Cluster, None, "k")).chain(groups).collect()
    }

    /// The operation of that kind, with a fixed identifier.
    pub(super) fn accept(&self, kind: OperationKind, number: u128) -> Accept {
        let creates = kind == OperationKind::ClusterCreate;
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
                account: "fake:1".into(),
                intent: serde_json::to_value(change(kind)).unwrap(),
                requested_by: "me".into(),
                traceparent: None,
                now: self.now(),
            },
            through: Through {
                connection: CONNECTION,
                specification: serde_json::Value::Null,
                account: None,
            },
            resources: if creates { Self::records() } else { Vec::new() },
            decided: None,
            holds: vec![Hold { resource: CLUSTER, mode: HoldMode::Exclusive, when_held: WhenHeld::Wait }],
            joins: kind.removes(),
            names: Vec::new(),
            alike: Vec::new(),
            supersedes: kind.removes(),
            idempotency: Some(IdempotencyKey {
                scope: "test".into(),
                key: number.to_string(),
                body_hash: "h".into(),
            }),
            audit: self.audit(),
        }
    }
}

fn change(kind: OperationKind) -> Change {
    let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
    let target = ClusterTarget { iid: Iid::new("k", "k"), incarnation: "1".into() };
    match kind {
        OperationKind::ClusterDelete => {
            Change::DeleteCluster(DeleteCluster { target, delete_volumes: false, marks })
        }
        OperationKind::NetworkDelete => Change::DeleteResource(DeleteResource {
            kind: ResourceKind::Network,
            iid: Iid::new("n", "n-1"),
            incarnation: String::new(),
            network: None,
            marks,
        }),
        OperationKind::ClusterUpgrade => Change::UpgradeCluster(UpgradeCluster {
            target,
            request: UpgradeRequest {
                version: pmks_model::VersionRequest::default(),
                node_groups: pmks_model::UpgradeTargets::default(),
                force: false,
            },
            marks,
        }),
        _ => {
            let request =
                serde_json::json!({"name": "k", "network": {"nameId": "n", "systemId": "n"}, "subnets": []});
            Change::CreateCluster(CreateCluster { request: serde_json::from_value(request).unwrap(), marks })
        }
    }
}

#[async_trait]
impl Scene for Set {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.cloud.clock.clone())
    }

    async fn pass(&self, wait: Duration) {
        self.cloud.clock.advance(wait);
    }

    fn drivers(&self) -> Arc<dyn Drivers> {
        Arc::new(self.driver.clone())
    }

    fn hooks(&self, _store: Arc<dyn Store>) -> Arc<dyn Hooks> {
        Arc::new(PlainHooks)
    }

    async fn set(&self, store: &Arc<dyn Store>) {
        let connection = NewConnection {
            uid: CONNECTION,
            name: "c".into(),
            provider: "fake".into(),
            specification: serde_json::Value::Null,
            account: None,
            credential: None,
        };
        store.create_connection(connection, self.audit()).await.unwrap();
        if self.asks != OperationKind::ClusterCreate {
            store.insert_resources(Self::records(), self.audit()).await.unwrap();
        }
        if self.retries {
            let id = store.accept(self.accept(self.asks, 1)).await.unwrap().operation().id;
            let (clock, hooks) = (self.clock(), self.hooks(Arc::clone(store)));
            let engine = Engine::new(Arc::clone(store), clock, self.drivers(), hooks, Options::default());
            let ended = drive(self, &engine, &**store, id).await.unwrap();
            assert_eq!(ended.state, pmks_model::OperationState::Failed);
        }
    }

    async fn asks(&self, store: &dyn Store) -> Accept {
        if self.retries {
            let key = IdempotencyKey { scope: "test".into(), key: "the retry".into(), body_hash: "h".into() };
            store.retry(Wish { idempotency: Some(key), ..self.wish(1) }, None).await.unwrap();
        }
        self.accept(self.asks, 1)
    }

    async fn judge(&self, store: &dyn Store, operation: &Operation) -> Result<(), String> {
        if operation.state != pmks_model::OperationState::Succeeded {
            return Err(format!("it ended {}: {:?}", operation.state, operation.error));
        }
        let standing = self.cloud.in_the_end();
        if self.retries {
            let (asks, repairs) = (self.cloud.ever_made("upgrade", "u"), self.cloud.calls("repair u"));
            return if (asks, repairs) == (1, 1) {
                Ok(())
            } else {
                Err(format!("{asks} made, {repairs} repaired"))
            };
        }
        let wanted: Vec<(&str, &str)> = if operation.kind.creates() {
            vec![("role", "r"), ("rules", "x"), ("cluster", "k"), ("group", "a"), ("group", "b")]
        } else {
            Vec::new()
        };
        if standing.len() != wanted.len() {
            return Err(format!("there stand {standing:?}"));
        }
        for (what, name) in wanted {
            if self.cloud.ever_made(what, name) != 1 {
                return Err(format!("{what} {name} was made {} times", self.cloud.ever_made(what, name)));
            }
        }
        let recorded = store.resource(CLUSTER).await.unwrap();
        let id = |thing: &Thing| (thing.part.what == "cluster").then(|| thing.id.clone());
        let truth = standing.iter().find_map(id);
        if recorded.and_then(|record| record.system_id) != truth {
            return Err("the record does not say what stands".to_owned());
        }
        Ok(())
    }
}

/// A set with one store and one engine.
pub(super) struct Rig {
    pub(super) set: Set,
    pub(super) store: Arc<SqliteStore>,
    pub(super) engine: Engine,
    _directory: tempfile::TempDir,
}

impl Rig {
    pub(super) async fn new(set: Set) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.sqlite");
        let key = MasterKey::from_bytes([7; 32]);
        let store = Arc::new(SqliteStore::open(&path, key, Arc::new(NoKillPoints)).await.unwrap());
        set.set(&(Arc::clone(&store) as Arc<dyn Store>)).await;
        let engine = Engine::new(
            Arc::clone(&store) as _,
            set.clock(),
            set.drivers(),
            set.hooks(Arc::clone(&store) as _),
            Options::default(),
        );
        Self { set, store, engine, _directory: directory }
    }

    /// Another process over the same store; the first one is dead.
    pub(super) fn again(self) -> Self {
        let clock = self.set.clock();
        self.by(clock)
    }

    /// The same, by that clock.
    pub(super) fn by(self, clock: Arc<dyn Clock>) -> Self {
        let engine = Engine::new(
            Arc::clone(&self.store) as _,
            clock,
            self.set.drivers(),
            self.set.hooks(Arc::clone(&self.store) as _),
            Options::default(),
        );
        Self { engine, ..self }
    }

    pub(super) fn cloud(&self) -> &Cloud {
        &self.set.cloud
    }

    pub(super) async fn accept(&self, kind: OperationKind, number: u128) -> Operation {
        let accept = self.set.accept(kind, number);
        self.store.accept(accept).await.unwrap().operation()
    }

    pub(super) async fn operation(&self, number: u128) -> Operation {
        self.store.operation(Uuid::from_u128(number)).await.unwrap().unwrap()
    }

    /// Until it is over or blocked.
    pub(super) async fn run(&self, number: u128) -> Operation {
        drive(&self.set, &self.engine, &*self.store, Uuid::from_u128(number)).await.unwrap()
    }

    /// For that long, tick by tick.
    pub(super) async fn run_for(&self, time: Duration) {
        let until = self.set.now().saturating_add(time).unwrap();
        loop {
            let now = self.set.now();
            let next = self.engine.tick(now).await.unwrap();
            self.engine.settle().await;
            let due = self.store.next_due(None).await.unwrap().or(next);
            let next = due.unwrap_or(until).min(until);
            if now >= until {
                return;
            }
            let wait = Duration::try_from(next.duration_since(now)).unwrap_or_default();
            self.set.pass(wait).await;
        }
    }
}
