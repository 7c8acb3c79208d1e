//! Google's command line, where it is installed, and pmks at the same simulated Google Cloud. It cannot be had from a
//! package registry, so a machine without it skips this, visibly.

#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use std::path::PathBuf;
use std::process::Command;

use pmks_gcp_tests::{GCP, REQUIREMENTS};
use pmks_suites::{Ended, Stand, note_skipped, text, which};
use serde_json::{Value, json};

/// The words after `gcloud container`, at the connection's zone, and what it prints as JSON.
fn gcloud(program: &PathBuf, stand: &Stand, words: &[&str]) -> Value {
    let (home, url) = (stand.pmks.home(), format!("{}/", stand.world.url().trim_end_matches('/')));
    let ready: Value =
        serde_json::from_str(&std::fs::read_to_string(home.join("ready.json")).unwrap()).unwrap();
    let connection = stand.world.connection("sim");
    let key: Value = serde_json::from_str(connection.credential.get("serviceAccountKey").unwrap()).unwrap();
    std::fs::write(home.join("token"), text(&ready, "/clouds/gcp/accessToken")).unwrap();
    let output = Command::new(program)
        .arg("container")
        .args(words)
        .args(["--zone", &connection.zone.unwrap(), "--quiet", "--format", "json"])
        .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER", &url)
        .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE", &url)
        .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", home.join("token"))
        .env("CLOUDSDK_CORE_PROJECT", text(&key, "/project_id"))
        .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
        .env("CLOUDSDK_CORE_CHECK_GCE_METADATA", "false")
        .env("CLOUDSDK_CONFIG", home.join("gcloud"))
        .env("KUBECONFIG", home.join("kubeconfig"))
        .output()
        .unwrap();
    let ended = Ended::of(&output);
    assert_eq!(ended.code, 0, "gcloud container {}: {}", words.join(" "), ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap_or(Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn gcloud_and_pmks_see_and_manage_the_same_clusters() {
    let Some(program) = which("gcloud") else { return note_skipped("gcloud", "gcloud is not found") };
    let Some(stand) = Stand::new(GCP, REQUIREMENTS, "gcloud").await else { return };
    let gcloud = |words: &[&str]| gcloud(&program, &stand, words);
    let pmks = &stand.pmks;
    gcloud(&["clusters", "create", "theirs", "--num-nodes", "2", "--cluster-version", "1.33"]);
    let names =
        |list: Value| list.as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(gcloud(&["clusters", "list"])), [json!("theirs")]);
    gcloud(&["clusters", "resize", "theirs", "--node-pool", "default-pool", "--num-nodes", "3"]);
    let pool = ["--node-pool", "default-pool"];
    let autoscaling = ["--enable-autoscaling", "--min-nodes", "1", "--max-nodes", "4"];
    gcloud(&[["clusters", "update", "theirs"].as_slice(), &pool, &autoscaling].concat());
    gcloud(&["clusters", "upgrade", "theirs", "--master", "--cluster-version", "1.34"]);
    gcloud(&[["clusters", "upgrade", "theirs"].as_slice(), &pool].concat());
    let unmanaged = pmks.json(&["cluster", "unmanaged", "-c", "sim"]);
    let id = text(&unmanaged, "/items/0/iid/systemId");
    pmks.succeed(&["cluster", "import", "theirs", "-c", "sim", "--system-id", id]);
    let cluster = pmks.json(&["cluster", "get", "theirs", "-c", "sim"]);
    assert_eq!(cluster.pointer("/nodeGroups/0/nodes").unwrap().as_array().unwrap().len(), 3);
    assert_eq!(cluster.pointer("/nodeGroups/0/scaling/autoScaling"), Some(&json!(true)), "{cluster}");
    gcloud(&["clusters", "delete", "theirs"]);

    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
    pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga,desired=2,max=3"]].concat());
    let described = gcloud(&["clusters", "describe", "ours"]);
    let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
    assert_eq!(text(&described, "/currentMasterVersion"), text(&cluster, "/observed/version"));
    if let (Some(kubectl), Some(_)) = (which("kubectl"), which("gke-gcloud-auth-plugin")) {
        gcloud(&["clusters", "get-credentials", "ours"]);
        let output = Command::new(kubectl)
            .args(["get", "nodes", "-o", "name", "--kubeconfig"])
            .arg(pmks.home().join("kubeconfig"))
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", pmks.home().join("token"))
            .output()
            .unwrap();
        let ended = Ended::of(&output);
        assert_eq!((ended.code, ended.stdout.lines().count()), (0, 2), "{}", ended.stderr);
    } else {
        note_skipped("kubectl by gcloud", "kubectl or gke-gcloud-auth-plugin is not found");
    }
    pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--yes"]);
    assert_eq!(names(gcloud(&["clusters", "list"])), Vec::<Value>::new());
}
