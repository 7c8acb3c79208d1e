//! Versions are floors: a higher one is gone to, the same one is said to be reached, a lower one is refused.

use crate::sandbox::Sandbox;

#[test]
fn a_version_is_never_lowered_and_nobody_is_left_to_believe_it() {
    let user = Sandbox::new();
    let server = user.serve(&["--simulated", "aws", "--speed", "2000"]);
    let on = |args: &[&str]| user.run(&[&["-c", "aws-simulated"], args].concat());
    let good = |args: &[&str]| user.good(&[&["-c", "aws-simulated"], args].concat());
    good(&["connection", "prerequisites", "aws-simulated", "--fix"]);
    let [s, t] =
        ["name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a", "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c"];
    good(&["network", "create", "n", "--cidr", "10.0.0.0/16", "--subnet", s, "--subnet", t]);
    let offered = user.json(&["-c", "aws-simulated", "kubernetes-version", "list"]);
    let mut offered: Vec<&str> =
        offered["items"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    offered.sort_by_key(|version| version.split('.').nth(1).unwrap().parse::<u32>().unwrap());
    let [.., lower, present] = offered.as_slice() else { panic!("{offered:?}") };
    let cluster = ["cluster", "create", "c", "--network", "n", "--subnet", "s", "--subnet", "t"];
    good(&[&cluster[..], &["--version", present, "--node-group", "name=w"]].concat());
    let operations = || user.json(&["operation", "list"])["items"].as_array().unwrap().len();
    let before = operations();
    let raise: [&[&str]; 2] =
        [&["cluster", "upgrade", "c"], &["node-group", "upgrade", "w", "--cluster", "c"]];
    for what in raise {
        for more in [&[][..], &["--plan"]] {
            let refused = on(&[what, &["--version", lower], more].concat());
            assert_eq!(refused.code, Some(2), "{refused:?}");
            let says = format!("is at {present}, and versions are never lowered");
            assert!(refused.err.contains("  version: ") && refused.err.contains(&says), "{refused:?}");
        }
        let planned = good(&[what, &["--version", present, "--plan"]].concat());
        assert!(planned.err.contains(&format!("is at {present} already")), "{planned:?}");
    }
    assert_eq!(operations(), before, "what is refused or planned is no operation");
    for what in raise {
        let reached = good(&[what, &["--version", present]].concat());
        assert!(reached.err.contains(&format!("is at {present} already")), "{reached:?}");
    }
    assert_eq!(server.terminate(), Some(0));
}
