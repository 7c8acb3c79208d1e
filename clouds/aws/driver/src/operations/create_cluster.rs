//! The plan of a cluster: control plane, then its node groups side by side, then add-ons that were asked for, then a
//! census. EKS makes node groups in active clusters alone, so the user asks once and the stages wait for each other.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateCluster, DriverError, ErrorKind, Look, Marks, Prepared, Result, StageContext,
    StageSpecification, gather,
};
use pmks_model::{ClusterRequest, Findings, KubernetesVersion, ResourceKind, Tags, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::add_node_group::{Group, TOKEN, group_stage, ids, says, taken, zones};
use super::failed::{self, Removal, Standing};
use super::node_group_choice::{GroupSettings, choose};
use super::{Maker, Stage, aim, census, way_out};
use crate::wire::ec2::Subnet;
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, clusters, convert, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<ControlPlane>(), Maker::of::<CreateAddon>()];

/// The stage that the others wait for.
const CONTROL_PLANE: &str = "control plane";
/// How long a control plane usually takes.
const CONTROL_PLANE_EXPECTED: Duration = Duration::from_mins(9);
/// How long an add-on usually takes, once there are nodes.
const ADDON_EXPECTED: Duration = Duration::from_mins(2);

/// The option that installs the EBS CSI driver.
const EBS_CSI_DRIVER: &str = "ebsCsiDriver";

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &CreateCluster) -> Result<Prepared> {
    let request = &asked.request;
    let mut findings = Findings::default();
    let mut subnet_ids = ids(&request.subnets);
    // What is not there was found before, and has no identifier.
    subnet_ids.retain(|id| !id.is_empty());
    let subnets = aim::subnets(driver, &subnet_ids).await?;
    findings.extend(check_subnets(request, &subnets));
    let version = gather(choose_version(driver, &request.version).await, &mut findings)?;
    let ways = way_out::of_nodes(driver, &request.node_groups, &subnets, false).await?;
    if let Some(says) = &ways.refusal {
        findings.add("subnets", format!("{says}: {}", way_out::FIX));
    }
    // Where one is missing nobody knows in which zones they lie.
    let known = if subnets.len() == request.subnets.len() { subnets.as_slice() } else { &[] };
    let settings = GroupSettings {
        cluster_version: version.as_ref().and_then(|version| version.send.clone()),
        security_groups: ids(&request.security_groups),
        zones: zones(known.iter().filter(|subnet| ways.take(&subnet.subnet_id))),
    };
    let prefix = |index| format!("nodeGroups[{index}].");
    let choices = gather(choose(driver, &request.node_groups, &settings, prefix).await, &mut findings)?;
    let (Some(version), Some(choices), true) = (version, choices, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    refuse_strangers(driver, &request.name, &asked.marks).await?;
    let cluster_role = prerequisites::cluster_role(driver).await?;
    let mut prepared = Prepared::default();
    prepared.resolved.insert("version".to_owned(), version.says);
    prepared.resolved.insert("zones".to_owned(), zones(known).join(", "));
    prepared.resolved.insert("cluster role".to_owned(), cluster_role.clone());
    prepared.notices.extend(support_notice(request));
    prepared.notices.extend(ways.notices.iter().cloned());
    prepared.plan.stages.push(control_plane(request, &asked.marks, cluster_role, version.send));
    if !request.node_groups.is_empty() {
        let role = prerequisites::node_group_role(driver).await?;
        prepared.resolved.insert("node group role".to_owned(), role.clone());
        if wants(request, EBS_CSI_DRIVER) {
            prepared.notices.extend(prerequisites::volumes_notice(driver, &role).await?);
        }
        for (group, choice) in request.node_groups.iter().zip(choices) {
            choice.tell(&mut prepared);
            let common = Group {
                cluster: &request.name,
                subnets: ways.taken(ids(&request.subnets)),
                role: &role,
                tags: asked.marks.onto(&request.tags),
                marks: &asked.marks,
            };
            prepared.plan.stages.extend(common.stages(group, choice, &[CONTROL_PLANE]));
        }
    }
    prepared.plan.stages.extend(addon_stages(request, &asked.marks));
    let all: Vec<String> = prepared.plan.stages.iter().map(|stage| stage.name.clone()).collect();
    let names = request.node_groups.iter().map(|group| group.name.clone());
    prepared.plan.stages.push(census::stage(&request.name, &asked.marks, names, all));
    Ok(prepared)
}

/// Whether an option that is on or off is on.
fn wants(request: &ClusterRequest, option: &str) -> bool {
    request.options.get(option).and_then(Value::as_bool) == Some(true)
}

/// A cluster of that name that this operation did not make is a stranger's.
async fn refuse_strangers(driver: &AwsDriver, name: &str, marks: &Marks) -> Result<()> {
    match aim::cluster(driver, name, "").await? {
        Some(standing) if !marks.are_on(&standing.tags) => Err(taken("cluster", name)),
        _ => Ok(()),
    }
}

/// What EKS asks of subnets, checked before it is asked.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
fn check_subnets(request: &ClusterRequest, found: &[Subnet]) -> Findings {
    let mut findings = Findings::default();
    let mut seen = BTreeSet::new();
    for (index, wanted) in request.subnets.iter().enumerate() {
        let field = format!("subnets[{index}]");
        match found.iter().find(|subnet| subnet.subnet_id == wanted.system_id) {
            None => {
                let named = if wanted.system_id.is_empty() { &wanted.name_id } else { &wanted.system_id };
                findings.add(field, format!("there is no subnet {named:?} in this account and region"));
            }
            Some(subnet) => {
                let network = request.network.system_id.as_str();
                if !network.is_empty() && subnet.vpc_id != network {
                    findings.add(field, format!("lies in {}, not in {network}", subnet.vpc_id));
                }
                seen.insert(subnet.availability_zone.as_str());
            }
        }
    }
    if findings.is_empty() && seen.len() < 2 {
        let zones: Vec<&str> = seen.into_iter().collect();
        let says = format!("EKS needs subnets in at least two zones; these lie in {} only", zones.join(", "));
        findings.add("subnets", says);
    }
    findings
}

/// A version as it is sent, and in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChosenVersion {
    /// `None`: EKS chooses.
    pub(super) send: Option<String>,
    pub(super) says: String,
}

/// Chooses among what EKS offers: minors, whose patch EKS keeps to itself, so that none can be asked for. Where an
/// endpoint lists no versions, the default is EKS' to choose, and a given version is sent as it is: EKS refuses what it
/// does not know.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/platform-versions.html>
pub(super) async fn choose_version(driver: &AwsDriver, asked: &VersionRequest) -> Result<ChosenVersion> {
    let offered = match clusters::versions(driver).await {
        Ok(offered) => offered,
        Err(error) if clusters::is_unsupported(&error) => return unlisted(asked),
        Err(error) => return Err(error),
    };
    pick(asked, &offered)
}

fn pick(asked: &VersionRequest, offered: &[KubernetesVersion]) -> Result<ChosenVersion> {
    let picked = asked.pick(offered).map_err(|says| aim::refused("version", says))?;
    Ok(ChosenVersion { send: Some(picked.version.to_string()), says: picked.says })
}

fn unlisted(asked: &VersionRequest) -> Result<ChosenVersion> {
    match asked {
        VersionRequest::Default => {
            let says = "EKS' own default; this endpoint lists no versions".to_owned();
            Ok(ChosenVersion { send: None, says })
        }
        VersionRequest::Given(version) if *version != version.truncated() => {
            let says = format!("{version} is not offered: EKS has minors alone, as {}", version.truncated());
            Err(aim::refused("version", says))
        }
        VersionRequest::Given(version) => Ok(ChosenVersion {
            says: format!("{version}, unchecked: this endpoint lists no versions"),
            send: Some(version.to_string()),
        }),
    }
}

/// Says the default aloud: it may cost more one day.
fn support_notice(request: &ClusterRequest) -> Option<String> {
    (!request.options.contains_key("supportType")).then(|| {
        "supportType is not given, so EKS takes EXTENDED: once standard support of its version ends, the cluster keeps \
         it at a higher price per hour (STANDARD upgrades it instead)"
            .to_owned()
    })
}

fn control_plane(
    request: &ClusterRequest,
    marks: &Marks,
    role_arn: String,
    version: Option<String>,
) -> StageSpecification {
    let support = request.options.get("supportType").and_then(Value::as_str);
    let stage = ControlPlane {
        body: eks::CreateCluster {
            name: request.name.clone(),
            version,
            role_arn,
            resources_vpc_config: eks::VpcConfig {
                subnet_ids: ids(&request.subnets),
                security_group_ids: ids(&request.security_groups),
                ..eks::VpcConfig::default()
            },
            client_request_token: String::new(),
            tags: marks.onto(&request.tags),
            access_config: eks::AccessConfig {
                authentication_mode: Some("API_AND_CONFIG_MAP".to_owned()),
                bootstrap_cluster_creator_admin_permissions: Some(true),
            },
            upgrade_policy: support.map(|word| eks::UpgradePolicy { support_type: word.to_owned() }),
        },
        marks: marks.clone(),
    };
    stage
        .specification(CONTROL_PLANE)
        .identity(TOKEN)
        .expected(CONTROL_PLANE_EXPECTED)
        .subject(ResourceKind::Cluster, request.name.as_str())
}

/// The add-ons that options ask for. Their pods need nodes to become ready, so they come after the node groups.
fn addon_stages(request: &ClusterRequest, marks: &Marks) -> Vec<StageSpecification> {
    let after: Vec<String> = match request.node_groups.as_slice() {
        [] => vec![CONTROL_PLANE.to_owned()],
        groups => groups.iter().map(|group| group_stage(&group.name)).collect(),
    };
    [("podIdentityAgent", "eks-pod-identity-agent"), (EBS_CSI_DRIVER, "aws-ebs-csi-driver")]
        .into_iter()
        .filter(|(option, _)| wants(request, option))
        .map(|(_, addon)| {
            let stage = CreateAddon {
                cluster: request.name.clone(),
                addon: addon.to_owned(),
                tags: marks.onto(&request.tags),
                has_nodes: request.node_groups.iter().any(|group| group.scaling.desired > 0),
            };
            stage
                .specification(format!("add-on {addon}"))
                .identity(TOKEN)
                .after(after.clone())
                .expected(ADDON_EXPECTED)
        })
        .collect()
}

/// Makes a control plane. Outputs: `{version, endpoint}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ControlPlane {
    body: eks::CreateCluster,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for ControlPlane {
    const KIND: &'static str = "aws.cluster";

    /// Ours only if it carries our marks; a cluster of that name without them is a stranger's.
    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.body.name, "").await?;
        Ok(found.map_or(Look::Absent, |cluster| look_at(&cluster, &self.marks)))
    }

    /// Sends `eks.CreateCluster`.
    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let mut body = self.body.clone();
        body.client_request_token.clone_from(&context.token);
        let cluster = driver.api.create_cluster(&body).await?;
        let incarnation = convert::incarnation(cluster.created_at);
        Ok(Asked::accepted().with_system_id(self.body.name.as_str()).with_incarnation(incarnation))
    }

    /// Sends `eks.DeleteCluster`, for the very cluster that the look found.
    async fn remove_failed(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let (what, name) = ("cluster", self.body.name.as_str());
        let incarnation = context.incarnation.as_deref().unwrap_or_default();
        let Some(found) = aim::cluster(driver, name, incarnation).await? else {
            return Ok(Asked::accepted());
        };
        let standing = Standing { what, name, status: &found.status, tags: &found.tags };
        if failed::removal(&standing, &self.marks)? == Removal::Ask {
            failed::sent(driver.api.delete_cluster(name).await.map(drop))?;
        }
        Ok(Asked::accepted())
    }
}

fn look_at(cluster: &eks::Cluster, marks: &Marks) -> Look {
    let name = cluster.name.as_str();
    let incarnation = convert::incarnation(cluster.created_at);
    if !marks.are_on(&cluster.tags) {
        return Look::failed(name, incarnation, taken("cluster", name));
    }
    match cluster.status.as_str() {
        "FAILED" => Look::failed(
            name,
            incarnation,
            convert::failed_creation("cluster", name, cluster.health.as_ref()),
        ),
        "ACTIVE" | "UPDATING" => {
            Look::ready(name, incarnation, json!({"version": cluster.version, "endpoint": cluster.endpoint}))
        }
        "DELETING" => Look::Unsure("a cluster of that name is being deleted".to_owned()),
        word => Look::pending(name, incarnation, says(word, cluster.health.as_ref())),
    }
}

/// Installs an add-on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateAddon {
    cluster: String,
    addon: String,
    tags: Tags,
    /// Whether there will be nodes for its pods; without any it stays degraded, and that is no failure.
    has_nodes: bool,
}

#[async_trait]
impl Stage<AwsDriver> for CreateAddon {
    const KIND: &'static str = "aws.addon";

    /// An add-on has one name in a cluster and nothing of its own: whoever installed it, it is there.
    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.describe_addon(&self.cluster, &self.addon).await {
            Ok(addon) => Ok(look_at_addon(&addon, self.has_nodes)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let body = eks::CreateAddon {
            addon_name: self.addon.clone(),
            client_request_token: context.token.clone(),
            tags: self.tags.clone(),
        };
        driver.api.create_addon(&self.cluster, &body).await?;
        Ok(Asked::accepted().with_system_id(self.addon.as_str()))
    }

    /// Sends `eks.DeleteAddon`, for the very add-on that the look found. One that somebody else installed stays.
    async fn remove_failed(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let (what, name) = ("add-on", self.addon.as_str());
        let found = match driver.api.describe_addon(&self.cluster, name).await {
            Err(error) if error.is_not_found() => return Ok(Asked::accepted()),
            found => found?,
        };
        if !aim::is_meant(context.incarnation.as_deref().unwrap_or_default(), found.created_at) {
            return Err(aim::replaced(what, name));
        }
        let marks = failed::marks_of(&self.tags).ok_or_else(|| taken(what, name))?;
        let standing = Standing { what, name, status: &found.status, tags: &found.tags };
        if failed::removal(&standing, &marks)? == Removal::Ask {
            failed::sent(driver.api.delete_addon(&self.cluster, name).await)?;
        }
        Ok(Asked::accepted())
    }
}

fn look_at_addon(addon: &eks::Addon, has_nodes: bool) -> Look {
    let name = addon.addon_name.as_str();
    let incarnation = convert::incarnation(addon.created_at);
    let outputs = json!({"version": addon.addon_version});
    match addon.status.as_str() {
        "ACTIVE" | "UPDATING" => Look::ready(name, incarnation, outputs),
        "CREATING" | "DEGRADED" if !has_nodes => Look::ready(name, incarnation, outputs),
        "CREATE_FAILED" => {
            let error = convert::failed_creation("add-on", name, addon.health.as_ref());
            let kind = ErrorKind::Precondition {
                what: error.message().to_owned(),
                fix: "settle what EKS names, or create the cluster without this add-on".to_owned(),
            };
            Look::failed(name, incarnation, error.as_kind(kind))
        }
        word => Look::pending(name, incarnation, says(word, addon.health.as_ref())),
    }
}

#[cfg(test)]
#[path = "create_cluster_tests.rs"]
mod tests;
