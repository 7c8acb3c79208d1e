//! One thing that is taken over, and what becomes of it.

use pmks_meta_database::{Error as Unusable, Known, KnownKind, RowKind};
use pmks_model::refusal_of_connection;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::records::Resource;
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
    pub(super) fn new(kind: RowKind, connection: &str, name: &str, provider: &str, what: What) -> Self {
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

    pub(super) fn of_known(
        known: &Known,
        provider: &str,
        node_groups: Vec<Known>,
        refusal: Option<String>,
    ) -> Self {
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

    /// Why it stands so.
    pub(super) fn why(&self) -> &str {
        &self.why
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
    pub(super) fn leave_groups(&mut self, refused: &[(usize, Ending)]) -> Vec<(Known, Ending)> {
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

    /// It has come with what it comes with.
    pub(super) fn has_come(&mut self) {
        self.standing = Standing::TakenOver;
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
    pub(super) fn home(&self) -> Option<Here> {
        match (self.standing, &self.what) {
            (Standing::There, _) => self.here.clone(),
            (Standing::Wanted | Standing::TakenOver, What::Known { known, .. }) => {
                Some(Here { name: known.name.clone(), system_id: known.csp_id.clone() })
            }
            _ => None,
        }
    }

    pub(super) fn key(&self) -> Key {
        (self.kind, self.connection.clone(), self.name.clone())
    }

    /// What must have been taken over before it, each by kind, connection and name.
    pub(super) fn hangs_on(&self) -> Vec<Key> {
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
    pub(super) fn is_lost(&self) -> bool {
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
pub(super) type Key = (RowKind, String, String);

/// What becomes of something, and why.
pub(super) type Ending = (Standing, String);

/// The longest name or identifier that is asked for, in bytes: no cloud has a longer one, and a path must hold some.
const LONGEST: usize = 1024;

/// Why one of these can be no part of a path, by which everything is asked for.
pub(super) fn refusal_of(names: &[&str]) -> Option<String> {
    let refusal = |name: &&str| match Path::at([*name]).target() {
        Ok(_) if name.len() <= LONGEST => None,
        Ok(_) => Some(format!("{} bytes are too many for a name", name.len())),
        Err(_) => Some(format!("{name:?} is no name")),
    };
    names.iter().find_map(refusal)
}

/// Why, of which row.
fn of_row(kind: RowKind, connection: &str, name: &str, why: &str) -> String {
    let at = if connection.is_empty() { String::new() } else { format!(" at {connection:?}") };
    let error = Unusable::Row { table: kind.table(), row: format!("{name:?}{at}"), why: why.to_owned() };
    error.to_string()
}
