//! Events as they come (SSE). Each carries the whole operation, so that a missed one loses nothing.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State as Shared};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode};
use pmks_core::{Caller, Event, EventStream};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, unkept};
use crate::ask::{NoQuery, Query};
use crate::readers::Reader;
use crate::{State, convert};

/// What the id of `event: end` has behind the number.
const END: &str = ".end";

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(follow_operation)).routes(routes!(follow_all))
}

/// An operation as it goes on: `event: operation` with the whole of it, the present state first; `event: end` after
/// the last. A reconnect with `Last-Event-ID` after that gets 204, which tells a browser to stop.
#[utoipa::path(get, path = "/v1/operations/{operation}/events",
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 204)))]
async fn follow_operation(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(operation): Path<String>,
    _: Query<NoQuery>,
    headers: HeaderMap,
) -> Answer {
    let reader = state.readers.admit(&caller.name, &state.limits)?;
    let last = Last::of(&headers);
    let mut events = state.pmks.operations().events(Some(&operation), last.id).await?;
    let present = events.next().await;
    // Nothing came after the end that was seen: a retry would have begun with a state that is not the last. An end that
    // is not yet to come here was seen elsewhere.
    let seen = |event: &Event| last.end && last.id.is_some_and(|id| id <= event.id);
    if present.as_ref().is_none_or(|event| seen(event) && event.operation.state.is_final()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(stream(&state, reader, stream::iter(present).chain(events).boxed(), true))
}

/// Every operation as it goes on. Does not end.
#[utoipa::path(get, path = "/v1/events",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn follow_all(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    _: Query<NoQuery>,
    headers: HeaderMap,
) -> Answer {
    let reader = state.readers.admit(&caller.name, &state.limits)?;
    let events = state.pmks.operations().events(None, Last::of(&headers).id).await?;
    Ok(stream(&state, reader, events, false))
}

/// What a reader saw last.
#[derive(Debug, Default, PartialEq, Eq)]
struct Last {
    id: Option<u64>,
    /// It was the end.
    end: bool,
}

impl Last {
    /// An id that is none of ours is no id: the present state comes anyway.
    fn of(headers: &HeaderMap) -> Self {
        let value = headers.get("Last-Event-ID").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (number, end) = match value.trim().strip_suffix(END) {
            Some(number) => (number, true),
            None => (value.trim(), false),
        };
        let id = number.parse().ok();
        Self { id, end: end && id.is_some() }
    }
}

/// Ends when the server stops, or after the last state of one operation.
fn stream(state: &State, reader: Reader, events: EventStream, one: bool) -> Response {
    let events = events.flat_map(move |event| {
        // Counted until the stream is dropped.
        let _ = &reader;
        let ended = one && event.operation.state.is_final();
        let end =
            ended.then(|| sse::Event::default().event("end").id(format!("{}{END}", event.id)).data("{}"));
        stream::iter([Some(told(&event)), end].into_iter().flatten().map(Ok::<_, Infallible>))
    });
    let events = events.take_until(state.closing.clone().cancelled_owned());
    let alive = KeepAlive::new().interval(state.limits.heartbeat).text("alive");
    unkept(Sse::new(events).keep_alive(alive).into_response())
}

fn told(event: &Event) -> sse::Event {
    let told = sse::Event::default().event("operation").id(event.id.to_string());
    let written = || {
        let operation = convert::operation((*event.operation).clone());
        serde_json::to_string(&operation).unwrap_or_default()
    };
    told.data(event.text.get_or_init(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_seen_last() {
        for (value, id, end) in
            [("7", Some(7), false), (" 7.end", Some(7), true), (".end", None, false), ("x", None, false)]
        {
            let headers = HeaderMap::from_iter([("last-event-id".parse().unwrap(), value.parse().unwrap())]);
            assert_eq!(Last::of(&headers), Last { id, end }, "{value}");
        }
        assert_eq!(Last::of(&HeaderMap::new()), Last::default());
    }
}
