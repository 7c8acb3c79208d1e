//! `/v1` from outside: through the router, and through real sockets for what only a socket shows.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test that calls them"
)]

mod access;
mod arbitrary;
mod changes;
mod delivery;
mod document;
mod events;
mod framing;
mod names;
mod problems;
mod rig;
mod sockets;
mod spider;
mod spider_answers;
mod spider_identity;
mod spider_plans;
mod spider_races;
mod spider_reach;
mod spider_records;
mod spider_registered;
mod spider_removals;
mod spider_sides;
mod spider_surface;
mod spider_tags;
mod spider_words;
mod tour;

// The scripted cloud of the facade's own tests: one fake for both.
#[path = "../../../core/tests/facade/cloud.rs"]
mod cloud;
#[path = "../../../core/tests/facade/driver.rs"]
mod driver;
#[path = "../../../core/tests/facade/stages.rs"]
#[expect(dead_code, reason = "the facade's tests use more of it")]
mod stages;
