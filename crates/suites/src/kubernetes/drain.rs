//! A node is drained by `kubectl` before its node group is made smaller: the workload moves as its budget allows, and
//! what the cloud takes away is gone from the cluster.

use pmks_simulation::kubernetes::ClusterState;

use super::{CLUSTER, GROUP, NODES, Scene};
use crate::ControlPlane;

/// How many pods the user's workload has.
const REPLICAS: usize = 2;

pub(super) async fn run(scene: &Scene, plane: &ControlPlane, state: &ClusterState) {
    let own = Scene::pods(state);
    let nodes = state.node_names();
    let blocking = |act: &dyn Fn()| tokio::task::block_in_place(act);
    blocking(&|| {
        scene.succeed(&["create", "namespace", "shop"]);
        scene.succeed(&["create", "deployment", "web", "-n", "shop", "--image=web:1", "--replicas=2"]);
        let budget = ["create", "poddisruptionbudget", "web", "-n", "shop", "--selector=app=web"];
        scene.succeed(&[budget.as_slice(), &["--min-available=2"]].concat());
    });
    plane.settle(&nodes, own + REPLICAS).await;
    let drained = where_web_runs(scene).remove(0);
    blocking(&|| {
        let drain = ["drain", &drained, "--ignore-daemonsets"];
        let refused = scene.ask(&[drain.as_slice(), &["--timeout=2s"]].concat());
        assert_ne!(refused.code, 0, "{}", refused.stdout);
        assert!(refused.stderr.contains("disruption budget"), "{}", refused.stderr);
        let patch = ["patch", "poddisruptionbudget", "web", "-n", "shop", "--type=merge"];
        scene.succeed(&[patch.as_slice(), &["-p", r#"{"spec":{"minAvailable":1}}"#]].concat());
        scene.succeed(&[drain.as_slice(), &["--timeout=60s"]].concat());
    });
    plane.settle(&nodes, own + REPLICAS).await;
    assert!(!where_web_runs(scene).contains(&drained), "a pod is still on the drained node");
    blocking(&|| {
        let desired = (NODES - 1).to_string();
        let scale = ["node-group", "scale", GROUP, "-c", "sim", "--cluster", CLUSTER, "--desired", &desired];
        scene.pmks.succeed(&scale);
    });
    // Which one goes is the cloud's choice; what ran on it, if it is another one, moves to where it may run.
    let left = state.node_names();
    assert_eq!(left.len(), NODES - 1, "{left:?}");
    plane.settle(&left, Scene::pods(state) + REPLICAS).await;
    let places = where_web_runs(scene);
    assert!(places.iter().all(|node| left.contains(node) && *node != drained), "{places:?} of {left:?}");
    let seen = cluster_by_pmks(scene);
    assert_eq!(seen["nodeGroups"][0]["nodes"].as_array().map(Vec::len), Some(NODES - 1), "{seen}");
}

fn cluster_by_pmks(scene: &Scene) -> serde_json::Value {
    tokio::task::block_in_place(|| scene.pmks.json(&["cluster", "get", CLUSTER, "-c", "sim", "--refresh"]))
}

/// The nodes of the workload's pods.
fn where_web_runs(scene: &Scene) -> Vec<String> {
    let form = "jsonpath={range .items[*]}{.spec.nodeName}{\"\\n\"}{end}";
    let asked = ["get", "pods", "-n", "shop", "-l", "app=web", "-o", form];
    tokio::task::block_in_place(|| scene.succeed(&asked)).lines().map(str::to_owned).collect()
}
