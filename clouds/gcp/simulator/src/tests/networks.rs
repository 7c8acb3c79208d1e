//! Networks, subnetworks, firewall rules: operations, conflicts, what is in use, pages.

use super::*;

const NETWORKS: &str = "/compute/v1/projects/{p}/global/networks";
const SUBNETS: &str = "/compute/v1/projects/{p}/regions/asia-northeast3/subnetworks";
const FIREWALLS: &str = "/compute/v1/projects/{p}/global/firewalls";

#[test]
fn a_network_in_use_stays_and_a_free_one_goes() {
    let rig = Rig::new();
    let before = rig.cloud.resources().len();
    rig.network();
    let rule = json!({"name": "ssh", "network": "global/networks/net", "allowed": [{"IPProtocol": "TCP", "ports": ["22"]}], "sourceRanges": ["10.0.0.0/8"]});
    rig.ok("POST", FIREWALLS, &rule);
    rig.advance(20);
    assert_eq!(rig.get(&format!("{FIREWALLS}/ssh"))["allowed"][0]["IPProtocol"], "tcp");
    let busy = rig.call("DELETE", &format!("{NETWORKS}/net"), &Value::Null);
    busy.refused(400, "is already being used by 'projects/");
    assert_eq!(busy.body["error"]["errors"][0]["reason"], "resourceInUseByAnotherResource");
    rig.ok("DELETE", &format!("{FIREWALLS}/ssh"), &Value::Null);
    rig.ok("DELETE", &format!("{SUBNETS}/net-a"), &Value::Null);
    rig.advance(30);
    let operation = rig.ok("DELETE", &format!("{NETWORKS}/net"), &Value::Null);
    rig.call("DELETE", &format!("{NETWORKS}/net"), &Value::Null).refused(400, "is not ready");
    let path =
        format!("/compute/v1/projects/{{p}}/global/operations/{}", operation["name"].as_str().unwrap());
    assert_eq!(rig.get(&path)["status"], "RUNNING");
    rig.advance(30);
    assert_eq!(rig.ok("POST", &format!("{path}/wait"), &Value::Null)["status"], "DONE");
    rig.call("GET", &format!("{NETWORKS}/net"), &Value::Null).refused(404, "was not found");
    assert_eq!(rig.cloud.resources().len(), before);
}

#[test]
fn a_request_id_makes_a_repeated_request_the_same() {
    let rig = Rig::new();
    let path = format!("{NETWORKS}?requestId=6f1d3c1e-7b1a-4b5e-9d6f-0123456789ab");
    let body = json!({"name": "net", "autoCreateSubnetworks": false});
    let first = rig.ok("POST", &path, &body);
    assert_eq!(rig.ok("POST", &path, &body)["name"], first["name"]);
    rig.call("POST", NETWORKS, &body).refused(409, "already exists");
    rig.call("POST", &format!("{NETWORKS}?requestId=x"), &body).refused(400, "requestId");
}

#[test]
fn subnetworks_do_not_overlap_and_fingerprints_count() {
    let rig = Rig::new();
    rig.network();
    let subnet = |name: &str, range: &str| json!({"name": name, "network": "global/networks/net", "ipCidrRange": range});
    rig.call("POST", SUBNETS, &subnet("b", "10.200.0.128/25"))
        .refused(400, "conflicts with existing subnetwork 'net-a'");
    rig.call("POST", SUBNETS, &subnet("b", "10.0.0.0")).refused(400, "Must be a CIDR address range");
    rig.call("POST", SUBNETS, &subnet("B", "10.1.0.0/24")).refused(400, "Must be a match of regex");
    rig.call(
        "POST",
        SUBNETS,
        &json!({"name": "b", "network": "global/networks/no", "ipCidrRange": "10.1.0.0/24"}),
    )
    .refused(400, "cannot be found");
    let path = format!("{SUBNETS}/net-a");
    let fingerprint = rig.get(&path)["fingerprint"].clone();
    let change = json!({"fingerprint": fingerprint, "privateIpGoogleAccess": true});
    rig.ok("PATCH", &path, &change);
    let stale = rig.call("PATCH", &path, &change);
    assert_eq!((stale.status, &stale.body["error"]["errors"][0]["reason"]), (412, &json!("conditionNotMet")));
    assert_eq!(rig.get(&path)["privateIpGoogleAccess"], true);
}

#[test]
fn lists_have_pages_and_filters() {
    let rig = Rig::new();
    let machines = "/compute/v1/projects/{p}/zones/asia-northeast3-a/machineTypes";
    let first = rig.get(&format!("{machines}?maxResults=15"));
    assert_eq!(first["items"].as_array().unwrap().len(), 15);
    let next = first["nextPageToken"].as_str().unwrap();
    let rest = rig.get(&format!("{machines}?maxResults=15&pageToken={next}"));
    assert!(rest.get("nextPageToken").is_none() && !rest["items"].as_array().unwrap().is_empty());
    let one = rig.get(&format!("{machines}?filter=name%3De2-medium"));
    assert_eq!(one["items"][0]["guestCpus"], 2);
    rig.cluster();
    let all =
        rig.get("/compute/v1/projects/{p}/aggregated/instances?filter=labels.goog-k8s-cluster-name%3Done");
    assert_eq!(all["items"]["zones/asia-northeast3-a"]["instances"].as_array().unwrap().len(), 2);
    assert_eq!(all["items"]["zones/us-east1-b"]["warning"]["code"], "NO_RESULTS_ON_PAGE");
}

#[test]
fn balancers_and_disks_outlive_their_cluster() {
    let rig = Rig::new();
    rig.cluster();
    for event in [
        json!({"type": "controllerMakesLoadBalancer", "cluster": "one", "service": "web"}),
        json!({"type": "controllerMakesLoadBalancer", "cluster": "one", "service": "shop", "kind": "ingress"}),
        json!({"type": "controllerMakesVolume", "cluster": "one"}),
    ] {
        rig.cloud.event(&event).unwrap();
    }
    assert_eq!((rig.kinds("forwardingRule"), rig.kinds("disk")), (2, 3));
    let group = rig.get("/compute/v1/projects/{p}/zones/asia-northeast3-a/networkEndpointGroups");
    let says: Value = serde_json::from_str(group["items"][0]["description"].as_str().unwrap()).unwrap();
    let uid = rig
        .cloud
        .core()
        .with_world(|world, _| world.project(&world.first).container.clusters.values().next().unwrap().uid());
    assert_eq!(says["cluster-uid"], uid.as_str());
    let rules = rig.get("/compute/v1/projects/{p}/regions/asia-northeast3/forwardingRules");
    let firewalls = rig.get("/compute/v1/projects/{p}/global/firewalls?filter=name%20eq%20k8s-fw-.*");
    let says: Value = serde_json::from_str(firewalls["items"][0]["description"].as_str().unwrap()).unwrap();
    assert_eq!(says["kubernetes.io/service-ip"], rules["items"][0]["IPAddress"]);
    rig.ok("DELETE", ONE, &Value::Null);
    rig.advance(400);
    assert_eq!((rig.kinds("forwardingRule"), rig.kinds("targetPool"), rig.kinds("disk")), (2, 1, 1));
    let rules = rig.get("/compute/v1/projects/{p}/aggregated/forwardingRules");
    assert!(rules["items"]["regions/asia-northeast3"]["forwardingRules"][0].get("simulatedOwner").is_none());
}
