//! The end of an operation: what remains at the cloud, what the records become, and that it is over.

use std::time::Duration;

use pmks_model::{OperationKind, OperationState, Remains, StageState};
use pmks_store::{End, Fence, Finish, Operation, Result, Stage};

use super::contract::Outcome;
use super::notes::Notes;
use super::step::Run;
use super::timing::since;
use super::{House, telemetry};

/// What is read at the end is a few calls, each with its own limit.
const LIMIT: Duration = Duration::from_mins(3);

impl Run<'_> {
    pub(super) async fn end(self, end: End) -> Result<()> {
        self.end_now(end).await
    }

    pub(super) async fn end_now(&self, end: End) -> Result<()> {
        // What never began changed nothing that would have to be read; what succeeded may change what is asked for
        // even where the cloud had nothing to do.
        let outcome = if self.operation.stages.len() > 1 || end == End::Succeeded {
            self.outcome(end == End::Succeeded).await
        } else {
            Outcome::default()
        };
        self.house.finish(self.fence, &self.operation, end, outcome).await
    }

    async fn outcome(&self, succeeded: bool) -> Outcome {
        self.house.at("engine.outcome.before").await;
        let outcome = tokio::select! {
            outcome = self.house.hooks.outcome(&self.connected, &self.operation, succeeded) => outcome,
            () = self.house.clock.deadline(LIMIT) => Outcome::default(),
        };
        self.house.at("engine.outcome.after").await;
        outcome
    }
}

impl House {
    /// Ends what was cancelled while its cloud cannot be asked: what is not known is listed.
    pub(super) async fn end_unheard(&self, fence: Fence, operation: &Operation) -> Result<()> {
        self.finish(fence, operation, End::Cancelled, Outcome::default()).await
    }

    async fn finish(&self, fence: Fence, operation: &Operation, end: End, outcome: Outcome) -> Result<()> {
        let remains = match &end {
            End::Succeeded => Vec::new(),
            End::Failed(_) | End::Cancelled => remains(operation),
        };
        let now = self.clock.wall();
        let finish = Finish {
            end,
            remains,
            observations: outcome.observations,
            updates: outcome.updates,
            inserts: outcome.inserts,
            removes: outcome.removes,
            now,
        };
        let ended = self.store.finish(fence, finish).await?;
        self.crowds.leave(ended.id);
        let took = since(ended.started_at.unwrap_or(ended.created_at), now);
        telemetry::ended(ended.kind, ended.state.as_str(), took);
        if ended.state == OperationState::Failed {
            let why = ended.error.as_ref().map(ToString::to_string);
            tracing::warn!(operation = %ended.id, kind = %ended.kind, why, "an operation failed");
        } else {
            tracing::info!(operation = %ended.id, kind = %ended.kind, state = %ended.state, "an operation ended");
        }
        Ok(())
    }
}

/// What exists at the cloud because of an operation that ended without success, as far as its stages know.
pub(super) fn remains(operation: &Operation) -> Vec<Remains> {
    let makes = operation.kind.creates() || operation.kind == OperationKind::PrerequisiteFix;
    let stages = operation.stages.iter().skip(1);
    stages
        .filter_map(|stage| {
            let known = stage.record.system_id.clone().filter(|id| !id.is_empty());
            let done = stage.record.state == StageState::Done;
            let unsettled = Notes::read(&stage.record.notes).unsettled;
            match (makes, known) {
                (true, Some(system_id)) => Some(remainder(stage, system_id, made(stage))),
                (true, None) if unsettled => Some(remainder(
                    stage,
                    String::new(),
                    "it was asked for, and nobody knows whether it was made".to_owned(),
                )),
                (false, Some(system_id)) if operation.kind.removes() && !done => {
                    Some(remainder(stage, system_id, not_removed(stage)))
                }
                _ => None,
            }
        })
        .collect()
}

fn made(stage: &Stage) -> String {
    match stage.record.state {
        StageState::Done => "it was made before the operation ended".to_owned(),
        StageState::Failed => not_removed(stage),
        _ => "it was still being made when the operation ended".to_owned(),
    }
}

fn not_removed(stage: &Stage) -> String {
    match &stage.record.error {
        Some(failure) => failure.detail.clone(),
        None => "the operation ended before its turn".to_owned(),
    }
}

fn remainder(stage: &Stage, system_id: String, reason: String) -> Remains {
    let subject = stage.specification.get("subject");
    let of_subject = |key: &str| {
        subject.and_then(|subject| subject.get(key)).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let of_stage = stage
        .specification
        .get("kind")
        .and_then(|kind| kind.as_str())
        .and_then(|kind| kind.rsplit('.').next())
        .unwrap_or_default();
    Remains {
        kind: of_subject("kind").unwrap_or_else(|| of_stage.to_owned()),
        system_id,
        name: of_subject("name").unwrap_or_else(|| stage.name.clone()),
        reason,
    }
}
