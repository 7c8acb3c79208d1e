//! Tags of networks, subnets, security groups and key pairs: given at creation, changed, shown, refused.

use pmks_core::{ImportResource, Mutation, NewNetwork, NewSecurityGroup, PageRequest, Tagged};
use pmks_driver::{Capabilities, ErrorKind};
use pmks_model::{FailureKind, OperationKind, OperationState, ResourceKind, Tags};
use serde_json::{Value, json};

use super::driver::CAPABILITIES;
use super::rig::{Rig, fields, from};
use super::stages::network;

/// The same cloud, but that key pairs take no tags.
static WITHOUT: Capabilities =
    Capabilities { tagged: &[ResourceKind::Cluster, ResourceKind::Network], ..CAPABILITIES };

fn tags(all: &[(&str, &str)]) -> Tags {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn update(kind: ResourceKind, name: &str, patch: Value, if_match: &str) -> Mutation {
    let network = (kind == ResourceKind::Subnet).then(|| "net".to_owned());
    let resource = Tagged { kind, network, name: name.to_owned() };
    Mutation::UpdateTags {
        connection: "here".into(),
        resource,
        patch,
        if_match: if_match.into(),
        only_new: false,
    }
}

fn only_new(kind: ResourceKind, name: &str, key: &str) -> Mutation {
    match update(kind, name, json!({"tags": {key: "1"}}), "*") {
        Mutation::UpdateTags { connection, resource, patch, if_match, .. } => {
            Mutation::UpdateTags { connection, resource, patch, if_match, only_new: true }
        }
        other => other,
    }
}

async fn tagged() -> Rig {
    let rig = Rig::new().await;
    let network: NewNetwork = from(json!({"name": "net", "cidr": "10.0.0.0/16", "tags": {"team": "a"},
        "subnets": [{"name": "sub", "cidr": "10.0.1.0/24", "tags": {"tier": "front"}}]}));
    rig.done(Mutation::CreateNetwork { connection: "here".into(), network }).await;
    let security_group: NewSecurityGroup =
        from(json!({"name": "web", "network": "net", "rules": [], "tags": {"team": "b"}}));
    rig.done(Mutation::CreateSecurityGroup { connection: "here".into(), security_group }).await;
    rig
}

#[tokio::test]
async fn tags_are_given_at_creation_and_shown() {
    let rig = tagged().await;
    let asked = rig.cloud.world().asked.get("network.create").cloned().unwrap();
    assert_eq!(asked.pointer("/request/tags"), Some(&json!({"team": "a"})));
    assert_eq!(asked.pointer("/request/subnets/0/tags"), Some(&json!({"tier": "front"})));
    let asked = rig.cloud.world().asked.get("securityGroup.create").cloned().unwrap();
    assert_eq!(asked.pointer("/request/tags"), Some(&json!({"team": "b"})));
    let view = rig.pmks.networks().get("here", "net", None).await.unwrap();
    assert_eq!((&view.tags, &view.subnets[0].tags), (&tags(&[("team", "a")]), &tags(&[("tier", "front")])));
    let page = PageRequest { tags: vec![("team".into(), "b".into())], ..PageRequest::default() };
    assert_eq!(rig.pmks.security_groups().list("here", &page).await.unwrap().items.len(), 1);
    let page = PageRequest { tags: vec![("team".into(), "a".into())], ..PageRequest::default() };
    assert!(rig.pmks.security_groups().list("here", &page).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn tags_change_one_by_one_and_what_is_not_named_stays() {
    let rig = tagged().await;
    for (kind, name, operation) in [
        (ResourceKind::Network, "net", OperationKind::NetworkUpdate),
        (ResourceKind::Subnet, "sub", OperationKind::SubnetUpdate),
        (ResourceKind::SecurityGroup, "web", OperationKind::SecurityGroupUpdate),
    ] {
        let patch = json!({"tags": {"team": "c", "tier": null, "more": "x"}});
        let done = rig.done(update(kind, name, patch, "*")).await;
        assert_eq!((done.kind, done.resource.name.as_str()), (operation, name));
    }
    let after = tags(&[("more", "x"), ("team", "c")]);
    let view = rig.pmks.networks().get("here", "net", None).await.unwrap();
    assert_eq!((&view.tags, &view.subnets[0].tags), (&after, &after));
    assert_eq!(rig.pmks.security_groups().get("here", "web", None).await.unwrap().tags, after);
    // The rest of what was asked for is kept.
    assert_eq!((view.cidr.as_str(), view.subnets[0].cidr.as_str()), ("10.0.0.0/16", "10.0.1.0/24"));
    rig.done(update(ResourceKind::Network, "net", json!({"tags": null}), "*")).await;
    assert_eq!(rig.pmks.networks().get("here", "net", None).await.unwrap().tags, Tags::new());
}

#[tokio::test]
async fn of_what_was_imported_all_tags_are_shown_and_our_marks_are_left_alone() {
    let rig = Rig::new().await;
    let mut found = network("vpc-9", "old", "10.9.0.0/16");
    found.tags = tags(&[("owner", "them"), ("pmks-uid", "u")]);
    rig.cloud.world().networks.insert("vpc-9".into(), found);
    let import = ImportResource { name: "old".into(), system_id: "vpc-9".into() };
    rig.pmks.networks().import(&rig.admin, "here", import).await.unwrap();
    rig.done(update(ResourceKind::Network, "old", json!({"tags": {"team": "a"}}), "*")).await;
    let view = rig.pmks.networks().get("here", "old", None).await.unwrap();
    assert_eq!(view.tags, tags(&[("owner", "them"), ("team", "a")]));
    assert_eq!(view.cidr, "10.9.0.0/16");
    rig.done(update(ResourceKind::Network, "old", json!({"tags": null}), "*")).await;
    assert_eq!(rig.cloud.world().networks["vpc-9"].tags, tags(&[("pmks-uid", "u")]));
}

#[tokio::test]
async fn a_change_of_what_was_changed_since_it_was_read_is_stale() {
    let rig = tagged().await;
    let read = rig.pmks.networks().get("here", "net", None).await.unwrap().version_tag;
    let change = |key: &str| update(ResourceKind::Network, "net", json!({"tags": {key: "1"}}), &read);
    // Whoever asks second has read what holds no longer, though the first change is not made yet.
    rig.accept(change("a")).await.unwrap();
    assert_eq!(rig.accept(change("b")).await.unwrap_err().kind, FailureKind::Stale);
    rig.settle().await;
    let view = rig.pmks.networks().get("here", "net", None).await.unwrap();
    assert_eq!(view.tags, tags(&[("a", "1"), ("team", "a")]));
    assert_ne!(view.version_tag, read);
}

#[tokio::test]
async fn where_only_new_tags_are_wanted_one_of_two_wins() {
    let rig = tagged().await;
    let known = rig.accept(only_new(ResourceKind::Network, "net", "team")).await.unwrap_err();
    assert_eq!(known.kind, FailureKind::AlreadyExists, "{known}");
    assert!(known.detail.contains("\"team\" already exists on network \"net\""), "{known}");
    let first = rig.accept(only_new(ResourceKind::Network, "net", "new")).await.unwrap();
    let to_be = async || {
        let net = Tagged { kind: ResourceKind::Network, network: None, name: "net".to_owned() };
        rig.pmks.tags_to_be("here", &net).await.unwrap()
    };
    assert_eq!(to_be().await, tags(&[("new", "1"), ("team", "a")]));
    let second = rig.accept(only_new(ResourceKind::Network, "net", "new")).await.unwrap_err();
    assert_eq!(second.kind, FailureKind::AlreadyExists, "{second}");
    rig.settle().await;
    assert_eq!(rig.operation(&first).await.state, OperationState::Succeeded);
    assert_eq!(to_be().await, tags(&[("new", "1"), ("team", "a")]));
    // What was foreseen to be gone by then is there still.
    rig.cloud.world().failures.insert("ask tags".into(), ErrorKind::QuotaExceeded);
    let off = update(ResourceKind::Network, "net", json!({"tags": {"team": null}}), "*");
    let off = rig.accept(off).await.unwrap();
    let anew = rig.accept(only_new(ResourceKind::Network, "net", "team")).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.operation(&off).await.error.unwrap().kind, FailureKind::QuotaExceeded);
    assert_eq!(rig.operation(&anew).await.error.unwrap().kind, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn what_is_told_is_what_comes_last_in_the_queue() {
    let rig = tagged().await;
    let change =
        |value: usize| update(ResourceKind::Network, "net", json!({"tags": {"z": value.to_string()}}), "*");
    // They read the record at once: all but one of them have to read again.
    let all = futures::future::join_all((0..4).map(|value| rig.accept(change(value)))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let net = Tagged { kind: ResourceKind::Network, network: None, name: "net".to_owned() };
    let told = rig.pmks.tags_to_be("here", &net).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.pmks.networks().get("here", "net", None).await.unwrap().tags, told);
}

#[tokio::test]
async fn of_two_that_set_one_new_tag_at_the_same_moment_one_is_taken_on() {
    let rig = tagged().await;
    let asks = || rig.accept(only_new(ResourceKind::Network, "net", "new"));
    let (one, two, three) = tokio::join!(asks(), asks(), asks());
    let refused: Vec<_> = [one, two, three].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused.iter().all(|failure| failure.kind == FailureKind::AlreadyExists), "{refused:?}");
}

#[tokio::test]
async fn a_change_that_failed_changes_nothing_that_is_shown() {
    let rig = tagged().await;
    rig.cloud.world().failures.insert("ask tags".into(), ErrorKind::QuotaExceeded);
    let failed = rig.run(update(ResourceKind::SecurityGroup, "web", json!({"tags": {"a": "1"}}), "*")).await;
    assert_eq!(failed.state, OperationState::Failed);
    let view = rig.pmks.security_groups().get("here", "web", None).await.unwrap();
    assert_eq!(view.tags, tags(&[("team", "b")]));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_says_why() {
    let rig = tagged().await;
    let refused = [
        (ResourceKind::NodeGroup, "no-matter", json!({"tags": {"a": "1"}}), FailureKind::Unsupported),
        (ResourceKind::Subnet, "none", json!({"tags": {"a": "1"}}), FailureKind::NotFound),
        (ResourceKind::Network, "net", json!({"cidr": "10.0.0.0/8"}), FailureKind::InvalidRequest),
        (ResourceKind::Network, "net", json!({"tags": {"pmks-uid": null}}), FailureKind::InvalidRequest),
    ];
    for (kind, name, patch, wanted) in refused {
        let failure = rig.accept(update(kind, name, patch, "*")).await.unwrap_err();
        assert_eq!(failure.kind, wanted, "{failure}");
    }
    // Nothing to change is nothing to do.
    let done = rig.done(update(ResourceKind::Network, "net", json!({}), "*")).await;
    assert_eq!(done.state, OperationState::Succeeded);
    rig.cloud.world().capabilities = Some(&WITHOUT);
    let change = update(ResourceKind::KeyPair, "no-matter", json!({"tags": {"a": "1"}}), "*");
    let failure = rig.accept(change).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert_eq!(failure.detail, "a key pair of Fake Kubernetes takes no tags of the user's");
    let key_pair = from(json!({"name": "k", "tags": {"a": "1"}}));
    let failure =
        rig.accept(Mutation::CreateKeyPair { connection: "here".into(), key_pair }).await.unwrap_err();
    assert_eq!(fields(&failure), ["tags"]);
}
