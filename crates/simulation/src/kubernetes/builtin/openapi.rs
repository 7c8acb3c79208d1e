//! A schema of the API that says which kinds there are and no more: their fields are Kubernetes' own.
//! Enough for `kubectl` not to fail over its absence.

use http::StatusCode;
use http::header::ACCEPT;
use serde_json::{Value, json};

use crate::kubernetes::ClusterState;
use crate::kubernetes::back::{Request, Response};
use crate::kubernetes::resource::{GROUPS, RESOURCES, Resource};
use crate::kubernetes::status::{json_response, typed_response};

/// The old document in the form that `kubectl` asks for: one field, `swagger: "2.0"`.
const SWAGGER_PROTOBUF: &[u8] = b"\x0a\x032.0";

pub(super) fn is_known(path: &str) -> bool {
    matches!(path, "/openapi/v2" | "/openapi/v3") || group_of(path).is_some()
}

/// The answer of a path that [`is_known`].
pub(super) fn answer(state: &ClusterState, path: &str, request: &Request) -> Response {
    match (path, group_of(path)) {
        (_, Some(group)) => json_response(StatusCode::OK, &document(state, group)),
        ("/openapi/v3", None) => {
            let paths: serde_json::Map<String, Value> = [""]
                .iter()
                .chain(&GROUPS)
                .map(|group| {
                    (base(group), json!({"serverRelativeURL": format!("/openapi/v3/{}", base(group))}))
                })
                .collect();
            json_response(StatusCode::OK, &json!({"paths": paths}))
        }
        _ if wants_protobuf(request) => typed_response(
            StatusCode::OK,
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            SWAGGER_PROTOBUF,
        ),
        _ => json_response(
            StatusCode::OK,
            &json!({"swagger": "2.0", "info": info(state), "paths": {}, "definitions": {}}),
        ),
    }
}

fn wants_protobuf(request: &Request) -> bool {
    let accept = request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("proto-openapi")
}

fn base(group: &str) -> String {
    if group.is_empty() { "api/v1".to_owned() } else { format!("apis/{group}/v1") }
}

fn group_of(path: &str) -> Option<&'static str> {
    let rest = path.strip_prefix("/openapi/v3/")?;
    [""].into_iter().chain(GROUPS).find(|group| base(group) == rest)
}

fn info(state: &ClusterState) -> Value {
    json!({"title": "Kubernetes", "version": state.version()})
}

fn document(state: &ClusterState, group: &str) -> Value {
    let kept = || RESOURCES.iter().filter(|resource| resource.group == group);
    let paths: serde_json::Map<String, Value> = kept()
        .map(|resource| {
            let within = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
            let path = format!("/{}{within}/{}/{{name}}", base(group), resource.plural);
            let get = json!({
                "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": kind(resource),
                "responses": {"200": {"description": "OK"}},
            });
            (path, json!({"get": get}))
        })
        .collect();
    let schemas: serde_json::Map<String, Value> = kept()
        .map(|resource| {
            let schema = json!({
                "type": "object", "x-kubernetes-group-version-kind": [kind(resource)],
                "description": "Its fields are those of Kubernetes; a simulated cluster does not list them.",
            });
            (
                format!("io.k8s.api.{}.v1.{}", if group.is_empty() { "core" } else { group }, resource.kind),
                schema,
            )
        })
        .collect();
    json!({"openapi": "3.0.0", "info": info(state), "paths": paths, "components": {"schemas": schemas}})
}

fn kind(resource: &Resource) -> Value {
    json!({"group": resource.group, "version": resource.version, "kind": resource.kind})
}
