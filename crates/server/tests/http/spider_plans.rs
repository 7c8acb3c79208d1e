//! What would be put or imported is said as it would come, and nothing is kept.

use http::Method;
use serde_json::{Value, json};

use crate::spider::{Spider, credential, pairs, region};
use crate::spider_records::{cluster, config, connected, driver, get, put};

#[tokio::test]
async fn what_would_be_put_is_judged_as_it_is_put() {
    let spider = Spider::new().await;
    let slow = json!({
        "RegionName": "reg", "ProviderName": "FAKE",
        "KeyValueInfoList": pairs(&[("Region", "r1"), ("pace", "fast")]),
    });
    let nowhere = json!({"RegionName": "reg", "ProviderName": "FAKE", "KeyValueInfoList": []});
    let keyless =
        json!({"CredentialName": "cred", "ProviderName": "FAKE", "KeyValueInfoList": pairs(&[("x", "y")])});
    let with =
        |region: &Value| json!({"Driver": driver("FAKE"), "credential": credential("AK1"), "REGION": region});
    let after = |mut body: Value, region: &Value| {
        body["With"] = with(region);
        body
    };
    let good = region("r1");
    for (path, body) in [
        ("driver", driver("FAKE")),
        ("credential", credential("AK1")),
        ("region", good.clone()),
        ("connectionconfig", config("conf", "reg")),
        ("connectionconfig", after(config("conf", "reg"), &good)),
    ] {
        assert_eq!(put(&spider, &format!("plan/{path}"), body).await, (200, String::new()), "{path}");
    }
    for kind in ["driver/drv", "credential/cred", "region/reg", "connectionconfig/conf"] {
        assert_eq!(get(&spider, kind).await.0, 404, "a plan puts nothing: {kind}");
    }
    let mut told = Vec::new();
    for (path, body, says) in [
        ("credential", keyless, "Invalid Key"),
        ("region", nowhere, "Region is empty!"),
        ("connectionconfig", config("a/b", "reg"), "ConfigName must hold no slash"),
        ("connectionconfig", after(config("conf", "reg"), &slow), "pace must be a whole number"),
    ] {
        let (status, message) = put(&spider, &format!("plan/{path}"), body.clone()).await;
        assert!(status == 400 && message.contains(says), "{path}: {status} {message}");
        told.push((path, body, message));
    }
    for (path, body) in [("driver", driver("FAKE")), ("credential", credential("AK1")), ("region", slow)] {
        assert_eq!(put(&spider, path, body).await.0, 200, "{path}");
    }
    for (path, body, planned) in told {
        assert_eq!(put(&spider, path, body).await, (400, planned), "{path}");
    }
}

#[tokio::test]
async fn what_an_import_would_come_to_is_said_of_a_config_that_is_yet_to_be_put() {
    let spider = connected().await;
    cluster(&spider).await;
    let at = "/v1/connections/conf";
    let id = async |path: &str| {
        spider.rig.get(&format!("{at}/{path}")).await.ok(200)["iid"]["systemId"].as_str().unwrap().to_owned()
    };
    let (network, subnet) = (id("networks/net").await, id("networks/net/subnets/sub").await);
    let whole = id("clusters/prod").await;
    let planned = async |config_name: &str, import: Value| {
        let mut body = config(config_name, "reg");
        body["With"] =
            json!({"Driver": driver("FAKE"), "Credential": credential("AK1"), "Region": region("r1")});
        body["Import"] = import;
        let (status, answer) = spider.ask(Method::POST, "/spider/plan/import", body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let import = |kind: &str, id: &str| json!({"Kind": kind, "NameId": "x", "SystemId": id, "Network": ""});
    let mut within = import("subnet", &subnet);
    within["Network"] = network.clone().into();

    // What is known at one of them is known at each that sees the same.
    for config_name in ["conf", "later"] {
        for (asked, known) in [
            (import("network", &network), json!({"NameId": "net", "SystemId": network})),
            (within.clone(), json!({"NameId": "sub", "SystemId": subnet})),
            (import("cluster", &whole), json!({"NameId": "prod", "SystemId": whole})),
        ] {
            assert_eq!(planned(config_name, asked).await["Known"], known, "{config_name}");
        }
    }
    for path in ["clusters/prod/forget", "networks/net/forget"] {
        assert_eq!(spider.rig.post(&format!("{at}/{path}"), json!({})).await.status, 204);
    }
    for asked in [import("network", &network), within, import("cluster", &whole)] {
        let first = planned("conf", asked.clone()).await;
        assert_eq!((&first["Known"], &first["SystemId"]), (&Value::Null, &asked["SystemId"]), "{first}");
        assert_eq!(planned("later", asked).await, first, "one place");
    }

    // What the cloud has no more is told from what is wrong.
    let gone = planned("later", import("network", "none")).await;
    assert_eq!(
        gone["Refused"]["findings"][0]["missing"],
        json!({"kind": "network", "name": "none"}),
        "{gone}"
    );
    let mut ghost = import("cluster", &whole);
    ghost["NodeGroups"] = json!([{"NameId": "g", "SystemId": "none"}]);
    let ghost = &planned("later", ghost).await["Refused"]["findings"][0];
    assert_eq!(ghost["field"], "nodeGroups[0].systemId");
    assert_eq!(ghost["missing"], json!({"kind": "nodeGroup", "name": "none"}));
    let nameless = planned("later", json!({"Kind": "network", "NameId": "-", "SystemId": "none"})).await;
    assert_eq!(nameless["Refused"]["findings"][0]["missing"], Value::Null, "{nameless}");

    assert_eq!(get(&spider, "connectionconfig/later").await.0, 404, "a plan puts nothing");
    let all = spider.rig.get(&format!("{at}/networks")).await.ok(200)["items"].clone();
    assert_eq!(all, json!([]), "a plan imports nothing");
    let (status, _) =
        put(&spider, "plan/import", json!({"ConfigName": "later", "ProviderName": "FAKE"})).await;
    assert_eq!(status, 400);
}
