//! The plan that lets the credential's principal into a cluster: an access entry, then the administrator's policy.

use async_trait::async_trait;
use pmks_driver::{Asked, ClusterTarget, DriverError, ErrorKind, Look, Prepared, Result, StageContext};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::add_node_group::TOKEN;
use super::{Maker, Stage, aim};
use crate::{AwsDriver, PROVIDER, access};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<AccessEntry>(), Maker::of::<AdminPolicy>()];

/// Checks and answers the plan.
///
/// # Errors
/// `Precondition` where the cluster knows its users by a `ConfigMap` alone.
pub(crate) async fn prepare(driver: &AwsDriver, target: &ClusterTarget) -> Result<Prepared> {
    let cluster = aim::standing_cluster(driver, target).await?;
    let mode = cluster.access_config.as_ref().and_then(|access| access.authentication_mode.as_deref());
    if mode == Some("CONFIG_MAP") {
        let what = format!("cluster {} knows its users by the ConfigMap aws-auth alone", cluster.name);
        let fix = "switch its authentication mode to API_AND_CONFIG_MAP, as its administrator".to_owned();
        let kind = ErrorKind::Precondition { what: what.clone(), fix };
        return Err(DriverError::new(kind, PROVIDER, what));
    }
    let principal = access::principal(driver).await?;
    let entry = AccessEntry { cluster: cluster.name.clone(), principal: principal.clone() };
    let policy = AdminPolicy {
        cluster: cluster.name,
        principal: principal.clone(),
        policy: access::admin_policy(driver.api.endpoints().partition()),
    };
    let stages = [
        entry.specification("access entry").identity(TOKEN),
        policy.specification("access policy").after(["access entry"]),
    ];
    Ok(Prepared::of(stages).resolved("principal", principal))
}

/// Makes the access entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessEntry {
    cluster: String,
    principal: String,
}

#[async_trait]
impl Stage<AwsDriver> for AccessEntry {
    const KIND: &'static str = "aws.accessEntry";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.describe_access_entry(&self.cluster, &self.principal).await {
            Ok(entry) => Ok(Look::ready(entry.principal_arn, "", Value::Null)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        driver.api.create_access_entry(&self.cluster, &self.principal, &context.token).await?;
        Ok(Asked::accepted().with_system_id(self.principal.as_str()))
    }
}

/// Makes the principal an administrator of the whole cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdminPolicy {
    cluster: String,
    principal: String,
    policy: String,
}

#[async_trait]
impl Stage<AwsDriver> for AdminPolicy {
    const KIND: &'static str = "aws.accessPolicy";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let policies = driver.api.list_access_policies(&self.cluster, &self.principal).await?;
        let mut all = policies.associated_access_policies.iter();
        let there = all.any(|policy| {
            let everywhere = policy.access_scope.as_ref().is_some_and(|scope| scope.kind == "cluster");
            policy.policy_arn == self.policy && everywhere
        });
        Ok(if there { Look::ready(self.principal.as_str(), "", Value::Null) } else { Look::Absent })
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        driver.api.associate_access_policy(&self.cluster, &self.principal, &self.policy).await?;
        Ok(Asked::accepted().with_system_id(self.principal.as_str()))
    }
}
