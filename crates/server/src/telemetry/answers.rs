//! How many requests were answered, and how long they took. What counts them is looked up once for each route, method and
//! status: the recorder would look for it by the text of every label, at each request and twice.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Histogram};

/// What counts them, by route.
#[derive(Default)]
pub(super) struct Answers(RwLock<HashMap<String, Vec<Answer>>>);

/// What counts the answers of one method and status.
#[derive(Clone)]
struct Answer {
    method: &'static str,
    status: StatusCode,
    answered: Counter,
    took: Histogram,
}

impl Answers {
    /// Counts one.
    pub(super) fn count(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let answer = self.known(method, route, status).unwrap_or_else(|| self.learn(method, route, status));
        answer.answered.increment(1);
        answer.took.record(took.as_secs_f64());
    }

    fn known(&self, method: &str, route: &str, status: StatusCode) -> Option<Answer> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(route)?.iter().find(|one| one.status == status && one.method == method).cloned()
    }

    /// Routes, methods and statuses are few. Who learns of one a second time has the same from the recorder.
    fn learn(&self, method: &'static str, route: &str, status: StatusCode) -> Answer {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        let answer = Answer {
            method,
            status,
            answered: metrics::counter!("pmks_http_requests_total", &labels),
            took: metrics::histogram!("pmks_http_request_duration_seconds", &labels),
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push(answer.clone());
        answer
    }
}
