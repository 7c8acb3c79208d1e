//! `/spider` about what is registered: it lies where the client says, or is refused with where it lies; and reads beside
//! the end of what they read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::spider::{Spider, USER};

fn asked(asked: Value) -> Value {
    let mut body = json!({"ConnectionName": "here"});
    body["ReqInfo"] = asked;
    body
}

/// Two networks, each with a subnet and a security group; the networks' identifiers by their names are not asked for.
async fn networks(spider: &Spider) {
    for (name, block) in [("one", 0), ("two", 1)] {
        let vpc = json!({"Name": name, "IPv4_CIDR": format!("10.{block}.0.0/16"), "SubnetInfoList": [
            {"Name": "sub", "IPv4_CIDR": format!("10.{block}.1.0/24")}]});
        assert_eq!(spider.carried(Method::POST, "/spider/vpc", asked(vpc)).await.0, 200);
    }
    let group = json!({"Name": "group", "VPCName": "one", "SecurityRules": []});
    assert_eq!(spider.carried(Method::POST, "/spider/securitygroup", asked(group)).await.0, 200);
    let cluster = json!({"Name": "prod", "VPCName": "one", "SubnetNames": ["sub"], "NodeGroupList": [
        {"Name": "workers"}, {"Name": "batch"}]});
    let (status, made) = spider.carried(Method::POST, "/spider/cluster", asked(cluster)).await;
    assert_eq!(status, 200, "{made}");
    spider.rig.settle().await;
}

async fn get(spider: &Spider, path: &str) -> Value {
    let (status, answer) = spider.ask(Method::GET, path, json!({"ConnectionName": "here"})).await;
    assert_eq!(status, 200, "{path} {answer}");
    answer
}

async fn register(spider: &Spider, kind: &str, vpc: &str, name: &str, id: &Value) -> (u16, Value) {
    let body = asked(json!({"VPCName": vpc, "Name": name, "CSPId": id}));
    spider.carried(Method::POST, &format!("/spider/reg{kind}"), body).await
}

#[tokio::test]
async fn what_is_registered_lies_where_the_client_says() {
    let spider = Spider::new().await;
    networks(&spider).await;
    let cluster = get(&spider, "/spider/cluster/prod").await["IId"]["SystemId"].clone();
    let group = get(&spider, "/spider/securitygroup/group").await["IId"]["SystemId"].clone();
    let subnet = get(&spider, "/spider/vpc/one/subnet/sub").await["IId"]["SystemId"].clone();
    for (path, body) in [
        ("/spider/regcluster/prod", json!({"ConnectionName": "here"})),
        ("/spider/regsecuritygroup/group", json!({"ConnectionName": "here"})),
        ("/spider/regsubnet/sub", asked(json!({"VPCName": "one"}))),
    ] {
        let gone = spider.ask(Method::DELETE, path, body).await;
        assert_eq!(gone, (200, json!({"Result": "true"})), "{path}");
    }
    for (kind, id) in [("subnet", &subnet), ("securitygroup", &group), ("cluster", &cluster)] {
        let (status, answer) = register(&spider, kind, "none", "again", id).await;
        assert_eq!(
            (status, &answer["message"]),
            (404, &json!("VPC 'none' does not exist in connection 'here'")),
            "{kind}"
        );
        let (status, answer) = register(&spider, kind, "two", "again", id).await;
        let says = answer["message"].as_str().unwrap();
        assert_eq!(status, 400, "{kind} {says}");
        // It is the identifier that is wrong, and its own field's value that is told.
        let wrong = format!("CSPId {id} is no part of VPC \"two\": it lies in \"one\"");
        assert!(says.contains(&wrong), "{kind} {says}");
        let (status, answer) = register(&spider, kind, "one", "again", id).await;
        assert_eq!(status, 200, "{kind} {answer}");
    }
    assert_eq!(get(&spider, "/spider/securitygroup/again").await["VpcIID"]["NameId"], "one");
    assert_eq!(get(&spider, "/spider/vpc/one/subnet/again").await["IId"]["SystemId"], subnet);
    // A group may come without a word about where it lies.
    let here = json!({"ConnectionName": "here"});
    assert_eq!(spider.ask(Method::DELETE, "/spider/regsecuritygroup/again", here).await.0, 200);
    let plain = asked(json!({"Name": "plain", "CSPId": group}));
    assert_eq!(
        spider.ask(Method::POST, "/spider/regsecuritygroup", plain).await.1["VpcIID"]["NameId"],
        "one"
    );
}

#[tokio::test]
async fn a_cluster_that_another_installation_has_marked_is_taken_over_where_that_is_said() {
    let spider = Spider::new().await;
    networks(&spider).await;
    let id = get(&spider, "/spider/cluster/prod").await["IId"]["SystemId"].clone();
    let here = json!({"ConnectionName": "here"});
    assert_eq!(spider.ask(Method::DELETE, "/spider/regcluster/prod", here).await.0, 200);
    let mark = ("pmks-installation".to_owned(), "another".to_owned());
    spider.rig.cloud.world().clusters.get_mut(id.as_str().unwrap()).unwrap().tags.extend([mark]);
    let register = async |take_over: Value| {
        let body = asked(json!({"VPCName": "one", "Name": "prod", "CSPId": id, "TakeOver": take_over}));
        spider.carried(Method::POST, "/spider/regcluster", body).await
    };
    for no in [Value::Null, json!(""), json!("false"), json!(false)] {
        let (status, answer) = register(no).await;
        let says = answer["message"].as_str().unwrap();
        assert_eq!(status, 409, "{says}");
        assert!(says.contains("installation another"), "{says}");
        assert!(says.contains("CSPId is imported with TakeOver, once"), "{says}");
    }
    assert_eq!(register(json!("perhaps")).await.0, 400);
    assert_eq!(register(json!("true")).await.0, 200);
    assert_eq!(get(&spider, "/spider/cluster/prod").await["IId"]["SystemId"], id);
}

#[tokio::test]
async fn node_groups_of_a_registered_cluster_are_numbered_by_their_names() {
    let spider = Spider::new().await;
    networks(&spider).await;
    let id = get(&spider, "/spider/cluster/prod").await["IId"]["SystemId"].clone();
    let groups = async |name: &str| {
        let cluster = get(&spider, &format!("/spider/cluster/{name}")).await;
        let groups = cluster["NodeGroupList"].as_array().unwrap().clone();
        groups.into_iter().map(|group| group["IId"].clone()).collect::<Vec<Value>>()
    };
    let before = groups("prod").await;
    let names = |iids: &[Value]| iids.iter().map(|iid| iid["NameId"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&before), ["batch", "workers"]);
    for name in ["again", "once-more"] {
        let old = if name == "again" { "prod" } else { "again" };
        let path = format!("/spider/regcluster/{old}");
        assert_eq!(spider.ask(Method::DELETE, &path, json!({"ConnectionName": "here"})).await.0, 200);
        assert_eq!(register(&spider, "cluster", "one", name, &id).await.0, 200);
        let after = groups(name).await;
        let numbered: Vec<String> = (0..2).map(|number| format!("{name}-nodegroup-{number}")).collect();
        assert_eq!(names(&after), numbered);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before["SystemId"], after["SystemId"], "one number for one group each time");
        }
    }
    // A refresh finds them again, and no other ones.
    assert_eq!(
        spider.ask(Method::GET, "/spider/allclusterinfo?ConnectionName=here", Value::Null).await.0,
        200
    );
    assert_eq!(groups("once-more").await.len(), 2);
}

#[tokio::test]
async fn lists_are_in_the_order_of_creation() {
    let spider = Spider::new().await;
    // The clock stands still: all of it is of one millisecond.
    let names: Vec<String> = (0..12).map(|index| format!("s{}", (index * 7) % 12)).collect();
    let subnets = names
        .iter()
        .enumerate()
        .map(|(index, name)| json!({"Name": name, "IPv4_CIDR": format!("10.0.{index}.0/24")}));
    let subnets: Vec<Value> = subnets.collect();
    let vpc = json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": subnets});
    let made = spider.carried(Method::POST, "/spider/vpc", asked(vpc)).await.1;
    let listed = get(&spider, "/spider/vpc").await["vpc"][0].clone();
    for vpc in [&made, &listed, &get(&spider, "/spider/vpc/net").await] {
        let list = vpc["SubnetInfoList"].as_array().unwrap().iter();
        let shown: Vec<&str> = list.map(|subnet| subnet["IId"]["NameId"].as_str().unwrap()).collect();
        assert_eq!(shown, names);
    }
    for name in &names {
        let body = asked(json!({"Name": name}));
        assert_eq!(spider.carried(Method::POST, "/spider/keypair", body).await.0, 200);
    }
    let pairs = get(&spider, "/spider/keypair").await["keypair"].clone();
    let shown: Vec<&str> =
        pairs.as_array().unwrap().iter().map(|pair| pair["IId"]["NameId"].as_str().unwrap()).collect();
    assert_eq!(shown, names);
}

/// What a reader asks for while others make and remove it.
const READS: &[&str] = &[
    "/spider/cluster/prod",
    "/spider/cluster",
    "/spider/cluster?KubeconfigType=native",
    "/spider/cluster/prod?KubeconfigType=static",
    "/spider/cluster/prod/token",
    "/spider/vpc",
    "/spider/vpc/net",
    "/spider/vpc/net/subnet/sub",
    "/spider/allvpcinfo",
    "/spider/allclusterinfo",
    "/spider/vmstatus",
    "/spider/vm",
    "/spider/tag?ResourceType=cluster&ResourceName=prod",
    "/spider/tag?ResourceType=subnet&ResourceName=sub",
    "/spider/cspresourceinfo/net?ResourceType=vpc",
    "/spider/cspresourcename/workers?ResourceType=nodegroup",
    "/spider/monitoring/clusternode/prod/workers/1/cpu_usage",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_meets_the_end_of_what_it_reads_says_that_it_is_not_there() {
    let spider = Spider::new().await;
    let changes = async {
        for _ in 0..6 {
            let vpc = json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": [
                {"Name": "sub", "IPv4_CIDR": "10.0.1.0/24"}]});
            assert_eq!(spider.ask(Method::POST, "/spider/vpc", asked(vpc)).await.0, 200);
            let cluster = json!({"Name": "prod", "VPCName": "net", "SubnetNames": ["sub"], "NodeGroupList": [
                {"Name": "workers"}]});
            assert_eq!(spider.ask(Method::POST, "/spider/cluster", asked(cluster)).await.0, 200);
            for path in ["/spider/cluster/prod", "/spider/vpc/net"] {
                let gone = spider.ask(Method::DELETE, path, json!({"ConnectionName": "here"})).await;
                assert_eq!(gone, (200, json!({"Result": "true"})));
            }
        }
    };
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (router, over) = (spider.router.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    for path in READS {
                        let at = json!({"ConnectionName": "here"});
                        let asked = Spider::request(USER, Method::GET, path, &at);
                        let answer = router.clone().oneshot(asked).await.unwrap();
                        // 422: it is there, and cannot be reached yet. 501: the cloud has no such thing.
                        let status = answer.status().as_u16();
                        assert!([200, 404, 422, 501].contains(&status), "{path}: {status}");
                    }
                }
            })
        })
        .collect();
    tokio::select! {
        () = changes => over.store(true, Ordering::Relaxed),
        () = spider.carry() => unreachable!(),
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn of_two_that_unregister_one_thing_the_other_is_told_what_it_would_be_later() {
    let spider = Spider::new().await;
    networks(&spider).await;
    let key = asked(json!({"Name": "key"}));
    assert_eq!(spider.carried(Method::POST, "/spider/keypair", key).await.0, 200);
    let at = || json!({"ConnectionName": "here"});
    let of_network = asked(json!({"VPCName": "one"}));
    for (path, body, says) in [
        ("/spider/regcluster/prod", at(), "The Kubernetes Cluster 'prod' does not exist!"),
        (
            "/spider/regsecuritygroup/group",
            at(),
            "Security Group 'group' does not exist in connection 'here'",
        ),
        ("/spider/regkeypair/key", at(), "VM KeyPair 'key' does not exist in connection 'here'"),
        ("/spider/regsubnet/sub", of_network, "Subnet 'sub' does not exist in connection 'here'"),
        ("/spider/regvpc/one", at(), "VPC 'one' does not exist in connection 'here'"),
    ] {
        let (one, two, three) = futures::join!(
            spider.ask(Method::DELETE, path, body.clone()),
            spider.ask(Method::DELETE, path, body.clone()),
            spider.ask(Method::DELETE, path, body.clone()),
        );
        let missing = json!({"message": says});
        let mut all = [one, two, three];
        all.sort_by_key(|(status, _)| *status);
        assert_eq!(all, [(200, json!({"Result": "true"})), (404, missing.clone()), (404, missing)]);
    }
}
