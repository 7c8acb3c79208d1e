//! What creations made before they failed at the thing itself: once its record is gone nobody knows of it, so that the
//! deletion of a record without an identifier removes it.

use pmks_driver::{Driver, Effect, Prepared};
use pmks_model::{Child, Failure, FailureKind, Remains, Says};
use pmks_store::{Operation, OperationFilter, Page, Resource, Result, Stage, Store};

use super::children::removal;
use super::ending::{made, subject, waits_for};

/// What the creations of a record that has no identifier have made, as far as their stages heard of it.
pub(crate) async fn made_for(store: &dyn Store, record: &Resource) -> Result<Vec<Child>> {
    if record.system_id.is_some() {
        return Ok(Vec::new());
    }
    let creations = creations(store, record).await?;
    let stages = creations
        .iter()
        .flat_map(|creation| creation.stages.iter().filter(|stage| is_for(creation, stage, record)));
    Ok(stages.filter_map(heard_of).collect())
}

/// The creations that ended and that may have made it: its own, and its whole's.
pub(super) async fn creations(store: &dyn Store, record: &Resource) -> Result<Vec<Operation>> {
    let mut found = Vec::new();
    for uid in [Some(record.uid), record.parent].into_iter().flatten() {
        let about = OperationFilter { resource_uid: Some(uid), ..OperationFilter::default() };
        found.extend(store.operations(&about, Page::all()).await?);
    }
    found.retain(|operation| operation.kind.creates() && operation.state.is_final());
    Ok(found)
}

/// Whether a stage makes that record's thing, or something for it alone: of its whole's creation, what only stages wait
/// for that are so themselves.
pub(super) fn is_for(creation: &Operation, stage: &Stage, record: &Resource) -> bool {
    if creation.resource_uid == Some(record.uid) {
        return true;
    }
    if let Some(subject) = subject(stage) {
        return subject.kind == record.kind && subject.name == record.name_at_cloud();
    }
    let mut waiting =
        creation.stages.iter().filter(|other| waits_for(other).any(|before| before == stage.name)).peekable();
    waiting.peek().is_some() && waiting.all(|other| is_for(creation, other, record))
}

/// What a stage is known to have made for something else. What one makes that has a record is that record's: of the same
/// name it may be an earlier one's.
pub(super) fn heard_of(stage: &Stage) -> Option<Child> {
    if subject(stage).is_some() {
        return None;
    }
    let effect = stage.specification.get("effect").cloned().and_then(|one| serde_json::from_value(one).ok());
    if matches!(effect, None | Some(Effect::Read)) {
        return None;
    }
    made(stage).filter(|made| !made.system_id.is_empty()).map(of_remains)
}

/// What a look has found of a stage whose answer was lost.
pub(super) fn found(stage: &Stage, system_id: String) -> Child {
    of_remains(super::ending::remainder(stage, system_id, String::new()))
}

fn of_remains(made: Remains) -> Child {
    Child {
        kind: made.kind,
        system_id: made.system_id,
        name: made.name,
        made_by: String::new(),
        goes_with_cluster: false,
    }
}

/// What its driver plans for the removal of what was made.
///
/// # Errors
/// What the driver says; `Precondition`, within, naming what it cannot remove.
pub(crate) async fn prepare_removal(
    driver: &dyn Driver,
    record: &Resource,
    made: &[Child],
) -> pmks_driver::Result<std::result::Result<Prepared, Failure>> {
    let mut prepared = driver.remove_made(made).await?;
    let left: Vec<String> = made
        .iter()
        .filter(|child| removal(&prepared.plan.stages, child).is_none())
        .map(|child| format!("{} {}", child.kind, child.system_id))
        .collect();
    if !left.is_empty() {
        return Ok(Err(left_at_the_cloud(record, &left)));
    }
    prepared.children.found = made.to_vec();
    Ok(Ok(prepared))
}

/// What was made, after a deletion that ended before it was planned.
pub(super) fn still_there(made: &[Child]) -> Vec<Remains> {
    let remains = |child: &Child| Remains {
        kind: child.kind.clone(),
        system_id: child.system_id.clone(),
        name: child.name.clone(),
        reason: "the creation made it, and nothing has removed it".to_owned(),
    };
    made.iter().map(remains).collect()
}

/// The refusal to forget what nobody removes.
pub(super) fn left_at_the_cloud(record: &Resource, left: &[String]) -> Failure {
    let says = Says::from("the creation of ").then(Says::kind(record.kind)).text(format!(
        " {:?} left something at the cloud that is not removed with it: {}",
        record.name,
        left.join("; ")
    ));
    let fix = "remove that at the cloud, then forget this record";
    Failure::new(FailureKind::Precondition, says).with_fix(fix)
}
