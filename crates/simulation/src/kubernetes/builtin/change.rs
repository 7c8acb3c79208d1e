//! The few changes that this back makes: deleting a Service or an Ingress, cordoning a node, evicting a pod.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::options::Options;
use super::protobuf;
use super::route::Object;
use crate::kubernetes::ClusterState;
use crate::kubernetes::back::{Request, Response};
use crate::kubernetes::resource::{NODES, PODS, SERVICES};
use crate::kubernetes::status::{Status, json_response};

/// Deletes as far as its finalizer allows; the cloud hears of it.
pub(super) fn delete(
    state: &ClusterState,
    object: &Object,
    request: &Request,
    options: &Options,
) -> Result<Response, Status> {
    let resource = object.place.resource;
    let wishes =
        if request.body.is_empty() { Value::Null } else { body_of(request, protobuf::DELETE_OPTIONS)? };
    let missing = || Status::not_found(resource, &object.name);
    let allowed = |known: &Value| preconditions(object, &wishes, known);
    let dry = options.dry_run || wishes["dryRun"].as_array().is_some_and(|stages| !stages.is_empty());
    let deleted = if dry {
        let known = state.read(|world| world.store.get(&object.key()).cloned()).ok_or_else(missing)?;
        allowed(&known)?;
        known
    } else {
        state.delete(&object.key(), allowed)?.ok_or_else(missing)?
    };
    // What is gone at once is confirmed; a Service, and what a finalizer keeps, is answered as it is.
    if resource == &SERVICES || deleted["metadata"]["deletionTimestamp"].is_string() {
        return Ok(json_response(StatusCode::OK, &deleted));
    }
    let mut details = resource.details(&object.name);
    details["uid"] = deleted["metadata"]["uid"].clone();
    Ok(json_response(
        StatusCode::OK,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
    ))
}

/// Sets or clears `spec.unschedulable`; every other patch is refused.
pub(super) fn cordon(
    state: &ClusterState,
    object: &Object,
    request: &Request,
    options: &Options,
) -> Result<Response, Status> {
    let kind = content_type(request);
    if !["application/strategic-merge-patch+json", "application/merge-patch+json"].contains(&kind) {
        return Err(Status::unsupported_media_type(format!(
            "the simulated cluster takes no patch of type \"{kind}\"; it takes merge patches"
        )));
    }
    let patch = json_of(request)?;
    let unschedulable = &patch["spec"]["unschedulable"];
    let only_that = patch.as_object().is_some_and(|fields| fields.keys().eq(["spec"]))
        && patch["spec"].as_object().is_some_and(|fields| fields.keys().eq(["unschedulable"]))
        && (unschedulable.is_boolean() || unschedulable.is_null());
    if !only_that {
        let cluster = state.name();
        return Err(Status::method_not_allowed(format!(
            "the simulated cluster \"{cluster}\" is read-only here: of a node it patches spec.unschedulable alone"
        )));
    }
    let missing = || Status::not_found(&NODES, &object.name);
    if !options.dry_run && !state.set_node_unschedulable(&object.name, unschedulable == true) {
        return Err(missing());
    }
    let node = state.read(|world| world.store.get(&object.key()).cloned()).ok_or_else(missing)?;
    Ok(json_response(StatusCode::OK, &node))
}

/// Removes the pod; its owner makes another one where it can run.
pub(super) fn evict(state: &ClusterState, object: &Object, request: &Request) -> Result<Response, Status> {
    let eviction = body_of(request, protobuf::EVICTION)?;
    let wishes = &eviction["deleteOptions"];
    let removed = if wishes["dryRun"].as_array().is_some_and(|stages| !stages.is_empty()) {
        state.read(|world| world.store.get(&object.key()).cloned())
    } else {
        state.change(|world, _| world.store.remove(&object.key()))
    };
    removed.ok_or_else(|| Status::not_found(&PODS, &object.name))?;
    Ok(json_response(
        StatusCode::CREATED,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// The body as JSON, from either of Kubernetes' two forms.
pub(super) fn body_of(request: &Request, binary: protobuf::Body) -> Result<Value, Status> {
    match content_type(request) {
        "" | "application/json" => json_of(request),
        protobuf::CONTENT_TYPE => binary.read(&request.body).ok_or_else(|| {
            Status::bad_request("the body of the request is not the protobuf form of its kind")
        }),
        kind => Err(Status::unsupported_media_type(format!(
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/vnd.kubernetes.protobuf (got \"{kind}\")"
        ))),
    }
}

fn json_of(request: &Request) -> Result<Value, Status> {
    let value: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Status::bad_request(format!("the body of the request is not JSON: {error}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Status::bad_request("the body of the request is no object"))
    }
}

fn content_type(request: &Request) -> &str {
    let value = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn preconditions(object: &Object, wishes: &Value, known: &Value) -> Result<(), Status> {
    let found = &known["metadata"];
    for (field, name) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        if let Some(wanted) = wishes["preconditions"][field].as_str()
            && found[field] != wanted
        {
            let found = found[field].as_str().unwrap_or_default();
            return Err(Status::conflict(
                object.place.resource,
                &object.name,
                &format!(
                    "Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {found}"
                ),
            ));
        }
    }
    Ok(())
}
