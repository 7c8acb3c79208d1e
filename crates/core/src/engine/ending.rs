//! The end of an operation: what remains at the cloud, what the records become, and that it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pmks_driver::{Change, Doomed, Subject};
use pmks_model::{Child, OperationKind, OperationState, Remains, StageState};
use pmks_store::{BrokenOff, End, Fence, Finish, NotRemoved, Operation, Result, Stage};

use super::children;
use super::contract::Outcome;
use super::made::still_there;
use super::notes::Notes;
use super::own_names::in_own_names;
use super::step::Run;
use super::timing::since;
use super::traced::Traced;
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
        self.house.finish(self.fence, &self.operation, &self.made, end, outcome).await
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
    /// Ends what cannot ask its cloud: what is not known is listed.
    pub(super) async fn end_unheard(&self, fence: Fence, operation: &Operation, end: End) -> Result<()> {
        self.finish(fence, operation, &[], end, Outcome::default()).await
    }

    /// `made` for what is to go, where that was never made and nothing is planned yet.
    async fn finish(
        &self,
        fence: Fence,
        operation: &Operation,
        made: &[Child],
        end: End,
        outcome: Outcome,
    ) -> Result<()> {
        // Of what succeeded nothing is told by the names of its stages.
        let told = match &end {
            End::Succeeded => None,
            End::Failed(_) | End::Cancelled => Some(in_own_names(self.store.as_ref(), operation).await?),
        };
        let operation = told.as_ref().unwrap_or(operation);
        let remains = match &end {
            End::Succeeded => children::kept(operation),
            End::Failed(_) | End::Cancelled if operation.stages.len() == 1 && !made.is_empty() => {
                still_there(made)
            }
            End::Failed(_) | End::Cancelled => remains(operation),
        };
        let (broken_off, not_removed) = (broken_off(operation, &end), not_gone(operation, &end));
        let now = self.clock.wall();
        let finish = Finish {
            end,
            remains,
            broken_off,
            not_removed,
            observations: outcome.observations,
            updates: outcome.updates,
            inserts: outcome.inserts,
            removes: outcome.removes,
            now,
        };
        let ended = self.store.finish(fence, finish).await?;
        self.crowds.leave(ended.id);
        self.identities.forget(ended.id);
        let took = since(ended.started_at.unwrap_or(ended.created_at), now);
        telemetry::ended(ended.kind, ended.state.as_str(), took);
        Traced::of(&ended).ended(&ended);
        if ended.state == OperationState::Failed {
            let why = ended.error.as_ref().map(ToString::to_string);
            tracing::warn!(operation = %ended.id, kind = %ended.kind, why, "an operation failed");
        } else {
            tracing::info!(operation = %ended.id, kind = %ended.kind, state = %ended.state, "an operation ended");
        }
        Ok(())
    }
}

/// What a creation that ends without success leaves undone.
fn broken_off(operation: &Operation, end: &End) -> Option<BrokenOff> {
    let why = why(end)?;
    operation.kind.creates().then(|| BrokenOff {
        operation: operation.id,
        why,
        parts: parts_alone(operation),
        overtaken: false,
    })
}

/// A removal that ends without success; one that has asked for nothing was none.
fn not_gone(operation: &Operation, end: &End) -> Option<NotRemoved> {
    let why = why(end)?;
    let is_removed = |stage: &Stage| stage.record.state == StageState::Done && stage.record.attempts > 0;
    (operation.kind.removes() && operation.has_asked()).then(|| NotRemoved {
        operation: operation.id,
        why,
        in_part: operation.stages.iter().any(is_removed),
    })
}

/// Why it did not succeed; empty: it was cancelled.
fn why(end: &End) -> Option<String> {
    match end {
        End::Failed(failure) => Some(failure.to_string()),
        End::Cancelled => Some(String::new()),
        End::Succeeded => None,
    }
}

/// The parts that were not made, where they and what waited for them are all that is missing.
fn parts_alone(operation: &Operation) -> Vec<String> {
    let mut parts: BTreeMap<&str, String> = BTreeMap::new();
    for stage in operation.stages.iter().filter(|stage| stage.record.state != StageState::Done) {
        let of_part = subject(stage).filter(|subject| subject.kind != operation.resource.kind);
        let part = match of_part {
            Some(subject) => Some(subject.name),
            // Each stage stands after those that it waits for.
            None => waits_for(stage).find_map(|before| parts.get(before).cloned()),
        };
        let Some(part) = part else { return Vec::new() };
        parts.insert(&stage.name, part);
    }
    let names: BTreeSet<String> = parts.into_values().collect();
    names.into_iter().collect()
}

pub(super) fn subject(stage: &Stage) -> Option<Subject> {
    serde_json::from_value(stage.specification.get("subject")?.clone()).ok()
}

pub(super) fn waits_for(stage: &Stage) -> impl Iterator<Item = &str> {
    let after = stage.specification.get("after").and_then(|after| after.as_array());
    after.into_iter().flatten().filter_map(|name| name.as_str())
}

/// What exists at the cloud after an operation that ended without success, as far as its stages know.
pub(super) fn remains(operation: &Operation) -> Vec<Remains> {
    if operation.kind.removes() {
        return not_removed(operation);
    }
    if operation.kind.creates() || operation.kind == OperationKind::PrerequisiteFix {
        return operation.stages.iter().skip(1).filter_map(made).collect();
    }
    Vec::new()
}

/// What a stage made, or may have made.
pub(super) fn made(stage: &Stage) -> Option<Remains> {
    let Some(system_id) = known(stage) else {
        let says = "it was asked for, and nobody knows whether it was made";
        let unsettled = Notes::read(&stage.record.notes).unsettled;
        return unsettled.then(|| remainder(stage, String::new(), says.to_owned()));
    };
    let says = match (stage.record.state, &stage.record.error) {
        (StageState::Done, _) => "it was made before the operation ended",
        (StageState::Failed, Some(failure)) => failure.detail.as_str(),
        _ => "it was still being made when the operation ended",
    };
    Some(remainder(stage, system_id, says.to_owned()))
}

/// What was to go and is not surely gone: what the stages are about, and the thing itself.
fn not_removed(operation: &Operation) -> Vec<Remains> {
    let stages = || operation.stages.iter().skip(1);
    let is_itself = |remains: &Remains| {
        remains.kind == operation.resource.kind.as_str() && remains.name == operation.resource.name
    };
    let itself = of_itself(operation);
    // Of a child is said what it is, and not by which stage it was to go.
    let children = children::left(operation);
    let is_child = |stage: &Stage| {
        known(stage).is_some_and(|id| children.iter().any(|child| child.system_id.eq_ignore_ascii_case(&id)))
    };
    let mut left: Vec<Remains> = stages()
        .filter(|stage| stage.record.state != StageState::Done && !is_child(stage))
        .filter(|stage| known(stage).is_some() || subject(stage).is_some() || doomed(stage).is_some())
        .map(|stage| {
            let reason = why_not_removed(operation, stage);
            match doomed(stage) {
                Some(Doomed { kind, system_id, name }) => Remains { kind, system_id, name, reason },
                None => remainder(stage, known(stage).unwrap_or_default(), reason),
            }
        })
        .collect();
    for remains in left.iter_mut().filter(|remains| is_itself(remains) && remains.system_id.is_empty()) {
        remains.system_id.clone_from(&itself.system_id);
    }
    // By its kind alone: the cloud may know it by another name than we do.
    let removed = stages()
        .filter(|stage| stage.record.state == StageState::Done)
        .any(|stage| subject(stage).is_some_and(|subject| subject.kind == operation.resource.kind));
    let listed = left.iter().any(|remains| {
        is_itself(remains) || (remains.system_id == itself.system_id && remains.kind == itself.kind)
    });
    // What a plan was made for without knowing its identifier was never made: only what was made for it goes.
    let was_made = !itself.system_id.is_empty() || operation.stages.len() == 1;
    if was_made && !removed && !listed {
        left.push(itself);
    }
    left.extend(children);
    left
}

/// What the operation is about, by what was asked.
fn of_itself(operation: &Operation) -> Remains {
    let change = serde_json::from_value(operation.intent.clone()).ok();
    let iid = match change {
        Some(Change::DeleteCluster(asked)) => Some(asked.target.iid),
        Some(Change::RemoveNodeGroup(asked)) => Some(asked.target.iid),
        Some(Change::DeleteResource(asked)) => Some(asked.iid),
        _ => None,
    };
    Remains {
        kind: operation.resource.kind.as_str().to_owned(),
        system_id: iid.map(|iid| iid.system_id).unwrap_or_default(),
        name: operation.resource.name.clone(),
        reason: "the operation ended before it was gone".to_owned(),
    }
}

pub(super) fn why_not_removed(operation: &Operation, stage: &Stage) -> String {
    let says = match (&stage.record.error, stage.record.state) {
        (Some(failure), _) => failure.detail.as_str(),
        (None, StageState::Asking | StageState::Following) => {
            "its removal was asked for, and had not ended when the operation did"
        }
        (None, _) => {
            let turn = "the operation ended before its turn";
            let held_up = held_up_by(operation, stage);
            return held_up.map_or_else(|| turn.to_owned(), |why| format!("{turn}: {why}"));
        }
    };
    says.to_owned()
}

/// What failed of the stages that one waited for, in the cloud's words.
fn held_up_by(operation: &Operation, stage: &Stage) -> Option<String> {
    waits_for(stage).find_map(|name| {
        let before = operation.stages.iter().find(|other| other.name == name)?;
        match (&before.record.error, before.record.state) {
            (Some(failure), StageState::Failed) => Some(format!("{name} failed ({})", failure.detail)),
            (_, StageState::Done) => None,
            _ => held_up_by(operation, before),
        }
    })
}

/// What a stage removes.
fn doomed(stage: &Stage) -> Option<Doomed> {
    serde_json::from_value(stage.specification.get("doomed")?.clone()).ok()
}

/// The cloud's identifier of what a stage is about, once there is one.
fn known(stage: &Stage) -> Option<String> {
    stage.record.system_id.clone().filter(|id| !id.is_empty())
}

pub(super) fn remainder(stage: &Stage, system_id: String, reason: String) -> Remains {
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
