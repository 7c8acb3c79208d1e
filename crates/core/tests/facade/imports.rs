//! What exists at the cloud: shown, imported, forgotten; networks, subnets, security groups and key pairs.

use std::time::Duration;

use pmks_core::{Mutation, NewKeyPair, PageRequest};
use pmks_model::{FailureKind, Iid, KeyPair, Status};
use serde_json::json;

use super::networks::{group, import};
use super::rig::{Rig, fields, from};
use super::stages::{network, subnet, text};

#[tokio::test]
async fn what_nobody_keeps_a_record_of_is_shown_until_it_is_imported() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.done(group("web", "net")).await;
    let pair = rig.cloud.world().key_pairs.len();
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "theirs", "10.9.0.0/16"));
    rig.cloud.world().subnets.insert("subnet-9".into(), subnet("subnet-9", "", "vpc-9", "10.9.1.0/24"));
    let mut theirs = rig.cloud.world().security_groups.values().next().unwrap().clone();
    theirs.iid = Iid::new("theirs", "sg-9");
    rig.cloud.world().security_groups.insert("sg-9".into(), theirs);
    let key = from::<KeyPair>(json!({
        "iid": {"nameId": "theirs", "systemId": "key-9"}, "fingerprint": "f", "tags": {}, "keyValueList": [],
    }));
    rig.cloud.world().key_pairs.insert("key-9".into(), key);
    let (networks, groups, pairs) = (rig.pmks.networks(), rig.pmks.security_groups(), rig.pmks.key_pairs());
    let [net] = &networks.unmanaged("here").await.unwrap()[..] else { panic!("not one network") };
    assert_eq!(
        (net.iid.clone(), net.uid.as_str(), net.status.as_str()),
        (Iid::new("theirs", "vpc-9"), "", "Active")
    );
    let [group] = &groups.unmanaged("here").await.unwrap()[..] else { panic!("not one group") };
    assert_eq!((group.iid.clone(), group.uid.as_str()), (Iid::new("theirs", "sg-9"), ""));
    assert_eq!((group.network.as_str(), group.rules.len()), ("net", 2), "by our name of the network");
    let strangers = pairs.unmanaged("here").await.unwrap();
    assert_eq!(strangers.len(), pair + 1);
    let key = strangers.iter().find(|key| key.iid.system_id == "key-9").unwrap();
    assert_eq!((key.fingerprint.as_str(), key.uid.as_str(), key.created_by_pmks), ("f", "", false));
    assert!(groups.list("here", &PageRequest::default()).await.unwrap().items.len() == 1, "nothing is kept");
    networks.import(&rig.admin, "here", import("n", "vpc-9")).await.unwrap();
    groups.import(&rig.admin, "here", import("g", "sg-9")).await.unwrap();
    pairs.import(&rig.admin, "here", import("k", "key-9")).await.unwrap();
    assert!(networks.unmanaged("here").await.unwrap().is_empty());
    assert!(groups.unmanaged("here").await.unwrap().is_empty());
    assert_eq!(pairs.unmanaged("here").await.unwrap().len(), pair);
    assert_eq!(groups.unmanaged("nowhere").await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn what_exists_is_imported_and_forgotten() {
    let rig = Rig::new().await;
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "", "10.9.0.0/16"));
    rig.cloud.world().subnets.insert("subnet-9".into(), subnet("subnet-9", "", "vpc-9", "10.9.1.0/24"));
    rig.cloud.world().subnets.insert("subnet-8".into(), subnet("subnet-8", "", "vpc-8", "10.8.1.0/24"));
    let networks = rig.pmks.networks();
    let view = networks.import(&rig.admin, "here", import("old", "vpc-9")).await.unwrap();
    assert!(!view.created_by_pmks);
    assert_eq!(view.cidr, "10.9.0.0/16");
    let failure = networks.import(&rig.admin, "here", import("old2", "vpc-9")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::AlreadyExists);
    let failure = networks.import(&rig.admin, "here", import("x", "vpc-0")).await.unwrap_err();
    assert_eq!(fields(&failure), ["systemId"]);
    for name in ["", "-", "..", "a\tb", " old"] {
        let failure = networks.import(&rig.admin, "here", import(name, "")).await.unwrap_err();
        assert_eq!(fields(&failure), ["name", "systemId"], "{name:?}");
    }
    let subnets = rig.pmks.subnets();
    let failure = subnets.import(&rig.admin, "here", "old", import("s", "subnet-8")).await.unwrap_err();
    assert_eq!(fields(&failure), ["systemId"]);
    subnets.import(&rig.admin, "here", "old", import("s", "subnet-9")).await.unwrap();
    let view = networks.get("here", "old", Some(Duration::ZERO)).await.unwrap();
    assert_eq!(view.subnets.iter().map(|subnet| subnet.name.as_str()).collect::<Vec<_>>(), ["s"]);
    networks.forget(&rig.admin, "here", "old").await.unwrap();
    assert_eq!(networks.get("here", "old", None).await.unwrap_err().kind, FailureKind::NotFound);
    assert!(rig.cloud.world().networks.contains_key("vpc-9"));
}

#[tokio::test]
async fn another_one_of_the_same_identifier_is_not_ours() {
    let rig = Rig::new().await;
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "old", "10.9.0.0/16"));
    rig.pmks.networks().import(&rig.admin, "here", import("old", "vpc-9")).await.unwrap();
    let told = |incarnation: &str| {
        rig.advance(60);
        rig.cloud.world().networks.get_mut("vpc-9").unwrap().incarnation = incarnation.into();
    };
    let status = async || rig.pmks.networks().get("here", "old", Some(Duration::ZERO)).await.unwrap().status;
    let removal = || Mutation::DeleteNetwork { connection: "here".into(), network: "old".into() };
    let aimed = || {
        let asked = rig.cloud.world().asked.get("network.delete").cloned().unwrap();
        text(&asked, "/incarnation").to_owned()
    };
    // Imported before the cloud told anything: the first that it tells is kept.
    for (incarnation, expected) in [("", "Active"), ("7", "Active"), ("", "Active"), ("7", "Active")] {
        told(incarnation);
        assert_eq!(status().await.as_str(), expected, "{incarnation:?}");
    }
    told("8");
    assert_eq!(status().await, Status::Missing);
    rig.pmks.networks().sides("here").await.unwrap();
    assert_eq!(status().await, Status::Missing, "in a list, too");
    rig.accept(removal()).await.unwrap();
    rig.settle().await;
    assert_eq!(aimed(), "7");
}

#[tokio::test]
async fn an_import_keeps_what_tells_it_from_others() {
    let rig = Rig::new().await;
    let mut found = network("vpc-9", "theirs", "10.9.0.0/16");
    found.incarnation = "7".into();
    rig.cloud.world().networks.insert("vpc-9".into(), found);
    rig.pmks.networks().import(&rig.admin, "here", import("theirs", "vpc-9")).await.unwrap();
    rig.cloud.world().networks.get_mut("vpc-9").unwrap().incarnation = "8".into();
    rig.advance(60);
    let view = rig.pmks.networks().get("here", "theirs", Some(Duration::ZERO)).await.unwrap();
    assert_eq!(view.status, Status::Missing);
}

#[tokio::test]
async fn what_lies_in_another_region_is_neither_imported_nor_named() {
    let rig = Rig::new().await;
    let far = pmks_model::Network { region: "r2".into(), ..network("vpc-far", "", "10.9.0.0/16") };
    rig.cloud.world().networks.insert("vpc-far".into(), far);
    let says = "lies in r2; this connection's region is r1";
    let refused = rig.pmks.networks().import(&rig.admin, "here", import("far", "vpc-far")).await.unwrap_err();
    assert_eq!(fields(&refused), ["systemId"]);
    assert!(refused.findings.to_string().contains(says), "{refused}");
    let named = rig.accept(group("g", "vpc-far")).await.unwrap_err();
    assert_eq!(fields(&named), ["network"]);
    assert!(named.findings.to_string().contains(says), "{named}");
}

#[tokio::test]
async fn what_is_known_is_not_imported_again_however_it_is_written() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.done(group("web", "net")).await;
    let key_pair = NewKeyPair { name: "mine".into(), ..NewKeyPair::default() };
    rig.done(Mutation::CreateKeyPair { connection: "here".into(), key_pair }).await;
    let networks = rig.pmks.networks();
    let refusals = [
        networks.import(&rig.admin, "here", import("dup", "NET-0001")).await.unwrap_err(),
        rig.pmks.subnets().import(&rig.admin, "here", "net", import("dup", "SUBNET-0002")).await.unwrap_err(),
        rig.pmks.security_groups().import(&rig.admin, "here", import("dup", "SG-0003")).await.unwrap_err(),
        rig.pmks.key_pairs().import(&rig.admin, "here", import("dup", "KEY-0004")).await.unwrap_err(),
    ];
    for failure in refusals {
        assert_eq!(failure.kind, FailureKind::AlreadyExists, "{failure}");
        assert!(failure.detail.contains("known here as"), "{failure}");
    }
    // What is not known is kept as the cloud writes it.
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "", "10.9.0.0/16"));
    let view = networks.import(&rig.admin, "here", import("old", "VPC-9")).await.unwrap();
    assert_eq!(view.iid, Iid::new("old", "vpc-9"));
    // It lies there in whatever case a cloud says so that knows none.
    rig.cloud.world().networks.insert("/g/n".into(), network("/g/n", "", "10.8.0.0/16"));
    networks.import(&rig.admin, "here", import("slashed", "/g/n")).await.unwrap();
    rig.cloud.world().subnets.insert("subnet-9".into(), subnet("subnet-9", "", "/G/N", "10.8.1.0/24"));
    let view =
        rig.pmks.subnets().import(&rig.admin, "here", "slashed", import("s", "subnet-9")).await.unwrap();
    assert_eq!((view.network.as_str(), view.iid.system_id.as_str()), ("slashed", "subnet-9"));
}
