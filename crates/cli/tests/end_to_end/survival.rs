//! What happens to work when processes end: nothing is lost, nothing is doubled.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, Simulator, ended, wait_for};

const NETWORK: &[&str] = &[
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
];
pub(crate) const CLUSTER: &[&str] = &[
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
];

pub(crate) fn prepared(user: &Sandbox, speed: &str) -> Simulator {
    let simulator = user.simulate(speed);
    let made = user.connect("a", &simulator);
    assert_eq!(made.code, Some(0), "{made:?}");
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    user.good(NETWORK);
    simulator
}

#[test]
fn what_a_cloud_makes_late_does_not_outlive_its_removal() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "120");
    // Reset, and applied half a second later: a name is taken once, so that asking again at once would look harmless.
    simulator.world.faults(&json!([
        {"match": {"service": "ec2", "action": "CreateSecurityGroup"},
         "effect": {"type": "applyLate", "seconds": 60}, "times": 1},
    ]));
    let group = ["-c", "a", "security-group", "create", "g", "--network", "n"];
    user.good(&group);
    user.good(&["-c", "a", "security-group", "delete", "g", "--yes"]);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(simulator.world.resources("securityGroup").is_empty());
}

#[test]
fn a_killed_server_goes_on_where_it_was() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "200");
    let server = user.serve(&[]);
    let operation = user.json(&[CLUSTER, &["--no-wait"]].concat());
    let id = operation["id"].as_str().unwrap().to_owned();
    wait_for("the cluster at the cloud", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    server.kill();

    let unfinished = user.good(&["cluster", "list"]);
    assert!(unfinished.err.contains("pmks operation resume"), "{unfinished:?}");
    let _server = user.serve(&[]);
    let watched = user.good(&["operation", "watch", &id]);
    assert!(watched.out.contains("succeeded"), "{watched:?}");
    assert_eq!(simulator.world.resources("cluster").len(), 1);
    assert_eq!(simulator.world.resources("nodeGroup").len(), 1);
}

#[test]
fn a_killed_command_is_resumed() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "200");
    let mut child = user.command(CLUSTER).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the cluster at the cloud", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    let named = user.good(&["connection", "list"]);
    assert!(named.err.contains("unfinished: cluster.create c"), "{named:?}");
    let resumed = user.good(&["operation", "resume"]);
    assert!(resumed.out.contains("succeeded"), "{resumed:?}");
    assert_eq!(simulator.world.resources("cluster").len(), 1);
    assert!(user.good(&["operation", "resume"]).err.contains("nothing is unfinished"));
}

#[test]
fn a_command_carries_on_what_it_has_to_wait_for() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "400");
    user.good(CLUSTER);
    let group = |name| ["-c", "a", "node-group", "add", "--cluster", "c", name];
    let mut child = user.command(&group("x")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the node group", || (simulator.world.resources("nodeGroup").len() == 2).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    user.good(&group("y"));
    assert_eq!(simulator.world.resources("nodeGroup").len(), 3);
    let operations = user.json(&["operation", "list"]);
    let ended = operations["items"].as_array().unwrap().iter().all(|one| one["state"] == "succeeded");
    assert!(ended, "{operations}");
}

#[test]
fn waiting_ends_in_time_and_the_operation_goes_on() {
    let user = Sandbox::new();
    let _simulator = prepared(&user, "200");
    let late = user.run(&[CLUSTER, &["--wait-timeout", "1s"]].concat());
    assert_eq!(late.code, Some(7), "{late:?}");
    let operations = user.json(&["operation", "list", "--kind", "cluster.create"]);
    let watched = user.good(&["operation", "watch", operations["items"][0]["id"].as_str().unwrap()]);
    assert!(watched.out.contains("succeeded"), "{watched:?}");
    stop_background(&user);
}

#[test]
fn commands_without_a_server_do_the_same_work() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "2000");
    user.good(CLUSTER);
    let cluster = user.json(&["-c", "a", "cluster", "get", "c", "--refresh"]);
    assert_eq!(cluster["status"], "Active", "{cluster}");
    user.good(&["-c", "a", "node-group", "scale", "w", "--cluster", "c", "--max", "3", "--desired", "3"]);
    let taken = user.run(CLUSTER);
    assert_eq!(taken.code, Some(4), "{taken:?}");
    user.good(&["-c", "a", "cluster", "delete", "c", "--yes"]);
    assert!(simulator.world.resources("cluster").is_empty());
}

#[test]
fn no_wait_without_a_server_starts_one() {
    let user = Sandbox::new();
    let _simulator = prepared(&user, "2000");
    let asked = user.good(&[CLUSTER, &["--no-wait", "-o", "json"]].concat());
    assert!(asked.err.contains("a server was started in the background"), "{asked:?}");
    let operation: Value = serde_json::from_str(&asked.out).unwrap();
    let watched = user.good(&["operation", "watch", operation["id"].as_str().unwrap()]);
    assert!(watched.out.contains("succeeded"), "{watched:?}");
    stop_background(&user);
}

#[test]
fn an_interrupted_command_leaves_its_operation_to_a_server() {
    let user = Sandbox::new();
    let _simulator = prepared(&user, "200");
    let mut child = user.command(CLUSTER).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    // Before the first progress it does not listen yet.
    while !err.contains(": done") {
        assert_ne!(said.read_line(&mut err).unwrap(), 0, "{err}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    said.read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    assert!(err.contains("goes on"), "{err}");
    let status = wait_for("the cluster", || {
        let ended = ended(user.command(&["-c", "a", "cluster", "get", "c", "-o", "json"]));
        let cluster: Value = serde_json::from_str(&ended.out).ok()?;
        (cluster["status"] == "Active").then(|| cluster["status"].clone())
    });
    assert_eq!(status, "Active");
    stop_background(&user);
}

fn stop_background(user: &Sandbox) {
    let server: Value =
        serde_json::from_str(&std::fs::read_to_string(user.path(".local/share/pmks/server.json")).unwrap())
            .unwrap();
    let pid = server["pid"].to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    wait_for("the server's end", || (!user.path(".local/share/pmks/server.json").exists()).then_some(()));
}
