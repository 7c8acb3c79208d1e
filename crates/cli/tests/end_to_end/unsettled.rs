//! A creation whose answer was lost and which ended before anybody could look: a deletion finds out what there is.

use serde_json::json;

use crate::sandbox::{Sandbox, Server, World};

const CREATE: [&str; 11] =
    ["-c", "aws-simulated", "cluster", "create", "c", "--network", "n", "--subnet", "s", "--subnet", "t"];

/// How often a creation reads the cluster's name before it asks: before it is taken on, in its preflight, in the look
/// of its first stage.
const READS_BEFORE: u64 = 3;

/// A server with simulated AWS, and the network `n` with two subnets.
fn with_network(user: &Sandbox) -> Server {
    let server = user.serve(&["--simulated", "aws", "--speed", "600"]);
    let on = |args: &[&str]| user.good(&[&["-c", "aws-simulated"], args].concat());
    on(&["connection", "prerequisites", "aws-simulated", "--fix"]);
    let [s, t] =
        ["name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a", "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c"];
    on(&["network", "create", "n", "--cidr", "10.0.0.0/16", "--subnet", s, "--subnet", t]);
    server
}

/// A server with simulated AWS, whose cluster `c` was asked for and never heard of: the answer was lost, and then the
/// permission to look.
fn unheard(user: &Sandbox, effect: &str) -> (Server, World) {
    let server = with_network(user);
    let world = user.world();
    let rule = |action: &str, nth: u64, effect: &str| {
        let matcher = json!({"service": "eks", "action": action, "nth": nth});
        json!({"match": matcher, "effect": {"type": effect}})
    };
    let denied = (1..=20).map(|nth| rule("DescribeCluster", READS_BEFORE + nth, "deny"));
    let rules: Vec<_> = [rule("CreateCluster", 1, effect)].into_iter().chain(denied).collect();
    world.faults(&json!(rules));
    let ended = user.run(&CREATE);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.err.contains("nobody knows whether it was made"), "{ended:?}");
    world.faults(&json!([]));
    (server, world)
}

#[test]
fn a_deletion_removes_a_cluster_whose_creation_was_never_heard_of() {
    let user = Sandbox::new();
    let (server, world) = unheard(&user, "resetAfter");
    assert_eq!(world.resources("cluster").len(), 1);
    assert_eq!(user.run(&CREATE).code, Some(4), "its name is not free");
    user.good(&["-c", "aws-simulated", "cluster", "delete", "c", "--yes"]);
    assert!(world.resources("cluster").is_empty());
    assert_eq!(user.run(&["-c", "aws-simulated", "cluster", "get", "c"]).code, Some(3));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_deletion_is_done_where_nothing_was_made() {
    let user = Sandbox::new();
    let (server, world) = unheard(&user, "resetBefore");
    assert!(world.resources("cluster").is_empty());
    user.good(&["-c", "aws-simulated", "cluster", "delete", "c", "--yes"]);
    assert_eq!(user.run(&["-c", "aws-simulated", "cluster", "get", "c"]).code, Some(3));
    user.good(&CREATE);
    assert_eq!(world.resources("cluster").len(), 1);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn what_stands_is_not_gone_because_something_beside_it_is() {
    let user = Sandbox::new();
    let server = with_network(&user);
    let on = |args: &[&str]| user.good(&[&["-c", "aws-simulated"], args].concat());
    on(&["security-group", "create", "g", "--network", "n"]);
    user.good(&CREATE);
    let world = user.world();
    let gone = |actions: &[(&str, &str)]| {
        let rules = actions.iter().map(|(action, code)| {
            let effect = json!({"type": "status", "status": 400, "code": code, "message": "gone in between"});
            json!({"match": {"service": "ec2", "action": action}, "effect": effect, "times": 2})
        });
        world.faults(&json!(rules.collect::<Vec<_>>()));
    };
    for (delete, kind, actions) in [
        (
            &["cluster", "delete", "c", "--yes"][..],
            "cluster",
            &[("DescribeVolumes", "InvalidVolume.NotFound")][..],
        ),
        (
            &["security-group", "delete", "g", "--yes"],
            "securityGroup",
            &[("DescribeNetworkInterfaces", "InvalidNetworkInterfaceID.NotFound")],
        ),
        (&["network", "delete", "n", "--yes"], "vpc", &[("DescribeSubnets", "InvalidSubnetID.NotFound")]),
    ] {
        let before = world.resources(kind).len();
        gone(actions);
        on(delete);
        assert!(world.resources(kind).len() < before, "{kind} stands");
    }
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn nothing_is_made_for_a_network_that_cannot_be() {
    let user = Sandbox::new();
    let server = user.serve(&["--simulated", "aws", "--speed", "600"]);
    let world = user.world();
    let effect =
        json!({"type": "status", "status": 400, "code": "VpcLimitExceeded", "message": "five are five"});
    world
        .faults(&json!([{"match": {"service": "ec2", "action": "CreateVpc"}, "effect": effect, "times": 9}]));
    let network = "-c aws-simulated network create n --cidr 10.0.0.0/16 --subnet name=s,cidr=10.0.0.0/20";
    let refused = user.run(&network.split(' ').collect::<Vec<_>>());
    assert_eq!(refused.code, Some(6), "{refused:?}");
    user.good(&["-c", "aws-simulated", "network", "delete", "n", "--yes"]);
    for kind in ["vpc", "internetGateway"] {
        assert!(world.resources(kind).is_empty(), "{kind} stands");
    }
    assert_eq!(server.terminate(), Some(0));
}
