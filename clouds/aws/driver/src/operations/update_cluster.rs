//! The plan of other tags or options of a cluster. What is not named stays as it is.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Prepared, Result, StageContext, UpdateCluster};
use pmks_model::Tags;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::add_node_group::{TOKEN, says};
use super::{Maker, Stage, aim};
use crate::wire::eks;
use crate::{AwsDriver, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] =
    &[Maker::of::<SetTags>(), Maker::of::<RemoveTags>(), Maker::of::<ChangeSupportType>()];

/// How long another support type usually takes.
const EXPECTED: Duration = Duration::from_mins(1);

/// Checks and answers the plan.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &UpdateCluster) -> Result<Prepared> {
    let cluster = aim::standing_cluster(driver, &asked.target).await?;
    let (name, incarnation) = (cluster.name.clone(), convert::incarnation(cluster.created_at));
    let (set, gone) = (asked.tags.set(), asked.tags.removed());
    let mut stages = Vec::new();
    if !set.is_empty() {
        let stage = SetTags { cluster: name.clone(), incarnation: incarnation.clone(), tags: set };
        stages.push(stage.specification("tags"));
    }
    if !gone.is_empty() {
        let stage = RemoveTags { cluster: name.clone(), incarnation: incarnation.clone(), keys: gone };
        stages.push(stage.specification("removal of tags"));
    }
    if let Some(support_type) = asked.options.get("supportType").and_then(Value::as_str) {
        let stage = ChangeSupportType { cluster: name, incarnation, support_type: support_type.to_owned() };
        stages.push(stage.specification("support type").identity(TOKEN).expected(EXPECTED));
    }
    Ok(Prepared::of(stages))
}

/// Sets tags of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetTags {
    cluster: String,
    incarnation: String,
    tags: Tags,
}

#[async_trait]
impl Stage<AwsDriver> for SetTags {
    const KIND: &'static str = "aws.cluster.tags";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        Ok(if has_all(&cluster.tags, &self.tags) { done(&cluster) } else { Look::Absent })
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        driver.api.tag_resource(&cluster.arn, &self.tags).await?;
        Ok(Asked::done(Value::Null))
    }
}

/// Removes tags of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveTags {
    cluster: String,
    incarnation: String,
    keys: Vec<String>,
}

#[async_trait]
impl Stage<AwsDriver> for RemoveTags {
    const KIND: &'static str = "aws.cluster.tags.removal";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        Ok(if has_none(&cluster.tags, &self.keys) { done(&cluster) } else { Look::Absent })
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        driver.api.untag_resource(&cluster.arn, &self.keys).await?;
        Ok(Asked::done(Value::Null))
    }
}

/// Chooses what happens at the end of standard support.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeSupportType {
    cluster: String,
    incarnation: String,
    support_type: String,
}

#[async_trait]
impl Stage<AwsDriver> for ChangeSupportType {
    const KIND: &'static str = "aws.cluster.supportType";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        let now = cluster.upgrade_policy.as_ref().map(|policy| policy.support_type.as_str());
        Ok(match cluster.status.as_str() {
            "UPDATING" => {
                let incarnation = convert::incarnation(cluster.created_at);
                Look::pending(&cluster.name, incarnation, says("UPDATING", cluster.health.as_ref()))
            }
            _ if now == Some(&self.support_type) => done(&cluster),
            _ => Look::Absent,
        })
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        standing(driver, &self.cluster, &self.incarnation).await?;
        let body = eks::UpdateClusterConfig {
            upgrade_policy: eks::UpgradePolicy { support_type: self.support_type.clone() },
            client_request_token: context.token.clone(),
        };
        let update = driver.api.update_cluster_config(&self.cluster, &body).await?;
        Ok(aim::handle_of(&update).map_or_else(Asked::accepted, Asked::following))
    }

    async fn poll(&self, driver: &AwsDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, &self.cluster, None, handle).await
    }
}

async fn standing(driver: &AwsDriver, name: &str, incarnation: &str) -> Result<eks::Cluster> {
    aim::cluster(driver, name, incarnation).await?.ok_or_else(|| aim::gone("cluster", name))
}

fn done(cluster: &eks::Cluster) -> Look {
    Look::ready(&cluster.name, convert::incarnation(cluster.created_at), Value::Null)
}

fn has_all(tags: &BTreeMap<String, String>, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}

fn has_none(tags: &BTreeMap<String, String>, keys: &[String]) -> bool {
    keys.iter().all(|key| !tags.contains_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_by_key_and_value() {
        let tags = Tags::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        assert!(has_all(&tags, &Tags::from([("a".to_owned(), "1".to_owned())])));
        assert!(!has_all(&tags, &Tags::from([("a".to_owned(), "2".to_owned())])));
        assert!(has_none(&tags, &["c".to_owned()]));
        assert!(!has_none(&tags, &["c".to_owned(), "b".to_owned()]));
    }
}
