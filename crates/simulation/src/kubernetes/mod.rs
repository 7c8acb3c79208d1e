//! The Kubernetes endpoint of a simulated cluster: TLS on loopback under a CA of its own, a front that asks the
//! cloud's own authenticator who is calling, and a back that answers.
//! Never reachable from another machine, and never a whole Kubernetes: what the built-in back lacks it refuses.
//!
//! A cloud whose world implements [`Clusters`] has [`Endpoints`], which make three things per cluster and keep them:
//! 1. an [`Authority`] (the cluster's CA), whose [`Authority::certificate_pem`] the cloud hands out as the cluster's
//!    certificate authority data;
//! 2. a [`ClusterState`], into which go nodes and what controllers would make, and which tells of deletions;
//! 3. an [`Endpoint`], started over both with an [`Authenticator`], whose [`Endpoint::url`] the cloud hands out.

mod authenticator;
mod authority;
mod back;
mod builtin;
mod certificate;
mod clusters;
mod content;
mod endpoint;
mod endpoints;
mod resource;
mod state;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use self::authenticator::{Authenticator, ClientCertificate, Credential, Identity, Refusal};
pub use self::authority::{Authority, AuthoritySnapshot, Issued};
pub use self::back::{Back, Backs, MakeBack, Request, Response, ResponseBody};
pub use self::builtin::Builtin;
pub use self::clusters::{ClusterEndpoint, Clusters, Entrance, Present};
pub use self::endpoint::{Endpoint, EndpointSettings};
pub use self::endpoints::Endpoints;
pub use self::state::{
    ClusterSettings, ClusterSnapshot, ClusterState, Deletion, Node, PersistentVolume, Removal, Workload,
};

/// The date as the simulated cloud reads it ([`crate::SimulationClock::wall`]): for times in answers and certificates.
pub type WallClock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// Why an endpoint, its certificates or its stored state could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key or certificate could not be made or read.
    #[error("the cluster's certificate could not be made or read")]
    Certificate(#[from] rcgen::Error),
    /// A stored PEM text is not a certificate.
    #[error("the stored certificate is not readable: {0}")]
    Pem(String),
    /// The TLS library refuses the certificate or its own configuration.
    #[error("the TLS configuration of the cluster's endpoint is refused")]
    Tls(#[from] rustls::Error),
    /// No port on loopback could be bound.
    #[error("the cluster's endpoint cannot listen on loopback")]
    Listen(#[from] std::io::Error),
    /// A stored cluster state holds an object that cannot be read back.
    #[error("the stored cluster state is not readable: {0}")]
    Snapshot(String),
}

/// What the endpoint's functions answer.
pub type Result<T> = std::result::Result<T, Error>;
