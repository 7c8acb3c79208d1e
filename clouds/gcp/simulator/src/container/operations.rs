//! Operations of GKE: begun if nothing stands in their way, read, listed, cancelled where that is possible.
//!
//! What may run together: operations on different node pools, up to five at once; everything else has the cluster for
//! itself. Words: <https://github.com/hashicorp/terraform-provider-google/issues/15579> (the quota),
//! <https://cloud.google.com/kubernetes-engine/docs/troubleshooting> (incompatible operations).

use std::time::Duration;

use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use super::Asked;
use super::places::path;
use super::state::{Cluster, Operation, Status, Step};
use super::view::time;
use crate::call::Call;
use crate::error::{Code, Error, Result};
use crate::world::World;

/// How many operations may run on one cluster.
const MOST_AT_ONCE: usize = 5;

/// Refuses a new operation that would stand in the way of one that runs, or on a cluster that is broken.
pub(crate) fn may_begin(call: &Call<'_>, cluster: &Cluster, pool: Option<&str>, deletes: bool) -> Result<()> {
    let state = &call.held().container;
    let running: Vec<&Operation> = state.running(cluster).collect();
    let in_the_way = running
        .iter()
        .find(|operation| pool.is_none() || operation.pool.is_none() || operation.pool.as_deref() == pool);
    if let Some(operation) = in_the_way {
        let says = format!("Cluster is running incompatible operation {}.", operation.name);
        return Err(Error::precondition(says).info(
            "CLUSTER_ALREADY_HAS_OPERATION",
            "container.googleapis.com",
            &[],
        ));
    }
    if running.len() >= MOST_AT_ONCE {
        let says = format!(
            "Too many operations: cluster \"{}\" hits the concurrent operations quota {MOST_AT_ONCE}, please try again \
             later.",
            cluster.name
        );
        return Err(Error::new(Code::ResourceExhausted, says).info(
            "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
            "container.googleapis.com",
            &[],
        ));
    }
    if cluster.status == Status::Error && !deletes {
        let says = format!("Cluster \"{}\" is in the ERROR state and can only be deleted.", cluster.name);
        return Err(Error::precondition(says));
    }
    Ok(())
}

/// Begins an operation and answers it.
pub(crate) fn begin(
    call: &mut Call<'_>,
    kind: &str,
    (location, cluster, pool): (&str, &str, Option<&str>),
    step: Step,
    usual: Duration,
) -> Value {
    let name = call.operation_name();
    let mut operation = Operation {
        name: name.clone(),
        kind: kind.to_owned(),
        location: location.to_owned(),
        cluster: cluster.to_owned(),
        pool: pool.map(str::to_owned),
        started: call.now.wall,
        ended: None,
        aborting: false,
        error: None,
        detail: String::new(),
        due: None,
        step,
    };
    operation.due = call.due(&operation.about(), usual);
    let shown = view(call, &operation);
    call.held_mut().container.operations.insert(name, operation);
    shown
}

/// An operation as the API shows it.
pub(crate) fn view(call: &Call<'_>, operation: &Operation) -> Value {
    let number = &call.held().number;
    let place = path(number, &operation.location);
    let origin = "https://container.googleapis.com/v1";
    let pool = operation.pool.as_ref().map(|pool| format!("/nodePools/{pool}")).unwrap_or_default();
    let status = match (operation.ended, operation.aborting) {
        (Some(_), _) => "DONE",
        (None, true) => "ABORTING",
        (None, false) => "RUNNING",
    };
    let mut shown = json!({
        "name": operation.name, "operationType": operation.kind, "status": status,
        "selfLink": format!("{origin}/{place}/operations/{}", operation.name),
        "targetLink": format!("{origin}/{place}/clusters/{}{pool}", operation.cluster),
        "startTime": time(operation.started), "zone": operation.location, "location": operation.location,
    });
    if let Some(ended) = operation.ended {
        shown["endTime"] = time(ended).into();
    } else {
        shown["progress"] =
            json!({"status": status, "metrics": [{"name": "CLUSTER_CONFIGURING", "intValue": "1"}]});
    }
    if !operation.detail.is_empty() {
        shown["detail"] = operation.detail.as_str().into();
    }
    if let Some((code, message)) = &operation.error {
        shown["error"] = json!({"code": code, "message": message});
        shown["statusMessage"] = message.as_str().into();
    }
    shown
}

/// Reads one.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    find(call, asked).map(|operation| view(call, operation))
}

fn find<'a>(call: &'a Call<'_>, asked: &Asked<'_>) -> Result<&'a Operation> {
    let (location, name) = (asked.location(), asked.second());
    let found = call.held().container.operations.get(name).filter(|operation| operation.location == location);
    found.ok_or_else(|| {
        Error::not_found(format!("Not found: {}/operations/{name}.", path(call.project, location)))
    })
}

/// All of a location, or of all of them.
pub(crate) fn list(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let wanted = asked.location();
    if wanted != "-" {
        super::places::zones(wanted)?;
    }
    let operations = call.held().container.operations.values();
    let operations: Vec<Value> = operations
        .filter(|operation| wanted == "-" || operation.location == wanted)
        .map(|operation| view(call, operation))
        .collect();
    Ok(if operations.is_empty() { json!({}) } else { json!({"operations": operations}) })
}

/// Only the replacing of nodes can be ended early: what is replaced by then stays so.
pub(crate) fn cancel(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let found = find(call, asked)?.clone();
    if found.ended.is_some() || !matches!(found.step, Step::Replace(_)) {
        let says = format!("Operation type {} cannot be cancelled", found.kind);
        return Err(Error::invalid(says));
    }
    let soon = call.now.work;
    if let Some(operation) = call.held_mut().container.operations.get_mut(&found.name) {
        operation.aborting = true;
        operation.due = Some(soon);
    }
    Ok(json!({}))
}

/// The event `googleOperates {cluster, operation?: "AUTO_REPAIR_NODES", seconds?, project?}`: Google itself is at work on
/// a cluster for so long, which keeps everyone else out.
///
/// # Errors
/// When there is no such cluster.
pub(crate) fn google_operates(
    world: &mut World,
    event: &Value,
    now: Now,
) -> std::result::Result<Value, StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let name = text("cluster").ok_or_else(|| StateError("the event needs `cluster`".to_owned()))?;
    let project = world.project_named(text("project"))?;
    let found =
        world.project(&project).container.clusters.values().find(|cluster| cluster.name == name).cloned();
    let found = found.ok_or_else(|| StateError(format!("there is no cluster `{name}`")))?;
    let seconds = event.get("seconds").and_then(Value::as_u64).unwrap_or(120);
    let effects = pmks_simulation::Effects::default();
    let mut call = Call {
        world,
        project: &project,
        principal: crate::auth::Principal::default(),
        now,
        effects: &effects,
    };
    let kind = text("operation").unwrap_or("AUTO_REPAIR_NODES");
    let change = Step::Change(super::state::Change::Cluster(serde_json::Map::new()));
    let place = (found.location.as_str(), found.name.as_str(), None);
    Ok(begin(&mut call, kind, place, change, Duration::from_secs(seconds)))
}
