//! What a client sent, read as CB-Spider reads it: keys without regard to case, unknown ones passed over, numbers and
//! booleans as such or as texts. What cannot be read is refused, never taken for zero.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Refusal;

type Result<T> = std::result::Result<T, Refusal>;

/// An object, or nothing at all; and the way to it, for refusals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    value: Value,
    at: String,
}

impl Fields {
    /// Of a body; an empty one says nothing.
    pub(crate) fn of_body(bytes: &[u8]) -> Result<Self> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let LastOfAlike(value) = serde_json::from_slice(bytes).map_err(|error| {
            Refusal::malformed(format!(
                "code=400, message=Syntax error: offset={}, error={error}",
                error.column()
            ))
        })?;
        Self::of(value, String::new())
    }

    /// Of a query.
    pub(crate) fn of_query(value: Value) -> Result<Self> {
        Self::of(value, String::new())
    }

    /// Of an object, or of `null`, which says nothing.
    fn of(value: Value, at: String) -> Result<Self> {
        match value {
            Value::Object(_) | Value::Null => Ok(Self { value, at }),
            other => Err(wrong("object", &other, if at.is_empty() { "the body" } else { &at })),
        }
    }

    /// Whether anything is said of it.
    pub(crate) fn says(&self, key: &str) -> bool {
        self.find(key).is_some_and(|value| !value.is_null())
    }

    /// A part.
    pub(crate) fn part(&self, key: &str) -> Result<Self> {
        Self::of(self.find(key).cloned().unwrap_or_default(), self.path(key))
    }

    /// The parts of a list; `None`: there is no such list.
    pub(crate) fn parts(&self, key: &str) -> Result<Option<Vec<Self>>> {
        let Some(all) = self.list(key)? else { return Ok(None) };
        let part =
            |(index, value): (usize, &Value)| Self::of(value.clone(), format!("{}[{index}]", self.path(key)));
        all.iter().enumerate().map(part).collect::<Result<Vec<_>>>().map(Some)
    }

    /// A text; empty where nothing is said.
    pub(crate) fn text(&self, key: &str) -> Result<String> {
        match self.find(key) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(value) => text(value).ok_or_else(|| wrong("string", value, &self.path(key))),
        }
    }

    /// A text that must be there, spaces around it taken off.
    pub(crate) fn required(&self, key: &str) -> Result<String> {
        let text = self.text(key)?.trim().to_owned();
        if text.is_empty() {
            Err(Refusal::invalid(format!("{} is empty!", self.place(key))))
        } else {
            Ok(text)
        }
    }

    /// Texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<String>> {
        let all = self.list(key)?.unwrap_or_default();
        all.iter().map(|value| text(value).ok_or_else(|| wrong("string", value, &self.path(key)))).collect()
    }

    /// A whole number from zero; `None`: nothing is said.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u32>> {
        let said = self.text(key)?;
        let said = said.trim();
        if said.is_empty() {
            return Ok(None);
        }
        let refused = || Refusal::invalid(format!("{}: {said:?} is no whole number", self.path(key)));
        said.parse().map(Some).map_err(|_| refused())
    }

    /// A yes or no in the words that Go reads; `None`: nothing is said.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>> {
        let said = self.text(key)?;
        match said.trim() {
            "" => Ok(None),
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Some(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Some(false)),
            other => {
                Err(Refusal::invalid(format!("{}: {other:?} is neither true nor false", self.path(key))))
            }
        }
    }

    /// Pairs of `Key` and `Value`.
    pub(crate) fn pairs(&self, key: &str) -> Result<Option<Vec<(String, String)>>> {
        let Some(parts) = self.parts(key)? else { return Ok(None) };
        let pair = |part: &Self| Ok((part.text("Key")?, part.text("Value")?));
        parts.iter().map(pair).collect::<Result<Vec<_>>>().map(Some)
    }

    fn list(&self, key: &str) -> Result<Option<&[Value]>> {
        match self.find(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(all)) => Ok(Some(all)),
            Some(other) => Err(wrong("array", other, &self.path(key))),
        }
    }

    /// As written, else without regard to case: a body has one of several that differ in case alone.
    fn find(&self, key: &str) -> Option<&Value> {
        let all = self.value.as_object()?;
        let alike = || all.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        all.get(key).or_else(alike)
    }

    /// Where a key stands in what is asked for: which one of a list, where it is in one.
    pub(crate) fn place(&self, key: &str) -> String {
        let path = self.path(key);
        path.strip_prefix("ReqInfo.").map(str::to_owned).unwrap_or(path)
    }

    fn path(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }
}

/// JSON in whose objects, of several keys that differ in case alone, there is the last one, as Go takes it.
///
/// Source: <https://pkg.go.dev/encoding/json#Unmarshal>
struct LastOfAlike(Value);

impl<'de> Deserialize<'de> for LastOfAlike {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any JSON")
            }

            fn visit_unit<E>(self) -> std::result::Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
                Ok(value.into())
            }

            fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
                Ok(value.into())
            }

            fn visit_string<E>(self, value: String) -> std::result::Result<Value, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(LastOfAlike(value)) = access.next_element()? {
                    all.push(value);
                }
                Ok(Value::Array(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
                let (mut fields, mut spelled) = (Map::new(), BTreeMap::new());
                while let Some((key, LastOfAlike(value))) = access.next_entry::<String, LastOfAlike>()? {
                    if let Some(before) = spelled.insert(key.to_ascii_lowercase(), key.clone()) {
                        fields.remove(&before);
                    }
                    fields.insert(key, value);
                }
                Ok(Value::Object(fields))
            }
        }

        deserializer.deserialize_any(Reader).map(Self)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn wrong(expected: &str, got: &Value, field: &str) -> Refusal {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Refusal::malformed(format!(
        "code=400, message=Unmarshal type error: expected={expected}, got={got}, field={field}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Fields {
        Fields::of_body(json.as_bytes()).unwrap()
    }

    #[test]
    fn keys_know_no_case_and_values_come_as_texts_too() {
        let body = read(
            r#"{"connectionNAME": "c", "NameSpace": "", "ReqInfo": {"Min": "1", "max": 3, "On": "True", "off": false}}"#,
        );
        assert_eq!(body.required("ConnectionName").unwrap(), "c");
        let asked = body.part("reqinfo").unwrap();
        assert_eq!((asked.number("Min").unwrap(), asked.number("Max").unwrap()), (Some(1), Some(3)));
        assert_eq!((asked.flag("On").unwrap(), asked.flag("Off").unwrap()), (Some(true), Some(false)));
        assert_eq!((asked.number("none").unwrap(), asked.flag("none").unwrap()), (None, None));
    }

    #[test]
    fn of_keys_that_differ_in_case_the_last_one_counts() {
        for (json, says) in [
            (r#"{"Name": "exact", "name": "other"}"#, "other"),
            (r#"{"name": "other", "Name": "exact"}"#, "exact"),
            (r#"{"NAME": "a", "Name": "exact", "naMe": "c"}"#, "c"),
        ] {
            assert_eq!(read(json).text("Name").unwrap(), says, "{json}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_name() {
        let body = read(r#"{"a": [], "b": "many", "c": {"d": 1}, "e": [1, {}], "f": "maybe"}"#);
        for (refused, says) in [
            (body.text("a").unwrap_err(), "expected=string, got=array, field=a"),
            (body.number("b").unwrap_err(), "b: \"many\" is no whole number"),
            (body.part("b").unwrap_err(), "expected=object, got=string, field=b"),
            (body.parts("e").unwrap_err(), "expected=object, got=number, field=e[0]"),
            (body.flag("f").unwrap_err(), "f: \"maybe\" is neither true nor false"),
            (body.required("g").unwrap_err(), "g is empty!"),
            (Fields::of_body(b"{").unwrap_err(), "code=400, message=Syntax error"),
            (Fields::of_body(b"[1]").unwrap_err(), "expected=object, got=array"),
        ] {
            assert_eq!(refused.status.as_u16(), 400);
            assert!(refused.message.contains(says), "{}", refused.message);
        }
    }

    #[test]
    fn nothing_said_is_nothing() {
        for body in [Fields::of_body(b" \n").unwrap(), read("null"), read("{}")] {
            assert_eq!(body.text("a").unwrap(), "");
            assert_eq!(body.texts("a").unwrap(), Vec::<String>::new());
            assert!(body.pairs("a").unwrap().is_none());
        }
    }
}
