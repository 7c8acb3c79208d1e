//! The simulated Azure: login, Azure Resource Manager with AKS, networks, compute and role assignments on one port.
//!
//! Speaks Azure's wire protocols with types of its own; never shares one with the driver that it tests.

mod arm;
mod authorization;
mod catalogue;
mod cloud;
mod compute;
mod container_service;
mod entra;
mod error;
mod front;
mod insights;
mod json;
mod network;
mod operations;
mod others;
mod reply;
mod resources;
mod routes;
mod tags;
mod world;

#[cfg(test)]
mod tests;

pub use cloud::{AzureCloud, Settings};
