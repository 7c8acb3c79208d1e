//! `pmks provider`: what this program was built with.

use serde_json::Value;

use super::print_list;
use crate::app::App;
use crate::arguments::{Output, ProviderCommand};
use crate::client::Path;
use crate::error::Result;
use crate::output::{self, Kind, scalar};

pub(super) async fn run(app: &App, command: ProviderCommand) -> Result<()> {
    match command {
        ProviderCommand::List => print_list(app, Path::v1(["providers"]), Kind::Provider).await,
        ProviderCommand::Describe { provider } => {
            let described = app.session().await?.client.get(Path::v1(["providers", &provider])).await?;
            match app.global.output {
                Output::Table | Output::Wide => output::data(&outline(&described, 0)),
                _ => output::item(app.form(), Kind::Provider, &described),
            }
        }
    }
}

/// Capabilities as an indented outline: they are a tree, and no table holds one.
fn outline(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut lines = Vec::new();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        lines.push(format!("{indent}{name}:\n{}", outline(value, depth + 1)));
                    }
                    Value::Array(items) if items.iter().any(Value::is_object) => {
                        lines.push(format!("{indent}{name}:\n{}", outline(value, depth + 1)));
                    }
                    other => lines.push(format!("{indent}{name}: {}", scalar(other))),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let text = outline(item, depth + 1);
                lines.push(format!("{indent}- {}", text.trim_start()));
            }
        }
        other => lines.push(format!("{indent}{}", scalar(other))),
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_is_an_outline() {
        let text = outline(&json!({"a": {"b": [1, 2]}, "c": [{"d": true, "e": "x"}]}), 0);
        assert_eq!(text, "a:\n  b: 1,2\nc:\n  - d: true\n    e: x");
    }
}
