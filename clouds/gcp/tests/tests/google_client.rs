//! Google's client for Python, which others wrote, and pmks at the same simulated Google Cloud.

use pmks_gcp_tests::{GCP, REQUIREMENTS};
use pmks_suites::{Client, Stand, text};

async fn stand() -> Option<Stand> {
    Stand::new(GCP, REQUIREMENTS, "Google's client for Python").await
}

fn google(stand: &Stand) -> Client<'_> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/google_client.py");
    Client { stand, script, version: "/cluster/currentMasterVersion" }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_googles_client_makes_pmks_takes_over_scales_and_removes() {
    let Some(stand) = stand().await else { return };
    google(&stand).is_taken_over("workers");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pmks_makes_googles_client_sees() {
    let Some(stand) = stand().await else { return };
    google(&stand).sees_ours("/cluster/resourceLabels", |seen, cluster| {
        assert_eq!(text(seen, "/cluster/status"), "RUNNING");
        assert_eq!(text(seen, "/cluster/network"), "net");
        assert_eq!(format!("https://{}", text(seen, "/cluster/endpoint")), text(cluster, "/endpoint"));
    });
}
