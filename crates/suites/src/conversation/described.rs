//! What the interface's own description says of an answer, held against it: every key, and no other.

use serde_json::{Map, Value};

/// The document at `/spider/api/doc.json`.
pub(super) struct Description(pub(super) Value);

impl Description {
    /// Fails where an answer is not as described. What no route answers is a refusal.
    #[track_caller]
    pub(super) fn hold(&self, method: &str, path: &str, status: u16, answer: &Value) {
        let code = status.to_string();
        let described = self.operation(method, path).map(|operation| &operation["responses"]);
        let response = described.map(|all| all.get(&code).unwrap_or(&all["default"]));
        let refused = serde_json::json!({"$ref": "#/definitions/Message"});
        assert!(response.is_some() || status >= 400, "{method} {path} is not described");
        let wrong = self.differs(response.map_or(&refused, |response| &response["schema"]), answer);
        assert!(wrong.is_none(), "{method} {path} → {status} is not as described: {wrong:?} in {answer}");
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let asked: Vec<&str> = path.split('/').collect();
        let is_one = |known: &str| {
            let known: Vec<&str> = known.split('/').collect();
            known.len() == asked.len()
                && known.iter().zip(&asked).all(|(known, asked)| known == asked || known.starts_with('{'))
        };
        let mut found: Vec<_> =
            self.0["paths"].as_object()?.iter().filter(|(known, _)| is_one(known)).collect();
        found.sort_by_key(|(known, _)| known.matches('{').count());
        found.iter().find_map(|(_, item)| item.get(method.to_lowercase()))
    }

    /// Where a value is not of a schema.
    fn differs(&self, schema: &Value, value: &Value) -> Option<String> {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            return self.differs(self.0.pointer(pointer).expect("a definition"), value);
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
