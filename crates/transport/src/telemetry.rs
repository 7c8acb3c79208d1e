//! Spans and metrics of calls. Labels are names of ours and status classes, never anything a cloud or user wrote.

use std::time::Duration;

use tracing::{Span, field};

use crate::{Call, Error, ErrorKind, Lane, Outcome, Response};

/// A span for a whole call, its tries included.
pub(crate) fn span(provider: &'static str, call: &Call) -> Span {
    tracing::info_span!(
        "cloud_call",
        provider,
        service = call.service,
        action = call.action,
        effect = call.effect.as_str(),
        lane = call.lane.as_str(),
        status = field::Empty,
        request_id = field::Empty,
        outcome = field::Empty,
        tries = field::Empty,
        duration_ms = field::Empty,
    )
}

/// How a whole call ended.
pub(crate) struct Ended<'a> {
    pub(crate) provider: &'static str,
    pub(crate) call: &'a Call,
    pub(crate) result: &'a Result<Response, Error>,
    pub(crate) tries: u32,
    pub(crate) duration: Duration,
}

/// Writes how the call ended into its span, and counts one that was never tried.
pub(crate) fn ended(span: &Span, facts: &Ended<'_>) {
    let Ended { provider, call, result, tries, duration } = *facts;
    span.record("tries", tries);
    span.record("duration_ms", millis(duration));
    match result {
        Ok(response) => {
            span.record("status", response.status.as_u16());
            span.record("outcome", Outcome::Answered(response.status.as_u16()).as_str());
            if let Some(id) = &response.request_id {
                span.record("request_id", id);
            }
            span.in_scope(|| tracing::debug!("answered"));
        }
        Err(error) => {
            let outcome = error.kind().as_str();
            span.record("outcome", outcome);
            if never_tried(error.kind()) {
                let labels = [
                    ("provider", provider),
                    ("service", call.service),
                    ("action", call.action),
                    ("outcome", outcome),
                ];
                metrics::counter!("pmks_cloud_calls_total", &labels).increment(1);
            }
            span.in_scope(|| tracing::debug!(%error, "no answer"));
        }
    }
}

/// Tries are counted one by one as they end; these end before a try begins.
fn never_tried(kind: ErrorKind) -> bool {
    use ErrorKind::{Budget, ForeignHost, Invalid, Lost, NotSent, Refused, Signing, TooLarge};
    match kind {
        Budget { .. } | ForeignHost | Invalid | Signing { .. } => true,
        Lost | NotSent | Refused { .. } | TooLarge => false,
    }
}

/// Counts one try.
pub(crate) fn tried(
    provider: &'static str,
    service: &'static str,
    action: &'static str,
    outcome: Outcome,
    duration: Duration,
) {
    let outcome = outcome.as_str();
    let labels = [("provider", provider), ("service", service), ("action", action), ("outcome", outcome)];
    metrics::counter!("pmks_cloud_calls_total", &labels).increment(1);
    metrics::histogram!("pmks_cloud_call_duration_seconds", &labels).record(duration.as_secs_f64());
}

/// Counts one try that nobody waits for any more.
pub(crate) fn abandoned(
    provider: &'static str,
    service: &'static str,
    action: &'static str,
    duration: Duration,
) {
    Span::current().record("outcome", Outcome::Abandoned.as_str());
    tried(provider, service, action, Outcome::Abandoned, duration);
}

/// Counts one throttled answer.
pub(crate) fn throttled(provider: &'static str, service: &'static str, action: &'static str) {
    let labels = [("provider", provider), ("service", service), ("action", action)];
    metrics::counter!("pmks_cloud_throttled_total", &labels).increment(1);
}

/// Notes how long a call waited for its budget.
pub(crate) fn waited(provider: &'static str, service: &'static str, lane: Lane, duration: Duration) {
    let labels = [("provider", provider), ("service", service), ("lane", lane.as_str())];
    metrics::histogram!("pmks_cloud_budget_wait_seconds", &labels).record(duration.as_secs_f64());
}

/// Whole milliseconds, for spans and records.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
