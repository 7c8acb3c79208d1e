//! The stage that removes a thing. Gone is success; what stands in its place is left alone.

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Result, Stage, StageContext, StageSpecification};
use pmks_model::Status;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::target::Target;
use super::{EXPECTED, asked_to_go, follow};
use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, convert};

/// Removes a thing, with what goes with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Remove {
    /// What is known by a name, and told from a later one of that name by its incarnation.
    Named(Target),
    /// What is known by an identifier that is never given again; empty where nothing stood.
    Known(Kind, String),
}

impl Remove {
    /// Its stage.
    pub(super) fn stage(&self, name: impl Into<String>) -> StageSpecification {
        self.specification(name).expected(EXPECTED)
    }

    async fn find(&self, driver: &MockDriver) -> Result<Option<Thing>> {
        match self {
            Self::Named(target) => Ok(target.find(driver).await?.map(|(_, found)| found)),
            Self::Known(_, id) if id.is_empty() => Ok(None),
            Self::Known(kind, id) => match driver.api.get(*kind, id).await {
                Err(error) if error.is_not_found() => Ok(None),
                found => found.map(Some),
            },
        }
    }
}

#[async_trait]
impl Stage<MockDriver> for Remove {
    const KIND: &'static str = "mock.remove";

    async fn look(&self, driver: &MockDriver, _: &StageContext) -> Result<Look> {
        Ok(match self.find(driver).await? {
            None => Look::gone(),
            Some(found) if convert::status(&found.state) == Status::Deleting => {
                Look::pending(found.name, found.id, "it is being deleted")
            }
            Some(_) => Look::Absent,
        })
    }

    async fn ask(&self, driver: &MockDriver, _: &StageContext) -> Result<Asked> {
        let Some(found) = self.find(driver).await? else { return Ok(Asked::done(Value::Null)) };
        let kind = match self {
            Self::Named(target) => target.kind(),
            Self::Known(kind, _) => *kind,
        };
        asked_to_go(driver.api.delete(kind, &found.id).await)
    }

    async fn poll(&self, driver: &MockDriver, _: &StageContext, handle: &Handle) -> Result<Poll> {
        follow(driver, handle).await
    }
}
