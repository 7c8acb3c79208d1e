//! A hundred clusters at once on each cloud, in as many simulated accounts as that cloud's default quotas need, and a
//! server that is killed in the middle: what the clouds have and what the API says is the same, each cluster once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, Simulator, http_delete, http_get, http_post, wait_for};

/// How many clusters there are in the end.
const CLUSTERS: usize = 100;

/// A cloud, and how its accounts share the clusters.
struct Shared {
    cloud: &'static str,
    /// How many accounts the default quotas ask for.
    accounts: usize,
    /// The zones of the network's subnets; an empty text where subnets span zones.
    zones: &'static [&'static str],
}

/// EKS: 100 clusters a region and account by default, five networks, which the clusters of an account share.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>
#[test]
fn a_hundred_on_aws_in_one_account() {
    a_hundred(&Shared { cloud: "aws", accounts: 1, zones: &["ap-northeast-2a", "ap-northeast-2c"] });
}

/// GKE: each cluster takes a `/14` of `10.0.0.0/8` for its pods, so that one network has room for some sixty clusters;
/// 500 processors a region and project are more than enough for fifty.
///
/// Sources: <https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips>,
/// <https://cloud.google.com/compute/resource-usage>
#[test]
fn a_hundred_on_google_in_two_projects() {
    a_hundred(&Shared { cloud: "gcp", accounts: 2, zones: &[""] });
}

/// AKS: 100 clusters a region and subscription by default; their nodes' processors are far below the region's limit.
///
/// Source: <https://learn.microsoft.com/azure/aks/quotas-skus-regions>
#[test]
fn a_hundred_on_azure_in_one_subscription() {
    a_hundred(&Shared { cloud: "azure", accounts: 1, zones: &[""] });
}

fn a_hundred(shared: &Shared) {
    let (clusters, node_groups) = kinds(shared.cloud);
    let user = Sandbox::new();
    let each = CLUSTERS.div_ceil(shared.accounts);
    let simulators: Vec<Simulator> =
        (0..shared.accounts).map(|account| user.simulate_cloud(shared.cloud, "120", account)).collect();
    let server = user.serve(&[]);
    let token = std::fs::read_to_string(user.path(".local/share/pmks/token")).unwrap().trim().to_owned();
    let post = |url: &str, path: &str, body: &Value| {
        let (status, text) = http_post(&format!("{url}/v1/{path}"), &token, body);
        assert!((200..300).contains(&status), "{path}: {status} {text}");
        serde_json::from_str::<Value>(&text).unwrap_or_default()
    };
    for (account, simulator) in simulators.iter().enumerate() {
        let mut connection = simulator.ready["connection"].clone();
        connection["name"] = json!(format!("a{account}"));
        post(&server.url, "connections", &connection);
        let here = format!("connections/a{account}");
        post(&server.url, &format!("{here}/prerequisites/fix"), &json!({}));
        all_over(&server.url, &token);
        let subnets: Vec<Value> = shared
            .zones
            .iter()
            .enumerate()
            .map(|(index, zone)| {
                json!({"name": format!("s{index}"), "cidr": format!("10.0.{}.0/20", index * 16), "zone": zone})
            })
            .collect();
        post(
            &server.url,
            &format!("{here}/networks"),
            &json!({"name": "net", "cidr": "10.0.0.0/16", "subnets": subnets}),
        );
    }
    all_over(&server.url, &token);
    let subnets: Vec<String> = (0..shared.zones.len()).map(|index| format!("s{index}")).collect();
    let mut asked = BTreeSet::new();
    for number in 0..CLUSTERS {
        let (account, name) = (number / each, format!("c{number:03}"));
        let cluster = json!({
            "name": name, "network": "net", "subnets": subnets, "securityGroups": [],
            "nodeGroups": [{"name": "w", "scaling": {"autoScaling": false, "min": 1, "max": 2, "desired": 1}}],
        });
        post(&server.url, &format!("connections/a{account}/clusters"), &cluster);
        asked.insert((account, name));
    }
    let standing = || simulators.iter().map(|one| one.world.resources(clusters).len()).sum::<usize>();
    wait_for("a part of the clusters at the cloud", || (standing() >= CLUSTERS / 3).then_some(()));
    server.kill();

    let server = user.serve(&[]);
    let states = all_over(&server.url, &token);
    assert_eq!(states.get("succeeded"), states.values().max(), "{states:?}");
    assert_eq!(states.len(), 1, "every operation succeeded: {states:?}");
    // What the API says, what the clouds have, and what was asked for are the same.
    // A read at the end of an operation that the cloud did not answer is made up for by the next refresh.
    let said: Vec<Value> = wait_for("what the clouds say of every cluster", || {
        let said = listed(&server.url, &token, "connections/-/clusters");
        said.iter().all(|cluster| cluster["status"] == "Active").then_some(said)
    });
    let in_api: BTreeSet<(usize, String)> = said
        .iter()
        .map(|cluster| {
            let connection = cluster["connection"].as_str().unwrap();
            (connection[1..].parse().unwrap(), cluster["name"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!((said.len(), &in_api), (CLUSTERS, &asked));
    let mut at_cloud = BTreeSet::new();
    for (account, simulator) in simulators.iter().enumerate() {
        let there = simulator.world.resources(clusters);
        let names = there.iter().map(|row| (account, row["name"].as_str().unwrap().to_owned()));
        let before = at_cloud.len();
        at_cloud.extend(names);
        assert_eq!(at_cloud.len() - before, there.len(), "no cluster is there twice");
        assert_eq!(simulator.world.resources(node_groups).len(), there.len());
    }
    assert_eq!(at_cloud, asked);

    for (account, name) in &asked {
        let cluster = format!("{}/v1/connections/a{account}/clusters/{name}", server.url);
        let (code, text) = http_delete(&cluster, &token);
        assert_eq!(code, 202, "{cluster}: {text}");
    }
    let states = all_over(&server.url, &token);
    assert_eq!(states.len(), 1, "every operation succeeded: {states:?}");
    assert_eq!(standing(), 0);
    for simulator in &simulators {
        assert!(simulator.world.resources(node_groups).is_empty());
    }
}

/// A simulator's words for clusters and node groups.
fn kinds(cloud: &str) -> (&'static str, &'static str) {
    match cloud {
        "aws" => ("cluster", "nodeGroup"),
        "gcp" => ("cluster", "nodePool"),
        _ => ("managedCluster", "agentPool"),
    }
}

fn listed(url: &str, token: &str, path: &str) -> Vec<Value> {
    let (mut all, mut page) = (Vec::new(), String::new());
    loop {
        let (status, text) = http_get(&format!("{url}/v1/{path}?pageSize=200{page}"), Some(token));
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        all.extend(answer["items"].as_array().unwrap().iter().cloned());
        match answer["nextPageToken"].as_str() {
            Some(next) => page = format!("&pageToken={next}"),
            None => return all,
        }
    }
}

/// Waits until every operation is over; answers how many ended in which state.
fn all_over(url: &str, token: &str) -> BTreeMap<String, usize> {
    wait_for("the end of every operation", || {
        let mut states = BTreeMap::new();
        for operation in listed(url, token, "operations") {
            *states.entry(operation["state"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        let busy = ["queued", "running"].iter().any(|state| states.contains_key(*state));
        if busy {
            // A list of a hundred operations is no light question.
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
        (!busy).then_some(states)
    })
}
