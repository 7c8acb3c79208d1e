//! The plan of another size: limits and size through EKS, never behind its back; then the autoscaling switch, if it
//! was asked for.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, ChangeNodeGroupScaling, Handle, Look, Poll, Prepared, Result, StageContext, refuse_unfit,
};
use pmks_model::{Findings, NodeGroup, Scaling};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::add_node_group::{TOKEN, says, switch_stage};
use super::discovery::DiscoveryTags;
use super::{Maker, Stage, aim};
use crate::capabilities::CAPABILITIES;
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, clusters, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<ChangeScaling>(), Maker::of::<DiscoveryTags>()];

/// How long EKS usually takes to tell the Auto Scaling group.
const EXPECTED: Duration = Duration::from_mins(1);

/// Checks, computes the whole scaling that results, and answers the plan.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
    let cluster = asked.target.cluster.iid.system_id.as_str();
    let group = aim::standing_node_group(driver, &asked.target).await?;
    let seen = observed(driver, cluster, &group).await?;
    refuse_unfit(PROVIDER, [&seen])?;
    let now = seen.scaling.unwrap_or_else(nothing);
    let wanted = CAPABILITIES.auto_scaling.apply(asked.change, now);
    let mut findings = Findings::default();
    wanted.validate("scaling", &mut findings);
    CAPABILITIES.auto_scaling.find_lost_size(asked.change, wanted, &mut findings);
    findings.into_result().map_err(|findings| pmks_driver::DriverError::invalid(PROVIDER, findings))?;
    let name = group.nodegroup_name.as_str();
    let size = ChangeScaling {
        cluster: cluster.to_owned(),
        name: name.to_owned(),
        incarnation: asked.target.incarnation.clone(),
        wanted,
    };
    let size_stage = format!("size of {name}");
    let mut prepared =
        Prepared::of([size.specification(size_stage.as_str()).identity(TOKEN).expected(EXPECTED)])
            .resolved("scaling", words(wanted));
    if asked.change.auto_scaling.is_some() {
        let switch = DiscoveryTags::of_standing(cluster, name, wanted.auto_scaling);
        prepared.plan.stages.push(switch.specification(switch_stage(name)).after([size_stage]));
    }
    if asked.change.auto_scaling == Some(true) && !now.auto_scaling {
        prepared = prepared.notice("the size moves only once the Cluster Autoscaler runs in the cluster");
    }
    if wanted.auto_scaling && asked.change.desired.is_some_and(|desired| desired != now.desired) {
        prepared = prepared.notice(
            "autoscaling is on, so the size within the limits is left to the autoscaler: switch it off to set the size",
        );
    }
    Ok(prepared)
}

/// A node group of which EKS says no size.
fn nothing() -> Scaling {
    Scaling { auto_scaling: false, min: 0, max: 1, desired: 0 }
}

fn words(scaling: Scaling) -> String {
    let Scaling { auto_scaling, min, max, desired } = scaling;
    let switch = if auto_scaling { "on" } else { "off" };
    format!("autoscaling {switch}, from {min} to {max}, {desired} wanted")
}

/// The node group with what its Auto Scaling groups say.
async fn observed(driver: &AwsDriver, cluster: &str, group: &eks::Nodegroup) -> Result<NodeGroup> {
    let names: Vec<String> = group.auto_scaling_groups().map(str::to_owned).collect();
    let groups = clusters::groups_named(driver, &names).await?;
    Ok(convert::node_group(cluster, group, &groups))
}

/// Sets limits and size.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeScaling {
    cluster: String,
    name: String,
    incarnation: String,
    wanted: Scaling,
}

#[async_trait]
impl Stage<AwsDriver> for ChangeScaling {
    const KIND: &'static str = "aws.nodeGroup.scaling";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        let group = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        aim::at_rest(driver, &group, context, look_at(&group, self.wanted)).await
    }

    /// Sends `eks.UpdateNodegroupConfig`. With autoscaling on, the size is sent only to bring it within new limits:
    /// what it is now is read here, since an autoscaler moves it.
    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        let group = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        let now = observed(driver, &self.cluster, &group).await?.scaling.map(|scaling| scaling.desired);
        let body = eks::UpdateNodegroupConfig {
            scaling_config: to_send(self.wanted, now),
            client_request_token: context.token.clone(),
        };
        let update = driver.api.update_nodegroup_config(&self.cluster, &self.name, &body).await?;
        let asked = aim::handle_of(&update).map_or_else(Asked::accepted, Asked::following);
        Ok(asked.with_system_id(self.name.as_str()))
    }

    async fn poll(&self, driver: &AwsDriver, context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_to_rest(driver, &self.cluster, &self.name, context, handle).await
    }
}

fn to_send(wanted: Scaling, now: Option<u32>) -> eks::ScalingConfig {
    eks::ScalingConfig {
        min_size: Some(wanted.min),
        max_size: Some(wanted.max),
        desired_size: wanted.to_send(now),
    }
}

fn look_at(group: &eks::Nodegroup, wanted: Scaling) -> Look {
    let (name, incarnation) = (group.nodegroup_name.as_str(), convert::incarnation(group.created_at));
    let sizes = group.scaling_config.unwrap_or_default();
    let limits = sizes.min_size == Some(wanted.min) && sizes.max_size == Some(wanted.max);
    let size = match (wanted.auto_scaling, sizes.desired_size) {
        (true, Some(desired)) => (wanted.min..=wanted.max).contains(&desired),
        (true, None) => true,
        (false, desired) => desired == Some(wanted.desired),
    };
    match group.status.as_str() {
        "UPDATING" => Look::pending(name, incarnation, says("UPDATING", group.health.as_ref())),
        "DELETING" => Look::failed(name, incarnation, aim::gone("node group", name)),
        _ if limits && size => Look::ready(name, incarnation, Value::Null),
        _ => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaling(auto_scaling: bool, min: u32, max: u32, desired: u32) -> Scaling {
        Scaling { auto_scaling, min, max, desired }
    }

    #[test]
    fn a_size_is_sent_where_it_belongs_to_the_user() {
        let desired = |wanted, now| to_send(wanted, now).desired_size;
        assert_eq!(desired(scaling(false, 1, 5, 3), Some(4)), Some(3));
        assert_eq!(desired(scaling(true, 1, 5, 3), Some(4)), None);
        assert_eq!(desired(scaling(true, 1, 5, 3), Some(9)), Some(5));
        assert_eq!(to_send(scaling(true, 1, 5, 3), Some(4)).max_size, Some(5));
    }

    #[test]
    fn it_is_done_when_limits_and_size_are_there() {
        for (status, sizes, wanted, expected) in [
            ("ACTIVE", (1, 5, 3), scaling(false, 1, 5, 3), "Ready"),
            ("ACTIVE", (1, 5, 2), scaling(false, 1, 5, 3), "Absent"),
            ("ACTIVE", (1, 4, 3), scaling(false, 1, 5, 3), "Absent"),
            ("ACTIVE", (1, 5, 4), scaling(true, 1, 5, 3), "Ready"),
            ("ACTIVE", (1, 5, 6), scaling(true, 1, 5, 3), "Absent"),
            ("UPDATING", (1, 5, 3), scaling(false, 1, 5, 3), "Pending"),
            ("DEGRADED", (1, 5, 3), scaling(false, 1, 5, 3), "Ready"),
            ("DELETING", (1, 5, 3), scaling(false, 1, 5, 3), "Failed"),
        ] {
            let (min, max, desired) = sizes;
            let group = eks::Nodegroup {
                status: status.into(),
                scaling_config: Some(eks::ScalingConfig {
                    min_size: Some(min),
                    max_size: Some(max),
                    desired_size: Some(desired),
                }),
                ..eks::Nodegroup::default()
            };
            let look = format!("{:?}", look_at(&group, wanted));
            assert!(look.contains(expected), "{status} {sizes:?}: {look}");
        }
    }
}
