//! What is found here of rows, by the cloud's identifiers.

use pmks_meta_database::KnownKind;
use serde_json::{Value, json};

use super::tests::{GOOD, good, known, planned, said};

/// What is known here of a kind: names and the cloud's identifiers.
fn list(all: &[(&str, &str)]) -> Value {
    let item = |(name, id): &(&str, &str)| json!({"name": name, "iid": {"systemId": id}});
    json!({"items": all.iter().map(item).collect::<Vec<_>>()})
}

#[tokio::test]
async fn what_is_missing_there_may_be_here() {
    let mut meta = good();
    meta.regions.clear();
    meta.known.retain(|known| known.kind != KnownKind::Network);
    let here = [
        ("/spider/region/r", json!({"RegionName": "r"})),
        ("/v1/connections/a/networks", list(&[("n", "vpc-1")])),
    ];
    let rows = said(&planned(&meta, &here).await);
    let wanted = GOOD.iter().filter(|row| !["region", "network"].contains(&row[0]));
    assert_eq!(rows, wanted.copied().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_node_group_of_a_cluster_that_is_here_is_here_or_left_out() {
    let mut meta = good();
    meta.known.push(known(KnownKind::NodeGroup, "a", "k", "later", "h-1"));
    meta.known.push(known(KnownKind::NodeGroup, "a", "k", "renamed", "/of/k-1/i-1"));
    meta.known.push(known(KnownKind::NodeGroup, "a", "k", "small", "G-1"));
    let here = [
        ("/v1/connections/a/clusters", list(&[("other", "k-1")])),
        (
            "/v1/connections/a/clusters/other/nodeGroups",
            list(&[("g", "/of/k-1/g-1"), ("i", "/of/K-1/I-1"), ("later", "j-1")]),
        ),
    ];
    let rows = said(&planned(&meta, &here).await);
    let none = "its cluster k is here already, and has no node group of that identifier";
    assert_eq!(
        rows[6..],
        [
            ["cluster", "k", "is here already", "by the name other"],
            ["node group", "g", "is here already", ""],
            ["node group", "later", "gone", none],
            ["node group", "renamed", "is here already", "by the name i"],
            ["node group", "small", "gone", none],
        ]
    );
}

#[tokio::test]
async fn a_node_group_is_not_looked_for_in_a_stranger_of_its_clusters_name() {
    let here = [("/v1/connections/a/clusters", list(&[("k", "other")]))];
    let rows = said(&planned(&good(), &here).await);
    let why = "that name is taken, by other: register it by another name, at CB-Spider before or here after";
    assert_eq!(rows[6], ["cluster", "k", "left out", why]);
    assert_eq!(rows[7], ["node group", "g", "left out", "its cluster k was not taken over"]);
}

#[tokio::test]
async fn what_is_called_by_an_identifier_is_another_thing() {
    let mut meta = good();
    meta.known.push(known(KnownKind::KeyPair, "a", "", "p", "key-1"));
    let mut here = vec![
        ("/v1/connections/a/networks", list(&[("vpc-1", "vpc-2")])),
        ("/v1/connections/a/keyPairs", list(&[("key-1", "key-2")])),
        ("/v1/connections/a/clusters", list(&[("k-1", "k-2")])),
    ];
    let rows = said(&planned(&meta, &here).await);
    assert!(rows.iter().all(|row| row[2] == "to be taken over"), "{rows:?}");
    // Nor is what lies in it looked for there.
    here.extend([
        ("/v1/connections/a/networks", list(&[("vpc-1", "vpc-2"), ("m", "vpc-1")])),
        ("/v1/connections/a/networks/vpc-1/subnets", list(&[("s", "subnet-2")])),
        ("/v1/connections/a/networks/m/subnets", list(&[("subnet-1", "subnet-3"), ("t", "subnet-1")])),
        ("/v1/connections/a/clusters", list(&[("k-1", "k-2"), ("l", "k-1")])),
        ("/v1/connections/a/clusters/k-1/nodeGroups", list(&[("g", "g-2")])),
        ("/v1/connections/a/clusters/l/nodeGroups", list(&[("g-1", "g-3"), ("h", "g-1")])),
    ]);
    let rows = said(&planned(&meta, &here).await);
    let there = |row: usize| (rows[row][2].as_str(), rows[row][3].as_str());
    for (row, name) in [(4, "m"), (5, "t"), (7, "l"), (8, "h")] {
        assert_eq!(there(row), ("is here already", &*format!("by the name {name}")), "{rows:?}");
    }
}

#[tokio::test]
async fn what_is_written_nearly_alike_may_be_another_one() {
    let mut meta = good();
    meta.known.push(known(KnownKind::KeyPair, "a", "", "p", "kp"));
    let here = [
        ("/v1/connections/a/keyPairs", list(&[("upper", "KP"), ("team", "team/kp")])),
        ("/v1/connections/a/clusters", list(&[("upper", "K-1")])),
    ];
    let rows = said(&planned(&meta, &here).await);
    assert!(rows.iter().all(|row| row[2] == "to be taken over"), "{rows:?}");
}

#[tokio::test]
async fn a_node_group_is_left_out_where_only_its_clusters_name_is_known() {
    let mut meta = good();
    meta.known.retain(|known| known.kind != KnownKind::Cluster);
    let here = [("/v1/connections/a/clusters", list(&[("k", "k-1")]))];
    let rows = said(&planned(&meta, &here).await);
    let row = rows.iter().find(|row| row[0] == "node group").unwrap();
    assert!(row[2] == "left out" && row[3].contains("is not in the meta database"), "{row:?}");
}

#[tokio::test]
async fn what_no_record_is_kept_of_is_not_here() {
    let stranger = json!({"items": [{"uid": "", "name": "s", "iid": {"systemId": "subnet-1"}}]});
    let here = [
        ("/v1/connections/a/networks", list(&[("n", "vpc-1")])),
        ("/v1/connections/a/networks/n/subnets", stranger),
    ];
    let rows = said(&planned(&good(), &here).await);
    assert_eq!(rows[5], GOOD[5]);
}

#[tokio::test]
async fn which_of_two_clusters_is_meant_by_the_end_of_their_identifiers_the_server_says() {
    let mut meta = good();
    meta.known[2].csp_id = "bare-k".to_owned();
    meta.known.push(known(KnownKind::NodeGroup, "a", "k", "ghost", "none"));
    let here = [
        ("/v1/connections/a/clusters", list(&[("elsewhere", "/of/that/bare-k"), ("other", "/of/it/bare-k")])),
        ("/v1/connections/a/clusters/other/nodeGroups", list(&[("h", "g-1")])),
        ("/v1/connections/a/clusters/elsewhere/nodeGroups", list(&[("h", "none")])),
    ];
    let rows = said(&planned(&meta, &here).await);
    let none = "its cluster k is here already, and has no node group of that identifier";
    assert_eq!(
        rows[6..],
        [
            ["cluster", "k", "is here already", "by the name other"],
            ["node group", "g", "is here already", "by the name h"],
            ["node group", "ghost", "gone", none],
        ]
    );
}

#[tokio::test]
async fn a_subnet_is_planned_in_the_network_of_its_row_by_the_clouds_identifier() {
    let mut meta = good();
    meta.known.push(known(KnownKind::Subnet, "a", "n", "odd", "wants-vpc-9"));
    for (networks, standing) in
        [(vec![("m", "vpc-9"), ("vpc-9", "vpc-1")], "to be taken over"), (vec![("m", "vpc-8")], "failed")]
    {
        meta.known[0].csp_id = networks[0].1.to_owned();
        let rows = said(&planned(&meta, &[("/v1/connections/a/networks", list(&networks))]).await);
        assert_eq!((rows[4][2].as_str(), rows[6][2].as_str()), ("is here already", standing), "{rows:?}");
    }
}
