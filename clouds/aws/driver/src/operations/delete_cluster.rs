//! The plan of a cluster's end, in the order that leaves nothing behind: what makes balancers, while its controllers
//! live; node groups and Fargate profiles, until none is left; the control plane; then what still stands of what was
//! stored while the cluster stood, when nothing can make it again; then a look that nothing remains.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteCluster.html>

use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use pmks_driver::cluster_objects::{
    Part, gone_already, in_order, keep_seen, left_behind, not_found_again, object_kind, unseen_before,
};
use pmks_driver::{
    Asked, Care, DeleteCluster, DriverError, Effect, ErrorKind, Look, Prepared, Result, Search, StageContext,
    StageSpecification,
};
use pmks_model::{Child, Children, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delete_children::{self, Balancers, KubernetesObject, RemoveChild};
use super::delete_node_groups::Leftovers;
use super::{Maker, Stage, aim, launch_template, remove_node_group};
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, children, clusters, convert};

/// The stages of this file and of those that it is made of.
pub(super) const STAGES: &[Maker] = &[
    Maker::of::<KubernetesObject>(),
    Maker::of::<Balancers>(),
    Maker::of::<Leftovers>(),
    Maker::of::<RemoveCluster>(),
    Maker::of::<RemoveChild>(),
    Maker::of::<NothingRemains>(),
];

/// How long the end of a control plane usually takes.
const EXPECTED: Duration = Duration::from_mins(5);
/// The stage that removes the control plane.
const CONTROL_PLANE: &str = "removal of the control plane";
/// The stage that lists node groups and Fargate profiles until none is left.
const LEFTOVERS: &str = "nothing runs";

/// Checks, stores what exists because the cluster stands, and answers the plan.
///
/// # Errors
/// `Replaced`; `Precondition` while EKS' own deletion protection holds: of a cluster that comes, goes or has failed it
/// does not.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html>
pub(crate) async fn prepare(driver: &AwsDriver, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
    let name = asked.target.iid.system_id.as_str();
    let Some(cluster) = aim::cluster(driver, name, &asked.target.incarnation).await? else {
        return of_gone_cluster(driver, asked, search).await;
    };
    let holds = !["CREATING", "DELETING", "FAILED"].contains(&cluster.status.as_str());
    if holds && cluster.deletion_protection == Some(true) {
        let what = format!("EKS' own deletion protection of cluster {name} is on");
        let fix = format!(
            "turn it off at EKS: aws eks update-cluster-config --name {name} --no-deletion-protection"
        );
        let kind = ErrorKind::Precondition { what: what.clone(), fix };
        return Err(DriverError::new(kind, PROVIDER, what));
    }
    let model = convert::cluster(&cluster, Vec::new(), Vec::new());
    let (mut found, groups, listed, templates) = futures::try_join!(
        children::children(driver, &model, Care::of(search)),
        clusters::described_node_groups(driver, name),
        clusters::fargate_profile_names(driver, name).map(Ok),
        launch_template::of_cluster(driver, name, &asked.marks)
    )?;
    let mut profiles = Vec::new();
    let part = Part::of("Fargate profiles");
    keep_seen(part, listed, Care::of(search), &mut profiles, &mut found.unknown)?;
    let (mut left, others) = not_found_again(&found.found, &search.known.found);
    left.extend(children::standing(driver, &others).await?);
    left.extend(templates);
    found.found = in_order(found.found, &left);
    let facts = Facts {
        cluster: &cluster,
        access: model.access,
        children: &found,
        groups: &groups.0,
        profiles: &profiles,
    };
    let mut prepared = Prepared::of(plan(&facts, asked.delete_volumes));
    prepared.notices.extend(notices(&found, asked.delete_volumes));
    prepared.children = found;
    Ok(prepared)
}

/// The plan where the cluster is gone: what is known of an earlier deletion, as far as it still stands.
async fn of_gone_cluster(driver: &AwsDriver, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
    let (name, incarnation) = (asked.target.iid.system_id.as_str(), asked.target.incarnation.as_str());
    let (standing, templates) = futures::try_join!(
        children::standing(driver, &search.known.found),
        launch_template::of_cluster(driver, name, &asked.marks)
    )?;
    let found = Children {
        found: in_order(left_behind(standing), &templates),
        unknown: unseen_before(&search.known),
    };
    let swept = swept(&found, asked.delete_volumes);
    let mut stages = vec![removal(name, incarnation, Vec::<String>::new())];
    stages.extend(templates.iter().map(launch_template::removal));
    if !swept.is_empty() {
        let last = names(&stages);
        stages.extend(sweep(name, incarnation, swept, last));
    }
    let mut prepared = Prepared::of(stages).notice(gone_already(name, &search.known.found));
    prepared.notices.extend(notices(&found, asked.delete_volumes));
    prepared.children = found;
    Ok(prepared)
}

/// What a plan is made from.
struct Facts<'a> {
    cluster: &'a eks::Cluster,
    access: pmks_model::AccessInfo,
    children: &'a Children,
    groups: &'a [eks::Nodegroup],
    /// The names of its Fargate profiles.
    profiles: &'a [String],
}

/// The stages. Pure.
fn plan(facts: &Facts<'_>, delete_volumes: bool) -> Vec<StageSpecification> {
    let name = facts.cluster.name.as_str();
    let incarnation = convert::incarnation(facts.cluster.created_at);
    let objects =
        facts.children.found.iter().filter_map(|child| KubernetesObject::of(name, &facts.access, child));
    let mut stages: Vec<StageSpecification> = objects.map(|object| object.stage()).collect();
    let swept = swept(facts.children, delete_volumes);
    let balancers: Vec<Child> =
        swept.iter().filter(|child| delete_children::is_balancer(child)).cloned().collect();
    if !stages.is_empty() && !balancers.is_empty() {
        let after = names(&stages);
        stages.push(Balancers { children: balancers, objects: after.clone() }.stage().after(after));
    }
    let before_groups = names(&stages);
    let mut groups = Vec::new();
    for group in facts.groups {
        let made = convert::incarnation(group.created_at);
        let stage = remove_node_group::stage(name, &group.nodegroup_name, &made);
        groups.push(stage.after(before_groups.iter().cloned()));
    }
    groups.extend(profiles(facts, &incarnation, &before_groups));
    let before_rest = if groups.is_empty() { before_groups } else { names(&groups) };
    stages.extend(groups);
    let leftovers = Leftovers { cluster: name.to_owned(), incarnation: incarnation.clone(), profile: None };
    stages.push(leftovers.specification(LEFTOVERS).after(before_rest).expected(remove_node_group::EXPECTED));
    stages.push(removal(name, &incarnation, [LEFTOVERS]));
    let templates = facts.children.found.iter().filter(|child| child.kind == launch_template::CHILD);
    let templates: Vec<StageSpecification> =
        templates.map(|template| launch_template::removal(template).after([LEFTOVERS])).collect();
    let mut last = vec![CONTROL_PLANE.to_owned()];
    last.extend(names(&templates));
    stages.extend(templates);
    stages.extend(sweep(name, &incarnation, swept, last));
    stages
}

/// The removals of Fargate profiles, beside those of node groups: EKS deletes one profile of a cluster at a time.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteFargateProfile.html>
fn profiles(facts: &Facts<'_>, incarnation: &str, before: &[String]) -> Vec<StageSpecification> {
    let mut last = before.to_vec();
    let removal = |profile: &String| {
        let stage = Leftovers {
            cluster: facts.cluster.name.clone(),
            incarnation: incarnation.to_owned(),
            profile: Some(profile.clone()),
        };
        let name = format!("removal of Fargate profile {profile}");
        let after = std::mem::replace(&mut last, vec![name.clone()]);
        stage.specification(name).after(after).expected(remove_node_group::EXPECTED)
    };
    facts.profiles.iter().map(removal).collect()
}

/// What still stands of what was stored, after these stages; then the look that nothing does.
fn sweep(name: &str, incarnation: &str, swept: Vec<Child>, after: Vec<String>) -> Vec<StageSpecification> {
    let (mut stages, mut last) = (Vec::new(), after);
    for rank in delete_children::ranks(&swept) {
        let removals: Vec<StageSpecification> =
            rank.into_iter().map(|child| RemoveChild { child }.stage().after(last.iter().cloned())).collect();
        last = names(&removals);
        stages.extend(removals);
    }
    let remains =
        NothingRemains { cluster: name.to_owned(), incarnation: incarnation.to_owned(), children: swept };
    stages.push(remains.specification("nothing remains").after(last).effect(Effect::Read));
    stages
}

fn names(stages: &[StageSpecification]) -> Vec<String> {
    stages.iter().map(|stage| stage.name.clone()).collect()
}

/// What is removed by its stored identifier: what the cluster's end does not take along, volumes only on request.
fn swept(children: &Children, delete_volumes: bool) -> Vec<Child> {
    let sweeps = |child: &&Child| {
        let volume = child.kind == children::VOLUME;
        let apart = object_kind(&child.kind).is_some() || child.kind == launch_template::CHILD;
        !apart && (volume && delete_volumes || !volume && !child.goes_with_cluster)
    };
    children.found.iter().filter(sweeps).cloned().collect()
}

fn notices(children: &Children, delete_volumes: bool) -> Vec<String> {
    let mut notices: Vec<String> =
        children.unknown.iter().map(|what| format!("could not be looked at: {what}")).collect();
    let kept = |child: &&Child| child.kind == children::VOLUME && !child.goes_with_cluster;
    let volumes: Vec<&str> =
        children.found.iter().filter(kept).map(|child| child.system_id.as_str()).collect();
    if !volumes.is_empty() && !delete_volumes {
        notices.push(format!("these volumes are kept, and cost on: {}", volumes.join(", ")));
    }
    notices
}

fn removal(
    name: &str,
    incarnation: &str,
    after: impl IntoIterator<Item = impl Into<String>>,
) -> StageSpecification {
    let stage = RemoveCluster { cluster: name.to_owned(), incarnation: incarnation.to_owned() };
    stage.specification(CONTROL_PLANE).after(after).expected(EXPECTED).subject(ResourceKind::Cluster, name)
}

/// Removes a control plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveCluster {
    cluster: String,
    incarnation: String,
}

#[async_trait]
impl Stage<AwsDriver> for RemoveCluster {
    const KIND: &'static str = "aws.cluster.removal";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        Ok(found.map_or_else(Look::gone, |cluster| look_at(&cluster, context)))
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        if aim::cluster(driver, &self.cluster, &self.incarnation).await?.is_none() {
            return Ok(Asked::done(Value::Null));
        }
        match driver.api.delete_cluster(&self.cluster).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => answer.map(|_| Asked::accepted().with_system_id(self.cluster.as_str())),
        }
    }
}

/// What failed to go before this attempt is asked for again; what fails in it has failed.
fn look_at(cluster: &eks::Cluster, context: &StageContext) -> Look {
    let (name, incarnation) = (cluster.name.as_str(), convert::incarnation(cluster.created_at));
    match cluster.status.as_str() {
        "DELETING" => {
            Look::pending(name, incarnation, super::add_node_group::says("DELETING", cluster.health.as_ref()))
        }
        "FAILED" if context.system_id.is_some() => {
            Look::failed(name, incarnation, convert::failed_removal("cluster", name, cluster.health.as_ref()))
        }
        _ => Look::Absent,
    }
}

/// Looks that nothing of all this stands any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NothingRemains {
    cluster: String,
    incarnation: String,
    children: Vec<Child>,
}

#[async_trait]
impl Stage<AwsDriver> for NothingRemains {
    const KIND: &'static str = "aws.cluster.nothingRemains";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let standing = children::standing(driver, &self.children).await?;
        let cluster = match driver.api.describe_cluster(&self.cluster).await {
            Ok(found) => {
                aim::is_meant(&self.incarnation, found.created_at).then(|| format!("cluster {}", found.name))
            }
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let names = standing.iter().map(|child| format!("{} {}", child.kind, child.system_id));
        let remains: Vec<String> = names.chain(cluster).collect();
        if remains.is_empty() {
            return Ok(Look::gone());
        }
        let message = format!("these still stand: {}", remains.join(", "));
        let kind = ErrorKind::Precondition {
            what: message.clone(),
            fix: "retry the deletion, or remove them at AWS".to_owned(),
        };
        Ok(Look::failed("", "", DriverError::new(kind, PROVIDER, message)))
    }

    async fn ask(&self, _driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

#[cfg(test)]
#[path = "delete_cluster_tests.rs"]
mod tests;
