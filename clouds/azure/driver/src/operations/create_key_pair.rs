//! The plan of a key pair: Azure is given the public half. The private half never comes here.
//!
//! Source: <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/create>

use async_trait::async_trait;
use pmks_driver::{Asked, CreateKeyPair, Effect, Look, Marks, Prepared, Result, StageContext};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim, tags};
use crate::arm_id::{ArmId, COMPUTE};
use crate::capabilities::CAPABILITIES;
use crate::{AzureDriver, incarnations, networks, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeKeyPair>()];

/// Checks the name, and answers the plan: one stage. Three calls.
///
/// # Errors
/// `PrerequisiteMissing` without the resource group; `AlreadyExists` for a stranger's key of that name.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &CreateKeyPair) -> Result<Prepared> {
    prerequisites::require(driver, &[COMPUTE]).await?;
    let request = &asked.request;
    tags::refuse_same(&request.tags)?;
    let body = json!({
        "location": driver.region(),
        "tags": asked.marks.onto(&request.tags),
        "properties": {"publicKey": request.public_key.trim()},
    });
    let id = driver.own_id(COMPUTE, "sshPublicKeys", &request.name);
    let standing = driver.api.ssh_public_key(&id).await.map(|found| found.tags);
    aim::refuse_strangers(standing, &asked.marks, "key pair", id.name())?;
    let stage = MakeKeyPair { id, body, marks: asked.marks.clone() };
    let stage = stage
        .specification("key pair")
        .effect(Effect::Creates)
        .visible_after(CAPABILITIES.visible_after)
        .subject(ResourceKind::KeyPair, request.name.as_str());
    Ok(Prepared::of([stage]))
}

/// Gives the public half to Azure, by a call that knows no condition and replaces what stands. That nothing of that name
/// stands is what the read says that comes right before the request; what somebody puts there between the two is replaced.
/// Whose it is the marks tell, which go with the key in this one request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeKeyPair {
    id: ArmId,
    body: Value,
    marks: Marks,
}

#[async_trait]
impl Stage<AzureDriver> for MakeKeyPair {
    const KIND: &'static str = "azure.keyPair";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let id = self.id.to_string();
        match driver.api.ssh_public_key(&self.id).await {
            Ok(found) if networks::is_ours(&found.tags, &self.marks) => {
                Ok(aim::made(&self.id, &incarnations::key_pair(&found), "", "key pair"))
            }
            Ok(_) => Ok(Look::failed(id.as_str(), &id, aim::taken("key pair", self.id.name()))),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        // A step is written down between the look and this: what a stranger has put there since stays.
        match driver.api.ssh_public_key(&self.id).await {
            Ok(found) if !networks::is_ours(&found.tags, &self.marks) => {
                return Err(aim::taken("key pair", self.id.name()));
            }
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        let accepted = driver.api.create_ssh_public_key(&self.id, &self.body).await?;
        Ok(aim::asked(accepted, &self.id).with_incarnation(self.id.to_string()))
    }
}
