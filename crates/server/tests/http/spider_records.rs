//! Pieces of connections: what stands by them is not lost, and what is made of nothing breaks nothing.

use http::Method;
use serde_json::{Value, json};

use crate::spider::{Spider, credential, pairs, region};

pub(crate) fn driver(provider: &str) -> Value {
    json!({"DriverName": "drv", "ProviderName": provider, "DriverLibFileName": "f.so"})
}

pub(crate) fn config(name: &str, region: &str) -> Value {
    json!({
        "ConfigName": name, "ProviderName": "FAKE", "DriverName": "drv", "CredentialName": "cred",
        "RegionName": region,
    })
}

pub(crate) async fn put(spider: &Spider, path: &str, body: Value) -> (u16, String) {
    let (status, answer) = spider.ask(Method::POST, &format!("/spider/{path}"), body).await;
    (status, answer["message"].as_str().unwrap_or_default().to_owned())
}

pub(crate) async fn get(spider: &Spider, path: &str) -> (u16, Value) {
    spider.ask(Method::GET, &format!("/spider/{path}"), Value::Null).await
}

/// The connection `conf`, of pieces.
pub(crate) async fn connected() -> Spider {
    let spider = Spider::new().await;
    for (path, body) in [
        ("driver", driver("FAKE")),
        ("credential", credential("AK1")),
        ("region", region("r1")),
        ("connectionconfig", config("conf", "reg")),
    ] {
        assert_eq!(put(&spider, path, body).await.0, 200, "{path}");
    }
    spider
}

/// A cluster by it.
pub(crate) async fn cluster(spider: &Spider) {
    let at = |asked: Value| json!({"ConnectionName": "conf", "ReqInfo": asked});
    let vpc = json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": [
        {"Name": "sub", "IPv4_CIDR": "10.0.1.0/24"}]});
    assert_eq!(spider.carried(Method::POST, "/spider/vpc", at(vpc)).await.0, 200);
    let asked = json!({"Name": "prod", "VPCName": "net", "SubnetNames": ["sub"]});
    let (status, made) = spider.carried(Method::POST, "/spider/cluster", at(asked)).await;
    assert_eq!(status, 200, "{made}");
}

#[tokio::test]
async fn pieces_that_clusters_stand_by_are_not_lost() {
    let spider = connected().await;
    cluster(&spider).await;
    let pieces = ["driver/drv", "credential/cred", "region/reg", "connectionconfig/conf"];
    let seen = async || {
        let mut all = Vec::new();
        for piece in pieces {
            all.push(get(&spider, piece).await.1);
        }
        all.push(spider.rig.get("/v1/connections/conf").await.ok(200));
        all
    };
    let before = seen().await;
    for (path, body, says) in [
        ("credential", credential("AK2"), "Kubernetes Cluster \"prod\""),
        ("region", region("r2"), "Kubernetes Cluster \"prod\""),
        ("driver", driver("NHN"), "connection \"conf\" stands"),
        ("connectionconfig", config("conf", "none"), "connection \"conf\" stands"),
    ] {
        let (status, message) = put(&spider, path, body).await;
        assert!(status == 409 && message.contains(says), "{path}: {status} {message}");
    }
    for (path, says) in pieces.iter().zip(["connection conf", "connection conf", "connection conf", "prod"]) {
        let path = format!("/spider/{path}");
        let (status, answer) = spider.ask(Method::DELETE, &path, Value::Null).await;
        assert!(status == 409 && answer["message"].as_str().unwrap().contains(says), "{path}: {answer}");
    }
    assert_eq!(seen().await, before);
    // Clients put the same ones at each of their starts, and a new secret of the same account now and then.
    for (path, body) in [
        ("driver", driver("fake")),
        ("credential", credential("AK1")),
        ("region", region("r1")),
        ("connectionconfig", config("conf", "reg")),
    ] {
        assert_eq!(put(&spider, path, body).await, (200, String::new()), "{path}");
    }
    assert_eq!(seen().await, before, "not even a revision");
    assert_eq!(put(&spider, "credential", credential("AK1b")).await.0, 200);
    assert_eq!(get(&spider, "cluster/prod?ConnectionName=conf").await.0, 200);
}

#[tokio::test]
async fn a_connection_at_which_nothing_is_may_become_another_accounts() {
    let spider = connected().await;
    let account = async || {
        assert_eq!(get(&spider, "vpc?ConnectionName=conf").await, (200, json!({"vpc": []})));
        spider.rig.get("/v1/connections/conf").await.ok(200)["account"]["account"].clone()
    };
    assert_eq!(account().await, "fake:1");
    assert_eq!(put(&spider, "credential", credential("AK2")).await, (200, String::new()));
    assert_eq!(account().await, "fake:2");
    // What goes on there is lost no more than what stands.
    let vpc = json!({"ConnectionName": "conf", "ReqInfo": {"Name": "net", "IPv4_CIDR": "10.0.0.0/16"}});
    let asked = Spider::request(crate::spider::USER, Method::POST, "/spider/vpc", &vpc);
    let asked = {
        let mut asked = asked;
        asked.headers_mut().insert("prefer", "respond-async".parse().unwrap());
        asked
    };
    assert_eq!(spider.send(asked).await.0, 202);
    let (status, message) = put(&spider, "credential", credential("AK1")).await;
    assert!(status == 409 && message.contains("VPC create of \"net\""), "{status} {message}");
}

#[tokio::test]
async fn configs_of_what_is_not_there_break_nothing() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    assert_eq!(put(&spider, "driver", driver("FAKE")).await.0, 200);
    assert_eq!(put(&spider, "connectionconfig", config("dangling", "none")).await.0, 200);
    let other = json!({
        "ConfigName": "other", "ProviderName": "OPENSTACK", "DriverName": "none", "CredentialName": "none",
        "RegionName": "none",
    });
    assert_eq!(put(&spider, "connectionconfig", other).await.0, 200);
    for kind in ["vpc", "subnet", "securitygroup", "keypair", "cluster", "vm"] {
        for name in ["dangling", "other", "none"] {
            assert_eq!(
                get(&spider, &format!("count{kind}/{name}")).await,
                (200, json!({"count": 0})),
                "{kind}"
            );
        }
        let (status, all) = get(&spider, &format!("count{kind}")).await;
        assert!(status == 200 && all["count"].is_u64(), "{kind}: {all}");
    }
    assert_eq!(get(&spider, "countcluster").await.1, json!({"count": 1}));
    assert_eq!(get(&spider, "countconnectionconfig").await.1, json!({"count": 3}));
    let (_, listed) = get(&spider, "connectionconfig").await;
    let names: Vec<&str> = listed["connectionconfig"]
        .as_array()
        .unwrap()
        .iter()
        .map(|config| config["ConfigName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["dangling", "other", "here"]);
    for (name, can) in [("dangling", true), ("here", true), ("other", false)] {
        let (status, said) = get(&spider, &format!("driver/capability?ConnectionName={name}")).await;
        assert_eq!(
            (status, &said["ClusterHandler"], &said["VPCHandler"]),
            (200, &json!(can), &json!(can)),
            "{name}"
        );
    }
    assert_eq!(get(&spider, "driver/capability?ConnectionName=none").await.0, 404);
    // What a cloud would have to be asked for says what is missing.
    for path in ["vpc", "cluster", "allvpc", "allcluster", "vm", "regionzone"] {
        let (status, said) = get(&spider, &format!("{path}?ConnectionName=dangling")).await;
        let missing = "dangling: credential \"cred\" does not exist";
        assert_eq!((status, said["message"].as_str().unwrap()), (404, missing), "{path}");
        let (status, said) = get(&spider, &format!("{path}?ConnectionName=other")).await;
        assert!(
            status == 404 && said["message"].as_str().unwrap().contains("other: driver"),
            "{path}: {said}"
        );
    }
}

#[tokio::test]
async fn counts_of_all_connections_ask_no_cloud() {
    let spider = connected().await;
    cluster(&spider).await;
    let asked = spider.rig.cloud.count("account_identity");
    // Nobody has used the connection `here` yet, which is of the same account.
    for (kind, number) in [("vpc", 1), ("subnet", 1), ("cluster", 1), ("keypair", 0)] {
        assert_eq!(get(&spider, &format!("count{kind}")).await, (200, json!({"count": number})), "{kind}");
    }
    assert_eq!(spider.rig.cloud.count("account_identity"), asked);
    assert_eq!(get(&spider, "countcluster/here").await.1, json!({"count": 1}));
    assert_eq!(spider.rig.cloud.count("account_identity"), asked + 1);
}

/// Changes one piece in the database, as nobody does while a server has it.
async fn behind_its_back(spider: &Spider, change: &'static str) {
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(spider.rig.database());
    let pool = sqlx::SqlitePool::connect_with(file).await.unwrap();
    assert_eq!(sqlx::query(change).execute(&pool).await.unwrap().rows_affected(), 1);
    pool.close().await;
}

#[tokio::test]
async fn pieces_are_told_from_memory_and_as_they_were_put_last() {
    let spider = connected().await;
    let file = async |path: &str| get(&spider, path).await.1["DriverLibFileName"].clone();
    let names = async |kind: &str, key: &str| {
        let all = get(&spider, kind).await.1[kind].as_array().unwrap().clone();
        all.into_iter().map(|one| one[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(file("driver/drv").await, "f.so");
    let moved = "UPDATE pieces SET content = replace(content, 'f.so', 'g.so') WHERE name = 'drv'";
    behind_its_back(&spider, moved).await;
    assert_eq!(file("driver/drv").await, "f.so", "nothing is read from the disk");
    for (round, name) in ["one", "two", "three"].into_iter().enumerate() {
        let body = json!({"DriverName": name, "ProviderName": "FAKE", "DriverLibFileName": "f.so"});
        assert_eq!(put(&spider, "driver", body.clone()).await.0, 200);
        assert_eq!(get(&spider, &format!("driver/{name}")).await, (200, body));
        assert_eq!(names("driver", "DriverName").await.len(), round + 3);
        let anew = json!({"DriverName": name, "ProviderName": "OTHER", "DriverLibFileName": "h.so"});
        assert_eq!(put(&spider, "driver", anew.clone()).await.0, 200);
        assert_eq!(get(&spider, &format!("driver/{name}")).await, (200, anew));
    }
    assert_eq!(file("driver/drv").await, "g.so", "it was read with what changed");
    for path in ["driver/two", "connectionconfig/conf", "credential/cred", "region/reg", "driver/drv"] {
        assert_eq!(
            spider.ask(Method::DELETE, &format!("/spider/{path}"), Value::Null).await.0,
            200,
            "{path}"
        );
        assert_eq!(get(&spider, path).await.0, 404, "{path}");
    }
    // What `here` shows remains.
    assert_eq!(names("driver", "DriverName").await, ["one", "three", "fake"]);
    assert_eq!(names("region", "RegionName").await, ["here"]);
    assert_eq!(names("credential", "CredentialName").await, ["here"]);
    assert_eq!(names("connectionconfig", "ConfigName").await, ["here"]);
}

#[tokio::test]
async fn a_piece_that_cannot_be_read_costs_itself() {
    let spider = connected().await;
    behind_its_back(&spider, "UPDATE pieces SET content = '{\"is\":\"tomorrow\"}' WHERE name = 'reg'").await;
    // It hears of that with whatever else is put.
    let another = json!({"DriverName": "other", "ProviderName": "FAKE", "DriverLibFileName": "f.so"});
    assert_eq!(put(&spider, "driver", another).await.0, 200);
    assert_eq!(
        get(&spider, "region").await.1,
        json!({"region": [{
            "RegionName": "here", "ProviderName": "FAKE", "KeyValueInfoList": pairs(&[("Region", "r1")]),
            "AvailableZoneList": [],
        }]})
    );
    assert_eq!(get(&spider, "vpc?ConnectionName=conf").await.0, 200, "the connection stands none the less");
    assert_eq!(put(&spider, "region", region("r1")).await.0, 200);
    assert_eq!(get(&spider, "region/reg").await.0, 200);
}

#[tokio::test]
async fn a_secret_that_the_cloud_refuses_is_the_clients() {
    let spider = connected().await;
    cluster(&spider).await;
    let (status, message) = put(&spider, "credential", credential("stranger")).await;
    assert_eq!(status, 400, "{message}");
    assert!(message.contains("conf") && message.contains("who are you?"), "what the cloud said: {message}");
    assert_eq!(get(&spider, "cluster/prod?ConnectionName=conf").await.0, 200, "the one before stays");
}

#[tokio::test]
async fn credentials_of_clouds_that_have_no_driver_are_read_by_their_keys() {
    let spider = Spider::new().await;
    let keystone = &["IdentityEndpoint", "Username", "Password", "DomainName"][..];
    for (provider, keys, own) in [
        ("ALIBABA", &["ClientId", "ClientSecret"][..], &["AccessKeyId", "AccessKeySecret"][..]),
        ("TENCENT", &["ClientId", "ClientSecret"], &["SecretId", "SecretKey"]),
        ("IBM", &["ApiKey"], &["apikey"]),
        (
            "ORACLE",
            &["TenantId", "ClientId", "ClientSecret", "StsToken", "ProjectID"],
            &["tenancy_ocid", "user_ocid", "private_key_pem", "fingerprint", "compartment_ocid"],
        ),
        ("OPENSTACK", &[keystone, &["ProjectID"]].concat(), &[keystone, &["projectid"]].concat()),
        ("NHN", &[keystone, &["TenantId"]].concat(), &[keystone, &["TenantId"]].concat()),
        ("NCP", &["ClientId", "ClientSecret"], &["ncloud_access_key", "ncloud_secret_key"]),
        ("KT", &[keystone, &["ProjectID"]].concat(), &[keystone, &["ProjectID"]].concat()),
        ("KTCLASSIC", &["ClientId", "ClientSecret"], &["API_Key", "Secret_Key"]),
    ] {
        let meta = get(&spider, &format!("cloudos/metainfo/{provider}")).await.1;
        assert_eq!(meta["Credential"], json!(keys), "{provider}");
        let asked = |values: &[(&str, &str)]| json!({"CredentialName": "c", "ProviderName": provider, "KeyValueInfoList": pairs(values)});
        let hidden: Vec<(&str, &str)> = keys.iter().map(|key| (*key, "Hidden for security.")).collect();
        for names in [keys, own] {
            let given: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x")).collect();
            let more = [&given[..], &[("S3AccessKey", "y")]].concat();
            assert_eq!(put(&spider, "credential", asked(&more)).await, (200, String::new()), "{provider}");
            let (_, shown) = get(&spider, "credential/c").await;
            assert_eq!(shown["KeyValueInfoList"], pairs(&hidden), "{provider}");
            // One that is missing, is empty, or is called as nobody calls it.
            let last = given.len() - 1;
            for wrong in [&given[..last], &[&given[..last], &[(names[last], "")]].concat(), &[("key", "x")]] {
                let (status, says) = put(&spider, "credential", asked(wrong)).await;
                assert!(status == 400 && says.contains(&format!("want: {keys:?}")), "{provider}: {says}");
                let empty = wrong.iter().find(|(_, value)| value.is_empty());
                let told = empty.map(|(key, _)| format!("; the value of {key:?} is empty"));
                assert!(told.as_ref().is_none_or(|told| says.ends_with(told)), "{provider}: {says}");
            }
            let (status, says) =
                put(&spider, "credential", asked(&[&given[..], &[(keys[0], "z")]].concat())).await;
            assert!(status == 400 && says.contains("is given twice"), "{provider}: {says}");
        }
    }
}

#[tokio::test]
async fn a_credential_of_which_a_value_is_blank_is_none() {
    let spider = Spider::new().await;
    for blank in ["", " ", "\t"] {
        let (status, says) = put(&spider, "credential", credential(blank)).await;
        assert!(status == 400 && says.ends_with("is empty"), "{blank:?}: {status} {says}");
    }
    assert_eq!(put(&spider, "credential", credential("AK1")).await.0, 200);
}

#[tokio::test]
async fn a_region_is_named_once() {
    let spider = Spider::new().await;
    for (values, says) in [
        (&[][..], "Region is empty!"),
        (&[("Zone", "z")], "Region is empty!"),
        (&[("Region", " ")], "Region is empty!"),
        (&[("Region", "a"), ("region", "b")], "the key \"region\" is given twice"),
        (&[("Region", "a"), ("Zone", "b"), ("Zone", "b")], "the key \"Zone\" is given twice"),
    ] {
        let asked = json!({"RegionName": "reg", "ProviderName": "NHN", "KeyValueInfoList": pairs(values)});
        let (status, said) = put(&spider, "region", asked).await;
        assert!(status == 400 && said.contains(says), "{values:?}: {status} {said}");
    }
    assert_eq!(get(&spider, "region/reg").await.0, 404);
    assert_eq!(put(&spider, "region", region("r1")).await.0, 200);
}

#[tokio::test]
async fn a_name_that_a_connection_of_v1_shows_means_that_alone() {
    let spider = Spider::new().await;
    let named = |mut body: Value, key: &str, name: &str| {
        body[key] = json!(name);
        body
    };
    let refused = async |path: &str, body: Value, says: &str| {
        let (status, message) = put(&spider, path, body).await;
        assert!(status == 409 && message.contains(says), "{path}: {status} {message}");
    };
    // The driver is called like its provider, and remains that provider's also once it was put.
    let of = |provider: &str| named(driver(provider), "DriverName", "fake");
    refused("driver", of("NHN"), "is fake's").await;
    assert_eq!(put(&spider, "driver", of("FAKE")).await, (200, String::new()));
    refused("driver", of("NHN"), "is fake's").await;
    let (status, answer) = spider.ask(Method::DELETE, "/spider/driver/fake", Value::Null).await;
    assert!(status == 409 && answer["message"].as_str().unwrap().contains("connection here"), "{answer}");
    refused("credential", named(credential("AK2"), "CredentialName", "here"), "not made of such pieces")
        .await;
    refused("region", named(region("r2"), "RegionName", "here"), "not made of such pieces").await;
    // The other way round: what stands here is not shown as another connection's, too.
    for (path, body) in [
        ("credential", named(credential("AK2"), "CredentialName", "one")),
        ("region", named(region("r2"), "RegionName", "two")),
    ] {
        assert_eq!(put(&spider, path, body).await, (200, String::new()));
    }
    for name in ["one", "two"] {
        for path in ["/v1/connections", "/v1/connections?dryRun=plan"] {
            let problem = spider.rig.post(path, crate::rig::connection(name)).await.refused(409, "conflict");
            assert!(
                problem["detail"].as_str().unwrap().contains("by another interface"),
                "{path}: {problem}"
            );
        }
    }
    spider.rig.post("/v1/connections", crate::rig::connection("three")).await.ok(201);
    // A secret that was given for one place is nobody's for another one.
    assert_eq!(put(&spider, "driver", driver("FAKE")).await, (200, String::new()));
    let with = named(config("more", "two"), "CredentialName", "here");
    refused("connectionconfig", with, "its secret was given for that place").await;
}

#[tokio::test]
async fn what_a_connection_of_v1_shows_is_asked_with_at_that_connection() {
    let spider = connected().await;
    let asked = spider.rig.cloud.count("regions");
    let by = async |query: &str| get(&spider, &format!("preconfig/regionzone?{query}")).await;
    let (status, own) = get(&spider, "regionzone?ConnectionName=here").await;
    assert_eq!(status, 200, "{own}");
    // As the pages of CB-Spider offer it: the driver and the credential that are listed.
    for query in [
        "DriverName=fake&CredentialName=here",
        "DriverName=fake&CredentialName=here&RegionName=here",
        "DriverName=drv&CredentialName=here",
        "DriverName=fake&CredentialName=cred",
    ] {
        assert_eq!(by(query).await, (200, own.clone()), "{query}");
    }
    assert!(spider.rig.cloud.count("regions") > asked, "the cloud was asked");
    for (query, status, says) in [
        ("DriverName=fake&CredentialName=here&RegionName=reg", 409, "given for that place"),
        ("DriverName=fake&CredentialName=none", 404, "credential \"none\" does not exist"),
        ("DriverName=none&CredentialName=here", 404, "driver \"none\" does not exist"),
    ] {
        let (told, answer) = by(query).await;
        assert_eq!(told, status, "{query}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(says), "{query}: {answer}");
    }
}
