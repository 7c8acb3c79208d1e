//! The cloud's own work: every change is an operation, which changes what it is about when it is due.

use std::net::Ipv4Addr;
use std::time::Duration;

use pmks_simulation::{Cidr, Effects, Now, Random, Shared};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::world::{Account, Kind, Machine, Thing, World, state};

/// How many operations an account remembers.
const REMEMBERED: usize = 500;

/// An operation, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Operation {
    /// The thing that it is about.
    pub(crate) target: String,
    /// `Running`, `Done` or `Failed`.
    pub(crate) state: String,
    /// Why it failed: a code and a sentence.
    pub(crate) error: Option<(String, String)>,
}

/// Work that is not done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// When it is due; never where a fault says so.
    pub(crate) due: Option<Duration>,
    account: String,
    operation: String,
    target: String,
    act: Act,
    error: Option<(String, String)>,
}

/// What work does in the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Act {
    Create,
    /// Members of what is asked of a thing; the labels among them are set one by one, and removed by `null`; rules
    /// come and go one by one.
    Update(Map<String, Value>),
    Delete,
}

/// Begins work on a thing of that account, and answers the operation's identifier.
pub(crate) fn begin(
    world: &mut World,
    account: &str,
    target: &str,
    act: Act,
    now: Now,
    effects: &Effects,
) -> String {
    // Identifiers in the order of time: the first are the oldest.
    let operation = format!("operation-{:013}-{}", now.wall.as_millisecond(), world.random.hex(12));
    let due = (!effects.never_finish()).then(|| now.work.saturating_add(world.work));
    let error = effects.fail_while_creating().filter(|_| matches!(act, Act::Create)).map(|code| {
        let code = code.unwrap_or("OutOfCapacity").to_owned();
        (code, "the Mock cloud was told to fail".to_owned())
    });
    let held = world.account(account);
    let begun = Operation { target: target.to_owned(), state: "Running".to_owned(), error: None };
    held.operations.insert(operation.clone(), Shared::new(begun));
    while held.operations.len() > REMEMBERED {
        held.operations.pop_first();
    }
    if let Some(thing) = held.things.get_mut(target) {
        let now_is = match act {
            Act::Create => state::CREATING,
            Act::Update(_) => state::UPDATING,
            Act::Delete => state::DELETING,
        };
        now_is.clone_into(&mut thing.state);
    }
    let (account, target) = (account.to_owned(), target.to_owned());
    world.revision += 1;
    world.pending.push(Pending { due, account, operation: operation.clone(), target, act, error });
    settle(world, now);
    operation
}

/// Does what is due.
pub(crate) fn settle(world: &mut World, now: Now) {
    let is_due = |pending: &Pending| pending.due.is_some_and(|due| due <= now.work);
    let (due, rest) = std::mem::take(&mut world.pending).into_iter().partition(is_due);
    world.pending = rest;
    for pending in due {
        world.revision += 1;
        let Pending { account, operation, target, act, error, .. } = pending;
        let random = &mut world.random;
        let Some(account) = world.accounts.get_mut(&account) else { continue };
        if let Some(operation) = account.operations.get_mut(&operation) {
            if error.is_some() { "Failed" } else { "Done" }.clone_into(&mut operation.state);
            operation.error.clone_from(&error);
        }
        match (act, error) {
            (Act::Delete, _) => account.take(&target),
            (_, Some((_, reason))) => {
                if let Some(thing) = account.things.get_mut(&target) {
                    (thing.state, thing.reason) = (state::FAILED.to_owned(), reason);
                }
            }
            (Act::Create, None) => done(account, random, &target, Map::new(), now),
            (Act::Update(members), None) => done(account, random, &target, members, now),
        }
    }
}

/// Work on what is gone, or on another one than it began with, has ended.
pub(crate) fn forget(world: &mut World, target: &str) {
    world.pending.retain(|pending| pending.target != target);
    for account in world.accounts.values_mut() {
        for operation in account.operations.values_mut().filter(|one| one.target == target) {
            "Done".clone_into(&mut operation.state);
        }
    }
}

/// A thing is as it was asked for.
fn done(account: &mut Account, random: &mut Random, id: &str, members: Map<String, Value>, now: Now) {
    let Some(thing) = account.thing(id) else { return };
    let mut thing = thing.clone();
    let before = thing.text("version").to_owned();
    for (key, value) in members {
        match (key.as_str(), value) {
            ("labels", Value::Object(labels)) => {
                for (key, value) in labels {
                    match value.as_str() {
                        Some(value) => drop(thing.labels.insert(key, value.to_owned())),
                        None => drop(thing.labels.remove(&key)),
                    }
                }
            }
            ("addRules" | "removeRules", Value::Array(rules)) => {
                let held = thing.spec.entry("rules").or_insert_with(|| json!([]));
                let Some(held) = held.as_array_mut() else { continue };
                held.retain(|rule| !rules.contains(rule));
                held.extend(rules.into_iter().filter(|_| key == "addRules"));
            }
            (_, value) => drop(thing.spec.insert(key, value)),
        }
    }
    state::ACTIVE.clone_into(&mut thing.state);
    if thing.kind == Kind::NodeGroup {
        // Nodes of another version are other nodes.
        if thing.text("version") != before {
            thing.machines.clear();
        }
        size(account, random, &mut thing, now);
    }
    account.put(thing);
}

/// Lets nodes come and go until there are as many as are wanted.
fn size(account: &Account, random: &mut Random, group: &mut Thing, now: Now) {
    let wanted = group.scaling("desired");
    group.machines.truncate(wanted);
    let Some(cluster) = account.thing(&group.parent) else { return };
    let subnets: Vec<&Thing> = cluster.texts("subnetIds").filter_map(|id| account.thing(id)).collect();
    let groups = account.parts(cluster, Kind::NodeGroup).filter(|other| other.id != group.id);
    let mut taken: Vec<String> = groups.flat_map(|other| &other.machines).map(|one| one.ip.clone()).collect();
    taken.extend(group.machines.iter().map(|machine| machine.ip.clone()));
    while group.machines.len() < wanted {
        let subnet = subnets.get(group.machines.len() % subnets.len().max(1));
        let cidr: Option<Cidr> = subnet.and_then(|subnet| subnet.text("cidr").parse().ok());
        let free = cidr.and_then(|cidr| {
            // The first address is the network's, the second its router's, the last everybody's.
            cidr.usable(2, 1).map(|ip| ip.to_string()).find(|ip| !taken.contains(ip))
        });
        let ip = free.unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string());
        taken.push(ip.clone());
        group.machines.push(Machine {
            name: format!("{}-{}-{}", cluster.name, group.name, random.hex(8)),
            ip,
            zone: subnet.map_or("", |subnet| subnet.text("zone")).to_owned(),
            subnet: subnet.map(|subnet| subnet.id.clone()).unwrap_or_default(),
            created: now.wall,
        });
    }
}

/// What the API says of an operation.
pub(crate) fn view(id: &str, operation: &Operation) -> Value {
    let error = operation.error.as_ref().map(|(code, message)| json!({"code": code, "message": message}));
    json!({"id": id, "target": operation.target, "state": operation.state, "error": error})
}
