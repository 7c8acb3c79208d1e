//! The simulated Google Cloud: GKE, Compute Engine, Service Usage and Google's token services on one port and one
//! origin, told apart by path.
//!
//! Speaks Google's wire protocols with types of its own; never shares one with the driver that it tests. A call's
//! name, in records and faults, is the discovery document's without service and `projects.locations.`:
//! `clusters.create` of `container`, `networks.insert` of `compute`, `services.enable` of `serviceusage`.

mod answer;
mod auth;
mod call;
mod catalogue;
mod cloud;
mod compute;
mod container;
mod error;
mod front;
mod messages;
mod resource_manager;
mod route;
mod service_usage;
mod world;

#[cfg(test)]
mod tests;

pub use cloud::{GcpCloud, Settings};
