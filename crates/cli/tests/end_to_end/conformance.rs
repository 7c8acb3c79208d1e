//! The conformance suite in a user's account: said first, asked, cleaned up whatever ends it, reported.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, Simulator, all_text, wait_for};

const CHEAP: &str =
    "the_account_is_known,a_wrong_credential_is_named_as_such,networks_come_and_go,key_pairs_come_and_go";
const CLUSTER: &str = "a_cluster_with_node_groups_comes_and_goes";

fn connected(user: &Sandbox, speed: &str) -> Simulator {
    let simulator = user.simulate(speed);
    let made = user.connect("a", &simulator);
    assert_eq!(made.code, Some(0), "{made:?}");
    simulator
}

fn report(user: &Sandbox, folder: &str) -> (Value, String) {
    let read = |name: &str| std::fs::read_to_string(user.path(folder).join(name)).unwrap();
    (serde_json::from_str(&read("report.json")).unwrap(), read("report.md"))
}

fn verdicts(report: &Value) -> Vec<(String, String)> {
    let rows = report["cases"].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row["verdict"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn the_plan_says_what_would_be_made_and_makes_nothing() {
    let user = Sandbox::new();
    let simulator = connected(&user, "1000");
    let before = simulator.world.everything();
    let cases = format!("{CHEAP},{CLUSTER}");
    let plan = user.json(&["conformance", "-c", "a", "--plan", "--case", &cases]);
    assert_eq!(simulator.world.everything(), before);
    let case = |name: &str| plan["cases"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    let cluster = case(CLUSTER);
    assert_eq!(
        (&cluster["made"]["cluster"], &cluster["made"]["nodeGroup"]),
        (&json!(1), &json!(2)),
        "{plan}"
    );
    // A control plane of about 9 minutes, node groups of 3, and the same again to remove them.
    let seconds = cluster["seconds"].as_u64().unwrap();
    assert!((12 * 60..60 * 60).contains(&seconds), "{seconds}");
    assert_eq!(case("networks_come_and_go")["made"], json!({"network": 1, "subnet": 2}));
    assert_eq!(case("the_account_is_known")["made"], json!({}));
    let calls: u64 = plan["cases"].as_array().unwrap().iter().map(|row| row["calls"].as_u64().unwrap()).sum();
    assert_eq!(plan["total"]["calls"], json!(calls));
    assert!(calls > 50, "{calls}");

    for wrong in ["networks", "networks_come_and_go,nothing"] {
        let refused = user.run(&["conformance", "-c", "a", "--case", wrong, "--plan"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    let nobody = user.run(&["conformance", "-c", "a", "--case", "key_pairs_come_and_go"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("1 key pair") && nobody.err.contains("--yes"), "{nobody:?}");
    assert_eq!(simulator.world.everything(), before);
}

#[test]
fn a_run_is_reported_and_leaves_nothing() {
    let user = Sandbox::new();
    let simulator = connected(&user, "1000");
    let before = simulator.world.everything();
    let ran = user.good(&["conformance", "-c", "a", "--case", CHEAP, "--yes", "--report", "vouched"]);
    let (report, page) = report(&user, "vouched");
    let names: Vec<&str> = CHEAP.split(',').collect();
    let mut passed: Vec<String> = verdicts(&report).into_iter().map(|(name, _)| name).collect();
    passed.sort();
    let mut wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    wanted.sort();
    assert_eq!(passed, wanted);
    assert!(verdicts(&report).iter().all(|(_, verdict)| verdict == "passed"), "{report:#}");
    assert_eq!(report["report"]["provider"], "aws");
    assert!(report["report"]["capabilities"]["minimumSubnets"].is_number(), "{report:#}");
    assert!(page.contains("# Conformance: aws in ap-northeast-2") && page.contains("4 passed"), "{page}");
    assert_eq!(but_prerequisites(&simulator), before, "nothing is left");
    // What is counted is what was sent. Each rehearsal begins in an empty account, so that it makes what must exist first;
    // here the first case that needs it does.
    for row in report["cases"].as_array().unwrap() {
        let (took, rehearsed) =
            (row["took"]["calls"].as_u64().unwrap(), row["rehearsed"]["calls"].as_u64().unwrap());
        assert!(took > 0 && took <= rehearsed + rehearsed / 2 + 5, "{row}");
    }

    let secret = std::fs::read_to_string(user.path("secret")).unwrap();
    let account = user.json(&["connection", "get", "a"])["account"]["account"].as_str().unwrap().to_owned();
    let account = account.rsplit(':').next().unwrap();
    let written = all_text(&user.path("vouched"));
    assert!(!written.contains(&secret) && !written.contains(account), "{written}");
    assert!(!ran.err.contains(&secret) && !ran.out.contains(&secret));
    let journals = all_text(&user.path(".local/share/pmks/conformance"));
    assert!(journals.is_empty(), "{journals}");
}

#[test]
fn a_killed_run_is_cleaned_up() {
    let user = Sandbox::new();
    let simulator = connected(&user, "300");
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    let before = simulator.world.everything();
    let args = ["conformance", "-c", "a", "--case", CLUSTER, "--yes", "--report", "r"];
    let mut child = user.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the cluster", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(simulator.world.everything().len() > before.len() + 3);
    let secret = std::fs::read_to_string(user.path("secret")).unwrap();
    let journal = all_text(&user.path(".local/share/pmks/conformance"));
    assert!(journal.contains("pmks-whole") && !journal.contains(&secret), "{journal}");

    for how in ["--yes", "--plan"] {
        let refused = user.run(&["connection", "delete", "a", how]);
        assert_eq!(refused.code, Some(6), "{refused:?}");
        assert!(refused.err.contains("pmks conformance -c a --clean-up"), "{refused:?}");
    }

    let cleaned = user.good(&["conformance", "-c", "a", "--clean-up"]);
    assert!(cleaned.err.contains("nothing is left"), "{cleaned:?}");
    assert_eq!(simulator.world.everything(), before);
    let again = user.good(&["conformance", "-c", "a", "--clean-up"]);
    assert!(again.err.contains("nothing was left behind"), "{again:?}");
}

#[test]
fn an_interrupted_run_cleans_up_itself() {
    let user = Sandbox::new();
    let simulator = connected(&user, "300");
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    let before = simulator.world.everything();
    let cases = format!("{CLUSTER},key_pairs_come_and_go");
    let args = ["conformance", "-c", "a", "--case", &cases, "--yes", "--report", "r"];
    let child = user.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the cluster", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert_eq!(simulator.world.everything(), before, "{err}");
    let (report, _) = report(&user, "r");
    let ends: Vec<String> = verdicts(&report).into_iter().map(|(_, verdict)| verdict).collect();
    assert_eq!(ends.iter().filter(|end| *end == "interrupted").count(), 1, "{report:#}");
}

/// Whatever the cloud does, a run ends with its report, and with the name of all that may be left.
#[test]
fn a_cloud_that_does_not_answer_while_a_run_cleans_up_is_no_end_without_a_word() {
    let user = Sandbox::new();
    let simulator = connected(&user, "300");
    user.good(&["connection", "prerequisites", "a", "--fix"]);
    let before = simulator.world.everything();
    let args = ["conformance", "-c", "a", "--case", CLUSTER, "--yes", "--report", "r"];
    let child = user.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the cluster", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    let silence = json!([
        {"match": {}, "effect": {"type": "status", "status": 503, "code": "ServiceUnavailable"}},
    ]);
    simulator.world.faults(&silence);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(8), "{err}");
    for says in [
        "cleaning up goes on trying for",
        "left: cluster pmks-whole",
        "left: network pmks-",
        "pmks conformance -c a --clean-up",
    ] {
        assert!(err.contains(says), "{says}: {err}");
    }
    let (written, page) = report(&user, "r");
    let left = written["left"].as_array().unwrap();
    assert!(left.iter().any(|one| one["kind"] == "cluster"), "{written:#}");
    assert!(page.contains("## Left behind\n\n- ") && page.contains("cluster pmks-whole"), "{page}");

    let refused = user.run(&["conformance", "-c", "a", "--clean-up"]);
    assert_eq!(refused.code, Some(8), "{refused:?}");
    assert!(refused.err.contains("left: cluster pmks-whole"), "{refused:?}");

    simulator.world.faults(&json!([]));
    let cleaned = user.good(&["conformance", "-c", "a", "--clean-up"]);
    assert!(cleaned.err.contains("nothing is left"), "{cleaned:?}");
    assert_eq!(simulator.world.everything(), before);
}

#[test]
fn a_failing_case_is_reported_and_what_it_made_is_removed() {
    let user = Sandbox::new();
    let simulator = connected(&user, "1000");
    let before = simulator.world.everything();
    // A cloud that lacks what the capabilities promise: subnets are never made.
    simulator.world.faults(&json!([
        {"match": {"service": "ec2", "action": "CreateSubnet"},
         "effect": {"type": "status", "status": 400, "code": "UnsupportedOperation"}},
    ]));
    let ran = user.run(&["conformance", "-c", "a", "--case", CHEAP, "--yes", "--report", "r"]);
    assert_eq!(ran.code, Some(8), "{ran:?}");
    let (report, page) = report(&user, "r");
    for (name, verdict) in verdicts(&report) {
        let wanted = if name == "networks_come_and_go" { "failed" } else { "passed" };
        assert_eq!(verdict, wanted, "{name}: {report:#}");
    }
    assert!(page.contains("## Differences from the capabilities\n\n- networks_come_and_go"), "{page}");
    assert_eq!(but_prerequisites(&simulator), before, "the network that was begun is gone");
}

#[test]
fn what_cannot_be_removed_is_named() {
    let user = Sandbox::new();
    let simulator = connected(&user, "1000");
    simulator.world.faults(&json!([
        {"match": {"service": "ec2", "action": "DeleteKeyPair"},
         "effect": {"type": "status", "status": 403, "code": "UnauthorizedOperation"}},
    ]));
    let args = [
        "conformance",
        "-c",
        "a",
        "--case",
        "key_pairs_come_and_go,networks_come_and_go",
        "--yes",
        "--report",
        "r",
    ];
    let ran = user.run(&args);
    assert_eq!(ran.code, Some(8), "{ran:?}");
    assert!(ran.err.contains("left: key pair pmks-key (") && ran.err.contains("--clean-up"), "{ran:?}");
    let (report, page) = report(&user, "r");
    assert_eq!(report["left"][0]["kind"], "keyPair", "{report:#}");
    assert!(page.contains("## Left behind\n\n- key pair pmks-key"), "{page}");
    simulator.world.faults(&json!([]));
    user.good(&["conformance", "-c", "a", "--clean-up"]);
    assert!(simulator.world.resources("keyPair").is_empty());
}

#[test]
fn a_running_server_is_named() {
    let user = Sandbox::new();
    let _simulator = connected(&user, "1000");
    let server = user.serve(&[]);
    let refused = user.run(&["conformance", "-c", "a", "--case", "the_account_is_known", "--yes"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.err.contains(&server.url), "{refused:?}");
    // The plan needs no credential.
    user.good(&["conformance", "-c", "a", "--case", "the_account_is_known", "--plan"]);
}

/// Everything but what must exist in the account first: that stays, and the run says so.
fn but_prerequisites(simulator: &Simulator) -> BTreeSet<(String, String)> {
    simulator.world.everything().into_iter().filter(|(kind, _)| kind != "role").collect()
}
