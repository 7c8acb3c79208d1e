//! Clusters: made, changed, protected, imported, forgotten, removed.

use std::collections::BTreeMap;

use pmks_core::{ClusterFilter, ImportCluster, MetricAsked, Mutation, PageRequest};
use pmks_driver::{ErrorKind, Marks};
use pmks_model::{
    Cluster, FailureKind, Iid, MetricWindow, NodeMetric, OperationState, Scaling, Status, UpgradeTargets,
};
use serde_json::{Value, json};

use super::rig::{Rig, create, fields, from, new_cluster, new_network};
use super::stages::{group, text};

fn delete(delete_volumes: bool) -> Mutation {
    Mutation::DeleteCluster { connection: "here".into(), cluster: "prod".into(), delete_volumes }
}

fn patch(patch: Value, if_match: &str) -> Mutation {
    let (connection, cluster) = ("here".into(), "prod".into());
    Mutation::UpdateCluster { connection, cluster, patch, if_match: if_match.into() }
}

fn import(name: &str, system_id: &str, take_over: bool) -> Mutation {
    let import = ImportCluster {
        name: name.into(),
        system_id: system_id.into(),
        take_over,
        node_groups: Vec::new(),
        ..ImportCluster::default()
    };
    Mutation::ImportCluster { connection: "here".into(), import }
}

/// A cluster that somebody else made.
fn strangers(name: &str, installation: Option<&str>) -> Cluster {
    let request =
        from(json!({"name": "pool", "scaling": {"autoScaling": true, "min": 1, "max": 5, "desired": 3}}));
    let mark = |value: &str| ("pmks-installation".to_owned(), value.to_owned());
    Cluster {
        iid: Iid::unnamed(name),
        incarnation: "9".into(),
        status: Status::Active,
        node_groups: vec![group(&request)],
        tags: installation.map(mark).into_iter().collect(),
        ..Cluster::default()
    }
}

#[tokio::test]
async fn a_cluster_is_shown_as_it_was_asked_and_as_it_is() {
    let rig = Rig::new().await;
    let view = rig.cluster().await;
    assert_eq!((view.status, view.version.as_str()), (Status::Active, ""));
    assert_eq!((view.network.as_str(), view.subnets.as_slice()), ("net", &["sub".to_owned()][..]));
    assert_eq!(view.tags, BTreeMap::from([("team".to_owned(), "a".to_owned())]));
    let observed = view.observed.unwrap();
    assert_eq!(observed.version.unwrap().to_string(), "1.31");
    assert_eq!(observed.network, Iid::new("net", "net-0001"));
    assert_eq!(observed.tags, view.tags);
    let [workers] = view.node_groups.as_slice() else { panic!("{:?}", view.node_groups) };
    assert_eq!((workers.status, workers.nodes.len()), (Status::Active, 2));
    assert_eq!((workers.version.as_str(), workers.machine_type.as_str()), ("", "small"));
    let asked = rig.cloud.world().asked.get("cluster.create").cloned().unwrap();
    assert_eq!(text(&asked, "/request/network/systemId"), "net-0001");
    assert_eq!(text(&asked, "/request/subnets/0/systemId"), "subnet-0002");
    assert_eq!(text(&asked, "/marks/uid"), view.uid);
}

#[tokio::test]
async fn everything_wrong_with_a_cluster_is_found_together_and_nothing_is_stored() {
    let rig = Rig::new().await;
    rig.network().await;
    let cluster = from(json!({
        "name": "Prod", "version": "one", "network": "net", "subnets": ["sub", "nope"], "securityGroups": ["gone"],
        "options": {"loging": true},
        "nodeGroups": [{
            "name": "W", "version": "x", "keyPair": "lost", "rootDiskSizeGib": 1,
            "scaling": {"autoScaling": false, "min": 2, "max": 1, "desired": 1},
        }],
    }));
    let failure = rig.accept(create(cluster)).await.unwrap_err();
    assert_eq!(
        fields(&failure),
        [
            "subnets[1]",
            "securityGroups[0]",
            "nodeGroups[0].keyPair",
            "nodeGroups[0].version",
            "version",
            "name",
            "nodeGroups[0].scaling.min",
            "nodeGroups[0].scaling.desired",
            "nodeGroups[0].name",
            "nodeGroups[0].rootDiskSizeGib",
            "options.loging",
        ]
    );
    assert!(
        rig.pmks.clusters().list(Some("here"), &ClusterFilter::default()).await.unwrap().items.is_empty()
    );
}

#[tokio::test]
async fn a_cluster_waits_for_the_network_that_is_being_made() {
    let rig = Rig::new().await;
    rig.accept(Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") })
        .await
        .unwrap();
    let operation = rig.accept(create(new_cluster("prod"))).await.unwrap();
    let view = rig.get("prod").await;
    assert_eq!((view.status, view.node_groups[0].status), (Status::Creating, Status::Creating));
    rig.settle().await;
    assert_eq!(rig.operation(&operation).await.state, OperationState::Succeeded);
    let asked = rig.cloud.world().asked.get("cluster.create").cloned().unwrap();
    assert_eq!(text(&asked, "/request/network/systemId"), "net-0001");
}

#[tokio::test]
async fn a_name_that_is_taken_is_taken_through_every_connection_of_the_account() {
    let rig = Rig::new().await;
    let view = rig.cluster().await;
    assert_eq!(rig.accept(create(new_cluster("prod"))).await.unwrap_err().kind, FailureKind::AlreadyExists);
    rig.connect("twin", "AK1b").await;
    rig.pmks.connections().validate(&rig.admin, "twin").await.unwrap();
    let clusters = rig.pmks.clusters();
    assert_eq!(clusters.get("twin", "prod", None).await.unwrap().uid, view.uid);
    assert_eq!(clusters.list(None, &ClusterFilter::default()).await.unwrap().items.len(), 1);
    rig.connect("other", "AK2").await;
    rig.pmks.connections().validate(&rig.admin, "other").await.unwrap();
    assert_eq!(clusters.get("other", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn a_plan_changes_and_stores_nothing() {
    let rig = Rig::new().await;
    rig.network().await;
    let plan = rig.pmks.plan(&rig.admin, create(new_cluster("prod"))).await.unwrap();
    let stages: Vec<(&str, usize)> =
        plan.stages.iter().map(|stage| (stage.name.as_str(), stage.after.len())).collect();
    assert_eq!(stages, [("control plane", 0), ("node group workers", 1)]);
    assert_eq!(plan.resolved.get("version").unwrap(), "1.31, the cloud's default");
    assert!(rig.cloud.world().clusters.is_empty());
    assert_eq!(rig.pmks.clusters().get("here", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
    rig.done(create(new_cluster("prod"))).await;
    let failure = rig.pmks.plan(&rig.admin, create(new_cluster("prod"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::AlreadyExists);
    let plan = rig.pmks.plan(&rig.admin, delete(false)).await.unwrap();
    assert_eq!(plan.children.found.len(), 1);
    assert!(rig.cloud.world().clusters.contains_key("prod"));
    rig.cloud.world().failures.insert("prepare".into(), ErrorKind::QuotaExceeded);
    let failure = rig.pmks.plan(&rig.admin, delete(false)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::QuotaExceeded);
}

#[tokio::test]
async fn tags_and_protection_change_by_a_patch_that_names_its_version() {
    let rig = Rig::new().await;
    let view = rig.cluster().await;
    let change = json!({"tags": {"team": null, "cost": "1"}, "deletionProtection": true});
    rig.done(patch(change, &view.version_tag)).await;
    let after = rig.get("prod").await;
    assert_eq!(after.tags, BTreeMap::from([("cost".to_owned(), "1".to_owned())]));
    assert!(after.deletion_protection);
    assert_eq!(after.observed.unwrap().tags, after.tags);
    let stale = rig.accept(patch(json!({}), &view.version_tag)).await.unwrap_err();
    assert_eq!(stale.kind, FailureKind::Stale);
    let failure = rig.accept(patch(json!({"name": "x"}), "*")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    let failure = rig.accept(patch(json!({"options": {"x": 1}}), "*")).await.unwrap_err();
    assert_eq!(fields(&failure), ["options.x"]);
    let failure = rig.accept(delete(false)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Precondition);
    rig.done(patch(json!({"deletionProtection": false}), "*")).await;
    rig.done(delete(true)).await;
    let asked = rig.cloud.world().asked.get("cluster.delete").cloned().unwrap();
    assert_eq!(asked.get("deleteVolumes"), Some(&json!(true)));
    assert_eq!(rig.pmks.clusters().get("here", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(rig.accept(delete(false)).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn null_removes_or_says_why_it_cannot() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.done(patch(json!({"tags": {"cost": "1"}, "deletionProtection": true}), "*")).await;
    rig.done(patch(json!({"tags": {"cost": null}}), "*")).await;
    let after = rig.get("prod").await;
    assert_eq!(after.tags, BTreeMap::from([("team".to_owned(), "a".to_owned())]));
    rig.done(patch(json!({"tags": null, "deletionProtection": null}), "*")).await;
    let after = rig.get("prod").await;
    assert!(after.tags.is_empty() && after.observed.unwrap().tags.is_empty());
    assert!(!after.deletion_protection);
    let failure = rig.accept(patch(json!({"options": null}), "*")).await.unwrap_err();
    assert_eq!(fields(&failure), ["options"]);
    let failure = rig.accept(patch(json!({"options": {"logging": null}}), "*")).await.unwrap_err();
    assert!(fields(&failure).contains(&"options.logging"), "{failure}");
}

#[tokio::test]
async fn a_deletion_joins_one_that_runs_and_ends_what_waits() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().stuck.insert("cluster".into());
    let waits = rig.accept(patch(json!({"tags": {"a": "b"}}), "*")).await.unwrap();
    let first = rig.accept(delete(false)).await.unwrap();
    assert_eq!(rig.operation(&waits).await.state, OperationState::Cancelled);
    rig.round().await;
    assert_eq!(rig.accept(delete(false)).await.unwrap().id, first.id);
    // With its volumes it would be another one: neither wish gets lost silently.
    let other = rig.accept(delete(true)).await.unwrap_err();
    assert_eq!(other.kind, FailureKind::Conflict);
    assert!(other.detail.contains(&first.id.to_string()) && other.detail.contains("keeps its volumes"));
    assert_eq!(rig.get("prod").await.status, Status::Deleting);
    rig.cloud.world().stuck.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&first).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn a_deletion_with_volumes_takes_the_place_of_one_that_was_cancelled() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().stuck.insert("cluster".into());
    let first = rig.accept(delete(false)).await.unwrap();
    rig.pmks.operations().cancel(&rig.admin, &first.id.to_string()).await.unwrap();
    let second = rig.accept(delete(true)).await.unwrap();
    assert_ne!(second.id, first.id);
    let narrower = rig.accept(delete(false)).await.unwrap_err();
    assert!(narrower.detail.contains("deletes its volumes too"), "{narrower}");
    rig.cloud.world().stuck.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&first).await.state, OperationState::Cancelled);
    assert_eq!(rig.operation(&second).await.state, OperationState::Succeeded);
    let asked = rig.cloud.world().asked.get("cluster.delete").cloned().unwrap();
    assert_eq!(asked.get("deleteVolumes"), Some(&json!(true)));
}

#[tokio::test]
async fn a_cluster_that_was_never_made_is_removed_without_asking() {
    let rig = Rig::new().await;
    rig.network().await;
    let operation = rig.never_made("prod").await;
    assert_eq!(operation.error.unwrap().kind, FailureKind::QuotaExceeded);
    let view = rig.get("prod").await;
    assert_eq!((view.status, view.node_groups[0].status), (Status::Failed, Status::Failed));
    rig.done(delete(false)).await;
    assert_eq!(rig.pmks.clusters().get("here", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn an_upgrade_checks_its_node_groups_and_moves_what_was_asked() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let upgrade = |version: &str, node_groups| Mutation::UpgradeCluster {
        connection: "here".into(),
        cluster: "prod".into(),
        version: version.into(),
        node_groups,
        force: false,
    };
    let named = UpgradeTargets::Named(vec!["workers".into(), "ghosts".into()]);
    assert_eq!(fields(&rig.accept(upgrade("x", named)).await.unwrap_err()), ["nodeGroups[1]", "version"]);
    rig.done(upgrade("1.32", UpgradeTargets::All)).await;
    let view = rig.get("prod").await;
    assert_eq!(view.version, "1.32");
    assert_eq!(view.observed.unwrap().version.unwrap().to_string(), "1.32");
    // A node group without a version of its own goes on following its cluster.
    assert_eq!(view.node_groups[0].version, "");
}

#[tokio::test]
async fn an_import_stores_nothing_that_nobody_asked_for() {
    let rig = Rig::new().await;
    rig.cloud.world().clusters.insert("legacy".into(), strangers("legacy", None));
    rig.cloud.world().clusters.insert("theirs".into(), strangers("theirs", Some("another")));
    let (found, missed) = rig.pmks.clusters().unmanaged(Some("here")).await.unwrap();
    assert_eq!((found.len(), missed.len()), (2, 0));
    assert_eq!(found[1].installation.as_deref(), Some("another"));
    rig.done(import("old", "legacy", false)).await;
    let view = rig.get("old").await;
    assert!(view.imported && view.tags.is_empty() && view.version.is_empty());
    assert_eq!(view.iid, Iid::new("old", "legacy"));
    let [pool] = view.node_groups.as_slice() else { panic!("{view:?}") };
    assert_eq!(pool.scaling, Some(Scaling { auto_scaling: true, min: 1, max: 5, desired: 3 }));
    assert_eq!(fields(&rig.accept(import("x", "nowhere", false)).await.unwrap_err()), ["systemId"]);
    assert_eq!(fields(&rig.accept(import("..", "", false)).await.unwrap_err()), ["name", "systemId"]);
    assert_eq!(
        rig.accept(import("twice", "legacy", false)).await.unwrap_err().kind,
        FailureKind::AlreadyExists
    );
    let plan = rig.pmks.plan(&rig.admin, import("new", "theirs", true)).await.unwrap();
    let says = plan.findings.join("; ");
    assert!(says.contains("cluster theirs") && says.contains("node group pool"), "{says}");
    assert!(says.contains("autoscaling is on of pool"), "{says}");
    // A plan refuses what the import would.
    let planned = rig.pmks.plan(&rig.admin, import("twice", "legacy", false)).await.unwrap_err();
    assert_eq!(planned.kind, FailureKind::AlreadyExists);
    assert!(planned.detail.contains("\"old\""), "{planned}");
    assert_eq!(rig.accept(import("theirs", "theirs", false)).await.unwrap_err().kind, FailureKind::Conflict);
    rig.done(import("theirs", "theirs", true)).await;
    let again = rig.accept(import("theirs", "theirs", false)).await.unwrap_err();
    assert_eq!(again.kind, FailureKind::AlreadyExists, "it was taken over");
    assert!(rig.pmks.clusters().unmanaged(None).await.unwrap().0.is_empty());
    let installation = Marks::KEYS[0];
    assert!(rig.cloud.world().clusters["theirs"].tags.contains_key(installation));
    // It is called as another one is known at the cloud, and each is told from the other.
    rig.cloud.world().clusters.insert("third".into(), strangers("third", None));
    rig.done(import("legacy", "third", false)).await;
    let named = async |name: &str| rig.get(name).await.iid;
    assert_eq!(named("legacy").await, Iid::new("legacy", "third"));
    assert_eq!(named("old").await, Iid::new("old", "legacy"));
}

#[tokio::test]
async fn node_groups_of_an_imported_cluster_have_the_names_that_are_given() {
    let rig = Rig::new().await;
    rig.cloud.world().clusters.insert("legacy".into(), strangers("legacy", None));
    let asked = |names: Value| Mutation::ImportCluster {
        connection: "here".into(),
        import: from(json!({"name": "old", "systemId": "legacy", "nodeGroups": names})),
    };
    let wrong = json!([{"name": "..", "systemId": "pool"}, {"name": "b", "systemId": "pool"},
        {"name": "c", "systemId": "none"}]);
    let refused = rig.accept(asked(wrong)).await.unwrap_err();
    assert_eq!(fields(&refused), ["nodeGroups[0].name", "nodeGroups[1].systemId", "nodeGroups[2].systemId"]);
    // Who takes away the names that are refused can have the rest.
    let mut two = strangers("legacy", None);
    let sizes = json!({"autoScaling": false, "min": 1, "max": 1, "desired": 1});
    two.node_groups.push(group(&from(json!({"name": "other", "scaling": sizes}))));
    rig.cloud.world().clusters.insert("legacy".into(), two);
    let taken = json!([{"name": "other", "systemId": "pool"}, {"name": "ghost", "systemId": "none"}]);
    let refused = rig.accept(asked(taken)).await.unwrap_err();
    assert_eq!(fields(&refused), ["nodeGroups[1].systemId", "nodeGroups[0].name"], "{refused}");
    let alike = json!([{"name": "a", "systemId": "pool"}, {"name": "a", "systemId": "other"}]);
    assert_eq!(fields(&rig.accept(asked(alike)).await.unwrap_err()), ["nodeGroups[1].name"]);
    let mut cases = strangers("legacy", None);
    cases.node_groups.push(group(&from(json!({"name": "POOL", "scaling": sizes}))));
    rig.cloud.world().clusters.insert("legacy".into(), cases);
    let other = rig.accept(asked(json!([{"name": "a", "systemId": "Pool"}]))).await.unwrap_err();
    assert_eq!(fields(&other), ["nodeGroups[0].systemId"], "it is neither of them");
    rig.cloud.world().clusters.insert("legacy".into(), strangers("legacy", None));
    rig.done(asked(json!([{"name": "workers", "systemId": "pool"}]))).await;
    let names = |view: &pmks_core::ClusterView| -> Vec<(String, String)> {
        view.node_groups.iter().map(|group| (group.name.clone(), group.iid.system_id.clone())).collect()
    };
    let view = rig.get("old").await;
    let [(name, system_id)] = names(&view).try_into().unwrap();
    assert_eq!(name, "workers");
    // The cloud is asked again: it is the same one, by the name that it was given.
    let again = rig.pmks.clusters().get("here", "old", Some(std::time::Duration::ZERO)).await.unwrap();
    assert_eq!(names(&again), [(name, system_id)]);
}

#[tokio::test]
async fn to_forget_touches_no_cloud_and_waits_for_nobody_only_if_abandoned() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().stuck.insert("cluster".into());
    rig.accept(delete(false)).await.unwrap();
    rig.round().await;
    let clusters = rig.pmks.clusters();
    let failure = clusters.forget(&rig.admin, "here", "prod", false).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.detail.contains("cluster.delete"), "{failure}");
    let planned = clusters.plan_forget(&rig.admin, "here", "prod", false).await.unwrap_err();
    assert_eq!(planned.detail, failure.detail);
    let operator = pmks_core::Caller { role: pmks_core::Role::Operator, ..rig.admin.clone() };
    let failure = clusters.forget(&operator, "here", "prod", true).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    assert_eq!(clusters.plan_forget(&rig.admin, "here", "prod", true).await.unwrap(), Vec::<String>::new());
    clusters.forget(&rig.admin, "here", "prod", true).await.unwrap();
    assert_eq!(clusters.get("here", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn what_is_on_its_way_out_takes_no_more_changes() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().stuck.insert("cluster".into());
    rig.accept(delete(false)).await.unwrap();
    let failure = rig.accept(patch(json!({"tags": {"a": "b"}}), "*")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.detail.contains("cluster \"prod\" is being deleted by operation"), "{failure}");
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let rig = Rig::new().await;
    rig.network().await;
    for name in ["a", "b", "c"] {
        rig.advance(1);
        rig.done(create(new_cluster(name))).await;
    }
    let clusters = rig.pmks.clusters();
    let page = |size, token, name: Option<&str>| ClusterFilter {
        page: PageRequest {
            page_size: Some(size),
            page_token: token,
            name: name.map(str::to_owned),
            tags: vec![("team".into(), String::new())],
            ..PageRequest::default()
        },
        max_age: None,
    };
    let first = clusters.list(Some("here"), &page(2, None, None)).await.unwrap();
    let second = clusters.list(Some("here"), &page(2, first.next_page_token, None)).await.unwrap();
    let names =
        |views: &[pmks_core::ClusterView]| views.iter().map(|view| view.name.clone()).collect::<Vec<_>>();
    assert_eq!((names(&first.items), names(&second.items)), (vec!["a".into(), "b".into()], vec!["c".into()]));
    assert_eq!(second.next_page_token, None);
    assert_eq!(names(&clusters.list(None, &page(9, None, Some("b"))).await.unwrap().items), ["b"]);
    let wrong = ClusterFilter {
        page: PageRequest { state: Some("Failed".into()), ..PageRequest::default() },
        max_age: None,
    };
    assert!(clusters.list(None, &wrong).await.unwrap().items.is_empty());
    assert_eq!(clusters.list(Some("nowhere"), &wrong).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn volumes_that_would_go_with_their_cluster_keep_it_until_they_may() {
    let rig = Rig::new().await;
    rig.cluster().await;
    // What comes to be after a deletion was taken on is found when it begins.
    let deletion = rig.accept(delete(false)).await.unwrap();
    rig.cloud.world().volumes_go = true;
    rig.settle().await;
    assert_eq!(rig.operation(&deletion).await.error.unwrap().kind, FailureKind::Precondition);
    let refused = rig.pmks.plan(&rig.admin, delete(false)).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Precondition);
    assert!(refused.detail.contains("vol-1") && refused.fix.as_deref().unwrap().contains("deleteVolumes"));
    assert_eq!(rig.accept(delete(false)).await.unwrap_err(), *refused);
    rig.done(delete(true)).await;
    assert!(rig.cloud.world().clusters.is_empty());
}

#[tokio::test]
async fn a_tag_that_our_records_say_already_is_asked_for_all_the_same() {
    let rig = Rig::new().await;
    rig.cluster().await;
    // Somebody changed it behind our back.
    rig.cloud.world().clusters.get_mut("prod").unwrap().tags.insert("team".into(), "theirs".into());
    let ended = rig.done(patch(json!({"tags": {"team": "a"}}), "*")).await;
    assert_eq!(ended.stages.len(), 2);
    assert_eq!(rig.cloud.world().clusters["prod"].tags["team"], "a");
}

#[tokio::test]
async fn tags_of_an_imported_cluster_go_like_any_other() {
    for change in [json!({"team": null}), json!(null)] {
        let rig = Rig::new().await;
        let mut cluster = strangers("theirs", None);
        cluster.tags.insert("team".into(), "x".into());
        rig.cloud.world().clusters.insert("theirs".into(), cluster);
        rig.done(import("prod", "theirs", false)).await;
        rig.done(patch(json!({"tags": change}), "*")).await;
        assert!(!rig.cloud.world().clusters["theirs"].tags.contains_key("team"), "{change}");
    }
}

#[tokio::test]
async fn a_subnet_that_is_nowhere_is_found_without_its_network() {
    let rig = Rig::new().await;
    rig.network().await;
    let mut cluster = new_cluster("prod");
    cluster.network = "nonet".into();
    cluster.subnets = vec!["sub".into(), "nosub".into()];
    assert_eq!(fields(&rig.accept(create(cluster)).await.unwrap_err()), ["network", "subnets[1]"]);
}

#[tokio::test]
async fn what_a_deletion_leaves_is_listed_with_its_reason() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().failures.insert("ask cluster".into(), ErrorKind::QuotaExceeded);
    let left = |ended: &pmks_core::OperationView| {
        let ids = ended.remains.iter().map(|left| format!("{} {}", left.kind, left.system_id));
        ids.collect::<Vec<_>>()
    };
    let failed = rig.run(delete(true)).await;
    assert_eq!(
        (failed.state, left(&failed)),
        (OperationState::Failed, vec!["cluster prod".into(), "volume vol-1".into()])
    );
    let reason = "the operation ended before its turn: cluster failed (ask cluster was scripted to fail)";
    assert_eq!(failed.remains[1].reason, reason);
    let given_up = rig.pmks.clusters().plan_forget(&rig.admin, "here", "prod", false).await.unwrap();
    let [volume] = given_up.as_slice() else { panic!("{given_up:?}") };
    assert!(
        volume.starts_with("volume vol-1 is given up") && volume.contains(&failed.id.to_string()),
        "{volume}"
    );
    rig.cloud.world().failures.clear();
    let ended = rig.done(delete(false)).await;
    assert_eq!(left(&ended), ["volume vol-1"]);
    assert!(ended.remains[0].reason.contains("it is kept"), "{:?}", ended.remains);
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_missing_though_its_deletion_failed_after_that() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().sweeps = true;
    rig.cloud.world().failures.insert("ask sweep".into(), ErrorKind::QuotaExceeded);
    let failed = rig.run(delete(false)).await;
    assert_eq!(failed.state, OperationState::Failed);
    assert_eq!(rig.get("prod").await.status, Status::Missing);
    let all = rig.pmks.clusters().list(None, &ClusterFilter::default()).await.unwrap();
    assert_eq!(all.items[0].status, Status::Missing);
    rig.cloud.world().failures.clear();
    rig.done(delete(false)).await;
    assert_eq!(rig.pmks.clusters().get("here", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn a_cluster_of_another_region_is_not_imported() {
    let rig = Rig::new().await;
    let far = Cluster { region: "r2".into(), ..strangers("far", None) };
    rig.cloud.world().clusters.insert("far".into(), far);
    let failure = rig.accept(import("mine", "far", false)).await.unwrap_err();
    assert_eq!(fields(&failure), ["systemId"]);
    assert!(failure.findings.to_string().contains("lies in r2"), "{failure}");
}

#[tokio::test]
async fn a_metric_that_the_cloud_does_not_have_is_told_as_the_caller_calls_it() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let asked = MetricAsked { metric: NodeMetric::NetworkIn, called: "traffic" };
    let clusters = rig.pmks.clusters();
    let refused =
        clusters.node_metrics("here", "prod", "any", asked, MetricWindow::DEFAULT).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Unsupported);
    assert!(refused.detail.ends_with("has no traffic"), "{refused}");
}
