//! Quotas: how much of each a project may have, and what it has.
//!
//! Source: <https://cloud.google.com/compute/resource-usage>. The limits are those of a project with some history.

use pmks_simulation::StateError;
use serde_json::{Value, json};

use super::state::State;
use crate::call::Call;
use crate::catalogue;
use crate::error::{Code, Error, Result};
use crate::world::World;

const GLOBAL: [(&str, f64, &str); 3] = [
    ("NETWORKS", 15.0, "networks"),
    ("SUBNETWORKS", 275.0, "subnetworks"),
    ("FIREWALLS", 500.0, "firewalls"),
];

const REGIONAL: [(&str, f64); 5] = [
    ("CPUS", 500.0),
    ("IN_USE_ADDRESSES", 500.0),
    ("DISKS_TOTAL_GB", 102_400.0),
    ("SSD_TOTAL_GB", 40_960.0),
    ("INSTANCES", 6000.0),
];

/// The event `quotaIs {metric, limit, region?, project?}`.
///
/// # Errors
/// When something is missing.
pub(crate) fn quota_is(world: &mut World, event: &Value) -> std::result::Result<Value, StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let project = world.project_named(text("project"))?;
    let metric = text("metric").ok_or_else(|| StateError("the event needs `metric`".to_owned()))?;
    let limit = event.get("limit").and_then(Value::as_f64);
    let limit = limit.ok_or_else(|| StateError("the event needs `limit`".to_owned()))?;
    let place = text("region").unwrap_or("global");
    world.project_mut(&project).compute.limits.insert(format!("{place}/{metric}"), limit);
    Ok(Value::Null)
}

/// Refuses one more of what a project has enough of.
pub(crate) fn check(call: &Call<'_>, metric: &str) -> Result<()> {
    let state = &call.held().compute;
    let quota = global(state).into_iter().find(|(name, ..)| *name == metric);
    let (limit, usage) = quota.map_or((f64::MAX, 0.0), |(_, limit, usage)| (limit, usage));
    if usage + 1.0 <= limit && !call.effects.quota() {
        return Ok(());
    }
    let says = format!("Quota '{metric}' exceeded.  Limit: {limit:.1} globally.");
    Err(Error::new(Code::PermissionDenied, says).reason("quotaExceeded"))
}

/// The metric that would not suffice for more machines in a region, with limit and what is left.
pub(crate) fn shortage(
    state: &State,
    region: &str,
    wanted: &[(&'static str, f64)],
) -> Option<(&'static str, f64, f64, f64)> {
    let quotas = regional(state, region);
    wanted.iter().find_map(|(metric, more)| {
        let (_, limit, usage) = quotas.iter().find(|(name, ..)| name == metric)?;
        let available = limit - usage;
        (*more > available).then_some((*metric, *more, *limit, available))
    })
}

fn limit(state: &State, place: &str, metric: &str, usual: f64) -> f64 {
    state.limits.get(&format!("{place}/{metric}")).copied().unwrap_or(usual)
}

/// Metric, limit and usage of what is counted globally.
fn global(state: &State) -> Vec<(&'static str, f64, f64)> {
    let count = |collection: &str| {
        state.resources.values().filter(|stored| stored.collection == collection).map(|_| 1.0).sum()
    };
    GLOBAL
        .iter()
        .map(|(metric, usual, collection)| {
            (*metric, limit(state, "global", metric, *usual), count(collection))
        })
        .collect()
}

/// Metric, limit and usage of what is counted in each region.
fn regional(state: &State, region: &str) -> Vec<(&'static str, f64, f64)> {
    let in_region = |zone: &str| catalogue::region_of(zone).is_some_and(|known| known.name == region);
    let here: Vec<_> = state.instances.values().filter(|instance| in_region(&instance.wish.zone)).collect();
    let cpus = |name: &str| catalogue::machine_type(name).map_or(2.0, |machine| f64::from(machine.cpus));
    let disks = |ssd: bool| {
        here.iter()
            .filter(|one| (one.wish.disk_type != "pd-standard") == ssd)
            .map(|one| f64::from(one.wish.disk_gib))
            .sum::<f64>()
    };
    let used = |metric: &str| match metric {
        "CPUS" => here.iter().map(|one| cpus(&one.wish.machine_type)).sum(),
        "IN_USE_ADDRESSES" => here.iter().filter(|one| one.external_ip.is_some()).map(|_| 1.0).sum(),
        "DISKS_TOTAL_GB" => disks(false),
        "SSD_TOTAL_GB" => disks(true),
        _ => here.iter().map(|_| 1.0).sum(),
    };
    REGIONAL
        .iter()
        .map(|(metric, usual)| (*metric, limit(state, region, metric, *usual), used(metric)))
        .collect()
}

/// Quotas as the API shows them: of a region, or of the project.
pub(crate) fn view(state: &State, region: Option<&str>) -> Value {
    let quotas = region.map_or_else(|| global(state), |region| regional(state, region));
    // The sum of nothing is -0.
    let shown: Vec<Value> = quotas
        .into_iter()
        .map(|(metric, limit, usage)| json!({"metric": metric, "limit": limit, "usage": usage + 0.0}))
        .collect();
    json!(shown)
}
