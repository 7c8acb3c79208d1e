//! Azure's words in ours, a table each.

use serde_json::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "called with a literal")]
fn found(properties: Value) -> wire::ManagedCluster {
    serde_json::from_value(json!({
        "id": "/subscriptions/0A/resourcegroups/rg/providers/Microsoft.ContainerService/managedClusters/web",
        "name": "web", "location": "koreacentral", "tags": null,
        "identity": {"type": "SystemAssigned", "principalId": "p"}, "sku": {"name": "Base", "tier": "Free"},
        "systemData": {"createdAt": "2026-11-23T10:00:00Z"}, "properties": properties,
    }))
    .unwrap()
}

fn power(code: &str) -> wire::PowerState {
    wire::PowerState { code: Some(code.to_owned()) }
}

#[test]
fn existing_and_running_are_two_words() {
    for (provisioning, code, expected) in [
        ("Succeeded", "Running", Status::Active),
        ("Succeeded", "Stopped", Status::Stopped),
        ("Creating", "Running", Status::Creating),
        ("Updating", "Running", Status::Updating),
        ("Upgrading", "Running", Status::Updating),
        ("Scaling", "Running", Status::Updating),
        ("Starting", "Stopped", Status::Updating),
        ("Stopping", "Running", Status::Updating),
        ("UpgradingNodeImageVersion", "Running", Status::Updating),
        ("RotatingClusterCertificates", "Running", Status::Updating),
        ("Deleting", "Running", Status::Deleting),
        ("Failed", "Running", Status::Failed),
        ("Canceled", "Running", Status::Failed),
        ("Wondrous", "Running", Status::Unknown),
        ("ing", "Running", Status::Unknown),
        ("", "Running", Status::Unknown),
    ] {
        assert_eq!(status("cluster", provisioning, Some(&power(code))), expected, "{provisioning} {code}");
    }
    assert_eq!(status("cluster", "Succeeded", None), Status::Active);
}

#[test]
fn the_key_pair_of_cb_spiders_clusters_is_told_by_a_tag() {
    let of = |tags: Value| {
        let mut found = found(json!({"agentPoolProfiles": [{"name": "a"}]}));
        found.tags = serde_json::from_value(tags).unwrap();
        cluster(&found, AccessInfo::default(), &Nodes::new()).node_groups.remove(0).key_pair
    };
    let id = "/subscriptions/0a/resourceGroups/rg/providers/Microsoft.Compute/sshPublicKeys/key-01";
    assert_eq!(of(json!({"sshkey": "key-01", "createdAt": "1"})), Iid::new("key-01", id));
    assert_eq!(of(json!({"SSHKey": "key-01"})).system_id, id);
    for none in [json!({}), json!({"sshkey": ""}), json!({"sshkey": "../x/y"}), json!({"key": "k"})] {
        assert_eq!(of(none.clone()), Iid::default(), "{none}");
    }
}

#[test]
fn a_cluster_whose_pool_failed_works_in_part() {
    let of = |pool: &str| {
        cluster_status(&found(
            json!({"provisioningState": "Succeeded", "agentPoolProfiles": [{"name": "a", "provisioningState": pool}]}),
        ))
    };
    assert_eq!(
        (of("Succeeded"), of("Updating"), of("Failed")),
        (Status::Active, Status::Active, Status::Degraded)
    );
}

#[test]
fn a_cluster_is_read_with_its_pools_and_its_network() {
    let subnet =
        "/subscriptions/0a/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/n/subnets/s";
    let pool = |name: &str, more: Value| {
        let mut pool = json!({"name": name, "count": 2, "vmSize": "Standard_D4s_v5", "osDiskSizeGB": 128,
            "osDiskType": "Managed", "osSKU": "Ubuntu", "mode": "User", "provisioningState": "Succeeded",
            "vnetSubnetID": "/subscriptions/0A/resourcegroups/rg/providers/microsoft.network/VirtualNetworks/n/Subnets/s",
            "currentOrchestratorVersion": "1.33.2", "orchestratorVersion": "1.34"});
        pool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pool
    };
    let properties = json!({"provisioningState": "Succeeded", "powerState": {"code": "Running"}, "resourceUID": "uid",
        "kubernetesVersion": "1.34", "currentKubernetesVersion": "1.34.1", "nodeResourceGroup": "MC_rg",
        "aadProfile": {"managed": true, "enableAzureRBAC": true}, "disableLocalAccounts": true,
        "addonProfiles": {"azurepolicy": {"enabled": true}, "x": {"enabled": false}},
        "agentPoolProfiles": [pool("b", json!({"enableAutoScaling": true, "minCount": 1, "maxCount": 5})), pool("a", json!({}))]});
    let nodes = Nodes::from([("a".to_owned(), vec![Iid::new("node", "id")])]);
    let cluster = cluster(&found(properties), AccessInfo::default(), &nodes);
    let id = "/subscriptions/0a/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/web";
    assert_eq!(cluster.iid, Iid::new("web", id));
    assert_eq!(
        (cluster.incarnation.as_str(), cluster.version.clone().unwrap().to_string().as_str()),
        ("uid", "1.34.1")
    );
    let network = subnet.strip_suffix("/subnets/s").unwrap();
    assert_eq!(cluster.network.network, Iid::new("n", network));
    assert_eq!(cluster.network.subnets, [Iid::new("s", subnet)]);
    let names: Vec<&str> = cluster.node_groups.iter().map(|group| group.iid.name_id.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let [a, b] = cluster.node_groups.as_slice() else { panic!("two pools") };
    assert_eq!(
        (a.iid.system_id.as_str(), a.nodes.len(), b.nodes.len()),
        (format!("{id}/agentPools/a").as_str(), 1, 0)
    );
    assert_eq!(a.scaling, Some(Scaling { auto_scaling: false, min: 2, max: 2, desired: 2 }));
    assert_eq!(b.scaling, Some(Scaling { auto_scaling: true, min: 1, max: 5, desired: 2 }));
    assert_eq!(a.version.clone().unwrap().to_string(), "1.33.2");
    assert_eq!(a.incarnation, "uid");
    let fact = |key: &str| cluster.key_value_list.get(key);
    assert_eq!(
        (fact(NODE_RESOURCE_GROUP), fact(ENTRA), fact(LOCAL_ACCOUNTS)),
        (Some("MC_rg"), Some("true"), Some("false"))
    );
    assert_eq!((fact(PRINCIPAL), fact("Tier")), (Some("p"), Some("Free")));
    assert_eq!(cluster.addons.len(), 1);
}

#[test]
fn versions_of_a_minor_are_its_patches() {
    let minor = |more: Value| {
        let mut minor =
            json!({"version": "1.33", "patchVersions": {"1.33.10": {}, "1.33.9": {"upgrades": ["1.34.1"]}}});
        minor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let read: wire::KubernetesVersion = serde_json::from_value(minor).unwrap();
        let offered = kubernetes_versions(&read).into_iter();
        offered.map(|one| format!("{} {} {:?}", one.version, one.default, one.support)).collect::<Vec<_>>()
    };
    assert_eq!(minor(json!({"isDefault": true})), ["1.33.9 false Standard", "1.33.10 true Standard"]);
    assert_eq!(minor(json!({"isPreview": true})), ["1.33.9 false Preview", "1.33.10 false Preview"]);
    let plans = |plans: &[&str]| json!({"capabilities": {"supportPlan": plans}});
    assert!(minor(plans(&["AKSLongTermSupport"])).iter().all(|one| one.ends_with("Extended")));
    assert!(
        minor(plans(&["KubernetesOfficial", "AKSLongTermSupport"]))
            .iter()
            .all(|one| one.ends_with("Standard"))
    );
}

#[test]
fn what_failed_says_why_by_the_table() {
    let status = |error: Value| wire::Status { provisioning_error: Some(error) };
    let quota = status(json!({"code": "QuotaExceeded", "message": "no cores"}));
    let error = failure("ManagedClusters.Create", "cluster web", Some(&quota));
    assert_eq!(*error.kind(), ErrorKind::QuotaExceeded);
    assert_eq!(reason("Failed", Some(&quota)), "QuotaExceeded: no cores");
    let silent = failure("ManagedClusters.Create", "cluster web", None);
    assert!(matches!(silent.kind(), ErrorKind::Precondition { .. }));
    assert_eq!(reason("Succeeded", None), "");
    assert!(reason("Failed", None).contains("activity log"));
}

#[test]
fn a_cluster_is_ill_for_its_own_reason_or_for_a_node_groups() {
    let seen = |state: &str, status: Value, pool: &str| {
        let pools = json!([{"name": "ga", "provisioningState": "Succeeded"}, {"name": "gb", "provisioningState": pool}]);
        let properties = json!({"provisioningState": state, "status": status, "agentPoolProfiles": pools});
        let read = cluster(&found(properties), AccessInfo::default(), &Nodes::new());
        (read.status, read.status_reason)
    };
    let said = json!({"provisioningError": {"code": "QuotaExceeded", "message": "no cores"}});
    assert_eq!(seen("Failed", said, "Failed"), (Status::Failed, "QuotaExceeded: no cores".to_owned()));
    let (status, reason) = seen("Failed", Value::Null, "Succeeded");
    assert!(status == Status::Failed && reason.starts_with("AKS says Failed"), "{reason}");
    let (status, reason) = seen("Succeeded", Value::Null, "Canceled");
    assert!(status == Status::Degraded && reason.starts_with("node group gb: AKS says Canceled"), "{reason}");
    assert_eq!(seen("Succeeded", Value::Null, "Succeeded"), (Status::Active, String::new()));
}

#[test]
fn etags_stand_in_three_places() {
    assert_eq!(etag(&json!({"eTag": "a"})), Some("a"));
    assert_eq!(etag(&json!({"etag": "W/\"b\""})), Some("W/\"b\""));
    assert_eq!(etag(&json!({"properties": {"eTag": "c"}})), Some("c"));
    assert_eq!(etag(&json!({"eTag": ""})), None);
}
