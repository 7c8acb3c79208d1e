//! The driver of Amazon EKS.
//!
//! Speaks EKS, EC2, IAM, Auto Scaling, STS and Elastic Load Balancing through `pmks-transport`. Answers reads, and
//! describes changes as plans of stages; never waits for AWS, never retries, never stores anything.

#[cfg(feature = "ambient")]
mod ambient;
mod capabilities;
mod connection;
mod credential;
mod endpoints;
mod errors;
mod key_source;

mod query;
mod wire;

mod api;

mod convert;

mod access;
mod children;
mod clusters;
mod kubernetes;
mod machines;
mod metrics;
mod networks;
mod prerequisites;

mod driver;
mod operations;
mod own_words;

pub use connection::Aws;
pub use operations::stage_kinds;

/// The provider's name, as in a connection.
pub(crate) const PROVIDER: &str = "aws";

pub(crate) use driver::AwsDriver;
