//! What the server is asked: CB-Spider's four records at `/spider`, everything else at `/v1`.

use std::collections::BTreeSet;

use http::Method;
use pmks_api::{ImportCluster, ImportNodeGroup};
use pmks_meta_database::{Known, KnownKind};
use pmks_model::FailureKind;
use serde_json::{Value, json};

use super::steps::{Record, Standing, Step, What};
use crate::app::App;
use crate::arguments::Mutation;
use crate::client::{Client, Path, Request};
use crate::error::{Error, Result};
use crate::mutations::{Begun, begin, see_through};
use crate::session::Session;
use crate::wait::judge;

/// The server, which serves `/spider`.
pub(super) struct Surface {
    client: Client,
    /// The providers that have a driver, by their names.
    providers: BTreeSet<String>,
}

impl Surface {
    pub(super) async fn of(client: Client) -> Result<Self> {
        match client.get(Path::at(["spider", "cloudos"])).await {
            Ok(_) => {}
            Err(error) if error.is(FailureKind::NotFound) => {
                let says = "the server does not serve /spider, by which CB-Spider's records are taken over";
                let fix = "start it with SPIDER_USERNAME and SPIDER_PASSWORD set; or stop it, and this command works alone";
                return Err(Error::new(FailureKind::Unavailable, says).with_fix(fix));
            }
            Err(error) => return Err(error),
        }
        let all = client.get(Path::v1(["providers"])).await?;
        let all = all.get("items").and_then(Value::as_array);
        let name = |provider: &Value| provider.get("name").and_then(Value::as_str).map(str::to_owned);
        let providers = all.into_iter().flatten().filter_map(name).collect();
        Ok(Self { client, providers })
    }

    /// What is known of it here, and what there is to say about that.
    pub(super) async fn standing(&self, step: &Step) -> Result<(Standing, String)> {
        match &step.what {
            What::Unreadable(why) => Ok((Standing::LeftOut, why.clone())),
            What::Record(record) => self.record(record, &step.name).await,
            What::Known { known, .. } => match self.unsupported(&step.provider) {
                Some(why) => Ok((Standing::LeftOut, why)),
                None => self.known(known).await,
            },
        }
    }

    async fn record(&self, record: &Record, name: &str) -> Result<(Standing, String)> {
        let Some(there) = self.find(Path::at(["spider", record.path, name])).await? else {
            return Ok((Standing::Wanted, String::new()));
        };
        // Of a credential its values are not shown: what is here may be newer, and is left alone.
        let differs = |(key, value): (&String, &Value)| {
            value.is_string() && there.get(key).is_some_and(|other| other != value)
        };
        let other = record.shown.as_object().into_iter().flatten().find(|field| differs(*field));
        let why =
            other.map(|(key, _)| format!("with another {key}; it is left as it is")).unwrap_or_default();
        Ok((Standing::There, why))
    }

    async fn known(&self, known: &Known) -> Result<(Standing, String)> {
        let text = |value: &Value, at: &str| {
            value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        if let Some(there) = self.find(path_of(known, &known.csp_id)).await? {
            let name = text(&there, "/name");
            let why = if name == known.name { String::new() } else { format!("by the name {name}") };
            return Ok((Standing::There, why));
        }
        match self.find(path_of(known, &known.name)).await? {
            Some(other) => {
                let other = text(&other, "/iid/systemId");
                if other.eq_ignore_ascii_case(&known.csp_id) || other.ends_with(&format!("/{}", known.csp_id))
                {
                    return Ok((Standing::There, String::new()));
                }
                Ok((Standing::LeftOut, format!("that name is taken, by {other}")))
            }
            None => Ok((Standing::Wanted, String::new())),
        }
    }

    /// Why nothing of that provider can be taken over; `None`: it can.
    fn unsupported(&self, provider: &str) -> Option<String> {
        if provider.is_empty() {
            return Some("its connection is not in the meta database".to_owned());
        }
        let known = self.providers.contains(&provider.to_lowercase());
        (!known).then(|| format!("there is no driver for {provider}"))
    }

    async fn find(&self, path: Path) -> Result<Option<Value>> {
        match self.client.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is(FailureKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Takes over what the server answers at once, which is all but clusters.
pub(super) async fn take_over(client: &Client, step: &Step) -> Result<()> {
    let (path, body) = match &step.what {
        What::Record(record) => (Path::at(["spider", record.path]), record.body()),
        What::Known { known, .. } => {
            (collection(known), json!({"name": known.name, "systemId": known.csp_id}))
        }
        What::Unreadable(why) => return Err(Error::usage(why.clone())),
    };
    client.send(Request::new(Method::POST, path).json(body)).await.map(drop)
}

/// Imports a cluster, and waits until it is known.
pub(super) async fn import(
    app: &App,
    session: Session,
    known: &Known,
    groups: &[Known],
    even_marked: bool,
) -> Result<()> {
    let own = |group: &Known| ImportNodeGroup { name: group.name.clone(), system_id: group.csp_id.clone() };
    let import = ImportCluster {
        name: known.name.clone(),
        system_id: known.csp_id.clone(),
        take_over: even_marked,
        node_groups: groups.iter().map(own).collect(),
    };
    let body = serde_json::to_value(&import)
        .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
    let path = Path::v1(["connections", &known.connection, "clusters:import"]);
    let how = Mutation::default();
    match begin(app, &how, &session, Request::new(Method::POST, path).json(body)).await? {
        Begun::Accepted { operation, .. } => {
            judge(see_through(app, &how, session, *operation).await?).map(drop)
        }
        Begun::Planned | Begun::Done(_) => Ok(()),
    }
}

fn collection(known: &Known) -> Path {
    let within =
        |rest: &[&str]| Path::v1(["connections", &known.connection].into_iter().chain(rest.iter().copied()));
    match known.kind {
        KnownKind::Network => within(&["networks"]),
        KnownKind::Subnet => within(&["networks", &known.owner, "subnets"]),
        KnownKind::SecurityGroup => within(&["securityGroups"]),
        KnownKind::KeyPair => within(&["keyPairs"]),
        KnownKind::Cluster => within(&["clusters"]),
        KnownKind::NodeGroup => within(&["clusters", &known.owner, "nodeGroups"]),
    }
}

fn path_of(known: &Known, name: &str) -> Path {
    collection(known).join(name)
}
