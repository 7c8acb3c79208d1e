//! Metrics of the engine.

use std::time::Duration;

use pmks_model::{OperationKind, StageState};
use pmks_store::StageRecord;

use super::timing::since;

/// A step began (1) or ended (−1).
pub(super) fn under_way(change: f64) {
    metrics::gauge!("pmks_engine_steps_under_way").increment(change);
}

/// A step began, so long after it was due.
pub(super) fn waited(wait: Duration) {
    metrics::histogram!("pmks_engine_wait_seconds").record(wait.as_secs_f64());
}

/// A stage is over, if that is what its record says. Its label is the kind of stage, of which each driver has a few.
pub(super) fn stage_over(stage: &str, record: &StageRecord) {
    let Some(outcome) = over(record) else { return };
    let (Some(began), Some(ended)) = (record.started_at, record.finished_at) else { return };
    metrics::histogram!("pmks_stage_duration_seconds", "stage" => stage.to_owned(), "outcome" => outcome)
        .record(since(began, ended).as_secs_f64());
}

/// How a stage ended, once it has.
pub(super) fn over(record: &StageRecord) -> Option<&'static str> {
    match record.state {
        StageState::Done => Some("done"),
        StageState::Failed => Some("failed"),
        StageState::Waiting | StageState::Asking | StageState::Following => None,
    }
}

/// A call of a stage and what came of it.
pub(super) fn called(call: &'static str, stage: &str, succeeded: bool) {
    let outcome = if succeeded { "ok" } else { "error" };
    metrics::counter!("pmks_engine_calls_total", "call" => call, "stage" => stage.to_owned(), "outcome" => outcome)
        .increment(1);
}

/// An operation ended.
pub(super) fn ended(kind: OperationKind, state: &'static str, took: Duration) {
    metrics::counter!("pmks_operations_ended_total", "kind" => kind.as_str(), "state" => state).increment(1);
    metrics::histogram!("pmks_operation_duration_seconds", "kind" => kind.as_str(), "state" => state)
        .record(took.as_secs_f64());
}
