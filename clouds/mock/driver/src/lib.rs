//! The driver of the Mock cloud, and the shortest example of a driver: read it in the order of these modules.
//!
//! Answers reads, and describes changes as plans of stages; never waits for the cloud, never retries, never stores
//! anything.

mod capabilities;
mod connection;
mod errors;

mod wire;

mod api;

mod convert;

mod reads;

mod driver;
mod operations;

pub use connection::{Home, Mock};
pub use operations::stage_kinds;

/// The provider's name, as in a connection.
pub(crate) const PROVIDER: &str = "mock";

pub(crate) use driver::MockDriver;
