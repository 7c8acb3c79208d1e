//! Managed node groups: made, shown, listed and deleted. What a request may say is `node_group_request.rs`'s.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteNodegroup.html>.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::request::{Request, page_of_names};
use super::state::{Cluster, NodeGroup, NodeGroupStep, Pending, Scaling, Status};
use super::{node_group_request, view};

/// From the request until machines are asked for.
const PREPARING: Duration = Duration::from_secs(20);
/// From the deletion's request until machines are told to go.
const DRAINING: Duration = Duration::from_secs(20);
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>.
const PER_CLUSTER: usize = 30;

/// `CreateNodegroup`.
pub(crate) fn create(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let name = request.body().required_text("nodegroupName")?;
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let about = |error: Error| error.cluster(&cluster.name).node_group(&name);
    if let Some(known) = repeated(&cluster, request).map_err(about)? {
        return Ok(json!({"nodegroup": view::node_group(known, &cluster.name, known.scaling)}));
    }
    if cluster.node_groups.contains_key(&name) {
        let words = format!("NodeGroup already exists with name {name} and cluster name {}", cluster.name);
        return Err(about(Error::in_use(words)));
    }
    if cluster.status != Status::Active {
        return Err(about(Error::request(format!("Cluster '{}' is not in ACTIVE status", cluster.name))));
    }
    if call.effects.quota() || cluster.node_groups.len() >= PER_CLUSTER {
        return Err(about(Error::limit(format!(
            "NodeGroup limit exceeded: {PER_CLUSTER} for each cluster."
        ))));
    }
    let mut group = node_group_request::check(call, &cluster, request, &name).map_err(about)?;
    let failure = if call.effects.insufficient_capacity() {
        Some("AsgInstanceLaunchFailures".to_owned())
    } else {
        let code = call.effects.fail_while_creating();
        code.map(|code| code.unwrap_or("NodeCreationFailure").to_owned())
    };
    group.failure = failure;
    group.never_ready = call.effects.never_finish();
    let due = Some(call.now.work.saturating_add(PREPARING));
    group.pending = Some(Pending { due, step: NodeGroupStep::Launch });
    let shown = view::node_group(&group, &cluster.name, group.scaling);
    call.eks_mut().cluster_mut(&cluster.name)?.node_groups.insert(name, group);
    Ok(json!({"nodegroup": shown}))
}

/// The node group that the same request made before.
fn repeated<'a>(cluster: &'a Cluster, request: &Request) -> Result<Option<&'a NodeGroup>> {
    let Some(token) = request.token()? else { return Ok(None) };
    match cluster.node_groups.values().find(|group| group.token.as_deref() == Some(token.as_str())) {
        Some(group) if group.request == request.essence() => Ok(Some(group)),
        Some(_) => Err(Error::parameter(
            "The clientRequestToken was already used by a request with other parameters.",
        )),
        None => Ok(None),
    }
}

/// `DescribeNodegroup`. The limits are the Auto Scaling group's, so that what an autoscaler did is seen here too.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?;
    let group = cluster.node_group(request.name(1))?;
    Ok(json!({"nodegroup": view::node_group(group, &cluster.name, live_scaling(call, group))}))
}

/// What the Auto Scaling group says; what was asked while there is none, or while EKS itself moves the limits.
pub(crate) fn live_scaling(call: &Call<'_>, group: &NodeGroup) -> Scaling {
    let replacing = matches!(&group.pending, Some(Pending { step: NodeGroupStep::Replace(_), .. }));
    let settled = !replacing && group.status != Status::Deleting;
    let name = group.auto_scaling_group.as_ref().filter(|_| settled);
    let found = name.and_then(|name| call.world.region(call.place).auto_scaling.groups.get(name));
    found.map_or(group.scaling, |found| Scaling { min: found.min, max: found.max, desired: found.desired })
}

/// `ListNodegroups`.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    page_of_names(request, "nodegroups", call.eks().cluster(request.name(0))?.node_groups.keys())
}

/// `DeleteNodegroup`.
pub(crate) fn delete(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let group = cluster.node_group(request.name(1))?;
    let busy = |words: String| Err(Error::in_use(words).cluster(&cluster.name).node_group(&group.name));
    match group.status {
        Status::Updating => {
            let update = group.updates.iter().find(|update| update.in_progress());
            let id = update.map(|update| update.id.clone()).unwrap_or_default();
            return busy(format!(
                "Cannot delete because node group {} has update {id} in progress",
                group.name
            ));
        }
        Status::Creating => {
            return busy(format!("Cannot delete because node group {} is being created", group.name));
        }
        Status::Deleting => {}
        _ => {
            let due = (!call.effects.never_finish()).then(|| call.now.work.saturating_add(DRAINING));
            let group = call.eks_mut().cluster_mut(&cluster.name)?.node_group_mut(request.name(1))?;
            group.status = Status::Deleting;
            group.pending = Some(Pending { due, step: NodeGroupStep::Drain });
        }
    }
    describe(call, request)
}
