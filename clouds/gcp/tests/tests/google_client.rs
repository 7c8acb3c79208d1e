//! Google's client for Python, which others wrote, against the simulated Google Cloud: it makes what pmks takes over,
//! scales and removes, and sees what pmks makes.

use pmks_gcp_tests::{GCP, REQUIREMENTS};
use pmks_suites::{Stand, text};
use serde_json::{Value, json};

async fn stand() -> Option<Stand> {
    Stand::new(GCP, REQUIREMENTS, "Google's client for Python").await
}

/// What the client says.
fn google(stand: &Stand, arguments: &[&str]) -> Value {
    stand.script(concat!(env!("CARGO_MANIFEST_DIR"), "/google_client.py"), arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_googles_client_makes_pmks_takes_over_scales_and_removes() {
    let Some(stand) = stand().await else { return };
    let pmks = &stand.pmks;
    let made = google(&stand, &["make", "theirs"]);
    assert_eq!(made["nodes"], json!({"workers": 2}));
    let unmanaged = pmks.json(&["cluster", "unmanaged", "-c", "sim"]);
    assert_eq!(text(&unmanaged, "/items/0/iid/nameId"), "theirs");
    let id = text(&unmanaged, "/items/0/iid/systemId");
    pmks.succeed(&["cluster", "import", "theirs", "-c", "sim", "--system-id", id]);
    let cluster = pmks.json(&["cluster", "get", "theirs", "-c", "sim"]);
    assert_eq!(cluster["imported"], true);
    assert_eq!(text(&cluster, "/observed/version"), text(&made, "/cluster/currentMasterVersion"));
    assert_eq!(cluster.pointer("/nodeGroups/0/nodes").unwrap().as_array().unwrap().len(), 2);
    pmks.succeed(&["node-group", "scale", "workers", "-c", "sim", "--cluster", "theirs", "--desired", "3"]);
    assert_eq!(google(&stand, &["see", "theirs"])["nodes"], json!({"workers": 3}));
    pmks.succeed(&["cluster", "delete", "theirs", "-c", "sim", "--yes"]);
    assert_eq!(google(&stand, &["list"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pmks_makes_googles_client_sees() {
    let Some(stand) = stand().await else { return };
    let pmks = &stand.pmks;
    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
    pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga,desired=2,max=3"]].concat());
    let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
    let seen = google(&stand, &["see", "ours"]);
    assert_eq!(seen["nodes"], json!({"ga": 2}));
    assert_eq!(text(&seen, "/cluster/status"), "RUNNING");
    assert_eq!(text(&seen, "/cluster/network"), "net");
    assert_eq!(text(&seen, "/cluster/currentMasterVersion"), text(&cluster, "/observed/version"));
    assert_eq!(format!("https://{}", text(&seen, "/cluster/endpoint")), text(&cluster, "/endpoint"));
    assert!(seen.pointer("/cluster/resourceLabels/pmks-uid").is_some(), "{seen}");
    pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--yes"]);
    pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
    assert_eq!(google(&stand, &["list"]), json!([]));
}
