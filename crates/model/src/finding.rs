//! What is wrong with a request: all of it, each naming its field.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The field, such as `nodeGroups[0].scaling.min`.
    pub field: String,
    /// What is wrong and what would be right.
    pub says: String,
}

/// Everything that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, says: impl Into<String>) {
        self.0.push(Finding { field: field.into(), says: says.into() });
    }

    /// Adds one unless there is nothing to say.
    pub fn add_some(&mut self, field: impl Into<String>, says: Option<String>) {
        if let Some(says) = says {
            self.add(field, says);
        }
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Findings) {
        self.0.extend(other.0);
    }

    /// Keeps those that are wanted.
    pub fn retain(&mut self, wanted: impl FnMut(&Finding) -> bool) {
        self.0.retain(wanted);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of discovery.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// `Ok` if nothing is wrong.
    ///
    /// # Errors
    /// The findings themselves.
    pub fn into_result(self) -> Result<(), Findings> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", finding.field, finding.says)?;
        }
        Ok(())
    }
}
