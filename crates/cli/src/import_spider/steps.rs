//! What there is to take over, in an order in which each thing comes after what it needs.

use std::collections::BTreeSet;

use pmks_meta_database::{Error as Unusable, Known, KnownKind, MetaDatabase, RowKind};
use pmks_model::{refusal_of_connection, refusal_of_ours};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::client::Path;

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody looked yet.
    Unknown,
    /// It is not here.
    Wanted,
    /// It comes with its cluster, which is wanted.
    Comes,
    /// It is here.
    There,
    /// It cannot come.
    LeftOut,
    TakenOver,
    Failed,
}

/// What is taken over.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// One of CB-Spider's four records.
    Record(Record),
    /// What is known at a cloud, with the node groups that come with a cluster.
    Known { known: Known, node_groups: Vec<Known> },
    /// What nothing can be made of, and why.
    Unreadable(String),
}

/// One of CB-Spider's four records, as `/spider` takes it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its resource in the paths.
    pub(super) path: &'static str,
    /// Its body, the values of a credential apart.
    pub(super) shown: Value,
    /// What a connection is made of.
    pub(super) made_of: Vec<Piece>,
    secrets: Vec<(String, SecretString)>,
}

/// What a connection is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: RowKind,
    /// Its resource in the paths.
    pub(super) path: &'static str,
    pub(super) name: String,
}

/// One thing.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: RowKind,
    pub(super) connection: String,
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) what: What,
    standing: Standing,
    why: String,
}

/// All of them.
pub(super) struct Steps(Vec<Step>);

impl Standing {
    fn says(self) -> &'static str {
        match self {
            Self::Unknown | Self::Wanted | Self::Comes => "to be taken over",
            Self::There => "is here already",
            Self::LeftOut => "left out",
            Self::TakenOver => "taken over",
            Self::Failed => "failed",
        }
    }
}

impl Record {
    /// The whole body, to be sent at once.
    pub(super) fn body(&self) -> Value {
        let mut body = self.shown.clone();
        if let Some(pairs) = body.get_mut("KeyValueInfoList").and_then(Value::as_array_mut) {
            let pair =
                |(key, value): &(String, SecretString)| json!({"Key": key, "Value": value.expose_secret()});
            pairs.extend(self.secrets.iter().map(pair));
        }
        body
    }
}

impl Step {
    fn new(kind: RowKind, connection: &str, name: &str, provider: &str, what: What) -> Self {
        Self {
            kind,
            connection: connection.to_owned(),
            name: name.to_owned(),
            provider: provider.to_owned(),
            what,
            standing: Standing::Unknown,
            why: String::new(),
        }
    }

    fn of_record(resource: Resource, name: &str, provider: &str, shown: Value) -> Self {
        let (kind, path) = resource;
        let own = || refusal_of_connection(name).filter(|_| kind == RowKind::ConnectionConfig);
        let what = match refusal_of(&[name]).or_else(own) {
            None => What::Record(Record { path, shown, made_of: Vec::new(), secrets: Vec::new() }),
            Some(why) => What::Unreadable(of_row(kind, "", name, &why)),
        };
        Self::new(kind, "", name, provider, what)
    }

    fn of_known(known: &Known, provider: &str, node_groups: Vec<Known>, refusal: Option<String>) -> Self {
        let kind = RowKind::Known(known.kind);
        let what = match refusal {
            None => What::Known { known: known.clone(), node_groups },
            Some(why) => What::Unreadable(of_row(kind, &known.connection, &known.name, &why)),
        };
        Self::new(kind, &known.connection, &known.name, provider, what)
    }

    /// What becomes of it, as far as is known.
    pub(super) const fn standing(&self) -> Standing {
        self.standing
    }

    /// Why, of its row.
    pub(super) fn of_row(&self, why: &str) -> String {
        of_row(self.kind, &self.connection, &self.name, why)
    }

    pub(super) fn end(&mut self, standing: Standing, why: String) {
        self.standing = standing;
        self.why = why;
    }

    /// As a table shows it.
    pub(super) fn row(&self) -> Value {
        let system_id = match &self.what {
            What::Known { known, .. } => known.csp_id.as_str(),
            What::Record(_) | What::Unreadable(_) => "",
        };
        json!({
            "kind": self.kind.to_string(),
            "connection": self.connection,
            "name": self.name,
            "systemId": system_id,
            "standing": self.standing.says(),
            "why": self.why,
        })
    }

    /// The cluster, with its node groups, if it is one.
    pub(super) fn cluster(&self) -> Option<(&Known, &[Known])> {
        match &self.what {
            What::Known { known, node_groups } if known.kind == KnownKind::Cluster => {
                Some((known, node_groups))
            }
            _ => None,
        }
    }

    /// Takes those node groups, by their places, from what comes with this cluster: each, and why.
    pub(super) fn leave_groups(&mut self, refused: &[(usize, String)]) -> Vec<(Known, String)> {
        let What::Known { node_groups, .. } = &mut self.what else { return Vec::new() };
        let why = |place: usize| refused.iter().find(|(at, _)| *at == place).map(|(_, why)| why.clone());
        let all = std::mem::take(node_groups);
        let mut left = Vec::new();
        for (place, group) in all.into_iter().enumerate() {
            match why(place) {
                Some(why) => left.push((group, why)),
                None => node_groups.push(group),
            }
        }
        left
    }

    fn key(&self) -> Key {
        (self.kind, self.connection.clone(), self.name.clone())
    }

    /// What must have been taken over before it, each by kind, connection and name.
    fn hangs_on(&self) -> Vec<Key> {
        match &self.what {
            What::Unreadable(_) => Vec::new(),
            What::Record(record) => record.made_of.iter().map(Piece::key).collect(),
            What::Known { known, .. } => {
                let mut all = vec![(RowKind::ConnectionConfig, String::new(), known.connection.clone())];
                let owner = match known.kind {
                    KnownKind::Subnet => Some(KnownKind::Network),
                    KnownKind::NodeGroup => Some(KnownKind::Cluster),
                    _ => None,
                };
                all.extend(
                    owner.map(|kind| (RowKind::Known(kind), known.connection.clone(), known.owner.clone())),
                );
                all
            }
        }
    }

    /// Whether nothing that hangs on it can come any more.
    fn is_lost(&self) -> bool {
        match self.standing {
            Standing::Failed => true,
            // Who is made of a piece, or lies in a network, that is left out was looked at by itself: something of
            // that name may be here.
            Standing::LeftOut => match &self.what {
                What::Unreadable(_) => false,
                What::Record(_) => self.kind == RowKind::ConnectionConfig,
                What::Known { .. } => true,
            },
            _ => false,
        }
    }
}

impl Piece {
    fn of((kind, path): Resource, name: &str) -> Self {
        Self { kind, path, name: name.to_owned() }
    }

    fn key(&self) -> Key {
        (self.kind, String::new(), self.name.clone())
    }
}

/// Kind, connection and name.
type Key = (RowKind, String, String);

impl Steps {
    pub(super) fn of(meta: &MetaDatabase) -> Self {
        let mut steps = records(meta);
        // A connection is of its driver's provider, whatever its own row says.
        let provider = |connection: &str| {
            let config = meta.connection_configs.iter().find(|config| config.name == connection);
            let driver =
                config.and_then(|config| meta.drivers.iter().find(|driver| driver.name == config.driver));
            let own = || config.map(|config| config.provider.as_str());
            driver.map(|driver| driver.provider.as_str()).or_else(own).unwrap_or_default()
        };
        for known in &meta.known {
            let of_it = |group: &&Known| {
                known.kind == KnownKind::Cluster
                    && group.kind == KnownKind::NodeGroup
                    && group.connection == known.connection
                    && group.owner == known.name
                    && refusal_of_known(group, meta).is_none()
            };
            let node_groups = meta.known.iter().filter(of_it).cloned().collect();
            let refusal = refusal_of_known(known, meta);
            steps.push(Step::of_known(known, provider(&known.connection), node_groups, refusal));
        }
        for row in &meta.unreadable {
            let what = What::Unreadable(row.why.to_string());
            steps.push(Step::new(row.kind, &row.connection, &row.name, "", what));
        }
        steps.sort_by_key(|step| step.kind);
        Self(steps)
    }

    pub(super) fn all(&self) -> &[Step] {
        &self.0
    }

    pub(super) fn count(&self, standing: Standing) -> usize {
        self.0.iter().filter(|step| step.standing == standing).count()
    }

    /// The place of the first one that stands so.
    pub(super) fn next(&self, standing: Standing) -> Option<usize> {
        self.0.iter().position(|step| step.standing == standing)
    }

    /// The one at that place.
    pub(super) fn at(&mut self, place: usize) -> Option<&mut Step> {
        self.0.get_mut(place)
    }

    /// The places of the node groups that come with the cluster at that place.
    pub(super) fn coming_with(&self, place: usize) -> Vec<usize> {
        let Some(key) = self.0.get(place).map(Step::key) else { return Vec::new() };
        let comes = |step: &Step| step.standing == Standing::Comes && step.hangs_on().contains(&key);
        self.0.iter().enumerate().filter(|(_, step)| comes(step)).map(|(place, _)| place).collect()
    }

    /// Ends the one at that place.
    pub(super) fn end(&mut self, place: usize, standing: Standing, why: String) {
        if let Some(step) = self.0.get_mut(place) {
            step.end(standing, why);
        }
    }

    /// Leaves out what is known by those names.
    pub(super) fn leave_out(&mut self, known: &Known, why: &str) {
        let is_it =
            |step: &&mut Step| matches!(&step.what, What::Known { known: other, .. } if other == known);
        if let Some(step) = self.0.iter_mut().find(is_it) {
            step.end(Standing::LeftOut, why.to_owned());
        }
    }

    /// The one of that name, rather one that can be read.
    pub(super) fn find(&self, kind: RowKind, connection: &str, name: &str) -> Option<&Step> {
        let is_it = |step: &&Step| step.kind == kind && step.connection == connection && step.name == name;
        self.0.iter().filter(is_it).min_by_key(|step| matches!(step.what, What::Unreadable(_)))
    }

    /// What comes before it and has its name, at another connection that is surely of the same account and place: made of
    /// the same pieces. A name is one thing's there.
    pub(super) fn takes_its_name(&self, step: &Step) -> Option<&Known> {
        let What::Known { known, .. } = &step.what else { return None };
        let pieces = |connection: &str| match self.find(RowKind::ConnectionConfig, "", connection)?.what {
            What::Record(ref record) => Some(&record.made_of),
            _ => None,
        };
        let own = pieces(&known.connection)?;
        let is_it = |other: &Known| {
            other.kind == known.kind
                && other.name == known.name
                && !other.csp_id.eq_ignore_ascii_case(&known.csp_id)
                && other.connection != known.connection
                && pieces(&other.connection) == Some(own)
        };
        self.0.iter().filter(|other| other.standing == Standing::Wanted).find_map(|other| match &other.what {
            What::Known { known: other, .. } if is_it(other) => Some(other),
            _ => None,
        })
    }

    /// What hangs on something that could not be taken over cannot be either, and node groups share what becomes of
    /// their cluster.
    pub(super) fn settle(&mut self) {
        let (mut lost, mut come): (BTreeSet<Key>, BTreeSet<Key>) = Default::default();
        for step in &mut self.0 {
            if matches!(step.standing, Standing::Wanted | Standing::Comes) {
                let needed = step.hangs_on();
                if let Some((kind, _, name)) = needed.iter().find(|key| lost.contains(*key)) {
                    step.end(Standing::LeftOut, format!("its {kind} {name} was not taken over"));
                } else if step.standing == Standing::Comes && needed.iter().any(|key| come.contains(key)) {
                    step.standing = Standing::TakenOver;
                }
            }
            if step.is_lost() {
                lost.insert(step.key());
            } else if step.standing == Standing::TakenOver && step.kind == RowKind::Known(KnownKind::Cluster)
            {
                come.insert(step.key());
            }
        }
    }
}

/// A record's kind, and its resource in `/spider`'s paths.
type Resource = (RowKind, &'static str);

const DRIVER: Resource = (RowKind::Driver, "driver");
const CREDENTIAL: Resource = (RowKind::Credential, "credential");
const REGION: Resource = (RowKind::Region, "region");
const CONNECTION_CONFIG: Resource = (RowKind::ConnectionConfig, "connectionconfig");

/// The longest name or identifier that is asked for, in bytes: no cloud has a longer one, and a path must hold some.
const LONGEST: usize = 1024;

/// Why one of these can be no part of a path, by which everything is asked for.
fn refusal_of(names: &[&str]) -> Option<String> {
    let refusal = |name: &&str| match Path::at([*name]).target() {
        Ok(_) if name.len() <= LONGEST => None,
        Ok(_) => Some(format!("{} bytes are too many for a name", name.len())),
        Err(_) => Some(format!("{name:?} is no name")),
    };
    names.iter().find_map(refusal)
}

/// Why nothing is made of a row: by itself, or for one before it that is of the same thing.
fn refusal_of_known(known: &Known, meta: &MetaDatabase) -> Option<String> {
    refusal_of_row(known).or_else(|| {
        let within = |one: &Known| match one.kind {
            KnownKind::Subnet | KnownKind::NodeGroup => one.owner.clone(),
            _ => String::new(),
        };
        let is_same = |one: &&Known| {
            (one.kind, &one.connection, &one.csp_id) == (known.kind, &known.connection, &known.csp_id)
                && within(one) == within(known)
                && refusal_of_row(one).is_none()
        };
        let first = meta.known.iter().find(is_same)?;
        (first.name != known.name)
            .then(|| format!("the row of {:?} is of the same {}", first.name, known.csp_id))
    })
}

fn refusal_of_row(known: &Known) -> Option<String> {
    let is_told_by_owner = matches!(known.kind, KnownKind::Subnet | KnownKind::NodeGroup);
    let owner = is_told_by_owner.then_some(known.owner.as_str());
    let names = [&*known.connection, &*known.name, &*known.csp_id];
    // What it is called here is judged as the server judges it, which is asked for nothing else by that name.
    refusal_of(&names).or_else(|| refusal_of(owner.as_slice())).or_else(|| refusal_of_ours(&known.name))
}

/// Why, of which row.
fn of_row(kind: RowKind, connection: &str, name: &str, why: &str) -> String {
    let at = if connection.is_empty() { String::new() } else { format!(" at {connection:?}") };
    let error = Unusable::Row { table: kind.table(), row: format!("{name:?}{at}"), why: why.to_owned() };
    error.to_string()
}

fn records(meta: &MetaDatabase) -> Vec<Step> {
    let mut steps = Vec::new();
    for driver in &meta.drivers {
        let body = json!({
            "DriverName": driver.name,
            "ProviderName": driver.provider,
            "DriverLibFileName": driver.library,
        });
        steps.push(Step::of_record(DRIVER, &driver.name, &driver.provider, body));
    }
    for credential in &meta.credentials {
        let body = json!({
            "CredentialName": credential.name,
            "ProviderName": credential.provider,
            "KeyValueInfoList": [],
        });
        let mut step = Step::of_record(CREDENTIAL, &credential.name, &credential.provider, body);
        if let What::Record(record) = &mut step.what {
            record.secrets.clone_from(&credential.values);
        }
        steps.push(step);
    }
    for region in &meta.regions {
        let pairs = region.values.iter().map(|pair| json!({"Key": pair.key, "Value": pair.value}));
        let body = json!({
            "RegionName": region.name,
            "ProviderName": region.provider,
            "KeyValueInfoList": pairs.collect::<Vec<_>>(),
            "AvailableZoneList": region.zones,
        });
        steps.push(Step::of_record(REGION, &region.name, &region.provider, body));
    }
    for config in &meta.connection_configs {
        let body = json!({
            "ConfigName": config.name,
            "ProviderName": config.provider,
            "DriverName": config.driver,
            "CredentialName": config.credential,
            "RegionName": config.region,
        });
        let mut step = Step::of_record(CONNECTION_CONFIG, &config.name, &config.provider, body);
        if let What::Record(record) = &mut step.what {
            record.made_of = vec![
                Piece::of(DRIVER, &config.driver),
                Piece::of(CREDENTIAL, &config.credential),
                Piece::of(REGION, &config.region),
            ];
        }
        steps.push(step);
    }
    steps
}
