//! Azure's own SDK, which others wrote, and pmks at the same simulated Azure: it makes what pmks takes over, scales and
//! removes, and sees what pmks makes.

use pmks_azure_tests::{AZURE, REQUIREMENTS};
use pmks_suites::{Stand, text};
use serde_json::{Value, json};

async fn stand() -> Option<Stand> {
    Stand::new(AZURE, REQUIREMENTS, "Azure's SDK").await
}

/// What the SDK says.
fn azure(stand: &Stand, arguments: &[&str]) -> Value {
    stand.script(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk_client.py"), arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_azures_sdk_makes_pmks_takes_over_scales_and_removes() {
    let Some(stand) = stand().await else { return };
    let pmks = &stand.pmks;
    let made = azure(&stand, &["make", "theirs"]);
    assert_eq!(made["nodes"], json!({"system": 2}));
    let unmanaged = pmks.json(&["cluster", "unmanaged", "-c", "sim"]);
    assert_eq!(text(&unmanaged, "/items/0/iid/nameId"), "theirs");
    let id = text(&unmanaged, "/items/0/iid/systemId");
    assert_eq!(id, text(&made, "/cluster/id"));
    pmks.succeed(&["cluster", "import", "theirs", "-c", "sim", "--system-id", id]);
    let cluster = pmks.json(&["cluster", "get", "theirs", "-c", "sim"]);
    assert_eq!(cluster["imported"], true);
    let version = text(&made, "/cluster/properties/currentKubernetesVersion");
    assert_eq!(text(&cluster, "/observed/version"), version);
    assert_eq!(cluster.pointer("/nodeGroups/0/nodes").unwrap().as_array().unwrap().len(), 2);
    pmks.succeed(&["node-group", "scale", "system", "-c", "sim", "--cluster", "theirs", "--desired", "3"]);
    assert_eq!(azure(&stand, &["see", "theirs"])["nodes"], json!({"system": 3}));
    pmks.succeed(&["cluster", "delete", "theirs", "-c", "sim", "--yes"]);
    assert_eq!(azure(&stand, &["list"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pmks_makes_azures_sdk_sees() {
    let Some(stand) = stand().await else { return };
    let pmks = &stand.pmks;
    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
    pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga,desired=2,max=3"]].concat());
    let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
    let seen = azure(&stand, &["see", "ours"]);
    assert_eq!(seen["nodes"], json!({"ga": 2}));
    let properties = |name: &str| text(&seen, &format!("/cluster/properties/{name}")).to_owned();
    assert_eq!(properties("provisioningState"), "Succeeded");
    assert_eq!(properties("currentKubernetesVersion"), text(&cluster, "/observed/version"));
    assert_eq!(
        properties("agentPoolProfiles/0/vnetSubnetID"),
        text(&cluster, "/observed/subnets/0/systemId")
    );
    assert!(seen.pointer("/cluster/tags/pmks-uid").is_some(), "{seen}");
    pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--yes"]);
    pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
    assert_eq!(azure(&stand, &["list"]), json!([]));
}
