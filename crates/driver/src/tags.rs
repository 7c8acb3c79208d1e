//! Other tags for what stands: what is to be set, and what is to go. Tags that are not named are somebody else's. Pure.

use std::collections::BTreeMap;

use pmks_model::Tags;
use serde::{Deserialize, Serialize};

/// Tags to set, and (with `None`) to remove. The others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagChanges(pub BTreeMap<String, Option<String>>);

impl TagChanges {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys of all that is named.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// What is to be set.
    pub fn set(&self) -> Tags {
        self.0.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
    }

    /// The keys of what is to go.
    pub fn removed(&self) -> Vec<String> {
        self.0.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key.clone()).collect()
    }

    /// Whether tags are as they are wanted.
    pub fn are_made(&self, standing: &Tags) -> bool {
        self.0.iter().all(|(key, value)| standing.get(key) == value.as_ref())
    }

    /// Tags with the changes.
    pub fn onto(&self, mut standing: Tags) -> Tags {
        standing.retain(|key, _| !self.0.contains_key(key));
        standing.extend(self.set());
        standing
    }
}

impl FromIterator<(String, Option<String>)> for TagChanges {
    fn from_iter<I: IntoIterator<Item = (String, Option<String>)>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(all: &[(&str, &str)]) -> Tags {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_not_named_stays() {
        let changes: TagChanges = [("a", Some("1")), ("b", None)]
            .map(|(key, value)| (key.into(), value.map(Into::into)))
            .into_iter()
            .collect();
        let standing = tags(&[("a", "0"), ("b", "2"), ("c", "3")]);
        assert!(!changes.are_made(&standing));
        let after = changes.onto(standing);
        assert_eq!(after, tags(&[("a", "1"), ("c", "3")]));
        assert!(changes.are_made(&after));
        assert!(!changes.are_made(&tags(&[("a", "1"), ("b", "2")])));
        assert_eq!((changes.set(), changes.removed()), (tags(&[("a", "1")]), vec!["b".to_owned()]));
    }
}
