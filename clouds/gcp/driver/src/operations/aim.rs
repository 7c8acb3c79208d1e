//! What several operations on clusters share: reading the very cluster or node pool that is meant, and following
//! Google's own work. Never changes anything.

use pmks_driver::{
    Asked, ClusterTarget, DriverError, ErrorKind, Found, FoundState, Handle, Look, NodeGroupTarget, Poll,
    Result,
};
use pmks_model::{Findings, Iid, NodeGroup, Says, Status};
use serde_json::{Value, json};

use crate::api::compute::Scope;
use crate::names::ClusterName;
use crate::wire::{compute, container};
use crate::{GcpDriver, PROVIDER, convert};

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
    let is_meant = meant.is_empty() || found.is_empty() || meant == found;
    if is_meant { Ok(()) } else { Err(replaced(what, name)) }
}

/// Whether that cluster is the one that is meant. An incarnation that nobody knows is not compared.
pub(super) fn is_meant(meant: &str, found: &container::Cluster) -> bool {
    meant.is_empty() || meant == convert::incarnation(found)
}

/// The cluster that is meant, by its identifier; `None`: it is gone.
///
/// # Errors
/// `Replaced` if another one of that name stands there.
pub(super) async fn cluster(
    driver: &GcpDriver,
    id: &str,
    incarnation: &str,
) -> Result<Option<(ClusterName, container::Cluster)>> {
    let name = match driver.cluster_name(id) {
        Err(error) if error.is_not_found() => return Ok(None),
        name => name?,
    };
    match driver.api.get_cluster(&name).await {
        Ok(found) if is_meant(incarnation, &found) => Ok(Some((name, found))),
        Ok(_) => Err(replaced("cluster", &name.name)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The cluster that is meant, which must be there.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(super) async fn standing(
    driver: &GcpDriver,
    id: &str,
    incarnation: &str,
) -> Result<(ClusterName, container::Cluster)> {
    cluster(driver, id, incarnation).await?.ok_or_else(|| gone("cluster", id))
}

/// The same of a target.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(super) async fn standing_cluster(
    driver: &GcpDriver,
    target: &ClusterTarget,
) -> Result<(ClusterName, container::Cluster)> {
    standing(driver, &target.iid.system_id, &target.incarnation).await
}

/// The node pool that is meant with its cluster, which must be there, and be one whose pools can change. Pools have no
/// incarnation but their cluster's.
///
/// # Errors
/// `NotFound`, `Replaced`, `Precondition`.
pub(super) async fn standing_pool(
    driver: &GcpDriver,
    target: &NodeGroupTarget,
) -> Result<(ClusterName, container::Cluster, container::NodePool)> {
    let (name, cluster) = standing_cluster(driver, &target.cluster).await?;
    if !is_meant(&target.incarnation, &cluster) {
        return Err(replaced("node pool", &target.iid.system_id));
    }
    refuse_autopilot(&cluster)?;
    let pool = pool_of(&cluster, &target.iid.system_id);
    let pool = pool.cloned().ok_or_else(|| gone("node pool", &target.iid.system_id))?;
    Ok((name, cluster, pool))
}

/// Refuses what changes node pools of an Autopilot cluster: Google alone makes, sizes and upgrades these, and answers
/// such calls «Autopilot node pools cannot be accessed or modified.» (400).
///
/// Sources: <https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-overview>,
/// <https://github.com/turbot/steampipe-plugin-gcp/pull/591>
///
/// # Errors
/// `Precondition`.
pub(super) fn refuse_autopilot(cluster: &container::Cluster) -> Result<()> {
    if !cluster.autopilot.enabled {
        return Ok(());
    }
    let what =
        format!("cluster {:?} is an Autopilot cluster: Google alone changes its node groups", cluster.name);
    let fix =
        "say in the pods what they need, by which Google makes nodes, or use a Standard cluster".to_owned();
    Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what))
}

/// The node pool of that name.
pub(super) fn pool_of<'a>(cluster: &'a container::Cluster, name: &str) -> Option<&'a container::NodePool> {
    cluster.node_pools.iter().find(|pool| pool.name == name)
}

/// Refuses node pools that have failed or are going.
///
/// # Errors
/// `Precondition`.
pub(super) fn refuse_unfit<'p>(pools: impl IntoIterator<Item = &'p container::NodePool>) -> Result<()> {
    let seen = |pool: &container::NodePool| NodeGroup {
        iid: Iid::unnamed(pool.name.as_str()),
        status: convert::node_pool_status(&pool.status),
        status_reason: convert::reasons(&pool.conditions, ""),
        ..NodeGroup::default()
    };
    pmks_driver::refuse_unfit(PROVIDER, &pools.into_iter().map(seen).collect::<Vec<_>>())
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

/// The error of a request that one field makes impossible.
pub(super) fn refused(field: &str, says: impl Into<Says>) -> DriverError {
    let mut findings = Findings::default();
    findings.add(field, says);
    DriverError::invalid(PROVIDER, findings)
}

/// What GKE says: its word, and why.
pub(super) fn says(word: &str, conditions: &[container::StatusCondition]) -> String {
    match convert::reasons(conditions, "").as_str() {
        "" => word.to_owned(),
        reasons => format!("{word} ({reasons})"),
    }
}

/// Accepted; GKE's own work is to be followed.
pub(super) fn following(name: &ClusterName, operation: &container::Operation) -> Asked {
    if operation.name.is_empty() {
        return Asked::accepted();
    }
    Asked::following(json!({"operation": operation.name, "location": name.location}))
}

/// How GKE's own work stands. What GKE no longer knows is looked for.
pub(super) async fn follow(driver: &GcpDriver, handle: &Handle) -> Result<Poll> {
    let text = |key: &str| handle.0.get(key).and_then(Value::as_str);
    let (Some(operation), Some(location)) = (text("operation"), text("location")) else {
        return Ok(Poll::Lost);
    };
    match driver.api.get_operation(location, operation).await {
        Ok(operation) => Ok(convert::poll(&operation, Value::Null)),
        Err(error) if error.is_not_found() => Ok(Poll::Lost),
        Err(error) => Err(error),
    }
}

/// The same, read in a list of all of GKE's own work; `None`: the list does not have it.
pub(super) fn follow_in(handle: &Handle, listed: &[container::Operation]) -> Option<Poll> {
    let text = |key: &str| handle.0.get(key).and_then(Value::as_str);
    let (name, location) = (text("operation")?, text("location")?);
    let found = listed.iter().find(|operation| operation.name == name && operation.location == location)?;
    Some(convert::poll(found, Value::Null))
}

/// Whether what failed is still there and failed, so that it may be asked to go; what goes already is let go.
///
/// # Errors
/// `AlreadyExists` where it is a stranger's; `Stale` where it has failed no longer.
pub(super) fn goes_anew(what: &str, status: Status, look: Look) -> Result<bool> {
    match look {
        Look::Present(Found { state: FoundState::Failed(error), .. }) => {
            if *error.kind() == ErrorKind::AlreadyExists { Err(error) } else { Ok(true) }
        }
        _ if status == Status::Deleting => Ok(false),
        _ => Err(DriverError::new(
            ErrorKind::Stale,
            PROVIDER,
            format!("the {what} had failed, and has no longer"),
        )),
    }
}

/// Accepted; Compute Engine's own work is to be followed.
pub(super) fn following_compute(scope: &Scope, operation: &compute::Operation) -> Asked {
    if operation.name.is_empty() {
        return Asked::accepted();
    }
    Asked::following(json!({"operation": operation.name, "scope": scope}))
}

/// How Compute Engine's own work stands. What it no longer knows is looked for.
pub(super) async fn follow_compute(driver: &GcpDriver, handle: &Handle, outputs: Value) -> Result<Poll> {
    let operation = handle.0.get("operation").and_then(Value::as_str);
    let scope = handle.0.get("scope").and_then(|scope| serde_json::from_value::<Scope>(scope.clone()).ok());
    let (Some(operation), Some(scope)) = (operation, scope) else { return Ok(Poll::Lost) };
    match driver.api.compute_operation(&scope, operation).await {
        Ok(operation) => Ok(convert::compute_poll(&operation, outputs)),
        Err(error) if error.is_not_found() => Ok(Poll::Lost),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_number_is_another_one() {
        let kind = |meant: &str, found: &str| {
            refuse_another("network", "n", meant, found).map_err(|error| error.kind().clone())
        };
        assert_eq!(kind("7", "8"), Err(ErrorKind::Replaced));
        for (meant, found) in [("7", "7"), ("", "8"), ("7", "")] {
            assert_eq!(kind(meant, found), Ok(()), "{meant:?} {found:?}");
        }
    }

    #[test]
    fn work_is_found_in_a_list_by_its_name_and_place() {
        let listed: Vec<container::Operation> = serde_json::from_value(json!([
            {"name": "operation-1", "location": "r1-a", "status": "RUNNING"},
            {"name": "operation-2", "location": "r1", "status": "DONE"},
        ]))
        .unwrap();
        let of = |operation: &str, location: &str| {
            let handle = Handle(json!({"operation": operation, "location": location}));
            follow_in(&handle, &listed).map(|poll| format!("{poll:?}"))
        };
        assert!(of("operation-1", "r1-a").unwrap().starts_with("Pending"));
        assert!(of("operation-2", "r1").unwrap().starts_with("Done"));
        assert_eq!(of("operation-2", "r1-a"), None);
        assert!(
            follow_in(&Handle(json!({"operation": "operation-1", "scope": "global"})), &listed).is_none()
        );
    }

    #[test]
    fn only_what_failed_and_is_ours_goes_anew() {
        let failed = |kind| Look::failed("c", "1", DriverError::new(kind, PROVIDER, "no"));
        let kind = |status, look| goes_anew("cluster", status, look).map_err(|error| error.kind().clone());
        assert_eq!(kind(Status::Failed, failed(ErrorKind::Unexpected)), Ok(true));
        assert_eq!(kind(Status::Failed, failed(ErrorKind::AlreadyExists)), Err(ErrorKind::AlreadyExists));
        assert_eq!(kind(Status::Deleting, Look::pending("c", "1", "STOPPING")), Ok(false));
        assert_eq!(kind(Status::Active, Look::ready("c", "1", Value::Null)), Err(ErrorKind::Stale));
    }
}
