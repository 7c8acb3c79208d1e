//! Removes secrets from what is written down: headers, URLs, JSON, XML, forms and plain text. Never used on what is
//! sent.
//!
//! Two things are looked for: values whose name says that they are secret (`names.rs`), and text that is a secret by
//! its looks (`text.rs`: private keys, bearer tokens, presigned URLs). In doubt, more is removed.

mod form;
mod json;
mod names;
mod text;
mod xml;

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderMap;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// What is removed from records: the common names, and those that a driver adds.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    extra: BTreeSet<String>,
    without_bodies: bool,
}

impl Redaction {
    /// The common names, and these: of headers, fields, elements and parameters, in any spelling of case and
    /// punctuation.
    pub fn with_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { extra: names.into_iter().map(names::normal).collect(), without_bodies: false }
    }

    /// The same, and every body with it: for services whose answer is nothing but a secret, which no name tells.
    #[must_use]
    pub fn without_bodies(self) -> Self {
        Self { without_bodies: true, ..self }
    }

    /// Whether a value of this name is removed.
    pub fn is_secret_name(&self, name: &str) -> bool {
        names::is_secret(name, &self.extra)
    }

    /// The headers, values of secret ones removed. Several values of one name are joined by a comma.
    pub fn headers(&self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in headers {
            let value = match value.to_str() {
                _ if value.is_sensitive() || self.is_secret_name(name.as_str()) => REDACTED.to_owned(),
                Ok(value) => self.text(value),
                Err(_) => bytes_only(value.as_bytes()),
            };
            all.entry(name.to_string()).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
        }
        all
    }

    /// A URL, secrets in its query and user information removed.
    pub fn url(&self, url: &str) -> String {
        match url.split_once('?') {
            Some((place, query)) => format!("{}?{}", self.text(place), self.form(query)),
            None => self.text(url),
        }
    }

    /// A body as text, by what its content type says it is, else by its looks. What is not text is only counted.
    pub fn body(&self, content_type: &str, body: &[u8]) -> String {
        if self.without_bodies && !body.is_empty() {
            return REDACTED.to_owned();
        }
        let Ok(text) = std::str::from_utf8(body) else {
            return bytes_only(body);
        };
        if content_type.contains("form-urlencoded") {
            return self.form(text);
        }
        let start = text.trim_start();
        let structured = match start.chars().next() {
            Some('{' | '[') => self.json(text),
            Some('<') => self.xml(text),
            _ => None,
        };
        structured.unwrap_or_else(|| self.text(text))
    }

    /// A JSON text, written anew; `None` when it is not JSON.
    pub fn json(&self, text: &str) -> Option<String> {
        let value = serde_json::from_str(text).ok()?;
        Some(json::redact(self, value).to_string())
    }

    /// An XML text; `None` when it is not well-formed.
    pub fn xml(&self, text: &str) -> Option<String> {
        xml::redact(self, text)
    }

    /// A form or a query, `name=value&…`.
    pub fn form(&self, text: &str) -> String {
        form::redact(self, text)
    }

    /// Free text, such as a message of a cloud or a line of a log.
    pub fn text(&self, text: &str) -> String {
        text::redact(self, text)
    }

    /// A single value: JSON or XML written into a string, else free text.
    fn value(&self, value: &str) -> String {
        let nested = match value.trim_start().chars().next() {
            Some('{' | '[') => self.json(value),
            Some('<') => self.xml(value),
            _ => None,
        };
        nested.unwrap_or_else(|| self.text(value))
    }
}

fn bytes_only(bytes: &[u8]) -> String {
    format!("[{} bytes that are not text]", bytes.len())
}

/// Names whose value names another value: `{"key": "password", "value": "…"}`.
fn is_key_of_pair(name: &str) -> bool {
    let keys = ["key", "name", "tagkey", "parameterkey", "parametername", "variablename"];
    keys.contains(&names::normal(name).as_str())
}

/// The other half of such a pair.
fn is_value_of_pair(name: &str) -> bool {
    let values = ["value", "values", "tagvalue", "parametervalue"];
    values.contains(&names::normal(name).as_str())
}

#[cfg(test)]
mod tests;
