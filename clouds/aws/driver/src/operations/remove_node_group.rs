//! The plan of a node group's end, and of the launch template's that was made with it. Gone is success; another one of
//! that name is left alone.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{Asked, Look, Prepared, RemoveNodeGroup, Result, StageContext, StageSpecification};
use pmks_model::{Child, ResourceKind};
use serde::{Deserialize, Serialize};

use super::{Maker, Stage, aim, launch_template};
use crate::wire::eks;
use crate::{AwsDriver, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RemoveGroup>()];

/// How long the end of a node group usually takes: its nodes are drained.
pub(super) const EXPECTED: Duration = Duration::from_mins(5);

/// Checks and answers the plan.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &RemoveNodeGroup) -> Result<Prepared> {
    let (cluster, name) = (asked.target.cluster.iid.system_id.as_str(), asked.target.iid.system_id.as_str());
    let standing = aim::node_group(driver, cluster, name, &asked.target.incarnation).await?;
    let removal = stage(cluster, name, &asked.target.incarnation);
    let templates: Vec<Child> = match &standing {
        Some(group) => {
            launch_template::of_node_group(driver, group, &asked.marks).await?.into_iter().collect()
        }
        // A removal that failed after the node group's end has left it.
        None => launch_template::of_gone_node_group(driver, cluster, name, &asked.marks).await?,
    };
    // EKS calls a node group ill whose template is gone.
    let stages = templates.iter().map(|one| launch_template::removal(one).after([removal.name.clone()]));
    let mut prepared = Prepared::of([removal.clone()].into_iter().chain(stages));
    prepared.children.found = templates;
    Ok(prepared)
}

/// The stage that removes a node group.
pub(super) fn stage(cluster: &str, name: &str, incarnation: &str) -> StageSpecification {
    let stage = RemoveGroup {
        cluster: cluster.to_owned(),
        name: name.to_owned(),
        incarnation: incarnation.to_owned(),
    };
    stage
        .specification(format!("removal of node group {name}"))
        .expected(EXPECTED)
        .subject(ResourceKind::NodeGroup, name)
}

/// Removes a node group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveGroup {
    cluster: String,
    name: String,
    incarnation: String,
}

#[async_trait]
impl Stage<AwsDriver> for RemoveGroup {
    const KIND: &'static str = "aws.nodeGroup.removal";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        Ok(found.map_or_else(Look::gone, |group| look_at(&group, context)))
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        if aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?.is_none() {
            return Ok(Asked::done(serde_json::Value::Null));
        }
        match driver.api.delete_nodegroup(&self.cluster, &self.name).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(serde_json::Value::Null)),
            answer => answer.map(|()| Asked::accepted().with_system_id(self.name.as_str())),
        }
    }
}

/// What failed to go before this attempt is asked for again; what fails in it has failed.
fn look_at(group: &eks::Nodegroup, context: &StageContext) -> Look {
    let (name, incarnation) = (group.nodegroup_name.as_str(), convert::incarnation(group.created_at));
    match group.status.as_str() {
        "DELETING" => {
            Look::pending(name, incarnation, super::add_node_group::says("DELETING", group.health.as_ref()))
        }
        "DELETE_FAILED" if context.system_id.is_some() => {
            let error = convert::failed_removal("node group", name, group.health.as_ref());
            Look::failed(name, incarnation, error)
        }
        _ => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::tests::context;

    #[test]
    fn what_stands_is_asked_for_and_what_goes_is_waited_for() {
        let asked = StageContext { system_id: Some("g".into()), ..context() };
        for (status, context, expected) in [
            ("ACTIVE", context(), "Absent"),
            ("CREATE_FAILED", context(), "Absent"),
            ("DELETE_FAILED", context(), "Absent"),
            ("DELETING", context(), "Pending"),
            ("DELETE_FAILED", asked, "Failed"),
        ] {
            let group = eks::Nodegroup {
                nodegroup_name: "g".into(),
                status: status.into(),
                ..eks::Nodegroup::default()
            };
            let look = format!("{:?}", look_at(&group, &context));
            assert!(look.contains(expected), "{status}: {look}");
        }
    }
}
