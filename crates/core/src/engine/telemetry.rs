//! Metrics of the engine.

use std::time::Duration;

use pmks_model::OperationKind;

/// A step began (1) or ended (−1).
pub(super) fn under_way(change: f64) {
    metrics::gauge!("pmks_engine_steps_under_way").increment(change);
}

/// A call of a stage and what came of it.
pub(super) fn called(call: &'static str, stage: &str, succeeded: bool) {
    let outcome = if succeeded { "ok" } else { "error" };
    metrics::counter!("pmks_engine_calls_total", "call" => call, "stage" => stage.to_owned(), "outcome" => outcome)
        .increment(1);
}

/// An operation ended.
pub(super) fn ended(kind: OperationKind, state: &'static str, took: Duration) {
    metrics::counter!("pmks_operations_total", "kind" => kind.as_str(), "state" => state).increment(1);
    metrics::histogram!("pmks_operation_duration_seconds", "kind" => kind.as_str(), "state" => state)
        .record(took.as_secs_f64());
}
