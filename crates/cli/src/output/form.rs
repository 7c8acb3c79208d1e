//! The five forms of an answer: table, wide, JSON as the API answers it, the same as YAML, names alone.

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
        Output::Yaml => serde_saphyr::to_string(value).map_err(|error| unreadable(&error))?,
        _ => serde_json::to_string_pretty(value).map_err(|error| unreadable(&error))?,
    };
    data(&text)
}

/// What a thing is called: its name, else its id.
fn name(value: &Value) -> String {
    ["/name", "/id", "/uid", "/provider", "/version", "/iid/nameId", "/iid/systemId"]
        .iter()
        .find_map(|pointer| value.pointer(pointer).and_then(Value::as_str))
        .map(super::table::clean)
        .unwrap_or_default()
}
