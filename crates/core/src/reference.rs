//! How a request names something that has a record here: by our name, by the cloud's identifier, or by a text that may
//! be either. One thing may be called as another is known at the cloud: whoever removes says which one is meant.

use uuid::Uuid;

/// What names one thing of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    text: String,
    pub(crate) by: By,
}

/// What the text of a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Our name, else the cloud's identifier.
    Either,
    /// Our name.
    Name,
    /// The cloud's identifier, in whatever case where the cloud knows none and it is nobody else's.
    Identifier,
    /// That record, whatever else is called so by now.
    Record(Uuid),
}

impl Reference {
    /// By our name, and nothing else.
    pub fn name(text: impl Into<String>) -> Self {
        Self { text: text.into(), by: By::Name }
    }

    /// By the cloud's identifier, and nothing else.
    pub fn identifier(text: impl Into<String>) -> Self {
        Self { text: text.into(), by: By::Identifier }
    }

    /// One record, whose name is for words to users.
    pub(crate) fn record(record: &pmks_store::Resource) -> Self {
        Self { text: record.name.clone(), by: By::Record(record.uid) }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Either of the two, our name first.
impl From<String> for Reference {
    fn from(text: String) -> Self {
        Self { text, by: By::Either }
    }
}

impl From<&str> for Reference {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Reference {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Reference> for Reference {
    fn from(reference: &Reference) -> Self {
        reference.clone()
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
