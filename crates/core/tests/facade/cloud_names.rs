//! What has another name at the cloud than here: made so, found so, told by its own name.

use std::collections::BTreeSet;
use std::time::Duration;

use pmks_core::{ImportCluster, ImportResource, Mutation, NewKeyPair, NewSecurityGroup, NewSubnet};
use pmks_driver::ErrorKind;
use pmks_model::{FailureKind, Iid, OperationState, ScalingChange, UpgradeTargets};
use serde_json::json;

use super::rig::{Rig, create, fields, from, new_cluster, new_network};

fn uniquely_named() -> Mutation {
    let mut cluster = new_cluster("prod");
    cluster.unique_cloud_name = Some(true);
    cluster.node_groups.iter_mut().for_each(|group| group.version = "1.31".into());
    create(cluster)
}

fn add(group: serde_json::Value) -> Mutation {
    Mutation::AddNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group: from(group) }
}

fn remove(name: &str) -> Mutation {
    Mutation::RemoveNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group: name.into() }
}

/// Whether a name at the cloud is made of that name and of chance.
#[track_caller]
fn is_drawn_for(name: &str, called: &str) {
    let suffix = called.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    assert_eq!(suffix.len(), 20, "{called:?} for {name:?}");
    assert!(suffix.bytes().all(|one| one.is_ascii_digit() || one.is_ascii_lowercase()), "{called:?}");
}

impl Rig {
    /// The names of all groups of the one cluster at the cloud.
    fn groups_at_cloud(&self) -> Vec<String> {
        let world = self.cloud.world();
        let groups = world.clusters.values().flat_map(|cluster| &cluster.node_groups);
        groups.map(|group| group.iid.name_id.clone()).collect()
    }
}

#[tokio::test]
async fn what_is_made_under_a_unique_name_is_known_by_its_own() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.done(uniquely_named()).await;
    let view = rig.get("prod").await;
    is_drawn_for("prod", &view.cloud_name);
    assert_eq!((view.name.as_str(), view.iid.name_id.as_str()), ("prod", "prod"));
    assert_eq!(view.iid.system_id, view.cloud_name, "this cloud's identifier is the name");
    assert!(view.unique_cloud_name && rig.cloud.world().clusters.contains_key(&view.cloud_name));
    let [group] = view.node_groups.as_slice() else { panic!("{view:?}") };
    is_drawn_for("workers", &group.cloud_name);
    assert_eq!((group.name.as_str(), group.unique_cloud_name), ("workers", true));
    assert!(group.observed.is_some(), "what the cloud says of it is found by its name there");
    assert_eq!(rig.groups_at_cloud(), [group.cloud_name.as_str()]);
    let nodes = rig.pmks.clusters().nodes("here", "prod", Some(Duration::ZERO)).await.unwrap();
    assert!(nodes.iter().all(|node| node.node.node_group == "workers") && nodes.len() == 2, "{nodes:?}");

    rig.done(add(json!({"name": "batch", "uniqueCloudName": true}))).await;
    rig.done(add(json!({"name": "plain"}))).await;
    let fine = ScalingChange { desired: Some(3), ..ScalingChange::default() };
    let scale = Mutation::ScaleNodeGroup {
        connection: "here".into(),
        cluster: "prod".into(),
        node_group: "workers".into(),
        scaling: fine,
    };
    rig.done(scale).await;
    let upgrade = Mutation::UpgradeCluster {
        connection: "here".into(),
        cluster: "prod".into(),
        version: "1.32".into(),
        node_groups: UpgradeTargets::Named(vec!["workers".into()]),
        force: false,
    };
    rig.done(upgrade).await;
    let asked = rig.cloud.world().asked["cluster.upgrade"].clone();
    assert_eq!(asked["request"]["nodeGroups"]["named"], json!([group.cloud_name]), "{asked}");
    let view = rig.get("prod").await;
    let of = |name: &str| view.node_groups.iter().find(|group| group.name == name).unwrap();
    assert_eq!((view.node_groups.len(), of("workers").version.as_str()), (3, "1.32"));
    assert_eq!((of("plain").cloud_name.as_str(), of("plain").unique_cloud_name), ("plain", false));
    is_drawn_for("batch", &of("batch").cloud_name);
    assert_eq!(rig.groups_at_cloud().len(), 3);
    // A list of the cloud makes no second record of what has another name there.
    rig.pmks.clusters().get("here", "prod", Some(Duration::ZERO)).await.unwrap();
    assert_eq!(rig.get("prod").await.node_groups.len(), 3);
    assert!(rig.pmks.clusters().unmanaged(Some("here")).await.unwrap().0.is_empty());

    rig.done(remove("batch")).await;
    assert_eq!(rig.groups_at_cloud().len(), 2);
    let delete =
        Mutation::DeleteCluster { connection: "here".into(), cluster: "prod".into(), delete_volumes: false };
    rig.done(delete).await;
    assert!(rig.cloud.world().clusters.is_empty());
    // The name is free again, and another one at the cloud.
    rig.done(uniquely_named()).await;
    assert_ne!(rig.get("prod").await.cloud_name, view.cloud_name);
}

#[tokio::test]
async fn networks_and_what_belongs_to_them_have_their_own_names() {
    let rig = Rig::new().await;
    let mut network = new_network("net");
    network.unique_cloud_name = Some(true);
    rig.done(Mutation::CreateNetwork { connection: "here".into(), network }).await;
    let subnet: NewSubnet = from(json!({"name": "more", "cidr": "10.0.2.0/24", "uniqueCloudName": true}));
    let (connection, network) = ("here".to_owned(), "net".to_owned());
    rig.done(Mutation::CreateSubnet { connection, network, subnet }).await;
    let security_group: NewSecurityGroup =
        from(json!({"name": "ssh", "network": "net", "uniqueCloudName": true}));
    rig.done(Mutation::CreateSecurityGroup { connection: "here".into(), security_group }).await;
    let key_pair: NewKeyPair = from(json!({"name": "mine", "uniqueCloudName": true}));
    rig.done(Mutation::CreateKeyPair { connection: "here".into(), key_pair }).await;
    let (at, pmks) = ("here", &rig.pmks);
    let network = pmks.networks().get(at, "net", None).await.unwrap();
    is_drawn_for("net", &network.cloud_name);
    let mut shown = BTreeSet::new();
    for subnet in &network.subnets {
        is_drawn_for(&subnet.name, &subnet.cloud_name);
        shown.insert((subnet.name.as_str(), subnet.cloud_name.clone()));
    }
    assert_eq!(shown.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["more", "sub"]);
    let group = pmks.security_groups().get(at, "ssh", None).await.unwrap();
    is_drawn_for("ssh", &group.cloud_name);
    let pair = pmks.key_pairs().get(at, "mine", None).await.unwrap();
    is_drawn_for("mine", &pair.cloud_name);
    {
        let world = rig.cloud.world();
        let called: BTreeSet<String> =
            world.subnets.values().map(|subnet| subnet.iid.name_id.clone()).collect();
        assert_eq!(called, shown.into_iter().map(|(_, called)| called).collect());
        assert!(world.networks.values().all(|found| found.iid.name_id == network.cloud_name));
        assert!(world.security_groups.values().all(|found| found.iid.name_id == group.cloud_name));
        assert!(world.key_pairs.values().all(|found| found.iid.name_id == pair.cloud_name));
    }
    // References are by their own names, whatever the cloud calls them.
    let mut cluster = new_cluster("prod");
    cluster.subnets = vec!["sub".into(), "more".into()];
    cluster.security_groups = vec!["ssh".into()];
    cluster.node_groups[0].key_pair = "mine".into();
    rig.done(create(cluster)).await;
    let seen = rig.get("prod").await.observed.unwrap();
    let names = |iids: &[pmks_model::Iid]| iids.iter().map(|iid| iid.name_id.clone()).collect::<Vec<_>>();
    assert_eq!(
        (seen.network.name_id.as_str(), names(&seen.subnets)),
        ("net", vec!["sub".into(), "more".into()])
    );
    assert_eq!(names(&seen.security_groups), ["ssh"]);
    assert_eq!(rig.get("prod").await.node_groups[0].key_pair, "mine");
    let delete =
        Mutation::DeleteSubnet { connection: at.into(), network: "net".into(), subnet: "more".into() };
    assert_eq!(rig.accept(delete).await.unwrap_err().kind, FailureKind::Conflict, "the cluster uses it");
}

#[tokio::test]
async fn a_retried_creation_asks_for_the_name_that_was_drawn_first() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().makes_templates = true;
    let operation = rig.accept(uniquely_named()).await.unwrap();
    let before = rig.read("prod").await;
    let called = before.node_groups[0].cloud_name.clone();
    let refused = format!("ask node group {called}");
    rig.cloud.world().failures.insert(refused, ErrorKind::QuotaExceeded);
    rig.settle().await;
    let failed = rig.operation(&operation).await;
    assert_eq!(failed.state, OperationState::Failed);
    // What is missing is told by its own name, and the cluster's too.
    let record = rig.store().resource(before.uid.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.broken_off.unwrap().parts, ["workers"]);
    assert!(failed.remains.iter().any(|left| left.kind == "cluster" && left.name == "prod"), "{failed:?}");
    rig.cloud.world().failures.clear();
    rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.operation(&operation).await.state, OperationState::Succeeded);
    assert_eq!((rig.groups_at_cloud(), rig.cloud.world().clusters.len()), (vec![called], 1));
    assert_eq!(rig.get("prod").await.cloud_name, before.cloud_name);
}

#[tokio::test]
async fn what_was_made_for_a_group_is_known_by_the_groups_name_at_the_cloud() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().makes_templates = true;
    rig.accept(uniquely_named()).await.unwrap();
    let called = rig.read("prod").await.node_groups[0].cloud_name.clone();
    rig.cloud.world().failures.insert(format!("ask node group {called}"), ErrorKind::QuotaExceeded);
    rig.settle().await;
    rig.cloud.world().failures.clear();
    assert_eq!(rig.cloud.world().templates.len(), 1);
    rig.done(add(json!({"name": "other"}))).await;
    rig.done(remove("workers")).await;
    assert_eq!(rig.cloud.world().templates.len(), 1, "that of the other group");
}

#[tokio::test]
async fn a_request_overrides_what_is_usual() {
    let mut rig = Rig::new().await;
    rig.network().await;
    rig = rig.with_unique_cloud_names().await;
    let mut cluster = new_cluster("prod");
    cluster.unique_cloud_name = Some(false);
    cluster.node_groups[0].unique_cloud_name = Some(true);
    rig.done(create(cluster)).await;
    let view = rig.get("prod").await;
    assert_eq!((view.cloud_name.as_str(), view.unique_cloud_name), ("prod", false));
    is_drawn_for("workers", &view.node_groups[0].cloud_name);
    rig.done(add(json!({"name": "usual"}))).await;
    let usual = rig.pmks.node_groups().get("here", "prod", "usual", None).await.unwrap();
    is_drawn_for("usual", &usual.cloud_name);
}

#[tokio::test]
async fn an_asked_name_is_judged_though_the_cloud_never_hears_it() {
    let rig = Rig::new().await;
    rig.network().await;
    let mut cluster = new_cluster("-");
    cluster.unique_cloud_name = Some(true);
    let twice = cluster.node_groups[0].clone();
    cluster.node_groups.push(twice);
    let failure = rig.accept(create(cluster)).await.unwrap_err();
    assert_eq!(fields(&failure), ["name", "nodeGroups[1].name"], "{failure}");
    // What the cloud would refuse as a name is fine as one of ours.
    let mut cluster = new_cluster("운영 Cluster");
    cluster.unique_cloud_name = Some(true);
    rig.done(create(cluster)).await;
    is_drawn_for("cluster", &rig.get("운영 Cluster").await.cloud_name);
    let again = || {
        let mut cluster = new_cluster("운영 Cluster");
        cluster.unique_cloud_name = Some(true);
        create(cluster)
    };
    assert_eq!(rig.accept(again()).await.unwrap_err().kind, FailureKind::AlreadyExists);
    let mut network = new_network("other");
    network.unique_cloud_name = Some(true);
    let twice = NewSubnet { cidr: "10.0.3.0/24".into(), ..network.subnets[0].clone() };
    network.subnets.push(twice);
    let failure =
        rig.accept(Mutation::CreateNetwork { connection: "here".into(), network }).await.unwrap_err();
    assert_eq!(fields(&failure), ["subnets[1].name"], "{failure}");
}

#[tokio::test]
async fn a_plan_shows_a_name_and_the_request_gets_another() {
    let rig = Rig::new().await;
    rig.network().await;
    let plan = rig.pmks.plan(&rig.admin, uniquely_named()).await.unwrap();
    let says = plan.findings.iter().filter(|says| says.contains("gets a name such as")).count();
    assert_eq!(says, 2, "{:?}", plan.findings);
    rig.done(uniquely_named()).await;
    let called = rig.get("prod").await.cloud_name;
    assert!(plan.findings.iter().all(|says| !says.contains(&called)), "{:?}", plan.findings);
}

#[tokio::test]
async fn what_is_imported_keeps_the_clouds_name_beside_ours() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.pmks.clusters().forget(&rig.admin, "here", "prod", false).await.unwrap();
    let own = ImportResource { name: "theirs".into(), system_id: "workers".into() };
    let import = ImportCluster {
        name: "taken".into(),
        system_id: "prod".into(),
        take_over: false,
        node_groups: vec![own],
        ..ImportCluster::default()
    };
    rig.done(Mutation::ImportCluster { connection: "here".into(), import }).await;
    let view = rig.get("taken").await;
    assert_eq!((view.cloud_name.as_str(), view.unique_cloud_name), ("prod", false));
    assert_eq!(view.node_groups[0].cloud_name, "workers");
    let upgrade = Mutation::UpgradeCluster {
        connection: "here".into(),
        cluster: "taken".into(),
        version: "1.32".into(),
        node_groups: UpgradeTargets::Named(vec!["theirs".into()]),
        force: false,
    };
    rig.done(upgrade).await;
    assert_eq!(
        rig.cloud.world().asked["cluster.upgrade"]["request"]["nodeGroups"]["named"],
        json!(["workers"])
    );
    let nodes = rig.pmks.clusters().nodes("here", "taken", Some(Duration::ZERO)).await.unwrap();
    assert!(nodes.iter().all(|node| node.node.node_group == "theirs"), "{nodes:?}");
}

#[tokio::test]
async fn the_key_pair_of_a_node_group_is_told_by_both_names() {
    let rig = Rig::new().await;
    rig.network().await;
    let key_pair: NewKeyPair = from(json!({"name": "mine", "uniqueCloudName": true}));
    rig.done(Mutation::CreateKeyPair { connection: "here".into(), key_pair }).await;
    let pair = rig.pmks.key_pairs().get("here", "mine", None).await.unwrap().iid;
    let mut cluster = new_cluster("prod");
    cluster.node_groups[0].key_pair = "mine".into();
    let mut without = cluster.node_groups[0].clone();
    (without.name, without.key_pair) = ("bare".into(), String::new());
    cluster.node_groups.push(without);
    rig.done(create(cluster)).await;
    // A cloud that says nothing of key pairs, as Azure.
    for cluster in rig.cloud.world().clusters.values_mut() {
        cluster.node_groups.iter_mut().for_each(|group| group.key_pair = Iid::default());
    }
    let read = rig.pmks.clusters().get("here", "prod", Some(Duration::ZERO)).await.unwrap();
    let groups = read.node_groups;
    let of = |name: &str| groups.iter().find(|group| group.name == name).unwrap().key_pair_iid.clone();
    assert_ne!(pair.name_id, pair.system_id);
    assert_eq!((of("workers"), of("bare")), (pair, Iid::default()));
}
