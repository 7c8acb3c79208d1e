//! The simulated Azure through its front door: requests with tokens in, Azure's answers out, on virtual time.

mod clusters;
mod faults;
mod login;
mod networks;
mod pools;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Cloud, Effect, Effects, ManualTime};
use serde_json::{Value, json};

use crate::{AzureCloud, Settings};

/// The world that every test begins with: making its keys anew would take most of the time.
static BEGINNING: LazyLock<Value> =
    LazyLock::new(|| AzureCloud::new(Settings::default()).snapshot().unwrap());

/// A fresh cloud on virtual time, with a resource group `rg` and all providers registered.
struct Rig {
    cloud: AzureCloud,
    time: Arc<ManualTime>,
    credential: Value,
    token: String,
}

/// What came back.
#[derive(Debug)]
struct Got {
    status: u16,
    code: Option<String>,
    body: Value,
    headers: http::HeaderMap,
}

impl Got {
    fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    fn text(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {}", self.body))
    }

    fn message(&self) -> &str {
        self.text(if self.body.get("error").is_some() { "/error/message" } else { "/message" })
    }
}

impl Rig {
    /// A world in which nothing exists and nothing is registered.
    fn bare() -> Self {
        let time = Arc::new(ManualTime::new("2026-11-23T12:00:00Z".parse().unwrap()));
        let settings = Settings { time: Arc::clone(&time) as Arc<_>, ..Settings::default() };
        let cloud = AzureCloud::new(settings);
        cloud.restore(BEGINNING.clone()).unwrap();
        let credential = cloud.connection("http://127.0.0.1:1")["credential"].clone();
        let token = cloud.access_token().unwrap();
        Self { cloud, time, credential, token }
    }

    fn new() -> Self {
        let rig = Self::bare();
        for provider in [
            "Microsoft.Network",
            "Microsoft.Compute",
            "Microsoft.ContainerService",
            "Microsoft.ManagedIdentity",
        ] {
            rig.ok("POST", &format!("{}/providers/{provider}/register", rig.subscription()), Value::Null);
        }
        rig.advance(60);
        rig.ok("PUT", &rig.group(""), json!({"location": "koreacentral"}));
        rig
    }

    fn subscription(&self) -> String {
        format!("/subscriptions/{}", self.credential["subscriptionId"].as_str().unwrap())
    }

    fn group(&self, rest: &str) -> String {
        format!("{}/resourceGroups/rg{rest}", self.subscription())
    }

    fn network(&self, rest: &str) -> String {
        self.group(&format!("/providers/Microsoft.Network/{rest}"))
    }

    fn cluster(&self, rest: &str) -> String {
        self.group(&format!("/providers/Microsoft.ContainerService/managedClusters/{rest}"))
    }

    fn advance(&self, seconds: u64) {
        self.time.advance(Duration::from_secs(seconds));
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> http::request::Builder {
        let version = if path.contains('?') { "&" } else { "?" };
        let uri = if path.contains("api-version") {
            path.to_owned()
        } else {
            format!("{path}{version}api-version=2025-09-01")
        };
        let builder = Request::builder().method(method).uri(uri).header("host", "127.0.0.1:1");
        let builder =
            if body.is_null() { builder } else { builder.header("content-type", "application/json") };
        builder.header("authorization", format!("Bearer {}", self.token))
    }

    fn send(&self, request: &Request<Bytes>, effects: Vec<Effect>) -> Got {
        let call = self.cloud.identify(request);
        let answered = self.cloud.answer(request, &call, &Effects::of(effects));
        let (head, body) = answered.response.into_parts();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Got { status: head.status.as_u16(), code: answered.code, body, headers: head.headers }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with a literal than with a reference to one"
    )]
    fn call_with(&self, effects: Vec<Effect>, method: &str, path: &str, body: Value) -> Got {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = self.request(method, path, &body).body(bytes).unwrap();
        self.send(&request, effects)
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Got {
        self.call_with(Vec::new(), method, path, body)
    }

    /// A call that must go well.
    fn ok(&self, method: &str, path: &str, body: Value) -> Got {
        let got = self.call(method, path, body);
        assert!((200..300).contains(&got.status), "{method} {path}: {} {}", got.status, got.body);
        got
    }

    fn get(&self, path: &str) -> Value {
        self.ok("GET", path, Value::Null).body
    }

    /// Status and code with which a call is refused.
    fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let got = self.call(method, path, body);
        (got.status, got.code.unwrap_or_else(|| panic!("{method} {path} went well: {}", got.body)))
    }

    /// A PUT with a precondition.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with a literal than with a reference to one"
    )]
    fn put_if(&self, header: &str, tag: &str, path: &str, body: Value) -> Got {
        let request = self.request("PUT", path, &body).header(header, tag);
        self.send(&request.body(Bytes::from(body.to_string())).unwrap(), Vec::new())
    }

    /// What a followed operation says.
    fn operation(&self, got: &Got) -> Value {
        let url = got.header("azure-asyncoperation");
        let path = url.strip_prefix("http://127.0.0.1:1").unwrap_or_else(|| panic!("{url}")).to_owned();
        self.get(&path)
    }

    /// A network with a subnet; the subnet's id.
    fn make_network(&self) -> String {
        let body = json!({
            "location": "koreacentral",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
                "subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.20.0.0/24"}}],
            },
        });
        self.ok("PUT", &self.network("virtualNetworks/net"), body);
        self.advance(5);
        self.network("virtualNetworks/net/subnets/nodes")
    }

    /// A cluster's body.
    #[expect(clippy::unused_self, reason = "reads as the rig's own")]
    fn body(&self, count: u32) -> Value {
        json!({
            "location": "koreacentral", "identity": {"type": "SystemAssigned"}, "tags": {"a": "b"},
            "properties": {
                "dnsPrefix": "k",
                "agentPoolProfiles": [
                    {"name": "one", "count": count, "vmSize": "Standard_D2s_v5", "mode": "System"},
                ],
            },
        })
    }

    /// A cluster that stands.
    fn standing(&self) -> String {
        let path = self.cluster("k");
        self.ok("PUT", &path, self.body(2));
        self.advance(400);
        assert_eq!(self.get(&path)["properties"]["provisioningState"], "Succeeded");
        path
    }

    fn ids(&self, kind: &str) -> Vec<String> {
        let rows = self.cloud.resources();
        rows.into_iter().filter(|row| row.kind == kind).map(|row| row.id).collect()
    }
}
