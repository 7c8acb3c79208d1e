//! Answers: a status, headers and JSON.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use pmks_simulation::Answered;
use serde_json::Value;

use crate::error::Error;
use crate::json;

/// The answer to one call, before ARM adds its own headers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// This status with a body.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(json::without_nulls(body)), headers: Vec::new() }
    }

    /// 200.
    pub(crate) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    /// A status without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    /// With one more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As it goes out.
    pub(crate) fn answered(self, request_id: &str) -> Answered {
        let text = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Answered { response, code: None, request_id: request_id.to_owned() }
    }
}

/// A refusal as it goes out.
pub(crate) fn refused(error: &Error, request_id: &str) -> Answered {
    let mut answered = Reply::new(error.status, error.body()).answered(request_id);
    let headers = answered.response.headers_mut();
    if let Some(seconds) = error.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(challenge) = error.challenge.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    answered.code = Some(error.code.clone());
    answered
}
