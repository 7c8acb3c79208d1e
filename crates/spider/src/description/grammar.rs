//! Shapes in few words, and what they are as JSON Schema: `Key: string, Value?: string`. A type is a word, `[a list]`,
//! `{fields}` or `~what may be null`; a field with `?` may be left out. Words that begin with a capital are shapes.

use serde_json::{Map, Value, json};

/// The schema of an object's fields, or of a type.
pub(super) fn schema(text: &str) -> Value {
    match text.chars().next() {
        Some('[' | '{' | '~') => kind(&mut text.trim()),
        _ if text.contains(':') => fields(&mut text.trim()),
        _ => kind(&mut text.trim()),
    }
}

/// Fields up to a closing brace or the end.
fn fields(rest: &mut &str) -> Value {
    let (mut known, mut required) = (Map::new(), Vec::new());
    while let Some((name, after)) = rest.split_once(':') {
        *rest = after.trim_start();
        let name = name.trim_start_matches([',', ' ']).trim();
        let field = kind(rest);
        let key = name.trim_end_matches('?');
        if key == name {
            required.push(key);
        }
        known.insert(key.to_owned(), field);
        *rest = rest.trim_start();
        if !rest.starts_with(',') {
            break;
        }
    }
    let mut object = json!({"type": "object", "properties": known, "additionalProperties": false});
    if let Some(object) = object.as_object_mut()
        && !required.is_empty()
    {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn kind(rest: &mut &str) -> Value {
    if let Some(within) = rest.strip_prefix('~') {
        *rest = within;
        let mut value = kind(rest);
        if let Some(value) = value.as_object_mut() {
            value.insert("x-nullable".to_owned(), true.into());
        }
        return value;
    }
    if let Some(within) = rest.strip_prefix('[') {
        *rest = within;
        let items = kind(rest);
        close(rest, ']');
        return json!({"type": "array", "items": items});
    }
    if let Some(within) = rest.strip_prefix('{') {
        *rest = within;
        let object = fields(rest);
        close(rest, '}');
        return object;
    }
    let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    named(word)
}

fn close(rest: &mut &str, bracket: char) {
    let trimmed = rest.trim_start();
    *rest = trimmed.strip_prefix(bracket).unwrap_or(trimmed);
}

/// Numbers and yes or no are texts in requests; as such they are taken too.
fn named(word: &str) -> Value {
    match word {
        "string" | "boolean" | "integer" | "object" => json!({"type": word}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "flag" => json!({"type": "string", "enum": ["true", "false"]}),
        "number" => json!({"type": "string", "pattern": "^[0-9]{1,9}$"}),
        "port" => json!({"type": "string", "pattern": "^(-1|[0-9]{1,5})$"}),
        "state" => {
            json!({"type": "string", "enum": ["Creating", "Active", "Inactive", "Updating", "Deleting", ""]})
        }
        "availability" => {
            json!({"type": "string", "enum": ["Available", "Unavailable", "StatusNotSupported"]})
        }
        shape => json!({"$ref": format!("#/definitions/{shape}")}),
    }
}

/// A value of a schema, with all fields or with those that must be there.
pub(super) fn example(schema: &Value, all: bool, definitions: &Value) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/definitions/");
        return definitions.get(name).map_or(Value::Null, |shape| example(shape, all, definitions));
    }
    if let Some(first) = schema.get("enum").and_then(|words| words.get(0)) {
        return first.clone();
    }
    if schema.get("pattern").is_some() {
        return "1".into();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => {
            let items = schema.get("items").map(|items| example(items, all, definitions));
            Value::Array(items.into_iter().collect())
        }
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            let wanted = fields.filter(|(key, _)| all || required.iter().any(|name| name == *key));
            Value::Object(
                wanted.map(|(key, field)| (key.clone(), example(field, all, definitions))).collect(),
            )
        }
        Some(kind) => kind.into(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read() {
        let read = schema("A: string, B?: [Shape], C: {D: ~[string], E?: flag}, F: time");
        assert_eq!(read["required"], json!(["A", "C", "F"]));
        let known = &read["properties"];
        assert_eq!(known["B"], json!({"type": "array", "items": {"$ref": "#/definitions/Shape"}}));
        assert_eq!(known["C"]["required"], json!(["D"]));
        assert_eq!(known["C"]["properties"]["D"]["x-nullable"], true);
        assert_eq!(known["C"]["properties"]["E"]["enum"], json!(["true", "false"]));
        assert_eq!(known["F"]["format"], "date-time");
        assert_eq!(schema("Shape"), json!({"$ref": "#/definitions/Shape"}));
        assert_eq!(schema("{vpc: [Shape]}")["required"], json!(["vpc"]));
    }
}
