//! What a cloud offers, the machines that are a cluster's nodes, and tags.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CONNECTION, Scene, asks, has_keys, in_a_path, is_named, records};
use crate::CloudUnderTest;

/// Regions, images and machine types: each in its list and by its name.
pub(super) async fn offers(scene: &Scene) {
    for (path, list, keys) in [
        (
            "/regionzone",
            "regionzone",
            &["Name", "DisplayName", "CSPDisplayName", "ZoneList", "KeyValueList"][..],
        ),
        (
            "/vmimage",
            "image",
            &[
                "IId",
                "Name",
                "OSArchitecture",
                "OSPlatform",
                "OSDistribution",
                "OSDiskType",
                "OSDiskSizeGB",
                "ImageStatus",
                "KeyValueList",
            ],
        ),
        ("/vmspec", "vmspec", &["Region", "Name", "VCpu", "MemSizeMiB", "DiskSizeGB", "Gpu", "KeyValueList"]),
    ] {
        let listed = scene.get(path).await;
        has_keys(&listed, &[list]);
        let all = listed[list].as_array().expect("a list");
        assert!(!all.is_empty(), "{path}");
        for one in all {
            has_keys(one, keys);
        }
        let names: BTreeSet<&str> = all.iter().map(|one| one["Name"].as_str().expect("a name")).collect();
        assert_eq!(names.len(), all.len(), "{path} lists each once: {listed}");
        let name = all[0]["Name"].as_str().expect("a name");
        assert_eq!(scene.get(&format!("{path}/{}", in_a_path(name))).await, all[0], "{path}");
        scene.refused("GET", &format!("{path}/none?ConnectionName={CONNECTION}"), None, 404, "'none'").await;
    }
    for image in scene.get("/vmimage").await["image"].as_array().expect("a list") {
        assert!(
            ["x86_64", "arm64", "NA"].contains(&image["OSArchitecture"].as_str().expect("a text")),
            "{image}"
        );
    }
    // Whoever chooses a zone of another region finds it there, also where a region tells its zones to itself alone.
    let regions = scene.get("/regionzone").await;
    let all = regions["regionzone"].as_array().expect("a list");
    let zoned =
        all.iter().filter(|region| region["ZoneList"].as_array().is_some_and(|zones| !zones.is_empty()));
    assert!(all.len() < 2 || zoned.count() > 1, "{regions}");
    let machine = &scene.get("/vmspec").await["vmspec"][0];
    has_keys(&machine["VCpu"], &["Count", "ClockGHz"]);
    machine["VCpu"]["Count"].as_str().expect("a text").parse::<u32>().expect("a number");
    machine["MemSizeMiB"].as_str().expect("a text").parse::<u64>().expect("a number");
    accelerated(scene).await;
}

/// What has accelerators says how many, and the model, which every cloud tells in one way or another.
async fn accelerated(scene: &Scene) {
    let listed = scene.get("/vmspec").await;
    let all = listed["vmspec"].as_array().expect("a list").iter();
    let told: Vec<&Value> = all.flat_map(|one| one["Gpu"].as_array().expect("a list")).collect();
    assert!(!told.is_empty(), "{listed}");
    for gpu in told {
        has_keys(gpu, &["Count", "Mfr", "Model", "MemSizeGB", "TotalMemSizeGB"]);
        assert!(gpu["Count"].as_str().expect("a text").parse::<u32>().expect("a number") > 0, "{gpu}");
        assert!(gpu["Mfr"] != "NA" && gpu["Model"] != "NA", "{gpu}");
    }
}

/// What a cloud tells a client of CB-Spider of its regions, images and machine types: the answers of `/regionzone`,
/// `/vmimage` and `/vmspec`.
pub async fn told(under_test: &'static dyn CloudUnderTest) -> [Value; 3] {
    let scene = Scene::begin(under_test).await;
    records::make(&scene).await;
    let told = [scene.get("/regionzone").await, scene.get("/vmimage").await, scene.get("/vmspec").await];
    tokio::task::block_in_place(|| scene.served.stop());
    told
}

/// The node of `cluster-01`, by each path.
pub(super) async fn nodes(scene: &Scene) {
    // It asks now; what is listed may be what was told some seconds ago.
    scene.get("/vmstatus").await;
    let listed = scene.get("/vm").await;
    has_keys(&listed, &["vm"]);
    let machine = &listed["vm"][0];
    assert_eq!(listed["vm"].as_array().expect("a list").len(), 1, "{listed}");
    machine["StartTime"].as_str().expect("a text").parse::<Timestamp>().expect("a time");
    is_named(&machine["VpcIID"], "vpc-01");
    assert_eq!(machine["Platform"], "LINUX/UNIX", "{machine}");
    let network = scene.get("/cluster/cluster-01").await["Network"].clone();
    let has = |list: &Value, one: &Value| list.as_array().expect("a list").contains(one);
    assert!(has(&network["SubnetIIDs"], &machine["SubnetIID"]), "{machine}");
    let groups = machine["SecurityGroupIIds"].as_array().expect("a list");
    assert!(!groups.is_empty() && groups.iter().all(|one| one["SystemId"] != ""), "{machine}");
    assert_eq!(
        machine["KeyPairIId"]["NameId"],
        scene.get("/cluster/cluster-01").await["NodeGroupList"][0]["KeyPairIID"]["NameId"]
    );
    let facts = machine["KeyValueList"].as_array().expect("a list");
    for (key, value) in [("Cluster", "cluster-01"), ("NodeGroup", "ng01")] {
        assert!(facts.contains(&json!({"Key": key, "Value": value})), "{machine}");
    }
    let text = |at: &str| in_a_path(machine.pointer(at).and_then(Value::as_str).expect("a text"));
    let (name, id) = (text("/IId/NameId"), text("/IId/SystemId"));
    assert_eq!(scene.get(&format!("/vm/{name}")).await, *machine);
    assert_eq!(scene.get(&format!("/cspvm/{id}")).await, *machine);
    // Pages of CB-Spider's write it as it is, with the slashes that some clouds' have.
    let id = machine["IId"]["SystemId"].as_str().expect("a text");
    assert_eq!(scene.get(&format!("/cspvm/{id}")).await, *machine);
    let states = scene.get("/vmstatus").await;
    assert_eq!(states, json!({"vmstatus": [{"IId": machine["IId"], "VmStatus": "Running"}]}));
    assert_eq!(scene.get(&format!("/vmstatus/{name}")).await, json!({"Status": "Running"}));
    for path in ["/countvm", "/countvm/config-01"] {
        assert_eq!(scene.client.ok("GET", path, None).await, json!({"count": 1}), "{path}");
    }
    let group = &scene.get("/cluster/cluster-01").await["NodeGroupList"][0];
    assert_eq!(group["Nodes"].as_array().expect("a list").len(), 1, "{group}");
    assert_eq!(group["Nodes"][0]["SystemId"], machine["IId"]["SystemId"]);
    // By what the node group calls it too, where the cloud says no more there.
    let name = in_a_path(group["Nodes"][0]["NameId"].as_str().expect("a name"));
    assert_eq!(scene.get(&format!("/vm/{name}")).await, *machine);
    scene.refused("GET", "/vm/none", Some(super::at()), 404, "VM 'none' does not exist in connection").await;
}

/// Tags of the cluster: one more, read in each way, and gone again.
pub(super) async fn tags(scene: &Scene) {
    let about = json!({"ResourceType": "Cluster", "ResourceName": "cluster-01"});
    let query = format!("ConnectionName={CONNECTION}&ResourceType=cluster&ResourceName=cluster-01");
    let (first, second) = (json!({"Key": "env", "Value": "test"}), json!({"Key": "team", "Value": "blue"}));
    let mut more = about.clone();
    more["Tag"] = second.clone();
    assert_eq!(scene.post("/tag", more.clone()).await, second);
    let says = "tag key 'team' already exists for the resource 'cluster-01'";
    scene.refused("POST", "/tag", Some(asks(more)), 409, says).await;
    let listed = scene.client.ok("GET", &format!("/tag?{query}"), None).await;
    assert_eq!(listed, json!({"tag": [first, second], "resourceType": "Kubernetes Cluster"}));
    assert_eq!(scene.client.ok("GET", &format!("/tag/team?{query}"), None).await, second);
    assert_eq!(scene.get("/cluster/cluster-01").await["TagList"], listed["tag"]);
    let gone = scene.client.ok("DELETE", "/tag/team", Some(asks(about.clone()))).await;
    assert_eq!(gone, json!({"Result": "true"}));
    scene.refused("DELETE", "/tag/team", Some(asks(about)), 404, "tag key 'team' does not exist").await;
    assert_eq!(scene.get("/cluster/cluster-01").await["TagList"], json!([first]));
}
