//! What the interface's own description says of an answer, held against it: every key, and no other.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::{Map, Value};

/// The document at `/spider/api/doc.json`, and which of its operations succeeded since.
pub(super) struct Description {
    document: Value,
    succeeded: Mutex<BTreeSet<String>>,
}

impl Description {
    pub(super) fn new(document: Value) -> Self {
        Self { document, succeeded: Mutex::default() }
    }

    /// The operations that the document promises and that did not succeed, each as method and path.
    pub(super) fn unproven(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().expect("paths");
        let promised = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").iter();
            let kept = methods.filter(|(_, operation)| operation["responses"].get("200").is_some());
            kept.map(move |(method, _)| format!("{} {path}", method.to_uppercase()))
        });
        let succeeded = self.succeeded.lock().expect("nobody panicked");
        promised.filter(|operation| !succeeded.contains(operation)).collect()
    }

    /// Fails where an answer is not as described. What no route answers is a refusal.
    #[track_caller]
    pub(super) fn hold(&self, method: &str, path: &str, status: u16, answer: &Value) {
        let code = status.to_string();
        let described = self.operation(method, path).map(|(_, operation)| &operation["responses"]);
        let response = described.map(|all| all.get(&code).unwrap_or(&all["default"]));
        let refused = serde_json::json!({"$ref": "#/definitions/Message"});
        assert!(response.is_some() || status >= 400, "{method} {path} is not described");
        let wrong = self.differs(response.map_or(&refused, |response| &response["schema"]), answer);
        assert!(wrong.is_none(), "{method} {path} → {status} is not as described: {wrong:?} in {answer}");
    }

    /// Remembers that it succeeded.
    pub(super) fn succeeds(&self, method: &str, path: &str) {
        if let Some((known, _)) = self.operation(method, path) {
            self.succeeded.lock().expect("nobody panicked").insert(format!("{method} {known}"));
        }
    }

    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let asked: Vec<&str> = path.split('/').collect();
        let is_one = |known: &str| {
            let known: Vec<&str> = known.split('/').collect();
            // An identifier at the end is the rest of the path.
            let takes_rest = known.last() == Some(&"{Id}") && asked.len() > known.len();
            (known.len() == asked.len() || takes_rest)
                && known.iter().zip(&asked).all(|(known, asked)| known == asked || known.starts_with('{'))
        };
        let mut found: Vec<_> =
            self.document["paths"].as_object()?.iter().filter(|(known, _)| is_one(known)).collect();
        found.sort_by_key(|(known, _)| known.matches('{').count());
        found.iter().find_map(|(known, item)| Some((known.as_str(), item.get(method.to_lowercase())?)))
    }

    /// Where a value is not of a schema.
    fn differs(&self, schema: &Value, value: &Value) -> Option<String> {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            return self.differs(self.document.pointer(pointer).expect("a definition"), value);
        }
        if value.is_null() && schema["x-nullable"] == true {
            return None;
        }
        let fits = match schema["type"].as_str()? {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            _ => false,
        };
        let words = schema["enum"].as_array();
        if !fits || words.is_some_and(|words| !words.contains(value)) {
            return Some(format!("{value} is not of {schema}"));
        }
        let items = value.as_array().into_iter().flatten();
        items.into_iter().find_map(|item| self.differs(&schema["items"], item)).or_else(|| {
            let known = schema["properties"].as_object()?;
            self.differs_within(known, schema, value.as_object()?)
        })
    }

    fn differs_within(
        &self,
        known: &Map<String, Value>,
        schema: &Value,
        value: &Map<String, Value>,
    ) -> Option<String> {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing = required.into_iter().find(|key| !value.contains_key(*key));
        missing.map(|key| format!("no {key}")).or_else(|| {
            value.iter().find_map(|(key, field)| match known.get(key) {
                Some(schema) => self.differs(schema, field).map(|wrong| format!("{key}: {wrong}")),
                None => Some(format!("{key}, which is not described")),
            })
        })
    }
}
