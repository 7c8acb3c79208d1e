//! Managed clusters: created, read, changed and deleted.

use std::time::Duration;

use super::cluster_request::{self, Asked};
use super::pool_request::{self, Wanted};
use super::state::{Cluster, Pool};
use super::{Step, updates, versions};
use crate::arm::{Call, key, no_such_resource};
use crate::authorization;
use crate::error::{Error, Result};
use crate::json::{at, set, text};
use crate::operations;
use crate::reply::Reply;

/// AKS' namespace.
pub(super) const PROVIDER: &str = "Microsoft.ContainerService";
const KIND: &str = "Microsoft.ContainerService/managedClusters";
/// Clusters that a subscription may have in a region.
///
/// Source: <https://learn.microsoft.com/azure/aks/quotas-skus-regions>.
const MOST: usize = 100;

const MADE_AFTER: [Duration; 4] =
    [Duration::from_secs(30), Duration::from_secs(150), Duration::from_mins(4), Duration::from_secs(280)];
const DELETED_AFTER: [Duration; 2] = [Duration::from_secs(90), Duration::from_mins(4)];

/// The cluster that the path names.
///
/// # Errors
/// `ResourceGroupNotFound`, `ResourceNotFound`.
pub(super) fn find<'a>(call: &'a Call<'_>) -> Result<&'a Cluster> {
    let id = call.id(&format!("{KIND}/{}", call.name(2)))?;
    call.subscription().clusters.get(&key(&id)).ok_or_else(|| no_such_resource(&id))
}

/// The cluster that the path names, to change.
pub(super) fn change(call: &mut Call<'_>, id: &str, act: impl FnOnce(&mut Cluster)) {
    let etag = call.etag();
    if let Some(cluster) = call.subscription_mut().clusters.get_mut(&key(id)) {
        cluster.etag = etag;
        act(cluster);
    }
}

pub(super) fn list(call: &Call<'_>, of_group: bool) -> Result<Reply> {
    let below = if of_group { key(&call.id(KIND)?) } else { String::new() };
    let clusters = call.subscription().clusters.iter().filter(|(id, _)| id.starts_with(&below));
    call.page(clusters.map(|(id, cluster)| (id.clone(), cluster.show())).collect()).map(Reply::ok)
}

pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let cluster = find(call)?;
    Ok(Reply::ok(cluster.show()).with("etag", cluster.etag.clone()))
}

pub(super) fn put(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(2).to_owned();
    call.registered(PROVIDER)?;
    let id = call.id(&format!("{KIND}/{name}"))?;
    cluster_request::check_name(&name)?;
    let location = call.location(KIND)?;
    let known = call.subscription().clusters.get(&key(&id)).cloned();
    call.precondition(known.as_ref().map(|known| known.etag.as_str()))?;
    match &known {
        None => {
            let asked = cluster_request::read(call, &name, &location, None)?;
            create(call, &id, &location, asked)
        }
        Some(known) => {
            call.same_location(&known.location, &location, &name)?;
            not_busy(known, None)?;
            not_stopped(known)?;
            let asked = cluster_request::read(call, &name, &location, Some(known))?;
            updates::put(call, known, asked)
        }
    }
}

fn create(call: &mut Call<'_>, id: &str, location: &str, asked: Asked) -> Result<Reply> {
    cluster_request::check_node_group(&asked.body)?;
    let held = call.subscription().clusters.values();
    if held.filter(|cluster| cluster.location == location && !super::copies::is_copy(cluster.name())).count()
        >= MOST
    {
        let says = format!(
            "Resource quota exceeded. Maximum({MOST}) of resource type Managed Cluster in location {location} was reached."
        );
        return Err(Error::bad("QuotaExceeded", says));
    }
    pool_request::check_quota(call, location, cores(&asked.pools))?;
    let system = text(&asked.body, "identity.type").is_some_and(|kind| kind.contains("SystemAssigned"));
    let principal = if system { Some(authorization::add_system_identity(call)) } else { None };
    let made_of = new_cluster(call, id, location, asked, principal);
    call.subscription_mut().clusters.insert(key(id), made_of);
    let work = begin_creation(call, id, location);
    let shown = find(call).map(Cluster::show)?;
    Ok(work.followed(call, Reply::new(201, shown)))
}

/// Begins, or begins again, what makes a cluster stand.
pub(super) fn begin_creation(call: &mut Call<'_>, id: &str, location: &str) -> operations::Operation {
    let [group, machines, control_plane, done] = MADE_AFTER;
    let cluster = call.subscription().clusters.get(&key(id));
    let pools: Vec<String> = cluster
        .map(|cluster| cluster.pools.iter().map(|pool| pool.name.clone()).collect())
        .unwrap_or_default();
    let mut phases = vec![(group, Step::Build), (control_plane, Step::ControlPlane)];
    phases.extend(pools.iter().map(|pool| (machines, Step::Machines(pool.clone()))));
    phases.sort_by_key(|(after, _)| *after);
    phases.extend(pools.into_iter().map(|pool| (done, Step::FinishPool(pool))));
    phases.push((done, Step::Finish));
    begin(call, id, location, None, "Creating", phases)
}

/// Begins work on a whole cluster, or on one pool of it.
pub(super) fn begin(
    call: &mut Call<'_>,
    id: &str,
    location: &str,
    pool: Option<&str>,
    state: &str,
    phases: Vec<(Duration, Step)>,
) -> operations::Operation {
    let short = call.effects.insufficient_capacity();
    let steps = phases.into_iter().map(|(after, step)| (after, operations::Step::Cluster(step)));
    let mut steps: Vec<(Duration, operations::Step)> = steps.collect();
    if short && let Some((after, _)) = steps.pop() {
        let says = "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read \
                    more about improving likelihood of allocation success at https://aka.ms/allocation-guidance";
        steps.retain(|(_, step)| !matches!(step, operations::Step::Cluster(Step::FinishPool(_))));
        steps.push((after, operations::Step::Fail("AllocationFailed".to_owned(), says.to_owned())));
    }
    let work = operations::start(call, PROVIDER, location, id, steps);
    let etag = call.etag();
    change(call, id, |cluster| {
        let of_cluster = pool.is_none();
        if of_cluster {
            cluster.busy = Some(work.id.clone());
            cluster.failure = None;
            state.clone_into(&mut cluster.state);
        }
        for held in cluster.pools.iter_mut().filter(|held| pool.is_none_or(|pool| held.name == pool)) {
            if of_cluster && state == "Upgrading" {
                continue;
            }
            held.busy = Some(work.id.clone());
            held.failure = None;
            state.clone_into(&mut held.state);
            held.etag.clone_from(&etag);
        }
    });
    work
}

/// Processors that pools will use.
pub(super) fn cores(pools: &[Wanted]) -> u32 {
    let of_pool = |pool: &Wanted| {
        let count =
            at(&pool.properties, "count").as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        let size = text(&pool.properties, "vmSize").and_then(crate::catalogue::size);
        count * size.map_or(0, |size| size.cpu)
    };
    pools.iter().map(of_pool).sum()
}

fn new_cluster(
    call: &mut Call<'_>,
    id: &str,
    location: &str,
    asked: Asked,
    principal: Option<String>,
) -> Cluster {
    let group = call.group().unwrap_or_default();
    let tenant = call.world.directory.tenant.clone();
    let random = &mut call.world.random;
    let prefix = text(&asked.body, "properties.dnsPrefix").or(text(&asked.body, "properties.fqdnSubdomain"));
    let host = format!("{}-{}", prefix.unwrap_or_default().to_ascii_lowercase(), random.text(LETTERS, 8));
    let mut cluster = Cluster {
        id: id.to_owned(),
        group,
        location: location.to_owned(),
        fqdn: format!("{host}.hcp.{location}.azmk8s.io"),
        body: asked.body,
        pools: Vec::new(),
        state: "Creating".to_owned(),
        stopped: false,
        stands: false,
        version: asked.version,
        uid: random.hex(24),
        number: random.digits(8),
        etag: random.uuid(),
        principal,
        kubelet_identity: None,
        busy: None,
        created: call.now.wall,
        created_by: call.caller.client_id.clone(),
        endpoint: None,
        entrances: Vec::new(),
        tenant,
        failure: None,
        shown_over: serde_json::Map::new(),
    };
    for wanted in asked.pools {
        let pool = new_pool(call, &cluster.number, wanted);
        cluster.pools.push(pool);
    }
    cluster
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

/// A pool without machines.
pub(super) fn new_pool(call: &mut Call<'_>, number: &str, wanted: Wanted) -> Pool {
    let mut properties = wanted.properties;
    set(&mut properties, "nodeImageVersion", versions::NODE_IMAGE);
    Pool {
        scale_set: format!("aks-{}-{number}-vmss", wanted.name),
        name: wanted.name,
        properties,
        state: "Creating".to_owned(),
        version: wanted.version,
        etag: call.etag(),
        busy: None,
        machines: Vec::new(),
        next: 0,
        created: call.now.wall,
        failure: None,
    }
}

pub(super) fn patch(call: &mut Call<'_>) -> Result<Reply> {
    let known = find(call)?.clone();
    call.precondition(Some(&known.etag))?;
    not_busy(&known, None)?;
    let tags = at(&call.body, "tags").clone();
    change(call, &known.id, |cluster| set(&mut cluster.body, "tags", tags));
    let (id, location) = (known.id, known.location);
    let work = begin(call, &id, &location, None, "Updating", vec![(Duration::from_secs(20), Step::Finish)]);
    let shown = find(call).map(Cluster::show)?;
    Ok(work.followed(call, Reply::ok(shown)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let known = match find(call) {
        Ok(known) => known.clone(),
        Err(error) if error.code == "ResourceNotFound" => return Ok(Reply::empty(204)),
        Err(error) => return Err(error),
    };
    if call.if_match.is_some() {
        call.precondition(Some(&known.etag))?;
    }
    if known.state == "Deleting"
        && let Some(running) = known.busy.as_ref().and_then(|id| call.subscription().operations.get(id))
    {
        return Ok(running.clone().followed(call, Reply::empty(202)));
    }
    not_busy(&known, None)?;
    let [machines, gone] = DELETED_AFTER;
    let phases = vec![(machines, Step::RemoveMachines), (gone, Step::RemoveCluster)];
    let work = begin(call, &known.id, &known.location, None, "Deleting", phases);
    Ok(work.followed(call, Reply::empty(202)))
}

/// Whether nothing else works on a cluster; of a pool's change: on the cluster or that pool.
///
/// # Errors
/// `OperationNotAllowed`.
pub(super) fn not_busy(cluster: &Cluster, pool: Option<&str>) -> Result<()> {
    let says = |what: &str, state: String| {
        Err(Error::conflict(format!(
            "Operation is not allowed: Another {what} ({state}) is in progress, please wait for it to finish before \
             starting a new operation. See https://aka.ms/aks-pending-operation for more details"
        )))
    };
    if cluster.busy.is_some() {
        return says("operation", cluster.state.clone());
    }
    let mut others = cluster.pools.iter().filter(|held| pool.is_none_or(|pool| held.name == pool));
    match others.find(|held| held.busy.is_some()) {
        Some(held) => says("agentpool operation", format!("{} - {}", held.name, held.state)),
        None => Ok(()),
    }
}

/// Whether a cluster runs.
///
/// # Errors
/// `OperationNotAllowed`.
pub(super) fn not_stopped(cluster: &Cluster) -> Result<()> {
    if !cluster.stopped {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "managed cluster is in Provisioning State({}) and Power State(Stopped), the operation cannot be performed. Please \
         start the cluster first.",
        cluster.state
    )))
}
