//! Service Usage: which APIs a project has switched on.
//!
//! Source: <https://cloud.google.com/service-usage/docs/reference/rest>.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Now, StateError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::{Code, Error, Result};
use crate::front::no_such_path;
use crate::route::Route;
use crate::world::World;

/// How long it takes to switch an API on.
const ENABLING: Duration = Duration::from_secs(20);

/// What is known of the APIs of a project: all of the catalogue are on but these.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    off: BTreeSet<String>,
    /// APIs that are being switched, by the operation's name.
    operations: BTreeMap<String, Operation>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Operation {
    services: Vec<String>,
    on: bool,
    due: Option<Duration>,
    done: bool,
}

const CATALOGUE: [(&str, &str); 9] = [
    ("compute.googleapis.com", "Compute Engine API"),
    ("container.googleapis.com", "Kubernetes Engine API"),
    ("iam.googleapis.com", "Identity and Access Management (IAM) API"),
    ("iamcredentials.googleapis.com", "IAM Service Account Credentials API"),
    ("sts.googleapis.com", "Security Token Service API"),
    ("monitoring.googleapis.com", "Cloud Monitoring API"),
    ("oslogin.googleapis.com", "Cloud OS Login API"),
    ("serviceusage.googleapis.com", "Service Usage API"),
    ("cloudresourcemanager.googleapis.com", "Cloud Resource Manager API"),
];

/// The title of an API.
pub(crate) fn title(service: &str) -> &'static str {
    CATALOGUE.iter().find(|(name, _)| *name == service).map_or("The API", |(_, title)| *title)
}

/// Whether an API is on.
pub(crate) fn is_on(state: &State, service: &str) -> bool {
    !state.off.contains(service)
}

/// Carries out one call.
pub(crate) fn handle(call: &mut Call<'_>, route: &Route, request: &Request<Bytes>) -> Result<Value> {
    match route.action.as_str() {
        "services.get" => shown(call, known(route.name(0))?),
        "services.list" => list(call, request.uri().query().unwrap_or_default()),
        "services.enable" => switch(call, vec![known(route.name(0))?.to_owned()], true),
        "services.disable" => switch(call, vec![known(route.name(0))?.to_owned()], false),
        "services.batchEnable" => {
            let body: Value = serde_json::from_slice(request.body())
                .map_err(|_| Error::invalid("Invalid JSON payload received."))?;
            let ids = body.get("serviceIds").and_then(Value::as_array).into_iter().flatten();
            let ids: Result<Vec<String>> =
                ids.filter_map(Value::as_str).map(|id| known(id).map(str::to_owned)).collect();
            switch(call, ids?, true)
        }
        "operations.get" => operation(call, route.name(0)),
        other => Err(no_such_path(other)),
    }
}

fn known(service: &str) -> Result<&str> {
    if CATALOGUE.iter().any(|(name, _)| *name == service) {
        return Ok(service);
    }
    let says = format!("Not found or permission denied for service(s): {service}.");
    Err(Error::new(Code::PermissionDenied, says).info(
        "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
        "serviceusage.googleapis.com",
        &[("services", service)],
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "an arm of the calls, which answer results")]
fn shown(call: &Call<'_>, service: &str) -> Result<Value> {
    Ok(view(call, service))
}

fn view(call: &Call<'_>, service: &str) -> Value {
    let project = call.held();
    let state = if is_on(&project.services, service) { "ENABLED" } else { "DISABLED" };
    json!({
        "name": format!("projects/{}/services/{service}", project.number),
        "parent": format!("projects/{}", project.number),
        "config": {"name": service, "title": title(service)},
        "state": state,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "an arm of the calls, which answer results")]
fn list(call: &Call<'_>, query: &str) -> Result<Value> {
    let wanted = query.contains("state%3AENABLED") || query.contains("state:ENABLED");
    let services = CATALOGUE.iter().map(|(name, _)| view(call, name));
    let services: Vec<Value> = services.filter(|service| !wanted || service["state"] == "ENABLED").collect();
    Ok(json!({"services": services}))
}

fn switch(call: &mut Call<'_>, services: Vec<String>, on: bool) -> Result<Value> {
    let already = services.iter().all(|service| is_on(&call.held().services, service) == on);
    if already {
        let response = response(call, &services, on);
        return Ok(json!({"name": "operations/noop.DONE_OPERATION", "done": true, "response": response}));
    }
    let uuid = call.world.random.uuid();
    let name = format!("acat.p2-{}-{uuid}", call.held().number);
    let due = call.due(&services.join(","), ENABLING);
    let operation = Operation { services, on, due, done: false };
    call.held_mut().services.operations.insert(name.clone(), operation);
    self::operation(call, &name)
}

fn operation(call: &Call<'_>, name: &str) -> Result<Value> {
    let found = call.held().services.operations.get(name);
    let found = found.ok_or_else(|| Error::not_found(format!("Operation not found: operations/{name}")))?;
    let resources: Vec<String> = found
        .services
        .iter()
        .map(|service| format!("projects/{}/services/{service}", call.held().number))
        .collect();
    let mut shown = json!({
        "name": format!("operations/{name}"),
        "metadata": {
            "@type": "type.googleapis.com/google.api.serviceusage.v1.OperationMetadata", "resourceNames": resources,
        },
    });
    if found.done {
        shown["done"] = true.into();
        shown["response"] = response(call, &found.services, found.on);
    }
    Ok(shown)
}

fn response(call: &Call<'_>, services: &[String], on: bool) -> Value {
    let word = if on { "Enable" } else { "Disable" };
    let services: Vec<Value> = services.iter().map(|service| view(call, service)).collect();
    let kind = |kind: &str| format!("type.googleapis.com/google.api.serviceusage.v1.{kind}");
    match services.as_slice() {
        [one] => json!({"@type": kind(&format!("{word}ServiceResponse")), "service": one}),
        many => json!({"@type": kind(&format!("Batch{word}ServicesResponse")), "services": many}),
    }
}

/// The event `servicesAreDisabled {services: [name], project?}`.
///
/// # Errors
/// When there is no such project.
pub(crate) fn disabled(world: &mut World, event: &Value) -> std::result::Result<Value, StateError> {
    let project = world.project_named(event.get("project").and_then(Value::as_str))?;
    let services = event.get("services").and_then(Value::as_array).into_iter().flatten();
    let services: Vec<String> = services.filter_map(Value::as_str).map(str::to_owned).collect();
    world.project_mut(&project).services.off.extend(services);
    Ok(Value::Null)
}

/// Does what has fallen due in one project.
pub(crate) fn settle(world: &mut World, project: &str, now: Now) {
    let state = &mut world.project_mut(project).services;
    for operation in state.operations.values_mut() {
        if operation.due.is_some_and(|due| due <= now.work) {
            (operation.due, operation.done) = (None, true);
            for service in &operation.services {
                if operation.on {
                    state.off.remove(service);
                } else {
                    state.off.insert(service.clone());
                }
            }
        }
    }
}

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    state.operations.values().filter_map(|operation| operation.due).min()
}
