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
        (&["-c", "nobody", "cluster", "watch", "c"], 3),
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

    user.write("other", "hunter2");
    let wrong = "connection create Bad/ --provider aws --region r --credential foo=@other --endpoint no=http://h --endpoint all=ftp://h";
    let ended = user.run(&wrong.split(' ').collect::<Vec<_>>());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for field in ["name", "endpoints.all", "endpoints.no", "credential.foo"] {
        assert_eq!(ended.err.matches(&format!("\n  {field}: ")).count(), 1, "{field} in {ended:?}");
    }
    assert!(!ended.err.contains("hunter2"), "{ended:?}");
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

#[test]
fn what_the_cloud_does_not_offer_is_refused_with_the_rest() {
    let user = Sandbox::new();
    let server = user.serve(&["--simulated", "aws", "--speed", "2000"]);
    let on = |args: &[&str]| user.run(&[&["-c", "aws-simulated"], args].concat());
    let good = |args: &[&str]| assert_eq!(on(args).code, Some(0), "{args:?}");
    good(&["connection", "prerequisites", "aws-simulated", "--fix"]);
    let [s, t] =
        ["name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a", "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c"];
    good(&["network", "create", "n", "--cidr", "10.0.0.0/16", "--subnet", s, "--subnet", t]);
    let create = |version: &str, group: &str, more: &[&str]| {
        let cluster = ["cluster", "create", "c", "--network", "n", "--subnet", "s", "--subnet", "t"];
        on(&[&cluster[..], &["--version", version, "--node-group", group], more].concat())
    };
    let wrong = "name=w,machine-type=m99.huge,root-disk-size-gib=100000";
    let refused = create("1.99", wrong, &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for field in ["version: ", "nodeGroups[0].machineType: ", "nodeGroups[0].rootDiskSizeGib: "] {
        assert_eq!(refused.err.matches(&format!("\n  {field}")).count(), 1, "{field}{refused:?}");
    }
    let no_numbers =
        create("1.99", "name=w,machine-type=m99.huge,root-disk-size-gib=-1,max=many,desired=1e3", &[]);
    assert_eq!(no_numbers.code, Some(2), "{no_numbers:?}");
    let group = ["machineType", "rootDiskSizeGib", "scaling.max", "scaling.desired", "scaling.min"];
    for field in group.map(|field| format!("nodeGroups[0].{field}: ")).iter().chain(&["version: ".to_owned()])
    {
        assert_eq!(no_numbers.err.matches(&format!("\n  {field}")).count(), 1, "{field}{no_numbers:?}");
    }
    let planned = create("1.99", wrong, &["--plan"]);
    let without_id = |text: &str| text.lines().filter(|line| !line.contains("request: ")).collect::<String>();
    assert_eq!((planned.code, without_id(&planned.err)), (Some(2), without_id(&refused.err)));
    let stored = user.json(&["operation", "list"])["items"].as_array().unwrap().clone();
    assert!(stored.iter().all(|operation| operation["kind"] != "cluster.create"), "{stored:#?}");
    assert_eq!(on(&["cluster", "get", "c"]).code, Some(3));
    assert_eq!(create("", "name=w", &[]).code, Some(0));
    assert_eq!(server.terminate(), Some(0));
}
