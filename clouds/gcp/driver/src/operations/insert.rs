//! Making one thing of Compute Engine: a network, a subnetwork, a firewall rule. Each is asked for with an identifier of
//! the request, by which Compute Engine knows the same request again, and its name is unique as well.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1/networks/insert>, `requestId`

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest;
use pmks_driver::{
    Asked, Effect, Handle, Identity, Look, Marks, Poll, Result, StageContext, StageSpecification,
};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Maker, Stage, aim};
use crate::api::compute::{Kind, Scope};
use crate::{GcpDriver, convert, marks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Insert>()];

/// The key under which every stage that makes something leaves its name.
pub(super) const NAME: &str = "name";
/// How long Compute Engine remembers the identifier of a request: it does not say. Others of Google's services say an
/// hour at least, and the name is unique as well, so nothing hangs on it.
const REQUEST_ID: Identity = Identity::Token { lifetime_seconds: 3600 };
/// How long something that was accepted may be out of sight.
const UNSEEN: Duration = Duration::from_mins(1);

/// One thing of Compute Engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Insert {
    pub(super) what: Kind,
    pub(super) scope: Scope,
    pub(super) name: String,
    pub(super) body: Value,
    pub(super) marks: Marks,
}

impl Insert {
    /// Its stage.
    pub(super) fn stage(&self, name: &str, expected: Duration) -> StageSpecification {
        let stage = self.specification(name).effect(Effect::Idempotent).identity(REQUEST_ID);
        stage.visible_after(UNSEEN).expected(expected)
    }

    /// Its stage, which makes a resource of ours.
    pub(super) fn stage_of(&self, name: &str, expected: Duration, kind: ResourceKind) -> StageSpecification {
        self.stage(name, expected).subject(kind, &self.name)
    }

    fn outputs(&self) -> Value {
        json!({NAME: self.name})
    }
}

#[async_trait]
impl Stage<GcpDriver> for Insert {
    const KIND: &'static str = "gcp.insert";

    /// Ours only if it carries our marks; something of that name without them is a stranger's.
    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let found: Value = match driver.api.get(self.what, &self.scope, &self.name).await {
            Err(error) if error.is_not_found() => return Ok(Look::Absent),
            found => found?,
        };
        let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default();
        if marks::are_in(&self.marks, text("description")) {
            return Ok(Look::ready(&self.name, convert::number(text("id")), self.outputs()));
        }
        let error = aim::taken(self.what.collection().trim_end_matches('s'), &self.name);
        Ok(Look::failed(&self.name, text("id"), error))
    }

    async fn ask(&self, driver: &GcpDriver, context: &StageContext) -> Result<Asked> {
        let id = request_id(&context.token);
        let operation = driver.api.insert(self.what, &self.scope, &self.body, id).await?;
        let asked = aim::following_compute(&self.scope, &operation).with_system_id(&self.name);
        Ok(asked.with_incarnation(convert::number(&operation.target_id)))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_compute(driver, handle, self.outputs()).await
    }
}

/// The same UUID for the same token, of the kind that is made of chance.
pub(super) fn request_id(token: &str) -> Uuid {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, from)| *byte = *from);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_token_is_the_same_request() {
        let id = request_id("operation-network-1-1");
        assert_eq!(id, request_id("operation-network-1-1"));
        assert_ne!(id, request_id("operation-network-1-2"));
        assert_eq!(id.get_version_num(), 4);
        assert!(!id.is_nil());
    }
}
