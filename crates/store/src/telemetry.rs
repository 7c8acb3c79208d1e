//! Metrics of the store: how long transactions, reads and commits take, how many wait, and what the database refused.
//! Labels are names of ours.

use std::time::Duration;

use crate::{Error, Fault, Result};

/// A read.
pub(crate) fn read<T>(name: &'static str, took: Duration, outcome: &Result<T>) {
    metrics::histogram!("pmks_store_read_duration_seconds", "read" => name, "outcome" => word(outcome))
        .record(took.as_secs_f64());
}

/// A transaction that writes, from its wish to its commit.
pub(crate) fn wrote<T>(name: &'static str, took: Duration, outcome: &Result<T>) {
    metrics::histogram!("pmks_store_write_duration_seconds", "transaction" => name, "outcome" => word(outcome))
        .record(took.as_secs_f64());
}

/// A commit, on the disk, and how many transactions shared it.
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
pub(crate) fn committed(transactions: usize, took: Duration) {
    metrics::histogram!("pmks_store_commit_duration_seconds").record(took.as_secs_f64());
    metrics::histogram!("pmks_store_commit_transactions").record(transactions as f64);
}

/// The database did not do what it was told.
pub(crate) fn failed(fault: Fault) {
    metrics::counter!("pmks_store_failures_total", "fault" => fault.as_str()).increment(1);
}

/// One that waits for its turn to write, for as long as it lives.
pub(crate) struct Waiting;

impl Waiting {
    pub(crate) fn begin() -> Self {
        metrics::gauge!("pmks_store_writes_waiting").increment(1.0);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        metrics::gauge!("pmks_store_writes_waiting").decrement(1.0);
    }
}

/// Whether it was done, refused for a reason of ours, or failed.
fn word<T>(outcome: &Result<T>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(
            Error::Database(_)
            | Error::Closed
            | Error::Damaged(_)
            | Error::Migration(_)
            | Error::WrongMasterKey,
        ) => "failed",
        Err(_) => "refused",
    }
}
