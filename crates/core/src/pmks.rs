//! The facade: one value that every surface calls.

use std::sync::Arc;

use pmks_driver::{Capabilities, Environment};
use pmks_store::Store;
use pmks_transport::Transport;

use crate::failure::unexpected;
use crate::{
    Accepted, ApiTokens, Audit, Caller, Clusters, Connections, Discovery, KeyPairs, Mutation, Networks,
    NodeGroups, Operations, PlanView, Registry, Result, SecurityGroups, Subnets, engine,
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
    /// How the engine works.
    pub engine: engine::Options,
}

/// All that pmks does. Clones share everything.
#[derive(Clone)]
pub struct Pmks {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: Options,
}

impl Pmks {
    /// Opens the facade over a store. Asks no cloud.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be read.
    pub async fn open(options: Options) -> Result<Self> {
        Ok(Self { shared: Arc::new(Shared { options }) })
    }

    /// What every provider can do.
    pub fn providers(&self) -> Vec<&'static Capabilities> {
        self.shared.options.registry.capabilities().collect()
    }

    /// What a provider can do.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn provider(&self, name: &str) -> Result<&'static Capabilities> {
        Ok(self.shared.options.registry.get(name)?.capabilities())
    }

    /// Takes a change on: checks all that needs no cloud, stores it with its operation, and answers.
    ///
    /// # Errors
    /// `InvalidRequest` with all findings; `NotFound`, `AlreadyExists`, `Conflict` with the holders named, `Stale`,
    /// `Precondition`, `Unsupported`, `NotAllowed`.
    pub async fn accept(&self, _caller: &Caller, _mutation: Mutation) -> Result<Accepted> {
        Err(unexpected("not built yet"))
    }

    /// Shows what a change would do: asks the cloud, stores nothing, changes nothing.
    ///
    /// # Errors
    /// As [`Pmks::accept`], and whatever the cloud says.
    pub async fn plan(&self, _caller: &Caller, _mutation: Mutation) -> Result<PlanView> {
        Err(unexpected("not built yet"))
    }

    /// Connections.
    pub fn connections(&self) -> Connections<'_> {
        Connections(self)
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

    /// The audit.
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }
}

impl std::fmt::Debug for Pmks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pmks").field("registry", &self.shared.options.registry).finish_non_exhaustive()
    }
}
