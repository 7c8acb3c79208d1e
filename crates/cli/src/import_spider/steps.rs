//! What there is to take over, in an order in which each thing comes after what it needs.

use std::collections::{BTreeMap, BTreeSet};

use pmks_meta_database::{Error as Unusable, Known, KnownKind, MetaDatabase, RowKind};
use pmks_model::{refusal_of_connection, refusal_of_ours};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::records::{Resource, records};
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
    /// The cloud has it no more.
    Gone,
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
    pub(super) secrets: Vec<(String, SecretString)>,
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
    here: Option<Here>,
}

/// What something is here, which may be called otherwise than its row calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Here {
    pub(super) name: String,
    /// The cloud's identifier, as the cloud writes it.
    pub(super) system_id: String,
}

/// All of them.
#[derive(Clone)]
pub(super) struct Steps(Vec<Step>);

impl Standing {
    fn says(self) -> &'static str {
        match self {
            Self::Unknown | Self::Wanted | Self::Comes => "to be taken over",
            Self::There => "is here already",
            Self::LeftOut => "left out",
            Self::Gone => "gone",
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
            here: None,
        }
    }

    pub(super) fn of_record(resource: Resource, name: &str, provider: &str, shown: Value) -> Self {
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

    /// Takes those node groups, by their places, from what comes with this cluster: each, and what becomes of it.
    fn leave_groups(&mut self, refused: &[(usize, Ending)]) -> Vec<(Known, Ending)> {
        let What::Known { node_groups, .. } = &mut self.what else { return Vec::new() };
        let ending = |place: usize| refused.iter().find(|(at, _)| *at == place).map(|(_, end)| end.clone());
        let all = std::mem::take(node_groups);
        let mut left = Vec::new();
        for (place, group) in all.into_iter().enumerate() {
            match ending(place) {
                Some(ending) => left.push((group, ending)),
                None => node_groups.push(group),
            }
        }
        left
    }

    /// Keeps the cloud's identifier as the cloud writes it.
    pub(super) fn is_written(&mut self, system_id: &str) {
        if let What::Known { known, .. } = &mut self.what {
            system_id.clone_into(&mut known.csp_id);
        }
    }

    /// Keeps what it is here.
    pub(super) fn is_here(&mut self, here: Here) {
        self.is_written(&here.system_id);
        self.here = Some(here);
    }

    /// The same of what is known by its identifier, as the cloud writes it, already.
    pub(super) fn is_here_by(&mut self, name: &str) {
        if let What::Known { known, .. } = &self.what {
            self.here = Some(Here { name: name.to_owned(), system_id: known.csp_id.clone() });
        }
    }

    /// What it is here, or will be; `None`: it neither is nor comes.
    fn home(&self) -> Option<Here> {
        match (self.standing, &self.what) {
            (Standing::There, _) => self.here.clone(),
            (Standing::Wanted | Standing::TakenOver, What::Known { known, .. }) => {
                Some(Here { name: known.name.clone(), system_id: known.csp_id.clone() })
            }
            _ => None,
        }
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
            Standing::Failed | Standing::Gone => true,
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
    pub(super) fn of((kind, path): Resource, name: &str) -> Self {
        Self { kind, path, name: name.to_owned() }
    }

    fn key(&self) -> Key {
        (self.kind, String::new(), self.name.clone())
    }
}

/// Kind, connection and name.
type Key = (RowKind, String, String);

/// What becomes of something, and why.
pub(super) type Ending = (Standing, String);

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

    /// Takes from what comes with the cluster at that place the node groups for which alone it was refused; whether there
    /// are any: then it can be asked for again.
    pub(super) fn leave_groups(&mut self, place: usize, refused: &[(usize, Ending)]) -> bool {
        let Some(cluster) = self.0.get_mut(place) else { return false };
        let left = cluster.leave_groups(refused);
        for (group, (standing, why)) in &left {
            let is_it = |step: &&mut Step| matches!(&step.what, What::Known { known, .. } if known == group);
            if let Some(step) = self.0.iter_mut().find(is_it) {
                step.end(*standing, why.clone());
            }
        }
        !left.is_empty()
    }

    /// Ends what is wanted after the one at that place, and at its connection, which says why: what came before was told
    /// already.
    pub(super) fn end_connection_of(&mut self, place: usize) {
        let Some(step) = self.0.get(place).filter(|step| !step.connection.is_empty()) else { return };
        let (connection, why) = (step.connection.clone(), format!("as {} {}", step.kind, step.name));
        let is_at = |step: &&mut Step| step.standing == Standing::Wanted && step.connection == connection;
        for step in self.0.iter_mut().skip(place).filter(is_at) {
            step.end(Standing::Failed, why.clone());
        }
    }

    /// Keeps of what was foreseen what stays true whatever comes before it: how the cloud writes its identifiers, and what
    /// it has no more.
    pub(super) fn learn(&mut self, foreseen: &Self) {
        for (step, ahead) in self.0.iter_mut().zip(&foreseen.0) {
            if let What::Known { known, .. } = &ahead.what {
                step.is_written(&known.csp_id);
            }
            if ahead.standing == Standing::Gone {
                step.end(Standing::Gone, ahead.why.clone());
            }
        }
    }

    /// The one of that name, rather one that can be read.
    pub(super) fn find(&self, kind: RowKind, connection: &str, name: &str) -> Option<&Step> {
        let is_it = |step: &&Step| step.kind == kind && step.connection == connection && step.name == name;
        self.0.iter().filter(is_it).min_by_key(|step| matches!(step.what, What::Unreadable(_)))
    }

    /// What a row is in, as far as rows tell: how that stands, and what it is here, or will be.
    pub(super) fn home(&self, known: &Known, kind: KnownKind) -> Option<(Standing, Option<Here>)> {
        let row = self.find(RowKind::Known(kind), &known.connection, &known.owner)?;
        match row.what {
            What::Known { .. } => Some((row.standing, row.home())),
            // Something of that name may be here.
            What::Record(_) | What::Unreadable(_) => None,
        }
    }

    /// What was taken over already and is known by that identifier.
    pub(super) fn brought(&self, kind: KnownKind, system_id: &str) -> Option<&Known> {
        let mut taken_over = self.0.iter().filter(|step| step.standing == Standing::TakenOver);
        taken_over.find_map(|step| match &step.what {
            What::Known { known, .. } if known.kind == kind && known.csp_id == system_id => Some(known),
            _ => None,
        })
    }

    /// What hangs on something that could not be taken over cannot be either, what lies in something that is gone is gone
    /// with it, and node groups share what becomes of their cluster.
    pub(super) fn settle(&mut self) {
        let (mut lost, mut come): (BTreeMap<Key, Standing>, BTreeSet<Key>) = Default::default();
        for step in &mut self.0 {
            if matches!(step.standing, Standing::Wanted | Standing::Comes) {
                let needed = step.hangs_on();
                if let Some((key, standing)) = needed.iter().find_map(|key| lost.get_key_value(key)) {
                    let (kind, _, name) = key;
                    let (standing, why) = match standing {
                        Standing::Gone => (Standing::Gone, format!("with its {kind} {name}")),
                        _ => (Standing::LeftOut, format!("its {kind} {name} was not taken over")),
                    };
                    step.end(standing, why);
                } else if step.standing == Standing::Comes && needed.iter().any(|key| come.contains(key)) {
                    step.standing = Standing::TakenOver;
                }
            }
            if step.is_lost() {
                lost.insert(step.key(), step.standing);
            } else if step.standing == Standing::TakenOver && step.kind == RowKind::Known(KnownKind::Cluster)
            {
                come.insert(step.key());
            }
        }
    }
}

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
