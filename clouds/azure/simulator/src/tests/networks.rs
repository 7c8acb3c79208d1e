//! Resource groups, providers, networks, security groups, keys, identities and role assignments.

use serde_json::{Value, json};

use super::Rig;

#[test]
fn api_versions_and_providers_are_needed() {
    let rig = Rig::bare();
    let refused = |path: &str| rig.refused("GET", path, Value::Null);
    assert_eq!(refused("/subscriptions?api-version="), (400, "MissingApiVersionParameter".to_owned()));
    assert_eq!(
        refused("/subscriptions?api-version=tomorrow"),
        (400, "InvalidApiVersionParameter".to_owned())
    );
    assert_eq!(refused("/subscriptions/other/resourceGroups"), (404, "SubscriptionNotFound".to_owned()));
    assert_eq!(refused(&rig.group("")), (404, "ResourceGroupNotFound".to_owned()));
    rig.ok("PUT", &rig.group(""), json!({"location": "Korea Central"}));
    let network = rig.network("virtualNetworks/net");
    let body = json!({"location": "koreacentral", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    assert_eq!(
        rig.refused("PUT", &network, body.clone()),
        (409, "MissingSubscriptionRegistration".to_owned())
    );
    let provider = format!("{}/providers/Microsoft.Network", rig.subscription());
    assert_eq!(rig.get(&provider)["registrationState"], "NotRegistered");
    let asked = rig.ok("POST", &format!("{provider}/register"), Value::Null);
    assert_eq!(asked.body["registrationState"], "Registering");
    rig.advance(31);
    assert_eq!(rig.get(&provider)["registrationState"], "Registered");
    rig.ok("PUT", &network, body);
}

#[test]
fn tags_that_differ_in_case_alone_are_one() {
    let rig = Rig::new();
    let network = rig.network("virtualNetworks/net");
    let body = json!({"location": "koreacentral", "tags": {"DUP": "1", "dup": "2", "other": "3"},
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    rig.ok("PUT", &network, body);
    assert_eq!(rig.get(&network)["tags"], json!({"dup": "2", "other": "3"}));
    let mut cluster = rig.body(1);
    cluster["properties"]["agentPoolProfiles"][0]["tags"] = json!({"A": "1", "a": "2"});
    rig.ok("PUT", &rig.cluster("k"), cluster);
    let seen = rig.get(&rig.cluster("k"));
    assert_eq!(seen.pointer("/properties/agentPoolProfiles/0/tags"), Some(&json!({"a": "2"})));
}

#[test]
fn what_no_network_may_hold_is_refused() {
    let rig = Rig::new();
    for block in ["224.0.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "128.0.0.0/2"] {
        let body = json!({"location": "koreacentral",
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", block]}}});
        let refused = rig.refused("PUT", &rig.network("virtualNetworks/net"), body);
        assert_eq!(refused, (400, "InvalidAddressPrefix".to_owned()), "{block}");
    }
}

#[test]
fn every_answer_carries_what_arm_adds() {
    let rig = Rig::bare();
    let got = rig.ok("GET", &format!("{}/resourceGroups", rig.subscription()), Value::Null);
    assert_eq!(got.header("x-ms-ratelimit-remaining-subscription-reads"), "249");
    assert_eq!(got.header("x-ms-request-id").len(), 36);
    assert_eq!(got.header("x-ms-correlation-request-id").len(), 36);
}

#[test]
fn a_group_goes_with_all_in_it() {
    let rig = Rig::new();
    rig.make_network();
    let got = rig.ok("DELETE", &rig.group(""), Value::Null);
    let path = got.header("location").replace("http://127.0.0.1:1", "");
    assert_eq!((got.status, rig.call("GET", &path, Value::Null).status), (202, 202));
    assert_eq!(rig.get(&rig.group(""))["properties"]["provisioningState"], "Deleting");
    rig.advance(60);
    assert_eq!(rig.call("GET", &path, Value::Null).status, 200);
    assert_eq!(rig.refused("GET", &rig.group(""), Value::Null), (404, "ResourceGroupNotFound".to_owned()));
    assert_eq!(rig.refused("DELETE", &rig.group(""), Value::Null).0, 404);
    assert!(rig.ids("virtualNetwork").is_empty() && rig.ids("subnet").is_empty());
}

#[test]
fn a_network_is_made_read_and_deleted() {
    let rig = Rig::new();
    let path = rig.network("virtualNetworks/net");
    let body = json!({
        "location": "koreacentral", "tags": {"a": "b"},
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
            "subnets": [{"name": "one", "properties": {"addressPrefix": "10.20.0.0/24"}}],
        },
    });
    let got = rig.ok("PUT", &path, body.clone());
    assert_eq!((got.status, got.text("/properties/provisioningState")), (201, "Updating"));
    assert_eq!(rig.operation(&got)["status"], "InProgress");
    rig.advance(4);
    assert_eq!(rig.operation(&got)["status"], "Succeeded");
    let seen = rig.get(&path);
    assert_eq!(seen["properties"]["provisioningState"], "Succeeded");
    assert_eq!(seen["properties"]["subnets"][0]["properties"]["addressPrefix"], "10.20.0.0/24");
    assert_eq!(
        (seen["type"].as_str(), seen["tags"]["a"].as_str()),
        (Some("Microsoft.Network/virtualNetworks"), Some("b"))
    );
    assert_eq!(rig.ok("PUT", &path, body).status, 200);
    let two = json!({"properties": {"addressPrefix": "10.20.1.0/24"}});
    assert_eq!(rig.ok("PUT", &format!("{path}/subnets/two"), two).status, 201);
    assert_eq!(rig.get(&format!("{path}/subnets"))["value"].as_array().unwrap().len(), 2);
    rig.advance(5);
    assert_eq!(rig.ok("DELETE", &path, Value::Null).status, 202);
    rig.advance(11);
    assert_eq!(rig.refused("GET", &path, Value::Null), (404, "ResourceNotFound".to_owned()));
    assert_eq!(rig.call("DELETE", &path, Value::Null).status, 204);
    assert!(rig.ids("subnet").is_empty());
}

#[test]
fn impossible_networks_are_refused() {
    let rig = Rig::new();
    let subnet = rig.make_network();
    let put = |path: &str, prefix: &str| {
        rig.refused("PUT", &rig.network(path), json!({"properties": {"addressPrefix": prefix}})).1
    };
    assert_eq!(put("virtualNetworks/net/subnets/two", "10.21.0.0/24"), "NetcfgInvalidSubnet");
    assert_eq!(put("virtualNetworks/net/subnets/two", "10.20.0.128/25"), "NetcfgSubnetRangesOverlap");
    assert_eq!(put("virtualNetworks/net/subnets/two", "x"), "InvalidCIDRNotation");
    assert_eq!(put("virtualNetworks/none/subnets/two", "10.20.1.0/24"), "ResourceNotFound");
    let body = json!({"location": "koreacentral", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    assert_eq!(rig.refused("PUT", &rig.network("virtualNetworks/-net"), body).1, "InvalidResourceName");
    let body = json!({"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    assert_eq!(rig.refused("PUT", &rig.network("virtualNetworks/a"), body).1, "LocationRequired");
    let body =
        json!({"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    assert_eq!(rig.refused("PUT", &rig.network("virtualNetworks/net"), body).1, "InvalidResourceLocation");
    assert_eq!(rig.get(&subnet)["properties"]["provisioningState"], "Succeeded");
}

#[test]
fn security_groups_have_rules_and_are_kept_while_in_use() {
    let rig = Rig::new();
    let subnet = rig.make_network();
    let path = rig.network("networkSecurityGroups/sg");
    let rule = |priority: u32| {
        json!({
            "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": priority, "sourceAddressPrefix": "*",
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22",
        })
    };
    let body = json!({"location": "koreacentral", "properties": {"securityRules": [{"name": "ssh", "properties": rule(100)}]}});
    assert_eq!(rig.ok("PUT", &path, body).status, 201);
    let one = |priority: u32| json!({"properties": rule(priority)});
    assert_eq!(rig.refused("PUT", &format!("{path}/securityRules/two"), one(100)).1, "SecurityRuleConflict");
    assert_eq!(
        rig.refused("PUT", &format!("{path}/securityRules/two"), one(99)).1,
        "SecurityRuleInvalidPriority"
    );
    let missing = json!({"properties": {"protocol": "Tcp"}});
    assert_eq!(
        rig.refused("PUT", &format!("{path}/securityRules/two"), missing).1,
        "SecurityRuleParameterNotSpecified"
    );
    rig.ok("PUT", &format!("{path}/securityRules/two"), one(101));
    let seen = rig.get(&path);
    assert_eq!(seen["properties"]["securityRules"].as_array().unwrap().len(), 2);
    assert_eq!(seen["properties"]["defaultSecurityRules"].as_array().unwrap().len(), 6);
    let guarded =
        json!({"properties": {"addressPrefix": "10.20.0.0/24", "networkSecurityGroup": {"id": path}}});
    rig.ok("PUT", &subnet, guarded);
    assert_eq!(rig.refused("DELETE", &path, Value::Null).1, "InUseNetworkSecurityGroupCannotBeDeleted");
    rig.ok("PUT", &subnet, json!({"properties": {"addressPrefix": "10.20.0.0/24"}}));
    assert_eq!(rig.ok("DELETE", &path, Value::Null).status, 202);
    rig.advance(11);
    assert_eq!(rig.refused("GET", &path, Value::Null).0, 404);
}

#[test]
fn keys_are_registered_and_their_form_is_checked() {
    let rig = Rig::new();
    let path = rig.group("/providers/Microsoft.Compute/sshPublicKeys/key");
    let body = |key: &str| json!({"location": "koreacentral", "properties": {"publicKey": key}});
    assert_eq!(rig.refused("PUT", &path, body("nonsense")).0, 400);
    assert_eq!(rig.ok("PUT", &path, body("ssh-ed25519 AAAAC3 me")).status, 201);
    assert_eq!(rig.get(&path)["properties"]["publicKey"], "ssh-ed25519 AAAAC3 me");
    assert_eq!(rig.call("DELETE", &path, Value::Null).status, 200);
    assert_eq!(rig.call("DELETE", &path, Value::Null).status, 204);
}

#[test]
fn a_new_identity_is_unknown_for_a_while_and_has_a_role_once() {
    let rig = Rig::new();
    let subnet = rig.make_network();
    let identity = rig.group("/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id");
    let made = rig.ok("PUT", &identity, json!({"location": "koreacentral"}));
    let role = format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7",
        rig.subscription()
    );
    let body = json!({"properties": {"roleDefinitionId": role, "principalId": made.text("/properties/principalId")}});
    let path = |number: u32| {
        format!(
            "{subnet}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000000{number}"
        )
    };
    assert_eq!(rig.refused("PUT", &path(1), body.clone()), (400, "PrincipalNotFound".to_owned()));
    rig.advance(21);
    assert_eq!(rig.ok("PUT", &path(1), body.clone()).status, 201);
    assert_eq!(rig.ok("PUT", &path(1), body.clone()).status, 200);
    assert_eq!(rig.refused("PUT", &path(2), body), (409, "RoleAssignmentExists".to_owned()));
    let filter = format!("principalId%20eq%20'{}'", made.text("/properties/principalId"));
    let list =
        rig.get(&format!("{subnet}/providers/Microsoft.Authorization/roleAssignments?$filter={filter}"));
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(rig.ok("DELETE", &path(1), Value::Null).status, 200);
    assert_eq!(rig.ok("DELETE", &path(1), Value::Null).status, 204);
    assert_eq!(rig.refused("GET", &path(1), Value::Null), (404, "RoleAssignmentNotFound".to_owned()));
}

#[test]
fn lists_have_pages() {
    let rig = Rig::new();
    for number in 0..7 {
        rig.ok(
            "PUT",
            &format!("{}/resourceGroups/g{number}", rig.subscription()),
            json!({"location": "eastus"}),
        );
    }
    let mut path = format!("{}/resourceGroups?$top=3", rig.subscription());
    let mut names = Vec::new();
    loop {
        let page = rig.get(&path);
        names.extend(
            page["value"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["nextLink"].as_str() else { break };
        path = next.strip_prefix("http://127.0.0.1:1").unwrap().to_owned();
    }
    assert_eq!(names, ["g0", "g1", "g2", "g3", "g4", "g5", "g6", "rg"]);
    let strange = format!("{}/resourceGroups?$skipToken=x", rig.subscription());
    assert_eq!(rig.refused("GET", &strange, Value::Null).1, "InvalidSkipToken");
}

#[test]
fn sizes_quotas_and_regions_are_told() {
    let rig = Rig::new();
    let compute = format!("{}/providers/Microsoft.Compute", rig.subscription());
    let skus = rig.get(&format!("{compute}/skus?$filter=location%20eq%20'koreacentral'"));
    let skus = skus["value"].as_array().unwrap();
    assert!(skus.iter().all(|sku| sku["locations"][0] == "koreacentral"));
    assert!(
        skus.iter().any(|sku| sku["name"] == "Standard_D2s_v5" && sku["locationInfo"][0]["zones"][2] == "3")
    );
    let usages = rig.get(&format!("{compute}/locations/koreacentral/usages"));
    assert_eq!(
        (&usages["value"][0]["name"]["value"], &usages["value"][0]["currentValue"]),
        (&json!("cores"), &json!(0))
    );
    let regions = rig.get(&format!("{}/locations", rig.subscription()));
    assert_eq!(regions["value"][0]["availabilityZoneMappings"][0]["logicalZone"], "1");
}

#[test]
fn tags_of_one_resource_are_merged_taken_off_and_replaced() {
    let rig = Rig::new();
    let network = rig.network("virtualNetworks/net");
    let body = json!({"location": "koreacentral", "tags": {"Team": "a", "tier": "b"},
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    rig.ok("PUT", &network, body);
    let before = rig.get(&network)["etag"].clone();
    let tags = format!("{network}/providers/Microsoft.Resources/tags/default");
    let change = |operation: &str, tags_given: Value| {
        let body = json!({"operation": operation, "properties": {"tags": tags_given}});
        rig.ok("PATCH", &tags, body).body["properties"]["tags"].clone()
    };
    assert_eq!(
        change("Merge", json!({"team": "c", "more": "d"})),
        json!({"team": "c", "more": "d", "tier": "b"})
    );
    assert_ne!(rig.get(&network)["etag"], before);
    assert_eq!(change("Delete", json!({"TEAM": "c", "tier": "another", "more": ""})), json!({"tier": "b"}));
    assert_eq!(change("Replace", json!({"x": "y"})), json!({"x": "y"}));
    assert_eq!(rig.get(&network)["tags"], json!({"x": "y"}));
    assert_eq!(rig.get(&tags)["properties"]["tags"], json!({"x": "y"}));
    let body = json!({"operation": "Add", "properties": {"tags": {}}});
    assert_eq!(rig.refused("PATCH", &tags, body).0, 400);
    let absent =
        format!("{}/providers/Microsoft.Resources/tags/default", rig.network("virtualNetworks/none"));
    assert_eq!(rig.refused("GET", &absent, Value::Null), (404, "ResourceNotFound".to_owned()));
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    let body = json!({"operation": "Merge", "properties": {"tags": many}});
    assert_eq!(rig.refused("PATCH", &tags, body).0, 400);
}
