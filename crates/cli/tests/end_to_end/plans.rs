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
