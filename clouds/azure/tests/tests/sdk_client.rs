//! Azure's own SDK, which others wrote, and pmks at the same simulated Azure.

use pmks_azure_tests::{AZURE, REQUIREMENTS};
use pmks_suites::{Client, Stand, text};
use serde_json::Value;

async fn stand() -> Option<Stand> {
    Stand::new(AZURE, REQUIREMENTS, "Azure's SDK").await
}

fn sdk(stand: &Stand) -> Client<'_> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk_client.py");
    Client { stand, script, version: "/cluster/properties/currentKubernetesVersion" }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_azures_sdk_makes_pmks_takes_over_scales_and_removes() {
    let Some(stand) = stand().await else { return };
    let (made, cluster) = sdk(&stand).is_taken_over("system");
    assert_eq!(text(&cluster, "/iid/systemId"), text(&made, "/cluster/id"));
    // That of its subnet, beside the one that AKS made for its nodes' interfaces.
    let groups = cluster.pointer("/observed/securityGroups").and_then(Value::as_array);
    let names: Vec<&str> = groups
        .into_iter()
        .flatten()
        .filter_map(|group| text(group, "/systemId").rsplit('/').next())
        .map(|name| if name.starts_with("aks-agentpool-") { "AKS' own" } else { name })
        .collect();
    assert_eq!(names, ["AKS' own", "guard"], "{cluster}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pmks_makes_azures_sdk_sees() {
    let Some(stand) = stand().await else { return };
    sdk(&stand).sees_ours("/cluster/tags", |seen, cluster| {
        assert_eq!(text(seen, "/cluster/properties/provisioningState"), "Succeeded");
        let subnet = text(cluster, "/observed/subnets/0/systemId");
        assert_eq!(text(seen, "/cluster/properties/agentPoolProfiles/0/vnetSubnetID"), subnet);
    });
}
