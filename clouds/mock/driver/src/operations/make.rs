//! The stage that makes a thing, of whatever kind. Its name is one in its region, or in the whole that it is a part of;
//! ours is told from a stranger's by our marks among its labels.

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Effect, ErrorKind, Handle, Identity, Look, Marks, Poll, Result, Stage, StageContext,
    StageSpecification,
};
use pmks_model::{Status, Tags};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::target::{Target, replaced, taken};
use super::{EXPECTED, ID, UNSEEN, asked, asked_to_go, follow};
use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, PROVIDER, convert, errors};

/// Makes a thing. Outputs: `{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Make {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The identifier of what it is a part of; empty where that is nothing, or what an earlier stage makes.
    pub(super) parent: String,
    /// The stage that makes what it is a part of.
    pub(super) made_by: Option<String>,
    /// The name of the cluster that it is a part of.
    pub(super) cluster: String,
    /// What is asked of it.
    pub(super) body: Map<String, Value>,
    /// The user's tags.
    pub(super) tags: Tags,
    pub(super) marks: Marks,
}

impl Make {
    /// Something that is a part of nothing.
    pub(super) fn new(kind: Kind, name: &str, body: Value, tags: &Tags, marks: &Marks) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            parent: String::new(),
            made_by: None,
            cluster: String::new(),
            body: if let Value::Object(body) = body { body } else { Map::new() },
            tags: tags.clone(),
            marks: marks.clone(),
        }
    }

    /// A part of what has that identifier.
    pub(super) fn within(self, parent: &str) -> Self {
        Self { parent: parent.to_owned(), ..self }
    }

    /// A part of what that stage makes.
    pub(super) fn within_what(self, stage: &str) -> Self {
        Self { made_by: Some(stage.to_owned()), ..self }
    }

    /// A node group of the cluster of that name.
    pub(super) fn of_cluster(self, name: &str) -> Self {
        Self { cluster: name.to_owned(), ..self }
    }

    /// Its stage.
    pub(super) fn stage(&self, name: impl Into<String>) -> StageSpecification {
        self.specification(name)
            .after(self.made_by.iter().cloned())
            .effect(Effect::Creates)
            .identity(Identity::UniqueName)
            .visible_after(UNSEEN)
            .expected(EXPECTED)
            .subject(self.kind.names().resource, &self.name)
    }

    fn parent<'a>(&'a self, context: &'a StageContext) -> &'a str {
        let made = self.made_by.as_ref().and_then(|stage| context.outputs.text(stage, ID));
        made.unwrap_or(&self.parent)
    }

    /// What stands there under its name.
    async fn find(&self, driver: &MockDriver, context: &StageContext) -> Result<Option<Thing>> {
        let parent = self.parent(context);
        if self.kind != Kind::NodeGroup {
            return driver.api.find(self.kind, parent, &self.name).await;
        }
        // The cluster tells of its node groups, and of itself whether it is the one that is meant.
        let (cluster, _) = Target::of(&self.cluster, parent).standing(driver).await?;
        Ok(cluster.node_groups.into_iter().find(|group| group.name == self.name))
    }

    fn look_at(&self, found: &Thing) -> Look {
        let id = self.kind.system_id(found);
        if !self.marks.are_on(&found.labels) {
            return Look::failed(id, &found.id, taken(self.kind, &self.name));
        }
        match convert::status(&found.state) {
            Status::Active => Look::ready(id, &found.id, json!({ID: found.id})),
            Status::Failed => {
                let said =
                    crate::wire::Said { code: "OutOfCapacity".to_owned(), message: found.reason.clone() };
                Look::failed(id, &found.id, errors::of_operation(self.kind.names().word, &said))
            }
            _ => Look::pending(id, &found.id, format!("it is {}", found.state)),
        }
    }
}

#[async_trait]
impl Stage<MockDriver> for Make {
    const KIND: &'static str = "mock.make";

    async fn look(&self, driver: &MockDriver, context: &StageContext) -> Result<Look> {
        let found = self.find(driver, context).await?;
        Ok(found.map_or(Look::Absent, |found| self.look_at(&found)))
    }

    async fn ask(&self, driver: &MockDriver, context: &StageContext) -> Result<Asked> {
        let mut body = self.body.clone();
        body.insert("name".to_owned(), json!(self.name));
        body.insert("parent".to_owned(), json!(self.parent(context)));
        body.insert("labels".to_owned(), json!(self.marks.onto(&self.tags)));
        let operation = driver.api.create(self.kind, &Value::Object(body)).await?;
        let made = Thing { id: operation.target.clone(), name: self.name.clone(), ..Thing::default() };
        let asked = asked(operation).with_system_id(self.kind.system_id(&made));
        Ok(asked.with_incarnation(&made.id))
    }

    async fn poll(&self, driver: &MockDriver, _: &StageContext, handle: &Handle) -> Result<Poll> {
        follow(driver, handle).await
    }

    async fn remove_failed(&self, driver: &MockDriver, context: &StageContext) -> Result<Asked> {
        let Some(found) = self.find(driver, context).await? else { return Ok(Asked::accepted()) };
        let is_other = |known: &String| !known.is_empty() && *known != found.id;
        if !self.marks.are_on(&found.labels) {
            return Err(taken(self.kind, &self.name));
        }
        if context.incarnation.as_ref().is_some_and(is_other) {
            return Err(replaced(self.kind, &self.name));
        }
        match convert::status(&found.state) {
            Status::Failed => {
                asked_to_go(driver.api.delete(self.kind, &found.id).await).map(|_| Asked::accepted())
            }
            Status::Deleting => Ok(Asked::accepted()),
            _ => {
                let says = format!("the {} had failed, and has no longer", self.kind.names().word);
                Err(DriverError::new(ErrorKind::Stale, PROVIDER, says))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_what_its_marks_and_its_state_say() {
        let marks = |operation: &str| Marks {
            installation: "i".to_owned(),
            operation: operation.to_owned(),
            uid: "u".to_owned(),
        };
        let make = Make::new(Kind::Network, "net", json!({}), &Tags::new(), &marks("o"));
        for (state, operation, expected) in [
            ("Active", "o", "Ready"),
            ("Creating", "o", "Pending"),
            ("Deleting", "o", "Pending"),
            ("Failed", "o", "QuotaExceeded"),
            ("Active", "another", "AlreadyExists"),
        ] {
            let labels = marks(operation).onto(&Tags::new());
            let thing = Thing { state: state.to_owned(), labels, ..Thing::default() };
            let look = format!("{:?}", make.look_at(&thing));
            assert!(look.contains(expected), "{state} {operation}: {look}");
        }
    }
}
