//! The cloud's own facts about a resource, chosen by each driver from an allow-list.

use serde::{Deserialize, Serialize};

/// One fact in the cloud's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyValue {
    /// The cloud's name of the field.
    pub key: String,
    /// Its value as text.
    pub value: String,
}

/// The cloud's own facts, in the driver's order. Never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyValueList(pub Vec<KeyValue>);

impl KeyValueList {
    /// Adds a fact, unless the value is empty.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push(KeyValue { key: key.to_owned(), value });
        }
    }

    /// Adds a fact if the cloud gave one.
    pub fn add_some(&mut self, key: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }

    /// The first value of that key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    }
}
