//! Request bodies against the messages that a service takes: every unknown member, wrong type and unknown word is
//! found before anything is done, in the words of Google's front end.
//!
//! The messages are data (`messages.txt` of each service, from the vendor's discovery documents).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// The messages of one service by name, each with its members' types as they are written in the data.
pub(crate) struct Messages(BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>);

impl Messages {
    /// Reads the data.
    pub(crate) fn read(text: &'static str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let messages = lines.filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next().filter(|name| !name.is_empty())?;
            Some((name, words.filter_map(|word| word.split_once(':')).collect()))
        });
        Self(messages.collect())
    }

    /// The object that a body holds, if it is a `message`.
    ///
    /// # Errors
    /// 400 with every violation at once.
    pub(crate) fn object(&self, message: &str, body: &[u8]) -> Result<Map<String, Value>> {
        let read =
            |bytes: &[u8]| if bytes.is_empty() { Ok(json!({})) } else { serde_json::from_slice(bytes) };
        let value: Value = read(body).map_err(|error| {
            Error::invalid(format!("Invalid JSON payload received. Parsing terminated: {error}"))
                .at_the_door()
        })?;
        let mut violations = Vec::new();
        self.check(message, &value, "", &mut violations);
        if !violations.is_empty() {
            return Err(refuse(&violations));
        }
        match value {
            Value::Object(object) => Ok(object),
            _ => Err(Error::invalid("Invalid JSON payload received. Root element must be a message.")
                .at_the_door()),
        }
    }

    fn check(&self, kind: &str, value: &Value, path: &str, violations: &mut Vec<(String, String)>) {
        if value.is_null() || kind == "any" {
            return;
        }
        let inner =
            |open: char, close: char| kind.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(item) = inner('[', ']') {
            match value.as_array() {
                Some(items) => {
                    for (index, value) in items.iter().enumerate() {
                        self.check(item, value, &format!("{path}[{index}]"), violations);
                    }
                }
                None => violations.push(wrong(path, "list", value)),
            }
        } else if let Some(item) = inner('{', '}') {
            match value.as_object() {
                Some(members) => {
                    for (key, value) in members {
                        self.check(item, value, &format!("{path}[{key}]"), violations);
                    }
                }
                None => violations.push(wrong(path, "map", value)),
            }
        } else if let Some(members) = self.0.get(kind) {
            self.check_members(members, value, path, violations);
        } else if !is_scalar(kind, value) {
            let written = match kind {
                "int" => "TYPE_INT32",
                "int64" => "TYPE_INT64",
                "bool" => "TYPE_BOOL",
                "number" => "TYPE_DOUBLE",
                "string" => "TYPE_STRING",
                _ => "TYPE_ENUM",
            };
            violations.push(wrong(path, written, value));
        }
    }

    fn check_members(
        &self,
        members: &BTreeMap<&'static str, &'static str>,
        value: &Value,
        path: &str,
        violations: &mut Vec<(String, String)>,
    ) {
        let Some(given) = value.as_object() else {
            violations.push(wrong(path, "message", value));
            return;
        };
        for (name, value) in given {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(kind) = members.get(name.as_str()) {
                self.check(kind, value, &inner, violations);
            } else {
                let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
                let says = format!(
                    "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
                );
                violations.push((path.to_owned(), says));
            }
        }
    }
}

/// Whether a value can be read as this type: numbers also as text, words of an enumeration also by their number.
fn is_scalar(kind: &str, value: &Value) -> bool {
    let is_whole = |value: &Value| {
        value.as_i64().is_some() || value.as_str().is_some_and(|text| text.parse::<i128>().is_ok())
    };
    match kind {
        "int" | "int64" => is_whole(value),
        "bool" => value.is_boolean(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        words => match value {
            Value::String(word) => words.split('|').any(|known| known == word),
            other => other.as_u64().is_some(),
        },
    }
}

fn wrong(path: &str, kind: &str, value: &Value) -> (String, String) {
    (path.to_owned(), format!("Invalid value at '{path}' ({kind}), {value}"))
}

fn refuse(violations: &[(String, String)]) -> Error {
    let message: Vec<&str> = violations.iter().map(|(_, says)| says.as_str()).collect();
    let fields: Vec<Value> = violations
        .iter()
        .map(|(field, says)| {
            let mut violation = json!({"description": says});
            if !field.is_empty() {
                violation["field"] = field.as_str().into();
            }
            violation
        })
        .collect();
    Error::invalid(message.join("\n"))
        .detail(json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}))
        .at_the_door()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Messages {
        Messages::read(
            "# a comment\nOuter name:string size:int inner:Inner list:[Inner] labels:{string}\nInner word:A|B on:bool\n",
        )
    }

    #[test]
    fn what_fits_is_taken() {
        let body =
            br#"{"name":"x","size":3,"inner":{"word":"A","on":true},"list":[{"word":1}],"labels":{"a":"b"}}"#;
        assert_eq!(messages().object("Outer", body).unwrap().len(), 5);
        assert!(messages().object("Outer", b"").unwrap().is_empty());
    }

    #[test]
    fn every_violation_is_named_at_once() {
        let body = br#"{"nam":"x","size":"big","inner":{"word":"C"},"list":{},"labels":{"a":1}}"#;
        let error = messages().object("Outer", body).unwrap_err();
        for words in [
            "Unknown name \"nam\": Cannot find field.",
            "Invalid value at 'size' (TYPE_INT32), \"big\"",
            "Invalid value at 'inner.word' (TYPE_ENUM), \"C\"",
            "Invalid value at 'list' (list), {}",
            "Invalid value at 'labels[a]' (TYPE_STRING), 1",
        ] {
            assert!(error.message.contains(words), "{}", error.message);
        }
    }

    #[test]
    fn a_body_that_is_no_json_is_refused() {
        assert!(messages().object("Outer", b"{").is_err());
        assert!(messages().object("Outer", b"[]").is_err());
    }
}
