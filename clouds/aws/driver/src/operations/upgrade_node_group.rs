//! The plan of a node group's higher version: EKS replaces its nodes one after the other. Versions are floors.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification,
    UpgradeNodeGroup, refuse_downgrade, refuse_unfit,
};
use pmks_model::{Version, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::add_node_group::{TOKEN, says};
use super::{Maker, Stage, aim};
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RaiseNodeGroup>()];

/// How long the replacement of a group's nodes usually takes.
const EXPECTED: Duration = Duration::from_mins(10);

/// Checks and answers the plan; an empty one where the version is reached already.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &UpgradeNodeGroup) -> Result<Prepared> {
    let cluster = aim::standing_cluster(driver, &asked.target.cluster).await?;
    let group = aim::standing_node_group(driver, &asked.target).await?;
    let of_cluster = version_of(cluster.version.as_deref(), "cluster", &cluster.name)?;
    // EKS says no version of nodes with an image of their own.
    refuse_custom_image(&group)?;
    let now = version_of(group.version.as_deref(), "node group", &group.nodegroup_name)?;
    refuse_downgrade(PROVIDER, &asked.version, &now, &format!("node group {:?}", group.nodegroup_name))?;
    let target = match &asked.version {
        VersionRequest::Default => of_cluster.clone(),
        // EKS keeps the patch to itself.
        VersionRequest::Given(version) if *version != version.truncated() => {
            return Err(of_cluster_alone(&of_cluster));
        }
        VersionRequest::Given(version) => version.clone(),
    };
    if !of_cluster.reaches(&target) {
        let says =
            format!("nodes never run ahead of their cluster, which is at {of_cluster}: upgrade the cluster");
        return Err(aim::refused("version", says));
    }
    let name = group.nodegroup_name.as_str();
    if now.reaches(&target) {
        return Ok(Prepared::default().notice(format!("node group {name} is at {now} already")));
    }
    refuse_unfit(PROVIDER, [&convert::node_group(&cluster.name, &group, &BTreeMap::new())])?;
    // EKS knows the cluster's version alone as a target of managed node groups.
    if !target.reaches(&of_cluster) {
        return Err(of_cluster_alone(&of_cluster));
    }
    let stage = stage(&cluster.name, &group, &of_cluster, asked.force);
    Ok(Prepared::of([stage]).resolved("version", of_cluster.to_string()))
}

fn of_cluster_alone(of_cluster: &Version) -> DriverError {
    let says = format!("EKS raises node groups to the cluster's own version ({of_cluster}) alone");
    aim::refused("version", says)
}

/// The version that EKS says, which must be one.
pub(super) fn version_of(text: Option<&str>, what: &str, name: &str) -> Result<Version> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let message = format!("EKS does not say which version {what} {name:?} has");
        DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
    })
}

/// Nodes of an image of the user's own change their version by their launch template.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html>, `version`
pub(super) fn refuse_custom_image(group: &eks::Nodegroup) -> Result<()> {
    if !has_custom_image(group) {
        return Ok(());
    }
    let name = &group.nodegroup_name;
    let kind = ErrorKind::Precondition {
        what: format!(
            "node group {name} runs an image of its launch template, whose version EKS does not choose"
        ),
        fix: "add a node group with a newer image, and remove this one".to_owned(),
    };
    Err(DriverError::new(kind, PROVIDER, format!("node group {name} cannot be upgraded by its version")))
}

/// Whether a node group's nodes have an image that EKS did not choose.
pub(super) fn has_custom_image(group: &eks::Nodegroup) -> bool {
    group.ami_type.as_deref() == Some("CUSTOM")
}

/// The stage that raises a node group.
pub(super) fn stage(cluster: &str, group: &eks::Nodegroup, to: &Version, force: bool) -> StageSpecification {
    let name = group.nodegroup_name.as_str();
    let stage = RaiseNodeGroup {
        cluster: cluster.to_owned(),
        name: name.to_owned(),
        incarnation: convert::incarnation(group.created_at),
        version: to.truncated(),
        force,
    };
    // Half of the nodes old and half of them new would be worse than either: it is followed to its end.
    stage
        .specification(format!("node group {name} to {to}"))
        .identity(TOKEN)
        .expected(EXPECTED)
        .finish_when_cancelled()
}

/// Raises a node group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RaiseNodeGroup {
    cluster: String,
    name: String,
    incarnation: String,
    version: Version,
    force: bool,
}

#[async_trait]
impl Stage<AwsDriver> for RaiseNodeGroup {
    const KIND: &'static str = "aws.nodeGroup.version";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        let group = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        aim::at_rest(driver, &group, context, look_at(&group, &self.version)).await
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        if found.is_none() {
            return Err(aim::gone("node group", &self.name));
        }
        let body = eks::UpdateVersion {
            version: Some(self.version.to_string()),
            force: self.force,
            client_request_token: context.token.clone(),
        };
        let update = driver.api.update_nodegroup_version(&self.cluster, &self.name, &body).await?;
        let asked = aim::handle_of(&update).map_or_else(Asked::accepted, Asked::following);
        Ok(asked.with_system_id(self.name.as_str()))
    }

    async fn poll(&self, driver: &AwsDriver, context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_to_rest(driver, &self.cluster, &self.name, context, handle).await
    }
}

fn look_at(group: &eks::Nodegroup, floor: &Version) -> Look {
    let (name, incarnation) = (group.nodegroup_name.as_str(), convert::incarnation(group.created_at));
    let version = group.version.as_deref().and_then(|text| text.parse::<Version>().ok());
    match group.status.as_str() {
        "UPDATING" | "CREATING" => {
            Look::pending(name, incarnation, says(&group.status, group.health.as_ref()))
        }
        "DELETING" => Look::failed(name, incarnation, aim::gone("node group", name)),
        _ if version.is_some_and(|version| version.reaches(floor)) => {
            Look::ready(name, incarnation, Value::Null)
        }
        _ => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_floor() {
        for (status, version, expected) in [
            ("ACTIVE", Some("1.32"), "Absent"),
            ("ACTIVE", Some("1.33"), "Ready"),
            ("ACTIVE", Some("1.34"), "Ready"),
            ("ACTIVE", None, "Absent"),
            ("DEGRADED", Some("1.33"), "Ready"),
            ("UPDATING", Some("1.33"), "Pending"),
            ("DELETING", Some("1.33"), "Failed"),
        ] {
            let group = eks::Nodegroup {
                status: status.into(),
                version: version.map(str::to_owned),
                ..eks::Nodegroup::default()
            };
            let look = format!("{:?}", look_at(&group, &Version::of_minor(1, 33)));
            assert!(look.contains(expected), "{status} {version:?}: {look}");
        }
    }

    #[test]
    fn an_own_image_has_its_version_from_its_template() {
        let group = eks::Nodegroup { ami_type: Some("CUSTOM".into()), ..eks::Nodegroup::default() };
        assert!(matches!(refuse_custom_image(&group).unwrap_err().kind(), ErrorKind::Precondition { .. }));
        assert!(refuse_custom_image(&eks::Nodegroup::default()).is_ok());
    }
}
