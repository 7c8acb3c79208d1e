//! Node pools: made, read, resized, changed, rolled back, removed.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::operations::{begin, may_begin};
use super::pool_config::{check_auto_scaling, check_management, complete, new_pool, whole};
use super::state::{Change, Cluster, NodePool, Status, Step, Target};
use super::{Asked, places, quota, versions, view};
use crate::call::Call;
use crate::compute;
use crate::error::{Code, Error, Result};

/// Until the machines of a new pool are asked for.
const BEGINNING: Duration = Duration::from_secs(25);
/// Until the first look at a resized pool.
const RESIZING: Duration = Duration::from_secs(20);
/// How long a removal takes at least.
const REMOVING: Duration = Duration::from_secs(70);
/// How long a change of settings takes.
const SETTING: Duration = Duration::from_secs(25);
/// Until a node is replaced for the first time.
const REPLACING: Duration = Duration::from_secs(20);
/// How long GKE waits for nodes before it gives up.
pub(crate) const GIVE_UP: Duration = Duration::from_mins(35);
/// How soon it is clear that a zone has no machines left.
pub(crate) const STOCKOUT_AFTER: Duration = Duration::from_secs(45);

fn found(call: &Call<'_>, asked: &Asked<'_>) -> Result<(Cluster, NodePool)> {
    let cluster = places::cluster(call, asked.location(), asked.second())?;
    let pool = places::pool(call, cluster, asked.pool())?;
    Ok((cluster.clone(), pool.clone()))
}

/// Begins a node pool in a cluster.
pub(crate) fn create(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("CreateNodePoolRequest")?;
    let cluster = places::cluster(call, asked.location(), asked.second())?.clone();
    let given = body.get("nodePool").and_then(Value::as_object);
    let given = given.ok_or_else(|| Error::invalid("NodePool must be specified."))?;
    let name = given.get("name").and_then(Value::as_str).unwrap_or_default();
    if cluster.pool(name).is_some() {
        let place = places::path(call.project, &cluster.location);
        let says = format!("Already exists: {place}/clusters/{}/nodePools/{name}.", cluster.name);
        return Err(Error::new(Code::AlreadyExists, says));
    }
    may_begin(call, &cluster, Some(name), false)?;
    let pool = new_pool(call, &cluster, given)?;
    let nodes = pool.size.saturating_mul(u32::try_from(pool.groups.len()).unwrap_or(1));
    quota::check(call, cluster.region(), &pool, nodes)?;
    let step = match call.effects.fail_while_creating() {
        Some(code) => Step::FailCreation(code.unwrap_or("INTERNAL").to_owned()),
        None => Step::PoolMachines { stockout: call.effects.insufficient_capacity() },
    };
    if let Some(cluster) = call.held_mut().container.clusters.get_mut(&cluster.key()) {
        cluster.pools.push(pool);
        cluster.revision += 1;
    }
    Ok(begin(call, "CREATE_NODE_POOL", (&cluster.location, &cluster.name, Some(name)), step, BEGINNING))
}

/// Reads one.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let (cluster, pool) = found(call, asked)?;
    Ok(view::pool(call, &cluster, &pool))
}

/// All of a cluster.
pub(crate) fn list(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let cluster = places::cluster(call, asked.location(), asked.second())?;
    let pools: Vec<Value> = cluster.pools.iter().map(|pool| view::pool(call, cluster, pool)).collect();
    Ok(if pools.is_empty() { json!({}) } else { json!({"nodePools": pools}) })
}

/// Begins the end of one. Its nodes begin to go at once.
pub(crate) fn delete(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let (cluster, pool) = found(call, asked)?;
    may_begin(call, &cluster, Some(&pool.name), false)?;
    if !call.effects.never_finish() {
        for group in pool.group_keys() {
            compute::delete_group(call.world, call.project, &group, call.now);
        }
    }
    change(call, &cluster, &pool.name, |pool| pool.status = Status::Stopping);
    let place = (cluster.location.as_str(), cluster.name.as_str(), Some(pool.name.as_str()));
    Ok(begin(call, "DELETE_NODE_POOL", place, Step::DeletePool, REMOVING))
}

fn change(call: &mut Call<'_>, cluster: &Cluster, pool: &str, act: impl FnOnce(&mut NodePool)) {
    let clusters = &mut call.held_mut().container.clusters;
    if let Some(pool) = clusters.get_mut(&cluster.key()).and_then(|cluster| cluster.pool_mut(pool)) {
        act(pool);
        pool.revision += 1;
    }
}

/// Sets the number of nodes in each zone.
pub(crate) fn set_size(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("SetNodePoolSizeRequest")?;
    let (cluster, pool) = found(call, asked)?;
    let count = body.get("nodeCount").and_then(whole).unwrap_or(0);
    let size = u32::try_from(count).ok().filter(|count| *count <= 1000);
    let size =
        size.ok_or_else(|| Error::invalid(format!("Node count must be between 0 and 1000, not {count}.")))?;
    may_begin(call, &cluster, Some(&pool.name), false)?;
    let zones = u32::try_from(pool.groups.len()).unwrap_or(1);
    quota::check(call, cluster.region(), &pool, size.saturating_sub(pool.size).saturating_mul(zones))?;
    let stockout = call.effects.insufficient_capacity() && size > pool.size;
    if !call.effects.never_finish() {
        for group in pool.group_keys() {
            compute::resize_group(call.world, call.project, &group, (size, stockout), call.now);
        }
    }
    change(call, &cluster, &pool.name, |pool| pool.size = size);
    let wait = if stockout { STOCKOUT_AFTER } else { GIVE_UP };
    let step = Step::PoolNodes { until: call.now.work.saturating_add(wait) };
    let place = (cluster.location.as_str(), cluster.name.as_str(), Some(pool.name.as_str()));
    Ok(begin(call, "SET_NODE_POOL_SIZE", place, step, RESIZING))
}

/// Switches autoscaling on or off. The number of nodes stays: the autoscaler acts when a pod waits or a node idles.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler#minimum_and_maximum_node_pool_size>.
pub(crate) fn set_auto_scaling(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("SetNodePoolAutoscalingRequest")?;
    let (cluster, pool) = found(call, asked)?;
    auto_scale(call, &cluster, &pool, body.get("autoscaling").unwrap_or(&Value::Null))
}

/// The same, also for the update of a cluster that means it.
pub(crate) fn auto_scale(
    call: &mut Call<'_>,
    cluster: &Cluster,
    pool: &NodePool,
    given: &Value,
) -> Result<Value> {
    check_auto_scaling(Some(given))?;
    may_begin(call, cluster, Some(&pool.name), false)?;
    let on = given.get("enabled").and_then(Value::as_bool) == Some(true);
    let value = if on { given.clone() } else { json!({}) };
    let change = Change::Pool(Map::from_iter([("autoscaling".to_owned(), value)]));
    let place = (cluster.location.as_str(), cluster.name.as_str(), Some(pool.name.as_str()));
    Ok(begin(call, "UPDATE_CLUSTER", place, Step::Change(change), SETTING))
}

/// Switches automatic repair and upgrade.
pub(crate) fn set_management(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let mut body = asked.message("SetNodePoolManagementRequest")?;
    let (cluster, pool) = found(call, asked)?;
    check_management(&mut body, &cluster.channel)?;
    may_begin(call, &cluster, Some(&pool.name), false)?;
    let value = body.get("management").cloned().unwrap_or_default();
    let change = Change::Pool(Map::from_iter([("management".to_owned(), value)]));
    let place = (cluster.location.as_str(), cluster.name.as_str(), Some(pool.name.as_str()));
    Ok(begin(call, "SET_NODE_POOL_MANAGEMENT", place, Step::Change(change), SETTING))
}

/// Changes what nodes are; each is replaced.
pub(crate) fn update(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("UpdateNodePoolRequest")?;
    let (cluster, pool) = found(call, asked)?;
    let etag = body.get("etag").and_then(Value::as_str).unwrap_or_default();
    if !etag.is_empty() && etag != view::etag(&cluster.id, pool.revision) {
        return Err(Error::precondition("The etag of the node pool does not match its current one."));
    }
    let version = match body.get("nodeVersion").and_then(Value::as_str).filter(|asked| !asked.is_empty()) {
        Some(asked) => versions::node(asked, &cluster.version)?,
        None => pool.version.clone(),
    };
    let mut config = pool.config.clone();
    for field in
        ["imageType", "machineType", "diskType", "diskSizeGb", "workloadMetadataConfig", "kubeletConfig"]
    {
        if let Some(value) = body.get(field).filter(|value| value.as_str() != Some("")) {
            config.insert(field.to_owned(), value.clone());
        }
    }
    for (field, inner) in
        [("labels", "labels"), ("resourceLabels", "labels"), ("tags", "tags"), ("taints", "taints")]
    {
        if let Some(value) = body.get(field).and_then(|value| value.get(inner)) {
            config.insert(field.to_owned(), value.clone());
        }
    }
    let config = complete(Some(&Value::Object(config)))?;
    if let Some(settings) = body.get("upgradeSettings") {
        may_begin(call, &cluster, Some(&pool.name), false)?;
        let change = Change::Pool(Map::from_iter([("upgradeSettings".to_owned(), settings.clone())]));
        let place = (cluster.location.as_str(), cluster.name.as_str(), Some(pool.name.as_str()));
        return Ok(begin(call, "UPDATE_CLUSTER", place, Step::Change(change), SETTING));
    }
    replace(call, &cluster, &pool, Target { version, config })
}

/// Begins the replacing of all nodes of a pool.
pub(crate) fn replace(
    call: &mut Call<'_>,
    cluster: &Cluster,
    pool: &NodePool,
    target: Target,
) -> Result<Value> {
    may_begin(call, cluster, Some(&pool.name), false)?;
    let before = pool.version.clone();
    change(call, cluster, &pool.name, |pool| pool.before = Some(before));
    let place = (cluster.location.as_str(), cluster.name.as_str(), Some(pool.name.as_str()));
    Ok(begin(call, "UPGRADE_NODES", place, Step::Replace(target), REPLACING))
}

/// Takes an upgrade back that did not end well; one that did is left.
pub(crate) fn rollback(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    asked.message("RollbackNodePoolUpgradeRequest")?;
    let (cluster, pool) = found(call, asked)?;
    let version = pool.before.clone().unwrap_or_else(|| pool.version.clone());
    replace(call, &cluster, &pool, Target { version, config: pool.config.clone() })
}
