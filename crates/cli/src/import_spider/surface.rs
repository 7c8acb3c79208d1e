//! What the server is asked: CB-Spider's four records at `/spider`, everything else at `/v1`.

use http::Method;
use pmks_api::{ImportCluster, ImportNodeGroup};
use pmks_meta_database::{Known, KnownKind};
use pmks_model::FailureKind;
use serde_json::{Value, json};

use super::steps::{Standing, Step, What};
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
}

impl Surface {
    pub(super) async fn of(client: Client) -> Result<Self> {
        match client.get(Path::at(["spider", "cloudos"])).await {
            Ok(_) => Ok(Self { client }),
            Err(error) if error.is(FailureKind::NotFound) => {
                let says = "the server does not serve /spider, by which CB-Spider's records are taken over";
                let fix = "start it with SPIDER_USERNAME and SPIDER_PASSWORD set; or stop it, and this command works alone";
                Err(Error::new(FailureKind::Unavailable, says).with_fix(fix))
            }
            Err(error) => Err(error),
        }
    }

    /// What is known of it here, and what there is to say about that.
    pub(super) async fn standing(&self, step: &Step) -> Result<(Standing, String)> {
        match &step.what {
            What::Unreadable(why) => Ok((Standing::LeftOut, why.clone())),
            What::Record { path, body } => self.record(path, &step.name, body).await,
            What::Known { known, .. } => match self.unsupported(&step.provider).await? {
                Some(why) => Ok((Standing::LeftOut, why)),
                None => self.known(known).await,
            },
        }
    }

    async fn record(&self, path: &str, name: &str, body: &Value) -> Result<(Standing, String)> {
        let Some(there) = self.find(Path::at(["spider", path, name])).await? else {
            return Ok((Standing::Wanted, String::new()));
        };
        // Of a credential its values are not shown: what is here may be newer, and is left alone.
        let differs = |(key, value): (&String, &Value)| {
            value.is_string() && there.get(key).is_some_and(|other| other != value)
        };
        let other = body.as_object().into_iter().flatten().find(|field| differs(*field));
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
    async fn unsupported(&self, provider: &str) -> Result<Option<String>> {
        if provider.is_empty() {
            return Ok(Some("its connection is not in the meta database".to_owned()));
        }
        let found = self.find(Path::v1(["providers", &provider.to_lowercase()])).await?;
        Ok(if found.is_some() { None } else { Some(format!("there is no driver for {provider}")) })
    }

    async fn find(&self, path: Path) -> Result<Option<Value>> {
        match self.client.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is(FailureKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Takes over one thing, and waits until it is.
pub(super) async fn take_over(app: &App, session: Session, step: &Step, even_marked: bool) -> Result<()> {
    match &step.what {
        What::Unreadable(_) => Ok(()),
        What::Record { path, body } => {
            let request = Request::new(Method::POST, Path::at(["spider", path])).json(body.clone());
            session.client.send(request).await.map(drop)
        }
        What::Known { known, node_groups } if known.kind == KnownKind::Cluster => {
            cluster(app, session, known, node_groups, even_marked).await
        }
        What::Known { known, .. } => {
            let body = json!({"name": known.name, "systemId": known.csp_id});
            session.client.send(Request::new(Method::POST, collection(known)).json(body)).await.map(drop)
        }
    }
}

async fn cluster(
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
