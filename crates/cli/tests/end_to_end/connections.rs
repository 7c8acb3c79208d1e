//! Connections: secrets never as arguments, never shown, and a wrong one is not kept.

use std::io::Write;
use std::process::Stdio;

use crate::sandbox::{Sandbox, all_text};

#[test]
fn a_secret_is_refused_as_an_argument() {
    let user = Sandbox::new();
    let common = ["connection", "create", "a", "--provider", "aws", "--region", "ap-northeast-2"];
    for fields in [
        &["accessKeyId=AKIA", "secretAccessKey=hunter2"][..],
        &["accessKeyId=AKIA", "secretaccesskey=hunter2"],
        &["accessKeyId=AKIA", "hunter2"],
        &["accessKeyId=AKIA", "secretAccessKey=env:NOWHERE"],
        &["accessKeyId=AKIA", "secretAccessKey=@nowhere"],
        &["accessKeyId=AKIA", "secretAccessKey="],
    ] {
        let mut args = common.to_vec();
        for field in fields {
            args.extend(["--credential", field]);
        }
        let ended = user.run(&args);
        assert_eq!(ended.code, Some(2), "{fields:?}: {ended:?}");
        assert!(!ended.err.contains("hunter2"), "{fields:?}: {ended:?}");
    }
    let ended = user.run(&common);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("secretAccessKey=env:AWS_SECRET_ACCESS_KEY"), "{ended:?}");
    assert!(user.json(&["connection", "list"])["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_secret_is_in_no_output_and_in_no_file() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    let made = user.connect("a", &simulator);
    assert_eq!(made.code, Some(0), "{made:?}");
    let secret = simulator.ready["connection"]["credential"]["secretAccessKey"].as_str().unwrap();
    let mut seen = format!("{}{}", made.out, made.err);
    for args in [
        &["connection", "get", "a", "-o", "json"][..],
        &["connection", "get", "a", "-o", "yaml"],
        &["connection", "list", "-o", "wide"],
        &["connection", "validate", "a", "-o", "json"],
        &["connection", "prerequisites", "a"],
        &["audit", "list", "-o", "json"],
        &["--log", "trace", "--record", "records", "connection", "validate", "a"],
    ] {
        let ended = user.good(args);
        seen.push_str(&ended.out);
        seen.push_str(&ended.err);
    }
    assert!(!seen.contains(secret));
    assert!(!all_text(&user.path(".local")).contains(secret), "the store seals it");
    assert!(!all_text(&user.path("records")).contains(secret));
}

#[test]
fn a_connection_that_does_not_work_is_not_kept() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    let connection = &simulator.ready["connection"];
    let endpoint = format!("all={}", connection["endpoints"]["all"].as_str().unwrap());
    let id = format!("accessKeyId={}", connection["credential"]["accessKeyId"].as_str().unwrap());
    let args = [
        "connection",
        "create",
        "a",
        "--provider",
        "aws",
        "--region",
        "ap-northeast-2",
        "--credential",
        &id,
        "--credential",
        "secretAccessKey=-",
        "--endpoint",
        &endpoint,
    ];
    let mut child = user
        .command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"wrong-secret\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{err}");
    assert!(err.contains("unauthenticated") && !err.contains("wrong-secret"), "{err}");
    assert!(user.json(&["connection", "list"])["items"].as_array().unwrap().is_empty());
    let kept = user.run(&[&args[..], &["--no-validate"]].concat());
    assert_eq!(kept.code, Some(2), "standard input is empty now: {kept:?}");
}

#[test]
fn a_name_is_taken_once_and_deletions_ask() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    assert_eq!(user.connect("a", &simulator).code, Some(4));
    assert_eq!(user.run(&["connection", "delete", "a"]).code, Some(2), "nobody is there to confirm");
    user.good(&["connection", "delete", "a", "--yes"]);
    assert_eq!(user.run(&["connection", "get", "a"]).code, Some(3));
}

#[test]
fn a_rotated_master_key_opens_what_the_old_one_sealed() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let key = user.path(".config/pmks/master-key");
    let old = std::fs::read_to_string(&key).unwrap();
    user.good(&["master-key", "rotate"]);
    let both = std::fs::read_to_string(&key).unwrap();
    let new = both.strip_suffix(&old).unwrap().to_owned();
    assert_eq!(both.lines().count(), 2, "the former key is kept");
    user.good(&["connection", "validate", "a"]);
    user.write("new", &new);

    // What one data directory rotates opens the others still.
    user.good(&["--data-dir", "other", "connection", "list"]);
    user.good(&["master-key", "rotate"]);
    user.good(&["--data-dir", "other", "connection", "list"]);
    user.good(&["connection", "validate", "a"]);
    assert_eq!(std::fs::read_to_string(&key).unwrap().lines().count(), 3);

    std::fs::copy(user.path("new"), &key).unwrap();
    owner_only(&key);
    user.good(&["--data-dir", "other", "connection", "list"]);
    std::fs::remove_file(&key).unwrap();
    let missing = user.run(&["connection", "list"]);
    assert_eq!(missing.code, Some(6), "{missing:?}");
    assert!(missing.err.contains("the master key is missing"), "{missing:?}");
    assert!(!key.exists(), "another key in its place would hide that");

    std::fs::write(&key, old).unwrap();
    assert_eq!(user.run(&["connection", "list"]).code, Some(6), "a key that others can read is refused");
    owner_only(&key);
    let wrong = user.run(&["connection", "list"]);
    assert_eq!(wrong.code, Some(6), "{wrong:?}");
    assert!(wrong.err.contains("master key"), "{wrong:?}");
}

fn owner_only(path: &std::path::Path) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
