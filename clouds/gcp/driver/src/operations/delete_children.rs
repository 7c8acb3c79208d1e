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
use crate::{GcpDriver, children, kubernetes};

/// Whether a child is a part of a balancer, which a controller removes.
pub(super) fn is_balancer(child: &Child) -> bool {
    child.kind == children::FORWARDING_RULE
}

/// The children in the order in which Google lets them go: what holds another goes before it.
pub(super) fn ranks(swept: &[Child]) -> Vec<Vec<Child>> {
    let rank = |child: &Child| match child.kind.as_str() {
        children::FORWARDING_RULE => 0,
        children::ENDPOINT_GROUP | children::FIREWALL => 1,
        _ => 2,
    };
    let of = |wanted| swept.iter().filter(|child| rank(child) == wanted).cloned().collect::<Vec<_>>();
    (0..3).map(of).filter(|children| !children.is_empty()).collect()
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
    pub(super) child: Child,
}

impl RemoveChild {
    /// Its stage.
    pub(super) fn stage(&self) -> StageSpecification {
        self.specification(format!("removal of {} {}", self.child.kind, self.child.system_id))
            .expected(Duration::from_secs(30))
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

    #[test]
    fn what_holds_another_goes_before_it() {
        let swept = ["volume", "networkEndpointGroup", "forwardingRule", "firewallRule"].map(|kind| Child {
            kind: kind.into(),
            system_id: kind.into(),
            name: String::new(),
            made_by: String::new(),
            goes_with_cluster: false,
        });
        let order: Vec<Vec<String>> = ranks(&swept)
            .into_iter()
            .map(|rank| rank.into_iter().map(|child| child.kind).collect())
            .collect();
        assert_eq!(
            order,
            [vec!["forwardingRule"], vec!["networkEndpointGroup", "firewallRule"], vec!["volume"]]
        );
        assert!(ranks(&[]).is_empty());
    }
}
