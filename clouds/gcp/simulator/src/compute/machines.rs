//! Machines and the managed groups that keep their number: a group makes and removes machines until it has as many as
//! it shall. Everything slow goes on in work time.
//!
//! Made for GKE's node pools and by nobody else: the simulation has no `instances.insert`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::{Cidr, Now};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::operations;
use super::state::{State, Stored, key, link, number, path};
use crate::world::World;

/// From `PROVISIONING` to `STAGING`.
const PROVISIONED_AFTER: Duration = Duration::from_secs(6);
/// From `STAGING` to `RUNNING`.
const STARTED_AFTER: Duration = Duration::from_secs(14);
/// From `RUNNING` until the kubelet says that the node is ready.
const JOINED_AFTER: Duration = Duration::from_secs(35);
/// From `STOPPING` until it is gone.
const GONE_AFTER: Duration = Duration::from_secs(40);

/// What the machines of a group are made from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) zone: String,
    /// The cluster, its location, and the node pool.
    pub(crate) cluster: String,
    pub(crate) location: String,
    pub(crate) pool: String,
    pub(crate) machine_type: String,
    pub(crate) disk_type: String,
    pub(crate) disk_gib: u32,
    pub(crate) image_type: String,
    /// The kubelet's version.
    pub(crate) version: String,
    /// The link of the subnetwork and of its network, and the subnetwork's key.
    pub(crate) subnetwork: String,
    pub(crate) network: String,
    pub(crate) subnetwork_key: String,
    pub(crate) tags: Vec<String>,
    pub(crate) labels: std::collections::BTreeMap<String, String>,
    /// Labels of the Kubernetes node.
    pub(crate) node_labels: std::collections::BTreeMap<String, String>,
    pub(crate) metadata: std::collections::BTreeMap<String, String>,
    pub(crate) service_account: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) spot: bool,
    pub(crate) external: bool,
}

/// A managed instance group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) id: String,
    /// What its machines' names begin with.
    pub(crate) base: String,
    pub(crate) created: Timestamp,
    /// What new machines are made from, and the name of the template that says so.
    pub(crate) wish: Wish,
    pub(crate) template: String,
    pub(crate) target: u32,
    /// Whether the zone has no machines left of that kind.
    pub(crate) stockout: bool,
    pub(crate) revision: u64,
}

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) template: String,
    pub(crate) created: Timestamp,
    /// Compute Engine's word for its state.
    pub(crate) status: String,
    pub(crate) next: Option<(Duration, Next)>,
    pub(crate) wish: Wish,
    pub(crate) internal_ip: Ipv4Addr,
    pub(crate) external_ip: Option<Ipv4Addr>,
    /// Since when it is a ready node.
    pub(crate) ready_since: Option<Timestamp>,
    pub(crate) revision: u64,
}

/// What happens to a machine next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Next {
    Staging,
    Running,
    Ready,
    Gone,
}

/// How far a group is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) target: usize,
    pub(crate) ready: usize,
    /// Machines that are there and shall stay.
    pub(crate) present: usize,
    /// Machines that are there at all.
    pub(crate) all: usize,
    pub(crate) stockout: bool,
}

impl Instance {
    /// Whether it is on its way out.
    pub(crate) fn going(&self) -> bool {
        self.status == "STOPPING"
    }

    /// Whether it lives in a network or subnetwork, or on a disk, of this link.
    pub(crate) fn mentions(&self, link_of: &str, project: &str) -> bool {
        self.wish.network == link_of
            || self.wish.subnetwork == link_of
            || link(&path(project, &format!("zones/{}", self.wish.zone), "disks", &self.name)) == link_of
    }
}

/// Makes a group, which begins to make its machines.
pub(crate) fn make_group(
    world: &mut World,
    project: &str,
    now: Now,
    (name, base): (&str, &str),
    wish: Wish,
    (target, stockout): (u32, bool),
) {
    let id = number(&mut world.random);
    let template = base.to_owned();
    let group = Group {
        name: name.to_owned(),
        id,
        base: base.to_owned(),
        created: now.wall,
        template: template.clone(),
        wish: wish.clone(),
        target,
        stockout,
        revision: 0,
    };
    put_template(world, project, now, &template, &wish);
    let held = format!("{}/{name}", wish.zone);
    world.project_mut(project).compute.groups.insert(held.clone(), group);
    fill(world, project, &held, now);
}

/// The instance template that says what a group's machines are.
pub(crate) fn put_template(world: &mut World, project: &str, now: Now, name: &str, wish: &Wish) {
    let items: Vec<_> =
        wish.metadata.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    let body = json!({"properties": {
        "machineType": wish.machine_type, "labels": wish.labels, "canIpForward": false,
        "tags": {"items": wish.tags}, "metadata": {"kind": "compute#metadata", "items": items},
        "networkInterfaces": [{"network": wish.network, "subnetwork": wish.subnetwork}],
        "disks": [{"boot": true, "autoDelete": true, "type": "PERSISTENT", "mode": "READ_WRITE",
            "initializeParams": {"diskSizeGb": wish.disk_gib.to_string(), "diskType": wish.disk_type}}],
        "serviceAccounts": [{"email": wish.service_account, "scopes": wish.scopes}],
    }});
    let stored = Stored::new("instanceTemplates", "global", name, body, &mut world.random, now.wall);
    world.project_mut(project).compute.resources.insert(stored.key(), stored);
}

/// Sets how many machines a group shall have; surplus ones go, the newest first.
pub(crate) fn resize_group(
    world: &mut World,
    project: &str,
    group: &str,
    (target, stockout): (u32, bool),
    now: Now,
) {
    let state = &mut world.project_mut(project).compute;
    let Some(found) = state.groups.get_mut(group) else { return };
    (found.target, found.stockout) = (target, stockout);
    found.revision += 1;
    let mut members: Vec<(Timestamp, String)> = members(state, group)
        .filter(|instance| !instance.going())
        .map(|instance| (instance.created, instance.name.clone()))
        .collect();
    members.sort();
    let surplus: Vec<String> = members.into_iter().skip(target as usize).map(|(_, name)| name).collect();
    for name in surplus {
        stop(state, group, &name, now);
    }
    fill(world, project, group, now);
}

/// The group lets all its machines go and vanishes with the last one.
pub(crate) fn delete_group(world: &mut World, project: &str, group: &str, now: Now) {
    resize_group(world, project, group, (0, false), now);
    let state = &mut world.project_mut(project).compute;
    if let Some(gone) = state.groups.remove(group) {
        state.resources.remove(&key("instanceTemplates", "global", &gone.template));
    }
}

/// One machine goes; the group makes up for it unless its target says otherwise.
pub(crate) fn drop_instance(world: &mut World, project: &str, group: &str, name: &str, now: Now) {
    stop(&mut world.project_mut(project).compute, group, name, now);
}

/// How far a group is.
pub(crate) fn group_outcome(state: &State, group: &str) -> Outcome {
    let Some(found) = state.groups.get(group) else {
        return Outcome { all: members(state, group).count(), ..Outcome::default() };
    };
    let present = || members(state, group).filter(|instance| !instance.going());
    Outcome {
        target: found.target as usize,
        ready: present().filter(|instance| instance.ready_since.is_some()).count(),
        present: present().count(),
        all: members(state, group).count(),
        stockout: found.stockout,
    }
}

/// The machines of a group.
pub(crate) fn members<'a>(state: &'a State, group: &'a str) -> impl Iterator<Item = &'a Instance> {
    state
        .instances
        .values()
        .filter(move |instance| format!("{}/{}", instance.wish.zone, instance.group) == group)
}

fn stop(state: &mut State, group: &str, name: &str, now: Now) {
    let zone = group.split('/').next().unwrap_or_default();
    if let Some(instance) = state.instances.get_mut(&format!("{zone}/{name}"))
        && !instance.going()
    {
        "STOPPING".clone_into(&mut instance.status);
        instance.next = Some((now.work.saturating_add(GONE_AFTER), Next::Gone));
    }
}

/// Makes the machines that a group lacks.
fn fill(world: &mut World, project: &str, group: &str, now: Now) {
    let outcome = group_outcome(&world.project(project).compute, group);
    if outcome.stockout {
        return;
    }
    for _ in outcome.present..outcome.target {
        if launch(world, project, group, now).is_none() {
            return;
        }
    }
}

/// Makes one machine in a group, if its subnetwork has an address left; answers its name.
pub(crate) fn launch(world: &mut World, project: &str, group: &str, now: Now) -> Option<String> {
    let found = world.project(project).compute.groups.get(group)?.clone();
    let wish = found.wish.clone();
    let name = format!("{}-{}", found.base, world.random.text("bcdfghjklmnpqrstvwxz0123456789", 4));
    let id = number(&mut world.random);
    let byte = |world: &mut World| u8::try_from(world.random.below(250)).unwrap_or(0) + 1;
    let external = wish.external.then(|| Ipv4Addr::new(34, 64, byte(world), byte(world)));
    let scope = format!("zones/{}", wish.zone);
    let instance_link = link(&path(project, &scope, "instances", &name));
    let disk = json!({
        "sizeGb": wish.disk_gib.to_string(), "status": "READY", "users": [instance_link], "labels": wish.labels,
        "type": link(&format!("projects/{project}/{scope}/diskTypes/{}", wish.disk_type)),
        "physicalBlockSizeBytes": "4096",
    });
    let disk = Stored::new("disks", &scope, &name, disk, &mut world.random, now.wall);
    let state = &mut world.project_mut(project).compute;
    let internal_ip = free_address(state, &wish)?;
    state.resources.insert(disk.key(), disk);
    let instance = Instance {
        name: name.clone(),
        id,
        group: found.name,
        template: found.template,
        created: now.wall,
        status: "PROVISIONING".to_owned(),
        next: Some((now.work.saturating_add(PROVISIONED_AFTER), Next::Staging)),
        internal_ip,
        external_ip: external,
        ready_since: None,
        revision: 0,
        wish,
    };
    state.instances.insert(format!("{}/{name}", instance.wish.zone), instance);
    Some(name)
}

/// Google keeps the first two and the last two addresses of a block.
///
/// Source: <https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet>.
fn free_address(state: &State, wish: &Wish) -> Option<Ipv4Addr> {
    let block: Cidr = state.resources.get(&wish.subnetwork_key)?.text("ipCidrRange").parse().ok()?;
    let used: BTreeSet<Ipv4Addr> = state
        .instances
        .values()
        .filter(|instance| instance.wish.subnetwork == wish.subnetwork)
        .map(|instance| instance.internal_ip)
        .collect();
    block.usable(2, 2).find(|address| !used.contains(address))
}

/// Does what has fallen due in one project: operations, machines, balancers.
pub(crate) fn settle(world: &mut World, project: &str, now: Now) {
    operations::settle(world, project, now);
    super::balancers::settle(world, project, now);
    let due = |instance: &&Instance| instance.next.is_some_and(|(due, _)| due <= now.work);
    let keys: Vec<String> = {
        let instances = &world.project(project).compute.instances;
        instances.iter().filter(|(_, instance)| due(instance)).map(|(key, _)| key.clone()).collect()
    };
    for held in keys {
        let state = &mut world.project_mut(project).compute;
        let Some(instance) = state.instances.get_mut(&held) else { continue };
        let Some((_, next)) = instance.next.take() else { continue };
        let then = |after: Duration, next| Some((now.work.saturating_add(after), next));
        match next {
            Next::Staging => {
                "STAGING".clone_into(&mut instance.status);
                instance.next = then(STARTED_AFTER, Next::Running);
            }
            Next::Running => {
                "RUNNING".clone_into(&mut instance.status);
                instance.next = then(JOINED_AFTER, Next::Ready);
            }
            Next::Ready => instance.ready_since = Some(now.wall),
            Next::Gone => {
                let (name, scope) = (instance.name.clone(), format!("zones/{}", instance.wish.zone));
                let group = format!("{}/{}", instance.wish.zone, instance.group);
                state.instances.remove(&held);
                state.resources.remove(&key("disks", &scope, &name));
                fill(world, project, &group, now);
            }
        }
    }
}

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    let operations = state.operations.values().filter_map(|operation| operation.due);
    let machines = state.instances.values().filter_map(|instance| instance.next.map(|(due, _)| due));
    operations.chain(machines).chain(super::balancers::next_due(state)).min()
}
