//! Networks, subnets, security groups and key pairs.

use std::time::Duration;

use pmks_core::{
    ImportResource, Mutation, NewKeyPair, NewSecurityGroup, NewSubnet, OperationView, PageRequest, PrivateKey,
};
use pmks_driver::ErrorKind;
use pmks_model::{FailureKind, Iid, KeyPair, OperationState, Status};
use secrecy::ExposeSecret;
use serde_json::json;

use super::rig::{Rig, create, fields, from, new_cluster, new_network};
use super::stages::{network, subnet, text};

fn import(name: &str, system_id: &str) -> ImportResource {
    ImportResource { name: name.into(), system_id: system_id.into() }
}

fn group(name: &str, network: &str) -> Mutation {
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
async fn the_private_half_of_a_key_pair_is_answered_once() {
    let rig = Rig::new().await;
    let key_pair = |name: &str, public_key: Option<String>| Mutation::CreateKeyPair {
        connection: "here".into(),
        key_pair: NewKeyPair { name: name.into(), public_key, ..NewKeyPair::default() },
    };
    let accepted = rig.accepted(key_pair("mine", None)).await.unwrap();
    let withheld = accepted.private_key.unwrap();
    let (made, ()) =
        tokio::join!(withheld.once_made(&rig.pmks, &rig.admin, PrivateKey::PATIENCE), rig.settle());
    let (operation, private, _) = made.unwrap();
    assert_eq!(operation.state, OperationState::Succeeded);
    assert!(private.expose_secret().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    let asked = rig.cloud.world().asked.get("keyPair.create").cloned().unwrap();
    assert!(text(&asked, "/request/publicKey").starts_with("ssh-rsa "));
    let operation = rig.operation(&accepted.operation).await;
    let seen = format!("{asked}{}", serde_json::to_string(&operation).unwrap());
    assert!(!seen.contains("PRIVATE"));
    let view = rig.pmks.key_pairs().get("here", "mine", None).await.unwrap();
    assert_eq!(view.fingerprint, "aa:bb");
    let given = rig.accepted(key_pair("given", Some(view.public_key.clone()))).await.unwrap();
    assert!(given.private_key.is_none());
    assert_eq!(
        fields(&rig.accept(key_pair("bad", Some("ssh-dss AAAA".into()))).await.unwrap_err()),
        ["publicKey"]
    );
    rig.settle().await;
    rig.done(Mutation::DeleteKeyPair { connection: "here".into(), key_pair: "mine".into() }).await;
}

#[tokio::test]
async fn the_private_half_of_a_pair_that_was_not_made_is_given_to_nobody() {
    let rig = Rig::new().await;
    let key_pair = |name: &str| Mutation::CreateKeyPair {
        connection: "here".into(),
        key_pair: NewKeyPair { name: name.into(), ..NewKeyPair::default() },
    };
    rig.cloud.world().failures.insert("ask key pair".into(), ErrorKind::QuotaExceeded);
    let withheld = rig.accepted(key_pair("refused")).await.unwrap().private_key.unwrap();
    let (made, ()) =
        tokio::join!(withheld.once_made(&rig.pmks, &rig.admin, PrivateKey::PATIENCE), rig.settle());
    assert_eq!(made.unwrap_err().kind, FailureKind::QuotaExceeded);
    // One that the cloud does not end in time is asked to stop: nobody would have its key.
    rig.cloud.world().failures.clear();
    let accepted = rig.accepted(key_pair("late")).await.unwrap();
    let failure = accepted
        .private_key
        .unwrap()
        .once_made(&rig.pmks, &rig.admin, Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    rig.settle().await;
    assert_eq!(rig.operation(&accepted.operation).await.state, OperationState::Cancelled);
    assert!(rig.cloud.world().key_pairs.is_empty());
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

fn rules(add: &[(i64, &str)], remove: &[(i64, &str)]) -> Mutation {
    let rule = |(port, cidr): &(i64, &str)| {
        from(json!({"direction": "inbound", "protocol": "tcp", "fromPort": port, "cidr": cidr}))
    };
    Mutation::UpdateSecurityGroup {
        connection: "here".into(),
        security_group: "web".into(),
        add: add.iter().map(rule).collect(),
        remove: remove.iter().map(rule).collect(),
    }
}

#[tokio::test]
async fn the_rules_of_a_group_that_stands_change() {
    const ALL: &str = "0.0.0.0/0";
    let rig = Rig::new().await;
    rig.network().await;
    assert_eq!(rig.accept(rules(&[(80, ALL)], &[])).await.unwrap_err().kind, FailureKind::NotFound);
    // One that is still being made is waited for.
    rig.accept(group("web", "net")).await.unwrap();
    rig.done(rules(&[(80, ALL), (443, ALL)], &[(22, "10.0.0.0/8"), (23, ALL)])).await;
    let ports = async || {
        let view = rig.pmks.security_groups().get("here", "web", None).await.unwrap();
        view.rules.iter().filter_map(|rule| rule.from_port).collect::<Vec<_>>()
    };
    assert_eq!(ports().await, [80, 443]);
    rig.done(rules(&[(443, ALL)], &[(80, ALL)])).await;
    assert_eq!(ports().await, [443]);
    for (wrong, found) in [
        (rules(&[], &[]), vec!["add"]),
        (rules(&[(1, ALL), (1, ALL)], &[]), vec!["add[1]"]),
        (rules(&[(1, ALL)], &[(2, ALL), (1, ALL)]), vec!["remove[1]"]),
        (
            rules(&[(1, "10.0.0.1/8")], &[(99_999, "x")]),
            vec!["add[0].cidr", "remove[0].fromPort", "remove[0].cidr"],
        ),
    ] {
        let mut fields: Vec<String> =
            fields(&rig.accept(wrong).await.unwrap_err()).into_iter().map(str::to_owned).collect();
        let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
        fields.sort();
        found.sort();
        assert_eq!(fields, found);
    }
    assert_eq!(ports().await, [443], "what is refused changes nothing");
}

#[tokio::test]
async fn a_group_lets_everything_out_unless_it_names_what_it_lets_out() {
    let rig = Rig::new().await;
    rig.network().await;
    let all = json!({"direction": "outbound", "protocol": "all", "cidr": "0.0.0.0/0"});
    let https = json!({"direction": "outbound", "protocol": "tcp", "fromPort": 443, "cidr": "10.0.0.0/8"});
    let ssh = json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "cidr": "10.0.0.0/8"});
    for (name, asked, has) in [
        ("none", json!([]), json!([all])),
        ("inbound", json!([ssh]), json!([ssh, all])),
        ("outbound", json!([https]), json!([https])),
        ("both", json!([all, https]), json!([all, https])),
    ] {
        let group: NewSecurityGroup = from(json!({"name": name, "network": "net", "rules": asked}));
        let mutation = Mutation::CreateSecurityGroup { connection: "here".into(), security_group: group };
        rig.accept(mutation).await.unwrap();
        // While it is made, and once it is.
        for _ in 0..2 {
            let view = rig.pmks.security_groups().get("here", name, None).await.unwrap();
            assert_eq!(json!(view.rules), has, "{name}");
            rig.settle().await;
        }
    }
}

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

/// What the operation that failed is to be found by.
fn says_what_to_do(reason: &str, operation: &OperationView, what: &str) {
    let wanted = format!("retry operation {}, or delete the {what}", operation.id);
    assert!(reason.contains(&wanted), "{reason}");
}

#[tokio::test]
async fn what_a_failed_creation_made_in_part_is_not_active() {
    let rig = Rig::new().await;
    rig.cloud.world().failures.insert("ask subnet sub".into(), ErrorKind::AlreadyExists);
    let create = Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") };
    let failed = rig.run(create).await;
    assert_eq!(failed.state, OperationState::Failed);
    let networks = rig.pmks.networks();
    let view = networks.get("here", "net", None).await.unwrap();
    assert_eq!((view.iid.system_id.as_str(), view.status.as_str()), ("net-0001", "Degraded"));
    says_what_to_do(&view.status_reason, &failed, "network");
    assert!(view.status_reason.contains("already-exists"), "{view:?}");
    assert_eq!(view.subnets[0].status, Status::Failed);
    says_what_to_do(&view.subnets[0].status_reason, &failed, "network");
    let degraded = PageRequest { state: Some("Degraded".into()), ..PageRequest::default() };
    assert_eq!(networks.list("here", &degraded).await.unwrap().items.len(), 1);
    rig.cloud.world().failures.clear();
    rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await.unwrap();
    assert_eq!(networks.get("here", "net", None).await.unwrap().status, Status::Creating);
    rig.settle().await;
    let view = networks.get("here", "net", None).await.unwrap();
    assert_eq!((view.status.as_str(), view.status_reason.as_str()), ("Active", ""));
    assert_eq!(view.subnets[0].status, Status::Active);
}

#[tokio::test]
async fn a_network_is_whole_once_nothing_of_it_is_missing() {
    let rig = Rig::new().await;
    rig.cloud.world().failures.insert("ask subnet sub".into(), ErrorKind::AlreadyExists);
    let create = Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") };
    assert_eq!(rig.run(create).await.state, OperationState::Failed);
    let networks = rig.pmks.networks();
    assert_eq!(networks.get("here", "net", None).await.unwrap().status, Status::Degraded);
    let (connection, network) = ("here".to_owned(), "net".to_owned());
    rig.done(Mutation::DeleteSubnet { connection, network, subnet: "sub".into() }).await;
    let view = networks.get("here", "net", None).await.unwrap();
    assert_eq!((view.status.as_str(), view.status_reason.as_str()), ("Active", ""));
}

#[tokio::test]
async fn what_was_never_made_says_by_which_operation() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask security group".into(), ErrorKind::QuotaExceeded);
    rig.cloud.world().failures.insert("ask key pair".into(), ErrorKind::QuotaExceeded);
    let failed = rig.run(group("web", "net")).await;
    let view = rig.pmks.security_groups().get("here", "web", None).await.unwrap();
    assert_eq!(view.status, Status::Failed);
    says_what_to_do(&view.status_reason, &failed, "security group");
    let public_key = Some(format!("ssh-ed25519 AAAA{} me", "C".repeat(60)));
    let key_pair = NewKeyPair { name: "mine".into(), public_key, ..NewKeyPair::default() };
    let failed = rig.run(Mutation::CreateKeyPair { connection: "here".into(), key_pair }).await;
    let view = rig.pmks.key_pairs().get("here", "mine", None).await.unwrap();
    assert_eq!(view.status, Status::Failed);
    says_what_to_do(&view.status_reason, &failed, "key pair");
}

#[tokio::test]
async fn a_cluster_without_a_node_group_of_its_request_is_not_active() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask node group workers".into(), ErrorKind::QuotaExceeded);
    let failed = rig.run(create(new_cluster("prod"))).await;
    let view = rig.get("prod").await;
    assert_eq!((view.status, view.node_groups[0].status), (Status::Degraded, Status::Failed));
    says_what_to_do(&view.status_reason, &failed, "cluster");
    says_what_to_do(&view.node_groups[0].status_reason, &failed, "cluster");
}
