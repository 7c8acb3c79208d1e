//! Accounts of one cloud, each a simulated world of its own, and one process with a connection to each, all on one
//! virtual clock. It moves only while this process does nothing: how fast the machine is, and what else it has to do,
//! does not matter.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use pmks_core::{Caller, Mutation, NewConnection, Options, Pmks, Registry};
use pmks_driver::Environment;
use pmks_model::{OperationKind, OperationState};
use pmks_store::{MasterKey, Operation, OperationFilter, Operations as _, Page, SqliteStore, Store};
use pmks_transport::{Clock, SystemClock, Transport, VirtualClock};
use serde_json::{Value, json};

use super::budget::Traffic;
use super::watched::Watched;
use crate::kill_matrix::{BEHIND, OneTime};
use crate::world::World;
use crate::{CloudUnderTest, Settings};

/// How often, in real time, it is looked whether the clock may move.
const PATIENCE: Duration = Duration::from_millis(1);

/// The clock's shortest step: what is due sooner is a little late, and thousands of steps are not taken one by one.
const STEP: Duration = Duration::from_secs(1);

/// How often it is looked whether all is over.
const WATCH: Duration = Duration::from_secs(5);

/// An operation that has succeeded.
pub(super) struct Done {
    /// Whose it was, and what it was about.
    pub(super) connection: String,
    pub(super) name: String,
    /// From when it was asked for until it had ended.
    pub(super) took: Duration,
    /// From when each of its stages was asked for until it was seen done, all together.
    pub(super) at_the_cloud: Duration,
}

impl Done {
    fn of(operation: Operation, began: Timestamp) -> Self {
        let between =
            |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        let stages = operation.stages.iter().map(|stage| &stage.record);
        Self {
            took: between(began, operation.finished_at.unwrap()),
            at_the_cloud: stages.filter_map(|stage| Some(between(stage.asked_at?, stage.finished_at?))).sum(),
            connection: operation.resource.connection,
            name: operation.resource.name,
        }
    }
}

pub(super) struct Town {
    pub(super) traffic: Arc<Traffic>,
    under_test: &'static dyn CloudUnderTest,
    worlds: Vec<World>,
    clock: VirtualClock,
    pmks: Pmks,
    store: Arc<SqliteStore>,
    _directory: tempfile::TempDir,
}

impl Town {
    /// Accounts `a0`, `a1`, …, each with its prerequisites and as many networks `net0`, … as it needs. The same seed and
    /// name take the same time, whatever else there is.
    pub(super) async fn new(
        under_test: &'static dyn CloudUnderTest,
        seeds: impl IntoIterator<Item = u64>,
        networks: usize,
    ) -> Self {
        let clock = VirtualClock::new(SystemClock.wall().saturating_sub(BEHIND).unwrap());
        let mut worlds = Vec::new();
        for seed in seeds {
            let time = Arc::new(OneTime(clock.clone()));
            let settings = Settings { seed, speed: 1.0, time };
            worlds.push(World::start(under_test, settings, |cloud| cloud).await);
        }
        // In memory where the machine has such a folder.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let traffic = Arc::new(Traffic::new(clock.clone()));
        let (path, key) = (directory.path().join("s.sqlite"), MasterKey::from_bytes([7; 32]));
        let store = Arc::new(SqliteStore::open(&path, key, Arc::clone(&traffic) as _).await.unwrap());
        let transport =
            Transport::builder(Arc::new(clock.clone())).observer(Arc::clone(&traffic) as _).build();
        let options = Options {
            store: Arc::clone(&store) as Arc<dyn Store>,
            registry: Registry::new([under_test.provider()]),
            transport,
            environment: Environment::default(),
            allow_ambient: false,
            allow_endpoints: true,
            unique_cloud_names: false,
            engine: pmks_core::engine::Options::default(),
        };
        let pmks = Pmks::open_with_kill_points(options, Arc::clone(&traffic) as _).await.unwrap();
        let town = Self { traffic, under_test, worlds, clock, pmks, store, _directory: directory };
        town.prepare(networks).await;
        town
    }

    async fn prepare(&self, networks: usize) {
        let capabilities = self.under_test.provider().capabilities();
        let (mut fixes, mut mutations) = (Vec::new(), Vec::new());
        for (account, world) in self.worlds.iter().enumerate() {
            let connection = format!("a{account}");
            let mut asked = world.cloud().connection(&world.url());
            asked["name"] = json!(connection);
            asked["pace"] = json!(1);
            asked["settings"] = json!(self.under_test.settings());
            let asked: NewConnection = serde_json::from_value(asked).unwrap();
            let made = self.run(self.pmks.connections().create(&Caller::local("me"), asked)).await.unwrap();
            let regions = self.run(self.pmks.discovery().regions(&connection, None)).await.unwrap().items;
            let region = made.region.clone();
            let own = regions.into_iter().filter(|one| one.name == region);
            let zones: Vec<String> = own.flat_map(|one| one.zones).map(|zone| zone.name).collect();
            for network in 0..networks {
                let subnets: Vec<Value> = self
                    .subnets(network)
                    .iter()
                    .enumerate()
                    .map(|(index, name)| {
                        let zone = if capabilities.zonal_subnets { zones[index].as_str() } else { "" };
                        json!({"name": name, "cidr": format!("10.0.{}.0/20", index * 16), "zone": zone})
                    })
                    .collect();
                let network =
                    json!({"name": format!("net{network}"), "cidr": "10.0.0.0/16", "subnets": subnets});
                let network = serde_json::from_value(network).unwrap();
                mutations.push(Mutation::CreateNetwork { connection: connection.clone(), network });
            }
            if capabilities.has(OperationKind::PrerequisiteFix) {
                fixes.push(Mutation::FixPrerequisites { connection, cluster: None });
            }
        }
        self.carry_out(fixes).await;
        self.carry_out(mutations).await;
    }

    /// The names of the subnets of a network: as many as a cluster needs.
    pub(super) fn subnets(&self, network: usize) -> Vec<String> {
        let capabilities = self.under_test.provider().capabilities();
        let zones = if capabilities.zonal_subnets { capabilities.minimum_zones } else { 1 };
        let number = capabilities.minimum_subnets.max(zones).max(1);
        (0..number).map(|index| format!("net{network}-s{index}")).collect()
    }

    /// Carries all of these out, asked for at once. All must succeed.
    pub(super) async fn carry_out(&self, mutations: Vec<Mutation>) -> Vec<Done> {
        let began = self.clock.wall();
        let caller = Caller::local("me");
        let asking = async {
            let asked = mutations.into_iter().map(|mutation| self.pmks.accept(&caller, mutation));
            for answer in join_all(asked).await {
                answer.unwrap();
            }
            while self.store.next_due(None).await.unwrap().is_some() {
                self.clock.sleep(WATCH).await;
            }
        };
        let serving = self.pmks.serve(std::future::pending());
        self.run(async {
            tokio::select! {
                () = asking => {}
                () = serving => {}
            }
        })
        .await;
        let all = self.store.operations(&OperationFilter::default(), Page::all()).await.unwrap();
        let new = all
            .into_iter()
            .filter(|operation| operation.created_at.as_millisecond() >= began.as_millisecond());
        new.map(|operation| {
            assert_eq!(operation.state, OperationState::Succeeded, "{operation:#?}");
            Done::of(operation, began)
        })
        .collect()
    }

    /// Serves for that long while nobody wants anything.
    pub(super) async fn idle(&self, time: Duration) {
        let serving = self.pmks.serve(self.clock.sleep(time));
        self.run(serving).await;
    }

    /// Ends its worlds: what they do by themselves is not taken for work of the next town.
    pub(super) async fn end(self) {
        join_all(self.worlds.into_iter().map(World::stop)).await;
    }

    /// How often a world said that it was too much.
    pub(super) fn throttled(&self) -> usize {
        let calls = self.worlds.iter().flat_map(|world| world.cloud().controls().calls.records());
        calls.filter(|call| matches!(call.status, Some(429 | 503))).count()
    }

    /// So many clusters and node groups stand in all accounts together.
    pub(super) fn has(&self, clusters: usize, node_groups: usize) {
        use pmks_model::ResourceKind::{Cluster, NodeGroup};
        for (kind, wanted) in [(Cluster, clusters), (NodeGroup, node_groups)] {
            let Some(word) = self.under_test.word(kind) else { continue };
            let rows = self.worlds.iter().flat_map(|world| world.cloud().resources());
            assert_eq!(rows.filter(|row| row.kind == word).count(), wanted, "{word}");
        }
    }

    /// A future, run to its end; the clock moves to whoever sleeps while nothing happens.
    async fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = Watched::new(future);
        loop {
            match tokio::time::timeout(PATIENCE, &mut future).await {
                Ok(output) => return output,
                // Who sleeps may have woken the future itself.
                Err(_) if !self.traffic.is_quiet() || future.has_something_to_do() => {}
                Err(_) => {
                    if let Some(wait) = self.clock.next_wake() {
                        self.clock.advance(wait.max(STEP));
                    }
                }
            }
        }
    }
}
