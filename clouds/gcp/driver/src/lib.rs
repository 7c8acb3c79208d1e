//! The driver of Google Kubernetes Engine.
//!
//! Speaks GKE, Compute Engine, Service Usage and Google's token services through `pmks-transport`. Answers reads, and
//! describes changes as plans of stages; never waits for Google, never retries, never stores anything.

mod balancer_parts;
mod capabilities;
mod connection;
mod credential;
mod endpoints;
mod errors;
mod identity;
mod names;

mod wire;

mod api;

mod convert;
mod marks;

mod access;
mod children;
mod clusters;
mod key_pairs;
mod kubernetes;
mod live;
mod machines;
mod metrics;
mod networks;
mod prerequisites;
mod security_groups;
mod versions;

mod driver;
mod operations;
mod own_words;

#[cfg(test)]
mod journey_tests;

pub use connection::Gcp;
pub use operations::stage_kinds;

/// The provider's name, as in a connection.
pub(crate) const PROVIDER: &str = "gcp";

pub(crate) use driver::GcpDriver;
