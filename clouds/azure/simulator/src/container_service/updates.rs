//! Changes of a cluster that stands, or that has failed: what a repeated PUT brings about.

use std::time::Duration;

use super::cluster_request::Asked;
use super::clusters::{begin, begin_creation, change, cores, find, new_pool};
use super::pool_request::{self, Wanted};
use super::state::{Cluster, Pool};
use super::{Step, versions};
use crate::arm::Call;
use crate::error::Result;
use crate::json::number;
use crate::operations::Operation;
use crate::reply::Reply;

const SETTINGS: Duration = Duration::from_mins(1);
const CONTROL_PLANE: Duration = Duration::from_mins(5);
const SCALED: [Duration; 2] = [Duration::from_secs(20), Duration::from_mins(2)];
const SURGE: Duration = Duration::from_mins(1);
const NODE: Duration = Duration::from_secs(90);

/// Changes a cluster that stands; one that has never stood is made again.
///
/// # Errors
/// AKS' refusal.
pub(super) fn put(call: &mut Call<'_>, known: &Cluster, asked: Asked) -> Result<Reply> {
    if asked.version != known.version {
        versions::check_upgrade(&known.version, &asked.version)?;
        for pool in &known.pools {
            let wanted = asked.pools.iter().find(|wanted| wanted.name == pool.name);
            let version = wanted.map_or(&pool.version, |wanted| &wanted.version);
            versions::check_skew(version, &asked.version)?;
        }
    }
    let before: u32 =
        known.pools.iter().map(|pool| pool.count() * pool.size().map_or(0, |size| size.cpu)).sum();
    let more = cores(&asked.pools).saturating_sub(before);
    if more > 0 || call.effects.quota() {
        pool_request::check_quota(call, &known.location, more)?;
    }
    let work = if known.stands { update(call, known, asked) } else { repair(call, known, asked) };
    let shown = find(call).map(Cluster::show)?;
    Ok(work.followed(call, Reply::ok(shown)))
}

/// A failed creation begins again with what is asked now.
fn repair(call: &mut Call<'_>, known: &Cluster, asked: Asked) -> Operation {
    for wanted in asked.pools {
        replace_pool(call, known, wanted);
    }
    change(call, &known.id, |cluster| {
        cluster.body = asked.body;
        cluster.version = asked.version;
    });
    begin_creation(call, &known.id, &known.location)
}

fn replace_pool(call: &mut Call<'_>, known: &Cluster, wanted: Wanted) {
    let made = match known.pool(&wanted.name) {
        Some(pool) => Pool { properties: wanted.properties, version: wanted.version, ..pool.clone() },
        None => new_pool(call, &known.number, wanted),
    };
    change(call, &known.id, |cluster| {
        cluster.pools.retain(|pool| pool.name != made.name);
        cluster.pools.push(made);
    });
}

fn update(call: &mut Call<'_>, known: &Cluster, asked: Asked) -> Operation {
    let upgrades = asked.version != known.version;
    let mut at = if upgrades { CONTROL_PLANE } else { Duration::ZERO };
    let mut phases = Vec::new();
    if upgrades {
        phases.push((at, Step::Version(asked.version.clone())));
    }
    for wanted in asked.pools {
        let before = known.pool(&wanted.name).cloned();
        let changed = before.as_ref().is_none_or(|before| differs(before, &wanted));
        if changed {
            let (steps, took) = pool_phases(before.as_ref(), &wanted);
            phases.extend(steps.into_iter().map(|(after, step)| (at + after, step)));
            at += took;
        }
        let (name, version) = (wanted.name.clone(), before.map(|before| before.version));
        replace_pool(call, known, wanted);
        // Nodes have the version that they had until they are replaced.
        if let Some(version) = version {
            change(call, &known.id, |cluster| {
                if let Some(pool) = cluster.pool_mut(&name) {
                    pool.version = version;
                }
            });
        }
    }
    phases.push((at.max(SETTINGS), Step::Finish));
    change(call, &known.id, |cluster| cluster.body = asked.body);
    begin(call, &known.id, &known.location, None, if upgrades { "Upgrading" } else { "Updating" }, phases)
}

fn differs(before: &Pool, wanted: &Wanted) -> bool {
    before.version != wanted.version || number(&wanted.properties, "count") != Some(i64::from(before.count()))
}

/// What changes a pool into what is wanted, each after that long, and how long it takes altogether.
pub(super) fn pool_phases(before: Option<&Pool>, wanted: &Wanted) -> (Vec<(Duration, Step)>, Duration) {
    let name = || wanted.name.clone();
    let [machines, scaled] = SCALED;
    let mut phases = Vec::new();
    let mut at = Duration::ZERO;
    match before {
        None => {
            phases.push((SURGE, Step::Machines(name())));
            at = Duration::from_secs(190);
        }
        Some(before) if before.version != wanted.version => {
            at = SURGE;
            for machine in &before.machines {
                at += NODE;
                phases.push((at, Step::Replace(name(), machine.number, wanted.version.clone())));
            }
            phases.push((at, Step::PoolVersion(name(), wanted.version.clone())));
        }
        Some(before) if number(&wanted.properties, "count") != Some(i64::from(before.count())) => {
            phases.push((machines, Step::Machines(name())));
            at = scaled;
        }
        Some(_) => at += SETTINGS,
    }
    phases.push((at, Step::FinishPool(name())));
    (phases, at)
}

/// The state of a pool while it is changed.
pub(super) fn word(before: Option<&Pool>, wanted: &Wanted) -> &'static str {
    match before {
        None => "Creating",
        Some(before) if before.version != wanted.version => "Upgrading",
        Some(before) if number(&wanted.properties, "count") != Some(i64::from(before.count())) => "Scaling",
        Some(_) => "Updating",
    }
}
