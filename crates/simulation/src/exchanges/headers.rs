//! Headers, as far as a contract may say something of them. What lets in, and what signs, is never among them.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// What is kept of a request with its value: the form of its body, and its conditions.
const WHOLE: [&str; 5] =
    ["content-type", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// How the names of clouds' own headers begin. Of these the names alone are kept: among the values are tokens.
const OWN: [&str; 3] = ["x-amz-", "x-ms-", "x-goog-"];

/// What every answer has, or none that is the same as another.
const OF_EVERY_ANSWER: [&str; 3] = ["date", "content-length", "connection"];

/// Those of a request.
pub(super) fn asked(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in headers {
        if WHOLE.contains(&name.as_str()) {
            kept.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned());
        } else if OWN.iter().any(|begins| name.as_str().starts_with(begins)) {
            kept.insert(name.to_string(), String::new());
        }
    }
    kept
}

/// Those of an answer.
pub(super) fn told(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// What of a request's headers tells it from another, to a contract: the form of the body, and which others there are.
pub(super) fn of_request(headers: &HeaderMap) -> String {
    shape(headers, |name| WHOLE.contains(&name) || OWN.iter().any(|own| name.starts_with(own)))
}

/// The same of an answer.
pub(super) fn of_answer(headers: &HeaderMap) -> String {
    shape(headers, |name| !OF_EVERY_ANSWER.contains(&name))
}

fn shape(headers: &HeaderMap, counts: impl Fn(&str) -> bool) -> String {
    let mut names: Vec<&str> =
        headers.keys().map(http::HeaderName::as_str).filter(|name| counts(name)).collect();
    names.sort_unstable();
    let form = headers.get(CONTENT_TYPE).and_then(|form| form.to_str().ok()).unwrap_or_default();
    format!("{form} {}", names.join(" "))
}
