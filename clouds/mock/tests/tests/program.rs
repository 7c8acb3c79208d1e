//! The program as its users run it: a connection that names no cloud finds one within the process.

#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use std::sync::Arc;

use pmks_driver::kubernetes::{ClusterApi, Kind};
use pmks_driver::{ClusterCredential, ErrorKind};
use pmks_model::AccessInfo;
use pmks_suites::{Pmks, Served, text};
use pmks_transport::{SystemClock, Transport};
use serde_json::{Value, json};

const CREATE: [&str; 8] =
    ["connection", "create", "m", "--provider", "mock", "--region", "default", "--credential"];

const CLUSTER: [&str; 11] = [
    "cluster",
    "create",
    "prod",
    "-c",
    "m",
    "--network",
    "net",
    "--subnet",
    "net-a",
    "--node-group",
    "name=ga,desired=2,max=3",
];

/// A connection, and a cluster `prod` with a node group.
fn stand() -> Pmks {
    let pmks = Pmks::new().unwrap();
    let name = pmks.home().join("name");
    std::fs::write(&name, "mock_name00").unwrap();
    let named = format!("mockName=@{}", name.display());
    pmks.succeed(&["provider", "list"]);
    assert!(!world(&pmks).exists(), "a cloud began that nobody asked for");
    pmks.succeed(&[CREATE.as_slice(), &[&named]].concat());
    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "m", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    pmks.succeed(&CLUSTER);
    pmks
}

fn world(pmks: &Pmks) -> std::path::PathBuf {
    pmks.home().join("data/pmks/at-home/mock.json")
}

/// Whether its Kubernetes API lets that token in, and what it answers if it does not.
async fn enter(cluster: &Value, token: &str) -> Result<(), ErrorKind> {
    let access = AccessInfo {
        endpoint: text(cluster, "/endpoint").to_owned(),
        certificate_authority: text(cluster, "/certificateAuthority").to_owned(),
    };
    let transport = Transport::builder(Arc::new(SystemClock)).build();
    let token = ClusterCredential::Token {
        token: token.to_owned().into(),
        expires_at: "2100-01-01T00:00:00Z".parse().unwrap(),
    };
    let api = ClusterApi::new(&transport, "mock", &access, &token, 1).unwrap();
    api.list(Kind::Service).await.map(drop).map_err(|error| error.kind().clone())
}

/// Each command is a process of its own: what one made, the next finds.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_an_endpoint_has_its_cloud_within_the_process() {
    let pmks = stand();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(world(&pmks)).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds the names that it accepts");
    let cluster = pmks.json(&["cluster", "get", "prod", "-c", "m", "--refresh"]);
    assert_eq!(cluster["status"], "Active");
    assert_eq!(cluster["nodeGroups"][0]["nodes"].as_array().unwrap().len(), 2);

    let served = Served::start(&pmks, &[]);
    let cluster = pmks.json(&["cluster", "get", "prod", "-c", "m", "--refresh"]);
    let token: Value =
        serde_json::from_str(&pmks.succeed(&["-c", "m", "token", "--cluster", "prod"])).unwrap();
    let token = text(&token, "/status/token");
    assert_eq!(enter(&cluster, token).await, Ok(()));
    assert_eq!(enter(&cluster, &format!("{token}0")).await, Err(ErrorKind::Unauthenticated));
    pmks.succeed(&["cluster", "delete", "prod", "-c", "m", "--yes"]);
    served.stop();
    assert_eq!(pmks.json(&["cluster", "list", "-c", "m"])["items"], json!([]));
}

/// What was asked of the cloud that died with it is looked at as soon as another process begins: nobody waits for an
/// answer that cannot come.
#[test]
fn what_was_asked_when_the_process_was_killed_is_settled_at_once() {
    for point in ["engine.ask.before#1", "engine.ask.after#1", "engine.ask.after#2"] {
        let pmks = stand();
        pmks.succeed(&["cluster", "delete", "prod", "-c", "m", "--yes"]);
        let served = Served::start(&pmks, &[("PMKS_DIE_AT", point)]);
        pmks.succeed(&[CLUSTER.as_slice(), &["--no-wait"]].concat());
        let address = served.url.trim_start_matches("http://").to_owned();
        while std::net::TcpStream::connect(&address).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        served.kill();
        let began = std::time::Instant::now();
        let served = Served::start(&pmks, &[]);
        let known = loop {
            let known = pmks.json(&["cluster", "list", "-c", "m"]);
            let unmanaged = pmks.json(&["cluster", "unmanaged", "-c", "m"]);
            assert_eq!(unmanaged["items"], json!([]), "{point}: of nobody while it is being made");
            if known["items"][0]["status"] == "Active" || began.elapsed().as_secs() > 30 {
                break known;
            }
        };
        served.stop();
        let known = known["items"].as_array().unwrap();
        assert_eq!(known.len(), 1, "{point}");
        assert_eq!(
            (&known[0]["status"], &known[0]["nodeGroups"][0]["status"]),
            (&json!("Active"), &json!("Active"))
        );
    }
}
