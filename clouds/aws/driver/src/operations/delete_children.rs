//! The end of what exists because a cluster stood: Kubernetes objects that make balancers go while their controllers
//! live; what is left at AWS goes by its stored identifier, never by a tag query made after.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::cluster_objects::{EXPECTED, ObjectRemoval, have_waited};
use pmks_driver::kubernetes::ClusterApi;
use pmks_driver::{Asked, Effect, Look, Result, StageContext, StageSpecification};
use pmks_model::{AccessInfo, Child, Cluster, Iid};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Stage;
use crate::{AwsDriver, children, kubernetes};

/// Whether a child is a balancer.
pub(super) fn is_balancer(child: &Child) -> bool {
    child.kind == children::BALANCER || child.kind == children::CLASSIC_BALANCER
}

/// The children in the order in which AWS lets them go: what holds another goes before it.
pub(super) fn ranks(swept: &[Child]) -> Vec<Vec<Child>> {
    let rank = |child: &Child| match child.kind.as_str() {
        children::BALANCER | children::CLASSIC_BALANCER => 0,
        children::TARGET_GROUP | children::INTERFACE => 1,
        children::SECURITY_GROUP => 2,
        _ => 3,
    };
    let of = |wanted| swept.iter().filter(|child| rank(child) == wanted).cloned().collect::<Vec<_>>();
    (0..4).map(of).filter(|children| !children.is_empty()).collect()
}

/// Deletes a Service, Ingress or Gateway, whose controller then removes its balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KubernetesObject {
    cluster: String,
    access: AccessInfo,
    #[serde(flatten)]
    object: ObjectRemoval,
}

impl KubernetesObject {
    /// The stage of a child that is an object in the cluster.
    pub(super) fn of(cluster: &str, access: &AccessInfo, child: &Child) -> Option<Self> {
        let object = ObjectRemoval::of(child)?;
        Some(Self { cluster: cluster.to_owned(), access: access.clone(), object })
    }

    /// Its stage.
    pub(super) fn stage(&self) -> StageSpecification {
        self.specification(self.object.stage_name()).expected(EXPECTED)
    }

    async fn api(&self, driver: &AwsDriver) -> Result<ClusterApi> {
        let cluster = Cluster {
            iid: Iid::unnamed(self.cluster.as_str()),
            access: self.access.clone(),
            ..Cluster::default()
        };
        kubernetes::of(driver, &cluster).await
    }
}

#[async_trait]
impl Stage<AwsDriver> for KubernetesObject {
    const KIND: &'static str = "aws.kubernetesObject.removal";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        self.object.look(&self.api(driver).await?, context).await
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        self.object.ask(&self.api(driver).await?).await
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
impl Stage<AwsDriver> for Balancers {
    const KIND: &'static str = "aws.balancers";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
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

    async fn ask(&self, _driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

/// Removes one child at AWS by its stored identifier.
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
impl Stage<AwsDriver> for RemoveChild {
    const KIND: &'static str = "aws.child.removal";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let standing = children::standing(driver, std::slice::from_ref(&self.child)).await?;
        Ok(if standing.is_empty() {
            Look::gone()
        } else if context.system_id.is_some() {
            Look::pending(self.child.system_id.as_str(), "", "AWS removes it")
        } else {
            Look::Absent
        })
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        children::remove(driver, &self.child).await?;
        Ok(Asked::accepted().with_system_id(self.child.system_id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(kind: &str, id: &str) -> Child {
        Child {
            kind: kind.into(),
            system_id: id.into(),
            name: String::new(),
            made_by: String::new(),
            goes_with_cluster: false,
        }
    }

    #[test]
    fn what_holds_another_goes_before_it() {
        let swept = [
            "volume",
            "securityGroup",
            "targetGroup",
            "loadBalancer",
            "networkInterface",
            "classicLoadBalancer",
        ]
        .map(|kind| child(kind, kind));
        let order: Vec<Vec<String>> = ranks(&swept)
            .into_iter()
            .map(|rank| rank.into_iter().map(|child| child.kind).collect())
            .collect();
        assert_eq!(
            order,
            [
                vec!["loadBalancer", "classicLoadBalancer"],
                vec!["targetGroup", "networkInterface"],
                vec!["securityGroup"],
                vec!["volume"],
            ]
        );
        assert!(ranks(&[]).is_empty());
    }
}
