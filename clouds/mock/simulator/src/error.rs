//! Refusals, and how answers are written: JSON, an error as `{"error": {"code", "message"}}`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use pmks_simulation::{Answered, Refusal};
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    code: String,
    message: String,
}

/// What a call answers.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgument", message)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(401, "Unauthenticated", "this MockName is not accepted")
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(404, "NotFound", format!("{what} {id} does not exist"))
    }

    pub(crate) fn already_exists(what: &str, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{what} {name} already exists"))
    }

    pub(crate) fn busy(what: &str, name: &str) -> Self {
        Self::new(409, "Busy", format!("{what} {name} is being changed"))
    }

    pub(crate) fn in_use(name: &str, by: &[String]) -> Self {
        Self::new(409, "InUse", format!("{name} is used by {}", by.join(", ")))
    }

    pub(crate) fn quota() -> Self {
        Self::new(403, "QuotaExceeded", "the account has no room for another one")
    }

    pub(crate) fn no_capacity() -> Self {
        Self::new(503, "OutOfCapacity", "there are no machines of this type left")
    }

    /// What a fault asks for.
    pub(crate) fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Throttle => Self::new(429, "TooManyRequests", "too many requests"),
            Refusal::Deny => Self::new(403, "PermissionDenied", "this account may not do that"),
            Refusal::Status { status, code, message } => Self::new(
                *status,
                code,
                message.clone().unwrap_or_else(|| "the Mock cloud says no".to_owned()),
            ),
        }
    }
}

/// Writes an answer.
pub(crate) fn answer(result: Result<Value>, request_id: String) -> Answered {
    let (status, body, code) = match result {
        Ok(body) => (200, body, None),
        Err(Error { status, code, message }) => {
            (status, json!({"error": {"code": code, "message": message}}), Some(code))
        }
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    Answered { response, code, request_id }
}
