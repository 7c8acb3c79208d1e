//! What happens in the world by itself, or because a test wants it so. The names are the same in every simulated cloud.

use std::collections::BTreeMap;
use std::time::Duration;

use pmks_simulation::{Now, ShowsOver, StateError, show_over};
use serde_json::{Map, Value, json};

use crate::others;
use crate::world::{Kind, Thing, World, state};

/// What stands between the name of an original and the number of its copy.
const COPY: &str = "-copy-";

/// Lets an event happen.
///
/// # Errors
/// When it is unknown, or cannot happen.
pub(crate) fn happen(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    world.revision += 1;
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    let count = |key: &str| event.get(key).and_then(Value::as_u64).unwrap_or_default();
    match text("type") {
        "controllerMakesLoadBalancer" => {
            let address = format!("203.0.113.{}", 1 + world.random.below(250));
            let namespace = Some(text("namespace")).filter(|text| !text.is_empty()).unwrap_or("default");
            let spec = json!({"namespace": namespace, "service": text("service"), "address": address});
            let made = part(world, text("cluster"), Kind::Balancer, text("service"), spec, now)?;
            Ok(json!({"address": address, "balancerId": made}))
        }
        "controllerMakesVolume" => {
            let name = format!("pvc-{}", world.random.hex(8));
            Ok(json!({"volumeId": part(world, text("cluster"), Kind::Volume, &name, json!({}), now)?}))
        }
        "clustersAreCopied" => copy(world, text("cluster"), count("clusters"), count("nodeGroups")),
        "copiesVanish" => {
            let (account, cluster) = found(world, text("cluster"))?;
            let held = world.account(&account);
            let is_copy = |one: &&Thing| {
                one.name.starts_with(&format!("{}{COPY}", cluster.name))
                    || (one.parent == cluster.id && one.name.contains(COPY))
            };
            let copies: Vec<String> = held.all().filter(is_copy).map(|one| one.id.clone()).collect();
            for copy in &copies {
                held.take(copy);
            }
            Ok(Value::Null)
        }
        "showsOver" => {
            let shown = ShowsOver::read(event)?;
            let (account, cluster) = found(world, &shown.cluster)?;
            let mut all = Vec::new();
            for thing in world.account(&account).things.values_mut() {
                if thing.id == cluster.id {
                    show_over(&mut thing.shown_over, &shown.members);
                    all.insert(0, json!(thing.shown_over));
                } else if thing.parent == cluster.id && thing.kind == Kind::NodeGroup {
                    show_over(&mut thing.shown_over, &shown.node_groups);
                    all.push(json!(thing.shown_over));
                }
            }
            let cluster = all.remove(0);
            Ok(json!({"cluster": cluster, "nodeGroups": all}))
        }
        "credentialsMove" => {
            world.accounts.values_mut().for_each(|account| account.moved = !account.moved);
            Ok(Value::Null)
        }
        "workTakes" => {
            world.work = Duration::from_secs(count("seconds"));
            Ok(Value::Null)
        }
        "vanishes" | "isReplaced" | "isChanged" => others::act(world, event, now),
        other => Err(StateError(format!("nothing is known of the event `{other}`"))),
    }
}

/// A cluster with the `MockName` of its account.
fn found(world: &World, named: &str) -> Result<(String, Thing), StateError> {
    let found = world.cluster(named).map(|(account, cluster)| (account, cluster.clone()));
    found.ok_or_else(|| StateError(format!("there is no cluster `{named}`")))
}

/// Puts a part of a cluster there, all ready, and answers its identifier.
fn part(
    world: &mut World,
    cluster: &str,
    kind: Kind,
    name: &str,
    spec: Value,
    now: Now,
) -> Result<String, StateError> {
    let (account, cluster) = found(world, cluster)?;
    let id = format!("{name}-{}", world.random.hex(12));
    let spec = if let Value::Object(spec) = spec { spec } else { Map::new() };
    world.account(&account).put(Thing {
        kind,
        id: id.clone(),
        name: name.to_owned(),
        parent: cluster.id,
        state: state::ACTIVE.to_owned(),
        created: now.wall,
        spec,
        endpoint: None,
        region: cluster.region,
        reason: String::new(),
        labels: BTreeMap::new(),
        machines: Vec::new(),
        shown_over: Map::new(),
    });
    Ok(id)
}

/// Copies a cluster, and its first node group within it.
fn copy(world: &mut World, cluster: &str, clusters: u64, groups: u64) -> Result<Value, StateError> {
    let (account, cluster) = found(world, cluster)?;
    let group = world.account(&account).parts(&cluster, Kind::NodeGroup).next().cloned();
    let templates = [(Some(cluster), clusters), (group, groups)];
    for (template, count) in templates.into_iter().filter_map(|(one, count)| Some((one?, count))) {
        for number in 0..count {
            let name = format!("{}{COPY}{number:04}", template.name);
            let id = format!("{name}-{}", world.random.hex(12));
            world.account(&account).put(Thing { name, id, endpoint: None, ..template.clone() });
        }
    }
    Ok(json!({"clusters": clusters, "nodeGroups": groups}))
}
