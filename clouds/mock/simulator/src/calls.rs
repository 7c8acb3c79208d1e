//! The calls, each one answer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Cidr, Effects, Measure, Measured, Now, pages};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::work::{self, Act};
use crate::world::{Account, Kind, Thing, World, state};
use crate::{catalogue, endpoints};

/// What is measured, by its word; parts are told of a hundred.
const METRICS: [(&str, Measure, f64); 8] = [
    ("cpuUsage", Measure::Processors, 100.0),
    ("memoryUsage", Measure::Memory, 100.0),
    ("diskRead", Measure::DiskRead, 1.0),
    ("diskWrite", Measure::DiskWritten, 1.0),
    ("diskReadOperations", Measure::DiskReads, 1.0),
    ("diskWriteOperations", Measure::DiskWrites, 1.0),
    ("networkIn", Measure::Received, 1.0),
    ("networkOut", Measure::Sent, 1.0),
];

/// How many things a page of a list holds.
const PAGE: usize = 50;

/// One call of a caller who is known.
pub(crate) struct Call<'a> {
    /// The world, settled up to `now`.
    pub(crate) world: &'a mut World,
    /// The `MockName`.
    pub(crate) account: String,
    /// The region that the path names.
    pub(crate) region: String,
    /// The moment, in both readings.
    pub(crate) now: Now,
    /// Faults that only the cloud can act out.
    pub(crate) effects: &'a Effects,
}

impl Call<'_> {
    fn held(&mut self) -> &mut Account {
        self.world.account(&self.account)
    }

    /// Who the caller is.
    pub(crate) fn account(&mut self) -> Value {
        let held = self.held();
        // Elsewhere is another one of the same form.
        let id: String = if held.moved { held.id.chars().rev().collect() } else { held.id.clone() };
        json!({"id": id})
    }

    /// How an operation stands.
    pub(crate) fn operation(&mut self, id: &str) -> Result<Value> {
        let found = self.held().operations.get(id).map(|operation| work::view(id, operation));
        found.ok_or_else(|| Error::not_found("operation", id))
    }

    /// What lets in at a cluster, for a while.
    pub(crate) fn token(&mut self, id: &str) -> Result<Value> {
        let now = self.now.wall;
        let cluster = self.thing(Kind::Cluster, id)?;
        endpoints::token(&self.held().secret, &cluster.id, now)
    }

    /// What a node measures, at each interval of a time.
    pub(crate) fn metric(
        &mut self,
        node: &str,
        metric: &str,
        query: &BTreeMap<String, String>,
    ) -> Result<Value> {
        let measure = METRICS.iter().find(|(word, ..)| *word == metric);
        let (_, measure, factor) = measure.ok_or_else(|| Error::not_found("metric", metric))?;
        let time = |key: &str| {
            let said = query.get(key).and_then(|text| text.parse::<Timestamp>().ok());
            said.ok_or_else(|| Error::invalid(format!("{key} must be a time")))
        };
        let (from, until) = (time("from")?, time("until")?);
        let seconds = query.get("intervalSeconds").and_then(|text| text.parse().ok()).unwrap_or_default();
        if seconds < 60 || seconds % 60 != 0 {
            return Err(Error::invalid("intervalSeconds must be of whole minutes"));
        }
        let (region, now) = (self.region.clone(), self.now.wall);
        let groups = self.held().list(&region, Kind::NodeGroup, "");
        let machine = groups.flat_map(|group| &group.machines).find(|machine| machine.name == node);
        let machine = machine.ok_or_else(|| Error::not_found("node", node))?;
        let measured = Measured { machine: &machine.name, since: machine.created, now };
        let series = measured.series(*measure, from, until, SignedDuration::from_secs(seconds));
        let values = series.into_iter().map(|(at, value)| json!({"at": at, "value": value * factor}));
        Ok(json!({"values": values.collect::<Vec<_>>()}))
    }

    /// The things of a kind: of one name where the query says so, of one whole.
    pub(crate) fn list(&mut self, kind: Kind, query: &BTreeMap<String, String>) -> Result<Value> {
        let text = |key: &str| query.get(key).map_or("", String::as_str);
        let region = self.region.clone();
        let held = self.held();
        let found: Vec<(String, &Thing)> = match text("name") {
            "" => held.list(&region, kind, text("parent")).map(|one| (one.id.clone(), one)).collect(),
            name => {
                let found = held.named(&region, kind, text("parent"), name);
                found.map(|one| (one.id.clone(), one)).into_iter().collect()
            }
        };
        let (items, next) = pages::page(found, PAGE, query.get("pageToken").map(String::as_str))
            .map_err(|error| Error::invalid(error.to_string()))?;
        let items: Vec<Value> = items.into_iter().map(|thing| Value::Object(view(held, thing))).collect();
        Ok(json!({"items": items, "nextPageToken": next}))
    }

    fn thing(&mut self, kind: Kind, id: &str) -> Result<Thing> {
        let region = self.region.clone();
        let found = self.held().thing(id).filter(|one| one.kind == kind && one.region == region);
        found.cloned().ok_or_else(|| Error::not_found(kind.word(), id))
    }

    /// One thing, and who uses it.
    pub(crate) fn get(&mut self, kind: Kind, id: &str) -> Result<Value> {
        let thing = self.thing(kind, id)?;
        let held = self.held();
        let mut view = view(held, &thing);
        view.insert("usedBy".to_owned(), json!(held.users(&thing)));
        Ok(Value::Object(view))
    }

    /// Makes a thing. Its name is one among those of its kind, region and whole.
    pub(crate) fn create(&mut self, kind: Kind, mut body: Map<String, Value>) -> Result<Value> {
        let mut text = |key: &str| match body.remove(key) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let (name, parent) = (text("name"), text("parent"));
        if name.is_empty() || name.contains('/') {
            return Err(Error::invalid("a thing needs a name without a slash"));
        }
        if self.effects.quota() {
            return Err(Error::quota());
        }
        if self.effects.insufficient_capacity() && kind == Kind::NodeGroup {
            return Err(Error::no_capacity());
        }
        let labels = body.remove("labels").and_then(|labels| serde_json::from_value(labels).ok());
        let id = format!("{name}-{}", self.world.random.hex(12));
        let mut thing = Thing {
            kind,
            id: id.clone(),
            region: self.region.clone(),
            name,
            parent,
            labels: labels.unwrap_or_default(),
            state: state::CREATING.to_owned(),
            reason: String::new(),
            created: self.now.wall,
            spec: body,
            machines: Vec::new(),
            endpoint: None,
            shown_over: Map::new(),
        };
        self.check_new(&mut thing)?;
        let held = self.held();
        if held.named(&thing.region, kind, &thing.parent, &thing.name).is_some() {
            return Err(Error::already_exists(kind.word(), &thing.name));
        }
        held.put(thing);
        Ok(self.begin(&id, Act::Create))
    }

    fn check_new(&mut self, thing: &mut Thing) -> Result<()> {
        if let Some(kind) = thing.kind.parent() {
            let whole = self.thing(kind, &thing.parent)?;
            if whole.state != state::ACTIVE {
                return Err(Error::busy(kind.word(), &whole.name));
            }
            self.check_part(thing, &whole)?;
        }
        if thing.kind == Kind::Cluster {
            self.thing(Kind::Network, thing.text("network"))?;
            let references = [("subnetIds", Kind::Subnet), ("securityGroups", Kind::SecurityGroup)];
            for (key, kind) in references {
                for id in thing.texts(key) {
                    self.thing(kind, id)?;
                }
            }
            check_version(thing.text("version"), "")?;
        }
        Ok(())
    }

    fn check_part(&mut self, thing: &mut Thing, whole: &Thing) -> Result<()> {
        match thing.kind {
            Kind::Subnet => {
                let cidr = |text: &str| text.parse::<Cidr>().map_err(Error::invalid);
                let own = cidr(thing.text("cidr"))?;
                if !cidr(whole.text("cidr"))?.contains(own) {
                    return Err(Error::invalid(format!("{own} is not in {}", whole.text("cidr"))));
                }
                for other in self.held().parts(whole, Kind::Subnet).filter(|one| one.name != thing.name) {
                    if cidr(other.text("cidr"))?.overlaps(own) {
                        return Err(Error::invalid(format!("{own} overlaps the subnet {}", other.name)));
                    }
                }
            }
            Kind::NodeGroup => {
                let machine = thing.text("machineType");
                if catalogue::machine_type(machine).is_none() {
                    return Err(Error::not_found("machineType", machine));
                }
                let key_pair = thing.text("keyPair");
                let region = &whole.region;
                if !key_pair.is_empty() && self.held().named(region, Kind::KeyPair, "", key_pair).is_none() {
                    return Err(Error::not_found("keyPair", key_pair));
                }
                check_version(thing.text("version"), whole.text("version"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Changes labels of anything, version or scaling of a cluster or node group, or the rules of a security group.
    pub(crate) fn update(&mut self, kind: Kind, id: &str, body: Map<String, Value>) -> Result<Value> {
        let thing = self.thing(kind, id)?;
        let known: &[&str] = match kind {
            Kind::Cluster => &["labels", "version"],
            Kind::NodeGroup => &["labels", "version", "scaling"],
            Kind::SecurityGroup => &["labels", "addRules", "removeRules"],
            _ => &["labels"],
        };
        if let Some(strange) = body.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Error::invalid(format!("{strange} of a {} cannot be changed", kind.word())));
        }
        self.refuse_busy(&thing)?;
        if let Some(version) = body.get("version").and_then(Value::as_str) {
            let above = self.held().thing(&thing.parent).map_or("", |one| one.text("version")).to_owned();
            check_version(version, &above)?;
            if catalogue::version(version) < catalogue::version(thing.text("version")) {
                return Err(Error::invalid(format!("{version} is lower than what {} has", thing.name)));
            }
        }
        Ok(self.begin(id, Act::Update(body)))
    }

    /// Removes a thing that nobody uses, with what goes with it.
    pub(crate) fn delete(&mut self, kind: Kind, id: &str) -> Result<Value> {
        let thing = self.thing(kind, id)?;
        self.refuse_busy(&thing)?;
        let held = self.held();
        let mut users = held.users(&thing);
        users.extend(held.parts(&thing, Kind::Subnet).map(|subnet| format!("subnet {}", subnet.name)));
        if !users.is_empty() {
            return Err(Error::in_use(&thing.name, &users));
        }
        Ok(self.begin(id, Act::Delete))
    }

    /// One change of a thing at a time; a cluster and its node groups are one thing here.
    fn refuse_busy(&mut self, thing: &Thing) -> Result<()> {
        let is_busy = |one: &Thing| ![state::ACTIVE, state::FAILED].contains(&&*one.state);
        let held = self.held();
        let whole = held.thing(&thing.parent).filter(|_| thing.kind.goes_with_parent());
        let mut all = std::iter::once(thing).chain(whole).chain(held.parts(thing, Kind::NodeGroup));
        match all.find(|one| is_busy(one)) {
            Some(busy) => Err(Error::busy(busy.kind.word(), &busy.name)),
            None => Ok(()),
        }
    }

    fn begin(&mut self, id: &str, act: Act) -> Value {
        let operation = work::begin(self.world, &self.account, id, act, self.now, self.effects);
        let held = self.held();
        held.operations.get(&operation).map(|found| work::view(&operation, found)).unwrap_or_default()
    }
}

/// A version must be on offer, and not above another one.
fn check_version(text: &str, above: &str) -> Result<()> {
    let version =
        catalogue::version(text).ok_or_else(|| Error::invalid(format!("version {text:?} is not offered")))?;
    if catalogue::version(above).is_some_and(|above| version > above) {
        return Err(Error::invalid(format!("version {text} is above the cluster's {above}")));
    }
    Ok(())
}

/// What the API says of a thing.
fn view(account: &Account, thing: &Thing) -> Map<String, Value> {
    let mut view = thing.spec.clone();
    let mut put = |key: &str, value: Value| drop(view.insert(key.to_owned(), value));
    put("id", json!(thing.id));
    put("name", json!(thing.name));
    put("parent", json!(thing.parent));
    put("labels", json!(thing.labels));
    put("state", json!(thing.state));
    put("reason", json!(thing.reason));
    put("createdAt", json!(thing.created));
    let parts = |kind| account.parts(thing, kind).map(|part| self::view(account, part)).collect::<Vec<_>>();
    match thing.kind {
        Kind::Network => put("subnets", json!(parts(Kind::Subnet))),
        Kind::Cluster => {
            put("nodeGroups", json!(parts(Kind::NodeGroup)));
            put("balancers", json!(parts(Kind::Balancer)));
            put("volumes", json!(parts(Kind::Volume)));
            if let Some(endpoint) = &thing.endpoint {
                put("endpoint", json!(endpoint.url));
                put("certificateAuthority", json!(endpoint.authority.certificate_pem()));
            }
        }
        Kind::NodeGroup => {
            let node = |machine: &crate::world::Machine| {
                json!({"id": machine.name, "name": machine.name, "state": "Running", "zone": machine.zone,
                    "privateIp": machine.ip, "subnet": machine.subnet, "createdAt": machine.created,
                    "operatingSystem": catalogue::operating_system(thing.text("image"))})
            };
            put("nodes", thing.machines.iter().map(node).collect());
        }
        _ => {}
    }
    pmks_simulation::show_over(&mut view, &thing.shown_over);
    view
}
