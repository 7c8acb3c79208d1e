//! The replacing of nodes, one at a time in each zone: a new one joins, then an old one goes.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/node-pool-upgrade-strategies#surge>.

use std::time::Duration;

use super::pool_config::wish;
use super::progress::{LOOK_AGAIN, change, finish, wait};
use super::state::{Cluster, NodePool, Operation, Step, Target};
use crate::call::Call;
use crate::compute::{self, Instance, group_outcome};

/// How long pods have to leave a node.
const DRAINING: Duration = Duration::from_secs(25);

/// One round: where every zone has only new nodes it is done; else each zone has one more replaced.
pub(crate) fn round(
    call: &mut Call<'_>,
    operation: &Operation,
    cluster: &Cluster,
    pool: &NodePool,
    target: &Target,
) {
    if operation.aborting {
        return finish(call, operation, Some((1, "Operation was aborted.".to_owned())));
    }
    let wanted = NodePool { version: target.version.clone(), config: target.config.clone(), ..pool.clone() };
    let mut done = true;
    for (zone, group) in &pool.groups {
        let wish = wish(call, cluster, &wanted, zone);
        done &= replace_one(call, &format!("{zone}/{group}"), wish);
    }
    if !done {
        return wait(call, operation, Step::Replace(target.clone()), LOOK_AGAIN + DRAINING);
    }
    let (name, target) = (pool.name.clone(), target.clone());
    change(call, cluster, |cluster| {
        if let Some(pool) = cluster.pool_mut(&name) {
            pool.version = target.version;
            pool.config = target.config;
            pool.before = None;
            pool.revision += 1;
        }
    });
    finish(call, operation, None);
}

/// Whether a group has only new nodes. If not, the next step of replacing one is taken.
fn replace_one(call: &mut Call<'_>, group: &str, wish: compute::Wish) -> bool {
    let project = call.project;
    let Some(found) = call.held_mut().compute.groups.get_mut(group) else { return true };
    found.wish = wish.clone();
    let state = &call.held().compute;
    let outcome = group_outcome(state, group);
    let members = || {
        let own = |one: &&Instance| format!("{}/{}", one.wish.zone, one.group) == group && !one.going();
        state.instances.values().filter(own)
    };
    let is_old = |one: &Instance| {
        one.wish.version != wish.version
            || one.wish.image_type != wish.image_type
            || one.wish.machine_type != wish.machine_type
            || one.wish.disk_gib != wish.disk_gib
            || one.wish.disk_type != wish.disk_type
            || one.wish.tags != wish.tags
            || one.wish.node_labels != wish.node_labels
    };
    let old = members().find(|one| is_old(one)).map(|one| one.name.clone());
    let Some(old) = old else { return outcome.ready >= outcome.target && outcome.all <= outcome.target };
    let joining = members().any(|one| !is_old(one) && one.ready_since.is_none());
    let now = call.now;
    if outcome.present <= outcome.target {
        compute::launch(call.world, project, group, now);
    } else if !joining {
        compute::drop_instance(call.world, project, group, &old, now);
    }
    false
}
