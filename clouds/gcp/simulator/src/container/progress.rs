//! What passing work time does to clusters and node pools.

use std::time::Duration;

use pmks_simulation::{Effects, Now};
use serde_json::{Value, json};

use super::node_pools::{GIVE_UP, STOCKOUT_AFTER};
use super::pool_config::wish;
use super::replacing;
use super::state::{Change, Cluster, NodePool, Operation, State, Status, Step};
use crate::auth::Principal;
use crate::call::Call;
use crate::compute::{self, Outcome, Stored, drop_secondary_range, group_outcome, key, link};
use crate::world::{Project, World};

/// How often nodes are looked for.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(8);

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    state.operations.values().filter_map(|operation| operation.due).min()
}

/// Does what has fallen due in one project.
pub(crate) fn settle(world: &mut World, project: &str, now: Now) {
    let due = |operation: &&Operation| operation.due.is_some_and(|due| due <= now.work);
    let operations = &world.project(project).container.operations;
    let names: Vec<String> =
        operations.values().filter(due).map(|operation| operation.name.clone()).collect();
    let effects = Effects::default();
    for name in names {
        let mut call =
            Call { world: &mut *world, project, principal: Principal::default(), now, effects: &effects };
        let Some(operation) = call.held().container.operations.get(&name).cloned() else { continue };
        let held = format!("{}/{}", operation.location, operation.cluster);
        match call.held().container.clusters.get(&held).cloned() {
            Some(cluster) => take(&mut call, &operation, &cluster),
            None => finish(&mut call, &operation, None),
        }
    }
}

fn take(call: &mut Call<'_>, operation: &Operation, cluster: &Cluster) {
    let pool = operation.pool.as_ref().and_then(|name| cluster.pool(name)).cloned();
    match operation.step.clone() {
        Step::ControlPlane { stockout } => {
            make_firewalls(call, cluster);
            for pool in &cluster.pools {
                make_machines(call, cluster, pool, stockout);
            }
            let until = until(call, stockout);
            wait(call, operation, Step::Nodes { until }, LOOK_AGAIN);
        }
        Step::Nodes { until } => look_for_nodes(call, operation, cluster, None, until),
        Step::FailCreation(code) => fail(call, operation, cluster, &code, &failure_words(&code)),
        Step::DeleteCluster => delete_cluster(call, operation, cluster),
        Step::PoolMachines { stockout } => {
            if let Some(pool) = &pool {
                make_machines(call, cluster, pool, stockout);
            }
            let until = until(call, stockout);
            wait(call, operation, Step::PoolNodes { until }, LOOK_AGAIN);
        }
        Step::PoolNodes { until } => look_for_nodes(call, operation, cluster, pool.as_ref(), until),
        Step::DeletePool => delete_pool(call, operation, cluster, pool.as_ref()),
        Step::Master(version) => {
            change(call, cluster, |cluster| cluster.version = version);
            finish(call, operation, None);
        }
        Step::Replace(target) => match &pool {
            Some(pool) => replacing::round(call, operation, cluster, pool, &target),
            None => finish(call, operation, None),
        },
        Step::Change(wanted) => {
            apply(call, cluster, operation.pool.as_deref(), wanted);
            finish(call, operation, None);
        }
        Step::Done => finish(call, operation, None),
    }
}

fn until(call: &Call<'_>, stockout: bool) -> Duration {
    call.now.work.saturating_add(if stockout { STOCKOUT_AFTER } else { GIVE_UP })
}

/// Changes a cluster.
pub(crate) fn change(call: &mut Call<'_>, cluster: &Cluster, act: impl FnOnce(&mut Cluster)) {
    if let Some(found) = call.held_mut().container.clusters.get_mut(&cluster.key()) {
        act(found);
        found.revision += 1;
    }
}

/// The operation goes on with that step, after that time.
pub(crate) fn wait(call: &mut Call<'_>, operation: &Operation, step: Step, usual: Duration) {
    let due = call.due(&operation.about(), usual);
    if let Some(found) = call.held_mut().container.operations.get_mut(&operation.name) {
        (found.due, found.step) = (due, step);
    }
}

/// The operation ends: well, or with this code and message.
pub(crate) fn finish(call: &mut Call<'_>, operation: &Operation, error: Option<(i32, String)>) {
    let now = call.now.wall;
    if let Some(found) = call.held_mut().container.operations.get_mut(&operation.name) {
        (found.due, found.step, found.ended, found.aborting) = (None, Step::Done, Some(now), false);
        if let Some((_, message)) = &error {
            message.clone_into(&mut found.detail);
        }
        found.error = error;
    }
}

fn make_machines(call: &mut Call<'_>, cluster: &Cluster, pool: &NodePool, stockout: bool) {
    for (zone, group) in &pool.groups {
        let wish = wish(call, cluster, pool, zone);
        let base = group.trim_end_matches("-grp");
        compute::make_group(call.world, call.project, call.now, (group, base), wish, (pool.size, stockout));
    }
}

/// The rules that GKE makes for a cluster.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules>.
fn make_firewalls(call: &mut Call<'_>, cluster: &Cluster) {
    let network = link(&format!("projects/{}/global/networks/{}", call.project, cluster.network));
    let subnet = key("subnetworks", &format!("regions/{}", cluster.region()), &cluster.subnetwork);
    let nodes =
        call.held().compute.resources.get(&subnet).map(|subnet| subnet.text("ipCidrRange").to_owned());
    let nodes = nodes.unwrap_or_default();
    let all = json!([{"IPProtocol": "tcp"}, {"IPProtocol": "udp"}, {"IPProtocol": "icmp"}, {"IPProtocol": "esp"}, {"IPProtocol": "ah"}, {"IPProtocol": "sctp"}]);
    let kubelet = json!([{"IPProtocol": "tcp", "ports": ["10255"]}]);
    for (name, range, allowed) in [
        ("all", cluster.pods.0.as_str(), all),
        (
            "vms",
            nodes.as_str(),
            json!([{"IPProtocol": "icmp"}, {"IPProtocol": "tcp", "ports": ["1-65535"]}, {"IPProtocol": "udp", "ports": ["1-65535"]}]),
        ),
        ("inkubelet", cluster.pods.0.as_str(), kubelet),
    ] {
        let body = json!({
            "network": network, "priority": 1000, "direction": "INGRESS", "disabled": false, "allowed": allowed,
            "sourceRanges": [range], "targetTags": [cluster.node_tag()], "logConfig": {"enable": false},
        });
        let name = firewall(cluster, name);
        let stored = Stored::new("firewalls", "global", &name, body, &mut call.world.random, call.now.wall);
        call.held_mut().compute.resources.insert(stored.key(), stored);
    }
}

fn firewall(cluster: &Cluster, name: &str) -> String {
    format!("gke-{:.20}-{}-{name}", cluster.name, cluster.hash)
}

/// How far the groups of a pool are together.
fn outcome(call: &Call<'_>, pool: &NodePool) -> Outcome {
    let mut sum = Outcome::default();
    for group in pool.group_keys() {
        let one = group_outcome(&call.held().compute, &group);
        sum.target += one.target;
        sum.ready += one.ready;
        sum.present += one.present;
        sum.all += one.all;
        sum.stockout |= one.stockout;
    }
    sum
}

/// A cluster, or one pool of it, runs when all its nodes are ready and surplus ones are gone.
fn look_for_nodes(
    call: &mut Call<'_>,
    operation: &Operation,
    cluster: &Cluster,
    pool: Option<&NodePool>,
    until: Duration,
) {
    let pools: Vec<NodePool> = pool.map_or_else(|| cluster.pools.clone(), |pool| vec![pool.clone()]);
    let lacking = pools.iter().map(|pool| (pool, outcome(call, pool)));
    let lacking: Vec<_> =
        lacking.filter(|(_, found)| found.ready < found.target || found.all > found.target).collect();
    let Some((pool, found)) = lacking.first() else {
        let names: Vec<String> = pools.iter().map(|pool| pool.name.clone()).collect();
        let whole = operation.pool.is_none();
        change(call, cluster, |cluster| {
            if whole {
                cluster.status = Status::Running;
            }
            for pool in cluster.pools.iter_mut().filter(|pool| names.contains(&pool.name)) {
                pool.status = Status::Running;
                pool.conditions.clear();
                pool.revision += 1;
            }
        });
        return finish(call, operation, None);
    };
    if call.now.work < until {
        let step = if operation.pool.is_none() { Step::Nodes { until } } else { Step::PoolNodes { until } };
        return wait(call, operation, step, LOOK_AGAIN);
    }
    let zone = pool.groups.first().map_or("", |(zone, _)| zone.as_str());
    let code = if found.stockout { "GCE_STOCKOUT" } else { "UNKNOWN" };
    let why = if found.stockout {
        format!(
            "[GCE_STOCKOUT]: Instance '{}' creation failed: The zone 'projects/{}/zones/{zone}' does not have enough \
             resources available to fulfill the request. '(resource type:compute)'.",
            pool.groups.first().map_or("", |(_, group)| group.trim_end_matches("-grp")),
            call.project
        )
    } else {
        "[UNKNOWN]: nodes did not register with the cluster.".to_owned()
    };
    let message = format!(
        "Google Compute Engine: Not all instances running in IGM after {}s. Expected {}, running {}, transitioning {}. \
         Current errors: {why}",
        (call.now.wall.as_second() - operation.started.as_second()).max(1),
        found.target,
        found.ready,
        found.target - found.ready
    );
    fail(call, operation, cluster, code, &message);
}

/// What was being made or resized is broken, and says so; a pool that stood before still has its other nodes.
fn fail(call: &mut Call<'_>, operation: &Operation, cluster: &Cluster, code: &str, message: &str) {
    let condition = (code.to_owned(), message.to_owned());
    let (kind, pool) = (operation.kind.clone(), operation.pool.clone());
    change(call, cluster, |cluster| {
        if pool.is_none() {
            cluster.status = Status::Error;
            cluster.conditions = vec![condition.clone()];
        }
        let named = |one: &&mut NodePool| pool.as_ref().is_none_or(|name| *name == one.name);
        for one in cluster.pools.iter_mut().filter(named) {
            one.status = if kind == "SET_NODE_POOL_SIZE" { Status::RunningWithError } else { Status::Error };
            one.conditions = vec![condition.clone()];
            one.revision += 1;
        }
    });
    // google.rpc.Code: 8 is RESOURCE_EXHAUSTED, 13 INTERNAL.
    let number = if code.contains("STOCKOUT") || code.contains("QUOTA") { 8 } else { 13 };
    finish(call, operation, Some((number, message.to_owned())));
}

fn failure_words(code: &str) -> String {
    match code {
        "GCE_STOCKOUT" => {
            "Try a different location, or try again later: Google Compute Engine does not have enough resources \
             available to fulfill the request."
                .to_owned()
        }
        "GCE_QUOTA_EXCEEDED" => "Google Compute Engine: Quota 'CPUS' exceeded.".to_owned(),
        _ => format!("An internal error occurred ({code})."),
    }
}

fn delete_cluster(call: &mut Call<'_>, operation: &Operation, cluster: &Cluster) {
    if cluster.pools.iter().any(|pool| outcome(call, pool).all > 0) {
        return wait(call, operation, Step::DeleteCluster, LOOK_AGAIN);
    }
    remove_cluster(call.held_mut(), cluster);
    finish(call, operation, None);
}

/// A cluster whose machines are gone, and what GKE made for it.
pub(super) fn remove_cluster(project: &mut Project, cluster: &Cluster) {
    let held = key("subnetworks", &format!("regions/{}", cluster.region()), &cluster.subnetwork);
    for name in ["all", "vms", "inkubelet"] {
        project.compute.resources.remove(&key("firewalls", "global", &firewall(cluster, name)));
    }
    if cluster.pods.2 {
        drop_secondary_range(&mut project.compute, &held, &cluster.pods.1);
    }
    project.container.clusters.remove(&cluster.key());
}

fn delete_pool(call: &mut Call<'_>, operation: &Operation, cluster: &Cluster, pool: Option<&NodePool>) {
    if pool.is_some_and(|pool| outcome(call, pool).all > 0) {
        return wait(call, operation, Step::DeletePool, LOOK_AGAIN);
    }
    change(call, cluster, |cluster| {
        cluster.pools.retain(|one| Some(&one.name) != operation.pool.as_ref());
    });
    finish(call, operation, None);
}

fn apply(call: &mut Call<'_>, cluster: &Cluster, pool: Option<&str>, wanted: Change) {
    change(call, cluster, |cluster| match wanted {
        Change::Labels(labels) => cluster.labels = labels,
        Change::Channel(channel) => cluster.channel = channel,
        Change::Cluster(fields) => cluster.asked.extend(fields),
        Change::Pool(fields) => {
            if let Some(pool) = pool.and_then(|name| cluster.pool_mut(name)) {
                pool.asked.extend(fields);
                pool.asked.retain(|_, value| *value != json!({}) && *value != Value::Null);
                pool.revision += 1;
            }
        }
    });
}
