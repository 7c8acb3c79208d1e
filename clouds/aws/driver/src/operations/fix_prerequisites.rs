//! The plan that makes the account's prerequisites good: roles, their policies, and IAM's own slowness waited out.
//! Makes only what is missing, and changes nobody's trust policy.

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pmks_driver::{
    Asked, DriverError, ErrorKind, FixPrerequisites, Look, Marks, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::Tags;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reference::ID;
use super::{Maker, Stage};
use crate::prerequisites::roles::{self, RoleKind, Standing};
use crate::prerequisites::{Candidates, Remedy};
use crate::{AwsDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Role>(), Maker::of::<Policy>(), Maker::of::<Settled>()];

/// How long a role that IAM itself already shows may still be unknown to EKS and EC2. AWS names no time; its own
/// tools wait this long.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>
const UNSETTLED: Duration = Duration::from_secs(15);

/// Looks at every candidate, and answers a plan that makes good what is missing. Four to eight calls.
///
/// # Errors
/// `Precondition` where only a role's owner can help.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &FixPrerequisites) -> Result<Prepared> {
    let (cluster, node) = futures::try_join!(
        Candidates::of(driver, RoleKind::Cluster),
        Candidates::of(driver, RoleKind::Node)
    )?;
    let hopeless: Vec<String> = [&cluster, &node].into_iter().filter_map(Candidates::hopeless).collect();
    if !hopeless.is_empty() {
        let what = hopeless.join("; ");
        let fix = "correct the role, or name another one by ARN in the connection's settings".to_owned();
        return Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what));
    }
    let remedies: Vec<Remedy> = [&cluster, &node].into_iter().filter_map(Candidates::remedy).collect();
    let prepared = Prepared::of(remedies.iter().flat_map(|remedy| stages(remedy, &asked.marks)));
    Ok(if remedies.is_empty() { prepared.notice("nothing is missing") } else { prepared })
}

fn stages(remedy: &Remedy, marks: &Marks) -> Vec<StageSpecification> {
    let role = remedy.role.clone();
    let mut stages = Vec::new();
    if remedy.create {
        let made = Role { kind: remedy.kind, name: role.clone(), tags: marks.onto(&Tags::new()) };
        stages.push(made.specification(format!("role {role}")));
    }
    let first: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    for policy in &remedy.attach {
        let attached = Policy { role: role.clone(), policy: policy.clone() };
        stages.push(attached.specification(format!("policy {policy} of {role}")).after(first.clone()));
    }
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let settled = Settled { kind: remedy.kind, role: role.clone() };
    stages.push(settled.specification(format!("{role} known everywhere")).after(before).expected(UNSETTLED));
    stages
}

/// The role. Its name is unique in the account, so a second ask makes no second one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    kind: RoleKind,
    name: String,
    tags: Tags,
}

#[async_trait]
impl Stage<AwsDriver> for Role {
    const KIND: &'static str = "aws.role";

    /// Whoever made it: if it trusts whom it must, it is the role that was wanted.
    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        Ok(match roles::examine(driver, self.kind, &self.name).await? {
            Standing::Absent => Look::Absent,
            Standing::Fits { .. } | Standing::Lacks { trust: None, .. } => {
                Look::ready(&self.name, &self.name, json!({ID: self.name}))
            }
            Standing::Lacks { trust: Some(why), .. } => {
                let message = format!("the role {} exists, and {why}", self.name);
                Look::failed(
                    &self.name,
                    &self.name,
                    DriverError::new(ErrorKind::AlreadyExists, PROVIDER, message),
                )
            }
            Standing::Unreadable(why) => Look::Unsure(why),
        })
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let trust = self.kind.trust_policy(driver.api.endpoints().partition());
        driver.api.create_role(&self.name, &trust, self.kind.says(), &self.tags).await?;
        Ok(Asked::accepted().with_system_id(&self.name))
    }
}

/// One policy of a role. Attached twice it is attached once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    role: String,
    policy: String,
}

#[async_trait]
impl Stage<AwsDriver> for Policy {
    const KIND: &'static str = "aws.role.policy";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        let arn = roles::policy_arn(driver.api.endpoints().partition(), &self.policy);
        match driver.api.list_attached_role_policies(&self.role).await {
            Ok(attached) if attached.contains(&arn) => Ok(Look::ready("", "", json!({}))),
            Ok(_) => Ok(Look::Absent),
            Err(error) if error.is_not_found() => {
                Ok(Look::Unsure(format!("IAM does not show {} yet", self.role)))
            }
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let arn = roles::policy_arn(driver.api.endpoints().partition(), &self.policy);
        driver.api.attach_role_policy(&self.role, &arn).await?;
        Ok(Asked::accepted())
    }
}

/// Nothing is asked for: IAM shows the role as it must be, and has had time to tell the other services.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settled {
    kind: RoleKind,
    role: String,
}

#[async_trait]
impl Stage<AwsDriver> for Settled {
    const KIND: &'static str = "aws.role.settled";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let standing = roles::examine(driver, self.kind, &self.role).await?;
        let passed = context.now.duration_since(context.started_at);
        let needed = SignedDuration::try_from(UNSETTLED / context.pace.max(1)).unwrap_or_default();
        Ok(match standing {
            Standing::Fits { arn, .. } if passed >= needed => {
                Look::ready(&self.role, "", json!({"arn": arn}))
            }
            Standing::Fits { .. } => {
                Look::pending(&self.role, "", "IAM tells the other services of the role")
            }
            other => Look::pending(&self.role, "", other.says(&self.role)),
        })
    }

    async fn ask(&self, _: &AwsDriver, _: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::Plan;

    use super::*;

    #[test]
    fn a_role_comes_first_then_its_policies_then_patience() {
        let remedy = Remedy {
            kind: RoleKind::Node,
            role: "r".to_owned(),
            create: true,
            attach: vec!["p".to_owned(), "q".to_owned()],
        };
        let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
        let plan = Plan::of(stages(&remedy, &marks));
        assert_eq!(plan.defect(), None);
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["role r", "policy p of r", "policy q of r", "r known everywhere"]);
        assert_eq!(plan.stages[3].after.len(), 3);
        let only_policies = Plan::of(stages(&Remedy { create: false, ..remedy }, &marks));
        assert_eq!((only_policies.defect(), only_policies.stages.len()), (None, 3));
    }
}
