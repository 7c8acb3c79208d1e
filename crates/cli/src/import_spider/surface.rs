//! What the server is asked: CB-Spider's four records at `/spider`, everything else at `/v1`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use pmks_api::{ImportCluster, ImportNodeGroup};
use pmks_meta_database::{Known, KnownKind, RowKind};
use pmks_model::{FailureKind, is_same_identifier};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::step::{Here, Record, Standing, Step, What};
use super::steps::Steps;
use super::{OF_THE_CONNECTION, in_one_line};
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
    /// What is known here, by the path of its list: each is asked for once.
    known_here: Mutex<BTreeMap<String, Arc<Vec<Value>>>>,
    /// Why the cloud does not say how a cluster is, of each that it was asked about, by the cluster's path.
    silences: Mutex<BTreeMap<String, Option<String>>>,
}

/// What there is to say of something before anything is asked of a cloud.
pub(super) struct Looked {
    pub(super) standing: Standing,
    pub(super) why: String,
    /// What it is here, where it is.
    pub(super) here: Option<Here>,
}

impl Looked {
    fn new(standing: Standing, why: impl Into<String>) -> Self {
        Self { standing, why: why.into(), here: None }
    }

    fn wanted() -> Self {
        Self::new(Standing::Wanted, "")
    }

    fn there(shown: &Value, own_name: &str) -> Self {
        let here = here(shown);
        Self { standing: Standing::There, why: by_the_name(&here.name, own_name), here: Some(here) }
    }
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
        Ok(Self { client, providers, known_here: Mutex::default(), silences: Mutex::default() })
    }

    /// What is known of it here, and what there is to say about that. Of the steps before it that is known.
    pub(super) async fn standing(&self, step: &Step, steps: &Steps) -> Result<Looked> {
        match &step.what {
            What::Unreadable(why) => Ok(Looked::new(Standing::LeftOut, why)),
            What::Record(record) => {
                if let Some(there) = self.find(Path::at(["spider", record.path, &step.name])).await? {
                    return Ok(Looked::new(Standing::There, differs(record, &there)));
                }
                if let Some(why) = self.lacks(record, steps).await? {
                    return Ok(Looked::new(Standing::LeftOut, why));
                }
                self.refuse_unputtable(record, steps).await?;
                Ok(Looked::wanted())
            }
            What::Known { known, .. } => {
                if let Some(why) = self.unsupported(known, &step.provider, steps) {
                    return Ok(Looked::new(Standing::LeftOut, why));
                }
                match known.kind {
                    KnownKind::NodeGroup => self.node_group(known, steps).await,
                    KnownKind::Subnet => self.subnet(known, steps).await,
                    _ => self.known(known, collection(known, &known.owner), steps).await,
                }
            }
        }
    }

    /// Why a connection cannot come: a piece of it neither comes nor is here.
    async fn lacks(&self, record: &Record, steps: &Steps) -> Result<Option<String>> {
        for piece in &record.made_of {
            let row = steps.find(piece.kind, "", &piece.name);
            if row.is_some_and(|step| matches!(step.standing(), Standing::Wanted | Standing::There)) {
                continue;
            }
            if self.find(Path::at(["spider", piece.path, &piece.name])).await?.is_none() {
                return Ok(Some(missing(piece.kind, &piece.name, row)));
            }
        }
        Ok(None)
    }

    /// What the server refuses is refused: asked as it will be when it is put, with the pieces that come before it.
    async fn refuse_unputtable(&self, record: &Record, steps: &Steps) -> Result<()> {
        let path = Path::at(["spider", "plan", record.path]);
        let body = with_its_pieces(record, steps);
        match self.client.send(Request::new(Method::POST, path).json(Value::Object(body))).await {
            // A server of an older release plans none: what it refuses is seen when it is put.
            Err(error) if !error.is(FailureKind::NotFound) => Err(error),
            _ => Ok(()),
        }
    }

    /// A subnet is wanted if its network comes too, or is here.
    async fn subnet(&self, known: &Known, steps: &Steps) -> Result<Looked> {
        let kind = KnownKind::Network;
        if steps.home(known, kind).is_some_and(|(standing, _)| standing == Standing::Wanted) {
            return Ok(Looked::wanted());
        }
        match self.home(known, kind, steps).await? {
            Ok(network) => self.known(known, collection(known, &network.name), steps).await,
            Err(why) => Ok(Looked::new(Standing::LeftOut, why)),
        }
    }

    /// A node group comes with its cluster, or not any more: the cloud may have deleted it since.
    async fn node_group(&self, known: &Known, steps: &Steps) -> Result<Looked> {
        let (kind, owner) = (KnownKind::Cluster, &known.owner);
        if steps.home(known, kind).is_some_and(|(standing, _)| standing == Standing::Wanted) {
            return Ok(Looked::new(Standing::Comes, format!("with its cluster {owner}")));
        }
        let cluster = match self.home(known, kind, steps).await? {
            Ok(cluster) => cluster,
            Err(why) => return Ok(Looked::new(Standing::LeftOut, why)),
        };
        let list = collection(known, &cluster.name);
        if let Some(group) = the_same(&self.all(list.clone()).await?, &known.csp_id) {
            return Ok(Looked::there(group, &known.name));
        }
        // It may have been made since the cluster was looked at.
        if let Some(why) = self.silence_about(known, &cluster.name, &list).await? {
            return Ok(Looked::new(Standing::Failed, why));
        }
        if let Some(group) = the_same(&self.all(list).await?, &known.csp_id) {
            return Ok(Looked::there(group, &known.name));
        }
        let is_row = steps.find(RowKind::Known(kind), &known.connection, owner).is_some();
        Ok(if is_row {
            let why = "is here already, and has no node group of that identifier";
            Looked::new(Standing::Gone, format!("its cluster {owner} {why}"))
        } else {
            let why = "is not in the meta database, and the one of that name here has no node group of that identifier";
            Looked::new(Standing::LeftOut, format!("its cluster {owner} {why}"))
        })
    }

    /// What is known in a list by its identifier is here; what has its name is another one.
    async fn known(&self, known: &Known, list: Path, steps: &Steps) -> Result<Looked> {
        let all = self.all(list).await?;
        let is_it = |shown: &&Value| text(shown, "/iid/systemId") == known.csp_id;
        if let Some(same) = all.iter().find(is_it) {
            return Ok(Looked::there(same, &known.name));
        }
        if all.iter().any(|shown| is_nearly(&text(shown, "/iid/systemId"), &known.csp_id)) {
            // Which one is meant by it the cloud alone knows, and the server asks it.
            return Ok(Looked::wanted());
        }
        Ok(match called(&all, &known.name) {
            Some(other) => {
                let id = here(other).system_id;
                let why = steps.brought(known.kind, &id).map_or_else(|| taken_here(&id), taken);
                Looked::new(Standing::LeftOut, why)
            }
            None => Looked::wanted(),
        })
    }

    /// The network or cluster that a row is in, by what it is here, or will be; else why there is none.
    pub(super) async fn home(
        &self,
        known: &Known,
        kind: KnownKind,
        steps: &Steps,
    ) -> Result<std::result::Result<Here, String>> {
        let row_kind = RowKind::Known(kind);
        match steps.home(known, kind) {
            Some((_, Some(home))) => Ok(Ok(home)),
            Some((_, None)) => Ok(Err(format!("its {row_kind} {} was not taken over", known.owner))),
            None => {
                let owner = Known { kind, ..known.clone() };
                let all = self.all(collection(&owner, "")).await?;
                let row = || steps.find(row_kind, &known.connection, &known.owner);
                let here = called(&all, &known.owner).map(here);
                Ok(here.ok_or_else(|| missing(row_kind, &known.owner, row())))
            }
        }
    }

    /// What is known here of a list; nothing, where its connection, or what it is of, is not.
    async fn all(&self, list: Path) -> Result<Arc<Vec<Value>>> {
        let mut known_here = self.known_here.lock().await;
        let key = list.target()?;
        if let Some(all) = known_here.get(&key) {
            return Ok(Arc::clone(all));
        }
        let mut all = match self.client.list(list).await {
            Err(error) if error.is(FailureKind::NotFound) => Vec::new(),
            all => all?,
        };
        // Of a subnet that is told as a part of its network alone no record is kept.
        all.retain(|shown| shown.get("uid").is_none_or(|uid| uid != ""));
        let all = Arc::new(all);
        known_here.insert(key, Arc::clone(&all));
        Ok(all)
    }

    /// Asks the cloud once about a cluster, so that the list of its node groups is as it is now; why it does not say.
    async fn silence_about(&self, known: &Known, cluster: &str, groups: &Path) -> Result<Option<String>> {
        let asked = collection(&Known { kind: KnownKind::Cluster, ..known.clone() }, "").join(cluster);
        let key = asked.target()?;
        let mut silences = self.silences.lock().await;
        if let Some(silence) = silences.get(&key) {
            return Ok(silence.clone());
        }
        let silence = match self.find(asked.query("maxAge", "0")).await {
            Err(error) if OF_THE_CONNECTION.iter().any(|kind| error.is(*kind)) => {
                Some(in_one_line(&error.text()))
            }
            answer => answer.map(|_| None)?,
        };
        self.known_here.lock().await.remove(&groups.target()?);
        silences.insert(key, silence.clone());
        Ok(silence)
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

fn here(shown: &Value) -> Here {
    Here { name: text(shown, "/name"), system_id: text(shown, "/iid/systemId") }
}

/// Whether the cloud may write an identifier so that CB-Spider keeps otherwise: in another case, or with where it lies
/// before it.
fn is_nearly(system_id: &str, kept: &str) -> bool {
    system_id.eq_ignore_ascii_case(kept) || system_id.ends_with(&format!("/{kept}"))
}

/// The one of a cluster's node groups that has that identifier: their names are one's alone.
fn the_same<'a>(all: &'a [Value], system_id: &str) -> Option<&'a Value> {
    let by = |is_it: &dyn Fn(&str) -> bool| all.iter().find(|shown| is_it(&text(shown, "/iid/systemId")));
    let within = format!("/{system_id}");
    by(&|id| is_same_identifier(id, system_id)).or_else(|| by(&|id| id.ends_with(&within)))
}

/// The one of a list that has that name here.
fn called<'a>(all: &'a [Value], name: &str) -> Option<&'a Value> {
    all.iter().find(|shown| text(shown, "/name") == name)
}

/// What of a record that is here is another than its row says.
fn differs(record: &Record, there: &Value) -> String {
    // Of a credential its values are not shown: what is here may be newer, and is left alone.
    let differs = |(key, value): &(&String, &Value)| {
        let (Some(value), Some(other)) = (value.as_str(), there.get(*key)) else { return false };
        // As the server reads it: spaces around it say nothing, and a provider's name has no case.
        let (value, other) = (value.trim(), other.as_str().unwrap_or_default());
        if *key == "ProviderName" { !value.eq_ignore_ascii_case(other) } else { value != other }
    };
    let other = record.shown.as_object().into_iter().flatten().find(differs);
    other.map(|(key, _)| format!("with another {key}; it is left as it is")).unwrap_or_default()
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

/// What is said of something whose part or owner is not here, by its row if there is one.
fn missing(kind: RowKind, name: &str, row: Option<&Step>) -> String {
    match row {
        Some(_) => format!("its {kind} {name} is left out, and is not here"),
        None => format!("its {kind} {name} is neither in the meta database nor here"),
    }
}

/// Takes over what the server answers at once, which is all but clusters.
pub(super) async fn take_over(client: &Client, step: &Step, steps: &Steps) -> Result<()> {
    let (path, body) = match &step.what {
        What::Record(record) => (Path::at(["spider", record.path]), record.body()),
        What::Known { known, .. } => {
            let body = json!({"name": known.name, "systemId": known.csp_id});
            let network = steps.home(known, KnownKind::Network).and_then(|(_, home)| home);
            let network = network.map_or_else(|| known.owner.clone(), |network| network.name);
            (collection(known, &network), body)
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

/// Where all of its kind are, within what is called `owner` here.
fn collection(known: &Known, owner: &str) -> Path {
    let within =
        |rest: &[&str]| Path::v1(["connections", &known.connection].into_iter().chain(rest.iter().copied()));
    match known.kind {
        KnownKind::Network => within(&["networks"]),
        KnownKind::Subnet => within(&["networks", owner, "subnets"]),
        KnownKind::SecurityGroup => within(&["securityGroups"]),
        KnownKind::KeyPair => within(&["keyPairs"]),
        KnownKind::Cluster => within(&["clusters"]),
        KnownKind::NodeGroup => within(&["clusters", owner, "nodeGroups"]),
    }
}
