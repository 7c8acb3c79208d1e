//! The machines of pools: made, removed and replaced.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pmks_simulation::{Cidr, Now};
use serde_json::Value;

use super::state::{Cluster, Machine};
use crate::arm::key;
use crate::json::{at, items, text};
use crate::world::World;

/// Azure keeps the first four addresses of a subnet and the last one.
///
/// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>.
const KEPT: (u64, u64) = (4, 1);

/// A pool has as many machines as were asked for: new ones at the end, the newest removed first.
pub(super) fn scale(world: &mut World, subscription: &str, target: &str, name: &str, now: Now) {
    let Some(cluster) = world.subscription(subscription).clusters.get(target).cloned() else { return };
    let Some(pool) = cluster.pool(name) else { return };
    let (wanted, has) = (pool.count() as usize, pool.machines.len());
    let version = pool.version.clone();
    for _ in has..wanted {
        add(world, subscription, target, name, &version, now);
    }
    if let Some(pool) = pool_mut(world, subscription, target, name) {
        pool.machines.truncate(wanted);
    }
}

/// A machine is replaced by a new one of that version.
pub(super) fn replace(
    world: &mut World,
    subscription: &str,
    target: &str,
    name: &str,
    (number, version): (u32, &str),
    now: Now,
) {
    if let Some(pool) = pool_mut(world, subscription, target, name) {
        pool.machines.retain(|machine| machine.number != number);
    }
    add(world, subscription, target, name, version, now);
    let made = pool_mut(world, subscription, target, name).and_then(|pool| pool.machines.last_mut());
    if let Some(made) = made {
        made.ready_since = Some(now.wall);
    }
}

fn pool_mut<'a>(
    world: &'a mut World,
    subscription: &str,
    target: &str,
    name: &str,
) -> Option<&'a mut super::Pool> {
    world.subscription_mut(subscription).clusters.get_mut(target)?.pool_mut(name)
}

fn add(world: &mut World, subscription: &str, target: &str, name: &str, version: &str, now: Now) {
    let Some(cluster) = world.subscription(subscription).clusters.get(target) else { return };
    let Some(pool) = cluster.pool(name) else { return };
    let address = free_address(world, subscription, cluster, &cluster.subnet_of(subscription, pool));
    let zones: Vec<&str> =
        items(at(&pool.properties, "availabilityZones")).filter_map(Value::as_str).collect();
    let zone = if zones.is_empty() { None } else { zones.get(pool.next as usize % zones.len()).copied() };
    let zone = zone.map(str::to_owned);
    let id = world.random.uuid();
    let Some(pool) = pool_mut(world, subscription, target, name) else { return };
    pool.machines.push(Machine {
        number: pool.next,
        id,
        address,
        zone,
        version: version.to_owned(),
        created: now.wall,
        ready_since: None,
    });
    pool.next += 1;
}

/// The first address of a subnet that no machine has.
fn free_address(world: &World, subscription: &str, own: &Cluster, subnet: &str) -> Ipv4Addr {
    let held = world.subscription(subscription);
    let prefix = held.documents.get(&key(subnet)).and_then(|document| {
        let many = items(at(&document.body, "properties.addressPrefixes")).next().and_then(Value::as_str);
        text(&document.body, "properties.addressPrefix").or(many).map(str::to_owned)
    });
    let prefix: Option<Cidr> = prefix.and_then(|prefix| prefix.parse().ok());
    let in_subnet = |cluster: &&Cluster| {
        cluster.pools.iter().any(|pool| key(&cluster.subnet_of(subscription, pool)) == key(subnet))
    };
    let used: BTreeSet<Ipv4Addr> = held
        .clusters
        .values()
        .filter(in_subnet)
        .flat_map(|cluster| {
            cluster.pools.iter().flat_map(|pool| pool.machines.iter().map(|machine| machine.address))
        })
        .chain(own.pools.iter().flat_map(|pool| pool.machines.iter().map(|machine| machine.address)))
        .collect();
    let free =
        prefix.and_then(|prefix| prefix.usable(KEPT.0, KEPT.1).find(|address| !used.contains(address)));
    free.unwrap_or(Ipv4Addr::UNSPECIFIED)
}
