//! A hundred clusters at once on each cloud, in as many simulated accounts as that cloud's default quotas need, and a
//! server that is killed in the middle: what the clouds have and what the API says is the same, each cluster once; no
//! cloud was asked too often; and the server is no larger than it was. `PMKS_LONG=1` makes three
//! hundred.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::accounts::{AWS, AZURE, Accounts, Cloud, GOOGLE, all_over, api, listed, name};
use crate::measures::{self, resident};
use crate::sandbox::{Sandbox, wait_for};

/// How many clusters there are in the end.
const CLUSTERS: usize = 100;

/// How much faster than real the clouds work.
const SPEED: &str = "120";

/// By how many MiB a server may be larger when everything is done than it was before: what its allocator keeps, and
/// the records of what was made.
const KEPT: f64 = 48.0;

#[test]
fn a_hundred_on_aws_in_one_account() {
    a_hundred(AWS);
}

#[test]
fn a_hundred_on_google_in_two_projects() {
    a_hundred(GOOGLE);
}

#[test]
fn a_hundred_on_azure_in_one_subscription() {
    a_hundred(AZURE);
}

fn a_hundred(cloud: Cloud) {
    let long = std::env::var("PMKS_LONG").is_ok_and(|value| value == "1");
    let clusters = if long { CLUSTERS * 3 } else { CLUSTERS };
    let each = cloud.in_a_network;
    let user = Sandbox::new();
    let server = user.serve(&[]);
    let visitor = api(&user, &server);
    let places = Accounts::new(&user, &visitor, cloud, SPEED, (clusters.div_ceil(each), each));
    let asked: BTreeSet<(usize, String)> =
        (0..clusters).map(|number| (places.account(number), name(number))).collect();
    visitor.post_all((0..clusters).map(|number| places.cluster(number)).collect(), 16);
    wait_for("a part of the clusters at the cloud", || (places.standing() >= clusters / 3).then_some(()));
    server.kill();

    let server = user.serve(&[]);
    let visitor = api(&user, &server);
    let states = all_over(&visitor);
    let failed = || listed(&visitor, "operations?state=failed");
    assert!(
        states.len() == 1 && states.contains_key("succeeded"),
        "every operation succeeded: {states:?} {:#?}",
        failed()
    );
    let made = resident(&server);
    // What the API says, what the clouds have, and what was asked for are the same.
    // A read at the end of an operation that the cloud did not answer is made up for by the next refresh.
    let said: Vec<Value> = wait_for("what the clouds say of every cluster", || {
        let said = listed(&visitor, "connections/-/clusters");
        said.iter().all(|cluster| cluster["status"] == "Active").then_some(said)
    });
    let in_api: BTreeSet<(usize, String)> = said
        .iter()
        .map(|cluster| {
            let connection = cluster["connection"].as_str().unwrap();
            (connection[1..].parse().unwrap(), cluster["name"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!((said.len(), &in_api), (clusters, &asked));
    let mut at_cloud = BTreeSet::new();
    for (account, simulator) in places.simulators.iter().enumerate() {
        let there = simulator.world.resources(cloud.kinds.0);
        let names = there.iter().map(|row| (account, row["name"].as_str().unwrap().to_owned()));
        let before = at_cloud.len();
        at_cloud.extend(names);
        assert_eq!(at_cloud.len() - before, there.len(), "no cluster is there twice");
        assert_eq!(simulator.world.resources(cloud.kinds.1).len(), there.len());
    }
    assert_eq!(at_cloud, asked);

    for (account, name) in &asked {
        visitor.delete(&format!("connections/a{account}/clusters/{name}"));
    }
    let states = all_over(&visitor);
    assert_eq!(states.len(), 1, "every operation succeeded: {states:?}");
    assert_eq!(places.standing(), 0);
    let gone = resident(&server);
    assert!(gone < made + KEPT, "{made:.0} MiB with all of them made, {gone:.0} MiB without any");
    for simulator in &places.simulators {
        assert!(simulator.world.resources(cloud.kinds.1).is_empty());
        let calls = simulator.world.call_records();
        assert!(!calls.iter().any(measures::was_throttled), "no call was too many for the cloud");
        println!("{}: {} calls of one account", cloud.name, calls.len());
    }
    println!("{}: {made:.0} MiB when all were made, {gone:.0} MiB when none was left", cloud.name);
}
