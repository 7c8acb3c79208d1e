//! What of a cluster's children remains after its deletion, as stored while it stood: said by its identifier, whatever
//! kind of stage was to remove it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use pmks_driver::cluster_objects::object_kind;
use pmks_driver::{Change, Effect, StageSpecification};
use pmks_model::{Child, Children, OperationKind, Remains, ResourceKind, StageState};
use pmks_store::{Operation, OperationFilter, Page, Result, Stage, Store};
use serde_json::Value;
use uuid::Uuid;

use super::ending::why_not_removed;

/// After a deletion that did not come to its end: every child that is not surely gone.
pub(super) fn left(operation: &Operation) -> Vec<Remains> {
    // What lies within the cluster goes with it, and it is listed itself.
    standing(operation)
        .filter(|child| object_kind(&child.kind).is_none())
        .map(|child| remains(operation, child))
        .collect()
}

/// After one that succeeded: the volumes that were not to be deleted.
pub(super) fn kept(operation: &Operation) -> Vec<Remains> {
    standing(operation)
        .filter(|child| child.kind == Child::VOLUME)
        .map(|child| remains(operation, child))
        .collect()
}

/// What was stored while the cluster stood.
pub(super) fn of(operation: &Operation) -> Children {
    serde_json::from_value(operation.children.clone()).unwrap_or_default()
}

/// What earlier deletions of a cluster stored and have not surely removed: a new one takes it over, whatever became of
/// them, since nobody else knows it once the cluster is gone. Of a child that several of them knew, the last one tells;
/// what could not be looked at is what the last one with a plan could not.
pub(crate) async fn known_before(store: &dyn Store, cluster: Uuid, except: Option<Uuid>) -> Result<Children> {
    let filter = OperationFilter {
        resource_uid: Some(cluster),
        kind: Some(OperationKind::ClusterDelete),
        ..OperationFilter::default()
    };
    let mut earlier = store.operations(&filter, Page::all()).await?;
    earlier.retain(|operation| Some(operation.id) != except);
    earlier.sort_by_key(|operation| Reverse(operation.queue_order));
    let (mut told, mut left) = (BTreeSet::new(), Vec::new());
    for operation in &earlier {
        let standing: Vec<Child> = standing(operation).collect();
        for child in of(operation).found {
            let is_news = told.insert((child.kind.clone(), child.system_id.clone()));
            if is_news && standing.contains(&child) {
                left.push(child);
            }
        }
    }
    let last = earlier.iter().find(|operation| operation.stages.len() > 1);
    Ok(Children { found: left, unknown: last.map(|last| of(last).unknown).unwrap_or_default() })
}

/// The stage of a plan that removes a child.
pub(crate) fn removal<'s>(plan: &'s [StageSpecification], child: &Child) -> Option<&'s StageSpecification> {
    // An object in the cluster is called by its parts; its stage by the whole.
    let name = format!("removal of {} {}", child.kind, child.system_id);
    let is_about =
        |stage: &&StageSpecification| stage.name == name || names(&stage.parameters, &child.system_id);
    plan.iter().filter(|stage| stage.effect != Effect::Read).find(is_about)
}

/// Whether the stage that removes the cluster is done.
pub(super) fn cluster_is_gone(operation: &Operation) -> bool {
    stages(operation).any(|stage| is_done(stage) && is_of_cluster(stage))
}

fn standing(operation: &Operation) -> impl Iterator<Item = Child> {
    let cluster_is_gone = cluster_is_gone(operation);
    of(operation).found.into_iter().filter(move |child| {
        let goes = cluster_is_gone && child.goes_with_cluster;
        let is_removed =
            stages(operation).any(|stage| is_done(stage) && is_about(stage, child) && !leaves(stage, child));
        !goes && !is_removed
    })
}

fn remains(operation: &Operation, child: Child) -> Remains {
    let stage = stages(operation).find(|stage| !is_done(stage) && is_about(stage, &child));
    let change = serde_json::from_value(operation.intent.clone()).ok();
    let keeps = matches!(change, Some(Change::DeleteCluster(asked)) if !asked.delete_volumes);
    let reason = if keeps && child.kind == Child::VOLUME && !child.goes_with_cluster {
        "it is kept, with what it holds, and costs on: its deletion was not asked for".to_owned()
    } else {
        stage.map_or_else(
            || "the operation ended before it was gone".to_owned(),
            |stage| why_not_removed(operation, stage),
        )
    };
    Remains { kind: child.kind, system_id: child.system_id, name: child.name, reason }
}

fn stages(operation: &Operation) -> impl Iterator<Item = &Stage> {
    operation.stages.iter().skip(1)
}

fn is_done(stage: &Stage) -> bool {
    stage.record.state == StageState::Done
}

fn is_of_cluster(stage: &Stage) -> bool {
    let kind = stage.specification.pointer("/subject/kind").and_then(Value::as_str);
    kind == Some(ResourceKind::Cluster.as_str())
}

/// Whether a stage was planned with that child.
fn is_about(stage: &Stage, child: &Child) -> bool {
    stage.specification.get("parameters").is_some_and(|parameters| names(parameters, &child.system_id))
}

/// Whether a stage that is done says that the child still stands, as one that has only waited for it.
fn leaves(stage: &Stage, child: &Child) -> bool {
    stage.record.outputs.as_ref().is_some_and(|outputs| names(outputs, &child.system_id))
}

/// Whether that text is among the values, however deep. Some clouds know no case in identifiers.
fn names(value: &Value, text: &str) -> bool {
    match value {
        Value::String(has) => has.eq_ignore_ascii_case(text),
        Value::Array(values) => values.iter().any(|value| names(value, text)),
        Value::Object(values) => values.values().any(|value| names(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
