//! The facade: one value that every surface calls.

use std::sync::Arc;

use pmks_driver::{Capabilities, Environment};
use pmks_store::{AuditEntry, KillPoints, NoKillPoints, Store};
use pmks_transport::{Clock, Transport};

use crate::connections::Silent;
use crate::drivers::Drivers;
use crate::failure::of_store;
use crate::hooks::RecordHooks;
use crate::inventory::Inventory;
use crate::inventory::memory::Memory;
use crate::key_pairs::KeptKeys;
use crate::live::Live;
use crate::replay::Replay;
use crate::{
    ApiTokens, Audit, Caller, Clusters, Connections, Discovery, KeyPairs, Networks, NodeGroups, Operations,
    Pieces, Registry, Result, SecurityGroups, Subnets, engine,
};

/// What [`Pmks::open`] is given.
#[derive(Clone)]
pub struct Options {
    /// What pmks remembers.
    pub store: Arc<dyn Store>,
    /// The providers.
    pub registry: Registry,
    /// The one way out; its clock is the clock of everything.
    pub transport: Transport,
    /// The variables that an ambient credential chain may read.
    pub environment: Environment,
    /// Whether a connection may use the machine's own credential chain.
    pub allow_ambient: bool,
    /// Whether a connection may name endpoints and certificates of its own.
    pub allow_endpoints: bool,
    /// Whether what is made gets a unique name at the cloud, where its request does not say.
    pub unique_cloud_names: bool,
    /// How the engine works.
    pub engine: engine::Options,
}

/// All that pmks does. Clones share everything.
#[derive(Clone)]
pub struct Pmks {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: Registry,
    pub(crate) drivers: Arc<Drivers>,
    pub(crate) engine: engine::Engine,
    pub(crate) memory: Arc<Memory>,
    pub(crate) inventory: Inventory,
    pub(crate) live: Live,
    pub(crate) silent: Silent,
    /// Held while what connections are made of is compared with what was read, and written or removed.
    pub(crate) pieces: tokio::sync::Mutex<()>,
    pub(crate) replay: Arc<Replay>,
    pub(crate) kept_keys: KeptKeys,
    pub(crate) allow_ambient: bool,
    pub(crate) allow_endpoints: bool,
    pub(crate) unique_cloud_names: bool,
}

impl Pmks {
    /// Opens the facade over a store. Asks no cloud and carries nothing on: see [`Pmks::serve`].
    ///
    /// # Errors
    /// `Unavailable` if the store does not answer.
    pub async fn open(options: Options) -> Result<Self> {
        Self::open_with_kill_points(options, Arc::new(NoKillPoints)).await
    }

    /// The same, its engine passing named points at which tests end everything.
    ///
    /// # Errors
    /// As [`Pmks::open`].
    pub async fn open_with_kill_points(options: Options, kill_points: Arc<dyn KillPoints>) -> Result<Self> {
        options.store.ping().await.map_err(of_store)?;
        let store = Arc::clone(&options.store);
        let clock = Arc::clone(options.transport.clock());
        let memory = Arc::new(Memory::new(Arc::clone(&store)));
        let drivers = Arc::new(Drivers::new(&options, Arc::clone(&memory)));
        let hooks = Arc::new(RecordHooks::new(Arc::clone(&store), Arc::clone(&clock)));
        let engine = engine::Engine::with_kill_points(
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&drivers) as Arc<dyn engine::Drivers>,
            hooks,
            options.engine,
            kill_points,
        );
        let shared = Shared {
            memory,
            inventory: Inventory::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&drivers)),
            live: Live::default(),
            silent: Silent::default(),
            pieces: tokio::sync::Mutex::default(),
            replay: Arc::new(Replay::new(Arc::clone(&store))),
            kept_keys: KeptKeys::default(),
            store,
            clock,
            registry: options.registry,
            drivers,
            engine,
            allow_ambient: options.allow_ambient,
            allow_endpoints: options.allow_endpoints,
            unique_cloud_names: options.unique_cloud_names,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Carries operations on, and drops what is too old, until `stop` is ready.
    pub async fn serve(&self, stop: impl Future<Output = ()> + Send) {
        self.shared.engine.serve(stop).await;
    }

    /// The engine, for callers that drive it themselves.
    pub fn engine(&self) -> &engine::Engine {
        &self.shared.engine
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.shared.store.ping().await.map_err(of_store)
    }

    /// Whether the store can keep what it is given: it writes, and waits until that is on the disk.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ready(&self) -> Result<()> {
        self.shared.store.probe().await.map_err(of_store)
    }

    /// What every provider can do.
    pub fn providers(&self) -> Vec<&'static Capabilities> {
        self.shared.registry.capabilities().collect()
    }

    /// What a provider can do.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn provider(&self, name: &str) -> Result<&'static Capabilities> {
        Ok(self.shared.registry.get(name)?.capabilities())
    }

    /// Connections.
    pub fn connections(&self) -> Connections<'_> {
        Connections(self)
    }

    /// What connections may be made of and share.
    pub fn pieces(&self) -> Pieces<'_> {
        Pieces(self)
    }

    /// What a cloud offers.
    pub fn discovery(&self) -> Discovery<'_> {
        Discovery(self)
    }

    /// Networks.
    pub fn networks(&self) -> Networks<'_> {
        Networks(self)
    }

    /// Subnets.
    pub fn subnets(&self) -> Subnets<'_> {
        Subnets(self)
    }

    /// Security groups.
    pub fn security_groups(&self) -> SecurityGroups<'_> {
        SecurityGroups(self)
    }

    /// Key pairs.
    pub fn key_pairs(&self) -> KeyPairs<'_> {
        KeyPairs(self)
    }

    /// Clusters, their nodes and the ways into them.
    pub fn clusters(&self) -> Clusters<'_> {
        Clusters(self)
    }

    /// Node groups.
    pub fn node_groups(&self) -> NodeGroups<'_> {
        NodeGroups(self)
    }

    /// Operations and their events.
    pub fn operations(&self) -> Operations<'_> {
        Operations(self)
    }

    /// API tokens.
    pub fn api_tokens(&self) -> ApiTokens<'_> {
        ApiTokens(self)
    }

    /// The audit log.
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }
}

impl Shared {
    /// A line for the audit log, written with what it tells of.
    pub(crate) fn audit(&self, caller: &Caller, action: &str, target: String) -> AuditEntry {
        AuditEntry {
            at: self.clock.wall(),
            who: caller.name.clone(),
            action: action.to_owned(),
            target,
            request_id: caller.request_id.clone().unwrap_or_default(),
        }
    }
}

impl std::fmt::Debug for Pmks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pmks").field("registry", &self.shared.registry).finish_non_exhaustive()
    }
}
