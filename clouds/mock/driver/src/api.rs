//! The Mock cloud's calls, one method each: build one request, send it once, read one answer.
//! No loop but over pages, no waiting, no decision: those are the reads', the operations' and the engine's.

use std::sync::Arc;

use jiff::Timestamp;
use pmks_driver::{DriverError, Effect, ErrorKind, Result};
use pmks_model::ResourceKind;
use pmks_transport::{Call, Client, Lane, Method, Response, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::{Account, Catalogue, Measured, Operation, Page, Thing, Token, is_identifier};
use crate::{PROVIDER, errors};

/// The most pages of any list: a cloud that pages for ever must not hold us.
const MOST_PAGES: usize = 1000;

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Network,
    Subnet,
    SecurityGroup,
    KeyPair,
    Cluster,
    NodeGroup,
}

/// Where a kind of thing is found, and what its calls are named.
pub(crate) struct Names {
    collection: &'static str,
    list: &'static str,
    get: &'static str,
    create: &'static str,
    update: &'static str,
    delete: &'static str,
    /// What one is called.
    pub(crate) word: &'static str,
    /// What it is to pmks.
    pub(crate) resource: ResourceKind,
}

macro_rules! names {
    ($collection:literal, $word:literal, $resource:ident) => {
        &Names {
            collection: $collection,
            list: concat!("mock.", $collection, ".list"),
            get: concat!("mock.", $collection, ".get"),
            create: concat!("mock.", $collection, ".create"),
            update: concat!("mock.", $collection, ".update"),
            delete: concat!("mock.", $collection, ".delete"),
            word: $word,
            resource: ResourceKind::$resource,
        }
    };
}

impl Kind {
    /// Its names.
    pub(crate) fn names(self) -> &'static Names {
        match self {
            Self::Network => names!("networks", "network", Network),
            Self::Subnet => names!("subnets", "subnet", Subnet),
            Self::SecurityGroup => names!("securityGroups", "security group", SecurityGroup),
            Self::KeyPair => names!("keyPairs", "key pair", KeyPair),
            Self::Cluster => names!("clusters", "cluster", Cluster),
            Self::NodeGroup => names!("nodeGroups", "node group", NodeGroup),
        }
    }

    /// What the rest of pmks calls a thing: by its name where another one of that name is told by its incarnation, else
    /// by the identifier that is never given again.
    pub(crate) fn system_id(self, thing: &Thing) -> &str {
        match self {
            Self::Network | Self::Subnet | Self::SecurityGroup => &thing.id,
            Self::KeyPair | Self::Cluster | Self::NodeGroup => &thing.name,
        }
    }
}

/// The Mock cloud as one connection sees it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: Client,
    /// The endpoint, with the region.
    base: Arc<str>,
    lane: Lane,
}

impl Api {
    /// Sends by `client` to `endpoint`, about that region; reads wait in the lane of users.
    pub(crate) fn new(client: Client, endpoint: &Url, region: &str) -> Self {
        let base = format!("{}/v1/{region}", endpoint.as_str().trim_end_matches('/'));
        Self { client, base: Arc::from(base), lane: Lane::Live }
    }

    /// The same, whose reads wait in that lane.
    pub(crate) fn on_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Who the caller is.
    pub(crate) async fn account(&self) -> Result<Account> {
        self.read("mock.account.get", "account", &[]).await
    }

    /// What the cloud offers.
    pub(crate) async fn catalogue(&self) -> Result<Catalogue> {
        self.read("mock.catalogue.get", "catalogue", &[]).await
    }

    /// How the cloud's own work stands.
    pub(crate) async fn operation(&self, id: &str) -> Result<Operation> {
        self.read("mock.operations.get", &format!("operations/{}", segment(id)), &[]).await
    }

    /// A token for a cluster.
    pub(crate) async fn token(&self, id: &str) -> Result<Token> {
        self.read("mock.clusters.getToken", &format!("clusters/{}/token", segment(id)), &[]).await
    }

    /// What a node measures.
    pub(crate) async fn metric(
        &self,
        node: &str,
        metric: &str,
        interval: u64,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Measured> {
        let path = format!("nodes/{}/metrics/{metric}", segment(node));
        let (interval, from, until) = (interval.to_string(), from.to_string(), until.to_string());
        let query = [("intervalSeconds", &*interval), ("from", &*from), ("until", &*until)];
        self.read("mock.nodes.getMetric", &path, &query).await
    }

    /// One thing, by its identifier.
    pub(crate) async fn get(&self, kind: Kind, id: &str) -> Result<Thing> {
        self.read(kind.names().get, &path(kind, id), &[]).await
    }

    /// The same as the cloud writes it. What is known by its name is found by that; a node group in its cluster.
    pub(crate) async fn written(&self, kind: Kind, parent: &str, id: &str) -> Result<Option<Value>> {
        match kind {
            Kind::Network | Kind::Subnet | Kind::SecurityGroup => {
                self.read(kind.names().get, &path(kind, id), &[]).await.map(Some)
            }
            Kind::KeyPair | Kind::Cluster | Kind::NodeGroup => {
                let (of, name) = if kind == Kind::NodeGroup { (Kind::Cluster, parent) } else { (kind, id) };
                let mut page: Value =
                    self.read(of.names().list, of.names().collection, &[("name", name)]).await?;
                let found = page.pointer_mut("/items/0").map(Value::take);
                if kind != Kind::NodeGroup {
                    return Ok(found);
                }
                let groups = found.as_ref().and_then(|cluster| cluster.get("nodeGroups")?.as_array());
                let own = groups
                    .into_iter()
                    .flatten()
                    .find(|group| group.get("name").is_some_and(|known| known == id));
                Ok(own.cloned())
            }
        }
    }

    /// The thing of that name, within another one where it is a part; `None`: there is none.
    pub(crate) async fn find(&self, kind: Kind, parent: &str, name: &str) -> Result<Option<Thing>> {
        let page: Page = self
            .read(kind.names().list, kind.names().collection, &[("name", name), ("parent", parent)])
            .await?;
        Ok(page.items.into_iter().next())
    }

    /// All things of a kind.
    pub(crate) async fn list(&self, kind: Kind) -> Result<Vec<Thing>> {
        let (mut all, mut token) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let names = kind.names();
            let page: Page = self.read(names.list, names.collection, &[("pageToken", &token)]).await?;
            all.extend(page.items);
            match page.next_page_token {
                Some(next) if !next.is_empty() => token = next,
                _ => return Ok(all),
            }
        }
        let says = "the Mock cloud pages through this list without an end";
        Err(DriverError::new(ErrorKind::Unexpected, PROVIDER, says).with_action(kind.names().list))
    }

    /// Asks for a thing.
    pub(crate) async fn create(&self, kind: Kind, body: &Value) -> Result<Operation> {
        let names = kind.names();
        self.change(names.create, Effect::Creates, Method::POST, names.collection, Some(body)).await
    }

    /// Asks for a change of a thing.
    pub(crate) async fn update(&self, kind: Kind, id: &str, body: &Value) -> Result<Operation> {
        let action = kind.names().update;
        self.change(action, Effect::Idempotent, Method::PATCH, &path(kind, id), Some(body)).await
    }

    /// Asks for the end of a thing.
    pub(crate) async fn delete(&self, kind: Kind, id: &str) -> Result<Operation> {
        let action = kind.names().delete;
        self.change(action, Effect::Idempotent, Method::DELETE, &path(kind, id), None).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let given = query.iter().filter(|(_, value)| !value.is_empty());
        let call = given.fold(
            Call::new(PROVIDER, action, Effect::Read, Method::GET, self.url(path)?).lane(self.lane),
            |call, (name, value)| call.query(name, value),
        );
        let response = self.send(call).await?;
        read(action, Effect::Read, &response)
    }

    async fn change(
        &self,
        action: &'static str,
        effect: Effect,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Operation> {
        let mut call = Call::new(PROVIDER, action, effect, method, self.url(path)?);
        if let Some(body) = body {
            call = call.json(body).map_err(|error| errors::TABLE.of_transport(action, effect, error))?;
        }
        let response = self.send(call).await?;
        read(action, effect, &response)
    }

    fn url(&self, path: &str) -> Result<Url> {
        Url::parse(&format!("{}/{path}", self.base)).map_err(|error| {
            DriverError::new(ErrorKind::Unexpected, PROVIDER, "the endpoint is no URL").caused_by(error)
        })
    }

    async fn send(&self, call: Call) -> Result<Response> {
        let (action, effect) = (call.action(), call.effect());
        let sent = self.client.send(call).await;
        let response = sent.map_err(|error| errors::TABLE.of_transport(action, effect, error))?;
        if response.status.is_success() {
            Ok(response)
        } else {
            Err(errors::of_answer(action, effect, &response))
        }
    }
}

fn path(kind: Kind, id: &str) -> String {
    format!("{}/{}", kind.names().collection, segment(id))
}

/// An identifier as a segment of a path. What cannot be one names nothing, and is sent as something that is nothing.
fn segment(id: &str) -> String {
    if is_identifier(id) { id.to_owned() } else { "-".to_owned() }
}

fn read<T: DeserializeOwned>(action: &'static str, effect: Effect, response: &Response) -> Result<T> {
    serde_json::from_slice(&response.body)
        .map_err(|error| errors::TABLE.unreadable(action, effect, response, error))
}
