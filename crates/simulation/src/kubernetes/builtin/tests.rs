//! The built-in back asked directly, as clients other than `kubectl` ask it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::kubernetes::back::{Back, Request, ResponseBody};
use crate::kubernetes::{Builtin, ClusterSettings, ClusterState, Identity, Node, Removal};

struct Rig {
    state: ClusterState,
    back: Builtin,
}

/// An answer, read whole.
struct Answer {
    code: u16,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The status code, and the reason and message of a `Status`.
    fn refusal(&self) -> (u16, String, String) {
        let status = self.json();
        assert_eq!((&status["kind"], &status["code"]), (&json!("Status"), &json!(self.code)));
        (
            self.code,
            status["reason"].as_str().unwrap().to_owned(),
            status["message"].as_str().unwrap().to_owned(),
        )
    }
}

impl Rig {
    fn new(nodes: u8) -> Self {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let state = ClusterState::new(ClusterSettings::new("seoul", "v1.33.4"), Arc::new(move || now));
        for number in 0..nodes {
            state.add_node(&node(number));
        }
        Self { back: Builtin::new(state.clone()), state }
    }

    fn request(method: Method, target: &str, body: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let identity = Identity { username: "kim".to_owned(), administrator: true, ..Identity::default() };
        Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
            identity,
        }
    }

    async fn ask(&self, request: Request) -> Answer {
        let response = self.back.serve(request).await;
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { code, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask(Self::request(Method::GET, target, "")).await
    }

    async fn accepting(&self, target: &str, accept: &'static str) -> Value {
        let mut request = Self::request(Method::GET, target, "");
        request.headers.insert(ACCEPT, HeaderValue::from_static(accept));
        self.ask(request).await.json()
    }

    async fn watch(&self, target: &str) -> Events {
        Events(self.back.serve(Self::request(Method::GET, target, "")).await.into_body())
    }
}

/// The events of a watch, one at a time.
struct Events(ResponseBody);

impl Events {
    async fn next(&mut self) -> Option<Value> {
        let frame = tokio::time::timeout(Duration::from_secs(10), self.0.frame()).await.expect("in time")?;
        Some(serde_json::from_slice(&frame.unwrap().into_data().unwrap()).unwrap())
    }

    /// The type and name of the next event.
    async fn brief(&mut self) -> (String, String) {
        let event = self.next().await.expect("an event");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["type"]), text(&event["object"]["metadata"]["name"]))
    }
}

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

fn node(number: u8) -> Node {
    Node {
        name: format!("n{number}"),
        internal_ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)),
        external_ip: None,
        provider_id: format!("cloud:///z/{number}"),
        instance_type: "small".to_owned(),
        region: "r".to_owned(),
        zone: "z".to_owned(),
        architecture: "amd64".to_owned(),
        version: "v1.33.4".to_owned(),
        os_image: "Linux".to_owned(),
        kernel_version: "6.12".to_owned(),
        container_runtime: "containerd://2.1.4".to_owned(),
        cpu: 2,
        memory_mib: 4096,
        max_pods: 17,
        reserved_cpu_millis: 80,
        reserved_memory_mib: 542,
        labels: [("parity".to_owned(), (number % 2).to_string())].into(),
        ready_since: None,
    }
}

#[tokio::test]
async fn lists_come_in_pages_of_one_version() {
    let rig = Rig::new(5);
    let first = rig.get("/api/v1/nodes?limit=2").await.json();
    assert_eq!(first["kind"], "NodeList");
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    assert!(first["items"][0].get("kind").is_none(), "items of a list do not name their kind");
    rig.state.remove_node("n0");
    rig.state.remove_node("n4");
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = rig.get(&format!("/api/v1/nodes?limit=5&continue={token}")).await.json();
    let names: Vec<&Value> =
        second["items"].as_array().unwrap().iter().map(|node| &node["metadata"]["name"]).collect();
    assert_eq!(names, ["n2", "n3"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert!(second["metadata"].get("continue").is_none());
    for token in ["x", "e30", "%F0%9F"] {
        let (code, reason, _) = rig.get(&format!("/api/v1/nodes?continue={token}")).await.refusal();
        assert_eq!((code, reason.as_str()), (400, "BadRequest"));
    }
}

#[tokio::test]
async fn a_page_that_waited_too_long_is_expired() {
    let rig = Rig::new(2);
    let first = rig.get("/api/v1/nodes?limit=1").await.json();
    let token = first["metadata"]["continue"].as_str().unwrap();
    for number in 0..1100 {
        rig.state.set_node_version("n0", &format!("v1.{number}"));
    }
    let (code, reason, _) = rig.get(&format!("/api/v1/nodes?continue={token}")).await.refusal();
    assert_eq!((code, reason.as_str()), (410, "Expired"));
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let mut events = rig.watch(&format!("/api/v1/nodes?watch=true&resourceVersion={version}")).await;
    let event = events.next().await.unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_watch_tells_every_change_after_its_version_once() {
    let rig = Rig::new(1);
    let list = rig.get("/api/v1/nodes").await.json();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    rig.state.add_node(&node(1));
    let mut events = rig.watch(&format!("/api/v1/nodes?watch=1&resourceVersion={version}")).await;
    assert_eq!(events.brief().await, pair("ADDED", "n1"));
    rig.state.set_node_ready("n1", true);
    assert_eq!(events.brief().await, pair("MODIFIED", "n1"));
    rig.state.set_node_ready("n1", true);
    rig.state.remove_node("n0");
    assert_eq!(events.brief().await, pair("DELETED", "n0"), "what changes nothing is not told");
    let (code, reason, _) = rig.get("/api/v1/nodes?watch=true&resourceVersion=999999").await.refusal();
    assert_eq!((code, reason.as_str()), (504, "Timeout"));
}

#[tokio::test]
async fn a_selector_makes_objects_come_and_go() {
    let rig = Rig::new(2);
    let mut events = rig.watch("/api/v1/nodes?watch=true&fieldSelector=spec.unschedulable%3Dtrue").await;
    rig.state.set_node_unschedulable("n1", true);
    assert_eq!(events.brief().await, pair("ADDED", "n1"));
    rig.state.set_node_unschedulable("n1", false);
    assert_eq!(events.brief().await, pair("DELETED", "n1"));
    let mut one = rig.watch("/api/v1/nodes/n0?watch=true").await;
    assert_eq!(one.brief().await, pair("ADDED", "n0"));
    rig.state.set_node_version("n1", "v2");
    rig.state.set_node_version("n0", "v2");
    assert_eq!(one.brief().await, pair("MODIFIED", "n0"));
}

#[tokio::test]
async fn a_watch_ends_in_its_time_with_a_bookmark() {
    let rig = Rig::new(1);
    let target = "/api/v1/nodes?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&timeoutSeconds=1";
    let mut events = rig.watch(target).await;
    assert_eq!(events.brief().await, pair("ADDED", "n0"));
    let mark = events.next().await.unwrap();
    assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let last = events.next().await.unwrap();
    let newest = rig.get("/api/v1/nodes").await.json()["metadata"]["resourceVersion"].clone();
    assert_eq!(
        (&last["type"], &last["object"]["metadata"]["resourceVersion"]),
        (&json!("BOOKMARK"), &newest)
    );
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn tables_and_metadata_are_made_for_those_who_ask() {
    let rig = Rig::new(1);
    let table = rig.accepting("/api/v1/nodes/n0", "application/json;as=Table;v=v1;g=meta.k8s.io").await;
    assert_eq!(table["kind"], "Table");
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), table["columnDefinitions"].as_array().unwrap().len());
    assert_eq!(cells[..4], ["n0", "NotReady", "<none>", "0s"]);
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let metadata = rig
        .accepting("/api/v1/nodes", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
        .await;
    assert_eq!(metadata["items"][0]["metadata"]["labels"]["parity"], "0");
    assert!(metadata["items"][0].get("spec").is_none());
    let refused = rig.accepting("/api/v1/nodes", "application/vnd.kubernetes.protobuf").await;
    assert_eq!(refused["code"], 406);
}

#[tokio::test]
async fn both_discoveries_say_the_same() {
    let rig = Rig::new(0);
    let form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let mut aggregated = Vec::new();
    let mut walked = Vec::new();
    for path in ["/api", "/apis"] {
        for group in rig.accepting(path, form).await["items"].as_array().unwrap() {
            let resources = group["versions"][0]["resources"].as_array().unwrap();
            aggregated
                .extend(resources.iter().map(|known| (known["resource"].clone(), known["verbs"].clone())));
        }
    }
    let groups = rig.get("/apis").await.json();
    let mut paths = vec!["/api/v1".to_owned()];
    for group in groups["groups"].as_array().unwrap() {
        paths.push(format!("/apis/{}", group["preferredVersion"]["groupVersion"].as_str().unwrap()));
        let name = group["name"].as_str().unwrap();
        assert_eq!(rig.get(&format!("/apis/{name}")).await.json()["kind"], "APIGroup");
    }
    for path in paths {
        let list = rig.get(&path).await.json();
        let resources = list["resources"].as_array().unwrap();
        let whole = resources.iter().filter(|known| !known["name"].as_str().unwrap().contains('/'));
        walked.extend(whole.map(|known| (known["name"].clone(), known["verbs"].clone())));
    }
    assert_eq!(aggregated, walked);
    assert_eq!(rig.get("/openapi/v3/apis/apps/v1").await.json()["openapi"], "3.0.0");
    assert_eq!(rig.get("/version").await.json()["minor"], "33");
}

#[tokio::test]
async fn what_is_not_there_or_not_done_is_said_as_kubernetes_says_it() {
    let rig = Rig::new(1);
    for path in
        ["/apis/gateway.networking.k8s.io/v1/gateways", "/api/v1/secrets", "/metrics", "/api/v2", "/openapi"]
    {
        let answer = rig.get(path).await;
        assert_eq!((answer.code, answer.text.as_str()), (404, "404 page not found\n"), "{path}");
    }
    let (code, reason, message) =
        rig.get("/apis/networking.k8s.io/v1/namespaces/a/ingresses/b").await.refusal();
    assert_eq!((code, reason.as_str()), (404, "NotFound"));
    assert_eq!(message, "ingresses.networking.k8s.io \"b\" not found");
    for (method, path) in [
        (Method::POST, "/api/v1/nodes"),
        (Method::PUT, "/api/v1/nodes/n0"),
        (Method::DELETE, "/api/v1/nodes"),
        (Method::DELETE, "/api/v1/nodes/n0"),
        (Method::PATCH, "/api/v1/namespaces/default"),
        (Method::GET, "/api/v1/namespaces/kube-system/pods/x/log"),
        (Method::POST, "/version"),
        (Method::GET, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ] {
        let answer = rig.ask(Rig::request(method.clone(), path, "{}")).await;
        assert_eq!(answer.refusal().0, 405, "{method} {path}");
    }
    let mut request = Rig::request(Method::GET, "/api/v1/nodes", "");
    request.headers.insert("impersonate-user", HeaderValue::from_static("lee"));
    assert_eq!(rig.ask(request).await.refusal().0, 403);
}

#[tokio::test]
async fn who_is_no_administrator_sees_only_the_api_and_himself() {
    let rig = Rig::new(1);
    let as_lee = async |method: Method, target: &str, body: &str| {
        let mut request = Rig::request(method, target, body);
        request.identity = Identity { username: "lee".to_owned(), ..Identity::default() };
        rig.ask(request).await
    };
    assert_eq!(as_lee(Method::GET, "/apis/apps/v1", "").await.code, 200);
    let (_, _, message) = as_lee(Method::GET, "/api/v1/namespaces/a/pods/b", "").await.refusal();
    assert_eq!(
        message,
        "pods \"b\" is forbidden: User \"lee\" cannot get resource \"pods\" in API group \"\" in the namespace \"a\""
    );
    let (_, _, message) = as_lee(Method::GET, "/metrics", "").await.refusal();
    assert_eq!(message, "forbidden: User \"lee\" cannot get path \"/metrics\"");
    let question = json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "nodes"}}}).to_string();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(as_lee(Method::POST, path, &question).await.json()["status"]["allowed"], false);
    let yes = rig.ask(Rig::request(Method::POST, path, &question)).await;
    assert_eq!((yes.code, &yes.json()["status"]["allowed"]), (201, &json!(true)));
    assert_eq!(rig.ask(Rig::request(Method::POST, path, "{}")).await.code, 422);
}

#[tokio::test]
async fn deletion_minds_its_preconditions_and_its_finalizer() {
    let rig = Rig::new(0);
    rig.state.put_load_balancer_service("shop", "web", "web.example");
    let path = "/api/v1/namespaces/shop/services/web";
    let known = rig.get(path).await.json();
    let other = json!({"preconditions": {"uid": "another"}}).to_string();
    let (code, reason, _) = rig.ask(Rig::request(Method::DELETE, path, &other)).await.refusal();
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(rig.ask(Rig::request(Method::DELETE, &format!("{path}?dryRun=All"), "")).await.code, 200);
    assert_eq!(rig.get(path).await.json(), known, "a refused and a dry deletion change nothing");
    rig.state.on_delete(|_| Removal::Pending);
    let deleted = rig.ask(Rig::request(Method::DELETE, path, "")).await.json();
    assert!(deleted["metadata"]["deletionTimestamp"].is_string());
    rig.state.on_delete(|_| Removal::Done);
    assert_eq!(rig.get(path).await.code, 404);
    assert_eq!(rig.ask(Rig::request(Method::DELETE, path, "")).await.code, 404);
}

#[tokio::test]
async fn of_a_node_only_its_cordon_is_patched() {
    let rig = Rig::new(1);
    let patch = async |path: &str, kind: &'static str, body: &str| {
        let mut request = Rig::request(Method::PATCH, path, body);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        rig.ask(request).await
    };
    let merge = "application/merge-patch+json";
    let on = r#"{"spec":{"unschedulable":true}}"#;
    assert_eq!(patch("/api/v1/nodes/n0", merge, on).await.json()["spec"]["unschedulable"], true);
    for body in [r#"{"spec":{"unschedulable":true,"podCIDR":"x"}}"#, r#"{"metadata":{}}"#, r#"{"spec":7}"#] {
        assert_eq!(patch("/api/v1/nodes/n0", merge, body).await.code, 405, "{body}");
    }
    assert_eq!(patch("/api/v1/nodes/n0", merge, "[").await.code, 400);
    assert_eq!(patch("/api/v1/nodes/n0", "application/json-patch+json", "[]").await.code, 415);
    assert_eq!(patch("/api/v1/nodes/n9", merge, on).await.code, 404);
    let cleared = patch("/api/v1/nodes/n0", merge, r#"{"spec":{"unschedulable":null}}"#).await.json();
    assert!(cleared["spec"].get("unschedulable").is_none());
}
