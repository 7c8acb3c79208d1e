//! Operations: what a change is until it is done, and what it says of itself. A request id makes a repeated request
//! the same operation.
//!
//! Source: <https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses>.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Asked;
use super::references::{self, in_use_words, user_of};
use super::state::{Stored, link, number, time};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::world::World;

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) name: String,
    id: String,
    /// `insert`, `delete`, `patch`, …
    kind: String,
    scope: String,
    /// The path and number of what it changes.
    target: String,
    target_id: String,
    user: String,
    started: Timestamp,
    ended: Option<Timestamp>,
    /// Work time of its end; absent when it is done or never will be.
    pub(crate) due: Option<Duration>,
    /// The key of what it changes.
    key: String,
    end: End,
    error: Option<(String, String)>,
}

/// How an operation ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum End {
    /// What it changes is ready.
    Ready,
    /// What it changes is gone.
    Gone,
    /// It fails, with that code; what it was to make is not there.
    Fails(String),
    /// Nothing more happens.
    Nothing,
}

/// Begins an operation on a stored resource, and answers it.
pub(crate) fn begin(
    call: &mut Call<'_>,
    kind: &str,
    target: &Stored,
    end: End,
    usual: Duration,
) -> Result<Value> {
    let (key, path, id) = (target.key(), target.path(call.project), target.id.clone());
    let holds = matches!(end, End::Ready | End::Gone | End::Fails(_)) && kind != "patch";
    let name = start(call, kind, &target.scope.clone(), (&path, &id), (&key, end), usual);
    if holds && let Some(stored) = call.held_mut().compute.resources.get_mut(&key) {
        stored.busy = Some(name.clone());
    }
    view(call, &name)
}

/// Begins an operation on anything; answers its name.
pub(crate) fn start(
    call: &mut Call<'_>,
    kind: &str,
    scope: &str,
    (target, target_id): (&str, &str),
    (key, end): (&str, End),
    usual: Duration,
) -> String {
    let random = &mut call.world.random;
    let name = format!(
        "operation-{}-{}-{}-{}",
        call.now.wall.as_millisecond(),
        random.hex(13),
        random.hex(8),
        random.hex(8)
    );
    let id = number(random);
    let failure = call.effects.fail_while_creating().filter(|_| kind == "insert");
    let end = match failure {
        Some(code) => End::Fails(code.unwrap_or("INTERNAL_ERROR").to_owned()),
        None => end,
    };
    let operation = Operation {
        id,
        kind: kind.to_owned(),
        scope: scope.to_owned(),
        target: target.to_owned(),
        target_id: target_id.to_owned(),
        user: call.principal.email.clone(),
        started: call.now.wall,
        ended: None,
        due: call.due(target, usual),
        key: key.to_owned(),
        end,
        error: None,
        name: name.clone(),
    };
    call.held_mut().compute.operations.insert(name.clone(), operation);
    name
}

/// Reads one. Waiting for one answers at once too, as it may: «returns even if the operation is not done».
///
/// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/zoneOperations/wait>.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let scope = references::scope(call, asked.route.name(0))?;
    let name = asked.route.name(1);
    let found = call.held().compute.operations.get(name).filter(|operation| operation.scope == scope);
    let missing = || references::no_resource(&format!("projects/{}/{scope}/operations/{name}", call.project));
    found.map(|operation| operation.view(call.project)).ok_or_else(missing)
}

fn view(call: &Call<'_>, name: &str) -> Result<Value> {
    let found = call.held().compute.operations.get(name);
    found.map(|operation| operation.view(call.project)).ok_or_else(|| references::no_resource(name))
}

/// The answer of a call that began an operation of this name.
pub(crate) fn answer(call: &Call<'_>, name: &str) -> Result<Value> {
    view(call, name)
}

impl Operation {
    /// `global`, `regions/…` or `zones/…`.
    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }

    /// It as the API shows it.
    pub(crate) fn view(&self, project: &str) -> Value {
        let done = self.ended.is_some();
        let mut shown = json!({
            "kind": "compute#operation", "id": self.id, "name": self.name, "operationType": self.kind,
            "targetLink": link(&self.target), "targetId": self.target_id, "user": self.user,
            "status": if done { "DONE" } else { "RUNNING" }, "progress": if done { 100 } else { 0 },
            "insertTime": time(self.started), "startTime": time(self.started),
            "selfLink": link(&format!("projects/{project}/{}/operations/{}", self.scope, self.name)),
        });
        match self.scope.split_once('/') {
            Some(("regions", region)) => {
                shown["region"] = link(&format!("projects/{project}/regions/{region}")).into()
            }
            Some(("zones", zone)) => shown["zone"] = link(&format!("projects/{project}/zones/{zone}")).into(),
            _ => {}
        }
        if let Some(ended) = self.ended {
            shown["endTime"] = time(ended).into();
        }
        if let Some((code, message)) = &self.error {
            shown["error"] = json!({"errors": [{"code": code, "message": message}]});
            shown["httpErrorStatusCode"] = 400.into();
            shown["httpErrorMessage"] = "BAD REQUEST".into();
        }
        shown
    }
}

/// The operation that the same request began before.
///
/// # Errors
/// 400 where the id is no UUID or was used for another request.
pub(crate) fn repeated(call: &Call<'_>, asked: &Asked<'_>) -> Result<Option<Value>> {
    let Some(id) = asked.query("requestId") else { return Ok(None) };
    let is_uuid = id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if !is_uuid || id.chars().all(|c| c == '0' || c == '-') {
        let says = format!("Invalid value for field 'requestId': '{id}'. Must be a valid UUID.");
        return Err(Error::invalid(says).reason("invalid"));
    }
    let Some((what, name)) = call.held().compute.requests.get(id) else { return Ok(None) };
    if *what != fingerprint(asked) {
        let says = format!("Invalid value for field 'requestId': '{id}'. It was used for another request.");
        return Err(Error::invalid(says).reason("invalid"));
    }
    view(call, name).map(Some)
}

/// Remembers what a request id began.
pub(crate) fn remember(call: &mut Call<'_>, asked: &Asked<'_>, answer: &Value) {
    let name = answer.get("name").and_then(Value::as_str);
    if let (Some(id), Some(name)) = (asked.query("requestId"), name) {
        let what = fingerprint(asked);
        call.held_mut().compute.requests.insert(id.to_owned(), (what, name.to_owned()));
    }
}

fn fingerprint(asked: &Asked<'_>) -> String {
    format!("{} {}", asked.route.action, asked.route.names.join("/"))
}

/// Ends what is due in one project.
pub(crate) fn settle(world: &mut World, project: &str, now: pmks_simulation::Now) {
    let due = |operation: &&Operation| operation.due.is_some_and(|due| due <= now.work);
    let names: Vec<String> = world
        .project(project)
        .compute
        .operations
        .values()
        .filter(due)
        .map(|operation| operation.name.clone())
        .collect();
    for name in names {
        let state = &mut world.project_mut(project).compute;
        let Some(operation) = state.operations.get(&name).cloned() else { continue };
        let mut error = None;
        // What took its name meanwhile is another one.
        let is_it = |one: &&Stored| one.id == operation.target_id;
        let target = state.resources.get(&operation.key).filter(is_it).cloned();
        match (&operation.end, target) {
            (End::Gone, Some(target)) => match user_of(state, &target, project) {
                Some(user) => {
                    let words = in_use_words(&target, project, &user);
                    error = Some(("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE".to_owned(), words));
                }
                None => {
                    state.resources.remove(&operation.key);
                    drop_routes(state, &target, project);
                }
            },
            (End::Fails(code), target) => {
                if target.is_some() {
                    state.resources.remove(&operation.key);
                }
                error = Some((
                    code.clone(),
                    "Internal error. Please try again or contact Google Support.".to_owned(),
                ));
            }
            _ => {}
        }
        if let Some(stored) = state.resources.get_mut(&operation.key) {
            stored.busy.take_if(|busy| *busy == name);
        }
        if let Some(operation) = state.operations.get_mut(&name) {
            (operation.due, operation.ended, operation.error) = (None, Some(now.wall), error);
        }
    }
}

/// A network's own routes go with it.
fn drop_routes(state: &mut super::State, gone: &Stored, project: &str) {
    if gone.collection == "networks" {
        let own = link(&gone.path(project));
        state.resources.retain(|_, other| !(other.collection == "routes" && other.text("network") == own));
    }
}
