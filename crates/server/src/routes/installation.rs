//! API tokens, the audit and the log.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use http::StatusCode;
use jiff::Timestamp;
use pmks_api::{ApiToken, AuditEntry, CreatedApiToken, List, LogLevel, NewApiToken};
use pmks_core::{AuditTimes, Caller, PageRequest};
use pmks_model::{Failure, FailureKind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, unkept};
use crate::ask::{Asked, AuditQuery, NoFields, NoQuery, PartQuery, Query};
use crate::refused::Refused;
use crate::{LogFilter, State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_api_token, list_api_tokens))
        .routes(routes!(revoke_api_token))
        .routes(routes!(list_audit))
        .routes(routes!(get_log_level, set_log_level))
}

/// Makes an API token. The answer is the only one that holds it.
#[utoipa::path(post, path = "/v1/apiTokens", request_body = NewApiToken,
    responses((status = 201, body = CreatedApiToken)))]
async fn create_api_token(
    Shared(state): Shared<Arc<State>>,
    _: Query<NoQuery>,
    asked: Asked<NewApiToken>,
) -> Answer {
    let new = convert::new_api_token(asked.body)?;
    let created = state.pmks.api_tokens().create(&asked.caller, new).await?;
    Ok(unkept((StatusCode::CREATED, Json(convert::created_api_token(created))).into_response()))
}

/// All API tokens, without the tokens.
#[utoipa::path(get, path = "/v1/apiTokens", params(PartQuery),
    responses((status = 200, body = List<ApiToken>)))]
async fn list_api_tokens(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<PartQuery>,
) -> Answer {
    let views = state.pmks.api_tokens().list(&caller).await?;
    let part = PageRequest::from(query).part("API tokens", views, |view| &view.uid)?;
    Ok(Json(convert::list(part, convert::api_token)).into_response())
}

/// Revokes an API token, by name or uid.
#[utoipa::path(delete, path = "/v1/apiTokens/{apiToken}", responses((status = 204)))]
async fn revoke_api_token(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    _: Query<NoQuery>,
    asked: Asked<NoFields>,
) -> Answer {
    state.pmks.api_tokens().revoke(&asked.caller, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who did what, the newest first. The next page begins where this one ended, whatever was done meanwhile.
#[utoipa::path(get, path = "/v1/audit", params(AuditQuery), responses((status = 200, body = List<AuditEntry>)))]
async fn list_audit(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<AuditQuery>,
) -> Answer {
    let times = AuditTimes { since: time("since", query.since)?, until: time("until", query.until)? };
    let page = PageRequest::from(PartQuery { page_size: query.page_size, page_token: query.page_token });
    let page = state.pmks.audit().list(&caller, times, &page).await?;
    Ok(Json(convert::list(page, convert::audit_entry)).into_response())
}

fn time(field: &str, given: Option<String>) -> Result<Option<Timestamp>, Refused> {
    let malformed = |_| Refused::malformed(field, "must be a time such as 2027-01-31T12:00:00Z");
    given.map(|text| text.parse().map_err(malformed)).transpose()
}

/// What the server logs now.
#[utoipa::path(get, path = "/v1/logLevel", responses((status = 200, body = LogLevel)))]
async fn get_log_level(Shared(state): Shared<Arc<State>>, _: Query<NoQuery>) -> Answer {
    Ok(Json(LogLevel { filter: log(&state)?.filter() }).into_response())
}

/// Changes what the server logs, until it is changed again or the server ends. What would write a secret stays silent
/// whatever is asked for.
#[utoipa::path(put, path = "/v1/logLevel", request_body = LogLevel,
    responses((status = 200, body = LogLevel)))]
async fn set_log_level(
    Shared(state): Shared<Arc<State>>,
    _: Query<NoQuery>,
    asked: Asked<LogLevel>,
) -> Answer {
    let (log, filter) = (log(&state)?, asked.body.filter);
    let before = log.filter();
    log.set(&filter).map_err(|says| Refused::invalid("filter", says))?;
    let target = format!("log level {before:?}, now {filter:?}");
    state.pmks.audit().note(&asked.caller, "logLevel.set", target).await?;
    Ok(Json(LogLevel { filter: log.filter() }).into_response())
}

fn log(state: &State) -> Result<&dyn LogFilter, Refused> {
    state.log.as_deref().ok_or_else(|| {
        let says = "this process logs for itself alone";
        let fix = "ask a server (`pmks serve`), or give the command --log";
        Failure::new(FailureKind::Unsupported, says).with_fix(fix).into()
    })
}
