//! Spans and metrics of requests. Labels are route templates and statuses, never anything that a caller wrote.

use std::sync::OnceLock;
use std::time::Duration;

use http::{Method, StatusCode};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use pmks_transport::Clock;
use tracing::{Span, field};

use crate::State;

/// From a read of memory to a slow cloud.
const SECONDS: &[f64] = &[0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 120.0, 600.0];
const UPKEEP: Duration = Duration::from_secs(30);

/// All metrics of this process.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// The process's one recorder, installed at the first call.
    pub(crate) fn install() -> Self {
        static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = HANDLE.get_or_init(|| {
            let builder = PrometheusBuilder::new().set_buckets(SECONDS).unwrap_or_default();
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed: /metrics stays empty");
            }
            handle
        });
        Self(handle.clone())
    }

    /// In Prometheus' text form.
    pub(crate) fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what was measured, for ever: without it, samples that nobody fetches pile up.
    pub(crate) async fn keep_up(&self, clock: &dyn Clock) {
        loop {
            self.0.run_upkeep();
            clock.deadline(UPKEEP).await;
        }
    }
}

/// A request that is being answered.
pub(crate) struct Seen {
    method: &'static str,
    route: String,
    since: Duration,
}

impl Seen {
    pub(crate) fn new(state: &State, method: &Method, route: Option<&str>) -> Self {
        let route = route.unwrap_or("unknown").to_owned();
        Self { method: known(method), route, since: state.clock.monotonic() }
    }

    pub(crate) fn span(&self, request_id: &str) -> Span {
        tracing::info_span!(
            "request",
            method = self.method,
            route = self.route,
            request_id,
            status = field::Empty,
            duration_ms = field::Empty,
        )
    }

    /// Counts it. A stream counts when it begins.
    pub(crate) fn answered(self, state: &State, span: &Span, status: StatusCode) {
        let took = state.clock.monotonic().saturating_sub(self.since);
        span.record("status", status.as_u16());
        span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        span.in_scope(|| tracing::debug!("answered"));
        let labels = [
            ("method", self.method.to_owned()),
            ("route", self.route),
            ("status", status.as_str().to_owned()),
        ];
        metrics::counter!("pmks_http_requests_total", &labels).increment(1);
        metrics::histogram!("pmks_http_request_duration_seconds", &labels).record(took.as_secs_f64());
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
