//! `/spider` where a conversation does not lead: roles, what is one inventory with `/v1`, clients that come together or
//! go away.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use pmks_core::Handover;
use pmks_server::{Authentication, State, router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::{Rig, TOKEN, connection};

pub(crate) const USER: (&str, &str) = ("spider", "hunter3");

/// A server that serves `/spider` too, over the same pmks.
pub(crate) struct Spider {
    pub(crate) rig: Rig,
    pub(crate) router: Router,
}

impl Spider {
    pub(crate) async fn new() -> Self {
        let rig = Rig::new().await;
        let authentication = Authentication::new().unwrap().with_local_token(&TOKEN.into());
        let authentication = authentication.with_spider(USER.0, &USER.1.into()).unwrap();
        let state = State::new(rig.pmks.clone(), authentication, Arc::new(rig.clock.clone()));
        Self { rig, router: router(state) }
    }

    pub(crate) fn request(user: (&str, &str), method: Method, path: &str, body: &Value) -> Request<Body> {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", user.0, user.1));
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "pmks.example")
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        if let Some(handover) = parts.extensions.get::<Handover>() {
            handover.clone().complete();
        }
        let status = parts.status.as_u16();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.send(Self::request(USER, method, path, &body)).await
    }

    pub(crate) async fn by(
        &self,
        user: (&str, &str),
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        self.send(Self::request(user, method, path, body)).await
    }

    /// The same, while operations are carried out.
    pub(crate) async fn carried(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        tokio::select! {
            answer = self.ask(method, path, body) => answer,
            () = self.carry() => unreachable!("it goes on for ever"),
        }
    }

    pub(crate) async fn carry(&self) {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.rig.settle().await;
        }
    }
}

/// A read at the connection `here`.
pub(crate) async fn get(spider: &Spider, path: &str) -> (u16, Value) {
    spider.ask(Method::GET, path, json!({"ConnectionName": "here"})).await
}

#[track_caller]
pub(crate) fn says((status, answer): &(u16, Value), expected: u16, part: &str) {
    assert_eq!(*status, expected, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains(part), "{answer}");
}

fn vpc(name: &str) -> Value {
    json!({"ConnectionName": "here", "ReqInfo": {"Name": name, "IPv4_CIDR": "10.0.0.0/16"}})
}

#[tokio::test]
async fn roles_hold_and_the_user_is_nobody_elsewhere() {
    let spider = Spider::new().await;
    let viewer = spider.rig.token("viewer", None).await;
    let operator = spider.rig.token("operator", Some(&["here"])).await;
    let read = json!({"ConnectionName": "here"});
    for token in [&viewer, &operator] {
        assert_eq!(
            spider.by(("x", token), Method::GET, "/spider/vpc", &read).await,
            (200, json!({"vpc": []}))
        );
        let region = region("r1");
        let (status, answer) = spider.by(("x", token), Method::POST, "/spider/region", &region).await;
        assert_eq!(status, 403, "{answer}");
    }
    // Which role helps is told: that of an operator is none where it is bound to single connections.
    let bound = spider.rig.token("viewer", Some(&["here"])).await;
    for (token, role) in [(&viewer, "operator"), (&operator, "admin"), (&bound, "admin")] {
        let refused = spider.by(("x", token), Method::POST, "/spider/region", &region("r1")).await;
        says(&refused, 403, &format!("needs the role {role}"));
    }
    let (status, answer) = spider.by(("x", &viewer), Method::POST, "/spider/vpc", &vpc("net")).await;
    assert!(status == 403 && answer["message"].as_str().unwrap().contains("operator"), "{answer}");
    for (path, expected) in [("/v1/connections", 401), ("/nowhere", 404)] {
        let (status, problem) = spider.by(USER, Method::GET, path, &Value::Null).await;
        assert_eq!(
            (status, &problem["status"]),
            (expected, &json!(expected)),
            "CB-Spider's user is nobody there"
        );
    }
    let made = spider.carried(Method::POST, "/spider/vpc", vpc("net")).await;
    assert_eq!(made.0, 200, "{made:?}");
    let audit = spider.rig.get("/v1/audit").await.ok(200);
    let entry =
        audit["items"].as_array().unwrap().iter().find(|entry| entry["action"] == "network.create").unwrap();
    assert_eq!(entry["who"], USER.0, "{audit}");
    assert!(!entry["requestId"].as_str().unwrap().is_empty());
    // Without the two variables there is no such path, for nobody.
    assert_eq!(spider.rig.get("/spider/vpc").await.status.as_u16(), 404);
}

#[tokio::test]
async fn bodies_are_bounded_and_of_one_kind() {
    let spider = Spider::new().await;
    let large = json!({"ConnectionName": "x".repeat(2 << 20)});
    assert_eq!(spider.ask(Method::GET, "/spider/vpc", large).await.0, 413);
    let mut other = Spider::request(USER, Method::POST, "/spider/vpc", &json!({}));
    other.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    let (status, answer) = spider.send(other).await;
    assert!(status == 415 && answer["message"].as_str().unwrap().contains("code=415"), "{answer}");
    let mut head = Spider::request(USER, Method::GET, "/spider/vpc", &json!({"ConnectionName": "here"}));
    head.headers_mut().insert("x-long", "x".repeat(20_000).parse().unwrap());
    let (status, answer) = spider.send(head).await;
    assert!(status == 431 && answer["message"].is_string(), "{status} {answer}");
}

#[tokio::test]
async fn of_two_that_make_one_name_one_is_refused_and_whoever_hangs_up_loses_nothing() {
    let spider = Spider::new().await;
    let asks = || spider.ask(Method::POST, "/spider/vpc", vpc("net"));
    let both = async { tokio::join!(asks(), asks()) };
    let (one, two) = tokio::select! {
        answers = both => answers,
        () = spider.carry() => unreachable!(),
    };
    let refused = if one.0 == 200 { &two } else { &one };
    assert_eq!([one.0, two.0].iter().filter(|status| **status == 200).count(), 1, "{one:?} {two:?}");
    assert_eq!(refused.0, 409);
    assert_eq!(refused.1["message"], "VPC 'net' already exists in connection 'here'");
    assert_eq!(spider.rig.cloud.world().networks.len(), 1);
    // Nothing carries on meanwhile, so the answer would wait for ever.
    let taken_on = async {
        while spider.rig.get("/v1/operations?state=queued").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        answer = spider.ask(Method::POST, "/spider/vpc", vpc("second")) => panic!("{answer:?}"),
        () = taken_on => {}
    }
    spider.rig.settle().await;
    let (status, seen) = spider.ask(Method::GET, "/spider/vpc/second?ConnectionName=here", Value::Null).await;
    assert_eq!((status, &seen["IId"]["NameId"]), (200, &json!("second")));
}

#[tokio::test]
async fn whoever_does_not_wait_has_the_operation() {
    let spider = Spider::new().await;
    let mut asked = Spider::request(USER, Method::POST, "/spider/vpc", &vpc("net"));
    asked.headers_mut().insert("prefer", "respond-async, wait=5".parse().unwrap());
    let response = spider.router.clone().oneshot(asked).await.unwrap();
    let place = response.headers()["location"].to_str().unwrap().to_owned();
    let (status, bytes) =
        (response.status().as_u16(), response.into_body().collect().await.unwrap().to_bytes());
    let operation: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((status, &operation["kind"]), (202, &json!("network.create")), "{operation}");
    let path = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
    assert_eq!(spider.rig.get(&path).await.ok(200)["id"], operation["id"]);
    // Who asked reads what becomes of it with the same credentials.
    assert_eq!(spider.ask(Method::GET, &place, Value::Null).await, (200, operation));
    spider.rig.settle().await;
    let (status, ended) = spider.ask(Method::GET, &place, Value::Null).await;
    assert_eq!((status, &ended["state"]), (200, &json!("succeeded")), "{ended}");
    let viewer = spider.rig.token("viewer", None).await;
    assert_eq!(spider.by(("x", &viewer), Method::GET, &place, &Value::Null).await, (200, ended));
    assert_eq!(spider.by(("x", "nobody"), Method::GET, &place, &Value::Null).await.0, 401);
    for lost in ["/spider/operation/x", "/spider/operation/0196f1a0-0000-7000-8000-000000000000"] {
        let (status, refused) = spider.ask(Method::GET, lost, Value::Null).await;
        assert!(
            status == 404 && refused["message"].as_str().unwrap().contains("does not exist"),
            "{refused}"
        );
    }
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

pub(crate) fn credential(key: &str) -> Value {
    let values = pairs(&[("accessKey", key), ("secretKey", "hunter2")]);
    json!({"CredentialName": "cred", "ProviderName": "FAKE", "KeyValueInfoList": values})
}

pub(crate) fn region(name: &str) -> Value {
    json!({"RegionName": "reg", "ProviderName": "FAKE", "KeyValueInfoList": pairs(&[("Region", name)])})
}

#[tokio::test]
async fn connections_follow_their_pieces_or_the_piece_is_refused() {
    let spider = Spider::new().await;
    let driver = json!({"DriverName": "drv", "ProviderName": "FAKE", "DriverLibFileName": "f.so"});
    let config = json!({
        "ConfigName": "conf", "ProviderName": "FAKE", "DriverName": "drv", "CredentialName": "cred",
        "RegionName": "reg",
    });
    for (path, body) in [
        ("/spider/connectionconfig", &config),
        ("/spider/driver", &driver),
        ("/spider/credential", &credential("AK1")),
        ("/spider/region", &region("r1")),
    ] {
        assert_eq!(spider.rig.get("/v1/connections/conf").await.status.as_u16(), 404, "{path}");
        assert_eq!(spider.ask(Method::POST, path, body.clone()).await.0, 200, "{path}");
    }
    let seen = async || spider.rig.get("/v1/connections/conf").await.ok(200);
    assert_eq!(
        (&seen().await["region"], &seen().await["credential"]["accessKey"]),
        (&json!("r1"), &json!("AK1"))
    );
    // Nothing is there yet: it may move, and whoever acts may change.
    assert_eq!(spider.ask(Method::POST, "/spider/region", region("r2")).await.0, 200);
    assert_eq!(seen().await["region"], "r2");
    let body = json!({"ConnectionName": "conf", "ReqInfo": {"Name": "net", "IPv4_CIDR": "10.0.0.0/16"}});
    assert_eq!(spider.carried(Method::POST, "/spider/vpc", body).await.0, 200);
    let before = seen().await;
    for (path, body, says) in [
        ("/spider/region", region("r1"), "cannot change while it is needed by"),
        ("/spider/credential", credential("AK2"), "belongs to account"),
    ] {
        let (status, answer) = spider.ask(Method::POST, path, body).await;
        assert!(status == 409 && answer["message"].as_str().unwrap().contains(says), "{answer}");
    }
    assert_eq!(seen().await, before);
    let kept = spider.ask(Method::GET, "/spider/region/reg", Value::Null).await.1;
    assert_eq!(kept["KeyValueInfoList"][0]["Value"], "r2", "a refused piece is not put either");
    // The same account by another key is the same account.
    assert_eq!(spider.ask(Method::POST, "/spider/credential", credential("AK1b")).await.0, 200);
    assert_eq!(seen().await["credential"]["accessKey"], "AK1b");
    let (status, answer) = spider.ask(Method::DELETE, "/spider/connectionconfig/conf", Value::Null).await;
    assert!(status == 409 && answer["message"].as_str().unwrap().contains("net"), "{answer}");
}

#[tokio::test]
async fn what_v1_makes_is_seen_changed_and_removed() {
    let spider = Spider::new().await;
    let config = json!({
        "ConfigName": "here", "ProviderName": "FAKE", "DriverName": "fake", "CredentialName": "here",
        "RegionName": "here",
    });
    let get = async |path: &str| spider.ask(Method::GET, path, Value::Null).await.1;
    assert_eq!(get("/spider/connectionconfig").await, json!({"connectionconfig": [config]}));
    let hidden = "Hidden for security.";
    assert_eq!(
        get("/spider/credential/here").await["KeyValueInfoList"],
        pairs(&[("accessKey", hidden), ("secretKey", hidden)])
    );
    assert_eq!(get("/spider/region/here").await["KeyValueInfoList"], pairs(&[("Region", "r1")]));
    assert_eq!(spider.ask(Method::DELETE, "/spider/credential/here", Value::Null).await.0, 409);
    assert_eq!(spider.ask(Method::DELETE, "/spider/connectionconfig/here", Value::Null).await.0, 200);
    assert_eq!(spider.rig.get("/v1/connections/here").await.status.as_u16(), 404);
    // A change by /v1 takes a connection off its pieces, and its end takes the row along.
    spider.rig.post("/v1/connections", connection("here")).await.ok(201);
    for (path, body) in [
        ("/spider/driver", json!({"DriverName": "drv", "ProviderName": "FAKE", "DriverLibFileName": "f.so"})),
        ("/spider/credential", credential("AK1")),
        ("/spider/region", region("r1")),
        (
            "/spider/connectionconfig",
            json!({
                "ConfigName": "here", "ProviderName": "FAKE", "DriverName": "drv", "CredentialName": "cred",
                "RegionName": "reg",
            }),
        ),
    ] {
        let (status, answer) = spider.ask(Method::POST, path, body).await;
        assert_eq!(status, 200, "{path} {answer}");
    }
    assert_eq!(get("/spider/connectionconfig/here").await["RegionName"], "reg");
    let mut patch =
        crate::rig::json_request(Method::PATCH, "/v1/connections/here", TOKEN, &json!({"region": "r3"}));
    patch.headers_mut().insert("if-match", "*".parse().unwrap());
    spider.rig.send(patch).await.ok(200);
    assert_eq!(get("/spider/connectionconfig/here").await["RegionName"], "here");
    assert_eq!(spider.ask(Method::POST, "/spider/region", region("r2")).await.0, 200);
    assert_eq!(spider.rig.get("/v1/connections/here").await.ok(200)["region"], "r3");
}
