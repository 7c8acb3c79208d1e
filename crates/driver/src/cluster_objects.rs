//! What a cluster's own Kubernetes API knows of that lives at the cloud: the objects that make balancers, and the
//! volumes; and the removal of those objects while the controllers that remove their balancers live.
//!
//! The same on every cloud. What a controller has made at the cloud is the driver's to find.

use std::time::Duration;

use futures::FutureExt;
use jiff::SignedDuration;
use pmks_model::Child;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kubernetes::{BalancedObject, ClusterApi, Kind, PersistentVolume};
use crate::{Asked, ErrorKind, Look, Result, StageContext, chain};

/// How long controllers are waited for; then the sweep takes what they left.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// How long a controller usually takes to remove a balancer.
pub const EXPECTED: Duration = Duration::from_mins(2);

/// What an object that makes balancers is called among children; its identifier there is `namespace/name`.
pub fn child_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Service => "service",
        Kind::Ingress => "ingress",
        Kind::Gateway => "gateway",
    }
}

/// The kind of object that a child of that kind is, if it is one.
pub fn object_kind(child_kind_word: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|candidate| child_kind(*candidate) == child_kind_word)
}

/// What a cluster's own Kubernetes API said.
#[derive(Debug, Default)]
pub struct ClusterObjects {
    /// The objects that make balancers.
    pub balanced: Vec<BalancedObject>,
    /// The volumes whose disks live at the cloud.
    pub volumes: Vec<PersistentVolume>,
    /// What could not be looked at, and why.
    pub unknown: Vec<String>,
}

impl ClusterObjects {
    /// Reads them. Four calls at the cluster; what fails, the way in included, is named among the unknown.
    pub async fn read(api: Result<ClusterApi>) -> Self {
        let mut objects = Self::default();
        let api = match api {
            Ok(api) => api,
            Err(error) => {
                objects.unknown.push(format!("what the cluster itself knows: {}", chain(&error)));
                return objects;
            }
        };
        let (services, ingresses, gateways, volumes) = futures::join!(
            api.list(Kind::Service).boxed(),
            api.list(Kind::Ingress).boxed(),
            api.list(Kind::Gateway).boxed(),
            api.persistent_volumes().boxed(),
        );
        for (what, listed) in [("Services", services), ("Ingresses", ingresses), ("Gateways", gateways)] {
            keep(what, listed, &mut objects.balanced, &mut objects.unknown);
        }
        keep("PersistentVolumes", volumes, &mut objects.volumes, &mut objects.unknown);
        objects
    }

    /// The objects as children. They live in the cluster; what they made does not.
    pub fn children(&self) -> impl Iterator<Item = Child> + '_ {
        self.balanced.iter().map(|object| Child {
            kind: child_kind(object.kind).to_owned(),
            system_id: format!("{}/{}", object.namespace, object.name),
            name: object.name.clone(),
            made_by: String::new(),
            goes_with_cluster: true,
        })
    }
}

/// Keeps what was read, or says why it was not.
pub fn keep<T>(what: &str, read: Result<Vec<T>>, found: &mut Vec<T>, unknown: &mut Vec<String>) {
    match read {
        Ok(read) => found.extend(read),
        Err(error) => unknown.push(format!("{what}: {}", chain(&error))),
    }
}

/// For whom a volume was made, for people.
pub fn volume_made_by(volume: &PersistentVolume) -> String {
    let keeps = if volume.reclaimed { "" } else { ", which says to retain it" };
    match volume.claim.as_str() {
        "" => format!("PersistentVolume {}{keeps}", volume.name),
        claim => format!("PersistentVolumeClaim {claim}{keeps}"),
    }
}

/// Whether a stage has waited long enough for controllers: ten minutes at the cloud's own pace.
pub fn has_waited(context: &StageContext) -> bool {
    let waited = context.now.duration_since(context.started_at);
    waited.saturating_mul(i32::try_from(context.pace.max(1)).unwrap_or(i32::MAX)) >= LONGEST_WAIT
}

/// Deletes a Service, Ingress or Gateway, whose controller then removes its balancer. A driver's stage holds it, and
/// the way to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRemoval {
    kind: String,
    namespace: String,
    name: String,
}

impl ObjectRemoval {
    /// Of a child, if that is an object in the cluster.
    pub fn of(child: &Child) -> Option<Self> {
        object_kind(&child.kind)?;
        let (namespace, name) = child.system_id.split_once('/')?;
        Some(Self { kind: child.kind.clone(), namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// What its stage is called.
    pub fn stage_name(&self) -> String {
        format!("removal of {} {}/{}", self.kind, self.namespace, self.name)
    }

    /// Whether it is gone, or going. One call. Given up when its controller takes too long, or nobody lets us in: the
    /// sweep will take the balancer, once nothing can make it again.
    ///
    /// # Errors
    /// None that waiting could not mend.
    pub async fn look(&self, api: &ClusterApi, context: &StageContext) -> Result<Look> {
        let Some(kind) = object_kind(&self.kind) else { return Ok(given_up("no such kind")) };
        match api.get(kind, &self.namespace, &self.name).await {
            Ok(None) => Ok(Look::gone()),
            Ok(Some(_)) if has_waited(context) => Ok(given_up("its controller has not removed the balancer")),
            Ok(Some(object)) if object.deleting => {
                Ok(Look::pending(object.uid, "", "its controller removes the balancer"))
            }
            Ok(Some(_)) => Ok(Look::Absent),
            Err(error)
                if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden { .. }) =>
            {
                Ok(given_up(&error.to_string()))
            }
            Err(error) if has_waited(context) => Ok(given_up(&error.to_string())),
            Err(error) => Ok(Look::Unsure(error.to_string())),
        }
    }

    /// Asks the cluster to delete it. One call.
    ///
    /// # Errors
    /// As of [`ClusterApi::delete`].
    pub async fn ask(&self, api: &ClusterApi) -> Result<Asked> {
        let Some(kind) = object_kind(&self.kind) else { return Ok(Asked::done(Value::Null)) };
        api.delete(kind, &self.namespace, &self.name, "").await?;
        Ok(Asked::accepted())
    }
}

fn given_up(why: &str) -> Look {
    Look::ready("", "", json!({"givenUp": why}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outputs;

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
    fn controllers_are_waited_for_ten_minutes_at_the_clouds_own_pace() {
        let after = |seconds: i64, pace: u32| {
            let started_at = jiff::Timestamp::UNIX_EPOCH;
            has_waited(&StageContext {
                outputs: Outputs::default(),
                token: String::new(),
                baseline: None,
                system_id: None,
                incarnation: None,
                started_at,
                now: started_at + SignedDuration::from_secs(seconds),
                pace,
            })
        };
        assert!(!after(599, 1));
        assert!(after(600, 1));
        assert!(!after(5, 100));
        assert!(after(6, 100));
        assert!(!after(-5, 0));
    }

    #[test]
    fn only_objects_of_the_cluster_are_deleted_there() {
        assert!(ObjectRemoval::of(&child("service", "default/web")).is_some());
        let gateway = ObjectRemoval::of(&child("gateway", "a/b")).unwrap();
        assert_eq!(gateway.stage_name(), "removal of gateway a/b");
        assert!(ObjectRemoval::of(&child("service", "no-namespace")).is_none());
        assert!(ObjectRemoval::of(&child("volume", "vol/1")).is_none());
    }

    #[test]
    fn a_volume_says_for_whom_it_was_made() {
        let of = |claim: &str, reclaimed| {
            volume_made_by(&PersistentVolume {
                name: "pv".into(),
                cloud_id: "d".into(),
                driver: String::new(),
                claim: claim.into(),
                reclaimed,
            })
        };
        assert_eq!(of("shop/data", true), "PersistentVolumeClaim shop/data");
        assert_eq!(of("", false), "PersistentVolume pv, which says to retain it");
    }
}
