//! Connections, their validation and prerequisites.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use pmks_api::{
    Connection, ConnectionOrPlan, ConnectionPatch, FixPrerequisites, List, NewConnection, Operation, Plan,
    Prerequisites, Validation,
};
use pmks_core::Mutation;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, change, location, planned_of_record, removal_of_record, tagged};
use crate::ask::{
    Asked, Changing, DryRun, ListQuery, NoFields, NoQuery, Patched, PrerequisiteQuery, Query, Told,
};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_connection, list_connections))
        .routes(routes!(get_connection, update_connection, delete_connection))
        .routes(routes!(validate_connection))
        .routes(routes!(get_prerequisites))
        .routes(routes!(fix_prerequisites))
}

/// Makes a connection. Asks no cloud: see `validate`. `ambient`, `endpoints` and `caCertificate` need the role admin.
#[utoipa::path(post, path = "/v1/connections", params(Changing), request_body = NewConnection,
    responses((status = 201, body = Connection), (status = 200, body = Plan)))]
async fn create_connection(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<Changing>,
    asked: Told<NewConnection>,
) -> Answer {
    let new = convert::new_connection(asked.body, asked.unreadable);
    if query.dry_run == Some(DryRun::Plan) {
        state.pmks.connections().plan_create(&asked.caller, &new).await?;
        return Ok(kept("connection.create", &new.name));
    }
    let view = state.pmks.connections().create(&asked.caller, new).await?;
    let at = location(&format!("/v1/connections/{}", segment(&view.name)));
    let tag = view.version_tag.clone();
    Ok((StatusCode::CREATED, [(LOCATION, at)], tagged(&tag, convert::connection(view))).into_response())
}

/// A name as one segment of a path: a header holds ASCII alone.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3986#section-3.3>
fn segment(name: &str) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(name, ESCAPED)
}

fn kept(kind: &str, name: &str) -> Response {
    planned_of_record(kind, format!("the record of connection {name}, its credential sealed"), Vec::new())
}

/// A page of all connections.
#[utoipa::path(get, path = "/v1/connections", params(ListQuery),
    responses((status = 200, body = List<Connection>)))]
async fn list_connections(Shared(state): Shared<Arc<State>>, Query(query): Query<ListQuery>) -> Answer {
    let page = state.pmks.connections().list(&query.into()).await?;
    Ok(Json(convert::list(page, convert::connection)).into_response())
}

/// A connection. Secrets are never shown.
#[utoipa::path(get, path = "/v1/connections/{connection}", responses((status = 200, body = Connection)))]
async fn get_connection(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    _: Query<NoQuery>,
) -> Answer {
    let view = state.pmks.connections().get(&connection).await?;
    let tag = view.version_tag.clone();
    Ok(tagged(&tag, convert::connection(view)))
}

/// Changes a connection. A patch of endpoints or settings carries the whole credential; a changed credential must act
/// for the same account.
#[utoipa::path(patch, path = "/v1/connections/{connection}", params(Changing),
    request_body(content = ConnectionPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, body = ConnectionOrPlan)))]
async fn update_connection(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Patched<ConnectionPatch>,
) -> Answer {
    let connections = state.pmks.connections();
    if query.dry_run == Some(DryRun::Plan) {
        connections.plan_update(&asked.caller, &connection, asked.patch, &asked.if_match).await?;
        return Ok(kept("connection.update", &connection));
    }
    let view = connections.update(&asked.caller, &connection, asked.patch, &asked.if_match).await?;
    let tag = view.version_tag.clone();
    Ok(tagged(&tag, convert::connection(view)))
}

/// Removes a connection. Refused while anything is known there.
#[utoipa::path(delete, path = "/v1/connections/{connection}", params(Changing),
    responses((status = 204), (status = 200, body = Plan)))]
async fn delete_connection(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    if query.dry_run == Some(DryRun::Plan) {
        state.pmks.connections().plan_delete(&asked.caller, &connection).await?;
        let does = removal_of_record("connection", &connection);
        return Ok(planned_of_record("connection.delete", does, Vec::new()));
    }
    state.pmks.connections().delete(&asked.caller, &connection).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Asks the cloud whether it accepts the credential, for whom it acts, and what is missing in the account.
#[utoipa::path(post, path = "/v1/connections/{connection}/validate",
    responses((status = 200, body = Validation)))]
async fn validate_connection(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    _: Query<NoQuery>,
    asked: Asked<NoFields>,
) -> Answer {
    let view = state.pmks.connections().validate(&asked.caller, &connection).await?;
    Ok(Json(convert::validation(view)).into_response())
}

/// What must exist in the account, or at a cluster, and how it stands.
#[utoipa::path(get, path = "/v1/connections/{connection}/prerequisites", params(PrerequisiteQuery),
    responses((status = 200, body = Prerequisites)))]
async fn get_prerequisites(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<PrerequisiteQuery>,
) -> Answer {
    let view = state.pmks.connections().prerequisites(&connection, query.cluster.as_deref()).await?;
    Ok(Json(convert::prerequisites(view)).into_response())
}

/// Makes what is missing of the prerequisites.
#[utoipa::path(post, path = "/v1/connections/{connection}/prerequisites/fix", params(Changing),
    request_body = FixPrerequisites,
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn fix_prerequisites(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Asked<FixPrerequisites>,
) -> Answer {
    let mutation = Mutation::FixPrerequisites { connection, cluster: asked.body.cluster };
    change(&state, &asked.caller, mutation, query.dry_run).await
}
