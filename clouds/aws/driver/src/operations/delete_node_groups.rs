//! The end of all that runs in a cluster: node groups and Fargate profiles are listed again until none is left, for
//! one may have been made since the deletion was planned.

use async_trait::async_trait;
use pmks_driver::{Asked, ErrorKind, Handle, Look, Poll, Result, StageContext};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Stage, aim};
use crate::{AwsDriver, clusters, convert};

/// Removes one node group or Fargate profile after the other, until there is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Leftovers {
    pub(super) cluster: String,
    pub(super) incarnation: String,
    /// The Fargate profile that alone is meant; none: all that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
}

/// The next thing that must go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Next {
    NodeGroup(String),
    FargateProfile(String),
}

impl Leftovers {
    /// Node groups first; Fargate lets go of one profile at a time anyway.
    async fn next(&self, driver: &AwsDriver) -> Result<Option<Next>> {
        if let Some(profile) = &self.profile {
            let stands = profile_status(driver, &self.cluster, profile).await?.is_some();
            return Ok(stands.then(|| Next::FargateProfile(profile.clone())));
        }
        let gone_with_cluster = |result: Result<Vec<String>>| match result {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            other => other,
        };
        let groups = gone_with_cluster(clusters::node_group_names(driver, &self.cluster).await)?;
        if let Some(group) = groups.into_iter().next() {
            return Ok(Some(Next::NodeGroup(group)));
        }
        let profiles = match clusters::fargate_profile_names(driver, &self.cluster).await {
            // EKS keeps a cluster that has some, so that none is left behind unseen.
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => Vec::new(),
            listed => gone_with_cluster(listed)?,
        };
        Ok(profiles.into_iter().next().map(Next::FargateProfile))
    }
}

#[async_trait]
impl Stage<AwsDriver> for Leftovers {
    const KIND: &'static str = "aws.cluster.leftovers";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        // Another cluster of that name has node groups of its own, which are not ours to remove.
        if aim::cluster(driver, &self.cluster, &self.incarnation).await?.is_none() {
            return Ok(Look::gone());
        }
        Ok(if self.next(driver).await?.is_none() { Look::gone() } else { Look::Absent })
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        if aim::cluster(driver, &self.cluster, &self.incarnation).await?.is_none() {
            return Ok(Asked::done(Value::Null));
        }
        let Some(next) = self.next(driver).await? else { return Ok(Asked::done(Value::Null)) };
        let asked = match &next {
            Next::NodeGroup(name) => {
                let group = aim::node_group(driver, &self.cluster, name, "").await?;
                match group.map(|group| group.status) {
                    Some(status) if status != "DELETING" => {
                        driver.api.delete_nodegroup(&self.cluster, name).await
                    }
                    _ => Ok(()),
                }
            }
            Next::FargateProfile(name) => match profile_status(driver, &self.cluster, name).await? {
                Some(status) if status != "DELETING" => {
                    driver.api.delete_fargate_profile(&self.cluster, name).await
                }
                _ => Ok(()),
            },
        };
        match asked {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Asked::following(json!(next))),
        }
    }

    async fn poll(&self, driver: &AwsDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        let (what, name, status, health) = match serde_json::from_value(handle.0.clone()) {
            Ok(Next::NodeGroup(name)) => {
                let group = aim::node_group(driver, &self.cluster, &name, "").await?;
                let health = group.as_ref().and_then(|group| group.health.clone());
                ("node group", name, group.map(|group| group.status), health)
            }
            Ok(Next::FargateProfile(name)) => {
                let status = profile_status(driver, &self.cluster, &name).await?;
                ("Fargate profile", name, status, None)
            }
            Err(_) => return Ok(Poll::Lost),
        };
        Ok(match status.as_deref() {
            None => Poll::Again { says: format!("{what} {name} is gone"), after: None },
            Some("DELETE_FAILED") => Poll::Failed(convert::failed_removal(what, &name, health.as_ref())),
            Some(status) => Poll::Pending { says: format!("{what} {name}: {status}"), after: None },
        })
    }
}

async fn profile_status(driver: &AwsDriver, cluster: &str, name: &str) -> Result<Option<String>> {
    match driver.api.describe_fargate_profile(cluster, name).await {
        Ok(profile) => Ok(Some(profile.status)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
