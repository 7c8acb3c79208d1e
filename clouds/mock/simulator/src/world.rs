//! The whole state of the Mock cloud: accounts by `MockName`, and the things that each holds.
//!
//! Plain data that can be cloned and written as JSON; what is pending is settled when somebody looks.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::kubernetes::ClusterEndpoint;
use pmks_simulation::{Changes, Now, Random, Resource, Shared};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::work::{self, Operation, Pending};

/// Everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// Where identifiers come from.
    pub(crate) random: Random,
    /// Accounts by `MockName`; one begins when its name is first used.
    pub(crate) accounts: BTreeMap<String, Account>,
    /// The `MockName` of the connection that is offered.
    pub(crate) offered: String,
    /// How long the work of a change takes.
    pub(crate) work: Duration,
    /// The work that is not done.
    pub(crate) pending: Vec<Pending>,
    /// How often anything has changed that is worth keeping.
    pub(crate) revision: u64,
}

/// What one `MockName` holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Twelve digits that never change.
    pub(crate) id: String,
    /// Whether its credential acts elsewhere at the moment.
    pub(crate) moved: bool,
    /// What tokens of its clusters are made with.
    pub(crate) secret: String,
    /// Things by identifier.
    pub(crate) things: BTreeMap<String, Shared<Thing>>,
    /// Identifiers by region, kind, parent and name, which are one together.
    pub(crate) names: BTreeMap<String, String>,
    /// Operations by identifier, the last ones.
    pub(crate) operations: BTreeMap<String, Shared<Operation>>,
}

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Network,
    Subnet,
    SecurityGroup,
    KeyPair,
    Cluster,
    NodeGroup,
    Balancer,
    Volume,
}

impl Kind {
    /// Every kind, with the collection that the API has it in and its word in the ground truth.
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Network, "networks", "network"),
        (Self::Subnet, "subnets", "subnet"),
        (Self::SecurityGroup, "securityGroups", "securityGroup"),
        (Self::KeyPair, "keyPairs", "keyPair"),
        (Self::Cluster, "clusters", "cluster"),
        (Self::NodeGroup, "nodeGroups", "nodeGroup"),
        (Self::Balancer, "balancers", "balancer"),
        (Self::Volume, "volumes", "volume"),
    ];

    /// The kind of a collection.
    pub(crate) fn of(collection: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known, _)| *known == collection).map(|(kind, ..)| kind)
    }

    /// What one is called.
    pub(crate) fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, ..)| *kind == self).map_or("", |(.., word)| word)
    }

    /// The kind of what one is a part of.
    pub(crate) fn parent(self) -> Option<Self> {
        match self {
            Self::Network | Self::KeyPair | Self::Cluster => None,
            Self::Subnet | Self::SecurityGroup => Some(Self::Network),
            Self::NodeGroup | Self::Balancer | Self::Volume => Some(Self::Cluster),
        }
    }

    /// Whether one goes with what it is a part of.
    pub(crate) fn goes_with_parent(self) -> bool {
        self.parent() == Some(Self::Cluster)
    }
}

/// The words of a thing's state.
pub(crate) mod state {
    pub(crate) const CREATING: &str = "Creating";
    pub(crate) const ACTIVE: &str = "Active";
    pub(crate) const UPDATING: &str = "Updating";
    pub(crate) const DELETING: &str = "Deleting";
    pub(crate) const FAILED: &str = "Failed";
}

/// A network, a key pair, a cluster, …
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Thing {
    /// What it is.
    pub(crate) kind: Kind,
    /// What no later one has: its name and a random end.
    pub(crate) id: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// The identifier of what it is a part of; empty where it is a part of nothing.
    pub(crate) parent: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) state: String,
    /// Why it failed.
    pub(crate) reason: String,
    pub(crate) created: Timestamp,
    /// What was asked of it.
    pub(crate) spec: Map<String, Value>,
    /// The nodes of a node group.
    pub(crate) machines: Vec<Machine>,
    /// The Kubernetes endpoint of a cluster.
    pub(crate) endpoint: Option<ClusterEndpoint>,
    /// What is shown over what it is.
    pub(crate) shown_over: Map<String, Value>,
}

/// A node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) ip: String,
    pub(crate) zone: String,
    /// The identifier of the subnet that its address is of; a world that was written before it was kept says none.
    #[serde(default)]
    pub(crate) subnet: String,
    pub(crate) created: Timestamp,
}

impl Thing {
    /// A text of what was asked.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.spec.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of texts of what was asked.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.spec.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// A number of the scaling that was asked for.
    pub(crate) fn scaling(&self, key: &str) -> usize {
        let number = self.spec.get("scaling").and_then(|scaling| scaling.get(key)?.as_u64());
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
    }

    fn place(&self) -> String {
        place(&self.region, self.kind, &self.parent) + &self.name
    }

    fn row(&self, account: &Account) -> Resource {
        let mut row = Resource::new(self.kind.word(), &self.id, &self.state, self.created)
            .named(&self.name)
            .tagged(&self.labels)
            .with("account", &*account.id)
            .with("incarnation", &*self.id);
        for key in ["cidr", "zone", "version", "machineType", "rules"] {
            if let Some(value) = self.spec.get(key) {
                row = row.with(key, value.clone());
            }
        }
        if self.kind == Kind::NodeGroup {
            let cluster = account.thing(&self.parent).map_or("", |cluster| &cluster.name);
            row = row.with("cluster", cluster);
            for key in ["min", "max", "desired"] {
                row = row.with(key, self.scaling(key));
            }
        }
        row
    }
}

fn place(region: &str, kind: Kind, parent: &str) -> String {
    format!("{region}/{}/{parent}/", kind.word())
}

impl Account {
    /// Puts a thing where it is found.
    pub(crate) fn put(&mut self, thing: Thing) {
        self.names.insert(thing.place(), thing.id.clone());
        self.things.insert(thing.id.clone(), Shared::new(thing));
    }

    /// Takes a thing away, with what goes with it.
    pub(crate) fn take(&mut self, id: &str) {
        let Some(taken) = self.things.remove(id) else { return };
        self.names.remove(&taken.place());
        let parts = |one: &&Thing| one.parent == id && one.kind.goes_with_parent();
        let parts: Vec<String> = self.all().filter(parts).map(|one| one.id.clone()).collect();
        for part in parts {
            self.take(&part);
        }
    }

    fn changes_since(&self, before: &Self, changes: &mut Changes) {
        changes.is("id", &self.id);
        changes.is("moved", &self.moved);
        changes.is("secret", &self.secret);
        changes.entries("things", &self.things, &before.things, Shared::is_same);
        changes.entries("names", &self.names, &before.names, |one, other| one == other);
        changes.entries("operations", &self.operations, &before.operations, Shared::is_same);
    }

    /// The thing of that identifier.
    pub(crate) fn thing(&self, id: &str) -> Option<&Thing> {
        self.things.get(id).map(|thing| &**thing)
    }

    /// All things.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Thing> {
        self.things.values().map(|thing| &**thing)
    }

    /// The things of a kind in a region, or in a whole where one is named; in order of their names.
    pub(crate) fn list<'a>(
        &'a self,
        region: &str,
        kind: Kind,
        parent: &str,
    ) -> impl Iterator<Item = &'a Thing> + use<'a> {
        let everywhere = parent.is_empty() && kind.parent().is_some();
        let start =
            if everywhere { format!("{region}/{}/", kind.word()) } else { place(region, kind, parent) };
        let all = self.names.range(start.clone()..).take_while(move |(place, _)| place.starts_with(&start));
        all.filter_map(|(_, id)| self.thing(id))
    }

    /// The thing of that name.
    pub(crate) fn named(&self, region: &str, kind: Kind, parent: &str, name: &str) -> Option<&Thing> {
        self.thing(self.names.get(&(place(region, kind, parent) + name))?)
    }

    /// The parts of a thing.
    pub(crate) fn parts<'a>(&'a self, of: &Thing, kind: Kind) -> impl Iterator<Item = &'a Thing> + use<'a> {
        self.list(&of.region, kind, &of.id)
    }

    /// Who uses a thing, for people.
    pub(crate) fn users(&self, of: &Thing) -> Vec<String> {
        let uses = |one: &&Thing| match (of.kind, one.kind) {
            (Kind::Network, Kind::SecurityGroup) => one.parent == of.id,
            (Kind::Network, Kind::Cluster) => one.text("network") == of.id,
            (Kind::Subnet, Kind::Cluster) => one.texts("subnetIds").any(|id| id == of.id),
            (Kind::SecurityGroup, Kind::Cluster) => one.texts("securityGroups").any(|id| id == of.id),
            (Kind::KeyPair, Kind::NodeGroup) => one.region == of.region && one.text("keyPair") == of.name,
            _ => false,
        };
        self.all().filter(uses).map(|one| format!("{} {}", one.kind.word(), one.name)).collect()
    }
}

impl World {
    /// A world without accounts.
    pub(crate) fn new(seed: u64, work: Duration) -> Self {
        let mut random = Random::new(seed);
        let offered = format!("mock-{}", random.hex(16));
        Self { random, accounts: BTreeMap::new(), offered, work, pending: Vec::new(), revision: 0 }
    }

    /// The account of a `MockName`; begins it.
    pub(crate) fn account(&mut self, name: &str) -> &mut Account {
        let (random, revision) = (&mut self.random, &mut self.revision);
        self.accounts.entry(name.to_owned()).or_insert_with(|| {
            *revision += 1;
            Account { id: random.digits(12), secret: random.hex(32), ..Account::default() }
        })
    }

    /// The first cluster of that name or identifier, with the `MockName` of its account.
    pub(crate) fn cluster(&self, named: &str) -> Option<(String, &Thing)> {
        let is_it = |one: &&Thing| one.kind == Kind::Cluster && (one.name == named || one.id == named);
        self.accounts.iter().find_map(|(name, account)| Some((name.clone(), account.all().find(is_it)?)))
    }

    /// Ground truth.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut rows = Vec::new();
        for account in self.accounts.values() {
            for thing in account.all() {
                rows.push(thing.row(account));
                rows.extend(thing.machines.iter().map(|machine| {
                    Resource::new("node", &machine.name, "Running", machine.created)
                        .named(&machine.name)
                        .with("nodeGroup", json!(thing.name))
                }));
            }
        }
        rows
    }
}

impl pmks_simulation::World for World {
    const SNAPSHOT_VERSION: u32 = 1;

    fn settle_at(&mut self, now: Now) {
        work::settle(self, now);
    }

    fn changes_since(&self, before: &Self, changes: &mut Changes) -> bool {
        changes.is("random", &self.random);
        changes.is("offered", &self.offered);
        changes.is("work", &self.work);
        changes.is("revision", &self.revision);
        if !self.pending.is_empty() || !before.pending.is_empty() {
            changes.is("pending", &self.pending);
        }
        changes.within("accounts", |changes| {
            for (name, account) in &self.accounts {
                match before.accounts.get(name) {
                    Some(known) => changes.within(name, |changes| account.changes_since(known, changes)),
                    None => changes.is(name, account),
                }
            }
        });
        // Accounts go when all begins anew.
        before.accounts.keys().all(|name| self.accounts.contains_key(name))
    }

    fn next_due(&self) -> Option<Duration> {
        self.pending.iter().filter_map(|pending| pending.due).min()
    }
}
