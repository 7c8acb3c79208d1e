//! Ground truth: what exists in a simulated cloud, whatever its API shows at the moment.
//!
//! Rows only; nothing here changes a world.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What it is, in the cloud's word (`vpc`, `cluster`, `instance`).
    pub kind: String,
    /// The cloud's identifier.
    pub id: String,
    /// Its name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tags or labels.
    pub tags: BTreeMap<String, String>,
    /// The cloud's word for its state.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What else a test may ask: account, region, owner, parent ids.
    pub attributes: BTreeMap<String, Value>,
}

impl Resource {
    /// A row without name, tags or attributes.
    pub fn new(kind: &str, id: &str, state: &str, created_at: Timestamp) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            name: None,
            tags: BTreeMap::new(),
            state: state.to_owned(),
            created_at,
            attributes: BTreeMap::new(),
        }
    }

    /// With a name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// With tags; a tag `Name` is also the name where there is none.
    #[must_use]
    pub fn tagged(mut self, tags: &BTreeMap<String, String>) -> Self {
        self.tags.clone_from(tags);
        self.name = self.name.or_else(|| tags.get("Name").cloned());
        self
    }

    /// With one more attribute.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(key.to_owned(), value.into());
        self
    }
}

/// The rows by kind, as `/_sim/resources` answers them.
pub fn by_kind(rows: Vec<Resource>) -> BTreeMap<String, Vec<Resource>> {
    let mut kinds: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
    for row in rows {
        kinds.entry(row.kind.clone()).or_default().push(row);
    }
    kinds
}
