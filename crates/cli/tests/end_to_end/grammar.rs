//! Words that are no command, and pages that need no cloud.

use std::process::Stdio;

use crate::sandbox::{Sandbox, ended};

#[test]
fn wrong_usage_is_two() {
    let user = Sandbox::new();
    for args in [
        &["clusters"][..],
        &["cluster", "make"],
        &["cluster", "list", "--colour"],
        &["cluster", "get"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--tls-cert", "a"],
        &["demo", "--speed", "0"],
        &["simulate"],
        &["simulate", "aws", "--listen", "0.0.0.0:0"],
        &["node-group", "add", "w", "--cluster", "c", "--min", "-1"],
        &["cluster", "create", "a", "--network", "n", "--node-group", "colour=red"],
        &["network", "create", "a", "--cidr", "x", "--wait-timeout", "soon"],
        &["cluster", "list", "-o", "xml"],
        &["--log", "=====", "provider", "list"],
    ] {
        let ended = user.run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.out.is_empty() && ended.err.contains("error"), "{args:?}: {ended:?}");
    }
}

#[test]
fn help_and_version_are_data() {
    let user = Sandbox::new();
    for args in [&["--help"][..], &["--version"], &["cluster", "create", "--help"]] {
        let ended = user.good(args);
        assert!(!ended.out.is_empty() && ended.err.is_empty(), "{args:?}: {ended:?}");
    }
    let version = user.good(&["--version"]).out;
    assert_eq!(version.trim(), format!("pmks {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn pages_need_nothing() {
    let user = Sandbox::new();
    assert!(user.good(&["explain"]).out.contains("quota-exceeded"));
    assert!(user.good(&["explain", "conflict"]).out.starts_with("# conflict"));
    assert_eq!(user.run(&["explain", "nothing"]).code, Some(3));
    for shell in ["bash", "zsh", "fish"] {
        assert!(user.good(&["completion", shell]).out.contains("pmks"), "{shell}");
    }
    let manual = user.good(&["man"]).out;
    assert!(manual.contains(".TH pmks") && manual.contains("node-group"), "{manual}");
    assert!(!user.path(".local").exists() && !user.path(".config").exists(), "pages leave no trace");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let user = Sandbox::new();
    let mut child = user.command(&["man"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn an_unknown_cloud_is_not_found() {
    let user = Sandbox::new();
    let mut command = user.command(&["simulate", "atlantis"]);
    command.stdout(Stdio::piped());
    let ended = ended(command);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("there are aws, azure"), "{ended:?}");
}
