//! The end of what exists because a cluster stood: Kubernetes objects that make balancers go while their controllers
//! live; what is left at AWS goes by its stored identifier, never by a tag query made after.

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pmks_driver::kubernetes::Kind;
use pmks_driver::{Asked, Effect, ErrorKind, Look, Result, StageContext, StageSpecification};
use pmks_model::{AccessInfo, Child, Cluster, Iid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Stage;
use crate::{AwsDriver, children, kubernetes};

/// How long controllers are waited for; then the sweep takes what they left.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// How long a controller usually takes to remove a balancer.
const EXPECTED: Duration = Duration::from_mins(2);

/// The Kubernetes kind of a child, if it is an object in the cluster.
pub(super) fn object_kind(kind: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|candidate| children::object_kind(*candidate) == kind)
}

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

/// Whether a stage has waited long enough for controllers.
fn has_waited(context: &StageContext) -> bool {
    let waited = context.now.duration_since(context.started_at);
    waited.saturating_mul(i32::try_from(context.pace.max(1)).unwrap_or(i32::MAX)) >= LONGEST_WAIT
}

/// Deletes a Service, Ingress or Gateway, whose controller then removes its balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KubernetesObject {
    cluster: String,
    access: AccessInfo,
    kind: String,
    namespace: String,
    name: String,
}

impl KubernetesObject {
    /// The stage of a child that is an object in the cluster.
    pub(super) fn of(cluster: &str, access: &AccessInfo, child: &Child) -> Option<Self> {
        object_kind(&child.kind)?;
        let (namespace, name) = child.system_id.split_once('/')?;
        Some(Self {
            cluster: cluster.to_owned(),
            access: access.clone(),
            kind: child.kind.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Its stage.
    pub(super) fn stage(&self) -> StageSpecification {
        let name = format!("removal of {} {}/{}", self.kind, self.namespace, self.name);
        self.specification(name).expected(EXPECTED)
    }

    fn cluster(&self) -> Cluster {
        Cluster {
            iid: Iid::unnamed(self.cluster.as_str()),
            access: self.access.clone(),
            ..Cluster::default()
        }
    }

    /// Given up: the sweep will take the balancer, once nothing can make it again.
    fn given_up(why: &str) -> Look {
        Look::ready("", "", json!({"givenUp": why}))
    }
}

#[async_trait]
impl Stage for KubernetesObject {
    const KIND: &'static str = "aws.kubernetesObject.removal";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let Some(kind) = object_kind(&self.kind) else { return Ok(Self::given_up("no such kind")) };
        let api = kubernetes::of(driver, &self.cluster()).await?;
        match api.get(kind, &self.namespace, &self.name).await {
            Ok(None) => Ok(Look::gone()),
            Ok(Some(_)) if has_waited(context) => {
                Ok(Self::given_up("its controller has not removed the balancer"))
            }
            Ok(Some(object)) if object.deleting => {
                Ok(Look::pending(object.uid, "", "its controller removes the balancer"))
            }
            Ok(Some(_)) => Ok(Look::Absent),
            Err(error)
                if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden { .. }) =>
            {
                Ok(Self::given_up(&error.to_string()))
            }
            Err(error) if has_waited(context) => Ok(Self::given_up(&error.to_string())),
            Err(error) => Ok(Look::Unsure(error.to_string())),
        }
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        let Some(kind) = object_kind(&self.kind) else { return Ok(Asked::done(Value::Null)) };
        let api = kubernetes::of(driver, &self.cluster()).await?;
        api.delete(kind, &self.namespace, &self.name, "").await?;
        Ok(Asked::accepted())
    }
}

/// Waits until the stored balancers are gone, or long enough.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balancers {
    pub(super) children: Vec<Child>,
}

impl Balancers {
    /// Its stage.
    pub(super) fn stage(&self) -> StageSpecification {
        self.specification("balancers gone").effect(Effect::Read).expected(EXPECTED)
    }
}

#[async_trait]
impl Stage for Balancers {
    const KIND: &'static str = "aws.balancers";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let standing = children::standing(driver, &self.children).await?;
        let names: Vec<&str> = standing.iter().map(|child| child.system_id.as_str()).collect();
        Ok(if names.is_empty() {
            Look::gone()
        } else if has_waited(context) {
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
impl Stage for RemoveChild {
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
    use crate::operations::tests::context;

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

    #[test]
    fn controllers_are_waited_for_ten_minutes_at_the_clouds_own_pace() {
        let after = |seconds: i64, pace: u32| {
            let mut context = context();
            context.now = context.started_at + SignedDuration::from_secs(seconds);
            context.pace = pace;
            has_waited(&context)
        };
        assert!(!after(599, 1));
        assert!(after(600, 1));
        assert!(!after(5, 100));
        assert!(after(6, 100));
        assert!(!after(-5, 0));
    }

    #[test]
    fn only_objects_of_the_cluster_are_deleted_there() {
        let access = AccessInfo::default();
        assert!(KubernetesObject::of("c", &access, &child("service", "default/web")).is_some());
        assert!(KubernetesObject::of("c", &access, &child("gateway", "a/b")).is_some());
        assert!(KubernetesObject::of("c", &access, &child("service", "no-namespace")).is_none());
        assert!(KubernetesObject::of("c", &access, &child("volume", "vol/1")).is_none());
    }
}
