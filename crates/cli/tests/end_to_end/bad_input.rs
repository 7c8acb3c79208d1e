//! Bad input: a clear refusal with everything that is wrong, and nothing half done.

use crate::sandbox::Sandbox;

#[test]
fn what_is_not_there_is_three_and_what_is_missing_is_two() {
    let user = Sandbox::new();
    for (args, code) in [
        (&["connection", "get", "nobody"][..], 3),
        (&["provider", "describe", "atlantis"], 3),
        (&["operation", "get", "00000000-0000-0000-0000-000000000000"], 3),
        (&["cluster", "get", "c"], 2),
        (&["-c", "nobody", "cluster", "get", "c"], 3),
        (&["-c", "nobody", "cluster", "get", ""], 2),
        (&["-c", "nobody", "cluster", "get", ".."], 2),
        (&["-c", "nobody", "cluster", "get", "클러스터"], 3),
        (&["-c", "nobody", "cluster", "get", "a/../../b"], 3),
        (&["-c", "nobody", "token", "--cluster", "c"], 3),
        (&["-c", "nobody", "cluster", "delete", "c"], 2),
        (&["-c", "nobody", "cluster", "delete", "c", "--yes"], 3),
        (&["-c", "nobody", "cluster", "update", "c"], 2),
        (&["-c", "nobody", "node-group", "scale", "w", "--cluster", "c"], 2),
        (&["--server", "http://127.0.0.1:1", "cluster", "list"], 7),
        (&["--server", "ftp://127.0.0.1", "cluster", "list"], 2),
        (&["--database", "postgres://u:hunter2@h/d", "cluster", "list"], 6),
        (&["--database", "oracle:x", "cluster", "list"], 2),
    ] {
        let ended = user.run(args);
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
        assert!(ended.out.is_empty() && ended.err.starts_with("error: "), "{args:?}: {ended:?}");
        assert!(!ended.err.contains("panicked") && !ended.err.contains("hunter2"), "{args:?}: {ended:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let ended = user.run(&[
        "-c",
        "a",
        "network",
        "create",
        "bad name!",
        "--cidr",
        "10.0.0.0/99",
        "--subnet",
        "name=s,cidr=nowhere",
    ]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let findings = ended.err.lines().filter(|line| line.starts_with("  ")).count();
    assert!(findings >= 3, "{ended:?}");
    assert!(user.json(&["-c", "a", "network", "list"])["items"].as_array().unwrap().is_empty());
    assert!(user.json(&["operation", "list"])["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_cluster_file_with_an_unknown_field_is_refused() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let file = user.write("cluster.yaml", "name: a\nnetwork: n\nsubnets: [s]\nnodegroups: []\n");
    let ended = user.run(&["-c", "a", "cluster", "create", "-f", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("nodegroups"), "{ended:?}");
}
