//! What the keeper of a cloud's Kubernetes endpoints asks of the cloud's world. Answers only; the world is plain data.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{
    AuthoritySnapshot, ClusterSettings, Credential, Deletion, Identity, Node, PersistentVolume, Refusal,
};
use crate::Now;
use crate::held::World;

/// A world with clusters in it.
pub trait Clusters: World {
    /// Which cluster: where it is, its name, and what a later one of the same name does not share.
    type Key: Clone + Debug + Ord + Send + Sync + 'static;

    /// The cluster's name.
    fn name(key: &Self::Key) -> &str;

    /// The clusters whose control plane stands.
    fn standing(&self) -> BTreeSet<Self::Key>;

    /// The endpoint that a cluster has, or had before a restart.
    fn endpoint(&self, key: &Self::Key) -> Option<&ClusterEndpoint>;

    /// Says where a cluster's endpoint listens from now on.
    fn set_endpoint(&mut self, key: &Self::Key, endpoint: ClusterEndpoint);

    /// What a cluster is made with. `None`: there is no such cluster.
    fn settings(&self, key: &Self::Key) -> Option<ClusterSettings>;

    /// What a cluster holds at this moment. `None`: there is no such cluster.
    fn present(&self, key: &Self::Key) -> Option<Present>;

    /// A user of the cluster deleted a Service or an Ingress: whether it has a balancer, which goes first.
    fn entrance_deleted(&mut self, key: &Self::Key, deletion: &Deletion, now: Now) -> bool;

    /// Whether the balancer of a deleted Service or Ingress is still there.
    fn balancer_stands(&self, key: &Self::Key, deletion: &Deletion) -> bool;

    /// Tells who showed this credential to the cluster.
    ///
    /// # Errors
    /// [`Refusal`] for everything that the cloud's own authenticator refuses.
    fn authenticate(
        &self,
        key: &Self::Key,
        credential: Credential<'_>,
        now: Now,
    ) -> std::result::Result<Identity, Refusal>;
}

/// A cluster's Kubernetes endpoint, as the world keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterEndpoint {
    /// `https://…`.
    pub url: String,
    /// Its port, taken again after a restart if it is free.
    pub port: u16,
    /// The authority's certificate, PEM in base64, as a kubeconfig takes it.
    pub certificate_authority: String,
    /// The authority itself, so that a kubeconfig outlives a restart.
    pub authority: AuthoritySnapshot,
}

/// What a cluster holds because of what its cloud holds.
#[derive(Clone, Debug, Default)]
pub struct Present {
    /// The version that the API server says.
    pub version: String,
    /// Its nodes, each with whether it is about to go.
    pub nodes: Vec<(Node, bool)>,
    /// Its Services and Ingresses with balancers.
    pub entrances: BTreeSet<Entrance>,
    /// The volumes that its storage driver made. One deleted behind the driver's back stays shown.
    pub volumes: Vec<PersistentVolume>,
}

/// A Service or an Ingress for which a controller made a balancer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entrance {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The balancer's hostname or IP address.
    pub address: String,
    /// Whether it is an Ingress.
    pub ingress: bool,
}
