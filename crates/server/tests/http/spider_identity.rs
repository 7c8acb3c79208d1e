//! What is removed is what was named, what failed makes room, and what came whole is carried out.

use std::pin::pin;
use std::task::{Context, Waker};

use http::Method;
use pmks_driver::ErrorKind;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::spider::{Spider, USER};

const AT: &str = "ConnectionName=here";

fn at() -> Value {
    json!({"ConnectionName": "here"})
}

fn vpc(name: &str) -> Value {
    json!({"ConnectionName": "here", "ReqInfo": {"Name": name, "IPv4_CIDR": "10.0.0.0/16"}})
}

async fn made(spider: &Spider, name: &str) -> String {
    let (status, made) = spider.carried(Method::POST, "/spider/vpc", vpc(name)).await;
    assert_eq!(status, 200, "{made}");
    made["IId"]["SystemId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_identifier_is_no_name_and_a_name_no_identifier() {
    let spider = Spider::new().await;
    let (first, second) = (made(&spider, "first").await, made(&spider, "second").await);
    for path in [format!("/spider/vpc/{first}"), format!("/spider/regvpc/{first}")] {
        let (status, refused) = spider.carried(Method::DELETE, &path, at()).await;
        assert_eq!(status, 404, "{path}: {refused}");
        let says = format!("VPC '{first}' does not exist in connection 'here'");
        assert_eq!(refused["message"], says, "{path}");
    }
    for name in ["first", "second"] {
        assert_eq!(spider.ask(Method::DELETE, &format!("/spider/regvpc/{name}"), at()).await.0, 200);
    }
    // The one is called as the other is known at the cloud.
    let twisted = json!({"ConnectionName": "here", "ReqInfo": {"Name": first, "CSPId": second}});
    assert_eq!(spider.ask(Method::POST, "/spider/regvpc", twisted).await.0, 200);
    let path = format!("/spider/cspvpc/{first}");
    assert_eq!(spider.carried(Method::DELETE, &path, at()).await, (200, json!({"Result": "true"})));
    assert_eq!(spider.rig.cloud.world().networks.keys().collect::<Vec<_>>(), [&second]);
    let (status, refused) = spider.carried(Method::DELETE, &path, at()).await;
    assert_eq!(status, 404, "{refused}");
    assert_eq!(refused["message"], format!("VPC '{first}' does not exist in connection 'here'"));
    assert_eq!(spider.carried(Method::DELETE, &format!("/spider/cspvpc/{second}"), at()).await.0, 200);
    assert!(spider.rig.cloud.world().networks.is_empty());
}

#[tokio::test]
async fn a_creation_that_failed_before_the_cloud_had_anything_makes_room_for_the_next() {
    let spider = Spider::new().await;
    spider.rig.cloud.world().failures.insert("ask network".into(), ErrorKind::QuotaExceeded);
    let (status, failed) = spider.carried(Method::POST, "/spider/vpc", vpc("net")).await;
    assert!(status >= 400, "{failed}");
    // `/v1` tells what became of it; a client of CB-Spider has nothing.
    assert_eq!(spider.rig.get("/v1/connections/here/networks/net").await.ok(200)["status"], "Failed");
    let read = async |path: &str| spider.ask(Method::GET, &format!("/spider/{path}?{AT}"), Value::Null).await;
    let absent = json!({"message": "VPC 'net' does not exist in connection 'here'"});
    assert_eq!(read("vpc/net").await, (404, absent.clone()));
    // Nor is there one to whoever puts something into it.
    let group =
        json!({"ConnectionName": "here", "ReqInfo": {"Name": "g", "VPCName": "net", "SecurityRules": []}});
    let subnet = json!({"ConnectionName": "here", "ReqInfo": {"Name": "s", "IPv4_CIDR": "10.0.1.0/24"}});
    for (path, asked) in [("/spider/securitygroup", group), ("/spider/vpc/net/subnet", subnet)] {
        let (status, said) = spider.carried(Method::POST, path, asked).await;
        let says = said["message"].as_str().unwrap();
        assert_eq!(
            (status, says.contains("VPC 'net' does not exist in connection 'here'")),
            (404, true),
            "{said}"
        );
    }
    assert_eq!(read("vpc").await, (200, json!({"vpc": []})));
    assert_eq!(read("allvpc").await.1["AllList"]["MappedList"], json!([]));
    assert_eq!(spider.ask(Method::GET, "/spider/countvpc/here", Value::Null).await.1, json!({"count": 0}));
    spider.rig.cloud.world().failures.clear();
    assert_eq!(spider.carried(Method::POST, "/spider/vpc", vpc("net")).await.0, 200);
    assert_eq!(spider.rig.cloud.world().networks.len(), 1);
}

#[tokio::test]
async fn what_the_cloud_no_longer_has_is_told_apart() {
    let spider = Spider::new().await;
    let id = made(&spider, "net").await;
    let own = json!([{"NameId": "net", "SystemId": id}]);
    for (mapped, alone) in [(&own, &json!([])), (&json!([]), &own)] {
        // It is so old that no answer without it is merely late, and what is known so old that it is read again.
        spider.rig.clock.advance(std::time::Duration::from_mins(2));
        let (status, sides) = spider.ask(Method::GET, &format!("/spider/allvpc?{AT}"), Value::Null).await;
        let told = (&sides["AllList"]["MappedList"], &sides["AllList"]["OnlySpiderList"]);
        assert_eq!((status, told), (200, (mapped, alone)), "{sides}");
        spider.rig.cloud.world().networks.remove(&id);
    }
}

#[tokio::test]
async fn who_goes_away_at_once_has_asked_all_the_same() {
    let spider = Spider::new().await;
    // The first answer waits for a slow hash.
    assert_eq!(spider.ask(Method::GET, "/spider/vpc", at()).await.0, 200);
    asks_and_goes(&spider);
    made_all_the_same(&spider).await;
}

#[tokio::test]
async fn who_goes_away_before_the_account_is_known_has_asked_all_the_same() {
    let spider = Spider::new().await;
    assert_eq!(spider.ask(Method::GET, "/spider/cloudos", Value::Null).await.0, 200);
    assert_eq!(spider.rig.get("/v1/connections/here").await.ok(200)["account"], Value::Null);
    spider.rig.cloud.world().silent = true;
    asks_and_goes(&spider);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(spider.rig.cloud.world().networks.is_empty());
    spider.rig.cloud.world().silent = false;
    made_all_the_same(&spider).await;
}

/// Asks for a network, and hangs up as soon as the request was handed on: as a server sees it when a connection ends.
fn asks_and_goes(spider: &Spider) {
    let asked = Spider::request(USER, Method::POST, "/spider/vpc", &vpc("net"));
    let mut answer = pin!(spider.router.clone().oneshot(asked));
    assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

async fn made_all_the_same(spider: &Spider) {
    for _ in 0..200 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        spider.rig.settle().await;
        if spider.rig.cloud.world().networks.len() == 1 {
            return;
        }
    }
    panic!("nobody made it");
}

#[tokio::test]
async fn what_was_never_made_is_not_shown_and_holds_nothing() {
    let spider = Spider::new().await;
    let network = |name: &str| {
        let mut asked = vpc(name);
        asked["ReqInfo"]["SubnetInfoList"] = json!([{"Name": "sub", "IPv4_CIDR": "10.0.1.0/24"}]);
        asked
    };
    assert_eq!(spider.carried(Method::POST, "/spider/vpc", network("net")).await.0, 200);
    let cluster = json!({"ConnectionName": "here", "ReqInfo": {
        "Name": "prod", "VPCName": "net", "SubnetNames": ["sub"], "NodeGroupList": [{"Name": "workers"}],
    }});
    assert_eq!(spider.carried(Method::POST, "/spider/cluster", cluster.clone()).await.0, 200);
    let fails = |stages: &[&str]| {
        let mut world = spider.rig.cloud.world();
        world.failures.clear();
        world.failures.extend(stages.iter().map(|stage| ((*stage).to_owned(), ErrorKind::QuotaExceeded)));
    };
    let asked = |name: &str| json!({"ConnectionName": "here", "ReqInfo": {"Name": name}});
    let subnet =
        |name: &str| json!({"ConnectionName": "here", "ReqInfo": {"Name": name, "IPv4_CIDR": "10.0.7.0/24"}});
    let read =
        async |path: &str| spider.ask(Method::GET, &format!("/spider/{path}?{AT}"), Value::Null).await.1;
    let names = |list: &Value| -> Vec<Value> {
        list.as_array().unwrap().iter().map(|one| one["IId"]["NameId"].clone()).collect()
    };
    fails(&["ask node group", "ask subnet"]);
    assert!(spider.carried(Method::POST, "/spider/cluster/prod/nodegroup", asked("bad")).await.0 >= 400);
    assert!(spider.carried(Method::POST, "/spider/vpc/net/subnet", subnet("sx")).await.0 >= 400);
    fails(&[]);
    let shown = read("cluster/prod").await;
    assert_eq!(
        (&shown["Status"], names(&shown["NodeGroupList"])),
        (&json!("Active"), vec![json!("workers")])
    );
    assert_eq!(names(&read("vpc/net").await["SubnetInfoList"]), ["sub"]);
    assert_eq!(spider.carried(Method::POST, "/spider/vpc/net/subnet", subnet("sy")).await.0, 200);
    // A cluster that the cloud had no room for does not keep its network.
    assert_eq!(spider.carried(Method::POST, "/spider/vpc", network("other")).await.0, 200);
    fails(&["ask control plane"]);
    let mut more = cluster;
    more["ReqInfo"]["Name"] = json!("more");
    more["ReqInfo"]["VPCName"] = json!("other");
    assert!(spider.carried(Method::POST, "/spider/cluster", more).await.0 >= 400);
    fails(&[]);
    let gone = spider.carried(Method::DELETE, "/spider/vpc/other", at()).await;
    assert_eq!(gone, (200, json!({"Result": "true"})));
}
