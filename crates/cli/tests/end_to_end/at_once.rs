//! Many clusters asked for in the same moment, at one account and by the real cloud's request budget: each request is
//! answered before the server's time limit, and what was taken on is what was said to be. `PMKS_LONG=1`: a thousand, 400
//! at a time.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::accounts::{AWS, all_over, api, listed, name};
use crate::sandbox::Sandbox;

/// How many are asked for.
const REQUESTS: usize = 120;
/// How many at the same time: a server has room for 512 connections.
const AT_ONCE: usize = 400;
/// How many subnets that nobody knows each second one of them names. The cloud is asked for each: together they take
/// longer than a request may, by the twenty a second that EC2 allows.
const UNKNOWN: usize = 16;

#[test]
fn each_of_many_creations_at_once_is_answered_and_taken_on_once() {
    let long = std::env::var("PMKS_LONG").is_ok_and(|value| value == "1");
    let requests = if long { 1000 } else { REQUESTS };
    let user = Sandbox::new();
    let server = user.serve(&[]);
    let visitor = api(&user, &server);
    let cloud = user.simulate_cloud(AWS.name, "600", 0);
    let mut connection = cloud.ready["connection"].clone();
    (connection["name"], connection["pace"]) = (json!("here"), json!(1));
    visitor.post("connections", &connection);
    visitor.post("connections/here/prerequisites/fix", &json!({}));
    let subnet = |index: usize| {
        let (name, cidr) = (format!("s{index}"), format!("10.0.{}.0/20", index * 16));
        json!({"name": name, "cidr": cidr, "zone": AWS.zones[index]})
    };
    let network = json!({"name": "net", "cidr": "10.0.0.0/16", "subnets": [subnet(0), subnet(1)]});
    visitor.post("connections/here/networks", &network);
    assert!(all_over(&visitor).keys().eq(["succeeded"]));

    let unknown = |number: usize| (0..UNKNOWN).map(move |index| format!("subnet-{number:06x}{index:02x}"));
    let asked = (0..requests).map(|number| {
        let known = number % 2 == 0;
        let subnets = if known { vec!["s0".to_owned(), "s1".to_owned()] } else { unknown(number).collect() };
        let group = json!({"name": "w", "scaling": {"autoScaling": false, "min": 1, "max": 2, "desired": 1}});
        let body = json!({"name": name(number), "network": "net", "subnets": subnets, "securityGroups": [],
            "nodeGroups": [group]});
        ("connections/here/clusters".to_owned(), body)
    });
    let answers = visitor.post_whatever(asked.collect(), AT_ONCE);

    let mut taken_on = BTreeSet::new();
    let mut later = 0;
    for (number, answer) in answers.iter().enumerate() {
        match answer.status {
            202 => assert!(taken_on.insert(name(number))),
            422 => assert!(number % 2 == 1, "{}", answer.text),
            503 => {
                later += 1;
                assert!(answer.retry_after.is_some(), "{}", answer.text);
            }
            status => panic!("{}: {status} {}", name(number), answer.text),
        }
    }
    println!("{} taken on, {later} to come again, of {requests}", taken_on.len());
    // Who names what is known waits for nobody who does not.
    assert!((0..requests).step_by(2).all(|number| taken_on.contains(&name(number))));
    assert!(later > 0, "the cloud was asked for all in time: nothing was shown");
    let operations = listed(&visitor, "operations");
    let created: Vec<&Value> =
        operations.iter().filter(|operation| operation["kind"] == "cluster.create").collect();
    let names: BTreeSet<String> =
        created.iter().map(|operation| operation["resource"]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!((created.len(), names), (taken_on.len(), taken_on));
    server.kill();
}
