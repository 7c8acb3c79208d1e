//! `/spider` beside `/v1`: the same bounds of heads, names, request ids, spans and metrics; its own callers and its own
//! form of refusals. What it answers is `pmks_spider`'s.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use http::StatusCode;
use pmks_model::{Failure, FailureKind};
use pmks_spider::{ReachedAt, Refusal, Settings};

use crate::admission::{Pages, inspect, reached_at};
use crate::answer::{Frame, Written, framed};
use crate::refused::{Carried, Refused};
use crate::{InProcess, State};

/// Everything below `/spider`; `None`: nobody may come in there.
pub(crate) fn routes(state: &Arc<State>) -> Option<Router> {
    if !state.authentication.serves_spider() {
        return None;
    }
    let settings = Settings {
        pmks: state.pmks.clone(),
        clock: Arc::clone(&state.clock),
        url: state.url.clone().filter(|_| state.anywhere.is_none()),
        body_bytes: state.limits.body_bytes,
        body_time: state.limits.request,
    };
    Some(pmks_spider::router(settings).layer(from_fn_with_state(Arc::clone(state), answer)))
}

/// The one layer of these routes.
async fn answer(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    framed(&state, request, |frame, request| write(&state, frame, request, next)).await
}

/// Writes what is refused below as clients of `/spider` read it.
async fn write(state: &State, frame: Frame, request: Request, next: Next) -> Result<Response, Refused> {
    let answered = AssertUnwindSafe(admit(state, frame, request, next)).catch_unwind().await;
    let mut response = match answered {
        Ok(answered) => answered.unwrap_or_else(IntoResponse::into_response),
        Err(_) => panicked(),
    };
    if let Some(Carried(failure)) = response.extensions_mut().remove() {
        response = Refusal::from(Failure::clone(&failure)).into_response();
    }
    pmks_spider::readable(&mut response);
    response.extensions_mut().insert(Written);
    Ok(response)
}

/// Finds out who asks before anything of the request is read, and before its path is looked at. How long it may take is
/// its operation's: clients wait until that is done.
async fn admit(state: &State, frame: Frame, mut request: Request, next: Next) -> Result<Response, Refused> {
    inspect(&request, state, Pages::All)?;
    if let Some(answer) = pmks_spider::preflight(request.method(), request.headers()) {
        return Ok(answer);
    }
    if state.anywhere.is_some()
        && let Some(url) = reached_at(state, request.uri(), request.headers())
    {
        request.extensions_mut().insert(ReachedAt(url));
    }
    if !pmks_spider::exempt(request.uri().path()) {
        let mut caller = match request.extensions().get::<InProcess>() {
            Some(InProcess(caller)) => caller.clone(),
            None => state.authentication.spider_caller(&state.pmks, request.headers()).await?,
        };
        caller.request_id = Some(frame.request_id);
        caller.traceparent = frame.traceparent;
        request.extensions_mut().insert(caller);
    }
    Ok(next.run(request).await)
}

fn panicked() -> Response {
    tracing::error!("a handler panicked");
    let mut refusal = Refusal::from(Failure::new(FailureKind::Unexpected, "Internal Server Error"));
    refusal.status = StatusCode::INTERNAL_SERVER_ERROR;
    refusal.into_response()
}
