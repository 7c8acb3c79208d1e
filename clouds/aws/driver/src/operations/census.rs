//! The end of a creation: everything that carries the operation's marks is counted once more.
//! Changes nothing; what is there and should not be is named, so that it costs nobody unseen.

use std::collections::BTreeSet;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Effect, ErrorKind, Look, Marks, Result, StageContext, StageSpecification,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage};
use crate::{AwsDriver, PROVIDER, clusters};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Census>()];

/// The stage that counts the node groups of an operation, after the stages of these names.
pub(super) fn stage(
    cluster: &str,
    marks: &Marks,
    node_groups: impl IntoIterator<Item = String>,
    after: impl IntoIterator<Item = String>,
) -> StageSpecification {
    let census = Census {
        cluster: cluster.to_owned(),
        marks: marks.clone(),
        node_groups: node_groups.into_iter().collect(),
    };
    census.specification("census").after(after).effect(Effect::Read)
}

/// Counts the node groups that carry the marks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Census {
    cluster: String,
    marks: Marks,
    node_groups: BTreeSet<String>,
}

#[async_trait]
impl Stage<AwsDriver> for Census {
    const KIND: &'static str = "aws.census";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let (groups, missed) = clusters::described_node_groups(driver, &self.cluster).await?;
        if let Some(missed) = missed.first() {
            return Ok(Look::Unsure(format!("{} could not be read", missed.what)));
        }
        let marked = groups.iter().filter(|group| self.marks.are_on(&group.tags));
        let counted = marked.map(|group| group.nodegroup_name.clone()).collect();
        Ok(match difference(&self.node_groups, &counted) {
            None => Look::ready(self.cluster.as_str(), "", Value::Null),
            Some(says) => {
                let error = DriverError::new(ErrorKind::Unexpected, PROVIDER, says);
                Look::failed(self.cluster.as_str(), "", error)
            }
        })
    }

    async fn ask(&self, _driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

/// What is missing and what is too many; `None`: all is as it should be.
fn difference(wanted: &BTreeSet<String>, counted: &BTreeSet<String>) -> Option<String> {
    let names = |set: Vec<&String>| set.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let missing = names(wanted.difference(counted).collect());
    let surplus = names(counted.difference(wanted).collect());
    match (missing.is_empty(), surplus.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("of what was made, these node groups are gone already: {missing}")),
        (true, false) => {
            Some(format!("these node groups carry this operation's marks and were not asked for: {surplus}"))
        }
        (false, false) => Some(format!("node groups gone already: {missing}; not asked for: {surplus}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_missing_and_what_is_too_many() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(difference(&set(&["a"]), &set(&["a"])), None);
        assert!(difference(&set(&["a", "b"]), &set(&["a"])).unwrap().contains("gone already: b"));
        assert!(difference(&set(&["a"]), &set(&["a", "c"])).unwrap().contains("not asked for: c"));
        assert!(
            difference(&set(&["a"]), &set(&["c"])).unwrap().contains("gone already: a; not asked for: c")
        );
    }
}
