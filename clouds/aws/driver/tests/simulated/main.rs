//! The driver against the simulated AWS, and against moto: plans carried out, and what then exists.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: what fails here fails the test"
)]

mod requests;
mod support;

mod children;
mod clusters;
mod endings;
mod launch_templates;
mod moto;
mod networks;
mod ways_out;
