//! The plan of other labels for a network, subnet, security group or key pair. The cloud leaves those alone that are not
//! named.

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Prepared, Result, Stage, StageContext, TagChanges, UpdateTags};
use pmks_model::{ResourceKind, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ground::kind_of;
use super::target::{gone, replaced};
use super::{EXPECTED, asked, follow};
use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, convert};

/// Looks that the very thing is there, and answers the plan.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(crate) async fn prepare(driver: &MockDriver, asked: &UpdateTags) -> Result<Prepared> {
    let (kind, id) = (kind_of(asked.kind), asked.iid.system_id.as_str());
    let found = if asked.kind == ResourceKind::KeyPair {
        // Called by its name, which another one may have by now.
        driver.api.find(kind, "", id).await?.ok_or_else(|| gone(kind, id))?
    } else {
        driver.api.get(kind, id).await?
    };
    if !asked.incarnation.is_empty() && asked.incarnation != found.id {
        return Err(replaced(kind, id));
    }
    let stage = ChangeLabels { kind, id: found.id, labels: asked.tags.clone() };
    Ok(Prepared::of([stage.specification("tags").expected(EXPECTED)]))
}

/// Labels, changed. Identifiers are never given again: the thing is the one that is meant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeLabels {
    kind: Kind,
    id: String,
    labels: TagChanges,
}

impl ChangeLabels {
    fn look_at(&self, found: &Thing) -> Look {
        let id = self.kind.system_id(found);
        match convert::status(&found.state) {
            Status::Deleting => Look::failed(id, &found.id, gone(self.kind, &found.name)),
            Status::Active if self.labels.are_made(&found.labels) => Look::ready(id, &found.id, Value::Null),
            Status::Active | Status::Failed => Look::Absent,
            _ => Look::pending(id, &found.id, format!("it is {}", found.state)),
        }
    }
}

#[async_trait]
impl Stage<MockDriver> for ChangeLabels {
    const KIND: &'static str = "mock.labels";

    async fn look(&self, driver: &MockDriver, _: &StageContext) -> Result<Look> {
        driver.api.get(self.kind, &self.id).await.map(|found| self.look_at(&found))
    }

    async fn ask(&self, driver: &MockDriver, _: &StageContext) -> Result<Asked> {
        driver.api.update(self.kind, &self.id, &json!({"labels": self.labels})).await.map(asked)
    }

    async fn poll(&self, driver: &MockDriver, _: &StageContext, handle: &Handle) -> Result<Poll> {
        follow(driver, handle).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_changed_when_all_of_them_are_so() {
        let labels = [("team", Some("a")), ("gone", None)];
        let labels =
            labels.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).into_iter().collect();
        let change = ChangeLabels { kind: Kind::Network, id: "n-1".to_owned(), labels };
        for (state, standing, expected) in [
            ("Active", &[("team", "a"), ("other", "x")][..], "Ready"),
            ("Active", &[("team", "a"), ("gone", "x")][..], "Absent"),
            ("Active", &[][..], "Absent"),
            ("Updating", &[("team", "a")][..], "Pending"),
            ("Deleting", &[("team", "a")][..], "NotFound"),
        ] {
            let labels =
                standing.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let found = Thing { state: state.to_owned(), labels, ..Thing::default() };
            let look = format!("{:?}", change.look_at(&found));
            assert!(look.contains(expected), "{state} {standing:?}: {look}");
        }
    }
}
