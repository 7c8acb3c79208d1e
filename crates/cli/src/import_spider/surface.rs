//! What the server is asked: CB-Spider's four records at `/spider`, everything else at `/v1`.

use std::collections::BTreeSet;

use http::Method;
use pmks_api::{ImportCluster, ImportNodeGroup};
use pmks_meta_database::{Known, KnownKind, RowKind};
use pmks_model::FailureKind;
use serde_json::{Map, Value, json};

use super::steps::{Record, Standing, Step, Steps, What};
use crate::app::App;
use crate::arguments::Mutation;
use crate::client::{Client, Path, Request};
use crate::error::{Error, Result};
use crate::mutations::{Begun, begin, see_through};
use crate::session::Session;
use crate::wait::judge;

/// The server, which serves `/spider`.
pub(super) struct Surface {
    pub(super) client: Client,
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

    /// What is known of it here, and what there is to say about that. Of the steps before it that is known.
    pub(super) async fn standing(&self, step: &Step, steps: &Steps) -> Result<(Standing, String)> {
        match &step.what {
            What::Unreadable(why) => Ok((Standing::LeftOut, why.clone())),
            What::Record(record) => match self.record(record, &step.name).await? {
                (Standing::Wanted, _) => match self.made_of(record, steps).await? {
                    (Standing::Wanted, _) => self.planned(record, steps).await,
                    looked => Ok(looked),
                },
                looked => Ok(looked),
            },
            What::Known { known, .. } => {
                if let Some(why) = self.unsupported(known, &step.provider, steps) {
                    return Ok((Standing::LeftOut, why));
                }
                match known.kind {
                    KnownKind::NodeGroup => self.node_group(known, steps).await,
                    KnownKind::Subnet => match self.known(&in_its_network(known, steps)).await? {
                        (Standing::Wanted, _) => self.in_network(known, steps).await,
                        looked => Ok(looked),
                    },
                    _ => self.known(known).await,
                }
            }
        }
    }

    async fn record(&self, record: &Record, name: &str) -> Result<(Standing, String)> {
        let Some(there) = self.find(Path::at(["spider", record.path, name])).await? else {
            return Ok((Standing::Wanted, String::new()));
        };
        // Of a credential its values are not shown: what is here may be newer, and is left alone.
        let differs = |(key, value): (&String, &Value)| {
            let (Some(value), Some(other)) = (value.as_str(), there.get(key)) else { return false };
            // As the server reads it: spaces around it say nothing, and a provider's name has no case.
            let (value, other) = (value.trim(), other.as_str().unwrap_or_default());
            if key == "ProviderName" { !value.eq_ignore_ascii_case(other) } else { value != other }
        };
        let other = record.shown.as_object().into_iter().flatten().find(|field| differs(*field));
        let why =
            other.map(|(key, _)| format!("with another {key}; it is left as it is")).unwrap_or_default();
        Ok((Standing::There, why))
    }

    /// A connection is wanted if each of its pieces comes too, or is here.
    async fn made_of(&self, record: &Record, steps: &Steps) -> Result<(Standing, String)> {
        for piece in &record.made_of {
            let row = steps.find(piece.kind, "", &piece.name);
            if row.is_some_and(comes_or_is_there) {
                continue;
            }
            if self.find(Path::at(["spider", piece.path, &piece.name])).await?.is_none() {
                return Ok((Standing::LeftOut, missing(piece.kind, &piece.name, row)));
            }
        }
        Ok((Standing::Wanted, String::new()))
    }

    /// Wanted, unless the server refuses it: asked as it will be when it is put, with the pieces that come before it.
    async fn planned(&self, record: &Record, steps: &Steps) -> Result<(Standing, String)> {
        let path = Path::at(["spider", "plan", record.path]);
        let body = with_its_pieces(record, steps);
        match self.client.send(Request::new(Method::POST, path).json(Value::Object(body))).await {
            Ok(_) => Ok((Standing::Wanted, String::new())),
            // A server of an older release plans none: what it refuses is seen when it is put.
            Err(error) if error.is(FailureKind::NotFound) => Ok((Standing::Wanted, String::new())),
            Err(error) => Err(error),
        }
    }

    /// A subnet is wanted if its network comes too, or is here.
    async fn in_network(&self, known: &Known, steps: &Steps) -> Result<(Standing, String)> {
        let kind = RowKind::Known(KnownKind::Network);
        let network = steps.find(kind, &known.connection, &known.owner);
        let is_one = network.is_some_and(comes_or_is_there)
            || self.find(owner_of(known, KnownKind::Network)).await?.is_some();
        Ok(if is_one {
            (Standing::Wanted, String::new())
        } else {
            (Standing::LeftOut, missing(kind, &known.owner, network))
        })
    }

    /// A node group comes with its cluster, or not any more: the cloud may have deleted it since.
    async fn node_group(&self, known: &Known, steps: &Steps) -> Result<(Standing, String)> {
        let kind = RowKind::Known(KnownKind::Cluster);
        let cluster = steps.find(kind, &known.connection, &known.owner);
        let mut of_cluster = known.clone();
        match cluster.map(|step| (step.standing(), &step.what)) {
            Some((Standing::Wanted, _)) => {
                return Ok((Standing::Comes, format!("with its cluster {}", known.owner)));
            }
            // Here it may have another name.
            Some((Standing::There, What::Known { known: cluster, .. })) => {
                of_cluster.owner.clone_from(&cluster.csp_id);
            }
            Some((Standing::LeftOut, What::Known { .. })) => {
                return Ok((Standing::LeftOut, format!("its cluster {} was not taken over", known.owner)));
            }
            _ if self.find(owner_of(known, KnownKind::Cluster)).await?.is_none() => {
                return Ok((Standing::LeftOut, missing(kind, &known.owner, cluster)));
            }
            _ => {}
        }
        let groups = self.client.list(collection(&of_cluster)).await?;
        if let Some(group) = groups.iter().find(|group| is_the_same(group, known)) {
            return Ok((Standing::There, by_the_name(&text(group, "/name"), &known.name)));
        }
        let cluster = &known.owner;
        let why = format!("its cluster {cluster} is here already, and has no node group of that identifier");
        Ok((Standing::Gone, why))
    }

    async fn known(&self, known: &Known) -> Result<(Standing, String)> {
        if let Some(there) = self.find(path_of(known, &known.csp_id)).await? {
            let name = text(&there, "/name");
            return Ok((Standing::There, by_the_name(&name, &known.name)));
        }
        match self.find(path_of(known, &known.name)).await? {
            Some(other) if is_the_same(&other, known) => Ok((Standing::There, String::new())),
            Some(other) => Ok((Standing::LeftOut, taken_here(&text(&other, "/iid/systemId")))),
            None => Ok((Standing::Wanted, String::new())),
        }
    }

    /// Why nothing can be taken over at that connection; `None`: it can.
    fn unsupported(&self, known: &Known, provider: &str, steps: &Steps) -> Option<String> {
        if provider.is_empty() {
            let connection = &known.connection;
            let is_row = steps.find(RowKind::ConnectionConfig, "", connection).is_some();
            let why = if is_row { "cannot be read" } else { "is not in the meta database" };
            return Some(format!("its connection {connection} {why}"));
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

fn text(shown: &Value, at: &str) -> String {
    shown.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether something that is shown is what a row is of: the cloud may write its identifier in another case, or longer.
fn is_the_same(shown: &Value, known: &Known) -> bool {
    let id = text(shown, "/iid/systemId");
    id.eq_ignore_ascii_case(&known.csp_id) || id.ends_with(&format!("/{}", known.csp_id))
}

/// What helps where two things have one name.
const BY_ANOTHER_NAME: &str = "register it by another name, at CB-Spider before or here after";

/// That a name means one thing at all connections of an account and place.
pub(super) fn taken(first: &Known) -> String {
    let (id, at) = (&first.csp_id, &first.connection);
    format!("that name goes to {id}, of {at}, which is the same account and place: {BY_ANOTHER_NAME}")
}

/// The same where that thing is known here.
pub(super) fn taken_here(other: &str) -> String {
    format!("that name is taken, by {other}: {BY_ANOTHER_NAME}")
}

/// That something is known here by that name, if it is not its own.
pub(super) fn by_the_name(name: &str, own: &str) -> String {
    if name == own { String::new() } else { format!("by the name {name}") }
}

/// A record's body, with the pieces that come before it.
pub(super) fn with_its_pieces(record: &Record, steps: &Steps) -> Map<String, Value> {
    let coming = record.made_of.iter().filter_map(|piece| {
        let step = steps.find(piece.kind, "", &piece.name)?;
        match &step.what {
            What::Record(piece) if step.standing() == Standing::Wanted => Some((piece.path, piece.body())),
            _ => None,
        }
    });
    // Keys of bodies have no case there.
    let with: Map<String, Value> = coming.map(|(path, body)| (path.to_owned(), body)).collect();
    let mut body = match record.body() {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.insert("With".to_owned(), Value::Object(with));
    body
}

fn comes_or_is_there(step: &Step) -> bool {
    matches!(step.standing(), Standing::Wanted | Standing::There)
}

/// What is said of something whose part or owner is not here, by its row if there is one.
fn missing(kind: RowKind, name: &str, row: Option<&Step>) -> String {
    match row {
        Some(_) => format!("its {kind} {name} is left out, and is not here"),
        None => format!("its {kind} {name} is neither in the meta database nor here"),
    }
}

/// A subnet with its network named by the cloud's identifier, where that is known: here the network may have another name.
pub(super) fn in_its_network(known: &Known, steps: &Steps) -> Known {
    let network = steps.find(RowKind::Known(KnownKind::Network), &known.connection, &known.owner);
    match network.map(|step| &step.what) {
        Some(What::Known { known: network, .. }) if known.kind == KnownKind::Subnet => {
            Known { owner: network.csp_id.clone(), ..known.clone() }
        }
        _ => known.clone(),
    }
}

/// Takes over what the server answers at once, which is all but clusters.
pub(super) async fn take_over(client: &Client, step: &Step, steps: &Steps) -> Result<()> {
    let (path, body) = match &step.what {
        What::Record(record) => (Path::at(["spider", record.path]), record.body()),
        What::Known { known, .. } => {
            let body = json!({"name": known.name, "systemId": known.csp_id});
            (collection(&in_its_network(known, steps)), body)
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

/// The network or cluster in which it is.
fn owner_of(known: &Known, kind: KnownKind) -> Path {
    collection(&Known { kind, ..known.clone() }).join(&known.owner)
}

fn path_of(known: &Known, name: &str) -> Path {
    collection(known).join(name)
}
