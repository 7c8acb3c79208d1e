//! What several operations share: reading the very cluster or node group that is meant, and following Azure's own
//! work. Never changes anything.

use pmks_driver::{
    Asked, ClusterTarget, DriverError, ErrorKind, Handle, Look, Marks, NodeGroupTarget, Poll, Result,
};
use pmks_model::{Findings, Says, Tags, Version};
use serde_json::{Value, json};

use super::progress::RESOURCE;
use crate::api::{Accepted, Condition, Progress};
use crate::arm_id::ArmId;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, clusters, convert};

/// The error of another thing that stands where the one that was meant stood.
pub(super) fn replaced(what: &str, name: &str) -> DriverError {
    let message = format!(
        "the {what} {name:?} that stands there now is another one than was meant; nothing was changed"
    );
    DriverError::new(ErrorKind::Replaced, PROVIDER, message)
}

/// Refuses what another stands in the place of. One that nobody knows is not compared.
///
/// # Errors
/// `Replaced`.
pub(super) fn refuse_another(what: &str, name: &str, meant: &str, found: &str) -> Result<()> {
    if is_meant(meant, found) { Ok(()) } else { Err(replaced(what, name)) }
}

/// The error of something that should stand and does not.
pub(super) fn gone(what: &str, name: &str) -> DriverError {
    DriverError::new(ErrorKind::NotFound, PROVIDER, format!("there is no {what} {name:?} any more"))
}

/// The error of a name that a stranger has.
pub(super) fn taken(what: &str, name: &str) -> DriverError {
    let message =
        format!("a {what} of the name {name:?} stands there already, and this operation did not make it");
    DriverError::new(ErrorKind::AlreadyExists, PROVIDER, message)
}

/// Refuses a name under which something stands that this operation did not make: `standing` is the answer of its read.
///
/// # Errors
/// `AlreadyExists`; those of the read but for `NotFound`.
pub(super) fn refuse_strangers(standing: Result<Tags>, marks: &Marks, what: &str, name: &str) -> Result<()> {
    match standing {
        Ok(tags) if !marks.are_on(&tags) => Err(taken(what, name)),
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// The error of a request that one field makes impossible.
pub(super) fn refused(field: &str, says: impl Into<Says>) -> DriverError {
    let mut findings = Findings::default();
    findings.add(field, says);
    DriverError::invalid(PROVIDER, findings)
}

/// Whether that incarnation is the one that is meant. One that nobody knows is not compared.
pub(super) fn is_meant(meant: &str, found: &str) -> bool {
    meant.is_empty() || found.is_empty() || meant == found
}

/// The cluster that is meant; `None`: it is gone.
///
/// # Errors
/// `Replaced` if another one of that name stands there.
pub(super) async fn cluster(
    driver: &AzureDriver,
    id: &ArmId,
    incarnation: &str,
) -> Result<Option<wire::ManagedCluster>> {
    match driver.api.cluster(id).await {
        Ok(found) => {
            refuse_another("cluster", id.name(), incarnation, &convert::incarnation(&found))?;
            Ok(Some(found))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The cluster that is meant, which must be there, with its identifier.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(super) async fn standing_cluster(
    driver: &AzureDriver,
    target: &ClusterTarget,
) -> Result<(ArmId, wire::ManagedCluster)> {
    let id = driver.cluster_id(&target.iid.system_id);
    let found = cluster(driver, &id, &target.incarnation).await?;
    let found = found.ok_or_else(|| gone("cluster", id.name()))?;
    Ok((id, found))
}

/// A pool within the cluster that was read.
pub(super) fn pool<'a>(cluster: &'a wire::ManagedCluster, name: &str) -> Option<&'a wire::AgentPoolProfile> {
    cluster.properties.agent_pool_profiles.iter().find(|pool| pool.name == name)
}

/// The node group that is meant, in its cluster; `None`: it is gone, or its cluster is. Its incarnation is its
/// cluster's: AKS has none for it.
///
/// # Errors
/// `Replaced` if another cluster of that name stands there.
pub(super) async fn node_group(
    driver: &AzureDriver,
    cluster_id: &ArmId,
    name: &str,
    incarnation: &str,
) -> Result<Option<(wire::ManagedCluster, wire::AgentPoolProfile)>> {
    let Some(found) = cluster(driver, cluster_id, incarnation).await? else { return Ok(None) };
    let pool = pool(&found, name).cloned();
    Ok(pool.map(|pool| (found, pool)))
}

/// A node group that must be there.
pub(super) struct Standing {
    pub(super) cluster_id: ArmId,
    pub(super) name: String,
    pub(super) cluster: wire::ManagedCluster,
    pub(super) pool: wire::AgentPoolProfile,
}

/// The node group that is meant, which must be there.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(super) async fn standing_node_group(driver: &AzureDriver, target: &NodeGroupTarget) -> Result<Standing> {
    let cluster_id = driver.cluster_id(&target.cluster.iid.system_id);
    let name = clusters::pool_name(&target.iid.system_id);
    let found = node_group(driver, &cluster_id, &name, &target.incarnation).await?;
    let (cluster, pool) = found.ok_or_else(|| gone("node group", &name))?;
    Ok(Standing { cluster_id, name, cluster, pool })
}

/// Whether AKS' own pods run in a pool.
pub(super) fn is_system(pool: &wire::AgentPoolProfile) -> bool {
    pool.mode.as_deref() == Some("System")
}

/// A version that must be known.
pub(super) fn version_of(version: Option<Version>, what: &str, name: &str) -> Result<Version> {
    version.ok_or_else(|| {
        let message = format!("AKS does not say which version {what} {name:?} has");
        DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
    })
}

/// Stopped clusters refuse every change but their start: said before anything is asked.
pub(super) fn refuse_stopped(cluster: &wire::ManagedCluster) -> Result<()> {
    if convert::cluster_status(cluster) != pmks_model::Status::Stopped {
        return Ok(());
    }
    let what = format!("the cluster {} is stopped", cluster.name);
    let fix = "start it (az aks start), then retry".to_owned();
    Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what))
}

/// The condition that what was read has not changed since.
pub(super) fn unchanged(raw: &Value) -> Condition<'_> {
    convert::etag(raw).map_or(Condition::None, Condition::Unchanged)
}

/// Whether what was read is the incarnation that is meant.
///
/// # Errors
/// `Replaced`.
pub(super) fn check_raw(raw: &Value, meant: &str, name: &str) -> Result<()> {
    let found = raw.pointer("/properties/resourceUID").and_then(Value::as_str).unwrap_or_default();
    refuse_another("cluster", name, meant, found)
}

/// Azure's acceptance as the engine takes it: what to follow, and what it is about.
pub(super) fn asked(accepted: Accepted, id: &ArmId) -> Asked {
    let handle = accepted.handle.map(|mut handle| {
        if let Some(members) = handle.as_object_mut() {
            members.insert(RESOURCE.to_owned(), json!(id.to_string()));
        }
        handle
    });
    let asked = handle.map_or_else(Asked::accepted, Asked::following);
    asked.with_system_id(id.to_string()).first_after(accepted.after)
}

/// How Azure's own work stands, which `action` began. Work that Azure no longer knows, or that it named by a URL of a
/// foreign host, is lost: the effect is looked for instead. So it is where the work is done and what it made is to be
/// read.
pub(super) async fn follow(driver: &AzureDriver, action: &'static str, handle: &Handle) -> Result<Poll> {
    match driver.api.progress(action, &handle.0).await {
        Ok(Progress::Running { says, after }) => Ok(Poll::Pending { says, after }),
        Ok(Progress::Done) => Ok(Poll::Lost),
        Ok(Progress::Failed(error)) => Ok(Poll::Failed(error)),
        Err(error) if error.is_not_found() => Ok(Poll::Lost),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidRequest(_)) => {
            tracing::warn!(%error, "the work that Azure named cannot be followed");
            Ok(Poll::Lost)
        }
        Err(error) => Err(error),
    }
}

/// A resource that was made with one request, as its own state says. Where Azure gives it no incarnation its identifier
/// stands for that.
pub(super) fn made(id: &ArmId, incarnation: &str, provisioning: &str, what: &str) -> Look {
    let text = id.to_string();
    let incarnation = if incarnation.is_empty() { text.as_str() } else { incarnation };
    match provisioning {
        "Succeeded" | "" => Look::ready(text.as_str(), incarnation, Value::Null),
        "Failed" | "Canceled" => Look::failed(text.as_str(), incarnation, convert::failure("", what, None)),
        "Deleting" => Look::Unsure(format!("a {what} of that name is being deleted")),
        word => Look::pending(text.as_str(), incarnation, word),
    }
}

/// Waits while Azure works on something; `None`: it is at rest.
pub(super) fn busy(id: &ArmId, incarnation: &str, provisioning: &str) -> Option<Look> {
    match provisioning {
        "Succeeded" | "Failed" | "Canceled" | "" => None,
        word => Some(Look::pending(id.to_string(), incarnation, word)),
    }
}

/// A pool as it came, as the body of its replacement: read with its cluster, so that one call tells both what stands
/// and that it is meant. `None`: the pool is gone, or its cluster is.
///
/// # Errors
/// `Replaced` if another cluster of that name stands there.
pub(super) async fn raw_pool(
    driver: &AzureDriver,
    cluster_id: &ArmId,
    incarnation: &str,
    name: &str,
) -> Result<Option<Value>> {
    let raw = match driver.api.raw_cluster(cluster_id).await {
        Err(error) if error.is_not_found() => return Ok(None),
        answer => answer?,
    };
    check_raw(&raw, incarnation, cluster_id.name())?;
    let Some(body) = pool_body(&raw, name) else { return Ok(None) };
    if convert::etag(&body).is_some() {
        return Ok(Some(body));
    }
    match driver.api.raw_pool(&cluster_id.child("agentPools", name)).await {
        Err(error) if error.is_not_found() => Ok(None),
        answer => answer.map(Some),
    }
}

/// The properties of a pool are written in its cluster as they are in the pool itself, with its name among them.
fn pool_body(cluster: &Value, name: &str) -> Option<Value> {
    let pools = cluster.pointer("/properties/agentPoolProfiles")?.as_array()?;
    let named = |pool: &&Value| pool.get("name").and_then(Value::as_str) == Some(name);
    let mut properties = pools.iter().find(named)?.clone();
    properties.as_object_mut()?.remove("name");
    Some(json!({"properties": properties}))
}

/// Sets a field of a resource's properties.
pub(super) fn set_property(raw: &mut Value, name: &str, value: Value) {
    if let Some(properties) = raw.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(name.to_owned(), value);
    }
}

/// Whether AKS' last work on it came to nothing.
pub(super) fn has_failed(provisioning_state: &str) -> bool {
    matches!(provisioning_state, "Failed" | "Canceled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_cut_out_of_its_cluster_whole() {
        let pool = json!({"name": "ga", "count": 2, "eTag": "e", "wordOfTomorrow": {"a": [1]}});
        let cluster = json!({"properties": {"agentPoolProfiles": [{"name": "gb"}, pool]}});
        let mut body = pool_body(&cluster, "ga").unwrap();
        assert_eq!(body, json!({"properties": {"count": 2, "eTag": "e", "wordOfTomorrow": {"a": [1]}}}));
        assert!(matches!(unchanged(&body), Condition::Unchanged("e")));
        set_property(&mut body, "count", json!(3));
        assert_eq!(body.pointer("/properties/count"), Some(&json!(3)));
        assert_eq!(pool_body(&cluster, "gc"), None);
        assert_eq!(pool_body(&json!({}), "ga"), None);
    }

    #[test]
    fn a_name_is_free_or_ours() {
        let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
        let refused = |standing: Result<Tags>| {
            refuse_strangers(standing, &marks, "network", "n").map_err(|error| error.kind().clone())
        };
        assert_eq!(refused(Err(gone("network", "n"))), Ok(()));
        assert_eq!(refused(Ok(marks.onto(&Tags::new()))), Ok(()));
        assert_eq!(refused(Ok(Tags::new())), Err(ErrorKind::AlreadyExists));
        let unread = DriverError::new(ErrorKind::Unavailable, PROVIDER, "not now");
        assert_eq!(refused(Err(unread)), Err(ErrorKind::Unavailable));
    }

    #[test]
    fn another_incarnation_is_not_the_one_that_is_meant() {
        let raw = json!({"properties": {"resourceUID": "u1"}});
        assert!(check_raw(&raw, "u1", "web").is_ok() && check_raw(&raw, "", "web").is_ok());
        assert_eq!(*check_raw(&raw, "u2", "web").unwrap_err().kind(), ErrorKind::Replaced);
    }

    #[test]
    fn work_of_azures_is_waited_for() {
        let id = ArmId::new("0", "g", "p", "k", "n");
        for word in ["Succeeded", "Failed", "Canceled", ""] {
            assert!(busy(&id, "", word).is_none(), "{word}");
        }
        assert!(busy(&id, "", "Upgrading").is_some());
    }
}
