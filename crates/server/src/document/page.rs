//! The document as one page of HTML, without scripts and without anything loaded from elsewhere.

use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::Value;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>pmks API</title><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
code{font-family:ui-monospace,monospace}h2{margin-top:2.5rem}details{border-top:1px solid #8886;padding:.5rem 0}\
summary{cursor:pointer}.method{display:inline-block;width:4.5rem;font-weight:600}td{padding:.1rem 1rem .1rem 0;\
vertical-align:top}dt{font-weight:600;margin-top:1rem}</style>";

/// The page.
pub(crate) fn page() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let document = serde_json::to_value(super::document()).unwrap_or_default();
        written(&document)
    });
    &PAGE
}

fn written(document: &Value) -> String {
    let mut page = String::from(HEAD);
    let says = text(document, "/info/description");
    let _ = write!(page, "<h1>pmks API</h1><p>{says} <a href=\"/v1/openapi.json\">openapi.json</a></p>");
    let mut group = String::new();
    for (path, method, operation) in operations(document) {
        let its = text(operation, "/tags/0");
        if its != group {
            let _ = write!(page, "<h2>{its}</h2>");
            group = its;
        }
        write_operation(&mut page, path, method, operation);
    }
    page.push_str("<h2>Bodies</h2>");
    for (name, schema) in object(document, "/components/schemas") {
        let (name, says) = (escaped(name), text(schema, "/description"));
        let _ = write!(page, "<details id=\"{name}\"><summary><code>{name}</code> {says}</summary>");
        write_fields(&mut page, schema);
        page.push_str("</details>");
    }
    page
}

/// All operations, group by group.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut all: Vec<_> = object(document, "/paths")
        .flat_map(|(path, item)| {
            let item = item.as_object().into_iter().flatten();
            item.map(move |(method, operation)| (path, method.as_str(), operation))
        })
        .collect();
    all.sort_by_cached_key(|(path, _, operation)| (text(operation, "/tags/0"), (*path).to_owned()));
    all
}

fn write_operation(page: &mut String, path: &str, method: &str, operation: &Value) {
    let (method, path, summary) =
        (escaped(method).to_uppercase(), escaped(path), text(operation, "/summary"));
    let _ = write!(
        page,
        "<details><summary><code><span class=\"method\">{method}</span>{path}</code><br>{summary}</summary><p>{}</p>",
        text(operation, "/description")
    );
    page.push_str("<table>");
    for parameter in operation.pointer("/parameters").and_then(Value::as_array).into_iter().flatten() {
        let (name, place) = (text(parameter, "/name"), text(parameter, "/in"));
        let says = text(parameter, "/description");
        let _ = write!(page, "<tr><td><code>{name}</code><td>{place}<td>{says}");
    }
    page.push_str("</table>");
    for (_, media) in object(operation, "/requestBody/content") {
        let _ = write!(page, "<p>Body: {}</p>", kind(media.pointer("/schema").unwrap_or(&Value::Null)));
    }
    page.push_str("<p>Answers:");
    for (status, response) in object(operation, "/responses") {
        let kinds = object(response, "/content").map(|(_, media)| media.pointer("/schema"));
        let kinds: Vec<String> = kinds.flatten().map(kind).collect();
        let _ = write!(page, " <code>{}</code> {}", escaped(status), kinds.join(", "));
    }
    page.push_str("</p></details>");
}

fn write_fields(page: &mut String, schema: &Value) {
    page.push_str("<table>");
    let parts = schema.pointer("/allOf").and_then(Value::as_array).into_iter().flatten();
    for part in parts.chain([schema]) {
        if part.get("$ref").is_some() {
            let _ = write!(page, "<tr><td>{}", kind(part));
        }
        for (name, field) in object(part, "/properties") {
            let (name, says) = (escaped(name), text(field, "/description"));
            let only = if field.get("readOnly").is_some() { " Read-only." } else { "" };
            let _ = write!(page, "<tr><td><code>{name}</code><td>{}<td>{says}{only}", kind(field));
        }
    }
    page.push_str("</table>");
}

/// A schema in a word, with a link where it is a body of its own.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#{name}\"><code>{name}</code></a>");
    }
    for choice in ["/oneOf", "/anyOf"] {
        if let Some(choices) = schema.pointer(choice).and_then(Value::as_array) {
            return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words
            .iter()
            .map(|word| escaped(word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", ");
    }
    match schema.get("type") {
        Some(Value::String(word)) if word == "array" => {
            format!("list of {}", kind(schema.get("items").unwrap_or(&Value::Null)))
        }
        Some(Value::String(word)) => escaped(word),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

fn object<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let fields = value.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value, pointer: &str) -> String {
    escaped(value.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
