//! The same client with `IDTransformMode` ON: the cloud has a name of its own for everything, and the client never sees
//! one but where it asks for it.

use std::time::Duration;

use pmks_driver::Presence;
use pmks_model::ResourceKind;
use serde_json::{Value, json};

use super::{CONNECTION, Scene, asks, clusters, is_named, networks, records};
use crate::CloudUnderTest;

/// Names that no cloud takes as they are.
const CLUSTER: &str = "Team_A.cluster-01";
const GROUPS: [&str; 2] = ["Node.Group-01", "Node.Group-02"];

/// Runs it on one cloud.
pub async fn run(under_test: &'static dyn CloudUnderTest) {
    let scene = Scene::begin(under_test).await;
    let before = scene.world.rows().len();
    records::make(&scene).await;
    network(&scene).await;
    group_and_pair(&scene).await;
    cluster(&scene).await;
    changes(&scene).await;
    ways_in(&scene).await;
    scene.delete(&format!("/cluster/{CLUSTER}")).await;
    for path in ["/keypair/keypair-01", "/securitygroup/group-01", "/vpc/vpc-01"] {
        scene.delete(path).await;
    }
    records::remove(&scene).await;
    assert_eq!(scene.world.rows().len(), before, "what was made is gone: {:?}", scene.world.rows());
    tokio::task::block_in_place(|| scene.served.stop());
}

fn uniquely(asked: Value) -> Value {
    let mut body = asks(asked);
    body["idtransformmode"] = json!("On");
    body
}

/// Creates something under a unique name.
async fn post(scene: &Scene, path: &str, asked: Value) -> Value {
    scene.client.ok("POST", path, Some(uniquely(asked))).await
}

/// What `/v1` says.
fn seen(scene: &Scene, words: &[&str]) -> Value {
    let words = [words, &["-c", CONNECTION]].concat();
    tokio::task::block_in_place(|| scene.pmks.json(&words))
}

/// What the cloud calls all of a kind, where its world has rows of them.
fn at_cloud(scene: &Scene, kind: ResourceKind) -> Option<Vec<String>> {
    let word = scene.under_test.word(kind)?;
    let rows = scene.world.rows().into_iter().filter(|row| row.kind == word);
    Some(rows.filter_map(|row| row.name).collect())
}

/// What is shown has a name that was drawn for its own, and the cloud has that one alone.
#[track_caller]
fn is_drawn(scene: &Scene, kind: ResourceKind, shown: &Value) {
    let (own, called) = (shown["name"].as_str().unwrap(), shown["cloudName"].as_str().unwrap());
    let (rule, form) = scene.under_test.provider().capabilities().names(kind).expect("a name");
    assert!(rule.allows(called) && shown["uniqueCloudName"] == true, "{shown}");
    let (begin, suffix) = called.split_at(called.len() - form.suffix);
    assert!(begin.starts_with(&own.to_lowercase()[..4]) && begin.ends_with(form.joint), "{shown}");
    assert!(suffix.bytes().all(|one| one.is_ascii_digit() || (b'a'..=b'v').contains(&one)), "{shown}");
    if let Some(all) = at_cloud(scene, kind) {
        // Some clouds have other things for one, each called after it.
        assert!(all.iter().any(|name| name.contains(called)), "{called} among {all:?}");
        assert!(!all.iter().any(|name| name == own), "{own} among {all:?}");
    }
}

/// What `/cspresourcename` answers is what the cloud calls it.
async fn is_told(scene: &Scene, word: &str, shown: &Value) {
    let name = shown["name"].as_str().unwrap();
    let told = scene.get(&format!("/cspresourcename/{name}?ResourceType={word}")).await;
    assert_eq!(told, json!({"Name": shown["cloudName"]}));
}

async fn network(scene: &Scene) {
    let zones = networks::zones(scene).await;
    let subnet = |index: usize, name: &str| json!({"Name": name, "IPv4_CIDR": format!("10.20.{}.0/20", 16 * index), "Zone": zones[index % zones.len()]});
    let mut names = networks::subnets(scene);
    let subnets: Vec<Value> = names.iter().enumerate().map(|(index, name)| subnet(index, name)).collect();
    let asked = json!({"Name": "vpc-01", "IPv4_CIDR": "10.20.0.0/16", "SubnetInfoList": subnets});
    is_named(&post(scene, "/vpc", asked.clone()).await["IId"], "vpc-01");
    // Asked for again it is there already, whatever the cloud calls it.
    let says = "VPC 'vpc-01' already exists in connection 'config-01'";
    scene.refused("POST", "/vpc", Some(uniquely(asked)), 409, says).await;
    names.push("subnet-more".to_owned());
    let whole = post(scene, "/vpc/vpc-01/subnet", subnet(8, "subnet-more")).await;
    let shown = |vpc: &Value| -> Vec<Value> {
        vpc["SubnetInfoList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|subnet| subnet["IId"]["NameId"].clone())
            .collect()
    };
    assert_eq!(shown(&whole).len(), names.len(), "{whole}");
    assert!(names.iter().all(|name| shown(&whole).contains(&json!(name))), "{whole}");
    let known = seen(scene, &["network", "get", "vpc-01"]);
    is_drawn(scene, ResourceKind::Network, &known);
    is_told(scene, "vpc", &known).await;
    for subnet in known["subnets"].as_array().unwrap() {
        is_drawn(scene, ResourceKind::Subnet, subnet);
        let path = format!("/vpc/vpc-01/subnet/{}", subnet["name"].as_str().unwrap());
        assert_eq!(scene.get(&path).await["IId"]["SystemId"], subnet["iid"]["systemId"]);
    }
    scene.delete("/vpc/vpc-01/subnet/subnet-more").await;
}

async fn group_and_pair(scene: &Scene) {
    let rule = json!({"Direction": "inbound", "IPProtocol": "TCP", "FromPort": "22", "ToPort": "22", "CIDR": "0.0.0.0/0"});
    let group = json!({"Name": "group-01", "VPCName": "vpc-01", "SecurityRules": [rule]});
    let group = post(scene, "/securitygroup", group).await;
    is_named(&group["IId"], "group-01");
    is_named(&group["VpcIID"], "vpc-01");
    let pair = post(scene, "/keypair", json!({"Name": "keypair-01"})).await;
    is_named(&pair["IId"], "keypair-01");
    assert!(pair["PrivateKey"].as_str().unwrap().starts_with("-----BEGIN"));
    for (kind, word, path, known) in [
        (
            ResourceKind::SecurityGroup,
            "sg",
            "securitygroup",
            seen(scene, &["security-group", "get", "group-01"]),
        ),
        (ResourceKind::KeyPair, "keypair", "keypair", seen(scene, &["key-pair", "get", "keypair-01"])),
    ] {
        is_drawn(scene, kind, &known);
        is_told(scene, word, &known).await;
        // Nobody takes it for a stranger's.
        let sides = scene.get(&format!("/all{path}")).await;
        assert_eq!(sides["AllList"]["MappedList"].as_array().unwrap().len(), 1, "{sides}");
        let strangers = sides["AllList"]["OnlyCSPList"].to_string();
        assert!(!strangers.contains(known["cloudName"].as_str().unwrap()), "{strangers}");
    }
}

async fn cluster(scene: &Scene) {
    let can = scene.under_test.provider().capabilities();
    let groups = if can.security_groups == Presence::Forbidden { json!([]) } else { json!(["group-01"]) };
    let (older, _) = minors(scene);
    let asked = json!({
        "Name": CLUSTER, "Version": older, "VPCName": "vpc-01", "SubnetNames": networks::subnets(scene),
        "SecurityGroupNames": groups, "NodeGroupList": [clusters::group(GROUPS[0])],
    });
    is_named(&post(scene, "/cluster", asked).await["IId"], CLUSTER);
    let ready = active(scene, &GROUPS[..1], &older).await;
    is_named(&ready["Network"]["VpcIID"], "vpc-01");
    for subnet in ready["Network"]["SubnetIIDs"].as_array().unwrap() {
        assert!(subnet["NameId"].as_str().unwrap().starts_with("subnet-"), "{ready}");
    }
    assert_eq!(ready["NodeGroupList"][0]["KeyPairIID"]["NameId"], "keypair-01", "{ready}");
    assert_eq!(scene.get("/cluster").await["cluster"][0]["IId"], ready["IId"]);
    let sides = json!({"MappedList": [ready["IId"]], "OnlySpiderList": [], "OnlyCSPList": []});
    assert_eq!(scene.get("/allcluster").await, json!({"AllList": sides}));
    let known = seen(scene, &["cluster", "get", CLUSTER]);
    is_drawn(scene, ResourceKind::Cluster, &known);
    is_told(scene, "cluster", &known).await;
    is_drawn(scene, ResourceKind::NodeGroup, &known["nodeGroups"][0]);
    let nodes = seen(scene, &["node", "list", "--cluster", CLUSTER]);
    let nodes = nodes["items"].as_array().unwrap();
    assert!(!nodes.is_empty() && nodes.iter().all(|node| node["nodeGroup"] == GROUPS[0]), "{nodes:?}");
}

/// The minor of the default version, after the one below it.
fn minors(scene: &Scene) -> (String, String) {
    let versions = seen(scene, &["kubernetes-version", "list"]);
    let all = versions["items"].as_array().unwrap();
    let minor = |one: &Value| one["version"].as_str().unwrap().split('.').nth(1).unwrap().parse().unwrap();
    let usual: u32 = all.iter().find(|one| one["default"] == true).map(minor).unwrap();
    let below = all.iter().map(minor).filter(|minor| *minor < usual).max().unwrap();
    (format!("1.{below}"), format!("1.{usual}"))
}

/// The cluster, once it and these node groups, and no others, are in order at that version.
async fn active(scene: &Scene, groups: &[&str], version: &str) -> Value {
    let path = format!("/cluster/{CLUSTER}");
    for _ in 0..600 {
        let cluster = scene.get(&path).await;
        let has = cluster["NodeGroupList"].as_array().unwrap();
        let is_there = cluster["Version"].as_str().unwrap().starts_with(version);
        if is_there && cluster["Status"] == "Active" && has.iter().all(|group| group["Status"] == "Active") {
            let names: Vec<&Value> = has.iter().map(|group| &group["IId"]["NameId"]).collect();
            assert_eq!(names, groups, "{cluster}");
            return cluster;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the cluster is never active at {version}: {}", scene.get(&path).await)
}

/// A node group more, other sizes, a higher version, a node group less.
async fn changes(scene: &Scene) {
    let (path, (older, usual)) = (format!("/cluster/{CLUSTER}/nodegroup"), minors(scene));
    is_named(&post(scene, &path, clusters::group(GROUPS[1])).await["IId"], CLUSTER);
    active(scene, &GROUPS, &older).await;
    let second = seen(scene, &["node-group", "get", GROUPS[1], "--cluster", CLUSTER]);
    is_drawn(scene, ResourceKind::NodeGroup, &second);
    let says = "Kubernetes NodeGroup 'Node.Group-02' already exists in connection 'config-01'";
    scene.refused("POST", &path, Some(uniquely(clusters::group(GROUPS[1]))), 409, says).await;
    let sizes = asks(json!({"DesiredNodeSize": "2", "MinNodeSize": "1", "MaxNodeSize": "3"}));
    let scaled = scene.client.ok("PUT", &format!("{path}/{}/autoscalesize", GROUPS[1]), Some(sizes)).await;
    is_named(&scaled["IId"], GROUPS[1]);
    assert_eq!(scaled["MaxNodeSize"], 3, "{scaled}");
    let upgrade = Some(asks(json!({"Version": usual})));
    scene.client.ok("PUT", &format!("/cluster/{CLUSTER}/upgrade"), upgrade).await;
    active(scene, &GROUPS, &usual).await;
    scene.delete(&format!("{path}/{}", GROUPS[1])).await;
    active(scene, &GROUPS[..1], &usual).await;
    let called = second["cloudName"].as_str().unwrap();
    let left = at_cloud(scene, ResourceKind::NodeGroup).unwrap();
    assert!(!left.iter().any(|name| name == called) && left.len() == 1, "{left:?}");
}

async fn ways_in(scene: &Scene) {
    let path = format!("/cluster/{CLUSTER}");
    let cluster = scene.get(&path).await;
    let kubeconfig = cluster["AccessInfo"]["Kubeconfig"].as_str().unwrap();
    assert!(kubeconfig.contains("/spider/cluster/Team_A.cluster-01/token"), "{kubeconfig}");
    clusters::is_let_in(scene, kubeconfig);
    let token = scene.client.raw("GET", &format!("{path}/token?ConnectionName={CONNECTION}"), None).await;
    let token: Value = serde_json::from_str(&token.text().await.unwrap()).unwrap();
    assert_eq!(token["kind"], "ExecCredential");
    let native = scene.get(&format!("{path}?KubeconfigType=native")).await;
    assert!(!native["AccessInfo"]["Kubeconfig"].as_str().unwrap().is_empty());
}
