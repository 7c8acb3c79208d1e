//! The driver of Azure Kubernetes Service.
//!
//! Speaks Azure Resource Manager (AKS, Network, Compute, Authorization) and Microsoft Entra's token endpoint through
//! `pmks-transport`. Answers reads, and describes changes as plans of stages; never waits for Azure, never retries,
//! never stores anything.

mod accelerators;
mod arm_id;
mod assertion;
mod capabilities;
mod connection;
mod credential;
mod endpoints;
mod errors;
mod token_source;

mod wire;

mod api;

mod convert;

mod access;
mod children;
mod clusters;
mod incarnations;
mod machines;
mod metrics;
mod networks;
mod prerequisites;
mod quota;
mod security_rules;
mod whereabouts;

mod driver;
mod operations;
mod own_words;

pub use connection::Azure;
pub use operations::stage_kinds;

/// The provider's name, as in a connection.
pub(crate) const PROVIDER: &str = "azure";

pub(crate) use driver::AzureDriver;
