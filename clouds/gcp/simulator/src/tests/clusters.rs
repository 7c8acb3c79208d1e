//! Clusters and node pools: made, resized, upgraded, refused, deleted.

use super::*;

#[test]
fn a_cluster_takes_about_six_minutes_and_goes_without_a_trace() {
    let rig = Rig::new();
    rig.network();
    let before = rig.cloud.resources().len();
    let operation = rig.ok("POST", CLUSTERS, &cluster_request());
    assert_eq!(
        (&operation["operationType"], &operation["status"]),
        (&json!("CREATE_CLUSTER"), &json!("RUNNING"))
    );
    rig.advance(200);
    let young = rig.get(ONE);
    assert_eq!((&young["status"], young.get("endpoint")), (&json!("PROVISIONING"), None));
    rig.advance(300);
    let name = operation["name"].as_str().unwrap();
    assert_eq!(rig.get(&format!("{OPERATIONS}/{name}"))["status"], "DONE");
    let cluster = rig.get(ONE);
    assert_eq!(cluster["status"], "RUNNING");
    assert_eq!(cluster["currentMasterVersion"], "1.34.8-gke.1054000");
    assert_eq!(cluster["releaseChannel"]["channel"], "STABLE");
    assert_eq!(cluster["resourceLabels"], json!({"team": "blue"}));
    assert_eq!(cluster["nodePools"][0]["status"], "RUNNING");
    assert_eq!((rig.kinds("instance"), rig.kinds("disk"), rig.kinds("instanceGroupManager")), (2, 2, 1));
    let group = cluster["nodePools"][0]["instanceGroupUrls"][0].as_str().unwrap();
    let group = group.trim_start_matches("https://www.googleapis.com");
    let managed = rig.ok("POST", &format!("{group}/listManagedInstances"), &Value::Null);
    assert_eq!(managed["managedInstances"].as_array().unwrap().len(), 2);
    rig.ok("DELETE", ONE, &Value::Null);
    assert_eq!(rig.get(ONE)["status"], "STOPPING");
    rig.advance(400);
    rig.call("GET", ONE, &Value::Null).refused(404, "Not found: projects/");
    assert_eq!(rig.cloud.resources().len(), before);
}

#[test]
fn a_creation_is_refused_in_googles_words() {
    let rig = Rig::new();
    rig.network();
    let with = |field: &str, value: Value| {
        let mut request = cluster_request();
        request["cluster"][field] = value;
        rig.call("POST", CLUSTERS, &request)
    };
    with("name", json!("One")).refused(400, "cluster.name");
    with("initialClusterVersion", json!("1.99"))
        .refused(400, "No valid versions with the prefix \"1.99\" found.");
    with("network", json!("none")).refused(400, "has no network named \"none\"");
    with("subnetwork", json!("none")).refused(400, "not found in network");
    with("nodePools", json!([])).refused(400, "Cluster.initial_node_count must be greater than zero.");
    with("locations", json!(["asia-northeast3-a", "asia-northeast3-a"])).refused(400, "twice");
    for (machine, disk) in [
        ("e2-medium", "hyperdisk-balanced"),
        ("c3-standard-4", "pd-standard"),
        ("c4a-standard-2", "pd-balanced"),
    ] {
        let config = json!({"machineType": machine, "diskType": disk});
        with("nodePools", json!([{"name": "w", "initialNodeCount": 1, "config": config}]))
            .refused(400, &format!("{disk} disk type cannot be used by {machine} machine type."));
    }
    with("colour", json!("blue")).refused(400, "Unknown name \"colour\" at 'cluster': Cannot find field.");
    with("resourceLabels", json!({"Team": "x"})).refused(400, "Invalid resource label");
    let pool = json!([{"name": "w", "initialNodeCount": 400, "config": {"machineType": "e2-standard-2"}}]);
    with("nodePools", pool).refused(403, "Insufficient regional quota to satisfy request: resource \"CPUS\"");
    let pool = json!([{"name": "w", "initialNodeCount": 1, "management": {"autoRepair": true}}]);
    with("nodePools", pool).refused(400, "Auto_upgrade must be true when release_channel STABLE is set.");
    rig.ok("POST", CLUSTERS, &cluster_request());
    rig.call("POST", CLUSTERS, &cluster_request()).refused(409, "Already exists: projects/");
}

#[test]
fn a_busy_cluster_refuses_and_pools_may_be_busy_together() {
    let rig = Rig::new();
    rig.cluster();
    let size = |count: u32| json!({"nodeCount": count});
    rig.ok("POST", &format!("{WORKERS}:setSize"), &size(3));
    assert_eq!(rig.get(ONE)["status"], "RECONCILING");
    assert_eq!(rig.get(WORKERS)["status"], "RECONCILING");
    let busy = rig.call("POST", &format!("{WORKERS}:setSize"), &size(4));
    busy.refused(400, "Cluster is running incompatible operation operation-");
    assert_eq!(busy.body["error"]["errors"][0]["reason"], "failedPrecondition");
    let pool = |name: &str| json!({"nodePool": {"name": name, "initialNodeCount": 1}});
    for name in ["a", "b", "c", "d"] {
        rig.ok("POST", &format!("{ONE}/nodePools"), &pool(name));
    }
    let sixth = rig.call("POST", &format!("{ONE}/nodePools"), &pool("e"));
    sixth.refused(429, "hits the concurrent operations quota 5, please try again later.");
    rig.advance(300);
    assert_eq!(rig.get(ONE)["status"], "RUNNING");
    assert_eq!(rig.kinds("instance"), 7);
    let workers = rig.get(WORKERS);
    assert_eq!(workers["initialNodeCount"], 2, "it never changes");
    rig.ok("DELETE", WORKERS, &Value::Null);
    rig.advance(200);
    rig.call("GET", WORKERS, &Value::Null).refused(404, "nodePools/workers");
    assert_eq!(rig.kinds("instance"), 4);
}

#[test]
fn upgrades_go_hop_by_hop_and_nodes_follow() {
    let rig = Rig::new();
    rig.cluster();
    let master = |version: &str| json!({"update": {"desiredMasterVersion": version}});
    let nodes =
        |version: &str| json!({"update": {"desiredNodePoolId": "workers", "desiredNodeVersion": version}});
    rig.ok("PUT", ONE, &json!({"update": {"desiredReleaseChannel": {"channel": "RAPID"}}}));
    rig.advance(60);
    rig.call("PUT", ONE, &master("1.36"))
        .refused(400, "cannot upgrade the master more than a minor version at a time");
    rig.call("PUT", ONE, &nodes("1.35")).refused(400, "must not have a greater minor version than master");
    rig.call("PUT", ONE, &master("1.33")).refused(400, "cannot be downgraded");
    rig.ok("PUT", ONE, &master("1.35"));
    rig.advance(400);
    assert_eq!(rig.get(ONE)["currentMasterVersion"], "1.35.5-gke.1097000");
    assert_eq!(rig.get(ONE)["currentNodeVersion"], "1.34.8-gke.1054000");
    let names = || -> Vec<String> {
        let rows = rig.cloud.resources().into_iter().filter(|row| row.kind == "instance");
        rows.filter_map(|row| row.name).collect()
    };
    let before = names();
    rig.ok("PUT", ONE, &nodes("1.35"));
    rig.advance(120);
    assert!(names().len() >= 2);
    rig.advance(600);
    assert_eq!(rig.get(WORKERS)["version"], "1.35.5-gke.1097000");
    assert_eq!(rig.get(ONE)["status"], "RUNNING");
    let after = names();
    assert!(after.len() == 2 && after.iter().all(|name| !before.contains(name)), "{before:?} {after:?}");
}

#[test]
fn autoscaling_and_labels_change_when_their_operation_is_done() {
    let rig = Rig::new();
    let cluster = rig.cluster();
    let limits = json!({"update": {"desiredNodePoolId": "workers",
        "desiredNodePoolAutoscaling": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 5}}});
    rig.ok("PUT", ONE, &limits);
    assert!(rig.get(WORKERS).get("autoscaling").is_none());
    rig.advance(60);
    assert_eq!(rig.get(WORKERS)["autoscaling"]["maxNodeCount"], 5);
    rig.ok("POST", &format!("{WORKERS}:setAutoscaling"), &json!({"autoscaling": {"enabled": false}}));
    rig.advance(60);
    assert!(rig.get(WORKERS).get("autoscaling").is_none());
    let labels =
        |fingerprint: &Value| json!({"resourceLabels": {"team": "red"}, "labelFingerprint": fingerprint});
    let stale = rig.call("POST", &format!("{ONE}:setResourceLabels"), &labels(&json!("00000000")));
    stale.refused(400, "Labels could not be set due to fingerprint mismatch");
    rig.ok("POST", &format!("{ONE}:setResourceLabels"), &labels(&cluster["labelFingerprint"]));
    assert_eq!(rig.get(ONE)["status"], "RUNNING");
    rig.advance(30);
    assert_eq!(rig.get(ONE)["resourceLabels"], json!({"team": "red"}));
}

#[test]
fn failures_end_the_operation_and_leave_what_is_broken() {
    let rig = Rig::new();
    rig.network();
    let failing = vec![Effect::InsufficientCapacity];
    let operation = rig.call_with(failing, "POST", CLUSTERS, &cluster_request()).body;
    rig.advance(500);
    let path = format!("{OPERATIONS}/{}", operation["name"].as_str().unwrap());
    let ended = rig.get(&path);
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("DONE"), &json!(8)));
    assert!(ended["error"]["message"].as_str().unwrap().contains("[GCE_STOCKOUT]"));
    let cluster = rig.get(ONE);
    assert_eq!(
        (&cluster["status"], &cluster["conditions"][0]["code"]),
        (&json!("ERROR"), &json!("GCE_STOCKOUT"))
    );
    rig.call("POST", &format!("{WORKERS}:setSize"), &json!({"nodeCount": 1})).refused(400, "ERROR state");
    rig.ok("DELETE", ONE, &Value::Null);
    rig.advance(400);
    assert_eq!((rig.kinds("cluster"), rig.kinds("instance")), (0, 0));
    let stuck = rig.call_with(vec![Effect::NeverFinish], "POST", CLUSTERS, &cluster_request());
    assert_eq!(stuck.status, 200);
    rig.advance(50_000);
    assert_eq!(rig.get(ONE)["status"], "PROVISIONING");
}

#[test]
fn copies_fill_lists_and_a_world_lives_on_in_its_snapshot() {
    let rig = Rig::new();
    rig.cluster();
    let copies = json!({"type": "clustersAreCopied", "cluster": "one", "clusters": 130, "nodeGroups": 5});
    rig.cloud.event(&copies).unwrap();
    let all = rig.get("/v1/projects/{p}/locations/-/clusters");
    assert_eq!(all["clusters"].as_array().unwrap().len(), 131);
    assert_eq!(rig.get(&format!("{ONE}/nodePools"))["nodePools"].as_array().unwrap().len(), 6);
    rig.cloud.event(&json!({"type": "copiesVanish", "cluster": "one"})).unwrap();
    let before = rig.get(ONE);
    let snapshot = rig.cloud.snapshot().unwrap();
    let mut other = Rig::new();
    other.cloud.restore(snapshot).unwrap();
    (other.token, other.project) = (rig.token.clone(), rig.project.clone());
    assert_eq!(other.get(ONE), before);
}
