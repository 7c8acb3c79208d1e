//! Operations.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use pmks_api::{List, Operation, RetryOperation};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, taken_on};
use crate::ask::{Asked, NoFields, NoQuery, OperationListQuery, Query};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(list_operations))
        .routes(routes!(get_operation))
        .routes(routes!(cancel_operation))
        .routes(routes!(retry_operation))
}

/// A page of operations.
#[utoipa::path(get, path = "/v1/operations", params(OperationListQuery),
    responses((status = 200, body = List<Operation>)))]
async fn list_operations(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<OperationListQuery>,
) -> Answer {
    let page = state.pmks.operations().list(&query.filter()?).await?;
    Ok(Json(convert::list(page, convert::operation)).into_response())
}

/// An operation.
#[utoipa::path(get, path = "/v1/operations/{operation}", responses((status = 200, body = Operation)))]
async fn get_operation(
    Shared(state): Shared<Arc<State>>,
    Path(operation): Path<String>,
    _: Query<NoQuery>,
) -> Answer {
    let view = state.pmks.operations().get(&operation).await?;
    Ok(Json(convert::operation(view)).into_response())
}

/// Asks an operation to stop. Deletes nothing: what exists by then is listed in `remains`.
#[utoipa::path(post, path = "/v1/operations/{operation}/cancel",
    responses((status = 202, body = Operation)))]
async fn cancel_operation(
    Shared(state): Shared<Arc<State>>,
    Path(operation): Path<String>,
    _: Query<NoQuery>,
    asked: Asked<NoFields>,
) -> Answer {
    Ok(taken_on(state.pmks.operations().cancel(&asked.caller, &operation).await?))
}

/// The next attempt of an operation that failed, or the rest of one that is blocked. Where that waits for a choice
/// between candidates, `choice` makes it.
#[utoipa::path(post, path = "/v1/operations/{operation}/retry", request_body = RetryOperation,
    responses((status = 202, body = Operation)))]
async fn retry_operation(
    Shared(state): Shared<Arc<State>>,
    Path(operation): Path<String>,
    _: Query<NoQuery>,
    asked: Asked<RetryOperation>,
) -> Answer {
    let choice = asked.body.choice.as_deref();
    Ok(taken_on(state.pmks.operations().retry(&asked.caller, &operation, choice).await?))
}
