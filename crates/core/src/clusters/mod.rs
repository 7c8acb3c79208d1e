//! Clusters: what we keep a record of, what the cloud says of it, and the ways in.

use std::time::Duration;

use pmks_driver::{ClusterCredential, Missed};
use pmks_model::Children;

use crate::failure::unexpected;
use crate::{
    Caller, ClusterView, KubeconfigRequest, NodeView, Page, PageRequest, Pmks, Result, UnmanagedCluster,
};

/// Clusters.
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a>(pub(crate) &'a Pmks);

/// Which clusters are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFilter {
    /// The page, and what it must match.
    pub page: PageRequest,
    /// `Some(0)` asks the clouds now.
    pub max_age: Option<Duration>,
}

impl Clusters<'_> {
    /// A page of the clusters that we keep a record of; of all connections where none is given.
    ///
    /// # Errors
    /// `NotFound` for the connection.
    pub async fn list(self, _connection: Option<&str>, _filter: &ClusterFilter) -> Result<Page<ClusterView>> {
        Err(unexpected("not built yet"))
    }

    /// The clusters at the cloud that we keep no record of, asked now; with what could not be read.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn unmanaged(self, _connection: Option<&str>) -> Result<(Vec<UnmanagedCluster>, Vec<Missed>)> {
        Err(unexpected("not built yet"))
    }

    /// One cluster, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(
        self,
        _connection: &str,
        _name: &str,
        _max_age: Option<Duration>,
    ) -> Result<ClusterView> {
        Err(unexpected("not built yet"))
    }

    /// Drops only our record. `abandon` does so while an operation runs, and needs the role admin.
    ///
    /// # Errors
    /// `Conflict` while an operation runs.
    pub async fn forget(
        self,
        _caller: &Caller,
        _connection: &str,
        _name: &str,
        _abandon: bool,
    ) -> Result<()> {
        Err(unexpected("not built yet"))
    }

    /// A kubeconfig as YAML.
    ///
    /// # Errors
    /// `Precondition` until the cluster has an endpoint, `Unsupported`, `NotAllowed`.
    pub async fn kubeconfig(
        self,
        _caller: &Caller,
        _connection: &str,
        _name: &str,
        _request: &KubeconfigRequest,
    ) -> Result<String> {
        Err(unexpected("not built yet"))
    }

    /// What lets a client in at the Kubernetes API, for a while.
    ///
    /// # Errors
    /// `Precondition` until the cluster has an endpoint, `NotAllowed`.
    pub async fn token(self, _caller: &Caller, _connection: &str, _name: &str) -> Result<ClusterCredential> {
        Err(unexpected("not built yet"))
    }

    /// What came into being because the cluster stands, asked now.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn children(self, _connection: &str, _name: &str) -> Result<Children> {
        Err(unexpected("not built yet"))
    }

    /// The VMs of a cluster, asked now unless `max_age` allows older ones.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn nodes(
        self,
        _connection: &str,
        _cluster: &str,
        _max_age: Option<Duration>,
    ) -> Result<Vec<NodeView>> {
        Err(unexpected("not built yet"))
    }

    /// One VM, by the node's name or the VM's identifier.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn node(
        self,
        _connection: &str,
        _cluster: &str,
        _node: &str,
        _max_age: Option<Duration>,
    ) -> Result<NodeView> {
        Err(unexpected("not built yet"))
    }
}
