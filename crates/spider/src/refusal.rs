//! A refusal as CB-Spider's clients read it: `{"message": …}` with the words that they look for – `does not exist`,
//! `already exists`, `not support` – and the status that is true.

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use pmks_model::{Failure, FailureKind, ResourceKind, Subject};
use serde_json::json;

use crate::reply::Reply;

/// What is answered instead of a result.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// What the client is told.
    pub message: String,
    /// What it came of, where it came of core.
    pub(crate) failure: Option<Box<Failure>>,
    /// The connection that was asked by; empty: none is known.
    at: String,
}

/// The shape of no body: fields are called as in core.
const CORE: &str = "";

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), failure: None, at: String::new() }
    }

    /// What cannot be read.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// What can be read and is not allowed.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// What there is not.
    pub(crate) fn absent(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// What is not done here.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, message)
    }

    /// A defect of ours.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// Whether core finds something wrong with what was asked for.
    pub(crate) fn is_of_request(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::InvalidRequest)
    }

    /// Whether it says that there is no such thing.
    pub(crate) fn is_absent(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// Whether waiting longer changes nothing: it is no time limit of ours, and not said of what there is not.
    pub(crate) fn is_final(&self) -> bool {
        !self.is_absent() && self.status != StatusCode::GATEWAY_TIMEOUT
    }

    /// Whether it says nothing but that our own time limit is over.
    pub(crate) fn is_of_patience(&self) -> bool {
        self.status == StatusCode::GATEWAY_TIMEOUT && self.failure.is_none()
    }

    /// Whether the cloud keeps what should go: it says so, or is known not to let it go.
    pub(crate) fn is_of_the_cloud(&self) -> bool {
        let says =
            |failure: &Failure| failure.provider.is_some() || failure.kind == FailureKind::Precondition;
        self.is_final() && self.failure.as_deref().is_some_and(says)
    }

    /// Whether core says it of a thing of that kind.
    pub(crate) fn is_about(&self, kind: ResourceKind) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.is_about(kind))
    }

    /// The connection that it says there is not.
    pub(crate) fn absent_connection(&self) -> Option<&str> {
        let about = self.failure.as_ref().filter(|_| self.is_absent())?.about.as_ref()?;
        (about.kind == ResourceKind::Connection).then_some(about.name.as_str())
    }

    /// The same in CB-Spider's words, where it says that something is not there or is there already.
    /// What a request names and what there is not is told alike, whatever else is wrong with it.
    pub(crate) fn at(mut self, connection: &str) -> Self {
        let Some(failure) = &self.failure else { return self };
        if failure.findings.iter().any(|finding| finding.missing.is_some()) {
            let in_words_at = |at| crate::names::in_their_words(&failure.findings, CORE, at);
            self.message = self.message.replacen(&in_words_at(""), &in_words_at(connection), 1);
            connection.clone_into(&mut self.at);
            if failure.kind == FailureKind::InvalidRequest {
                self.status = StatusCode::NOT_FOUND;
            }
        }
        let is = match failure.kind {
            FailureKind::NotFound => "does not exist",
            FailureKind::AlreadyExists => "already exists",
            _ => return self,
        };
        if let Some(Subject { kind, name }) = &failure.about
            && let Some(what) = crate::names::of(*kind)
        {
            self.message = format!("{what} '{name}' {is} in connection '{connection}'");
        }
        self
    }

    /// The same with the fields of core's findings called otherwise; `None`: as they are called.
    pub(crate) fn renamed(mut self, name: impl Fn(&str) -> Option<String>) -> Self {
        let before = self.failure.as_ref().map(|failure| message(failure));
        if let (Some(before), Some(failure)) = (before, &mut self.failure) {
            failure.findings.rename(name);
            self.message = self.message.replacen(&before, &message(failure), 1);
        }
        self
    }

    /// The same with the fields of a request named as a body of that shape names them.
    pub(crate) fn of_body(mut self, shape: &str) -> Self {
        let findings = self.failure.as_ref().map(|failure| &failure.findings);
        if let Some(findings) = findings.filter(|findings| !findings.is_empty()) {
            let in_words_of = |shape| crate::names::in_their_words(findings, shape, &self.at);
            self.message = self.message.replacen(&in_words_of(CORE), &in_words_of(shape), 1);
        }
        self
    }

    /// As HTTP has it.
    pub fn into_response(self) -> Response {
        let retry_after = self.failure.as_ref().and_then(|failure| failure.retry_after_seconds);
        if self.status.is_server_error() && self.status != StatusCode::NOT_IMPLEMENTED {
            tracing::warn!(status = self.status.as_u16(), message = self.message, "refused");
        }
        let mut response = Reply::With(self.status, json!({"message": self.message})).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Box<Failure>> for Refusal {
    fn from(failure: Box<Failure>) -> Self {
        let (status, message) = (status(&failure), message(&failure));
        Self { status, message, failure: Some(failure), at: String::new() }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Box::new(failure).into()
    }
}

/// What a failure says, and the word that clients look for in its kind.
fn message(failure: &Failure) -> String {
    let (mut text, fix) = failure.in_words(crate::names::term);
    if !failure.findings.is_empty() {
        text = format!("{text}: {}", crate::names::in_their_words(&failure.findings, CORE, ""));
    }
    if let Some(fix) = fix {
        text = format!("{text}; {fix}");
    }
    let (words, added): (&[&str], &str) = match failure.kind {
        FailureKind::NotFound => (&["does not exist", "not found"], "does not exist"),
        FailureKind::AlreadyExists => (&["already exists"], "already exists"),
        FailureKind::Unsupported => (&["not support"], "not supported"),
        FailureKind::NotAuthenticated => return "Unauthorized".to_owned(),
        _ => return text,
    };
    if words.iter().any(|word| text.contains(word)) { text } else { format!("{text} ({added})") }
}

/// As everywhere, but that CB-Spider's clients know two statuses less: what is not allowed is 400 too, and what changed
/// in between is a conflict, for they send no version that could be wrong. And they have no code beside the status that
/// tells a cloud's refusal of the credential from a cloud that does not work: what the client has to mend first is 422.
fn status(failure: &Failure) -> StatusCode {
    match failure.kind {
        FailureKind::InvalidRequest => StatusCode::BAD_REQUEST,
        FailureKind::Stale => StatusCode::CONFLICT,
        FailureKind::Unauthenticated | FailureKind::Forbidden => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::from_u16(failure.http_status()).unwrap_or(StatusCode::BAD_GATEWAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_true_status_and_the_words_of_clients() {
        for kind in FailureKind::ALL {
            let refusal = Refusal::from(Failure::new(kind, "no"));
            assert!(refusal.status.as_u16() >= 400, "{kind}");
            assert_ne!(refusal.status.as_u16(), 500, "{kind}");
        }
        for (kind, word) in [
            (FailureKind::NotFound, "does not exist"),
            (FailureKind::AlreadyExists, "already exists"),
            (FailureKind::Unsupported, "not support"),
        ] {
            assert!(Refusal::from(Failure::new(kind, "no")).message.contains(word), "{kind}");
        }
    }

    #[test]
    fn a_refusal_is_about_the_thing_that_core_names_and_no_other() {
        let of = |kind, name: &str| {
            let failure = Failure::new(FailureKind::NotFound, "there is no such thing");
            Refusal::from(failure.about(kind, name)).at("c").message
        };
        assert_eq!(of(ResourceKind::Network, "v"), "VPC 'v' does not exist in connection 'c'");
        assert_eq!(of(ResourceKind::Subnet, "s"), "Subnet 's' does not exist in connection 'c'");
        assert!(of(ResourceKind::Connection, "c").starts_with("there is no such thing"));
        let of_cloud = Failure::new(FailureKind::NotFound, "network \"v\"");
        assert_eq!(Refusal::from(of_cloud).at("c").message, "network \"v\" (does not exist)");
    }

    #[test]
    fn four_kinds_have_other_statuses_than_everywhere() {
        for kind in FailureKind::ALL {
            let failure = Failure::new(kind, "no");
            let expected = match kind {
                FailureKind::InvalidRequest => 400,
                FailureKind::Stale => 409,
                FailureKind::Unauthenticated | FailureKind::Forbidden => 422,
                _ => failure.http_status(),
            };
            assert_eq!(status(&failure).as_u16(), expected, "{kind}");
        }
    }
}
