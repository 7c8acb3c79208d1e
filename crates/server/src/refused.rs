//! What a handler answers instead of its result. Carries the failure to the one place that writes it
//! ([`crate::answer`]): the writer knows the request's id, the refuser need not.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use pmks_api::Check;
use pmks_model::{Failure, FailureKind, Findings, Says};

/// A failure on its way to the caller.
#[derive(Debug)]
pub(crate) struct Refused {
    failure: Box<Failure>,
    status: StatusCode,
    retry_after: Option<u32>,
    checks: Vec<Check>,
}

/// What the writer finds in a response that is a refusal.
#[derive(Clone, Debug)]
pub(crate) struct Carried(pub(crate) Arc<Failure>);

/// Beside it, what was looked at.
#[derive(Clone, Debug)]
pub(crate) struct CarriedChecks(pub(crate) Vec<Check>);

impl Refused {
    /// A failure of the surface itself.
    pub(crate) fn new(kind: FailureKind, detail: impl Into<Says>) -> Self {
        Failure::new(kind, detail).into()
    }

    /// A field that cannot be read.
    pub(crate) fn malformed(field: &str, says: impl Into<Says>) -> Self {
        let mut failure = Failure::new(FailureKind::Malformed, "the request cannot be read");
        failure.findings.add(field, says);
        failure.into()
    }

    /// A field that can be read and is not allowed.
    pub(crate) fn invalid(field: &str, says: impl Into<Says>) -> Self {
        let mut findings = Findings::default();
        findings.add(field, says);
        Failure::invalid(findings).into()
    }

    /// What is wrong with the request.
    #[cfg(test)]
    pub(crate) fn findings(&self) -> &Findings {
        &self.failure.findings
    }

    /// The same, to be tried again after so many seconds.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same with what was looked at.
    pub(crate) fn with_checks(mut self, checks: Vec<Check>) -> Self {
        self.checks = checks;
        self
    }

    /// The same with a status that HTTP has a word for, where its kind has none.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl From<Box<Failure>> for Refused {
    fn from(failure: Box<Failure>) -> Self {
        let retry_after = failure.retry_after_seconds.map(|after| u32::try_from(after).unwrap_or(u32::MAX));
        Self { status: status(&failure), failure, retry_after, checks: Vec::new() }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Box::new(failure).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Carried(Arc::from(self.failure)));
        if !self.checks.is_empty() {
            response.extensions_mut().insert(CarriedChecks(self.checks));
        }
        response
    }
}

/// The HTTP status of a failure.
pub(crate) fn status(failure: &Failure) -> StatusCode {
    StatusCode::from_u16(failure.http_status()).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// The kind of a status that something below us answered without a word of ours.
pub(crate) fn kind(status: StatusCode) -> FailureKind {
    match status {
        StatusCode::UNAUTHORIZED => FailureKind::NotAuthenticated,
        StatusCode::FORBIDDEN => FailureKind::NotAllowed,
        StatusCode::NOT_FOUND => FailureKind::NotFound,
        StatusCode::CONFLICT => FailureKind::Conflict,
        StatusCode::PAYLOAD_TOO_LARGE => FailureKind::BodyTooLarge,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            FailureKind::HeadersTooLarge
        }
        status if status.is_client_error() => FailureKind::Malformed,
        _ => FailureKind::Unexpected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_status_of_the_table() {
        let table = [
            ("malformed", 400),
            ("invalid-request", 422),
            ("not-found", 404),
            ("already-exists", 409),
            ("conflict", 409),
            ("stale", 412),
            ("not-authenticated", 401),
            ("not-allowed", 403),
            ("unauthenticated", 502),
            ("forbidden", 502),
            ("quota-exceeded", 422),
            ("prerequisite-missing", 422),
            ("precondition", 422),
            ("unsupported", 501),
            ("throttled", 429),
            ("unavailable", 503),
            ("timeout", 504),
            ("ambiguous", 502),
            ("unexpected", 502),
            ("body-too-large", 413),
            ("headers-too-large", 431),
        ];
        assert_eq!(table.len(), FailureKind::ALL.len());
        for kind in FailureKind::ALL {
            let (_, expected) = table.iter().find(|(word, _)| *word == kind.as_str()).unwrap();
            assert_eq!(status(&Failure::new(kind, "")).as_u16(), *expected, "{kind}");
        }
        let mut at_the_cloud = Failure::new(FailureKind::Throttled, "");
        at_the_cloud.provider = Some("aws".into());
        assert_eq!(status(&at_the_cloud).as_u16(), 503);
    }

    #[test]
    fn says_when_the_cloud_wants_to_be_asked_again() {
        let mut failure = Failure::new(FailureKind::Throttled, "slow down");
        failure.retry_after_seconds = Some(7);
        let response = Refused::from(failure).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        let response = Refused::new(FailureKind::Throttled, "slow down").into_response();
        assert!(!response.headers().contains_key(RETRY_AFTER));
    }
}
