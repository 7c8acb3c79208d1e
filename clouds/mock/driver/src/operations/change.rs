//! The stage that changes labels, version or scaling of a cluster or node group.

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Result, Stage, StageContext, StageSpecification, TagChanges};
use pmks_model::{Scaling, Status, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::target::{Target, gone};
use super::{EXPECTED, asked, follow};
use crate::wire::Thing;
use crate::{MockDriver, convert};

/// Changes a cluster or node group. What is absent stays as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    pub(super) target: Target,
    pub(super) to: To,
}

/// What is to be, as the cloud takes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct To {
    /// What to set, and (with `None`) what to remove. The cloud leaves the others alone.
    #[serde(default, skip_serializing_if = "TagChanges::is_empty")]
    pub(super) labels: TagChanges,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scaling: Option<Scaling>,
}

impl Change {
    /// Its stage.
    pub(super) fn stage(&self, name: impl Into<String>) -> StageSpecification {
        self.specification(name).expected(EXPECTED)
    }

    fn look_at(&self, found: &Thing) -> Look {
        let id = found.name.as_str();
        match convert::status(&found.state) {
            Status::Deleting => Look::failed(id, &found.id, gone(self.target.kind(), id)),
            Status::Active | Status::Failed if self.to.is_there(found) => {
                Look::ready(id, &found.id, Value::Null)
            }
            Status::Active | Status::Failed => Look::Absent,
            _ => Look::pending(id, &found.id, format!("it is {}", found.state)),
        }
    }
}

impl To {
    /// Whether all of it is so. A version is a floor.
    fn is_there(&self, found: &Thing) -> bool {
        let labels = self.labels.are_made(&found.labels);
        let is_reached =
            |floor: &Version| convert::version(&found.version).is_some_and(|now| now.reaches(floor));
        let version = self.version.as_ref().is_none_or(is_reached);
        labels && version && self.scaling.is_none_or(|scaling| found.scaling == Some(scaling))
    }
}

#[async_trait]
impl Stage<MockDriver> for Change {
    const KIND: &'static str = "mock.change";

    async fn look(&self, driver: &MockDriver, _: &StageContext) -> Result<Look> {
        self.target.standing(driver).await.map(|(_, found)| self.look_at(&found))
    }

    async fn ask(&self, driver: &MockDriver, _: &StageContext) -> Result<Asked> {
        let (_, found) = self.target.standing(driver).await?;
        // Plain structs of texts and numbers always serialize.
        let body = serde_json::to_value(&self.to).unwrap_or_default();
        driver.api.update(self.target.kind(), &found.id, &body).await.map(asked)
    }

    async fn poll(&self, driver: &MockDriver, _: &StageContext, handle: &Handle) -> Result<Poll> {
        follow(driver, handle).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_done_when_all_of_it_is_there() {
        let to = |labels: &[(&str, Option<&str>)], version: Option<&str>, scaling| To {
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect(),
            version: version.map(|version| version.parse().unwrap()),
            scaling,
        };
        let found = Thing {
            state: "Active".to_owned(),
            version: "1.33.3".to_owned(),
            labels: [("team".to_owned(), "a".to_owned())].into(),
            scaling: Some(Scaling::fixed(2)),
            ..Thing::default()
        };
        for (to, there) in [
            (to(&[("team", Some("a")), ("gone", None)], Some("1.33"), Some(Scaling::fixed(2))), true),
            (to(&[("team", None)], None, None), false),
            (to(&[], Some("1.34"), None), false),
            (to(&[], None, Some(Scaling::fixed(3))), false),
        ] {
            assert_eq!(to.is_there(&found), there, "{to:?}");
        }
        let change = Change { target: Target::of("prod", ""), to: to(&[], Some("1.34"), None) };
        for (state, expected) in [("Active", "Absent"), ("Updating", "Pending"), ("Deleting", "Failed")] {
            let look = format!("{:?}", change.look_at(&Thing { state: state.to_owned(), ..found.clone() }));
            assert!(look.contains(expected), "{state}: {look}");
        }
    }
}
