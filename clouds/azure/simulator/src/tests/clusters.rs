//! Clusters from creation to deletion, with all that AKS makes for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_simulation::Cloud;
use serde_json::{Value, json};

use super::Rig;

#[test]
fn a_cluster_is_made_with_its_pools_and_goes_with_all_that_was_made() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    let got = rig.ok("PUT", &path, rig.body(2));
    assert_eq!((got.status, got.text("/properties/provisioningState")), (201, "Creating"));
    assert_eq!(got.text("/properties/nodeResourceGroup"), "MC_rg_k_koreacentral");
    assert_eq!(got.text("/properties/agentPoolProfiles/0/provisioningState"), "Creating");
    assert_eq!(rig.operation(&got)["status"], "InProgress");
    rig.advance(200);
    assert_eq!(rig.get(&path)["properties"]["provisioningState"], "Creating");
    rig.advance(100);
    assert_eq!(rig.operation(&got)["status"], "Succeeded");
    let seen = rig.get(&path);
    assert_eq!(seen["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        (&seen["properties"]["powerState"]["code"], &seen["properties"]["agentPoolProfiles"][0]["count"]),
        (&json!("Running"), &json!(2))
    );
    assert_eq!(seen["properties"]["currentKubernetesVersion"], "1.34.4");
    assert_eq!(
        (seen["properties"]["resourceUID"].as_str().unwrap().len(), &seen["tags"]["a"]),
        (24, &json!("b"))
    );
    for (kind, count) in [
        ("virtualMachine", 2),
        ("virtualMachineScaleSet", 1),
        ("loadBalancer", 1),
        ("networkSecurityGroup", 1),
        ("virtualNetwork", 1),
    ] {
        assert_eq!(rig.ids(kind).len(), count, "{kind}");
    }
    let group = format!("{}/resourceGroups/MC_rg_k_koreacentral", rig.subscription());
    assert!(rig.get(&group)["managedBy"].as_str().unwrap().ends_with("/managedClusters/k"));
    assert_eq!(rig.get(&format!("{}/providers/Microsoft.ContainerService/managedClusters", rig.subscription()))["value"].as_array().unwrap().len(), 1);
    let gone = rig.ok("DELETE", &path, Value::Null);
    assert_eq!((gone.status, rig.call("DELETE", &path, Value::Null).status), (202, 202));
    rig.advance(250);
    assert_eq!(rig.operation(&gone)["status"], "Succeeded");
    assert_eq!(rig.refused("GET", &path, Value::Null), (404, "ResourceNotFound".to_owned()));
    assert_eq!(rig.call("DELETE", &path, Value::Null).status, 204);
    let left: Vec<String> = rig.cloud.resources().into_iter().map(|row| row.kind).collect();
    assert_eq!(left, ["application", "resourceGroup"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut body = rig.body(2);
        change(&mut body);
        let got = rig.call("PUT", &path, body);
        (
            got.code.clone().unwrap_or_default(),
            got.body.get("target").and_then(Value::as_str).unwrap_or_default().to_owned(),
        )
    };
    let invalid = |target: &str| ("InvalidParameter".to_owned(), target.to_owned());
    assert_eq!(refused(&|body| body["properties"]["dnsPrefix"] = Value::Null), invalid("dnsPrefix"));
    assert_eq!(refused(&|body| body["identity"] = Value::Null), invalid("servicePrincipalProfile"));
    assert_eq!(
        refused(&|body| body["properties"]["agentPoolProfiles"] = json!([])),
        invalid("agentPoolProfiles")
    );
    let pool = |name: &'static str, value: Value| {
        refused(&move |body: &mut Value| body["properties"]["agentPoolProfiles"][0][name] = value.clone())
    };
    assert_eq!(pool("count", Value::Null), invalid("agentPoolProfile.count"));
    assert_eq!(pool("count", json!(0)), invalid("agentPoolProfile.count"));
    assert_eq!(pool("name", json!("Bad-Name")), invalid("agentPoolProfile.name"));
    assert_eq!(pool("mode", json!("User")).0, "MustDefineAtLeastOneSystemPool");
    assert_eq!(pool("minCount", json!(1)), invalid("agentPoolProfile.minCount"));
    assert_eq!(pool("enableAutoScaling", json!(true)), invalid("agentPoolProfile.minCount"));
    assert_eq!(pool("vmSize", json!("Standard_None")).0, "BadRequest");
    assert_eq!(pool("vnetSubnetID", json!("/subscriptions/x")).0, "SubnetNotFound");
    assert_eq!(pool("orchestratorVersion", json!("1.35.1")).0, "NodePoolMcVersionIncompatible");
    assert_eq!(
        refused(&|body| body["properties"]["kubernetesVersion"] = "1.9.0".into()).0,
        "AgentPoolK8sVersionNotSupported"
    );
    assert_eq!(
        refused(&|body| body["properties"]["kubernetesVersion"] = "1.31".into()).0,
        "K8sVersionNotSupported"
    );
    assert_eq!(pool("count", json!(400)).0, "ErrCode_InsufficientVCPUQuota");
    assert!(rig.ids("managedCluster").is_empty());
    assert_eq!(rig.refused("PUT", &rig.cluster("_k"), rig.body(1)).1, "InvalidParameter");
}

#[test]
fn the_addresses_of_services_must_not_be_those_of_nodes() {
    let rig = Rig::new();
    let body = json!({
        "location": "koreacentral",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.0.1.0/24"}}],
        },
    });
    rig.ok("PUT", &rig.network("virtualNetworks/low"), body);
    let mut cluster = rig.body(1);
    cluster["properties"]["agentPoolProfiles"][0]["vnetSubnetID"] =
        rig.network("virtualNetworks/low/subnets/nodes").into();
    assert_eq!(
        rig.refused("PUT", &rig.cluster("k"), cluster.clone()).1,
        "ServiceCidrOverlapExistingSubnetsCidr"
    );
    cluster["properties"]["networkProfile"] =
        json!({"serviceCidr": "172.16.0.0/16", "dnsServiceIP": "172.16.0.10"});
    rig.ok("PUT", &rig.cluster("k"), cluster);
}

#[test]
fn a_subnet_with_nodes_stays() {
    let rig = Rig::new();
    let subnet = rig.make_network();
    let mut body = rig.body(2);
    body["properties"]["agentPoolProfiles"][0]["vnetSubnetID"] = subnet.clone().into();
    rig.ok("PUT", &rig.cluster("k"), body);
    rig.advance(400);
    assert_eq!(rig.get(&subnet)["properties"]["ipConfigurations"].as_array().unwrap().len(), 2);
    assert_eq!(rig.refused("DELETE", &subnet, Value::Null), (400, "InUseSubnetCannotBeDeleted".to_owned()));
    assert_eq!(
        rig.refused("DELETE", &rig.network("virtualNetworks/net"), Value::Null).1,
        "InUseSubnetCannotBeDeleted"
    );
    let sets = format!(
        "{}/resourceGroups/MC_rg_k_koreacentral/providers/Microsoft.Compute/virtualMachineScaleSets",
        rig.subscription()
    );
    let set = rig.get(&sets)["value"][0]["id"].as_str().unwrap().to_owned();
    let machines = rig.get(&format!("{set}/virtualMachines?$expand=instanceView"));
    assert_eq!(machines["value"][1]["instanceId"], "1");
    assert!(
        machines["value"][0]["properties"]["osProfile"]["computerName"]
            .as_str()
            .unwrap()
            .ends_with("-vmss000000")
    );
    assert_eq!(
        machines["value"][0]["properties"]["instanceView"]["statuses"][1]["code"],
        "PowerState/running"
    );
    let interfaces = rig.get(&format!("{set}/networkInterfaces"));
    let address =
        &interfaces["value"][0]["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"];
    assert_eq!(address, "10.20.0.4");
    rig.ok("DELETE", &rig.cluster("k"), Value::Null);
    rig.advance(250);
    assert_eq!(rig.ok("DELETE", &rig.network("virtualNetworks/net"), Value::Null).status, 202);
}

#[test]
fn a_busy_cluster_refuses_and_says_by_whom() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    rig.ok("PUT", &path, rig.body(1));
    let got = rig.call("PUT", &path, rig.body(1));
    assert_eq!((got.status, got.code.as_deref()), (409, Some("OperationNotAllowed")));
    assert!(got.message().contains("Another operation (Creating) is in progress"), "{}", got.message());
    assert_eq!(rig.refused("DELETE", &path, Value::Null).0, 409);
    rig.advance(400);
    let pool = format!("{path}/agentPools/two");
    rig.ok("PUT", &pool, json!({"properties": {"count": 1}}));
    let got = rig.call("PUT", &path, rig.body(1));
    assert!(got.message().contains("Another agentpool operation (two - Creating)"), "{}", got.message());
    rig.ok("PUT", &format!("{path}/agentPools/three"), json!({"properties": {"count": 1}}));
}

#[test]
fn preconditions_hold() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    assert_eq!(rig.put_if("if-match", "x", &path, rig.body(1)).status, 412);
    assert_eq!(rig.put_if("if-none-match", "*", &path, rig.body(1)).status, 201);
    rig.advance(400);
    let got = rig.put_if("if-none-match", "*", &path, rig.body(1));
    assert_eq!((got.status, got.code.as_deref()), (412, Some("PreconditionFailed")));
    let etag = rig.get(&path)["eTag"].as_str().unwrap().to_owned();
    assert_eq!(rig.put_if("if-match", "stale", &path, rig.body(1)).status, 412);
    assert_eq!(rig.put_if("if-match", &etag, &path, rig.body(1)).status, 200);
    assert_ne!(rig.get(&path)["eTag"], etag.as_str());
    let pool = format!("{path}/agentPools/two");
    rig.advance(400);
    assert_eq!(rig.put_if("if-none-match", "*", &pool, json!({"properties": {"count": 1}})).status, 201);
    assert_eq!(rig.put_if("if-none-match", "*", &pool, json!({"properties": {"count": 1}})).status, 412);
}

#[test]
fn what_was_read_and_sent_back_with_a_change_keeps_what_nobody_knows() {
    let rig = Rig::new();
    let path = rig.standing();
    let mut body = rig.get(&path);
    body["properties"]["ofTomorrow"] = json!({"a": 1});
    body["properties"]["agentPoolProfiles"][0]["ofTomorrow"] = json!(true);
    body["tags"] = json!({"c": "d"});
    rig.ok("PUT", &path, body);
    rig.advance(100);
    let seen = rig.get(&path);
    assert_eq!(seen["properties"]["ofTomorrow"], json!({"a": 1}));
    assert_eq!(seen["properties"]["agentPoolProfiles"][0]["ofTomorrow"], true);
    assert_eq!(seen["tags"], json!({"c": "d"}));
    let mut moved = seen;
    moved["properties"]["dnsPrefix"] = "other".into();
    assert_eq!(rig.refused("PUT", &path, moved), (400, "PropertyChangeNotAllowed".to_owned()));
}

#[test]
fn the_control_plane_is_upgraded_before_its_pools() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    let mut body = rig.body(2);
    body["properties"]["kubernetesVersion"] = "1.33".into();
    rig.ok("PUT", &path, body);
    rig.advance(400);
    let upgrade = |version: &str| {
        let mut body = rig.get(&path);
        body["properties"]["kubernetesVersion"] = version.into();
        rig.call("PUT", &path, body)
    };
    let got = upgrade("1.35.0");
    assert_eq!((got.status, got.code.as_deref()), (400, Some("OperationNotAllowed")));
    assert!(got.message().contains("Available upgrades: [1.34.2 1.34.4]"), "{}", got.message());
    let profile = rig.get(&format!("{path}/upgradeProfiles/default"));
    assert_eq!(profile["properties"]["controlPlaneProfile"]["upgrades"][1]["kubernetesVersion"], "1.34.4");
    let got = upgrade("1.34.2");
    assert_eq!(got.text("/properties/provisioningState"), "Upgrading");
    rig.advance(301);
    let seen = rig.get(&path);
    assert_eq!(seen["properties"]["currentKubernetesVersion"], "1.34.2");
    assert_eq!(seen["properties"]["agentPoolProfiles"][0]["currentOrchestratorVersion"], "1.33.7");
    let pool = format!("{path}/agentPools/one");
    let mut body = rig.get(&pool);
    body["properties"]["orchestratorVersion"] = "1.34.2".into();
    let got = rig.ok("PUT", &pool, body.clone());
    assert_eq!(got.text("/properties/provisioningState"), "Upgrading");
    let before = rig.ids("virtualMachine");
    rig.advance(241);
    assert_eq!(rig.get(&pool)["properties"]["currentOrchestratorVersion"], "1.34.2");
    let after = rig.ids("virtualMachine");
    assert!(after.len() == 2 && before.iter().all(|id| !after.contains(id)), "{after:?}");
    body["properties"]["orchestratorVersion"] = "1.33.7".into();
    assert_eq!(rig.refused("PUT", &pool, body).1, "AgentPoolUpgradeVersionNotAllowed");
}

#[test]
fn a_stopped_cluster_has_no_machines_and_refuses_changes() {
    let rig = Rig::new();
    let path = rig.standing();
    let got = rig.ok("POST", &format!("{path}/stop"), Value::Null);
    assert_eq!(got.status, 202);
    rig.advance(121);
    let seen = rig.get(&path);
    assert_eq!(
        (&seen["properties"]["provisioningState"], &seen["properties"]["powerState"]["code"]),
        (&json!("Succeeded"), &json!("Stopped"))
    );
    assert!(rig.ids("virtualMachine").is_empty());
    assert_eq!(rig.refused("PUT", &path, rig.body(2)), (409, "OperationNotAllowed".to_owned()));
    assert_eq!(rig.refused("POST", &format!("{path}/stop"), Value::Null).0, 409);
    assert_eq!(
        rig.refused("PUT", &format!("{path}/agentPools/two"), json!({"properties": {"count": 1}})).0,
        409
    );
    rig.ok("POST", &format!("{path}/start"), Value::Null);
    rig.advance(181);
    assert_eq!(rig.get(&path)["properties"]["powerState"]["code"], "Running");
    assert_eq!(rig.ids("virtualMachine").len(), 2);
}

#[test]
fn what_is_under_way_can_be_given_up() {
    let rig = Rig::new();
    let path = rig.standing();
    let pool = format!("{path}/agentPools/two");
    let got = rig.ok("PUT", &pool, json!({"properties": {"count": 1}}));
    assert_eq!(rig.ok("POST", &format!("{pool}/abort"), Value::Null).status, 204);
    assert_eq!(rig.operation(&got)["status"], "Canceled");
    assert_eq!(rig.get(&pool)["properties"]["provisioningState"], "Canceled");
    assert_eq!(rig.refused("POST", &format!("{pool}/abort"), Value::Null).0, 400);
}

#[tokio::test]
async fn kubeconfigs_have_a_certificate_of_the_clusters_authority_or_a_login() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    rig.ok("PUT", &path, rig.body(1));
    assert_eq!(rig.refused("POST", &format!("{path}/listClusterUserCredential"), Value::Null).1, "NotReady");
    rig.advance(400);
    let config = |path: &str, which: &str| {
        let got = rig.ok("POST", &format!("{path}/{which}"), Value::Null);
        let text = STANDARD.decode(got.text("/kubeconfigs/0/value")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()
    };
    let user = config(&path, "listClusterUserCredential");
    assert!(user["clusters"][0]["cluster"]["server"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    assert!(user["users"][0]["user"]["client-key-data"].is_string());
    let entra = rig.cluster("e");
    let mut body = rig.body(1);
    body["properties"]["aadProfile"] = json!({"managed": true, "enableAzureRBAC": true});
    body["properties"]["disableLocalAccounts"] = true.into();
    rig.ok("PUT", &entra, body);
    rig.advance(400);
    let user = config(&entra, "listClusterUserCredential");
    assert_eq!(user["users"][0]["user"]["exec"]["command"], "kubelogin");
    assert_eq!(
        rig.refused("POST", &format!("{entra}/listClusterAdminCredential"), Value::Null).1,
        "BadRequest"
    );
}

#[test]
fn copies_fill_more_than_a_page_and_vanish() {
    let rig = Rig::new();
    let path = rig.standing();
    rig.cloud
        .event(&json!({"type": "clustersAreCopied", "cluster": "k", "clusters": 120, "nodeGroups": 60}))
        .unwrap();
    let mut list = format!("{}/providers/Microsoft.ContainerService/managedClusters", rig.subscription());
    let (mut seen, mut pages) = (0, 0);
    loop {
        let page = rig.get(&list);
        seen += page["value"].as_array().unwrap().len();
        pages += 1;
        let Some(next) = page["nextLink"].as_str() else { break };
        list = next.replace("http://127.0.0.1:1", "");
    }
    assert_eq!((seen, pages), (121, 3));
    assert!(rig.get(&format!("{path}/agentPools"))["nextLink"].is_string());
    rig.cloud.event(&json!({"type": "copiesVanish", "cluster": "k"})).unwrap();
    assert_eq!((rig.ids("managedCluster").len(), rig.ids("agentPool").len()), (1, 1));
}

#[test]
fn controllers_make_addresses_and_disks_that_go_with_the_cluster() {
    let rig = Rig::new();
    let path = rig.standing();
    let event = json!({"type": "controllerMakesLoadBalancer", "cluster": "k", "service": "web"});
    rig.cloud.event(&event).unwrap();
    rig.cloud.event(&json!({"type": "controllerMakesVolume", "cluster": "k"})).unwrap();
    assert_eq!((rig.ids("publicIPAddress").len(), rig.ids("disk").len()), (2, 1));
    assert!(rig.cloud.event(&json!({"type": "controllerMakesVolume", "cluster": "none"})).is_err());
    rig.ok("DELETE", &path, Value::Null);
    rig.advance(250);
    assert!(rig.ids("publicIPAddress").is_empty() && rig.ids("disk").is_empty());
}

#[test]
fn what_somebody_put_there_is_kept_by_requests_that_say_it_and_lost_by_others() {
    let rig = Rig::new();
    let path = rig.standing();
    let shown = |members: Value| {
        rig.cloud.event(&json!({"type": "showsOver", "cluster": "k", "members": members})).unwrap()
    };
    shown(json!({"provisioningState": "Pondering", "odd": 1}));
    let body = rig.get(&path);
    assert_eq!(body["properties"]["provisioningState"], "Pondering");
    shown(json!({"provisioningState": null}));
    assert_eq!(rig.get(&path)["properties"]["provisioningState"], "Succeeded");
    rig.ok("PUT", &path, body);
    rig.advance(100);
    assert_eq!(shown(json!({}))["cluster"]["odd"], 1);
    rig.ok("PUT", &path, rig.body(1));
    rig.advance(100);
    assert_eq!(shown(json!({}))["cluster"]["odd"], Value::Null);
}

#[test]
fn a_subscription_moves_to_another_directory_and_back() {
    let rig = Rig::new();
    let tenant = || rig.get(&rig.subscription())["tenantId"].clone();
    let first = tenant();
    rig.cloud.event(&json!({"type": "credentialsMove"})).unwrap();
    assert_ne!(tenant(), first);
    rig.cloud.event(&json!({"type": "credentialsMove"})).unwrap();
    assert_eq!(tenant(), first);
}
