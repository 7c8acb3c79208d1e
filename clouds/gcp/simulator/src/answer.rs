//! Answers on the wire: JSON, with the headers that Google's front end adds.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use pmks_simulation::Answered;
use serde_json::Value;

use crate::error::{Error, Style};

/// An answer that went well, or the refusal in the service's style.
pub(crate) fn json(result: Result<Value, Error>, style: Style, request_id: &str) -> Answered {
    match result {
        Ok(body) => answered(StatusCode::OK, &body, None, request_id),
        Err(error) => refusal(&error, style, request_id),
    }
}

/// A refusal in the service's style.
pub(crate) fn refusal(error: &Error, style: Style, request_id: &str) -> Answered {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Compute Engine's clients go by the reason, all others by the canonical code.
    let code = if style == Style::Compute { &error.reason } else { &error.code };
    let mut answered = answered(status, &error.body(style, request_id), Some(code.clone()), request_id);
    if status == StatusCode::UNAUTHORIZED && style != Style::OAuth {
        let challenge = HeaderValue::from_static(
            "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
        );
        answered.response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answered
}

/// The page of Google's front end for a path that nobody answers. Never in a service's own error form: whoever asks
/// for something that is not simulated must not take it for absent.
pub(crate) fn no_such_path(request_id: &str) -> Answered {
    let page = "<!DOCTYPE html>\n<html lang=en><title>Error 404 (Not Found)!!1</title><p>The requested URL was not \
                found on this server.\n";
    let mut response = Response::new(Bytes::from_static(page.as_bytes()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    Answered { response, code: Some("noSuchPath".to_owned()), request_id: request_id.to_owned() }
}

fn answered(status: StatusCode, body: &Value, code: Option<String>, request_id: &str) -> Answered {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    headers.insert(VARY, HeaderValue::from_static("Origin, X-Origin, Referer"));
    Answered { response, code, request_id: request_id.to_owned() }
}
