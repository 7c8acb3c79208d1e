//! What there is to take over, in an order in which each thing comes after what it needs.

use std::collections::BTreeSet;

use pmks_meta_database::{Known, KnownKind, MetaDatabase};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody looked yet.
    Unknown,
    /// It is not here.
    Wanted,
    /// It is here.
    There,
    /// It comes with its cluster, or cannot come at all.
    LeftOut,
    TakenOver,
    Failed,
}

/// What is taken over.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// One of CB-Spider's four records.
    Record(Record),
    /// What is known at a cloud, with the node groups of a cluster.
    Known { known: Known, node_groups: Vec<Known> },
    /// What cannot be read.
    Unreadable(String),
}

/// One of CB-Spider's four records, as `/spider` takes it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its resource in the paths.
    pub(super) path: &'static str,
    /// Its body, the values of a credential apart.
    pub(super) shown: Value,
    secrets: Vec<(String, SecretString)>,
}

/// One thing.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: String,
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
            Self::Unknown | Self::Wanted => "to be taken over",
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
    fn record(kind: &str, name: &str, provider: &str, path: &'static str, shown: Value) -> Self {
        let what = What::Record(Record { path, shown, secrets: Vec::new() });
        Self::new(kind, String::new(), name, provider, what)
    }

    fn new(kind: &str, connection: String, name: &str, provider: &str, what: What) -> Self {
        Self {
            kind: kind.to_owned(),
            connection,
            name: name.to_owned(),
            provider: provider.to_owned(),
            what,
            standing: Standing::Unknown,
            why: String::new(),
        }
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
            "kind": self.kind,
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

    fn known(&self, kind: KnownKind) -> Option<&Known> {
        match &self.what {
            What::Known { known, .. } if known.kind == kind => Some(known),
            _ => None,
        }
    }
}

impl Steps {
    pub(super) fn of(meta: &MetaDatabase) -> Self {
        let mut steps = records(meta);
        let provider = |connection: &str| {
            let config = meta.connection_configs.iter().find(|config| config.name == connection);
            config.map(|config| config.provider.clone()).unwrap_or_default()
        };
        for known in &meta.known {
            if known.kind == KnownKind::NodeGroup {
                continue;
            }
            let of_it = |group: &&Known| {
                known.kind == KnownKind::Cluster
                    && group.kind == KnownKind::NodeGroup
                    && group.connection == known.connection
                    && group.owner == known.name
            };
            let node_groups = meta.known.iter().filter(of_it).cloned().collect();
            let what = What::Known { known: known.clone(), node_groups };
            let (kind, connection) = (known.kind.to_string(), known.connection.clone());
            steps.push(Step::new(&kind, connection, &known.name, &provider(&known.connection), what));
        }
        Self(steps)
    }

    pub(super) fn all(&self) -> &[Step] {
        &self.0
    }

    pub(super) fn count(&self, standing: Standing) -> usize {
        self.0.iter().filter(|step| step.standing == standing).count()
    }

    pub(super) fn next(&mut self, standing: Standing) -> Option<&mut Step> {
        self.0.iter_mut().find(|step| step.standing == standing)
    }

    /// What lies in a network that could not be taken over cannot be either; nothing can where the connection is none.
    pub(super) fn leave_out_what_hangs(&mut self) {
        let lost = |step: &&Step| matches!(step.standing, Standing::LeftOut | Standing::Failed);
        let networks: BTreeSet<(String, String)> = self
            .0
            .iter()
            .filter(lost)
            .filter_map(|step| {
                step.known(KnownKind::Network).map(|known| (known.connection.clone(), known.name.clone()))
            })
            .collect();
        let connections: BTreeSet<String> = self
            .0
            .iter()
            .filter(lost)
            .filter_map(|step| match &step.what {
                What::Record(record) if record.path == CONNECTION_CONFIG => Some(step.name.clone()),
                _ => None,
            })
            .collect();
        for step in self.0.iter_mut().filter(|step| step.standing == Standing::Wanted) {
            let What::Known { known, .. } = &step.what else { continue };
            let why = if connections.contains(&known.connection) {
                format!("its connection {} was not taken over", known.connection)
            } else if known.kind == KnownKind::Subnet
                && networks.contains(&(known.connection.clone(), known.owner.clone()))
            {
                format!("its network {} was not taken over", known.owner)
            } else {
                continue;
            };
            step.end(Standing::LeftOut, why);
        }
    }
}

/// The resource of connection configs in `/spider`'s paths.
pub(super) const CONNECTION_CONFIG: &str = "connectionconfig";

fn records(meta: &MetaDatabase) -> Vec<Step> {
    let mut steps = Vec::new();
    for driver in &meta.drivers {
        let body = json!({
            "DriverName": driver.name,
            "ProviderName": driver.provider,
            "DriverLibFileName": driver.library,
        });
        steps.push(Step::record("driver", &driver.name, &driver.provider, "driver", body));
    }
    for credential in &meta.credentials {
        let what = match &credential.values {
            Ok(values) => What::Record(Record {
                path: "credential",
                shown: json!({
                    "CredentialName": credential.name,
                    "ProviderName": credential.provider,
                    "KeyValueInfoList": [],
                }),
                secrets: values.clone(),
            }),
            Err(error) => What::Unreadable(error.to_string()),
        };
        steps.push(Step::new("credential", String::new(), &credential.name, &credential.provider, what));
    }
    for region in &meta.regions {
        let pairs = region.values.iter().map(|pair| json!({"Key": pair.key, "Value": pair.value}));
        let body = json!({
            "RegionName": region.name,
            "ProviderName": region.provider,
            "KeyValueInfoList": pairs.collect::<Vec<_>>(),
            "AvailableZoneList": region.zones,
        });
        steps.push(Step::record("region", &region.name, &region.provider, "region", body));
    }
    for config in &meta.connection_configs {
        let body = json!({
            "ConfigName": config.name,
            "ProviderName": config.provider,
            "DriverName": config.driver,
            "CredentialName": config.credential,
            "RegionName": config.region,
        });
        steps.push(Step::record("connection", &config.name, &config.provider, CONNECTION_CONFIG, body));
    }
    steps
}
