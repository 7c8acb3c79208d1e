//! The transport against servers that misbehave, on loopback and on virtual time.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what fails here fails the test"
)]

mod rig;
mod server;

mod answers;
mod faults;
mod lost;
mod proxy;
mod records;
mod retries;
mod shared;
mod tls;
