//! The plan of higher versions: control plane, node groups, control plane, node groups, hop by hop.
//!
//! EKS raises a control plane one minor at a time, and wants every managed node group at the cluster's version before
//! the next hop. Source: <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification,
    UpgradeCluster, refuse_downgrade, refuse_unfit,
};
use pmks_model::{NodeGroup, ResourceKind, UpgradeTargets, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::add_node_group::{TOKEN, says};
use super::create_cluster::choose_version;
use super::upgrade_node_group::{self, has_custom_image, refuse_custom_image, version_of};
use super::{Maker, Stage, aim};
use crate::capabilities::CAPABILITIES;
use crate::clusters::{
    MOST_PAGES, described_node_groups, endless, fargate_profile_names, is_unsupported, next_page,
};
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, convert, machines};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RaiseControlPlane>()];

/// How long a control plane's hop usually takes.
const EXPECTED: Duration = Duration::from_mins(10);

/// Checks versions, skew and insights, and answers the plan.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &UpgradeCluster) -> Result<Prepared> {
    let cluster = aim::standing_cluster(driver, &asked.target).await?;
    let now = version_of(cluster.version.as_deref(), "cluster", &cluster.name)?;
    refuse_downgrade(PROVIDER, &asked.request.version, &now, &format!("cluster {:?}", cluster.name))?;
    let chosen = choose_version(driver, &asked.request.version).await?;
    let Some(target) = chosen.send.as_deref().and_then(|text| text.parse::<Version>().ok()) else {
        return Err(aim::refused("version", "this endpoint lists no versions: name the one that is wanted"));
    };
    let (groups, missed) = described_node_groups(driver, &cluster.name).await?;
    if let Some(missed) = missed.first() {
        let message = format!("{} could not be read: {}", missed.what, missed.failure.detail);
        return Err(DriverError::new(ErrorKind::Unavailable, PROVIDER, message));
    }
    let facts = Facts { cluster: &cluster, now: &now, groups: &groups, force: asked.request.force };
    let stages = plan(&facts, &target, &asked.request.node_groups)?;
    let hops = now.hops_to(&target);
    if !asked.request.force {
        let blocking = blocking_insights(driver, &cluster.name, &hops).await?;
        refuse_blocked(&blocking)?;
    }
    let mut prepared = Prepared::of(stages).resolved("version", chosen.says);
    if hops.is_empty() {
        prepared = prepared.notice(format!("the control plane is at {now} already"));
    } else {
        let on_fargate = match fargate_profile_names(driver, &cluster.name).await {
            // It is for what is said alone.
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => true,
            listed => !listed?.is_empty(),
        };
        if on_fargate {
            prepared = prepared.notice("pods on Fargate keep their old version until they are started anew");
        }
    }
    Ok(prepared)
}

/// What a plan is made from.
struct Facts<'a> {
    cluster: &'a eks::Cluster,
    now: &'a Version,
    groups: &'a [eks::Nodegroup],
    force: bool,
}

/// The stages from the version that is to the one that is wanted. Pure.
///
/// # Errors
/// `InvalidRequest` for names that are none, and for what EKS' rules make impossible.
fn plan(facts: &Facts<'_>, target: &Version, targets: &UpgradeTargets) -> Result<Vec<StageSpecification>> {
    let chosen = chosen_groups(facts.groups, targets)?;
    refuse_unfit(PROVIDER, &below(&chosen, target).map(|group| seen(facts, group)).collect::<Vec<_>>())?;
    refuse_ended_images(&chosen, target)?;
    let hops = facts.now.hops_to(target);
    let mut planner = Planner { facts, stages: Vec::new(), last: Vec::new() };
    if let Some(last) = hops.last() {
        refuse_left_behind(facts, &chosen, &hops, last)?;
        // What lags behind already would keep the control plane from its first hop.
        planner.node_groups(&chosen, facts.now)?;
    }
    for hop in &hops {
        planner.control_plane(&hop.truncated());
        planner.node_groups(&chosen, &hop.truncated())?;
    }
    if hops.is_empty() {
        planner.node_groups(&chosen, facts.now)?;
    }
    Ok(planner.stages)
}

/// The node groups that go along.
fn chosen_groups<'a>(
    groups: &'a [eks::Nodegroup],
    targets: &UpgradeTargets,
) -> Result<Vec<&'a eks::Nodegroup>> {
    match targets {
        UpgradeTargets::All => Ok(groups.iter().collect()),
        UpgradeTargets::None => Ok(Vec::new()),
        UpgradeTargets::Named(names) => {
            let find = |name: &String| groups.iter().find(|group| group.nodegroup_name == *name);
            let unknown: Vec<&str> =
                names.iter().filter(|name| find(name).is_none()).map(String::as_str).collect();
            if unknown.is_empty() {
                Ok(names.iter().filter_map(find).collect())
            } else {
                Err(aim::refused(
                    "nodeGroups",
                    format!("the cluster has no node group {}", unknown.join(", ")),
                ))
            }
        }
    }
}

/// EKS would say it only once the control plane is at the new version.
fn refuse_ended_images(chosen: &[&eks::Nodegroup], target: &Version) -> Result<()> {
    let version = target.to_string();
    for group in chosen {
        if let Some(says) = group.ami_type.as_deref().and_then(|name| machines::ends_before(name, &version)) {
            let what = format!("node group {} cannot go along: {says}", group.nodegroup_name);
            let fix = "add a node group of another image, and remove this one".to_owned();
            return Err(DriverError::new(
                ErrorKind::Precondition { what: what.clone(), fix },
                PROVIDER,
                what,
            ));
        }
    }
    Ok(())
}

/// Those that would be raised.
fn below<'a>(chosen: &[&'a eks::Nodegroup], target: &Version) -> impl Iterator<Item = &'a eks::Nodegroup> {
    let version = |group: &eks::Nodegroup| group.version.as_deref()?.parse::<Version>().ok();
    chosen.iter().copied().filter(move |group| version(group).is_none_or(|version| !version.reaches(target)))
}

fn seen(facts: &Facts<'_>, group: &eks::Nodegroup) -> NodeGroup {
    convert::node_group(&facts.cluster.name, group, &BTreeMap::new())
}

/// Node groups that stay must be at the control plane's version before each hop, and within the skew after the last.
fn refuse_left_behind(
    facts: &Facts<'_>,
    chosen: &[&eks::Nodegroup],
    hops: &[Version],
    last: &Version,
) -> Result<()> {
    // EKS says no version of nodes with an image of their own; it refuses the hop if theirs is too old.
    let stays_behind = |group: &&eks::Nodegroup| {
        !chosen.iter().any(|one| one.nodegroup_name == group.nodegroup_name) && !has_custom_image(group)
    };
    for group in facts.groups.iter().filter(stays_behind) {
        let name = &group.nodegroup_name;
        let version = version_of(group.version.as_deref(), "node group", name)?;
        let skew = CAPABILITIES.upgrade.largest_skew;
        if last.minors_ahead_of(&version).is_none_or(|minors| minors > skew) {
            let says = format!(
                "node group {name} is at {version}: nodes may lie at most {skew} minors behind {last}"
            );
            return Err(aim::refused("nodeGroups", says));
        }
        if hops.len() > 1 || !version.reaches(facts.now) {
            let says = format!(
                "node group {name} is at {version} and does not go along: EKS wants every node group at the cluster's \
                 version before each hop"
            );
            return Err(aim::refused("nodeGroups", says));
        }
    }
    Ok(())
}

/// Lays stages one after the other; node groups of one hop lie side by side.
struct Planner<'a> {
    facts: &'a Facts<'a>,
    stages: Vec<StageSpecification>,
    last: Vec<String>,
}

impl Planner<'_> {
    fn control_plane(&mut self, to: &Version) {
        let cluster = self.facts.cluster;
        let stage = RaiseControlPlane {
            cluster: cluster.name.clone(),
            incarnation: convert::incarnation(cluster.created_at),
            version: to.clone(),
            force: self.facts.force,
        };
        let name = format!("control plane to {to}");
        let stage = stage
            .specification(name.as_str())
            .identity(TOKEN)
            .expected(EXPECTED)
            .subject(ResourceKind::Cluster, cluster.name.as_str())
            .finish_when_cancelled()
            .after(std::mem::take(&mut self.last));
        self.last = vec![name];
        self.stages.push(stage);
    }

    fn node_groups(&mut self, chosen: &[&eks::Nodegroup], to: &Version) -> Result<()> {
        let mut names = Vec::new();
        for group in chosen {
            refuse_custom_image(group)?;
            let version = version_of(group.version.as_deref(), "node group", &group.nodegroup_name)?;
            if version.reaches(to) {
                continue;
            }
            let stage = upgrade_node_group::stage(&self.facts.cluster.name, group, to, self.facts.force);
            names.push(stage.name.clone());
            self.stages.push(stage.after(self.last.iter().cloned()));
        }
        if !names.is_empty() {
            self.last = names;
        }
        Ok(())
    }
}

/// What EKS itself says stands in the way of each hop; nothing where an endpoint has no insights.
async fn blocking_insights(driver: &AwsDriver, cluster: &str, hops: &[Version]) -> Result<Vec<eks::Insight>> {
    let mut found = Vec::new();
    for hop in hops {
        let version = hop.truncated().to_string();
        let mut page: Option<String> = None;
        for turn in 0.. {
            if turn == MOST_PAGES {
                return Err(endless("the insights"));
            }
            let answer = match driver.api.list_insights(cluster, &version, page.as_deref()).await {
                Err(error) if is_unsupported(&error) => return Ok(found),
                answer => answer?,
            };
            found.extend(answer.insights.into_iter().filter(|insight| blocks(insight, &version)));
            page = next_page(answer.next_token);
            if page.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// Whether an insight stands in the way of that version: endpoints need not honour the filter.
fn blocks(insight: &eks::Insight, version: &str) -> bool {
    let is_error = insight.insight_status.as_ref().is_some_and(|status| status.status == "ERROR");
    is_error && (insight.kubernetes_version.is_empty() || insight.kubernetes_version == version)
}

fn refuse_blocked(insights: &[eks::Insight]) -> Result<()> {
    if insights.is_empty() {
        return Ok(());
    }
    let says: Vec<String> = insights
        .iter()
        .map(|insight| {
            let reason =
                insight.insight_status.as_ref().map(|status| status.reason.as_str()).unwrap_or_default();
            let why = if reason.is_empty() { insight.description.as_str() } else { reason };
            format!("{} ({}): {why}", insight.name, insight.kubernetes_version)
        })
        .collect();
    let what = format!("EKS' upgrade insights stand in the way: {}", says.join("; "));
    let kind =
        ErrorKind::Precondition { what: what.clone(), fix: "settle them, or upgrade with force".to_owned() };
    Err(DriverError::new(kind, PROVIDER, what).with_action("eks.ListInsights"))
}

/// Raises a control plane by one minor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RaiseControlPlane {
    cluster: String,
    incarnation: String,
    version: Version,
    force: bool,
}

#[async_trait]
impl Stage<AwsDriver> for RaiseControlPlane {
    const KIND: &'static str = "aws.cluster.version";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        let cluster = found.ok_or_else(|| aim::gone("cluster", &self.cluster))?;
        Ok(look_at(&cluster, &self.version))
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        if aim::cluster(driver, &self.cluster, &self.incarnation).await?.is_none() {
            return Err(aim::gone("cluster", &self.cluster));
        }
        let body = eks::UpdateVersion {
            version: Some(self.version.to_string()),
            force: self.force,
            client_request_token: context.token.clone(),
        };
        let update = driver.api.update_cluster_version(&self.cluster, &body).await?;
        let asked = aim::handle_of(&update).map_or_else(Asked::accepted, Asked::following);
        Ok(asked.with_system_id(self.cluster.as_str()))
    }

    async fn poll(&self, driver: &AwsDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, &self.cluster, None, handle).await
    }
}

fn look_at(cluster: &eks::Cluster, floor: &Version) -> Look {
    let (name, incarnation) = (cluster.name.as_str(), convert::incarnation(cluster.created_at));
    let version = cluster.version.as_deref().and_then(|text| text.parse::<Version>().ok());
    match cluster.status.as_str() {
        "UPDATING" | "CREATING" | "PENDING" => {
            Look::pending(name, incarnation, says(&cluster.status, cluster.health.as_ref()))
        }
        "DELETING" => Look::failed(name, incarnation, aim::gone("cluster", name)),
        _ if version.is_some_and(|version| version.reaches(floor)) => {
            Look::ready(name, incarnation, Value::Null)
        }
        _ => Look::Absent,
    }
}

#[cfg(test)]
#[path = "upgrade_cluster_tests.rs"]
mod tests;
