//! Networks and their subnets, and what stands in the way of their removal.

use std::time::Duration;

use pmks_core::{ImportResource, Mutation, NewSecurityGroup, NewSubnet, PageRequest};
use pmks_driver::ErrorKind;
use pmks_model::{FailureKind, Iid, OperationState};
use serde_json::json;

use super::rig::{Rig, create, fields, from, new_cluster, new_network};
use super::stages::{network, subnet, text};

pub(crate) fn import(name: &str, system_id: &str) -> ImportResource {
    ImportResource { name: name.into(), system_id: system_id.into() }
}

pub(crate) fn group(name: &str, network: &str) -> Mutation {
    let security_group: NewSecurityGroup = from(json!({
        "name": name, "network": network,
        "rules": [{"direction": "inbound", "protocol": "tcp", "fromPort": 22, "cidr": "10.0.0.0/8"}],
    }));
    Mutation::CreateSecurityGroup { connection: "here".into(), security_group }
}

#[tokio::test]
async fn a_network_comes_with_its_subnets_and_goes_with_them() {
    let rig = Rig::new().await;
    rig.network().await;
    let view = rig.pmks.networks().get("here", "net", None).await.unwrap();
    assert_eq!((view.status.as_str(), view.cidr.as_str()), ("Active", "10.0.0.0/16"));
    assert_eq!(view.iid, Iid::new("net", "net-0001"));
    let [part] = view.subnets.as_slice() else { panic!("{view:?}") };
    assert_eq!((part.iid.clone(), part.zone.as_str()), (Iid::new("sub", "subnet-0002"), "z1"));
    assert_eq!(rig.pmks.networks().get("here", "net-0001", None).await.unwrap().uid, view.uid);
    let failure = rig
        .accept(Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") })
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::AlreadyExists);
    rig.done(Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() }).await;
    assert!(rig.pmks.subnets().list("here", "net", &PageRequest::default()).await.is_err());
    assert!(rig.cloud.world().networks.is_empty());
}

#[tokio::test]
async fn everything_wrong_with_a_network_is_found_together() {
    let rig = Rig::new().await;
    let network = from(json!({
        "name": "Net", "cidr": "10.0.0.0/16", "tags": {"pmks-uid": "x"},
        "subnets": [{"name": "a", "cidr": "10.1.0.0/24"}, {"name": "-", "cidr": "x"}],
    }));
    let failure =
        rig.accept(Mutation::CreateNetwork { connection: "here".into(), network }).await.unwrap_err();
    assert_eq!(
        fields(&failure),
        ["subnets[1].cidr", "name", "subnets[1].name", "subnets[0].cidr", "tags[\"pmks-uid\"]"]
    );
    assert!(rig.pmks.networks().list("here", &PageRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn what_the_cloud_finds_wrong_with_a_network_stands_beside_what_we_do() {
    let rig = Rig::new().await;
    let mut found = pmks_model::Findings::default();
    for field in ["subnets[1].zone", "subnets[0].name", "subnets[0].cidr"] {
        found.add(field, "the cloud says so");
    }
    rig.cloud.world().failures.insert("prepare".into(), ErrorKind::InvalidRequest(found));
    let network = from(json!({
        "name": "", "cidr": "10.0.0.0/16", "tags": {"": "x"},
        "subnets": [{"name": "-", "cidr": "x"}, {"name": "-", "cidr": "10.0.1.0/24", "zone": "nozone"}],
    }));
    let failure =
        rig.accept(Mutation::CreateNetwork { connection: "here".into(), network }).await.unwrap_err();
    let all = [
        "subnets[0].cidr",
        "name",
        "subnets[0].name",
        "subnets[1].name",
        "subnets[1].name",
        "tags",
        "subnets[1].zone",
    ];
    assert_eq!(fields(&failure), all, "{failure}");
}

#[tokio::test]
async fn a_subnet_fits_into_its_network() {
    let rig = Rig::new().await;
    rig.network().await;
    let make = |name: &str, cidr: &str| {
        let subnet = NewSubnet { name: name.into(), cidr: cidr.into(), ..NewSubnet::default() };
        Mutation::CreateSubnet { connection: "here".into(), network: "net".into(), subnet }
    };
    assert_eq!(fields(&rig.accept(make("b", "10.1.0.0/24")).await.unwrap_err()), ["cidr"]);
    assert_eq!(fields(&rig.accept(make("b", "10.0.1.128/25")).await.unwrap_err()), ["cidr"]);
    rig.done(make("b", "10.0.2.0/24")).await;
    assert_eq!(rig.accept(make("b", "10.0.3.0/24")).await.unwrap_err().kind, FailureKind::AlreadyExists);
    let view = rig.pmks.subnets().get("here", "net", "b", None).await.unwrap();
    assert_eq!((view.network.as_str(), view.status.as_str()), ("net", "Active"));
    let delete =
        || Mutation::DeleteSubnet { connection: "here".into(), network: "net".into(), subnet: "b".into() };
    rig.done(delete()).await;
    assert_eq!(rig.accept(delete()).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn what_is_used_is_not_removed_and_says_by_what() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.done(group("web", "net")).await;
    let mut cluster = new_cluster("prod");
    cluster.security_groups = vec!["web".into()];
    rig.done(create(cluster)).await;
    let refused = [
        (Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() }, "cluster \"prod\""),
        (
            Mutation::DeleteSubnet { connection: "here".into(), network: "net".into(), subnet: "sub".into() },
            "cluster \"prod\"",
        ),
        (
            Mutation::DeleteSecurityGroup { connection: "here".into(), security_group: "web".into() },
            "cluster \"prod\"",
        ),
    ];
    for (mutation, by) in refused {
        let failure = rig.accept(mutation).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Conflict);
        assert!(failure.detail.contains(by), "{failure}");
    }
    let networks = rig.pmks.networks();
    let failure = networks.forget(&rig.admin, "here", "net").await.unwrap_err();
    assert!(failure.detail.contains("security group \"web\""), "{failure}");
    let planned = networks.plan_forget(&rig.admin, "here", "net").await.unwrap_err();
    assert_eq!(planned.detail, failure.detail);
    let planned = rig.pmks.connections().plan_delete(&rig.admin, "here").await.unwrap_err();
    assert!(planned.detail.contains("network \"net\""), "{planned}");
}

#[tokio::test]
async fn what_an_operation_holds_is_refused_with_its_name() {
    let rig = Rig::new().await;
    rig.network().await;
    let held = rig.accept(group("web", "net")).await.unwrap();
    // Nothing of ours lives in the network yet but what is being made there.
    let failure = rig
        .accept(Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() })
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.detail.contains("web"), "{failure}");
    rig.settle().await;
    assert_eq!(rig.operation(&held).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn a_reference_is_a_name_or_an_identifier_or_a_finding() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "", "10.9.0.0/16"));
    rig.done(group("by-name", "net")).await;
    rig.done(group("by-our-id", "net-0001")).await;
    rig.done(group("by-clouds-id", "vpc-9")).await;
    let asked = rig.cloud.world().asked.get("securityGroup.create").cloned().unwrap();
    assert_eq!(text(&asked, "/request/network/systemId"), "vpc-9");
    for (network, says) in [("nowhere", "neither here nor at the cloud"), ("", "required"), ("-", "required")]
    {
        let failure = rig.accept(group("g", network)).await.unwrap_err();
        assert_eq!(fields(&failure), ["network"], "{network:?}");
        assert!(failure.findings.to_string().contains(says), "{failure}");
    }
    let view = rig.pmks.security_groups().get("here", "by-our-id", None).await.unwrap();
    assert_eq!(view.rules.len(), 2);
    assert_eq!(view.rules[0].protocol, "tcp");
}

#[tokio::test]
async fn a_subnet_without_a_record_is_listed_shown_and_removed_by_the_clouds_identifier() {
    let rig = Rig::new().await;
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "", "10.9.0.0/16"));
    for (id, whole, cidr) in [
        ("subnet-9", "vpc-9", "10.9.1.0/24"),
        ("subnet-7", "vpc-9", "10.9.2.0/24"),
        ("subnet-8", "vpc-8", "10.8.1.0/24"),
    ] {
        rig.cloud.world().subnets.insert(id.into(), subnet(id, "", whole, cidr));
    }
    let networks = rig.pmks.networks();
    networks.import(&rig.admin, "here", import("old", "vpc-9")).await.unwrap();
    let subnets = rig.pmks.subnets();
    let page =
        |size, token| PageRequest { page_size: Some(size), page_token: token, ..PageRequest::default() };
    let first = subnets.list("here", "old", &page(1, None)).await.unwrap();
    let second = subnets.list("here", "old", &page(1, first.next_page_token)).await.unwrap();
    let names: Vec<(&str, &str)> =
        first.items.iter().chain(&second.items).map(|one| (one.name.as_str(), one.uid.as_str())).collect();
    assert_eq!((names, second.next_page_token), (vec![("subnet-7", ""), ("subnet-9", "")], None));
    let view = subnets.get("here", "vpc-9", "subnet-9", None).await.unwrap();
    assert_eq!((view.network.as_str(), view.cidr.as_str()), ("old", "10.9.1.0/24"));
    let delete = |subnet: &str| Mutation::DeleteSubnet {
        connection: "here".into(),
        network: "old".into(),
        subnet: subnet.into(),
    };
    for other in ["subnet-8", "subnet-0"] {
        assert_eq!(subnets.get("here", "old", other, None).await.unwrap_err().kind, FailureKind::NotFound);
        assert_eq!(rig.accept(delete(other)).await.unwrap_err().kind, FailureKind::NotFound);
    }
    rig.pmks.plan(&rig.admin, delete("subnet-9")).await.unwrap();
    assert_eq!(subnets.get("here", "old", "subnet-9", None).await.unwrap().uid, "", "a plan stores nothing");
    rig.done(delete("subnet-9")).await;
    assert!(!rig.cloud.world().subnets.contains_key("subnet-9"));
    let left = subnets.list("here", "old", &PageRequest::default()).await.unwrap().items;
    assert_eq!(left.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["subnet-7"]);
    let whole = networks.get("here", "old", None).await.unwrap();
    assert_eq!(whole.subnets.len(), 1, "its network tells of the end too");
}

#[tokio::test]
async fn addresses_that_the_cloud_does_not_keep_stay_as_they_were_asked() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().networks.get_mut("net-0001").unwrap().cidr.clear();
    rig.advance(1);
    let view = rig.pmks.networks().get("here", "net", Some(Duration::ZERO)).await.unwrap();
    assert_eq!(view.cidr, "10.0.0.0/16");
    let subnet = NewSubnet { name: "b".into(), cidr: "10.1.0.0/24".into(), ..NewSubnet::default() };
    let create = Mutation::CreateSubnet { connection: "here".into(), network: "net".into(), subnet };
    assert_eq!(fields(&rig.accept(create).await.unwrap_err()), ["cidr"]);
}
