//! Agent pools: added, read, changed and removed.

use std::time::Duration;

use super::clusters::{self, begin, change, cores, new_pool};
use super::pool_request::{self, Setting};
use super::state::{Cluster, Pool};
use super::{Step, updates};
use crate::arm::{Call, no_such_resource};
use crate::error::{Error, Result};
use crate::json::{at, text};
use crate::reply::Reply;

/// Pools that a cluster may have.
const MOST: usize = 100;
const DELETED_AFTER: Duration = Duration::from_mins(2);

/// A pool of a cluster.
///
/// # Errors
/// `NotFound`, in AKS' own words.
pub(super) fn find<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a Pool> {
    cluster.pool(name).ok_or_else(|| {
        let id = format!("{}/agentPools/{name}", cluster.id);
        Error { code: "ResourceNotFound".to_owned(), ..no_such_resource(&id) }
    })
}

pub(super) fn list(call: &Call<'_>) -> Result<Reply> {
    let cluster = clusters::find(call)?;
    call.page(cluster.pools.iter().map(|pool| (pool.name.clone(), pool.show(cluster))).collect())
        .map(Reply::ok)
}

pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let cluster = clusters::find(call)?;
    let pool = find(cluster, call.name(3))?;
    Ok(Reply::ok(pool.show(cluster)).with("etag", pool.etag.clone()))
}

pub(super) fn put(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(3).to_owned();
    let cluster = match clusters::find(call) {
        Ok(cluster) => cluster.clone(),
        // The parent of what is to be made is missing.
        Err(error) if error.code == "ResourceNotFound" => {
            let says = format!(
                "Can not perform requested operation on nested resource. Parent resource '{}' not found.",
                call.name(2)
            );
            return Err(Error::new(404, "ParentResourceNotFound", says));
        }
        Err(error) => return Err(error),
    };
    let known = cluster.pool(&name).cloned();
    call.precondition(known.as_ref().map(|known| known.etag.as_str()))?;
    clusters::not_busy(&cluster, Some(&name))?;
    clusters::not_stopped(&cluster)?;
    if !cluster.stands {
        let says = format!("Operation is not allowed while cluster is in state {}.", cluster.state);
        return Err(Error::conflict(says));
    }
    if known.is_none()
        && cluster.pools.iter().filter(|pool| !super::copies::is_copy(&pool.name)).count() >= MOST
    {
        let says = format!("The number of agent pools must not exceed {MOST}.");
        return Err(Error::bad("AgentPoolCountLimitReached", says));
    }
    let setting = Setting {
        prefix: "properties",
        location: &cluster.location,
        version: &cluster.version,
        known: known.as_ref(),
    };
    let wanted = pool_request::read(call, &name, at(&call.body, "properties"), &setting)?;
    let stays_system = text(&wanted.properties, "mode") == Some("System");
    if known.as_ref().is_some_and(Pool::is_system) && !stays_system {
        has_other_system_pool(&cluster, &name)?;
    }
    let before = known.as_ref().map_or(0, |known| known.count() * known.size().map_or(0, |size| size.cpu));
    let more = cores(std::slice::from_ref(&wanted)).saturating_sub(before);
    if more > 0 || call.effects.quota() {
        pool_request::check_quota(call, &cluster.location, more)?;
    }
    let (phases, _) = updates::pool_phases(known.as_ref(), &wanted);
    let state = updates::word(known.as_ref(), &wanted);
    match &known {
        None => {
            let made = new_pool(call, &cluster.number, wanted);
            change(call, &cluster.id, |cluster| cluster.pools.push(made));
        }
        Some(_) => change(call, &cluster.id, |cluster| {
            if let Some(pool) = cluster.pool_mut(&name) {
                pool.properties = wanted.properties;
            }
        }),
    }
    let work = begin(call, &cluster.id, &cluster.location, Some(&name), state, phases);
    let now = clusters::find(call)?;
    let shown = find(now, &name)?.show(now);
    Ok(work.followed(call, Reply::new(if known.is_some() { 200 } else { 201 }, shown)))
}

fn has_other_system_pool(cluster: &Cluster, name: &str) -> Result<()> {
    let mut others = cluster.pools.iter().filter(|pool| pool.name != name && pool.state != "Deleting");
    if others.any(Pool::is_system) {
        return Ok(());
    }
    Err(Error::bad(
        "OperationNotAllowed",
        format!(
            "There has to be at least one system node pool in cluster '{}'. The agent pool '{name}' is the last one.",
            cluster.name()
        ),
    ))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(3).to_owned();
    let cluster = clusters::find(call)?.clone();
    let Some(known) = cluster.pool(&name) else { return Ok(Reply::empty(204)) };
    if call.if_match.is_some() {
        call.precondition(Some(&known.etag))?;
    }
    if known.state == "Deleting"
        && let Some(running) = known.busy.as_ref().and_then(|id| call.subscription().operations.get(id))
    {
        return Ok(running.clone().followed(call, Reply::empty(202)));
    }
    clusters::not_busy(&cluster, Some(&name))?;
    if known.is_system() {
        has_other_system_pool(&cluster, &name)?;
    }
    let phases = vec![(DELETED_AFTER, Step::RemovePool(name.clone()))];
    let work = begin(call, &cluster.id, &cluster.location, Some(&name), "Deleting", phases);
    Ok(work.followed(call, Reply::empty(202)))
}
