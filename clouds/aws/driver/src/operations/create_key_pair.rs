//! The plan of a key pair: EC2 is given the public half. The private half never comes here.

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pmks_driver::{Asked, CreateKeyPair, Look, Marks, Prepared, Result, StageContext};
use pmks_model::{ResourceKind, Tags};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reference::{self, ID};
use super::{Maker, Stage};
use crate::api::ec2::filter;
use crate::wire::ec2 as wire;
use crate::{AwsDriver, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<KeyPair>()];

/// Checks the name, and answers the plan: one stage. One call.
///
/// # Errors
/// `AlreadyExists` for a stranger's key pair of that name.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &CreateKeyPair) -> Result<Prepared> {
    let request = &asked.request;
    let standing = of_name(driver, &request.name).await?;
    if let Some(found) = standing.filter(|found| !networks::is_ours(&found.tag_set, &asked.marks)) {
        return Err(reference::taken(&found.key_pair_id, "the key pair", &request.name));
    }
    let key_pair = KeyPair {
        name: request.name.clone(),
        public_key: request.public_key.trim().to_owned(),
        tags: networks::tags_of(&request.name, &request.tags, &asked.marks),
        marks: asked.marks.clone(),
    };
    Ok(Prepared::of([key_pair.specification("key pair").subject(ResourceKind::KeyPair, &request.name)]))
}

/// The key pair of that name, whoever made it.
async fn of_name(driver: &AwsDriver, name: &str) -> Result<Option<wire::KeyPair>> {
    let found = driver.api.describe_key_pairs(&[filter("key-name", name)]).await?;
    Ok(found.into_iter().find(|found| found.key_name == name))
}

/// The public half. Its name is unique in the region, so a second ask makes no second one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyPair {
    name: String,
    public_key: String,
    tags: Tags,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for KeyPair {
    const KIND: &'static str = "aws.keyPair";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        Ok(match of_name(driver, &self.name).await? {
            None => Look::Absent,
            Some(found) if networks::is_ours(&found.tag_set, &self.marks) => {
                Look::ready(&self.name, &found.key_pair_id, json!({ID: self.name}))
            }
            Some(found) => reference::stranger(&found.key_pair_id, "the key pair", &self.name),
        })
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let material = BASE64_STANDARD.encode(&self.public_key);
        let made = driver.api.import_key_pair(&self.name, &material, &self.tags).await?;
        Ok(Asked::accepted().with_system_id(&self.name).with_incarnation(made.key_pair_id))
    }
}
