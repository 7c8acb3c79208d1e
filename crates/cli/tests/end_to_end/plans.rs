//! `--plan` where no cloud is asked: it shows what would be done, and does nothing.

use crate::sandbox::{Sandbox, ended};

#[test]
fn changes_of_our_own_records_are_planned_too() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    assert_eq!(user.connect("empty", &simulator).code, Some(0));
    user.good(&["-c", "a", "network", "create", "n", "--cidr", "10.0.0.0/16"]);
    user.good(&["api-token", "create", "t", "--role", "viewer"]);
    let operation = user.json(&["operation", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    let state = || {
        ["connection list", "api-token list", "operation list", "-c a network list", "-c a key-pair list"]
            .map(|words| user.json(&words.split(' ').collect::<Vec<_>>())["items"].clone())
    };
    let before = state();
    for (words, code) in [
        ("connection update a --pace 9", 0),
        ("connection update nobody --pace 9", 3),
        ("connection delete a", 4),
        ("connection delete empty", 0),
        ("connection delete nobody", 3),
        ("-c a network import m --system-id vpc-1", 0),
        ("-c a network import n --system-id vpc-1", 4),
        ("-c a network forget n", 0),
        ("-c a network forget nobody", 3),
        ("-c a key-pair import k --system-id key-1", 0),
        ("-c a cluster forget nobody", 3),
        (&format!("operation cancel {operation}"), 0),
        (&format!("operation retry {operation}"), 0),
        ("api-token create u --role viewer", 0),
        ("api-token revoke t", 0),
        ("api-token revoke nobody", 3),
        ("master-key rotate", 0),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let planned = user.run(&[&words[..], &["--plan"]].concat());
        assert_eq!(planned.code, Some(code), "{words:?}: {planned:?}");
        assert_eq!(planned.err.contains("nothing was changed"), code == 0, "{words:?}: {planned:?}");
    }
    let taken = user.run(&[
        "connection",
        "create",
        "a",
        "--provider",
        "aws",
        "--region",
        "ap-northeast-2",
        "--ambient",
        "--plan",
    ]);
    assert_eq!(taken.code, Some(4), "{taken:?}");
    user.good(&[
        "connection",
        "create",
        "b",
        "--provider",
        "aws",
        "--region",
        "ap-northeast-2",
        "--ambient",
        "--plan",
    ]);
    // By a variable as well, so that a script is tried out as a whole.
    let mut delete = user.command(&["connection", "delete", "empty", "--yes"]);
    delete.env("PMKS_PLAN", "true");
    assert_eq!(ended(delete).code, Some(0));
    assert_eq!(state(), before);
}

/// Where nothing of pmks is yet, nothing is there afterwards.
#[test]
fn a_plan_leaves_nothing_behind() {
    let user = Sandbox::new();
    let temporary = user.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let all = || {
        let entries = |path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        entries(user.path(".")).chain(entries(temporary.clone())).collect::<Vec<_>>()
    };
    let before = all();
    for (words, code) in [
        ("connection create b --provider aws --region ap-northeast-2 --ambient --plan", 0),
        ("connection update b --pace 2 --plan", 3),
        ("connection delete b --plan", 3),
        ("-c b network create n --cidr 10.0.0.0/16 --plan", 3),
        ("-c b cluster forget n --plan", 3),
        ("api-token create t --role viewer --plan", 0),
        ("api-token revoke t --plan", 3),
        ("operation cancel 01890000-0000-7000-8000-000000000000 --plan", 3),
        ("log-level set info --plan", 0),
    ] {
        let mut command = user.command(&words.split(' ').collect::<Vec<_>>());
        command.env("TMPDIR", &temporary);
        let planned = ended(command);
        assert_eq!(planned.code, Some(code), "{words}: {planned:?}");
        assert_eq!(all(), before, "{words}");
    }
    user.good(&["connection", "list"]);
    assert_ne!(all(), before, "what is no plan begins an installation");
}
