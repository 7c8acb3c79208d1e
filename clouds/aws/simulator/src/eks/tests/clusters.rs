//! Clusters: creation and its refusals, updates one at a time, upgrades hop by hop, deletion.

use pmks_simulation::Effect;
use pmks_simulation::World as _;
use serde_json::{Value, json};

use super::rig::Rig;

#[test]
fn a_cluster_takes_about_nine_minutes_and_brings_its_group_and_interfaces() {
    let mut rig = Rig::new();
    let request = rig.cluster_request("one");
    let made = rig.call("POST", "/clusters", request);
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.body["cluster"]["status"], "CREATING");
    assert_eq!(made.body["cluster"]["certificateAuthority"], json!({}));
    assert!(made.body["cluster"].get("endpoint").is_none());
    rig.pass(470);
    assert_eq!(rig.get("/clusters/one")["cluster"]["status"], "CREATING");
    rig.pass(190);
    let cluster = rig.get("/clusters/one")["cluster"].clone();
    assert_eq!(cluster["status"], "ACTIVE");
    assert_eq!(cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"], "172.20.0.0/16");
    let group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"].as_str().unwrap();
    let ec2 = &rig.world.region(&rig.place).ec2;
    assert!(ec2.security_groups[group].name.starts_with("eks-cluster-sg-one-"));
    assert_eq!(ec2.network_interfaces.len(), 2);
    let creator = format!("arn:aws:iam::{}:user/pmks", rig.place.account);
    assert_eq!(rig.get("/clusters/one/access-entries")["accessEntries"], json!([creator]));

    assert_eq!(rig.call("DELETE", "/clusters/one", Value::Null).body["cluster"]["status"], "DELETING");
    rig.pass(300);
    rig.call("GET", "/clusters/one", Value::Null)
        .refused("ResourceNotFoundException", "No cluster found for name: one.");
    let ec2 = &rig.world.region(&rig.place).ec2;
    assert!(ec2.security_groups.is_empty() && ec2.network_interfaces.is_empty());
    assert_eq!(rig.world.next_due(), None, "nothing is pending in an empty world");
}

#[test]
fn a_wrong_request_is_refused_in_eks_words_and_makes_nothing() {
    let mut rig = Rig::new();
    rig.make_role("other", "ec2.amazonaws.com", &[]);
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("/name", json!("-x"), "InvalidParameterException", "cluster name"),
        ("/version", json!("1.30"), "InvalidParameterException", "unsupported Kubernetes version"),
        ("/version", json!(134), "InvalidParameterException", "version must be a string"),
        ("/roleArn", json!(rig.role("other")), "InvalidParameterException", "could not be assumed"),
        ("/roleArn", json!(rig.role("none")), "InvalidParameterException", "could not be assumed"),
        (
            "/resourcesVpcConfig/subnetIds",
            json!(["subnet-1", "subnet-3"]),
            "InvalidParameterException",
            "two different AZs",
        ),
        (
            "/resourcesVpcConfig/subnetIds",
            json!(["subnet-1", "subnet-9"]),
            "InvalidParameterException",
            "'subnet-9' does not exist",
        ),
        ("/resourcesVpcConfig/subnetIds", json!([]), "InvalidParameterException", "subnetIds"),
        (
            "/resourcesVpcConfig/securityGroupIds",
            json!(["sg-9"]),
            "InvalidParameterException",
            "'sg-9' does not exist",
        ),
        (
            "/accessConfig/authenticationMode",
            json!("NONE"),
            "InvalidParameterException",
            "authenticationMode",
        ),
        ("/upgradePolicy", json!({"supportType": "FOREVER"}), "InvalidParameterException", "supportType"),
        ("/tags", json!({"aws:x": "y"}), "InvalidParameterException", "aws: prefixed"),
    ];
    for (pointer, value, code, words) in cases {
        let mut request = rig.cluster_request("one");
        put(&mut request, pointer, value);
        let answer = rig.call("POST", "/clusters", request);
        assert_eq!(answer.status, 400);
        answer.refused(code, words);
    }
    assert_eq!(rig.get("/clusters")["clusters"], json!([]));
}

/// Puts a value where a JSON pointer leads, making the last member.
fn put(target: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    target.pointer_mut(parent).unwrap()[member] = value;
}

#[test]
fn a_zone_without_control_planes_is_refused_with_those_that_do() {
    let mut rig = Rig::new();
    let place = rig.place.clone();
    let subnets = &mut rig.world.region_mut(&place).ec2.subnets;
    "us-east-1e".clone_into(&mut subnets.get_mut("subnet-2").unwrap().zone);
    let request = rig.cluster_request("one");
    let answer = rig.call("POST", "/clusters", request);
    answer.refused("UnsupportedAvailabilityZoneException", "Cannot create cluster 'one' because us-east-1e");
    assert_eq!(answer.body["validZones"].as_array().unwrap().len(), 5);
}

#[test]
fn what_is_not_simulated_is_not_taken_for_absent() {
    let mut rig = Rig::new();
    for (method, path) in
        [("POST", "/cluster-registrations"), ("PUT", "/clusters"), ("GET", "/clusters/one/nothing")]
    {
        let answer = rig.call(method, path, json!({}));
        assert_eq!((answer.status, answer.code.as_str()), (404, "UnknownOperationException"));
    }
}

#[test]
fn a_new_role_is_not_known_at_once() {
    let mut rig = Rig::new();
    let account = rig.place.account.clone();
    rig.world.account_mut(&account).iam.roles.get_mut("cluster").unwrap().known_from =
        rig.now.work + std::time::Duration::from_secs(8);
    let request = rig.cluster_request("one");
    rig.call("POST", "/clusters", request.clone())
        .refused("InvalidParameterException", "does not exist or the trusted entity is not correct");
    rig.pass(9);
    assert_eq!(rig.call("POST", "/clusters", request).status, 200);
}

#[test]
fn a_repeated_token_answers_the_same_cluster_and_refuses_another() {
    let mut rig = Rig::new();
    let mut request = rig.cluster_request("one");
    request["clientRequestToken"] = json!("token-1");
    let first = rig.call("POST", "/clusters", request.clone());
    let second = rig.call("POST", "/clusters", request.clone());
    assert_eq!(first.body["cluster"]["arn"], second.body["cluster"]["arn"]);
    assert_eq!(rig.get("/clusters")["clusters"], json!(["one"]));
    request["version"] = json!("1.35");
    rig.call("POST", "/clusters", request.clone()).refused("InvalidParameterException", "clientRequestToken");
    request["clientRequestToken"] = json!("token-2");
    let again = rig.call("POST", "/clusters", request);
    assert_eq!(again.status, 409);
    again.refused("ResourceInUseException", "Cluster already exists with name: one");
    assert_eq!(again.body["clusterName"], "one");
}

#[test]
fn a_hundred_clusters_are_the_quota_and_come_in_pages() {
    let mut rig = Rig::new();
    for number in 0..100 {
        let request = rig.cluster_request(&format!("c{number:03}"));
        assert_eq!(rig.call("POST", "/clusters", request).status, 200);
    }
    let request = rig.cluster_request("more");
    rig.call("POST", "/clusters", request).refused("ResourceLimitExceededException", "limit exceeded");
    let first = rig.get("/clusters?maxResults=60");
    assert_eq!(first["clusters"].as_array().unwrap().len(), 60);
    let token = first["nextToken"].as_str().unwrap();
    let second = rig.get(&format!("/clusters?maxResults=60&nextToken={token}"));
    assert_eq!(second["clusters"].as_array().unwrap().len(), 40);
    assert!(second.get("nextToken").is_none());
    rig.call("GET", "/clusters?maxResults=0", Value::Null).refused("InvalidParameterException", "maxResults");
}

#[test]
fn one_update_at_a_time_and_the_second_says_which_is_in_the_way() {
    let mut rig = Rig::new();
    rig.cluster("one");
    let change = json!({"accessConfig": {"authenticationMode": "API"}});
    let update = rig.call("POST", "/clusters/one/update-config", change).body["update"].clone();
    assert_eq!((&update["type"], &update["status"]), (&json!("AccessConfigUpdate"), &json!("InProgress")));
    assert_eq!(rig.get("/clusters/one")["cluster"]["status"], "UPDATING");
    let id = update["id"].as_str().unwrap();
    let busy = rig.call("POST", "/clusters/one/updates", json!({"version": "1.35"}));
    busy.refused(
        "ResourceInUseException",
        &format!("Cannot VersionUpdate because cluster one currently has update {id} in progress"),
    );
    rig.call("DELETE", "/clusters/one", Value::Null)
        .refused("ResourceInUseException", "currently has update");
    rig.pass(65);
    assert_eq!(rig.get(&format!("/clusters/one/updates/{id}"))["update"]["status"], "Successful");
    assert_eq!(rig.get("/clusters/one")["cluster"]["accessConfig"]["authenticationMode"], "API");
    rig.call(
        "POST",
        "/clusters/one/update-config",
        json!({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}),
    )
    .refused("InvalidParameterException", "Unsupported authentication mode update from API to CONFIG_MAP");
    rig.call(
        "POST",
        "/clusters/one/update-config",
        json!({"deletionProtection": true, "upgradePolicy": {"supportType": "STANDARD"}}),
    )
    .refused("InvalidParameterException", "Only one type of update can be allowed.");
    assert_eq!(rig.get("/clusters/one/updates")["updateIds"], json!([id]));
}

#[test]
fn protection_keeps_a_cluster() {
    let mut rig = Rig::new();
    rig.cluster("one");
    assert_eq!(
        rig.call("POST", "/clusters/one/update-config", json!({"deletionProtection": true})).status,
        200
    );
    rig.pass(10);
    rig.call("DELETE", "/clusters/one", Value::Null)
        .refused("InvalidRequestException", "Deletion protection");
    assert_eq!(rig.get("/clusters/one")["cluster"]["status"], "ACTIVE");
}

#[test]
fn upgrades_go_one_minor_version_at_a_time() {
    let mut rig = Rig::new();
    rig.cluster("one");
    for (version, words) in [
        ("1.36", "Unsupported Kubernetes minor version update from 1.34 to 1.36"),
        ("1.33", "Unsupported Kubernetes minor version update from 1.34 to 1.33"),
        ("1.34", "Unsupported Kubernetes minor version update from 1.34 to 1.34"),
        ("1.99", "unsupported Kubernetes version"),
    ] {
        rig.call("POST", "/clusters/one/updates", json!({"version": version}))
            .refused("InvalidParameterException", words);
    }
    let update = rig.call("POST", "/clusters/one/updates", json!({"version": "1.35"}));
    assert_eq!(update.body["update"]["params"][0], json!({"type": "Version", "value": "1.35"}));
    rig.pass(530);
    assert_eq!(rig.get("/clusters/one")["cluster"]["version"], "1.34");
    rig.pass(200);
    let cluster = rig.get("/clusters/one")["cluster"].clone();
    assert_eq!((&cluster["version"], &cluster["status"]), (&json!("1.35"), &json!("ACTIVE")));
}

#[test]
fn node_groups_that_lag_and_insights_block_an_upgrade() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.node_group("workers");
    let event = json!({"type": "findUpgradeInsight", "cluster": "one", "kubernetesVersion": "1.35"});
    let now = rig.now;
    crate::eks::find_upgrade_insight(&mut rig.world, &event, now).unwrap();
    let insights =
        rig.call("POST", "/clusters/one/insights", json!({"filter": {"statuses": ["ERROR"]}})).body;
    let id = insights["insights"][0]["id"].as_str().unwrap();
    assert_eq!(
        rig.get(&format!("/clusters/one/insights/{id}"))["insight"]["insightStatus"]["status"],
        "ERROR"
    );
    rig.call("POST", "/clusters/one/updates", json!({"version": "1.35"}))
        .refused("InvalidStateException", "Pass the force flag");
    let forced = rig.call("POST", "/clusters/one/updates", json!({"version": "1.35", "force": true}));
    assert_eq!(forced.status, 200, "{}", forced.body);
    rig.pass(740);
    assert_eq!(rig.call("POST", "/clusters/one/insights", Value::Null).body["insights"], json!([]));
    rig.call("POST", "/clusters/one/updates", json!({"version": "1.36"})).refused(
        "InvalidRequestException",
        "Nodegroups workers must be updated to match cluster version 1.35 before updating cluster version",
    );
}

#[test]
fn faults_fail_a_creation_or_never_let_it_end() {
    let mut rig = Rig::new();
    let request = rig.cluster_request("failed");
    let effect = Effect::FailWhileCreating { code: Some("InsufficientFreeAddresses".to_owned()) };
    assert_eq!(rig.call_with(vec![effect], "POST", "/clusters", request).status, 200);
    let request = rig.cluster_request("endless");
    assert_eq!(rig.call_with(vec![Effect::NeverFinish], "POST", "/clusters", request).status, 200);
    let request = rig.cluster_request("more");
    rig.call_with(vec![Effect::Quota], "POST", "/clusters", request)
        .refused("ResourceLimitExceededException", "limit");
    rig.pass(100_000);
    assert_eq!(rig.get("/clusters/endless")["cluster"]["status"], "CREATING");
    let failed = rig.get("/clusters/failed")["cluster"].clone();
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(failed["health"]["issues"][0]["code"], "InsufficientFreeAddresses");
    assert_eq!(rig.call("DELETE", "/clusters/failed", Value::Null).status, 200);
    rig.pass(300);
    assert_eq!(rig.get("/clusters")["clusters"], json!(["endless"]));
}

#[test]
fn versions_are_listed_with_their_support() {
    let mut rig = Rig::new();
    let listed = rig.get("/cluster-versions");
    let versions = listed["clusterVersions"].as_array().unwrap();
    let names: Vec<&str> =
        versions.iter().map(|version| version["clusterVersion"].as_str().unwrap()).collect();
    assert_eq!(names, ["1.36", "1.35", "1.34", "1.33", "1.32", "1.31"]);
    let default = rig.get("/cluster-versions?defaultOnly=true");
    assert_eq!(default["clusterVersions"][0]["clusterVersion"], "1.35");
    assert_eq!(default["clusterVersions"][0]["versionStatus"], "STANDARD_SUPPORT");
    let all = rig.get("/cluster-versions?includeAll=true&maxResults=7");
    assert_eq!(all["clusterVersions"][6]["versionStatus"], "UNSUPPORTED");
    let one = rig.get("/cluster-versions?clusterVersions=1.32&clusterVersions=1.33");
    assert_eq!(one["clusterVersions"].as_array().unwrap().len(), 2);
    rig.call("GET", "/cluster-versions?clusterVersions=9.9", Value::Null)
        .refused("InvalidParameterException", "9.9");
}
