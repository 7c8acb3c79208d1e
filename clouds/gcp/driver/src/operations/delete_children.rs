//! The end of what exists because a cluster stood: Kubernetes objects that make balancers go while their controllers
//! live; what is left at Google goes by its stored identifier, never by a query made after.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::cluster_objects::{EXPECTED, ObjectRemoval, have_waited};
use pmks_driver::{Asked, Effect, Handle, Look, Poll, Result, StageContext, StageSpecification};
use pmks_model::{AccessInfo, Child};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Stage, aim};
use crate::balancer_parts::{self, Holders};
use crate::{GcpDriver, children, kubernetes};

/// Whether a child is a part of a balancer, which a controller removes.
pub(super) fn is_balancer(child: &Child) -> bool {
    child.kind == children::FORWARDING_RULE || balancer_parts::goes_with_balancer(&child.kind)
}

/// The removals of what is to go once `first` is over: each comes after what holds it, and after nothing else, so that what
/// cannot go keeps back only what it holds.
pub(super) fn removals(swept: &[Child], holders: &Holders, first: &str) -> Vec<StageSpecification> {
    let mut left: Vec<&Child> = swept.iter().collect();
    let mut stages = Vec::new();
    while !left.is_empty() {
        let is_held = |child: &Child| left.iter().any(|other| holders.holds(other, child));
        let (held, mut free): (Vec<&Child>, Vec<&Child>) = left.iter().partition(|child| is_held(child));
        if free.is_empty() {
            // They hold each other: Google says which goes first.
            free.clone_from(&held);
        }
        for child in &free {
            let holding = swept.iter().filter(|other| holders.holds(other, child));
            let after = holding.map(RemoveChild::name).filter(|name| is_planned(&stages, name));
            let after: Vec<String> = std::iter::once(first.to_owned()).chain(after).collect();
            stages.push(RemoveChild { child: (*child).clone() }.stage().after(after));
        }
        left.retain(|child| !free.contains(child));
    }
    stages
}

fn is_planned(stages: &[StageSpecification], name: &str) -> bool {
    stages.iter().any(|stage| stage.name == name)
}

/// Deletes a Service, Ingress or Gateway, whose controller then removes its balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KubernetesObject {
    access: AccessInfo,
    #[serde(flatten)]
    object: ObjectRemoval,
}

impl KubernetesObject {
    /// The stage of a child that is an object in the cluster.
    pub(super) fn of(access: &AccessInfo, child: &Child) -> Option<Self> {
        Some(Self { access: access.clone(), object: ObjectRemoval::of(child)? })
    }

    /// Its stage.
    pub(super) fn stage(&self) -> StageSpecification {
        self.specification(self.object.stage_name()).expected(EXPECTED)
    }
}

#[async_trait]
impl Stage<GcpDriver> for KubernetesObject {
    const KIND: &'static str = "gcp.kubernetesObject.removal";

    async fn look(&self, driver: &GcpDriver, context: &StageContext) -> Result<Look> {
        self.object.look(&kubernetes::of(driver, &self.access).await?, context).await
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        self.object.ask(&kubernetes::of(driver, &self.access).await?).await
    }
}

/// Waits until the stored balancers are gone, or long enough: the ten minutes are those of the objects before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balancers {
    pub(super) children: Vec<Child>,
    /// The stages that remove the objects.
    #[serde(default)]
    pub(super) objects: Vec<String>,
}

impl Balancers {
    /// Its stage.
    pub(super) fn stage(&self) -> StageSpecification {
        self.specification("balancers gone").effect(Effect::Read).expected(EXPECTED)
    }
}

#[async_trait]
impl Stage<GcpDriver> for Balancers {
    const KIND: &'static str = "gcp.balancers";

    async fn look(&self, driver: &GcpDriver, context: &StageContext) -> Result<Look> {
        let standing = children::standing(driver, &self.children).await?;
        let names: Vec<&str> = standing.iter().map(|child| child.system_id.as_str()).collect();
        Ok(if names.is_empty() {
            Look::gone()
        } else if have_waited(&self.objects, context) {
            Look::ready("", "", json!({"standing": names}))
        } else {
            Look::pending("", "", format!("still there: {}", names.join(", ")))
        })
    }

    async fn ask(&self, _driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

/// Removes one child at Google by its stored identifier.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoveChild {
    child: Child,
}

impl RemoveChild {
    /// Its stage.
    fn stage(&self) -> StageSpecification {
        self.specification(Self::name(&self.child)).expected(Duration::from_secs(30))
    }

    fn name(child: &Child) -> String {
        format!("removal of {} {}", child.kind, child.system_id)
    }
}

#[async_trait]
impl Stage<GcpDriver> for RemoveChild {
    const KIND: &'static str = "gcp.child.removal";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let standing = children::standing(driver, std::slice::from_ref(&self.child)).await?;
        Ok(if standing.is_empty() { Look::gone() } else { Look::Absent })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        Ok(match children::remove(driver, &self.child).await? {
            None => Asked::done(Value::Null),
            Some((scope, operation)) => {
                aim::following_compute(&scope, &operation).with_system_id(&self.child.system_id)
            }
        })
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_compute(driver, handle, Value::Null).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(id: &str) -> Child {
        let (kind, name, made_by) = ("part".to_owned(), String::new(), String::new());
        Child { kind, system_id: id.to_owned(), name, made_by, goes_with_cluster: false }
    }

    #[test]
    fn what_holds_another_goes_before_it_and_keeps_nothing_else_back() {
        let swept = ["check", "group", "map", "rule", "service", "volume"].map(child);
        let holders: Holders = [
            ("rule", "map"),
            ("map", "service"),
            ("service", "check"),
            ("service", "group"),
            ("gone", "rule"),
        ]
        .into_iter()
        .collect();
        let stages = removals(&swept, &holders, "first");
        let after: Vec<(&str, Vec<&str>)> = stages
            .iter()
            .map(|stage| {
                let after = stage.after.iter().map(|name| name.rsplit(' ').next().unwrap());
                (stage.name.rsplit(' ').next().unwrap(), after.collect())
            })
            .collect();
        assert_eq!(
            after,
            [
                ("rule", vec!["first"]),
                ("volume", vec!["first"]),
                ("map", vec!["first", "rule"]),
                ("service", vec!["first", "map"]),
                ("check", vec!["first", "service"]),
                ("group", vec!["first", "service"]),
            ]
        );
        assert!(removals(&[], &holders, "first").is_empty());
        let circle: Holders = [("map", "rule"), ("rule", "map")].into_iter().collect();
        assert_eq!(removals(&["map", "rule"].map(child), &circle, "first").len(), 2);
    }
}
