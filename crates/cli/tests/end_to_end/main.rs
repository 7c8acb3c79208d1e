//! The binary from outside: what users type, what they see, how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests: what fails here fails the test, and the figures are for who reads along"
)]

mod accounts;
mod ambient;
mod at_once;
mod audit;
mod bad_input;
mod beside;
mod configuration;
mod conformance;
mod connections;
mod demo;
#[cfg(target_os = "linux")]
mod disks;
mod from_cb_spider;
mod grammar;
mod hostile_endpoints;
mod hostile_names;
mod hundred;
mod imports;
mod judged;
mod key_pairs;
mod kubeconfig;
mod listening;
mod log_level;
mod measures;
mod plans;
mod random_deaths;
mod retry;
#[path = "../../../core/tests/facade/sample.rs"]
mod sample;
mod sandbox;
mod secrets;
mod serving;
mod spctl;
mod stand_in;
mod store_faults;
mod survival;
mod ten_thousand;
mod unsettled;
mod versions;
mod visitor;
