//! Google's client for Python, which others wrote, against the simulated Google Cloud: it makes what pmks takes over,
//! scales and removes, and sees what pmks makes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test cannot go on without it")]

use std::process::Command;

use pmks_gcp_tests::{GCP, REQUIREMENTS};
use pmks_suites::{Ended, Pmks, Python, SimulatedCloud, skip};
use serde_json::{Value, json};

struct Stand {
    // Stands as long as this does.
    _world: SimulatedCloud,
    python: Python,
    pmks: Pmks,
}

impl Stand {
    /// A world, a connection of pmks to it, and the client; or nothing where that cannot be had.
    async fn new() -> Option<Self> {
        let python = match Python::get(REQUIREMENTS) {
            Ok(python) => python,
            Err(why) => {
                skip("Google's client for Python", &why);
                return None;
            }
        };
        let world = SimulatedCloud::start(GCP).await;
        let connection = world.connection("sim");
        let pmks = Pmks::new().unwrap();
        let key = pmks.home().join("key.json");
        std::fs::write(&key, connection.credential.get("serviceAccountKey").unwrap()).unwrap();
        std::fs::write(pmks.home().join("ready.json"), world.ready_file()).unwrap();
        let (region, zone) = (connection.region.as_str(), connection.zone.as_deref().unwrap());
        let (pace, all) = (connection.pace.to_string(), format!("all={}", world.url()));
        let credential = format!("serviceAccountKey=@{}", key.display());
        let create = ["connection", "create", "sim", "--provider", "gcp", "--region", region, "--zone", zone];
        let more = ["--pace", &pace, "--credential", &credential, "--endpoint", &all];
        pmks.succeed(&[create.as_slice(), more.as_slice()].concat());
        Some(Self { _world: world, python, pmks })
    }

    /// What the client says.
    fn google(&self, arguments: &[&str]) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/google_client.py");
        let mut command = Command::new(self.python.program("python"));
        command
            .arg(script)
            .arg(self.pmks.home().join("ready.json"))
            .args(arguments)
            .env("HOME", self.pmks.home());
        let ended = Ended::of(&command.output().unwrap());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_googles_client_makes_pmks_takes_over_scales_and_removes() {
    let Some(stand) = Stand::new().await else { return };
    let pmks = &stand.pmks;
    let made = stand.google(&["make", "theirs"]);
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
    assert_eq!(stand.google(&["see", "theirs"])["nodes"], json!({"workers": 3}));
    pmks.succeed(&["cluster", "delete", "theirs", "-c", "sim", "--yes"]);
    assert_eq!(stand.google(&["list"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pmks_makes_googles_client_sees() {
    let Some(stand) = Stand::new().await else { return };
    let pmks = &stand.pmks;
    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
    pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga,desired=2,max=3"]].concat());
    let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
    let seen = stand.google(&["see", "ours"]);
    assert_eq!(seen["nodes"], json!({"ga": 2}));
    assert_eq!(text(&seen, "/cluster/status"), "RUNNING");
    assert_eq!(text(&seen, "/cluster/network"), "net");
    assert_eq!(text(&seen, "/cluster/currentMasterVersion"), text(&cluster, "/observed/version"));
    assert_eq!(format!("https://{}", text(&seen, "/cluster/endpoint")), text(&cluster, "/endpoint"));
    assert!(seen.pointer("/cluster/resourceLabels/pmks-uid").is_some(), "{seen}");
    pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--yes"]);
    pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
    assert_eq!(stand.google(&["list"]), json!([]));
}
