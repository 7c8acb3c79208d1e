//! Clusters and node groups.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pmks_driver::{Presence, TokenReach};
use pmks_model::NodeMetric;
use serde_json::{Value, json};

use super::{CONNECTION, Scene, asks, at, has_keys, is_named, networks};

/// What an answer holds always, and what it holds where it is not empty.
const CLUSTER_KEYS: &[&str] =
    &["IId", "Version", "Network", "NodeGroupList", "AccessInfo", "Addons", "Status", "CreatedTime"];
const GROUP_KEYS: &[&str] = &[
    "IId",
    "ImageIID",
    "VMSpecName",
    "KeyPairIID",
    "OnAutoScaling",
    "DesiredNodeSize",
    "MinNodeSize",
    "MaxNodeSize",
    "Status",
];
const STATES: &[&str] = &["Creating", "Active", "Inactive", "Updating", "Deleting"];

pub(super) fn group(name: &str) -> Value {
    json!({
        "Name": name, "ImageName": "default", "VMSpecName": "", "RootDiskType": "default", "RootDiskSize": "",
        "KeyPairName": "keypair-01", "OnAutoScaling": "true", "DesiredNodeSize": "1", "MinNodeSize": "1",
        "MaxNodeSize": "2",
    })
}

/// The newest version but one, and the newest: a client learns them from the refusal of one that there is not, or that is
/// none.
async fn versions(scene: &Scene) -> (String, String) {
    let refused = async |version: &str| {
        let wrong = json!({"Name": "cluster-00", "Version": version, "VPCName": "vpc-01", "SubnetNames": networks::subnets(scene)});
        let (status, answer) = scene.client.ask("POST", "/cluster", Some(asks(wrong))).await;
        let says = answer["message"].as_str().unwrap();
        let offered =
            says.split_once("Available version(s): ").unwrap_or_else(|| panic!("{status}: {says}")).1;
        offered.split(';').next().unwrap().to_owned()
    };
    let offered = refused("9.99").await;
    let all = refused("latest").await;
    assert!(offered.split(", ").all(|one| all.split(", ").any(|other| other == one)), "{offered} in {all}");
    println!("{}: {offered}", scene.provider());
    let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    let mut all: Vec<&str> = offered.split([',', ' ', ';']).filter(|word| minor(word).is_some()).collect();
    all.sort_by_key(|version| minor(version));
    let [.., before, newest] = all.as_slice() else { panic!("{offered}") };
    ((*before).to_owned(), (*newest).to_owned())
}

/// The control plane and every node group rise.
pub(super) async fn upgrade(scene: &Scene) {
    let (_, newest) = versions(scene).await;
    let to = asks(json!({"Version": newest}));
    let raised = scene.client.ok("PUT", "/cluster/cluster-01/upgrade", Some(to)).await;
    is_cluster(&raised);
    let cluster = active(scene).await;
    assert!(cluster["Version"].as_str().unwrap().starts_with(&newest), "{cluster}");
    // What is above it is offered, and nothing below.
    for (wrong, says) in [
        ("abc", "Version \"abc\" is not a Kubernetes version".to_owned()),
        (
            "1.1",
            format!(
                "Version 1.1 is too low: cluster \"cluster-01\" is at {}",
                cluster["Version"].as_str().unwrap()
            ),
        ),
    ] {
        let to = asks(json!({"Version": wrong}));
        let (status, answer) = scene.client.ask("PUT", "/cluster/cluster-01/upgrade", Some(to)).await;
        let message = answer["message"].as_str().unwrap();
        assert!(status == 400 && message.contains(&says), "{status} {message}");
        let offered = message.split_once("Available version(s): ").unwrap_or_else(|| panic!("{message}")).1;
        assert!(offered.contains(&newest) && !offered.contains("1.1,"), "{message}");
    }
}

pub(super) async fn make(scene: &Scene) {
    let can = scene.under_test.provider().capabilities();
    let groups = if can.security_groups == Presence::Forbidden { json!([]) } else { json!(["group-01"]) };
    let asked = json!({
        "Name": "cluster-01", "Version": versions(scene).await.0, "VPCName": "vpc-01", "SubnetNames": networks::subnets(scene),
        "SecurityGroupNames": groups.clone(), "NodeGroupList": [group("ng01")],
        "TagList": [{"Key": "env", "Value": "test"}],
    });
    let began = std::time::Instant::now();
    let made = scene.post("/cluster", asked.clone()).await;
    is_cluster(&made);
    println!("{}: the cloud took a cluster on after {:?}", scene.provider(), began.elapsed());
    assert_eq!(made["TagList"], json!([{"Key": "env", "Value": "test"}]));
    let again = "Kubernetes Cluster 'cluster-01' already exists in connection 'config-01'";
    scene.refused("POST", "/cluster", Some(asks(asked.clone())), 409, again).await;
    let mut lost = asked.clone();
    (lost["Name"], lost["VPCName"]) = (json!("cluster-02"), json!("none"));
    let says = "VPC 'none' does not exist in connection 'config-01'";
    scene.refused("POST", "/cluster", Some(asks(lost)), 404, says).await;
    let mut many = asked;
    (many["Name"], many["NodeGroupList"][0]["DesiredNodeSize"]) = (json!("cluster-02"), json!("many"));
    scene
        .refused("POST", "/cluster", Some(asks(many)), 400, "DesiredNodeSize: \"many\" is no whole number")
        .await;
    let ready = active(scene).await;
    assert_eq!(ready["NodeGroupList"].as_array().unwrap().len(), 1);
    let about =
        json!({"ResourceType": "nodegroup", "ResourceName": "ng01", "Tag": {"Key": "k", "Value": "v"}});
    scene
        .refused("POST", "/tag", Some(asks(about)), 501, "tags of a Kubernetes NodeGroup are not support")
        .await;
    is_named(&ready["Network"]["VpcIID"], "vpc-01");
    let shown = ready["Network"]["SecurityGroupIIDs"].as_array().unwrap();
    if groups != json!([]) {
        // Also where the cloud does not say with which ones a cluster was made.
        let own = scene.get("/securitygroup/group-01").await["IId"].clone();
        assert!(shown.contains(&own), "{own} in {ready}");
    }
    for subnet in ready["Network"]["SubnetIIDs"].as_array().unwrap() {
        assert!(subnet["NameId"].as_str().unwrap().starts_with("subnet-"), "{ready}");
    }
    let seen = &ready["NodeGroupList"][0];
    assert_eq!(
        (&seen["OnAutoScaling"], &seen["DesiredNodeSize"], &seen["MinNodeSize"], &seen["MaxNodeSize"]),
        (&json!(true), &json!(1), &json!(1), &json!(2))
    );
}

/// The cluster once it and all its node groups are in order, polled as clients poll it.
async fn active(scene: &Scene) -> Value {
    for _ in 0..600 {
        let cluster = scene.get("/cluster/cluster-01").await;
        is_cluster(&cluster);
        let groups = cluster["NodeGroupList"].as_array().unwrap();
        if cluster["Status"] == "Active" && groups.iter().all(|group| group["Status"] == "Active") {
            return cluster;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the cluster is never active: {}", scene.get("/cluster/cluster-01").await)
}

#[track_caller]
fn is_cluster(cluster: &Value) {
    for key in CLUSTER_KEYS {
        assert!(cluster.get(key).is_some(), "{key} in {cluster}");
    }
    is_named(&cluster["IId"], "cluster-01");
    has_keys(&cluster["Network"], &["VpcIID", "SubnetIIDs", "SecurityGroupIIDs"]);
    assert!(STATES.contains(&cluster["Status"].as_str().unwrap()), "{cluster}");
    cluster["CreatedTime"].as_str().unwrap().parse::<Timestamp>().unwrap();
    for group in cluster["NodeGroupList"].as_array().unwrap() {
        is_group(group);
    }
}

#[track_caller]
fn is_group(group: &Value) {
    for key in GROUP_KEYS {
        assert!(group.get(key).is_some(), "{key} in {group}");
    }
    assert!(group["OnAutoScaling"].is_boolean() && group["DesiredNodeSize"].is_u64(), "{group}");
    assert!(STATES.contains(&group["Status"].as_str().unwrap()), "{group}");
}

pub(super) async fn node_groups(scene: &Scene) {
    let path = "/cluster/cluster-01/nodegroup";
    let cluster = scene.post(path, group("ng02")).await;
    is_cluster(&cluster);
    let names: Vec<&Value> =
        cluster["NodeGroupList"].as_array().unwrap().iter().map(|group| &group["IId"]["NameId"]).collect();
    assert_eq!(names, ["ng01", "ng02"]);
    active(scene).await;
    // One asks now; the other one may be answered with what the first was told.
    for (path, list) in [("/vmstatus", "vmstatus"), ("/vm", "vm")] {
        let listed = scene.get(path).await;
        let all = listed[list].as_array().expect("a list");
        let ids: BTreeSet<&str> = all.iter().filter_map(|one| one["IId"]["SystemId"].as_str()).collect();
        assert_eq!((all.len(), ids.len()), (2, 2), "{path} lists each node once: {listed}");
    }
    let says = "Kubernetes NodeGroup 'ng02' already exists in connection 'config-01'";
    scene.refused("POST", path, Some(asks(group("ng02"))), 409, says).await;
    let sizes = json!({"DesiredNodeSize": "2", "MinNodeSize": "1", "MaxNodeSize": "3"});
    let scaled =
        scene.client.ok("PUT", &format!("{path}/ng02/autoscalesize"), Some(asks(sizes.clone()))).await;
    is_group(&scaled);
    is_named(&scaled["IId"], "ng02");
    assert_eq!((&scaled["MinNodeSize"], &scaled["MaxNodeSize"]), (&json!(1), &json!(3)));
    // The size is the autoscaler's while it is on: the answer says the one that is.
    assert_eq!((&scaled["OnAutoScaling"], &scaled["DesiredNodeSize"]), (&json!(true), &json!(1)));
    let none = "Kubernetes NodeGroup 'none' does not exist in connection 'config-01'";
    scene.refused("PUT", &format!("{path}/none/autoscalesize"), Some(asks(sizes)), 404, none).await;
    let off = asks(json!({"OnAutoScaling": "false"}));
    let switched = scene.client.ok("PUT", &format!("{path}/ng02/onautoscaling"), Some(off)).await;
    assert_eq!(switched, json!({"Result": "true"}));
    scene.delete(&format!("{path}/ng02")).await;
    assert_eq!(active(scene).await["NodeGroupList"].as_array().unwrap().len(), 1);
    let gone = "Kubernetes NodeGroup 'ng02' does not exist in connection 'config-01'";
    scene.refused("DELETE", &format!("{path}/ng02"), Some(at()), 404, gone).await;
    let wrong = asks(json!({"Version": "9.99"}));
    let says = "Version 9.99 is not offered; Available version(s): ";
    scene.refused("PUT", "/cluster/cluster-01/upgrade", Some(wrong), 400, says).await;
}

/// What the cloud itself says of everything that was made, without secrets.
pub(super) async fn own_words(scene: &Scene) {
    let cluster = scene.get("/cluster/cluster-01").await;
    let secrets = scene.under_test.secrets(&scene.world.connection("x").credential);
    for (kind, name) in [
        ("vpc", "vpc-01"),
        ("subnet", "subnet-0"),
        ("sg", "group-01"),
        ("keypair", "keypair-01"),
        ("cluster", "cluster-01"),
        ("nodegroup", "ng01"),
    ] {
        let said = scene.get(&format!("/cspresourceinfo/{name}?ResourceType={kind}")).await;
        let text = said.to_string();
        assert!(said.as_object().is_some_and(|members| members.len() > 1), "{kind}: {text}");
        // The cloud calls it by its name, or by the last part of its identifier.
        let path = format!("/cspresourcename/{name}?ResourceType={kind}");
        let called = match scene.client.ask("GET", &path, Some(at())).await {
            (200, answer) => answer["Name"].as_str().expect("a text").to_owned(),
            _ => String::new(),
        };
        assert!(
            text.contains(name) || text.contains(&called) && !called.is_empty(),
            "{kind} {called}: {text}"
        );
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{kind}");
        assert!(!text.contains("PRIVATE KEY"), "{kind}: {text}");
    }
    let id = cluster["NodeGroupList"][0]["IId"]["SystemId"].as_str().expect("a text");
    assert!(!id.is_empty());
    let path = "/cspresourceinfo";
    scene
        .refused(
            "GET",
            &format!("{path}/none?ResourceType=vpc"),
            Some(at()),
            404,
            "VPC 'none' does not exist",
        )
        .await;
    scene
        .refused(
            "GET",
            &format!("{path}/none?ResourceType=nodegroup"),
            Some(at()),
            404,
            "Kubernetes NodeGroup 'none'",
        )
        .await;
    scene.refused("GET", &format!("{path}/vpc-01"), Some(at()), 400, "ResourceType is empty!").await;
    scene.refused("GET", &format!("{path}/x?ResourceType=disk"), Some(at()), 501, "not supported here").await;
}

/// What the cloud measures of the one node; what it does not is not supported.
pub(super) async fn metrics(scene: &Scene) {
    let capabilities = scene.under_test.provider().capabilities();
    for (word, metric) in [
        ("cpu_usage", NodeMetric::CpuUsage),
        ("memory_usage", NodeMetric::MemoryUsage),
        ("disk_read", NodeMetric::DiskRead),
        ("disk_write", NodeMetric::DiskWrite),
        ("disk_read_ops", NodeMetric::DiskReadOperations),
        ("disk_write_ops", NodeMetric::DiskWriteOperations),
        ("network_in", NodeMetric::NetworkIn),
        ("network_out", NodeMetric::NetworkOut),
    ] {
        let path = format!("/monitoring/clusternode/cluster-01/ng01/1/{word}");
        if !capabilities.node_metrics.contains(&metric) {
            scene.refused("GET", &path, Some(at()), 501, &format!("has no {word} (not supported)")).await;
            continue;
        }
        let of_an_hour = scene.get(&path).await;
        assert_eq!(
            (&of_an_hour["metricName"], of_an_hour["metricUnit"].as_str()),
            (&json!(word), Some(metric.unit().as_str()))
        );
        let number = values(&of_an_hour).len();
        assert!((55..=60).contains(&number), "{word}: {number} values of an hour");
        let asked = json!({"ConnectionName": CONNECTION, "IntervalMinute": "5", "TimeBeforeHour": "2"});
        let of_two = values(&scene.client.ok("GET", &path, Some(asked)).await);
        assert!((22..=24).contains(&of_two.len()), "{word}: {of_two:?}");
        assert!(of_two.windows(2).all(|two| two[0].0 < two[1].0), "{word}: {of_two:?}");
        // A mean of a hundred; a sum of what a machine of its size can do.
        let plausible = match metric {
            NodeMetric::CpuUsage => 1.0..40.0,
            NodeMetric::MemoryUsage => 20.0..60.0,
            NodeMetric::DiskRead => 100_000.0..1e7,
            NodeMetric::DiskReadOperations => 5.0..1000.0,
            NodeMetric::DiskWriteOperations => 500.0..10_000.0,
            _ => 1e6..1e8,
        };
        assert!(of_two.iter().all(|(_, value)| plausible.contains(value)), "{word}: {of_two:?}");
    }
    // It is one read: the command line tells the same.
    tokio::task::block_in_place(|| {
        let of = ["--cluster", "cluster-01", "-c", CONNECTION];
        let nodes = scene.pmks.json(&[["node", "list"].as_slice(), &of].concat());
        let node = nodes["items"][0]["name"].as_str().expect("a node");
        let asked = ["node", "metrics", node, "cpuUsage", "--interval-minutes", "5", "--hours", "2"];
        let told = scene.pmks.json(&[asked.as_slice(), &of].concat());
        assert_eq!((&told["metric"], &told["unit"]), (&json!("cpuUsage"), &json!("percent")));
        let number = told["values"].as_array().expect("a list").len();
        assert!((22..=24).contains(&number), "{told}");
        let shown = scene.pmks.succeed(&[asked.as_slice(), &of, &["-o", "table"]].concat());
        assert_eq!(shown.lines().count(), number + 1, "{shown}");
        assert!(shown.contains("UNIT") && shown.contains("percent"), "{shown}");
    });
    let path = "/monitoring/clusternode/cluster-01/ng01";
    for (asked, status, says) in [
        ("ng01/9/cpu_usage", 404, "does not exist"),
        ("ng01/0/cpu_usage", 404, "counted from 1"),
        ("ng01/x/cpu_usage", 400, "NodeNumber"),
        ("ng01/1/heat", 400, "MetricType"),
        ("none/1/cpu_usage", 404, "Kubernetes NodeGroup 'none' does not exist"),
    ] {
        let path = format!("/monitoring/clusternode/cluster-01/{asked}");
        scene.refused("GET", &path, Some(at()), status, says).await;
    }
    let long = format!("{path}/1/cpu_usage?IntervalMinute=1&TimeBeforeHour=25");
    scene.refused("GET", &long, Some(at()), 400, "1500 values").await;
}

fn values(told: &Value) -> Vec<(Timestamp, f64)> {
    let all = told["timestampValues"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    all.map(|one| (text(&one["timestamp"]).parse().unwrap(), text(&one["value"]).parse().unwrap())).collect()
}

pub(super) async fn ways_in(scene: &Scene) {
    let cluster = scene.get("/cluster/cluster-01").await;
    let kubeconfig = cluster["AccessInfo"]["Kubeconfig"].as_str().unwrap();
    assert!(cluster["AccessInfo"]["Endpoint"].as_str().unwrap().starts_with("http"), "{cluster}");
    for part in [
        "apiVersion: v1",
        "/spider/cluster/cluster-01/token?ConnectionName=config-01",
        &scene.served.url,
        ".cb-spider/.spider-credential",
    ] {
        assert!(kubeconfig.contains(part), "{part} in {kubeconfig}");
    }
    is_let_in(scene, kubeconfig);
    assert!(!kubeconfig.contains("PLACEHOLDER") && !kubeconfig.contains(super::USER.1));
    let native = scene.get("/cluster/cluster-01?KubeconfigType=native").await;
    assert!(!native["AccessInfo"]["Kubeconfig"].as_str().unwrap().is_empty());
    let path = format!("/cluster/cluster-01/token?ConnectionName={CONNECTION}");
    let answer = scene.client.raw("GET", &path, None).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let token = scene.client.ok("GET", &path, None).await;
    has_keys(&token, &["apiVersion", "kind", "status"]);
    assert_eq!(
        (&token["apiVersion"], &token["kind"]),
        (&json!("client.authentication.k8s.io/v1"), &json!("ExecCredential"),)
    );
    token["status"]["expirationTimestamp"].as_str().unwrap().parse::<Timestamp>().unwrap();
    // Every reach is an administrator's, and that is who asks.
    let reaches = [TokenReach::Cluster, TokenReach::Clusters, TokenReach::Account];
    assert!(reaches.contains(&scene.under_test.provider().capabilities().token_reach));
}

/// What the kubeconfig runs prints what lets its user in, with the file that CB-Spider's clients have.
pub(super) fn is_let_in(scene: &Scene, kubeconfig: &str) {
    let Some(curl) = crate::which("curl") else {
        return crate::skip_where("the command of a kubeconfig", "curl is not found", &["curl"]);
    };
    let folder = scene.pmks.home().join(".cb-spider");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (name, password) = super::USER;
    let file = format!("export SPIDER_USERNAME='{name}'\nexport SPIDER_PASSWORD='{password}'\n");
    std::fs::write(folder.join(".spider-credential"), file).expect("a file");
    // A text in double quotes is in YAML what it is in JSON.
    let quoted = kubeconfig
        .lines()
        .find_map(|line| line.trim().strip_prefix("- ")?.starts_with("\". ").then_some(line));
    let quoted = quoted.expect("a script").trim().trim_start_matches("- ");
    let script: String = serde_json::from_str(quoted).expect("a text");
    let mut shell = std::process::Command::new("sh");
    scene.pmks.surround(shell.args(["-c", &script]));
    let ended = tokio::task::block_in_place(|| crate::Ended::of(&shell.output().expect("sh")));
    assert_eq!(ended.code, 0, "{} by {}: {script}\n{}", curl.display(), scene.provider(), ended.stderr);
    let credential: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(credential["kind"], "ExecCredential");
}

pub(super) async fn lists(scene: &Scene) {
    let one = scene.get("/cluster/cluster-01").await;
    let listed = scene.client.ok("GET", &format!("/cluster?ConnectionName={CONNECTION}"), None).await;
    assert_eq!(listed["cluster"].as_array().unwrap().len(), 1);
    assert_eq!(listed["cluster"][0]["IId"], one["IId"]);
    let sides = scene.get("/allcluster").await;
    assert_eq!(
        sides,
        json!({"AllList": {
            "MappedList": [one["IId"]], "OnlySpiderList": [], "OnlyCSPList": [],
        }})
    );
    let infos = scene.get("/allclusterinfo").await;
    assert_eq!(infos["ResourceType"], "cluster");
    is_cluster(&infos["AllListInfo"]["MappedInfoList"][0]);
    for path in ["/countcluster", "/countcluster/config-01"] {
        assert_eq!(scene.client.ok("GET", path, None).await, json!({"count": 1}), "{path}");
    }
    let id = one["IId"]["SystemId"].clone();
    let known = asks(json!({"CSPId": id}));
    scene.refused("POST", "/getclusterowner", Some(known.clone()), 409, "already exists").await;
    let name = scene.get("/cspresourcename/cluster-01?ResourceType=cluster").await;
    assert_eq!(name, json!({"Name": "cluster-01"}));
    scene.delete("/regcluster/cluster-01").await;
    scene.refused("DELETE", "/regcluster/cluster-01", Some(at()), 404, "does not exist!").await;
    for method in ["GET", "POST"] {
        let owner = scene.client.ok(method, "/getclusterowner", Some(known.clone())).await;
        is_named(&owner, "vpc-01");
    }
    let register = |vpc: &str| json!({"VPCName": vpc, "Name": "cluster-01", "CSPId": id});
    let says = "VPC 'none' does not exist in connection 'config-01'";
    scene.refused("POST", "/regcluster", Some(asks(register("none"))), 404, says).await;
    let back = scene.post("/regcluster", register("vpc-01")).await;
    is_cluster(&back);
    assert_eq!(back["IId"], one["IId"]);
    let groups = |cluster: &Value| cluster["NodeGroupList"][0]["IId"].clone();
    assert_eq!(groups(&back)["NameId"], "cluster-01-nodegroup-0");
    assert_eq!(groups(&back)["SystemId"], groups(&one)["SystemId"]);
    let seen =
        tokio::task::block_in_place(|| scene.pmks.json(&["cluster", "get", "cluster-01", "-c", CONNECTION]));
    assert_eq!(seen["iid"]["systemId"], id);
}

pub(super) async fn remove(scene: &Scene) {
    let id = scene.get("/cluster/cluster-01").await["IId"]["SystemId"].clone();
    scene.delete("/regcluster/cluster-01").await;
    scene.delete(&format!("/cspcluster/{}", id.as_str().unwrap())).await;
    assert_eq!(scene.get("/allcluster").await["AllList"]["OnlyCSPList"], json!([]));
    let gone = "Kubernetes Cluster 'cluster-01' does not exist in connection 'config-01'";
    scene.refused("DELETE", "/cluster/cluster-01", Some(at()), 404, gone).await;
    let can = scene.under_test.provider().capabilities();
    let groups = if can.security_groups == Presence::Forbidden { json!([]) } else { json!(["group-01"]) };
    let again = json!({
        "Name": "cluster-01", "VPCName": "vpc-01", "SubnetNames": networks::subnets(scene),
        "SecurityGroupNames": groups, "NodeGroupList": [group("ng01")],
    });
    is_cluster(&scene.post("/cluster", again).await);
    // Not waited for: a deletion takes what is being made.
    scene.delete("/cluster/cluster-01").await;
    scene.refused("DELETE", "/cluster/cluster-01", Some(at()), 404, gone).await;
    scene.refused("GET", "/cluster/cluster-01", Some(at()), 404, gone).await;
    assert_eq!(scene.get("/cluster").await, json!({"cluster": []}));
}
