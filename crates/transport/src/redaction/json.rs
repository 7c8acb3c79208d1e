//! Secrets in JSON: by name at any depth, by pairs of name and value, in Kubernetes' Secrets, in strings.

use serde_json::{Map, Value};

use super::{REDACTED, Redaction, is_key_of_pair, is_value_of_pair};

pub(super) fn redact(redaction: &Redaction, value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(object(redaction, fields)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| redact(redaction, item)).collect()),
        Value::String(text) => Value::String(redaction.value(&text)),
        other => other,
    }
}

fn object(redaction: &Redaction, fields: Map<String, Value>) -> Map<String, Value> {
    let names_a_secret = fields.iter().any(|(name, value)| {
        is_key_of_pair(name) && value.as_str().is_some_and(|name| redaction.is_secret_name(name))
    });
    let kubernetes_secret = fields.get("kind").and_then(Value::as_str) == Some("Secret");
    let hidden = |name: &str| {
        redaction.is_secret_name(name)
            || (names_a_secret && is_value_of_pair(name))
            || (kubernetes_secret && name == "data")
    };
    fields
        .into_iter()
        .map(|(name, value)| {
            let value = if hidden(&name) { hide(value) } else { redact(redaction, value) };
            (name, value)
        })
        .collect()
}

/// Every leaf below a secret name goes; the shape stays. What cannot be a secret stays too.
fn hide(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, hide(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(hide).collect()),
        Value::String(text) if text.is_empty() => Value::String(text),
        Value::String(_) | Value::Number(_) => Value::String(REDACTED.to_owned()),
        harmless @ (Value::Null | Value::Bool(_)) => harmless,
    }
}
