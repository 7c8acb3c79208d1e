//! What is read by people and machines that watch: health, metrics, the document, the pages of errors.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use pmks_api::{Health, error_page};
use pmks_model::{Failure, FailureKind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, unkept};
use crate::ask::{NoQuery, Query};
use crate::refused::Refused;
use crate::{State, document, readiness};

/// Nothing is loaded and nothing is run: the page is text.
const TEXT_ONLY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
        .routes(routes!(openapi))
        .routes(routes!(docs))
        .routes(routes!(explain))
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = Health)))]
async fn healthz() -> Answer {
    Ok(unkept(Json(Health { status: "ok".to_owned(), checks: Vec::new() }).into_response()))
}

/// Whether the engine runs and the store keeps what it is given, tried at most every 5 s. If not, 503: `checks` says what
/// is wrong, since when, and what to do.
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = Health)))]
async fn readyz(Shared(state): Shared<Arc<State>>) -> Answer {
    let checks = state.readiness.of(&state).await;
    let Some(says) = readiness::failures(&checks) else {
        return Ok(unkept(Json(Health { status: "ok".to_owned(), checks }).into_response()));
    };
    let failure = Failure::new(FailureKind::Unavailable, format!("not ready: {says}"));
    let fix = checks.iter().find_map(|check| check.fix.clone());
    Err(Refused::from(Failure { fix, ..failure }).with_checks(checks).retry_after(1))
}

/// Metrics in Prometheus' text form.
#[utoipa::path(get, path = "/metrics",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4")))]
async fn metrics(Shared(state): Shared<Arc<State>>, _: Query<NoQuery>) -> Answer {
    state.pmks.measure().await;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response())
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", responses((status = 200, body = Object)))]
async fn openapi() -> Answer {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, document::served()).into_response())
}

/// This document, to be read.
#[utoipa::path(get, path = "/docs", responses((status = 200, body = String, content_type = "text/html")))]
async fn docs() -> Answer {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, TEXT_ONLY)];
    Ok((headers, document::page()).into_response())
}

/// The page that explains a class of error, in Markdown.
#[utoipa::path(get, path = "/docs/errors/{kind}",
    responses((status = 200, body = String, content_type = "text/markdown")))]
async fn explain(Path(kind): Path<String>) -> Answer {
    let page = error_page(&kind)
        .ok_or_else(|| Refused::new(FailureKind::NotFound, format!("there is no class of error {kind:?}")))?;
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], page).into_response())
}
