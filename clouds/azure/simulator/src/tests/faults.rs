//! Faults that Azure itself acts out, throttling, repair, and a world kept on disk.

use pmks_simulation::{Cloud, Effect, Identified, Refusal, Rule};
use serde_json::{Value, json};

use super::Rig;

#[test]
fn a_creation_that_failed_is_repaired_by_a_repeated_put() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    let fault = vec![Effect::FailWhileCreating { code: Some("VMExtensionProvisioningError".to_owned()) }];
    let got = rig.call_with(fault, "PUT", &path, rig.body(2));
    rig.advance(400);
    let operation = rig.operation(&got);
    assert_eq!(
        (&operation["status"], &operation["error"]["code"]),
        (&json!("Failed"), &json!("VMExtensionProvisioningError"))
    );
    let failed = rig.get(&path);
    assert_eq!(failed["properties"]["provisioningState"], "Failed");
    let why = "/properties/status/provisioningError/code";
    assert_eq!(failed.pointer(why), Some(&json!("VMExtensionProvisioningError")));
    rig.ok("PUT", &path, rig.body(2));
    rig.advance(400);
    assert_eq!(rig.get(&path).pointer(why), None);
    assert_eq!(rig.get(&path)["properties"]["provisioningState"], "Succeeded");
    assert_eq!((rig.ids("virtualMachine").len(), rig.ids("loadBalancer").len()), (2, 1));
}

#[test]
fn capacity_quota_and_endlessness() {
    let rig = Rig::new();
    let path = rig.standing();
    let pool = format!("{path}/agentPools/two");
    let body = || json!({"properties": {"count": 1}});
    let got = rig.call_with(vec![Effect::Quota], "PUT", &pool, body());
    assert_eq!(got.code.as_deref(), Some("ErrCode_InsufficientVCPUQuota"));
    let got = rig.call_with(vec![Effect::InsufficientCapacity], "PUT", &pool, body());
    rig.advance(300);
    assert_eq!(rig.operation(&got)["error"]["code"], "AllocationFailed");
    assert_eq!(rig.get(&pool)["properties"]["provisioningState"], "Failed");
    assert_eq!(rig.get(&pool)["properties"]["status"]["provisioningError"]["code"], "AllocationFailed");
    let got = rig.call_with(vec![Effect::NeverFinish], "PUT", &pool, body());
    rig.advance(1000);
    assert_eq!(rig.operation(&got)["status"], "InProgress");
}

#[test]
fn stale_reads_show_the_world_of_before() {
    let rig = Rig::new();
    let stale = || vec![Effect::StaleReads { seconds: 60 }];
    rig.cloud.controls().faults.add(Rule::new(
        "resources",
        "ResourceGroups_Get",
        Effect::StaleReads { seconds: 60 },
    ));
    let path = format!("{}/resourceGroups/new", rig.subscription());
    rig.ok("PUT", &path, json!({"location": "eastus"}));
    assert_eq!(rig.call_with(stale(), "GET", &path, Value::Null).status, 404);
    rig.advance(61);
    assert_eq!(rig.call_with(stale(), "GET", &path, Value::Null).status, 200);
}

#[test]
fn refusals_have_arms_shape() {
    let rig = Rig::new();
    let refuse = |service: &str, action: &str, refusal: &Refusal| {
        let caller = Some(rig.credential["clientId"].as_str().unwrap().to_owned());
        let call = Identified { service: service.into(), action: action.into(), resource: None, caller };
        let answered = rig.cloud.refuse(&call, refusal);
        let body: Value = serde_json::from_slice(answered.response.body()).unwrap();
        (answered.response.status().as_u16(), body)
    };
    let (status, body) = refuse("containerservice", "ManagedClusters_Get", &Refusal::Deny);
    assert_eq!((status, &body["error"]["code"]), (403, &json!("AuthorizationFailed")));
    let says = body["error"]["message"].as_str().unwrap();
    assert!(says.contains("to perform action 'Microsoft.ContainerService/managedClusters/read'"), "{says}");
    let (status, body) = refuse("containerservice", "ManagedClusters_Get", &Refusal::Throttle);
    assert_eq!((status, &body["code"]), (429, &json!("Throttled")), "AKS writes its own bare");
    let (status, body) = refuse("network", "VirtualNetworks_Get", &Refusal::Throttle);
    assert_eq!((status, &body["error"]["code"]), (429, &json!("TooManyRequests")));
}

#[test]
fn calls_beyond_a_bucket_are_throttled_until_it_fills() {
    let rig = Rig::new();
    let path = rig.group("");
    let call = || rig.call("GET", &path, Value::Null);
    let refused = (0..260).map(|_| call()).find(|got| got.status == 429).unwrap();
    assert_eq!(
        (refused.code.as_deref(), refused.header("retry-after").as_str()),
        (Some("SubscriptionRequestsThrottled"), "1")
    );
    rig.advance(1);
    assert_eq!(call().status, 200);
}

#[test]
fn aks_has_a_bucket_of_its_own_for_each_cluster() {
    let rig = Rig::new();
    let path = rig.standing();
    let put = || rig.call("PUT", &path, json!({"location": "nowhere"}));
    let refused = (0..25).map(|_| put()).find(|got| got.status == 429).unwrap();
    assert!(
        refused
            .message()
            .starts_with("The PutManagedClusterHandler.PUT request limit has been exceeded for SubID=")
    );
    assert_eq!(rig.call("PUT", &rig.cluster("other"), rig.body(1)).status, 201);
}

#[test]
fn a_world_goes_on_from_its_snapshot() {
    let rig = Rig::new();
    let path = rig.cluster("k");
    let got = rig.ok("PUT", &path, rig.body(1));
    let snapshot = rig.cloud.snapshot().unwrap();
    let other = Rig::bare();
    other.cloud.restore(snapshot.clone()).unwrap();
    other.advance(400);
    assert_eq!(other.operation(&got)["status"], "Succeeded");
    assert_eq!(other.get(&path)["properties"]["provisioningState"], "Succeeded");
    let mut strange = snapshot;
    strange["version"] = 999.into();
    assert!(other.cloud.restore(strange).is_err());
    assert_eq!(other.ids("managedCluster").len(), 1, "a refused snapshot changes nothing");
    other.cloud.reset();
    assert!(other.ids("managedCluster").is_empty() && other.ids("resourceGroup").is_empty());
}

#[test]
fn what_is_not_simulated_is_not_taken_for_absent() {
    let rig = Rig::new();
    let path = rig.group("/providers/Microsoft.Storage/storageAccounts/x");
    assert_eq!(rig.refused("GET", &path, Value::Null), (400, "InvalidResourceType".to_owned()));
    assert!(rig.cloud.event(&json!({"type": "earthquake"})).is_err());
}
