//! The plan of other tags for a network, subnet, security group or key pair. What is not named stays as it is.

use async_trait::async_trait;
use pmks_driver::{Asked, DriverError, Look, Prepared, Result, StageContext, UpdateTags};
use pmks_model::{ResourceKind, Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delete_resource::meant_key_pair;
use super::{Maker, Stage};
use crate::api::ec2::filter;
use crate::{AwsDriver, PROVIDER, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<SetTags>(), Maker::of::<RemoveTags>()];

/// Looks that the resource is there, and answers the plan. One call; two for a key pair.
///
/// # Errors
/// `NotFound`; `Replaced` for another key pair of that name.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &UpdateTags) -> Result<Prepared> {
    let mut resource = Tagged { kind: asked.kind, id: asked.iid.system_id.clone() };
    if asked.kind == ResourceKind::KeyPair {
        // Its name is its identifier for everything but its tags.
        let (name, marks) = (asked.iid.system_id.as_str(), &asked.marks);
        let found = meant_key_pair(driver, name, &asked.incarnation, marks).await?;
        resource.id = found.ok_or_else(|| networks::missing(ResourceKind::KeyPair, name))?.key_pair_id;
    }
    resource.tags(driver).await?;
    let mut stages = Vec::new();
    let (tags, keys) = (asked.tags.set(), asked.tags.removed());
    if !tags.is_empty() {
        stages.push(SetTags { resource: resource.clone(), tags }.specification("tags"));
    }
    if !keys.is_empty() {
        stages.push(RemoveTags { resource, keys }.specification("removal of tags"));
    }
    Ok(Prepared::of(stages))
}

/// What has tags, by EC2's identifier of it, which is never given again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tagged {
    kind: ResourceKind,
    id: String,
}

impl Tagged {
    /// The tags that it has. One call.
    ///
    /// # Errors
    /// `NotFound`.
    async fn tags(&self, driver: &AwsDriver) -> Result<Tags> {
        let (api, id) = (&driver.api, self.id.as_str());
        let found = match self.kind {
            ResourceKind::Network => {
                let found = api.describe_vpcs(&[filter("vpc-id", id)]).await?;
                found.into_iter().find(|vpc| vpc.vpc_id == id).map(|vpc| vpc.tag_set)
            }
            ResourceKind::Subnet => {
                let found = api.describe_subnets(&[filter("subnet-id", id)]).await?;
                found.into_iter().find(|subnet| subnet.subnet_id == id).map(|subnet| subnet.tag_set)
            }
            ResourceKind::SecurityGroup => {
                let found = api.describe_security_groups(&[filter("group-id", id)]).await?;
                found.into_iter().find(|group| group.group_id == id).map(|group| group.tag_set)
            }
            ResourceKind::KeyPair => {
                let found = api.describe_key_pairs(&[filter("key-pair-id", id)]).await?;
                found.into_iter().find(|pair| pair.key_pair_id == id).map(|pair| pair.tag_set)
            }
            ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => {
                let what = "tags of such a resource by this operation";
                return Err(DriverError::unsupported(PROVIDER, what));
            }
        };
        Ok(found.ok_or_else(|| networks::missing(self.kind, id))?.to_tags())
    }

    fn look(&self, is_wanted: bool) -> Look {
        if is_wanted { Look::ready(&self.id, &self.id, Value::Null) } else { Look::Absent }
    }
}

/// Sets tags.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetTags {
    resource: Tagged,
    tags: Tags,
}

#[async_trait]
impl Stage<AwsDriver> for SetTags {
    const KIND: &'static str = "aws.tags";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        let standing = self.resource.tags(driver).await?;
        Ok(self.resource.look(self.tags.iter().all(|(key, value)| standing.get(key) == Some(value))))
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        driver.api.give_tags(&self.resource.id, &self.tags).await?;
        Ok(Asked::accepted())
    }
}

/// Takes tags off.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveTags {
    resource: Tagged,
    keys: Vec<String>,
}

#[async_trait]
impl Stage<AwsDriver> for RemoveTags {
    const KIND: &'static str = "aws.tags.removal";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        let standing = self.resource.tags(driver).await?;
        Ok(self.resource.look(self.keys.iter().all(|key| !standing.contains_key(key))))
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        driver.api.take_tags(&self.resource.id, &self.keys).await?;
        Ok(Asked::accepted())
    }
}
