//! Spans and metrics of requests. Labels are route templates and statuses, never anything that a caller wrote.

mod answers;
mod table;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use http::{HeaderMap, Method, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use pmks_store::Fault;
use pmks_transport::{Clock, Sampling, TraceContext};
use tracing::{Span, field};

use crate::State;
use answers::Answers;

pub use table::table;

/// Source: <https://www.w3.org/TR/trace-context/#traceparent-header>
const TRACEPARENT: &str = "traceparent";

const LOG_LINES_LOST: &str = "pmks_log_lines_lost_total";

const UPKEEP: Duration = Duration::from_secs(30);

/// Counts a line of the log that was lost: whoever reads it does not come after.
pub fn log_line_lost() {
    metrics::counter!(LOG_LINES_LOST).increment(1);
}

/// All metrics of this process.
#[derive(Clone)]
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    answers: Arc<Answers>,
}

impl Metrics {
    /// The process's one recorder, installed at the first call.
    pub(crate) fn install() -> Self {
        static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = HANDLE.get_or_init(|| {
            let recorder = table::buckets().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed: /metrics stays empty");
            }
            table::describe();
            metrics::gauge!("pmks_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            // What never happened shows as zero: an alert on what is absent is none.
            metrics::counter!(LOG_LINES_LOST).increment(0);
            for fault in Fault::ALL {
                metrics::counter!("pmks_store_failures_total", "fault" => fault.as_str()).increment(0);
            }
            handle
        });
        Self { handle: handle.clone(), answers: Arc::default() }
    }

    /// In Prometheus' text form.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds what was measured, for ever: without it, samples that nobody fetches pile up.
    pub(crate) async fn keep_up(&self, clock: &dyn Clock) {
        loop {
            self.handle.run_upkeep();
            clock.deadline(UPKEEP).await;
        }
    }
}

/// A request that is being answered.
pub(crate) struct Seen {
    method: &'static str,
    /// The template of its path; `None`: no route leads there.
    route: Option<MatchedPath>,
    since: Duration,
    /// Its place in a trace, and the span above it; `None`: it is in none.
    trace: Option<(TraceContext, u64)>,
}

impl Seen {
    pub(crate) fn new(state: &State, request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let trace = place(request.headers(), state.sampling);
        Self { method: known(request.method()), route, since: state.clock.monotonic(), trace }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unknown", MatchedPath::as_str)
    }

    /// Its place in a trace, as `traceparent`.
    pub(crate) fn traceparent(&self) -> Option<String> {
        self.trace.map(|(own, _)| own.to_string())
    }

    pub(crate) fn span(&self, request_id: &str) -> Span {
        tracing::info_span!(
            "request",
            method = self.method,
            route = self.route(),
            request_id,
            status = field::Empty,
            duration_ms = field::Empty,
            trace = self.traceparent(),
            parent = self.trace.map(|(_, parent)| format!("{parent:016x}")),
        )
    }

    /// Counts it. A stream counts when it begins.
    pub(crate) fn answered(&self, state: &State, span: &Span, status: StatusCode) {
        let took = state.clock.monotonic().saturating_sub(self.since);
        span.record("status", status.as_u16());
        span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        span.in_scope(|| tracing::debug!("answered"));
        state.metrics.answers.count(self.method, self.route(), status, took);
    }
}

/// Goes on in the caller's trace, or begins one if any begin here. Of several headers none is believed.
fn place(headers: &HeaderMap, sampling: Option<Sampling>) -> Option<(TraceContext, u64)> {
    let mut given = headers.get_all(TRACEPARENT).iter();
    let first = given.next().filter(|_| given.next().is_none());
    let above = first.and_then(|value| TraceContext::parse(value.to_str().ok()?));
    match above {
        Some(above) => Some((above.child(), above.span)),
        None => sampling.map(|sampling| (TraceContext::begin(sampling), 0)),
    }
}

/// Methods of callers' own making would make labels without end.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
