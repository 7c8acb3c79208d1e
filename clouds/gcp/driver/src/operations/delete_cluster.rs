//! The plan of a cluster's end, in the order that leaves nothing behind: what makes balancers, while its controllers
//! live; the cluster, which takes its node pools along; then what still stands of what was stored while the cluster
//! stood, when nothing can make it again; then a look that nothing remains.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/how-to/deleting-a-cluster>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::cluster_objects::{
    gone_already, in_order, left_behind, not_found_again, object_kind, unseen_before,
};
use pmks_driver::{
    Asked, Care, DeleteCluster, DriverError, Effect, ErrorKind, Handle, Look, Poll, Prepared, Result, Search,
    StageContext, StageSpecification,
};
use pmks_model::{AccessInfo, Child, Children, ResourceKind, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delete_children::{self, Balancers, KubernetesObject, RemoveChild};
use super::{Maker, Stage, aim};
use crate::balancer_parts::{self, Holders};
use crate::live::Live;
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, children, convert};

/// The stages of this file and of those that it is made of.
pub(super) const STAGES: &[Maker] = &[
    Maker::of::<KubernetesObject>(),
    Maker::of::<Balancers>(),
    Maker::of::<RemoveCluster>(),
    Maker::of::<RemoveChild>(),
    Maker::of::<NothingRemains>(),
];

/// How long the end of a cluster usually takes.
const EXPECTED: Duration = Duration::from_mins(5);
/// The stage that removes the cluster.
const CLUSTER: &str = "removal of the cluster";

/// Checks, stores what exists because the cluster stands, and answers the plan.
///
/// # Errors
/// `Replaced`.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
    let (id, incarnation) = (asked.target.iid.system_id.as_str(), asked.target.incarnation.as_str());
    let Some((name, cluster)) = aim::cluster(driver, id, incarnation).await? else {
        // What is known of an earlier deletion, as far as it still stands.
        let found = children::standing(driver, &search.known.found).await?;
        let found = Children { found: left_behind(found), unknown: unseen_before(&search.known) };
        let swept = swept(&found, asked.delete_volumes);
        let mut stages = vec![removal(&asked.target.iid.name_id, id, incarnation, Vec::<String>::new())];
        if !swept.is_empty() {
            let holders = balancer_parts::holders(driver, &swept).await?;
            stages.extend(sweep(id, incarnation, swept, &holders));
        }
        let mut prepared = Prepared::of(stages).notice(gone_already(id, &search.known.found));
        prepared.notices.extend(notices(&found, asked.delete_volumes));
        prepared.children = found;
        return Ok(prepared);
    };
    let model = convert::cluster(&cluster, driver.api.project(), &Live::default());
    let mut found = children::children(driver, &model, Care::of(search)).await?;
    let (mut left, others) = not_found_again(&found.found, &search.known.found);
    left.extend(children::standing(driver, &others).await?);
    found.found = in_order(found.found, &left);
    let holders = balancer_parts::holders(driver, &swept(&found, asked.delete_volumes)).await?;
    let facts = Facts {
        name: &cluster.name,
        id: &name.path(),
        incarnation: &convert::incarnation(&cluster),
        access: &model.access,
        children: &found,
        holders: &holders,
    };
    let mut prepared = Prepared::of(plan(&facts, asked.delete_volumes));
    prepared.notices.extend(notices(&found, asked.delete_volumes));
    prepared.children = found;
    Ok(prepared)
}

/// What a plan is made from.
struct Facts<'a> {
    name: &'a str,
    id: &'a str,
    incarnation: &'a str,
    access: &'a AccessInfo,
    children: &'a Children,
    holders: &'a Holders,
}

/// The stages. Pure.
fn plan(facts: &Facts<'_>, delete_volumes: bool) -> Vec<StageSpecification> {
    let objects = facts.children.found.iter().filter_map(|child| KubernetesObject::of(facts.access, child));
    let mut stages: Vec<StageSpecification> = objects.map(|object| object.stage()).collect();
    let swept = swept(facts.children, delete_volumes);
    let balancers: Vec<Child> =
        swept.iter().filter(|child| delete_children::is_balancer(child)).cloned().collect();
    if !stages.is_empty() && !balancers.is_empty() {
        let after = names(&stages);
        stages.push(Balancers { children: balancers, objects: after.clone() }.stage().after(after));
    }
    stages.push(removal(facts.name, facts.id, facts.incarnation, names(&stages)));
    stages.extend(sweep(facts.id, facts.incarnation, swept, facts.holders));
    stages
}

/// What still stands of what was stored, once the cluster is gone; then the look that nothing does.
fn sweep(id: &str, incarnation: &str, swept: Vec<Child>, holders: &Holders) -> Vec<StageSpecification> {
    let mut stages = delete_children::removals(&swept, holders, CLUSTER);
    let last = std::iter::once(CLUSTER.to_owned()).chain(names(&stages)).collect::<Vec<_>>();
    let remains =
        NothingRemains { cluster: id.to_owned(), incarnation: incarnation.to_owned(), children: swept };
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
        let object = object_kind(&child.kind).is_some();
        !object && (volume && delete_volumes || !volume && !child.goes_with_cluster)
    };
    children.found.iter().filter(sweeps).cloned().collect()
}

fn notices(children: &Children, delete_volumes: bool) -> Vec<String> {
    let mut notices: Vec<String> =
        children.unknown.iter().map(|what| format!("could not be looked at: {what}")).collect();
    let volumes = children.found.iter().filter(|child| child.kind == children::VOLUME);
    let volumes: Vec<&str> = volumes.map(|child| child.system_id.as_str()).collect();
    if !volumes.is_empty() && !delete_volumes {
        notices.push(format!("these volumes are kept, and cost on: {}", volumes.join(", ")));
    }
    notices
}

fn removal(
    name: &str,
    id: &str,
    incarnation: &str,
    after: impl IntoIterator<Item = impl Into<String>>,
) -> StageSpecification {
    let stage = RemoveCluster { cluster: id.to_owned(), incarnation: incarnation.to_owned() };
    stage.specification(CLUSTER).after(after).expected(EXPECTED).subject(ResourceKind::Cluster, name)
}

/// Removes a cluster with its node pools.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveCluster {
    cluster: String,
    incarnation: String,
}

#[async_trait]
impl Stage<GcpDriver> for RemoveCluster {
    const KIND: &'static str = "gcp.cluster.removal";

    async fn look(&self, driver: &GcpDriver, context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        Ok(found.map_or_else(Look::gone, |(name, cluster)| look_at(&cluster, &name.path(), context)))
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let Some((name, _)) = aim::cluster(driver, &self.cluster, &self.incarnation).await? else {
            return Ok(Asked::done(Value::Null));
        };
        match driver.api.delete_cluster(&name).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => Ok(aim::following(&name, &answer?).with_system_id(name.path())),
        }
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

/// What failed to go before this attempt is asked for again; what fails in it has failed.
fn look_at(cluster: &wire::Cluster, id: &str, context: &StageContext) -> Look {
    let incarnation = convert::incarnation(cluster);
    match convert::cluster_status(&cluster.status) {
        Status::Deleting => Look::pending(id, incarnation, aim::says(&cluster.status, &cluster.conditions)),
        Status::Failed if context.system_id.is_some() => {
            let error = convert::failed_removal(
                "cluster",
                &cluster.name,
                &cluster.conditions,
                &cluster.status_message,
            );
            Look::failed(id, incarnation, error)
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
impl Stage<GcpDriver> for NothingRemains {
    const KIND: &'static str = "gcp.cluster.nothingRemains";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let standing = children::standing(driver, &self.children).await?;
        let cluster = match aim::cluster(driver, &self.cluster, &self.incarnation).await {
            Ok(found) => found.map(|(name, _)| format!("cluster {}", name.path())),
            // Another one of that name is nothing of this.
            Err(error) if *error.kind() == ErrorKind::Replaced => None,
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
            fix: "retry the deletion, or remove them at Google".to_owned(),
        };
        Ok(Look::failed("", "", DriverError::new(kind, PROVIDER, message)))
    }

    async fn ask(&self, _driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::Plan;

    use super::*;
    use crate::operations::tests::context;
    use pmks_driver::cluster_objects::Part;

    fn child(kind: &str, id: &str) -> Child {
        let goes_with_cluster = object_kind(kind).is_some();
        Child {
            kind: kind.into(),
            system_id: id.into(),
            name: String::new(),
            made_by: String::new(),
            goes_with_cluster,
        }
    }

    fn planned(children: &[Child], delete_volumes: bool) -> Vec<String> {
        let children = Children { found: children.to_vec(), unknown: Vec::new() };
        let access = AccessInfo::default();
        let holders = Holders::default();
        let facts = Facts {
            name: "c",
            id: "path",
            incarnation: "1",
            access: &access,
            children: &children,
            holders: &holders,
        };
        let plan = Plan::of(plan(&facts, delete_volumes));
        assert_eq!(plan.defect(), None);
        plan.stages.into_iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn a_cluster_goes_between_what_makes_and_what_was_made() {
        let all = [
            child("service", "default/web"),
            child("forwardingRule", "regions/r1/forwardingRules/a1"),
            child("firewallRule", "global/firewalls/k8s-fw-a1"),
            child("volume", "zones/r1-a/disks/d"),
        ];
        assert_eq!(
            planned(&all, false),
            [
                "removal of service default/web",
                "balancers gone",
                "removal of the cluster",
                "removal of forwardingRule regions/r1/forwardingRules/a1",
                "removal of firewallRule global/firewalls/k8s-fw-a1",
                "nothing remains",
            ]
        );
        assert!(planned(&all, true).contains(&"removal of volume zones/r1-a/disks/d".to_owned()));
        assert_eq!(planned(&[], false), ["removal of the cluster", "nothing remains"]);
    }

    #[test]
    fn kept_volumes_are_named() {
        let children = Children {
            found: vec![child("volume", "zones/r1-a/disks/d")],
            unknown: vec![Part::of("x").unseen("no")],
        };
        let says = notices(&children, false);
        assert_eq!(says[0], "could not be looked at: x: no");
        assert!(says[1].contains("zones/r1-a/disks/d"));
        assert_eq!(notices(&children, true).len(), 1);
    }

    #[test]
    fn what_goes_is_waited_for_and_what_failed_to_go_has_failed() {
        let asked = StageContext { system_id: Some("c".into()), ..context() };
        for (status, context, expected) in [
            ("RUNNING", context(), "Absent"),
            ("ERROR", context(), "Absent"),
            ("STOPPING", context(), "Pending"),
            ("ERROR", asked, "Failed"),
        ] {
            let cluster = wire::Cluster { name: "c".into(), status: status.into(), ..Default::default() };
            let look = format!("{:?}", look_at(&cluster, "c", &context));
            assert!(look.contains(expected), "{status}: {look}");
        }
    }
}
