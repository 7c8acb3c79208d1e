//! Small helpers to look into JSON and to change it. What is missing reads as null; nothing panics.

use serde_json::{Map, Value};

/// The value at a path of members; null where there is none.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// The text at a path, where it is one and not empty.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    at(value, path).as_str().filter(|text| !text.is_empty())
}

/// The whole number at a path.
pub(crate) fn number(value: &Value, path: &str) -> Option<i64> {
    at(value, path).as_i64()
}

/// Whether the value at a path is `true`.
pub(crate) fn is_true(value: &Value, path: &str) -> bool {
    at(value, path) == &Value::Bool(true)
}

/// The members of an object; none of anything else.
pub(crate) fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The items of a list; none of anything else.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Sets a member of an object; of anything else nothing happens.
pub(crate) fn set(value: &mut Value, name: &str, to: impl Into<Value>) {
    if let Some(members) = value.as_object_mut() {
        members.insert(name.to_owned(), to.into());
    }
}

/// Sets a member that is missing or null.
pub(crate) fn set_default(value: &mut Value, name: &str, to: impl Into<Value>) {
    if value.get(name).is_none_or(Value::is_null) {
        set(value, name, to);
    }
}

/// Removes members of an object.
pub(crate) fn remove(value: &mut Value, names: &[&str]) {
    if let Some(members) = value.as_object_mut() {
        for name in names {
            members.remove(*name);
        }
    }
}

/// Adds the members of one object to another, replacing those of the same name.
pub(crate) fn extend(value: &mut Value, more: Value) {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
}

/// Without members that are null, at every depth: Azure leaves out what it does not say.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read_and_nothing_is_made_up() {
        let value = json!({"a": {"b": "c", "n": 3, "t": true}, "empty": ""});
        assert_eq!(text(&value, "a.b"), Some("c"));
        assert_eq!((number(&value, "a.n"), is_true(&value, "a.t")), (Some(3), true));
        assert_eq!((text(&value, "empty"), text(&value, "a.b.c"), number(&value, "x.y")), (None, None, None));
    }

    #[test]
    fn nulls_are_left_out_at_every_depth() {
        assert_eq!(without_nulls(json!({"a": null, "b": [{"c": null}]})), json!({"b": [{}]}));
    }
}
