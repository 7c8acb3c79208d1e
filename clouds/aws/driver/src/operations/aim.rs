//! What several operations on clusters share: reading the very cluster or node group that is meant, and following
//! EKS' own work. Never changes anything.

use jiff::SignedDuration;
use pmks_driver::{
    ClusterTarget, DriverError, Effect, ErrorKind, FoundState, Handle, Look, NodeGroupTarget, Poll, Reaction,
    Result, StageContext, reaction,
};
use pmks_model::{Findings, Says};
use serde_json::json;

use crate::clusters::{self, is_unsupported};
use crate::wire::ec2::Subnet;
use crate::wire::eks;
use crate::{AwsDriver, PROVIDER, convert};

/// How long after EKS changed it a node group's Auto Scaling group is waited for.
const REST_WITHIN: SignedDuration = SignedDuration::from_mins(5);

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

/// Why a node group has not yet as many nodes as it shall have; `None`: it has, or is not waited for any longer.
///
/// EKS calls an update successful once it has told the Auto Scaling group; that acts a moment later. What is read in
/// between counts nodes that go, or lacks some that come.
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html>, «Scale down phase»
pub(super) async fn unrest(
    driver: &AwsDriver,
    group: &eks::Nodegroup,
    context: &StageContext,
) -> Result<Option<String>> {
    let Some(modified) = group.modified_at else { return Ok(None) };
    let waited = context.now.duration_since(modified.0);
    let pace = i32::try_from(context.pace.max(1)).unwrap_or(i32::MAX);
    // Machines may be scarce, and an autoscaler may move the size for ever.
    if waited.saturating_mul(pace) >= REST_WITHIN {
        return Ok(None);
    }
    let names: Vec<String> = group.auto_scaling_groups().map(str::to_owned).collect();
    match clusters::groups_named(driver, &names).await {
        Ok(groups) => Ok(convert::unrest(&groups)),
        // What EKS has done is done, even where the groups may not be read.
        Err(error) if reaction(error.kind(), Effect::Read) == Reaction::Fail => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same, as the answer of a look at a node group that is as it was asked for.
pub(super) async fn at_rest(
    driver: &AwsDriver,
    group: &eks::Nodegroup,
    context: &StageContext,
    look: Look,
) -> Result<Look> {
    let ready = matches!(&look, Look::Present(found) if matches!(found.state, FoundState::Ready(_)));
    let unrest = if ready { unrest(driver, group, context).await? } else { None };
    let incarnation = convert::incarnation(group.created_at);
    Ok(unrest.map_or(look, |says| Look::pending(group.nodegroup_name.as_str(), incarnation, says)))
}

/// EKS' own work at a node group, followed until the group has as many nodes as it shall have.
pub(super) async fn follow_to_rest(
    driver: &AwsDriver,
    cluster: &str,
    name: &str,
    context: &StageContext,
    handle: &Handle,
) -> Result<Poll> {
    let followed = follow(driver, cluster, Some(name), handle).await?;
    let Poll::Done(outputs) = followed else { return Ok(followed) };
    let unrest = match node_group(driver, cluster, name, "").await? {
        Some(group) => unrest(driver, &group, context).await?,
        None => None,
    };
    Ok(unrest.map_or(Poll::Done(outputs), |says| Poll::Pending { says, after: None }))
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
pub(super) fn refused(field: &str, says: impl Into<Says>) -> DriverError {
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
