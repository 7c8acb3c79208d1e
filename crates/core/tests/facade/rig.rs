//! A whole pmks over the scripted cloud: real store, real engine, virtual time.

use std::sync::Arc;
use std::time::Duration;

use pmks_core::{
    Accepted, Caller, ClusterView, Interface, Mutation, NewCluster, NewConnection, NewNetwork, OperationView,
    Options, Pmks, Registry,
};
use pmks_driver::{Environment, ErrorKind};
use pmks_model::{Failure, OperationState};
use pmks_store::{MasterKey, NoKillPoints, SqliteStore};
use pmks_transport::{Clock, Transport, VirtualClock};
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::driver::Fake;

pub(crate) struct Rig {
    pub(crate) pmks: Pmks,
    pub(crate) cloud: Cloud,
    pub(crate) clock: VirtualClock,
    pub(crate) admin: Caller,
    options: Options,
    _directory: tempfile::TempDir,
}

impl Rig {
    /// With the connection `here`, which acts for account `fake:1`.
    pub(crate) async fn new() -> Self {
        let rig = Self::empty().await;
        rig.connect("here", "AK1").await;
        rig
    }

    pub(crate) async fn empty() -> Self {
        let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        let cloud = Cloud::new(clock.clone());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pmks.db");
        let store =
            SqliteStore::open(&path, MasterKey::from_bytes([7; 32]), Arc::new(NoKillPoints)).await.unwrap();
        let options = Options {
            store: Arc::new(store),
            registry: Registry::new([Arc::new(Fake(cloud.clone())) as Arc<dyn pmks_driver::Provider>]),
            transport: Transport::builder(Arc::new(clock.clone())).build(),
            environment: Environment::default(),
            allow_ambient: false,
            allow_endpoints: true,
            unique_cloud_names: false,
            engine: pmks_core::engine::Options::default(),
        };
        let pmks = Pmks::open(options.clone()).await.unwrap();
        Self { pmks, cloud, clock, admin: Caller::local("me"), options, _directory: directory }
    }

    /// What it remembers.
    pub(crate) fn store(&self) -> Arc<dyn pmks_store::Store> {
        Arc::clone(&self.options.store)
    }

    /// Another process over the same store, which allows ambient credentials and has these variables.
    pub(crate) async fn ambient(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.options.environment = Environment::new(owned);
        self.options.allow_ambient = true;
        self.again().await
    }

    /// Another process over the same store, which gives what is made unique names at the cloud.
    pub(crate) async fn with_unique_cloud_names(mut self) -> Self {
        self.options.unique_cloud_names = true;
        self.again().await
    }

    /// Another process over the same store; the first one is gone.
    pub(crate) async fn again(self) -> Self {
        Self { pmks: Pmks::open(self.options.clone()).await.unwrap(), ..self }
    }

    pub(crate) async fn connect(&self, name: &str, key: &str) {
        self.connect_in(None, name, key).await;
    }

    pub(crate) async fn connect_in(&self, zone: Option<&str>, name: &str, key: &str) {
        let asked: NewConnection = from(json!({
            "name": name, "provider": "fake", "region": "r1", "zone": zone,
            "credential": {"accessKey": key, "secretKey": "hunter2"},
        }));
        self.pmks.connections().create(&self.admin, asked).await.unwrap();
    }

    pub(crate) async fn accept(&self, mutation: Mutation) -> Result<OperationView, Failure> {
        self.accepted(mutation).await.map(|accepted| accepted.operation)
    }

    pub(crate) async fn accepted(&self, mutation: Mutation) -> Result<Accepted, Failure> {
        self.pmks.accept(&self.admin, mutation).await.map_err(|failure| *failure)
    }

    /// Accepts it and carries everything out.
    pub(crate) async fn run(&self, mutation: Mutation) -> OperationView {
        let operation = self.accept(mutation).await.unwrap();
        self.settle().await;
        self.operation(&operation).await
    }

    /// The same, which must succeed.
    pub(crate) async fn done(&self, mutation: Mutation) -> OperationView {
        let operation = self.run(mutation).await;
        assert_eq!(operation.state, OperationState::Succeeded, "{operation:#?}");
        operation
    }

    pub(crate) async fn operation(&self, operation: &OperationView) -> OperationView {
        self.pmks.operations().get(&operation.id.to_string()).await.unwrap()
    }

    /// Carries everything out until nothing is due within an hour, or something never ends.
    pub(crate) async fn settle(&self) {
        for _ in 0..200 {
            let now = self.clock.wall();
            let next = self.pmks.engine().tick(now).await.unwrap();
            self.pmks.engine().settle().await;
            match next {
                None => return,
                Some(next) if next > now => {
                    self.clock.advance(Duration::try_from(next.duration_since(now)).unwrap());
                }
                Some(_) => {}
            }
            if self.clock.wall() > "2026-01-01T01:00:00Z".parse().unwrap() {
                return;
            }
        }
    }

    /// One round of the engine, without moving the clock.
    pub(crate) async fn round(&self) {
        self.pmks.engine().tick(self.clock.wall()).await.unwrap();
        self.pmks.engine().settle().await;
    }

    /// A network `net` with the subnet `sub`.
    pub(crate) async fn network(&self) {
        let network = new_network("net");
        self.done(Mutation::CreateNetwork { connection: "here".into(), network }).await;
    }

    /// A cluster `prod` with the node group `workers`, in `net`.
    pub(crate) async fn cluster(&self) -> ClusterView {
        self.network().await;
        self.done(create(new_cluster("prod"))).await;
        self.get("prod").await
    }

    /// The record of a cluster whose creation was refused after it was taken on, and had asked for nothing.
    pub(crate) async fn never_made(&self, name: &str) -> OperationView {
        let operation = self.accept(create(new_cluster(name))).await.unwrap();
        self.cloud.world().failures.insert("prepare".into(), ErrorKind::QuotaExceeded);
        self.settle().await;
        self.cloud.world().failures.clear();
        let ended = self.operation(&operation).await;
        assert_eq!(ended.state, OperationState::Failed, "{ended:#?}");
        ended
    }

    /// A cluster, by one read.
    pub(crate) async fn read(&self, name: &str) -> ClusterView {
        self.pmks.clusters().get("here", name, None).await.unwrap()
    }

    /// A cluster, which is written as it is whatever was written of it before.
    pub(crate) async fn get(&self, name: &str) -> ClusterView {
        let clusters = self.pmks.clusters();
        let view = clusters.get("here", name, None).await.unwrap();
        let written = clusters
            .get_written("here", name, None, Interface::Own, &|view| format!("{view:?}"))
            .await
            .unwrap();
        // A refresh may have come between.
        if clusters.get("here", name, None).await.unwrap() == view {
            assert_eq!(*written.text, *format!("{view:?}"), "something that shows was not written anew");
        }
        view
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets refreshes that nobody waits for come to their end.
    pub(crate) async fn breathe(&self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) fn create(cluster: NewCluster) -> Mutation {
    Mutation::CreateCluster { connection: "here".into(), cluster }
}

pub(crate) fn new_network(name: &str) -> NewNetwork {
    from(json!({"name": name, "cidr": "10.0.0.0/16", "subnets": [{"name": "sub", "cidr": "10.0.1.0/24"}]}))
}

pub(crate) fn new_cluster(name: &str) -> NewCluster {
    from(json!({
        "name": name, "network": "net", "subnets": ["sub"], "tags": {"team": "a"},
        "nodeGroups": [{"name": "workers", "scaling": {"autoScaling": false, "min": 1, "max": 3, "desired": 2}}],
    }))
}

pub(crate) fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn fields(failure: &Failure) -> Vec<&str> {
    failure.findings.iter().map(|finding| finding.field.as_str()).collect()
}
