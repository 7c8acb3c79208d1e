//! The outermost layer: gives every request its id, span and count, and writes every refusal as
//! `application/problem+json`, whoever refused: a handler, the router (unknown path, wrong method), a limit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, DATE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use pmks_model::{Failure, FailureKind};
use tracing::Instrument;

use crate::refused::{Carried, CarriedChecks, Refused, kind};
use crate::{State, convert, telemetry};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Longer ids of callers are replaced by ours.
const LONGEST_REQUEST_ID: usize = 128;

/// The request's id, for handlers.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// The request's place in a trace, for handlers.
#[derive(Clone, Debug)]
pub(crate) struct TraceParent(pub(crate) Option<String>);

/// Answers a request, whatever happens below.
pub(crate) async fn answer(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &state);
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let seen = telemetry::Seen::new(&state, &request, route.as_deref());
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    request.extensions_mut().insert(TraceParent(seen.traceparent()));
    let span = seen.span(&id);
    let mut response = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .instrument(span.clone())
        .await
        .unwrap_or_else(|_| panicked());
    if response.status().is_client_error() || response.status().is_server_error() {
        response = problem(response, &id, &state);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(date) = date(&state) {
        response.headers_mut().insert(DATE, date);
    }
    seen.answered(&state, &span, response.status());
    response
}

/// What the clock shows now. Left to itself, hyper repeats the date that it wrote last until the clock has passed it:
/// after a clock was set back, for as long as it had stood ahead.
fn date(state: &State) -> Option<HeaderValue> {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&state.clock.wall()).ok()?;
    HeaderValue::from_str(&date).ok()
}

/// The caller's id if it is sane, else a new one.
fn request_id(headers: &HeaderMap, state: &State) -> Arc<str> {
    let sane = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !text.is_empty() && text.len() <= LONGEST_REQUEST_ID && text.bytes().all(allowed)
    };
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane);
    given.map_or_else(|| pmks_store::new_uid(state.clock.wall()).to_string().into(), Arc::from)
}

fn panicked() -> Response {
    tracing::error!("a handler panicked");
    let refused = Refused::new(FailureKind::Unexpected, "a defect of pmks; its log says more");
    axum::response::IntoResponse::into_response(refused)
}

fn problem(mut response: Response, id: &str, state: &State) -> Response {
    let status = response.status();
    let failure = match response.extensions_mut().remove::<Carried>() {
        Some(Carried(failure)) => failure,
        None if response.headers().get(CONTENT_TYPE) == Some(&PROBLEM) => return response,
        None => Arc::new(bare(status)),
    };
    if failure.kind == FailureKind::Unexpected {
        tracing::error!(%failure, request_id = id, "unexpected");
    }
    let mut problem = convert::problem(&failure);
    problem.status = status.as_u16();
    problem.request_id = Some(id.to_owned());
    if let Some(CarriedChecks(checks)) = response.extensions_mut().remove() {
        problem.checks = checks;
    }
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, PROBLEM);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(state.authentication.challenge()));
    }
    *response.body_mut() = Body::from(body);
    response
}

/// What a status says that came without a word of ours: from the router or an extractor.
fn bare(status: StatusCode) -> Failure {
    let detail = match status {
        StatusCode::NOT_FOUND => "there is no such path; /docs lists all",
        StatusCode::METHOD_NOT_ALLOWED => "this path does not take this method; see Allow",
        _ => status.canonical_reason().unwrap_or("the request cannot be answered"),
    };
    Failure::new(kind(status), detail)
}
