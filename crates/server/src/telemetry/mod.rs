//! Spans and metrics of requests. Labels are route templates and statuses, never anything that a caller wrote.

mod table;

use std::sync::OnceLock;
use std::time::Duration;

use http::{Method, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use pmks_store::Fault;
use pmks_transport::Clock;
use tracing::{Span, field};

use crate::State;

pub use table::table;

const UPKEEP: Duration = Duration::from_secs(30);

/// All metrics of this process.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

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
            for fault in [Fault::Full, Fault::Forbidden, Fault::Corrupt, Fault::Disk, Fault::Other] {
                metrics::counter!("pmks_store_failures_total", "fault" => fault.as_str()).increment(0);
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
