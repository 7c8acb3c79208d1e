//! What a client is answered, written as Go's encoder writes it: `<`, `>` and `&` escaped, a line end after all.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use pmks_core::Handover;
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// An answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// 200 with JSON.
    Json(Value),
    /// The same, which nobody may keep: it holds a secret.
    Secret(Value),
    /// The same with a private key, and what becomes of it.
    PrivateKey(Value, Handover),
    /// 202 with JSON, and where the operation can be followed.
    Accepted { operation: Value, location: String },
    /// 200 with text.
    Text(String),
    /// 200 with what is written already, of that kind.
    Typed(&'static str, String),
    /// Another status, with JSON.
    With(StatusCode, Value),
}

impl Reply {
    /// `{"Result":"true"}`, its value a text.
    pub(crate) fn result(is: bool) -> Self {
        Self::Json(json!({"Result": is.to_string()}))
    }

    /// `{"count":3}`.
    pub(crate) fn count(number: usize) -> Self {
        Self::Json(json!({"count": number}))
    }

    /// A list under its name.
    pub(crate) fn list(name: &str, items: Vec<Value>) -> Self {
        Self::Json(Value::Object([(name.to_owned(), Value::Array(items))].into_iter().collect()))
    }

    /// What is written already, by [`written`].
    pub(crate) fn of_written(mut text: String) -> Self {
        text.push('\n');
        Self::Typed(JSON, text)
    }

    /// As HTTP has it.
    pub(crate) fn into_response(self) -> Response {
        let (status, value, secret) = match self {
            Self::Text(text) => return response(StatusCode::OK, "text/plain; charset=UTF-8", text),
            Self::Typed(kind, text) => return response(StatusCode::OK, kind, text),
            Self::Json(value) => (StatusCode::OK, value, false),
            Self::Secret(value) => (StatusCode::OK, value, true),
            Self::Accepted { operation, location } => {
                let mut response = response(StatusCode::ACCEPTED, JSON, written(&operation) + "\n");
                if let Ok(location) = HeaderValue::from_str(&location) {
                    response.headers_mut().insert(LOCATION, location);
                }
                return response;
            }
            Self::PrivateKey(value, handover) => {
                let mut response = Self::Secret(value).into_response();
                response.extensions_mut().insert(handover);
                return response;
            }
            Self::With(status, value) => (status, value, false),
        };
        let mut response = response(status, JSON, written(&value) + "\n");
        if secret {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// JSON as Go's encoder writes it, without the line end.
///
/// Source: <https://pkg.go.dev/encoding/json#Encoder.SetEscapeHTML>
pub(crate) fn written(value: &Value) -> String {
    let plain = value.to_string();
    let mut text = String::with_capacity(plain.len() + 1);
    for letter in plain.chars() {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_go_escapes_them() {
        let value = json!({"a": "<b> & \u{2028}\"ü\""});
        assert_eq!(written(&value), "{\"a\":\"\\u003cb\\u003e \\u0026 \\u2028\\\"ü\\\"\"}");
        assert_eq!(serde_json::from_str::<Value>(&written(&value)).unwrap(), value);
    }
}
