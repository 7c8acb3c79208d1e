//! What several operations on clusters share: reading the very cluster or node group that is meant, and following
//! EKS' own work. Never changes anything.

use pmks_driver::{ClusterTarget, DriverError, ErrorKind, Handle, NodeGroupTarget, Poll, Result};
use pmks_model::Findings;
use serde_json::json;

use crate::clusters::is_unsupported;
use crate::wire::ec2::Subnet;
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, convert};

/// The error of another thing that stands where the one that was meant stood.
pub(super) fn replaced(what: &str, name: &str) -> DriverError {
    let message = format!(
        "the {what} {name:?} that stands there now is another one than was meant; nothing was changed"
    );
    DriverError::new(ErrorKind::Replaced, PROVIDER, message)
}

/// Whether that incarnation is the one that is meant. One that nobody knows is not compared.
pub(super) fn is_meant(meant: &str, created_at: Option<eks::Moment>) -> bool {
    meant.is_empty() || created_at.is_none() || meant == convert::incarnation(created_at)
}

/// The cluster that is meant; `None`: it is gone.
///
/// # Errors
/// `Replaced` if another one of that name stands there.
pub(super) async fn cluster(
    driver: &AwsDriver,
    name: &str,
    incarnation: &str,
) -> Result<Option<eks::Cluster>> {
    match driver.api.describe_cluster(name).await {
        Ok(found) if is_meant(incarnation, found.created_at) => Ok(Some(found)),
        Ok(_) => Err(replaced("cluster", name)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The cluster that is meant, which must be there.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(super) async fn standing_cluster(driver: &AwsDriver, target: &ClusterTarget) -> Result<eks::Cluster> {
    let name = target.iid.system_id.as_str();
    cluster(driver, name, &target.incarnation).await?.ok_or_else(|| gone("cluster", name))
}

/// The node group that is meant; `None`: it is gone, or its cluster is.
///
/// # Errors
/// `Replaced` if another one of that name stands there.
pub(super) async fn node_group(
    driver: &AwsDriver,
    cluster: &str,
    name: &str,
    incarnation: &str,
) -> Result<Option<eks::Nodegroup>> {
    match driver.api.describe_nodegroup(cluster, name).await {
        Ok(found) if is_meant(incarnation, found.created_at) => Ok(Some(found)),
        Ok(_) => Err(replaced("node group", name)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The node group that is meant, which must be there.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(super) async fn standing_node_group(
    driver: &AwsDriver,
    target: &NodeGroupTarget,
) -> Result<eks::Nodegroup> {
    let (cluster, name) = (target.cluster.iid.system_id.as_str(), target.iid.system_id.as_str());
    node_group(driver, cluster, name, &target.incarnation).await?.ok_or_else(|| gone("node group", name))
}

/// These subnets, by one call; those that do not exist are left out.
pub(super) async fn subnets(driver: &AwsDriver, ids: &[String]) -> Result<Vec<Subnet>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    driver.api.describe_subnets(&[("subnet-id", ids.to_vec())]).await
}

/// The error of something that should stand and does not.
pub(super) fn gone(what: &str, name: &str) -> DriverError {
    DriverError::new(ErrorKind::NotFound, PROVIDER, format!("there is no {what} {name:?} any more"))
}

/// The error of a request that one field makes impossible.
pub(super) fn refused(field: &str, says: impl Into<String>) -> DriverError {
    let mut findings = Findings::default();
    findings.add(field, says);
    DriverError::invalid(PROVIDER, findings)
}

/// The handle of EKS' own work.
pub(super) fn handle_of(update: &eks::Update) -> Option<serde_json::Value> {
    update.id.as_deref().map(|id| json!({"update": id}))
}

/// How EKS' own work at a cluster, or at a node group of it, stands. An endpoint that does not tell, or no longer,
/// has lost it: the effect is looked for instead.
pub(super) async fn follow(
    driver: &AwsDriver,
    cluster: &str,
    node_group: Option<&str>,
    handle: &Handle,
) -> Result<Poll> {
    let Some(id) = handle.0.get("update").and_then(serde_json::Value::as_str) else { return Ok(Poll::Lost) };
    match driver.api.describe_update(cluster, node_group, id).await {
        Ok(update) => Ok(convert::update_poll(&update, serde_json::Value::Null)),
        Err(error) if error.is_not_found() || is_unsupported(&error) => Ok(Poll::Lost),
        Err(error) => Err(error),
    }
}
