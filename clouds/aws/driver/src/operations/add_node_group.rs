//! The plan of a node group: the launch template, where its image is an AMI; the group; then the switch by which the
//! Cluster Autoscaler finds it.
//! A cluster's creation has the same stages, one group beside the other.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    AddNodeGroup, Asked, DriverError, ErrorKind, Identity, Look, Marks, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::{Iid, NodeGroupRequest, ResourceKind, Scaling, Tags};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::discovery::DiscoveryTags;
use super::failed::{self, Removal, Standing};
use super::node_group_choice::{Choice, GroupSettings, choose};
use super::reference::Reference;
use super::{Maker, Stage, aim, census, launch_template, way_out};
use crate::wire::ec2::Subnet;
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, convert, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<CreateNodeGroup>()];

/// How long EKS remembers a client token: it does not say. The name is unique as well, so nothing hangs on it.
pub(super) const TOKEN: Identity = Identity::Token { lifetime_seconds: 24 * 60 * 60 };
/// How long a new node group usually takes.
const EXPECTED: Duration = Duration::from_mins(3);
/// EKS gives nodes that do not come some 25 minutes, and then says why: that is worth more than our own patience.
///
/// Seen in <https://github.com/hashicorp-education/learn-terraform-provision-eks-cluster/issues/86>.
const DEADLINE: Duration = Duration::from_mins(40);

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &AddNodeGroup) -> Result<Prepared> {
    let cluster = aim::standing_cluster(driver, &asked.cluster).await?;
    let name = asked.request.name.as_str();
    if let Some(standing) = aim::node_group(driver, &cluster.name, name, "").await?
        && !asked.marks.are_on(&standing.tags)
    {
        return Err(taken("node group", name));
    }
    let network = cluster.resources_vpc_config.clone().unwrap_or_default();
    let requests = std::slice::from_ref(&asked.request);
    let subnets = aim::subnets(driver, &network.subnet_ids).await?;
    let is_private = network.endpoint_private_access == Some(true);
    let ways = way_out::of_nodes(driver, requests, &subnets, is_private).await?;
    if let Some(what) = &ways.refusal {
        let kind = ErrorKind::Precondition { what: what.clone(), fix: way_out::FIX.to_owned() };
        return Err(DriverError::new(kind, PROVIDER, what.as_str()));
    }
    let settings = GroupSettings {
        cluster_version: cluster.version.clone(),
        security_groups: ids(&asked.security_groups),
        zones: zones(subnets.iter().filter(|subnet| ways.take(&subnet.subnet_id))),
    };
    let choices = choose(driver, requests, &settings, |_| String::new()).await?;
    let role = prerequisites::node_group_role(driver).await?;
    let mut prepared = Prepared::default();
    prepared.notices.extend(ways.notices.iter().cloned());
    for choice in choices {
        choice.tell(&mut prepared);
        let group = Group {
            cluster: &cluster.name,
            subnets: ways.taken(network.subnet_ids.clone()),
            role: &role,
            tags: asked.marks.onto(&asked.tags),
            marks: &asked.marks,
        };
        prepared.plan.stages.extend(group.stages(&asked.request, choice, &[]));
    }
    prepared.plan.stages.push(census::stage(
        &cluster.name,
        &asked.marks,
        [name.to_owned()],
        [switch_stage(name)],
    ));
    Ok(prepared)
}

/// The error of a name that a stranger has.
pub(super) fn taken(what: &str, name: &str) -> DriverError {
    let message =
        format!("a {what} of the name {name:?} stands there already, and this operation did not make it");
    DriverError::new(ErrorKind::AlreadyExists, PROVIDER, message)
}

/// The cloud's identifiers of references.
pub(super) fn ids(references: &[Iid]) -> Vec<String> {
    references.iter().map(|iid| iid.system_id.clone()).collect()
}

/// The zones of subnets, each once.
pub(super) fn zones<'a>(subnets: impl IntoIterator<Item = &'a Subnet>) -> Vec<String> {
    let zones: BTreeSet<&str> = subnets.into_iter().map(|subnet| subnet.availability_zone.as_str()).collect();
    zones.into_iter().map(str::to_owned).collect()
}

/// What the node groups of one operation have in common.
pub(super) struct Group<'a> {
    pub(super) cluster: &'a str,
    pub(super) subnets: Vec<String>,
    pub(super) role: &'a str,
    pub(super) tags: Tags,
    pub(super) marks: &'a Marks,
}

impl Group<'_> {
    /// The stages of one node group, after the stages of these names.
    pub(super) fn stages(
        &self,
        request: &NodeGroupRequest,
        choice: Choice,
        after: &[&str],
    ) -> Vec<StageSpecification> {
        let name = request.name.as_str();
        let mut after: Vec<String> = after.iter().map(|stage| (*stage).to_owned()).collect();
        let mut stages = Vec::new();
        let template = choice.template.map(|template| {
            let made = launch_template::stage_name(name);
            let stage = launch_template::stage(self.cluster, name, template, &self.tags, self.marks);
            stages.push(stage.after(std::mem::replace(&mut after, vec![made.clone()])));
            Reference::Stage(made)
        });
        let create = CreateNodeGroup {
            cluster: self.cluster.to_owned(),
            body: eks::CreateNodegroup {
                nodegroup_name: name.to_owned(),
                scaling_config: sizes(request.scaling),
                disk_size: choice.disk_size,
                subnets: self.subnets.clone(),
                instance_types: choice.instance_types,
                ami_type: choice.ami_type,
                remote_access: choice.remote_access,
                node_role: self.role.to_owned(),
                tags: self.tags.clone(),
                client_request_token: String::new(),
                launch_template: choice.launch_template,
            },
            template,
            marks: self.marks.clone(),
        };
        let made = group_stage(name);
        let create = create
            .specification(made.as_str())
            .after(after)
            .identity(TOKEN)
            .expected(EXPECTED)
            .deadline(DEADLINE)
            .subject(ResourceKind::NodeGroup, name);
        let switch = DiscoveryTags::of_new(self.cluster, name, &made, request.scaling.auto_scaling)
            .specification(switch_stage(name))
            .after([made]);
        stages.extend([create, switch]);
        stages
    }
}

/// The name of the stage that makes a node group.
pub(super) fn group_stage(name: &str) -> String {
    format!("node group {name}")
}

/// The name of the stage that sets a node group's switch.
pub(super) fn switch_stage(name: &str) -> String {
    format!("autoscaling of {name}")
}

/// Limits and size as creation sends them.
fn sizes(scaling: Scaling) -> eks::ScalingConfig {
    eks::ScalingConfig {
        min_size: Some(scaling.min),
        max_size: Some(scaling.max),
        desired_size: scaling.to_send(None),
    }
}

/// Makes a node group. Outputs: `{autoScalingGroups: [name]}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateNodeGroup {
    cluster: String,
    body: eks::CreateNodegroup,
    /// The launch template that was made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<Reference>,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for CreateNodeGroup {
    const KIND: &'static str = "aws.nodeGroup";

    /// Ours only if it carries our marks; a node group of that name without them is a stranger's.
    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let name = self.body.nodegroup_name.as_str();
        let found = aim::node_group(driver, &self.cluster, name, "").await?;
        Ok(found.map_or(Look::Absent, |group| look_at(&group, &self.marks)))
    }

    /// Sends `eks.CreateNodegroup`.
    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let name = self.body.nodegroup_name.as_str();
        let mut body = self.body.clone();
        body.client_request_token.clone_from(&context.token);
        if let Some(template) = &self.template {
            // With an AMI in the template, EKS refuses an `amiType` beside it, `CUSTOM` too.
            body.launch_template = Some(eks::LaunchTemplate {
                id: Some(template.id(context)?.to_owned()),
                name: None,
                version: Some("1".to_owned()),
            });
        }
        let group = driver.api.create_nodegroup(&self.cluster, &body).await?;
        Ok(Asked::accepted().with_system_id(name).with_incarnation(convert::incarnation(group.created_at)))
    }

    /// Sends `eks.DeleteNodegroup`, for the very node group that the look found.
    async fn remove_failed(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let (what, name) = ("node group", self.body.nodegroup_name.as_str());
        let incarnation = context.incarnation.as_deref().unwrap_or_default();
        let Some(found) = aim::node_group(driver, &self.cluster, name, incarnation).await? else {
            return Ok(Asked::accepted());
        };
        let standing = Standing { what, name, status: &found.status, tags: &found.tags };
        if failed::removal(&standing, &self.marks)? == Removal::Ask {
            failed::sent(driver.api.delete_nodegroup(&self.cluster, name).await)?;
        }
        Ok(Asked::accepted())
    }
}

fn look_at(group: &eks::Nodegroup, marks: &Marks) -> Look {
    let name = group.nodegroup_name.as_str();
    let incarnation = convert::incarnation(group.created_at);
    if !marks.are_on(&group.tags) {
        return Look::failed(name, incarnation, taken("node group", name));
    }
    match group.status.as_str() {
        "CREATE_FAILED" => Look::failed(
            name,
            incarnation,
            convert::failed_creation("node group", name, group.health.as_ref()),
        ),
        "DELETE_FAILED" => Look::failed(
            name,
            incarnation,
            convert::failed_removal("node group", name, group.health.as_ref()),
        ),
        "ACTIVE" | "UPDATING" | "DEGRADED" => {
            let groups: Vec<&str> = group.auto_scaling_groups().collect();
            Look::ready(name, incarnation, json!({"autoScalingGroups": groups}))
        }
        "DELETING" => Look::Unsure("a node group of that name is being deleted".to_owned()),
        word => Look::pending(name, incarnation, says(word, group.health.as_ref())),
    }
}

/// What EKS says: its word, and what is wrong.
pub(super) fn says(word: &str, health: Option<&eks::Health>) -> String {
    match convert::issues(health).as_str() {
        "" => word.to_owned(),
        issues => format!("{word} ({issues})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmks_driver::FoundState;

    fn marks(operation: &str) -> Marks {
        Marks { installation: "i".into(), operation: operation.into(), uid: "u".into() }
    }

    fn group(status: &str, created: &str) -> eks::Nodegroup {
        let text = json!({"nodegroupName": "g", "status": status, "createdAt": created, "tags": marks("o").onto(&Tags::new()),
            "resources": {"autoScalingGroups": [{"name": "asg"}]}});
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_node_group_is_what_its_marks_and_state_say() {
        let during = "2026-11-23T10:00:05Z";
        let state = |status: &str, operation: &str| match look_at(&group(status, during), &marks(operation)) {
            Look::Present(found) => match found.state {
                FoundState::Ready(outputs) => format!("ready {outputs}"),
                FoundState::Pending { says } => format!("pending {says}"),
                FoundState::Failed(error) => format!("failed {:?}", error.to_failure().kind),
            },
            other => format!("{other:?}"),
        };
        for (status, operation, expected) in [
            ("ACTIVE", "o", r#"ready {"autoScalingGroups":["asg"]}"#),
            ("CREATING", "o", "pending CREATING"),
            ("NEWWORD", "o", "pending NEWWORD"),
            ("CREATE_FAILED", "o", "failed Precondition"),
            ("DELETE_FAILED", "o", "failed Precondition"),
            ("CREATE_FAILED", "another", "failed AlreadyExists"),
            ("ACTIVE", "another", "failed AlreadyExists"),
            ("DELETING", "o", "Unsure(\"a node group of that name is being deleted\")"),
        ] {
            assert_eq!(state(status, operation), expected, "{status} {operation}");
        }
    }
}
