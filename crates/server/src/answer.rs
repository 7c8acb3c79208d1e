//! The one layer: gives every request its id, span and count, and writes every refusal as
//! `application/problem+json`, whoever refused: a handler, the router (unknown path, wrong method), a limit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, DATE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pmks_model::{Failure, FailureKind};
use tracing::Instrument;

use crate::refused::{Carried, CarriedChecks, Refused, kind};
use crate::{State, admission, convert, telemetry};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Longer ids of callers are replaced by ours.
const LONGEST_REQUEST_ID: usize = 128;

/// What a request is known by, for whoever asks and for what it asks for.
pub(crate) struct Frame {
    pub(crate) request_id: String,
    /// Its place in a trace.
    pub(crate) traceparent: Option<String>,
}

/// In a response: its refusal is written as its surface has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written;

/// Answers a request of `/v1`, whatever happens below.
pub(crate) async fn answer(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    framed(&state, request, |frame, request| admission::admit(&state, frame, request, next)).await
}

/// What every request has in common, whatever its surface does with it.
pub(crate) async fn framed<F>(
    state: &State,
    request: Request,
    admit: impl FnOnce(Frame, Request) -> F,
) -> Response
where
    F: Future<Output = Result<Response, Refused>>,
{
    let id = request_id(request.headers(), state);
    let seen = telemetry::Seen::new(state, &request);
    let span = seen.span(&id);
    let frame = Frame { request_id: id.clone(), traceparent: seen.traceparent() };
    let mut response = AssertUnwindSafe(admit(frame, request))
        .catch_unwind()
        .instrument(span.clone())
        .await
        .unwrap_or_else(|_| Err(panicked()))
        .unwrap_or_else(Refused::into_response);
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if refused && response.extensions().get::<Written>().is_none() {
        response = problem(response, &id, state);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(id)) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(date) = state.date.shown(state.clock.wall()) {
        headers.insert(DATE, date);
    }
    seen.answered(state, &span, response.status());
    response
}

/// The caller's id if it is sane, else a new one.
fn request_id(headers: &HeaderMap, state: &State) -> String {
    let sane = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !text.is_empty() && text.len() <= LONGEST_REQUEST_ID && text.bytes().all(allowed)
    };
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane);
    given.map_or_else(|| pmks_store::new_uid(state.clock.wall()).to_string(), str::to_owned)
}

fn panicked() -> Refused {
    tracing::error!("a handler panicked");
    Refused::new(FailureKind::Unexpected, "a defect of pmks; its log says more")
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
