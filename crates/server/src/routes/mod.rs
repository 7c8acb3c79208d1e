//! Every route. Each is registered by `routes!`, which takes its documentation along: none can be served that
//! `/v1/openapi.json` does not name.

mod clusters;
mod connections;
mod discovery;
mod entry;
mod events;
mod installation;
mod key_pairs;
mod networks;
mod node_groups;
mod nodes;
mod operations;
mod pages;
mod providers;
mod security_groups;
mod subnets;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use pmks_api::{Children, Plan, PlannedStage, TagsPatch};
use pmks_core::{Caller, Mutation, OperationView, Tagged};
use pmks_model::Findings;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::ask::{DryRun, Patched};
use crate::refused::Refused;
use crate::{State, convert, document};

/// What a handler answers.
type Answer = Result<Response, Refused>;

/// Every route with its documentation.
pub(crate) fn all() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::with_openapi(document::base())
        .merge(providers::routes())
        .merge(connections::routes())
        .merge(discovery::routes())
        .merge(networks::routes())
        .merge(subnets::routes())
        .merge(security_groups::routes())
        .merge(key_pairs::routes())
        .merge(clusters::routes())
        .merge(node_groups::routes())
        .merge(nodes::routes())
        .merge(entry::routes())
        .merge(operations::routes())
        .merge(events::routes())
        .merge(installation::routes())
        .merge(pages::routes())
}

/// Has a mutation carried out (202), or shows what it would do (200).
async fn change(state: &State, caller: &Caller, mutation: Mutation, dry_run: Option<DryRun>) -> Answer {
    change_as_read(state, caller, mutation, Findings::default(), dry_run).await
}

/// The same with what could not be read of the request.
async fn change_as_read(
    state: &State,
    caller: &Caller,
    mutation: Mutation,
    unreadable: Findings,
    dry_run: Option<DryRun>,
) -> Answer {
    if dry_run == Some(DryRun::Plan) {
        let plan = Box::pin(state.pmks.plan_as_read(caller, mutation, unreadable)).await?;
        return Ok(Json(convert::plan(plan)).into_response());
    }
    let accepted = Box::pin(state.pmks.accept_as_read(caller, mutation, unreadable)).await?;
    Ok(taken_on(accepted.operation))
}

/// 202 with where to follow the operation.
fn taken_on(view: OperationView) -> Response {
    let location = location(&format!("/v1/operations/{}", view.id));
    (StatusCode::ACCEPTED, [(LOCATION, location)], Json(convert::operation(view))).into_response()
}

/// A `Location`; names are percent-encoded by the caller where they may need it.
fn location(path: &str) -> HeaderValue {
    HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"))
}

/// JSON that is written already.
fn written(body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}

/// What is kept written: many answers share it, and none copies it.
struct Kept(Arc<str>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A body with its version tag.
fn tagged(version_tag: &str, body: impl Serialize) -> Response {
    with_tag(version_tag, Json(body).into_response())
}

/// The same of an answer.
///
/// What pmks keeps no record of has none.
fn with_tag(version_tag: &str, mut response: Response) -> Response {
    if version_tag.is_empty() {
        return response;
    }
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version_tag}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Takes on other tags.
async fn update_tags(
    state: &State,
    connection: String,
    resource: Tagged,
    asked: Patched<TagsPatch>,
    dry_run: Option<DryRun>,
) -> Answer {
    let Patched { caller, patch, if_match, .. } = asked;
    let mutation = Mutation::UpdateTags { connection, resource, patch, if_match, only_new: false };
    change(state, &caller, mutation, dry_run).await
}

/// The same answer, kept nowhere on its way.
fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a change of a record alone would do: the cloud hears nothing of it.
fn planned_of_record(kind: &str, does: String, findings: Vec<String>) -> Response {
    let plan = Plan {
        kind: kind.to_owned(),
        stages: vec![PlannedStage { name: does, after: Vec::new(), expected_seconds: 0 }],
        resolved: BTreeMap::new(),
        findings: std::iter::once("the cloud is left alone".to_owned()).chain(findings).collect(),
        children: Children::default(),
    };
    Json(plan).into_response()
}

fn removal_of_record(what: &str, name: &str) -> String {
    format!("removal of the record of {what} {name}")
}

/// Refuses a plan of what is no operation.
fn no_plan(dry_run: Option<DryRun>) -> Result<(), Refused> {
    match dry_run {
        None => Ok(()),
        Some(DryRun::Plan) => {
            Err(Refused::invalid("dryRun", "an import of a record changes nothing: it has no plan"))
        }
    }
}
