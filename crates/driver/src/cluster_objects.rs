//! What a cluster's own Kubernetes API knows of that lives at the cloud: the objects that make balancers, and the
//! volumes; and the removal of those objects while the controllers that remove their balancers live.
//!
//! The same on every cloud. What a controller has made at the cloud is the driver's to find.

use std::time::Duration;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use pmks_model::{Child, Children, Unseen, UnseenVolumes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kubernetes::{BalancedObject, ClusterApi, Kind, PersistentVolume};
use crate::{Asked, Care, ErrorKind, Look, Result, StageContext, chain};

/// How long controllers are waited for; then the sweep takes what they left.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// How long a controller usually takes to remove a balancer.
pub const EXPECTED: Duration = Duration::from_mins(2);
/// The key under which the removal of an object leaves when it began.
const SINCE: &str = "since";

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
    pub unknown: Vec<Unseen>,
}

/// A kind of children that is looked at in one piece.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    what: &'static str,
    volumes: UnseenVolumes,
}

impl Part {
    /// One without volumes, as people call it.
    pub const fn of(what: &'static str) -> Self {
        Self { what, volumes: UnseenVolumes::None }
    }

    /// One with volumes that stay when the cluster goes.
    pub const fn with_volumes(what: &'static str) -> Self {
        Self { what, volumes: UnseenVolumes::Stay }
    }

    /// One with volumes that go with the cluster.
    pub const fn with_volumes_that_go(what: &'static str) -> Self {
        Self { what, volumes: UnseenVolumes::Go }
    }

    /// It could not be looked at.
    pub fn unseen(self, why: impl Into<String>) -> Unseen {
        Unseen { what: self.what.to_owned(), why: why.into(), volumes: self.volumes }
    }
}

impl ClusterObjects {
    /// Reads them. Four calls at the cluster; what fails, the way in included, is named among the unknown, or is asked for
    /// again, as the care says.
    ///
    /// # Errors
    /// `Unavailable` or `Throttled` for what is to be asked for again.
    pub async fn read(api: Result<ClusterApi>, care: Care) -> Result<Self> {
        let mut objects = Self::default();
        let api = match answered(api, care)? {
            Ok(api) => api,
            Err(error) => {
                let part = Part::with_volumes("what the cluster itself knows");
                objects.unknown.push(part.unseen(chain(&error)));
                return Ok(objects);
            }
        };
        let (services, ingresses, gateways, volumes) = futures::join!(
            api.list(Kind::Service).boxed(),
            api.list(Kind::Ingress).boxed(),
            api.list(Kind::Gateway).boxed(),
            api.persistent_volumes().boxed(),
        );
        for (what, listed) in [("Services", services), ("Ingresses", ingresses), ("Gateways", gateways)] {
            keep(Part::of(what), answered(listed, care)?, &mut objects.balanced, &mut objects.unknown);
        }
        let part = Part::with_volumes("PersistentVolumes");
        keep(part, answered(volumes, care)?, &mut objects.volumes, &mut objects.unknown);
        Ok(objects)
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

/// What a cluster answered, or why it is to be asked again.
///
/// # Errors
/// See [`ClusterObjects::read`].
pub fn answered<T>(read: Result<T>, care: Care) -> Result<Result<T>> {
    match read {
        Err(error) if care.asks_cluster_again(&error) => Err(match error.kind() {
            ErrorKind::Throttled { .. } => error,
            _ => error.as_kind(ErrorKind::Unavailable),
        }),
        read => Ok(read),
    }
}

fn keep<T>(part: Part, read: Result<Vec<T>>, found: &mut Vec<T>, unknown: &mut Vec<Unseen>) {
    match read {
        Ok(read) => found.extend(read),
        Err(error) => unknown.push(part.unseen(chain(&error))),
    }
}

/// Keeps what the cloud answered, or names it, as the care says.
///
/// # Errors
/// Why it was not read, if it is to be asked for again.
pub fn keep_seen<T>(
    part: Part,
    read: Result<Vec<T>>,
    care: Care,
    found: &mut Vec<T>,
    unknown: &mut Vec<Unseen>,
) -> Result<()> {
    match read {
        Err(error) if care.asks_cloud_again(&error) => Err(error),
        read => {
            keep(part, read, found, unknown);
            Ok(())
        }
    }
}

/// Adds what an earlier attempt found, and puts all in order: by kind and identifier, each once.
pub fn in_order(mut found: Vec<Child>, known: &[Child]) -> Vec<Child> {
    found.extend(known.iter().cloned());
    found.sort_by(|a, b| (&a.kind, &a.system_id).cmp(&(&b.kind, &b.system_id)));
    found.dedup_by(|a, b| (&a.kind, &a.system_id) == (&b.kind, &b.system_id));
    found
}

/// What was known before and was not found again: the objects in the cluster, which it alone can tell of, and the rest,
/// of which the cloud says whether it still stands.
pub fn not_found_again(found: &[Child], known: &[Child]) -> (Vec<Child>, Vec<Child>) {
    let is_found = |one: &Child| {
        found.iter().any(|other| (&one.kind, &one.system_id) == (&other.kind, &other.system_id))
    };
    known.iter().filter(|one| !is_found(one)).cloned().partition(|one| object_kind(&one.kind).is_some())
}

/// What a plan says of a cluster that is gone: beside what an earlier deletion saw, nobody knows what it left.
pub fn gone_already(name: &str, known: &[Child]) -> String {
    let since = if known.is_empty() { "" } else { ", after an earlier deletion looked," };
    format!(
        "cluster {name} is gone already: what its workloads brought about{since} (balancers, volumes) could not be looked \
         at, and may still stand"
    )
}

/// What an earlier deletion could not look at while the cluster stood, and nobody can any more: but for what has gone
/// with the cluster.
pub fn unseen_before(known: &Children) -> Vec<Unseen> {
    known.unknown.iter().filter(|unseen| unseen.volumes != UnseenVolumes::Go).cloned().collect()
}

/// What still stands though the cluster is gone: it has not gone with it.
pub fn left_behind(mut standing: Vec<Child>) -> Vec<Child> {
    for child in &mut standing {
        child.goes_with_cluster = false;
    }
    in_order(standing, &[])
}

/// For whom a volume was made, for people.
pub fn volume_made_by(volume: &PersistentVolume) -> String {
    let keeps = if volume.reclaimed { "" } else { ", which says to retain it" };
    match volume.claim.as_str() {
        "" => format!("PersistentVolume {}{keeps}", volume.name),
        claim => format!("PersistentVolumeClaim {claim}{keeps}"),
    }
}

/// Whether controllers were waited for long enough, ten minutes at the cloud's own pace, since the first of these
/// stages, which removed objects, began: what comes behind them does not begin to count anew.
pub fn have_waited(removals: &[String], context: &StageContext) -> bool {
    let left = removals.iter().filter_map(|stage| context.outputs.text(stage, SINCE)?.parse().ok());
    has_waited(left.min().unwrap_or(context.started_at), context)
}

fn has_waited(since: Timestamp, context: &StageContext) -> bool {
    let waited = context.now.duration_since(since);
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
        let Some(kind) = object_kind(&self.kind) else { return Ok(given_up("no such kind", context)) };
        let too_long = has_waited(context.started_at, context);
        match api.get(kind, &self.namespace, &self.name).await {
            Ok(None) => Ok(gone(context)),
            Ok(Some(_)) if too_long => Ok(given_up("its controller has not removed the balancer", context)),
            Ok(Some(object)) if object.deleting => {
                Ok(Look::pending(object.uid, "", "its controller removes the balancer"))
            }
            Ok(Some(_)) => Ok(Look::Absent),
            Err(error)
                if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden { .. }) =>
            {
                Ok(given_up(&error.to_string(), context))
            }
            Err(error) if too_long => Ok(given_up(&error.to_string(), context)),
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

/// Gone, with the time from which its balancer is waited for.
fn gone(context: &StageContext) -> Look {
    Look::ready("", "", json!({SINCE: context.started_at}))
}

/// Not waited for any longer.
fn given_up(why: &str, context: &StageContext) -> Look {
    Look::ready("", "", json!({"givenUp": why, SINCE: context.started_at}))
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

    /// A stage that began so many seconds ago.
    fn after(seconds: i64, pace: u32) -> StageContext {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        StageContext {
            outputs: Outputs::default(),
            token: String::new(),
            baseline: None,
            system_id: None,
            incarnation: None,
            started_at: now - SignedDuration::from_secs(seconds),
            now,
            pace,
        }
    }

    #[test]
    fn controllers_are_waited_for_ten_minutes_at_the_clouds_own_pace() {
        let waited = |seconds, pace| have_waited(&[], &after(seconds, pace));
        assert!(!waited(599, 1));
        assert!(waited(600, 1));
        assert!(!waited(5, 100));
        assert!(waited(6, 100));
        assert!(!waited(-5, 0));
    }

    #[test]
    fn the_wait_for_balancers_begins_with_the_first_object() {
        let removals = ["web", "api", "of an older release"].map(str::to_owned);
        let mut balancers = after(0, 1);
        balancers.outputs.insert("of an older release", Value::Null);
        assert!(!have_waited(&removals, &balancers));
        for (stage, look) in [("web", gone(&after(599, 1))), ("api", given_up("no", &after(60, 1)))] {
            let Look::Present(found) = look else { panic!("{look:?}") };
            let crate::FoundState::Ready(left) = found.state else { panic!("{found:?}") };
            balancers.outputs.insert(stage, left);
        }
        assert!(!have_waited(&removals, &balancers));
        balancers.now += SignedDuration::from_secs(1);
        assert!(have_waited(&removals, &balancers));
        assert!(!have_waited(&[], &balancers));
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
    fn what_was_known_is_told_from_what_was_found_again() {
        let found = [child("volume", "vol-1"), child("service", "a/b")];
        let known = [
            child("volume", "vol-1"),
            child("volume", "vol-2"),
            child("service", "a/b"),
            child("service", "c/d"),
        ];
        let (objects, others) = not_found_again(&found, &known);
        assert_eq!((objects, others), (vec![child("service", "c/d")], vec![child("volume", "vol-2")]));
        let stood = Child { goes_with_cluster: true, ..child("volume", "vol-2") };
        assert_eq!(left_behind(vec![stood]), [child("volume", "vol-2")]);
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
