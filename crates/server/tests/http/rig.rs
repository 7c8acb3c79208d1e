//! A whole pmks behind its router: real store, real engine, the scripted cloud.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use pmks_core::{Caller, Handover, Options, Pmks, Registry};
use pmks_driver::Environment;
use pmks_server::{Authentication, InProcess, LogFilter, State, router};
use pmks_store::{MasterKey, NoKillPoints, SqliteStore};
use pmks_transport::{Clock, Transport, VirtualClock};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::cloud::Cloud;
use crate::driver::Fake;

pub(crate) const TOKEN: &str = "local-token";
pub(crate) const PASSWORD: &str = "pass:word";

pub(crate) struct Rig {
    pub(crate) pmks: Pmks,
    pub(crate) state: State,
    pub(crate) cloud: Cloud,
    pub(crate) clock: VirtualClock,
    router: Router,
    directory: tempfile::TempDir,
}

/// A log that knows two levels.
struct Log(Mutex<String>);

impl LogFilter for Log {
    fn filter(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn set(&self, filter: &str) -> Result<(), String> {
        if !["warn", "debug"].contains(&filter) {
            return Err(format!("{filter:?} is no filter"));
        }
        filter.clone_into(&mut self.0.lock().unwrap());
        Ok(())
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem that this answer is, its shape checked.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{self:?}");
        assert_eq!(problem["type"], format!("/docs/errors/{}", problem["code"].as_str().unwrap()));
        assert_eq!(problem["requestId"], self.header("x-request-id"));
        problem
    }

    /// It must be that kind of problem.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, kind: &str) -> Value {
        let problem = self.problem();
        assert_eq!((self.status.as_u16(), problem["code"].as_str().unwrap()), (status, kind), "{self:?}");
        problem
    }

    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self.json()
    }
}

impl Rig {
    pub(crate) async fn empty() -> Self {
        let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        let cloud = Cloud::new(clock.clone());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pmks.db");
        let store =
            SqliteStore::open(&path, MasterKey::from_bytes([7; 32]), Arc::new(NoKillPoints)).await.unwrap();
        let options = Options {
            store: Arc::new(store),
            registry: Registry::new([Arc::new(Fake(cloud.clone())) as Arc<dyn pmks_driver::Provider>]),
            transport: Transport::builder(Arc::new(clock.clone())).build(),
            environment: Environment::default(),
            allow_ambient: false,
            allow_endpoints: true,
            unique_cloud_names: false,
            engine: pmks_core::engine::Options::default(),
        };
        let pmks = Pmks::open(options).await.unwrap();
        let authentication = Authentication::new().unwrap().with_local_token(&TOKEN.into());
        let authentication = authentication.with_administrator("root", &PASSWORD.into()).unwrap();
        let state = State::new(pmks.clone(), authentication, Arc::new(clock.clone()))
            .with_log(Arc::new(Log(Mutex::new("warn".to_owned()))));
        Self { pmks, router: router(state.clone()), state, cloud, clock, directory }
    }

    /// With the connection `here`.
    pub(crate) async fn new() -> Self {
        let rig = Self::empty().await;
        rig.post("/v1/connections", connection("here")).await.ok(201);
        rig
    }

    /// The store's file.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.directory.path().join("pmks.db")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(with_host(request)).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        if let Some(handover) = parts.extensions.get::<Handover>() {
            handover.clone().complete();
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// A body that does not end.
    pub(crate) async fn open(&self, path: &str) -> Body {
        self.stream(request(Method::GET, path, TOKEN).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn stream(&self, asked: Request<Body>) -> Body {
        let response = self.router.clone().oneshot(with_host(asked)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, TOKEN).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path, TOKEN).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(json_request(Method::POST, path, TOKEN, &body)).await
    }

    /// As a caller of the same process.
    pub(crate) async fn inside(&self, path: &str) -> Answer {
        let request = Request::get(path).extension(InProcess(Caller::local("me")));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A bearer token of that role.
    pub(crate) async fn token(&self, role: &str, connections: Option<&[&str]>) -> String {
        let name = format!("{role}-{}", connections.map_or(0, <[&str]>::len));
        let mut body = json!({"name": name, "role": role});
        if let Some(connections) = connections {
            body["connections"] = json!(connections);
        }
        let created = self.post("/v1/apiTokens", body).await;
        assert_eq!(created.header("cache-control"), "no-store");
        created.ok(201)["token"].as_str().unwrap().to_owned()
    }

    /// Carries everything out.
    pub(crate) async fn settle(&self) {
        for _ in 0..200 {
            let now = self.clock.wall();
            let next = self.pmks.engine().tick(now).await.unwrap();
            self.pmks.engine().settle().await;
            match next {
                None => return,
                Some(next) if next > now => {
                    self.clock.advance(Duration::try_from(next.duration_since(now)).unwrap());
                }
                Some(_) => {}
            }
        }
    }

    /// The network `net` with the subnet `sub`.
    pub(crate) async fn network(&self) {
        let body = json!({"name": "net", "cidr": "10.0.0.0/16", "subnets": [{"name": "sub", "cidr": "10.0.1.0/24"}]});
        let operation = self.post("/v1/connections/here/networks", body).await.ok(202);
        self.succeeded(&operation).await;
    }

    /// The cluster `prod` with the node group `workers`.
    pub(crate) async fn cluster(&self) {
        self.network().await;
        self.cluster_in_network().await;
    }

    /// The same, where the network stands.
    pub(crate) async fn cluster_in_network(&self) {
        let operation = self.post("/v1/connections/here/clusters", cluster("prod")).await.ok(202);
        self.succeeded(&operation).await;
    }

    /// Asks for a key pair that pmks makes, and carries everything out meanwhile: the answer waits for that.
    pub(crate) async fn key_pair(&self, name: &str) -> Answer {
        let asked = self.post("/v1/connections/here/keyPairs", json!({"name": name}));
        let carrying_out = async {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.settle().await;
            }
        };
        // Both go on: the request may hold the store's writer just when the engine wants to write.
        tokio::select! {
            answer = asked => answer,
            () = carrying_out => unreachable!("it goes on for ever"),
        }
    }

    pub(crate) async fn succeeded(&self, operation: &Value) {
        self.settle().await;
        let path = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
        let now = self.get(&path).await.ok(200);
        assert_eq!(now["state"], "succeeded", "{now:#}");
    }
}

pub(crate) fn connection(name: &str) -> Value {
    json!({
        "name": name, "provider": "fake", "region": "r1",
        "credential": {"accessKey": "AK1", "secretKey": "hunter2"},
    })
}

pub(crate) fn cluster(name: &str) -> Value {
    json!({
        "name": name, "network": "net", "subnets": ["sub"], "tags": {"team": "a"},
        "nodeGroups": [{"name": "workers", "scaling": {"autoScaling": false, "min": 1, "max": 3, "desired": 2}}],
    })
}

/// As every HTTP/1.1 client sends it.
fn with_host(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().entry(http::header::HOST).or_insert(http::HeaderValue::from_static("pmks.example"));
    request
}

pub(crate) fn request(method: Method, path: &str, token: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"))
}

pub(crate) fn json_request(method: Method, path: &str, token: &str, body: &Value) -> Request<Body> {
    let request = request(method, path, token).header("content-type", "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}
