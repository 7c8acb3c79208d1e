//! `operation retry` after the cloud itself ended a creation as failed: what failed goes, and is made anew.

use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox, Simulator};

fn prepared(user: &Sandbox) -> Simulator {
    let simulator = user.simulate("2000");
    let made = user.connect("a", &simulator);
    assert_eq!(made.code, Some(0), "{made:?}");
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    user.good(&[
        "-c",
        "a",
        "network",
        "create",
        "n",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        "name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a",
        "--subnet",
        "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c",
    ]);
    simulator
}

fn create(user: &Sandbox) -> Ended {
    user.run(&[
        "-c",
        "a",
        "cluster",
        "create",
        "c",
        "--network",
        "n",
        "--subnet",
        "s",
        "--subnet",
        "t",
        "--node-group",
        "name=w,desired=2",
    ])
}

/// The next creation by that call is answered well, and ends as failed.
fn fail_once(simulator: &Simulator, action: &str) {
    let rule = json!({"match": {"service": "eks", "action": action}, "effect": {"type": "failWhileCreating"}, "times": 1});
    simulator.world.faults(&json!([rule]));
}

fn newest(user: &Sandbox) -> Value {
    let operations = user.json(&["operation", "list", "--kind", "cluster.create"]);
    operations["items"][0].clone()
}

#[test]
fn what_the_cloud_ended_as_failed_is_made_anew() {
    for (action, failed, kind) in
        [("CreateCluster", "FAILED", "cluster"), ("CreateNodegroup", "CREATE_FAILED", "nodeGroup")]
    {
        let user = Sandbox::new();
        let simulator = prepared(&user);
        fail_once(&simulator, action);
        let ended = create(&user);
        assert_ne!(ended.code, Some(0), "{action}: {ended:?}");
        let before = simulator.world.resources(kind);
        assert_eq!(before.len(), 1, "{action}: {before:?}");
        assert_eq!(before[0]["state"], failed, "{action}: {before:?}");
        let operation = newest(&user);
        assert_eq!(operation["state"], "failed", "{operation}");
        assert!(!operation["remains"].as_array().unwrap().is_empty(), "{operation}");
        let id = operation["id"].as_str().unwrap();
        let shown = user.run(&["operation", "get", id]);
        assert!(shown.out.contains("\nREMAINS "), "{shown:?}");

        user.good(&["operation", "retry", id]);
        let after = simulator.world.resources(kind);
        assert_eq!(after.len(), 1, "{action}: {after:?}");
        assert_eq!(after[0]["state"], "ACTIVE", "{action}: {after:?}");
        assert_ne!(after[0]["createdAt"], before[0]["createdAt"], "{action}: another one");
        assert_eq!(
            (simulator.world.resources("cluster").len(), simulator.world.resources("nodeGroup").len()),
            (1, 1)
        );
        let cluster = user.json(&["-c", "a", "cluster", "get", "c", "--refresh"]);
        assert_eq!(cluster["status"], "Active", "{cluster}");
        user.good(&["-c", "a", "cluster", "delete", "c", "--yes"]);
        assert!(simulator.world.resources("cluster").is_empty());
    }
}
