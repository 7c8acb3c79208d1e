//! Names as people give them, in paths and headers: of connections, and long ones of what has another name at the cloud.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pmks_server::Limits;
use serde_json::{Value, json};

use crate::rig::{Rig, connection};
use crate::sockets::served;
use crate::spider::{Spider, credential, region};

/// Names that are allowed, each of them something else to somebody on the way.
const ALLOWED: [&str; 12] = [
    "aws-(ohio)us-east-2-and-a-name-that-is-longer-than-sixty-three-letters",
    "서울 운영망",
    "a@b%40c",
    "--help",
    "%2e%2e%2fescaped",
    "x?y=z&w#v",
    "a:b;c,d=e",
    "\"'\\`$(x)",
    "null",
    "{{ x }}",
    "+",
    "\u{1f680}",
];

fn escaped(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn a_connection_is_found_where_its_creation_says() {
    let rig = Rig::empty().await;
    let longest = "가".repeat(255);
    for name in ALLOWED.into_iter().chain([longest.as_str()]) {
        let made = rig.post("/v1/connections", connection(name)).await;
        assert_eq!(made.ok(201)["name"], name);
        let location = made.header("location");
        assert!(location.is_ascii() && location.starts_with("/v1/connections/"), "{location}");
        assert_eq!(rig.get(location).await.ok(200)["name"], name);
        let networks = rig.get(&format!("{location}/networks")).await.ok(200);
        assert_eq!(networks["items"], json!([]), "{name}");
        assert_eq!(rig.delete(location).await.status.as_u16(), 204, "{name}");
        assert_eq!(rig.get(location).await.status.as_u16(), 404, "{name}");
    }
    for name in ["a/b", "a\tb", "\u{202e}a", "a\u{200b}b", " a", "-", "..", &"x".repeat(256)] {
        let refused = rig.post("/v1/connections", connection(name)).await.refused(422, "invalid-request");
        assert_eq!(refused["findings"][0]["field"], "name", "{name:?}: {refused}");
    }
}

#[tokio::test]
async fn spider_puts_connections_by_the_names_that_cb_spider_takes() {
    let spider = Spider::new().await;
    let driver = json!({"DriverName": "drv", "ProviderName": "FAKE", "DriverLibFileName": "f.so"});
    for (path, body) in [("driver", driver), ("credential", credential("AK1")), ("region", region("r1"))] {
        assert_eq!(spider.ask(Method::POST, &format!("/spider/{path}"), body).await.0, 200, "{path}");
    }
    let config = |name: &str| {
        json!({
            "ConfigName": name, "ProviderName": "FAKE", "DriverName": "drv", "CredentialName": "cred",
            "RegionName": "reg",
        })
    };
    for name in ALLOWED {
        let put = spider.ask(Method::POST, "/spider/connectionconfig", config(name)).await;
        assert_eq!(put, (200, config(name)), "{name}");
        let path = format!("/spider/connectionconfig/{}", escaped(name));
        assert_eq!(spider.ask(Method::GET, &path, Value::Null).await, (200, config(name)));
        let body = json!({"ConnectionName": name});
        assert_eq!(spider.ask(Method::GET, "/spider/vpc", body).await, (200, json!({"vpc": []})), "{name}");
        let count = format!("/spider/countvpc/{}", escaped(name));
        assert_eq!(spider.ask(Method::GET, &count, Value::Null).await, (200, json!({"count": 0})));
        assert_eq!(spider.ask(Method::DELETE, &path, Value::Null).await.0, 200, "{name}");
    }
    // Spaces around a name are none of it, wherever it is named.
    assert_eq!(
        spider.ask(Method::POST, "/spider/connectionconfig", config("  x ")).await,
        (200, config("x"))
    );
    let padded = "/spider/connectionconfig/%20%20x%20%20";
    assert_eq!(spider.ask(Method::GET, padded, Value::Null).await, (200, config("x")));
    assert_eq!(spider.ask(Method::DELETE, padded, Value::Null).await.0, 200);
    assert_eq!(spider.ask(Method::GET, "/spider/connectionconfig/x", Value::Null).await.0, 404);
    // What else is put is called as everything is.
    let long = "x".repeat(513);
    for (path, key) in [("driver", "DriverName"), ("credential", "CredentialName"), ("region", "RegionName")]
    {
        for (name, says) in
            [(long.as_str(), "must be at most 512 characters"), ("a\tb", "must hold no control")]
        {
            let put = json!({
                key: name, "ProviderName": "FAKE", "DriverLibFileName": "f.so",
                "KeyValueInfoList": [{"Key": "Region", "Value": "r1"}, {"Key": "accessKey", "Value": "AK1"},
                    {"Key": "secretKey", "Value": "hunter2"}],
            });
            let (status, answer) = spider.ask(Method::POST, &format!("/spider/{path}"), put).await;
            let told = answer["message"].as_str().unwrap();
            assert!(status == 400 && told.contains(&format!("{key} {says}")), "{path}: {status} {told}");
        }
    }
    // Also of a row that makes no connection yet.
    let mut bare = config("a/b");
    bare["CredentialName"] = json!("none");
    for refused in [config("a/b"), bare] {
        let (status, answer) = spider.ask(Method::POST, "/spider/connectionconfig", refused).await;
        let says = answer["message"].as_str().unwrap();
        assert!(status == 400 && says.contains("ConfigName must hold no slash"), "{status} {says}");
    }
}

#[tokio::test]
async fn the_longest_names_are_a_path_that_is_read() {
    let served = served(Limits::default()).await;
    let longest = |most| escaped(&"\u{1f680}".repeat(most));
    let path = format!("/v1/connections/{0}/networks/{1}/subnets/{1}", longest(255), longest(512));
    let answer = served.exchange(served.get(&path, "Connection: close\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn what_has_a_unique_name_at_the_cloud_is_called_at_length_here() {
    let spider = Spider::new().await;
    let at = || json!({"ConnectionName": "here"});
    for name in ["x".repeat(268), "가".repeat(512)] {
        let vpc = json!({"ConnectionName": "here", "IDTransformMode": "ON", "ReqInfo": {
            "Name": name, "IPv4_CIDR": "10.0.0.0/16",
            "SubnetInfoList": [{"Name": name, "IPv4_CIDR": "10.0.1.0/24"}]}});
        let (status, made) = spider.carried(Method::POST, "/spider/vpc", vpc).await;
        assert_eq!((status, &made["IId"]["NameId"]), (200, &json!(name)), "{made}");
        let path = format!("/spider/vpc/{}", escaped(&name));
        assert_eq!(spider.ask(Method::GET, &path, at()).await, (200, made));
        let subnet = format!("/v1/connections/here/networks/{0}/subnets/{0}", escaped(&name));
        let subnet = spider.rig.get(&subnet).await.ok(200);
        assert_eq!(subnet["name"], name);
        assert!(subnet["cloudName"].as_str().unwrap().chars().count() <= 255, "{subnet}");
        let gone = spider.carried(Method::DELETE, &path, at()).await;
        assert_eq!(gone, (200, json!({"Result": "true"})));
    }
    let too_long = json!({"ConnectionName": "here", "IDTransformMode": "ON", "ReqInfo": {
        "Name": "x".repeat(513), "IPv4_CIDR": "10.0.0.0/16"}});
    let (status, refused) = spider.carried(Method::POST, "/spider/vpc", too_long).await;
    let says = refused["message"].as_str().unwrap();
    assert!(status == 400 && says.contains("Name must be at most 512 characters"), "{status} {says}");
}
