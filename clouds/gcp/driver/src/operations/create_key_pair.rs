//! The plan of a key pair: its public half becomes an item of the project's metadata. The private half never comes
//! here.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{Asked, CreateKeyPair, Handle, Look, Marks, Poll, Prepared, Result, StageContext};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::insert::NAME;
use super::{Maker, Stage, aim};
use crate::api::compute::Scope;
use crate::key_pairs::{self, Stored};
use crate::prerequisites::COMPUTE;
use crate::{GcpDriver, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<WriteKeyPair>()];

/// How long a change of the project's metadata usually takes.
const EXPECTED: Duration = Duration::from_secs(10);

/// Checks the name, and answers the plan: one stage. Two calls.
///
/// # Errors
/// `AlreadyExists` for a key pair of that name that this operation did not make.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &CreateKeyPair) -> Result<Prepared> {
    prerequisites::check(driver, &[COMPUTE]).await?;
    let request = &asked.request;
    if key_pairs::is_taken(&driver.api.get_project().await?, &request.name, &asked.marks) {
        return Err(aim::taken("key pair", &request.name));
    }
    let stage = WriteKeyPair {
        name: request.name.clone(),
        public_key: request.public_key.trim().to_owned(),
        marks: asked.marks.clone(),
    };
    let stage =
        stage.specification("key pair").expected(EXPECTED).subject(ResourceKind::KeyPair, &request.name);
    Ok(Prepared::of([stage]))
}

/// Writes the public half. Its name is unique in the project, and the write is refused if somebody else was faster.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WriteKeyPair {
    name: String,
    public_key: String,
    marks: Marks,
}

#[async_trait]
impl Stage<GcpDriver> for WriteKeyPair {
    const KIND: &'static str = "gcp.keyPair";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let project = driver.api.get_project().await?;
        if key_pairs::is_taken(&project, &self.name, &self.marks) {
            return Ok(Look::failed(&self.name, "", aim::taken("key pair", &self.name)));
        }
        Ok(match key_pairs::find(&project, &self.name) {
            None => Look::Absent,
            Some(found) => Look::ready(&self.name, &found.marks.uid, json!({NAME: self.name})),
        })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let project = driver.api.get_project().await?;
        if key_pairs::is_taken(&project, &self.name, &self.marks) {
            return Err(aim::taken("key pair", &self.name));
        }
        let stored = Stored { public_key: self.public_key.clone(), marks: self.marks.clone() };
        let body = key_pairs::replaced(&project, &self.name, Some(&stored));
        let operation = driver.api.set_common_metadata(&body).await?;
        let asked = aim::following_compute(&Scope::global(), &operation).with_system_id(&self.name);
        Ok(asked.with_incarnation(&self.marks.uid))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_compute(driver, handle, Value::Null).await
    }
}
