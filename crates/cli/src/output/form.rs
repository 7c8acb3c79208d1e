//! The five forms of an answer: table, wide, JSON as the API answers it, the same as YAML, names alone.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Kind, columns_of, data, table};
use crate::arguments::Output;
use crate::error::{Error, Result};

/// How one command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// The form.
    pub(crate) output: Output,
    /// Whether colours are refused.
    pub(crate) no_color: bool,
}

/// Prints a list.
pub(crate) fn items(form: Form, kind: Kind, items: &[Value]) -> Result<()> {
    match form.output {
        Output::Table | Output::Wide if items.is_empty() => {
            super::note("none");
            Ok(())
        }
        Output::Table => data(&table(columns_of(kind), items, false, form.no_color)),
        Output::Wide => data(&table(columns_of(kind), items, true, form.no_color)),
        Output::Name => data(&items.iter().map(name).collect::<Vec<_>>().join("\n")),
        Output::Json | Output::Yaml => structured(form.output, &json!({"items": items})),
    }
}

/// Prints one thing.
pub(crate) fn item(form: Form, kind: Kind, item: &Value) -> Result<()> {
    match form.output {
        Output::Json | Output::Yaml => structured(form.output, item),
        _ => items(form, kind, std::slice::from_ref(item)),
    }
}

/// Prints a value as JSON, or as YAML.
pub(crate) fn structured(output: Output, value: &Value) -> Result<()> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::new(pmks_model::FailureKind::Unexpected, format!("the answer cannot be printed: {error}"))
    };
    let text = match output {
        Output::Yaml => yaml(value).map_err(|error| unreadable(&error))?,
        _ => escaped(&serde_json::to_string_pretty(value).map_err(|error| unreadable(&error))?),
    };
    data(&text)
}

/// YAML of the same value. What YAML would write as it is, and steers a terminal, is written as JSON, which is YAML too.
fn yaml(value: &Value) -> std::result::Result<String, String> {
    let text = serde_saphyr::to_string(value).map_err(|error| error.to_string())?;
    if text.chars().any(|c| super::table::steers(c) && c != '\n') {
        return serde_json::to_string_pretty(value)
            .map(|json| escaped(&json))
            .map_err(|error| error.to_string());
    }
    Ok(text)
}

/// JSON of the same value, in which no character steers a terminal: beyond the line ends between its members such a one
/// stands in a string, where it can be escaped.
pub(crate) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if super::table::steers(c) && c != '\n' {
            // All of them lie in the basic plane.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// What a thing is called: its name, else its id.
fn name(value: &Value) -> String {
    ["/name", "/id", "/uid", "/provider", "/version", "/iid/nameId", "/iid/systemId"]
        .iter()
        .find_map(|pointer| value.pointer(pointer).and_then(Value::as_str))
        .map(super::table::clean)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_of_hostile_texts_are_the_same_values_and_steer_no_terminal() {
        for hostile in [
            "a\u{1b}]0;x\u{7}b",
            "\u{9b}2J\u{7f}\u{85}",
            "\u{202e}cod.exe\u{2066}\u{2028}",
            "a\r\nb\0",
            "yes",
            "null",
            "~",
            "1e3",
            "- a",
            "{{ x }}",
            "&a [*a]",
            "a: b # c",
            " leading and trailing ",
            "클러스터\u{1f680}",
            "",
        ] {
            let value = json!({"name": hostile, hostile: [hostile, {"a": hostile}]});
            let json = escaped(&serde_json::to_string_pretty(&value).unwrap());
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
            let yaml = yaml(&value).unwrap();
            assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), value, "{yaml}");
            for text in [json, yaml] {
                let steering = text.chars().filter(|c| super::super::table::steers(*c) && *c != '\n').count();
                assert_eq!(steering, 0, "{hostile:?}: {text:?}");
            }
        }
    }
}
