//! What other commands are answered while one without a server works, and at the moment when it ends.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::sandbox::{Sandbox, http_get, wait_for};
use crate::survival::{CLUSTER, prepared};

/// Begins to make one more cluster and waits until others are answered.
fn begin(user: &Sandbox, name: &str) -> (Child, String) {
    let args: Vec<&str> = CLUSTER.iter().map(|word| if *word == "c" { name } else { *word }).collect();
    let child = user.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let file = user.path(".local/share/pmks/server.json");
    let url = wait_for("server.json", || {
        let server: Value = serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()?;
        (server["pid"] == child.id())
            .then(|| server["url"].as_str().unwrap().trim_end_matches('/').to_owned())
    });
    (child, url)
}

fn succeeded(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_command_that_works_answers_others() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "200");
    user.good(CLUSTER);
    let (mut child, url) = begin(&user, "d");
    let token = ["-c", "a", "token", "--cluster", "c"];
    assert!(user.good(&token).out.contains("ExecCredential"));
    let secret = std::fs::read_to_string(user.path(".local/share/pmks/token")).unwrap();
    assert_eq!(http_get(&format!("{url}/v1/connections/-/clusters"), Some(secret.trim())).0, 200);
    assert_eq!(http_get(&format!("{url}/v1/connections/-/clusters"), None).0, 401);
    let operations = user.json(&["operation", "list", "--state", "running"]);
    assert_eq!(operations["items"][0]["resource"]["name"], "d", "{operations}");
    assert!(child.try_wait().unwrap().is_none(), "it was asked while it worked");
    // A token for another server is for another server.
    let mut stranger = user.command(&["connection", "list"]);
    stranger.env("PMKS_TOKEN", "of-another-server");
    assert!(stranger.output().unwrap().status.success());
    // Until its end, and over it: somebody answers at each moment.
    while child.try_wait().unwrap().is_none() {
        user.good(&token);
        user.good(&["connection", "list"]);
    }
    succeeded(child);
    assert!(!user.path(".local/share/pmks/server.json").exists());
    user.good(&token);
    assert_eq!(simulator.world.resources("cluster").len(), 2);
}

#[test]
fn who_watches_a_command_that_works_sees_its_end() {
    let user = Sandbox::new();
    let _simulator = prepared(&user, "200");
    let (child, _) = begin(&user, "c");
    let watch =
        |args: &[&str]| user.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let watching =
        [watch(&["-c", "a", "cluster", "watch", "c"]), watch(&["-c", "a", "cluster", "watch", "c"])];
    // What somebody has to carry on waits for its turn, or is told that it is busy: never taken on and left.
    let other = user.run(&["-c", "a", "network", "create", "m", "--cidr", "10.1.0.0/16"]);
    assert!([Some(0), Some(4)].contains(&other.code), "{other:?}");
    succeeded(child);
    for child in watching {
        let output = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains("succeeded"), "{out}{err}");
    }
    let left = user.json(&["operation", "list", "--state", "queued"]);
    assert!(left["items"].as_array().unwrap().is_empty(), "{left}");
    assert_eq!(user.run(&["-c", "a", "cluster", "watch", "nope"]).code, Some(3));
}
