//! What is wrong with a request: all of it, each naming its field.

use serde::{Deserialize, Serialize};

use crate::{ResourceKind, Says, Subject};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The field, such as `nodeGroups[0].scaling.min`.
    pub field: String,
    /// What is wrong and what would be right.
    #[serde(flatten)]
    pub says: Says,
    /// The thing that the field names and that there is not, for who tells it in other words; `None`: something else is
    /// wrong. It is kept nowhere.
    #[serde(skip)]
    pub missing: Option<Subject>,
}

/// Everything that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, says: impl Into<Says>) {
        self.0.push(Finding { field: field.into(), says: says.into(), missing: None });
    }

    /// Adds one of a field that names a thing which there is not; `where_not` says where it was looked for.
    pub fn add_missing(&mut self, field: impl Into<String>, kind: ResourceKind, name: &str, where_not: &str) {
        let says = Says::kind(kind).text(format!(" {name:?} does not exist{where_not}"));
        let missing = Some(Subject { kind, name: name.to_owned() });
        self.0.push(Finding { field: field.into(), says, missing });
    }

    /// Adds one as it is.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Calls fields otherwise; `None`: as they are called.
    pub fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        for finding in &mut self.0 {
            if let Some(field) = name(&finding.field) {
                finding.field = field;
            }
        }
    }

    /// Adds one unless there is nothing to say.
    pub fn add_some(&mut self, field: impl Into<String>, says: Option<impl Into<Says>>) {
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

    /// The same, to be said otherwise.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.0.iter_mut()
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
