//! Cloud Resource Manager, as far as clients ask it: what a project is, and what its caller may do there.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::{Error, Result};
use crate::front::no_such_path;
use crate::route::Route;

/// Carries out one call.
pub(crate) fn handle(call: &Call<'_>, route: &Route, request: &Request<Bytes>) -> Result<Value> {
    let project = call.held();
    let created = project.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    match route.action.as_str() {
        "projects.get" if request.uri().path().starts_with("/v3/") => Ok(json!({
            "name": format!("projects/{}", project.number), "projectId": project.id, "displayName": project.id,
            "state": "ACTIVE", "createTime": created, "updateTime": created, "etag": "W/\"1\"",
        })),
        "projects.get" => Ok(json!({
            "projectNumber": project.number, "projectId": project.id, "name": project.id,
            "lifecycleState": "ACTIVE", "createTime": created,
        })),
        "projects.testIamPermissions" => {
            let body: Value = serde_json::from_slice(request.body())
                .map_err(|_| Error::invalid("Invalid JSON payload received."))?;
            // Every caller is an owner; faults deny single calls.
            Ok(json!({"permissions": body.get("permissions").cloned().unwrap_or_else(|| json!([]))}))
        }
        other => Err(no_such_path(other)),
    }
}
