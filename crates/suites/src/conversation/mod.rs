//! The conversation of a client of CB-Spider with `/spider`, on a simulated cloud: every record, network, key pair,
//! cluster and node group once through its life, each answer held against the interface's own JSON, field by field, and
//! against what the server itself describes.
//!
//! Bodies are sent as CB-Tumblebug sends them: with GET and DELETE too, and with a key that nobody knows.

mod client;
mod clusters;
mod described;
pub mod machines;
mod networks;
mod records;
mod tags;
pub mod together;
pub mod unique_names;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{CloudUnderTest, Pmks, Served, SimulatedCloud};
use client::Client;

/// The user that the server is started with.
const USER: (&str, &str) = ("spider", "pass:word<&>");

/// The connection that the conversation makes.
const CONNECTION: &str = "config-01";

/// A cloud, pmks, and a client of CB-Spider.
struct Scene {
    under_test: &'static dyn CloudUnderTest,
    world: SimulatedCloud,
    pmks: Pmks,
    served: Served,
    client: Client,
}

/// What the server is started with.
const VARIABLES: [(&str, &str); 2] = [("SPIDER_USERNAME", USER.0), ("SPIDER_PASSWORD", USER.1)];

/// Runs it on one cloud.
pub async fn run(under_test: &'static dyn CloudUnderTest) {
    let scene = Scene::begin(under_test).await;
    let before = scene.world.rows().len();
    records::strangers(&scene).await;
    records::service(&scene).await;
    records::make(&scene).await;
    machines::offers(&scene).await;
    networks::make(&scene).await;
    networks::security_group(&scene).await;
    networks::key_pair(&scene).await;
    clusters::make(&scene).await;
    clusters::node_groups(&scene).await;
    clusters::upgrade(&scene).await;
    machines::nodes(&scene).await;
    machines::tags(&scene).await;
    clusters::metrics(&scene).await;
    clusters::own_words(&scene).await;
    clusters::ways_in(&scene).await;
    clusters::lists(&scene).await;
    clusters::remove(&scene).await;
    networks::remove(&scene).await;
    networks::by_identifier(&scene).await;
    networks::destroy(&scene).await;
    records::remove(&scene).await;
    assert_eq!(scene.client.unproven(), BTreeSet::new(), "described, and not once answered well");
    assert_eq!(scene.world.rows().len(), before, "what was made is gone: {:?}", scene.world.rows());
    tokio::task::block_in_place(|| scene.served.stop());
}

impl Scene {
    async fn begin(under_test: &'static dyn CloudUnderTest) -> Self {
        let world = SimulatedCloud::start(under_test).await;
        let pmks = Pmks::new().expect("a temporary folder");
        let served = tokio::task::block_in_place(|| Served::start(&pmks, &VARIABLES));
        let mut client = Client::new(&served.url, USER);
        client.learn().await;
        Self { under_test, world, pmks, served, client }
    }

    /// CB-Spider's name of the provider.
    fn provider(&self) -> String {
        self.under_test.provider().capabilities().provider.to_uppercase()
    }

    /// Creates something, which must succeed.
    async fn post(&self, path: &str, asked: Value) -> Value {
        self.client.ok("POST", path, Some(asks(asked))).await
    }

    async fn get(&self, path: &str) -> Value {
        self.client.ok("GET", path, Some(at())).await
    }

    async fn delete(&self, path: &str) {
        let answer = self.client.ok("DELETE", path, Some(at())).await;
        assert_eq!(answer, json!({"Result": "true"}), "DELETE {path}");
    }

    /// A reading that must be refused so.
    async fn refused(&self, method: &str, path: &str, body: Option<Value>, status: u16, says: &str) {
        let (got, answer) = self.client.ask(method, path, body).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
        let keys: Vec<&String> = answer.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["message"], "{method} {path}: {answer}");
        let message = answer["message"].as_str().expect("a text");
        assert!(message.contains(says), "{method} {path}: {message:?} does not say {says:?}");
    }
}

/// What a client sends where only the connection matters.
fn at() -> Value {
    json!({"NameSpace": "", "ConnectionName": CONNECTION})
}

/// What a client sends where something is asked for.
fn asks(asked: Value) -> Value {
    let mut body = json!({"NameSpace": "", "connectionname": CONNECTION});
    body["ReqInfo"] = asked;
    body
}

/// A name or an identifier as one part of a path.
fn in_a_path(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// An object's keys, in order.
#[track_caller]
fn has_keys(value: &Value, keys: &[&str]) {
    let mut wanted = keys.to_vec();
    wanted.sort_unstable();
    let mut has: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    has.sort_unstable();
    assert_eq!(has, wanted, "{value}");
}

/// Both names, the user's as asked for, the cloud's not empty.
#[track_caller]
fn is_named(value: &Value, name: &str) {
    has_keys(value, &["NameId", "SystemId"]);
    assert_eq!(value["NameId"], name, "{value}");
    assert!(value["SystemId"].as_str().is_some_and(|id| !id.is_empty()), "{value}");
}
