//! Node groups: added, scaled in part, removed; what a provider lacks.

use pmks_core::{Mutation, NewNodeGroup, PageRequest};
use pmks_model::{FailureKind, OperationState, Scaling, ScalingChange};
use serde_json::json;

use super::other::OTHER;
use super::rig::{Rig, fields, from};
use super::stages::text;

fn add(group: serde_json::Value) -> Mutation {
    let node_group: NewNodeGroup = from(group);
    Mutation::AddNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group }
}

fn scale(name: &str, scaling: ScalingChange) -> Mutation {
    Mutation::ScaleNodeGroup {
        connection: "here".into(),
        cluster: "prod".into(),
        node_group: name.into(),
        scaling,
    }
}

fn remove(name: &str) -> Mutation {
    Mutation::RemoveNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group: name.into() }
}

const SCALING: &str = r#"{"autoScaling": true, "min": 0, "max": 4, "desired": 1}"#;

fn scaling() -> serde_json::Value {
    serde_json::from_str(SCALING).unwrap()
}

#[tokio::test]
async fn a_node_group_is_added_and_removed_but_not_the_last_one() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let failure = rig.accept(remove("workers")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Precondition);
    let wrong =
        json!({"name": "B", "version": "x", "keyPair": "lost", "rootDiskType": "tape", "scaling": scaling()});
    assert_eq!(
        fields(&rig.accept(add(wrong)).await.unwrap_err()),
        ["keyPair", "version", "name", "rootDiskType"]
    );
    rig.done(add(json!({"name": "batch", "scaling": scaling()}))).await;
    let asked = rig.cloud.world().asked.get("nodeGroup.add").cloned().unwrap();
    assert_eq!((text(&asked, "/cluster/incarnation"), text(&asked, "/tags/team")), ("1", "a"));
    let again = rig.accept(add(json!({"name": "batch", "scaling": scaling()}))).await.unwrap_err();
    assert_eq!(again.kind, FailureKind::AlreadyExists);
    let groups = rig.pmks.node_groups();
    let all = groups.list("here", "prod", &PageRequest::default(), None).await.unwrap();
    assert_eq!(all.items.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["workers", "batch"]);
    rig.done(remove("workers")).await;
    assert_eq!(groups.get("here", "prod", "workers", None).await.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(rig.get("prod").await.node_groups.len(), 1);
}

#[tokio::test]
async fn a_size_that_nobody_says_is_the_clouds_and_no_wish() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.done(add(json!({"name": "batch"}))).await;
    let asked = rig.cloud.world().asked.get("nodeGroup.add").cloned().unwrap();
    assert_eq!(asked.pointer("/request/anySize"), Some(&json!(true)));
    let view = rig.pmks.node_groups().get("here", "prod", "batch", None).await.unwrap();
    assert_eq!(view.scaling, Some(Scaling::fixed(1)));
    let two = ScalingChange { max: Some(2), desired: Some(2), ..ScalingChange::default() };
    rig.done(scale("batch", two)).await;
    let view = rig.pmks.node_groups().get("here", "prod", "batch", None).await.unwrap();
    assert_eq!(view.scaling.unwrap().desired, 2);
}

#[tokio::test]
async fn a_scaling_changes_only_what_it_names() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.done(scale("workers", ScalingChange { max: Some(1), ..ScalingChange::default() })).await;
    let asked = rig.cloud.world().asked.get("nodeGroup.scale").cloned().unwrap();
    assert_eq!(asked.get("change"), Some(&json!({"max": 1})));
    let view = rig.pmks.node_groups().get("here", "prod", "workers", None).await.unwrap();
    let expected = Some(Scaling { auto_scaling: false, min: 1, max: 1, desired: 1 });
    assert_eq!((view.scaling, view.observed.unwrap().scaling), (expected, expected));
}

#[tokio::test]
async fn a_scaling_is_checked_against_what_it_leaves_as_it_is() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let change = |min, max, desired| ScalingChange { auto_scaling: None, min, max, desired };
    for (change, found) in [
        (change(Some(4), None, None), vec!["scaling.min", "scaling.desired"]),
        (change(None, None, Some(9)), vec!["scaling.desired"]),
        (change(None, Some(0), None), vec!["scaling.max", "scaling.min"]),
        (ScalingChange::default(), vec!["scaling"]),
    ] {
        let failure = rig.accept(scale("workers", change)).await.unwrap_err();
        assert_eq!(fields(&failure).first(), found.first(), "{change:?}: {failure}");
    }
    assert_eq!(
        rig.accept(scale("none", change(None, None, Some(2)))).await.unwrap_err().kind,
        FailureKind::NotFound
    );
}

#[tokio::test]
async fn limits_that_nothing_holds_wait_for_autoscaling() {
    let rig = Rig::new().await;
    rig.cloud.world().capabilities = Some(&OTHER);
    rig.cluster().await;
    let change = |auto_scaling, desired| ScalingChange { auto_scaling, desired, ..ScalingChange::default() };
    let asked = || rig.cloud.world().asked["nodeGroup.scale"]["change"].clone();
    let scaling = || async {
        let view = rig.pmks.node_groups().get("here", "prod", "workers", None).await.unwrap();
        (view.scaling.unwrap(), view.observed.unwrap().scaling.unwrap())
    };
    // The size is held against the limits that were asked for, although the cloud keeps none: 5 is more than 3.
    for (desired, says) in [(5, "max, which is 3: give a larger max (--max)"), (0, "min, which is 1")] {
        let failure = rig.accept(scale("workers", change(None, Some(desired)))).await.unwrap_err();
        assert_eq!(fields(&failure), ["scaling.desired"]);
        assert!(failure.findings.to_string().contains(says), "{failure}");
    }
    rig.done(scale("workers", ScalingChange { max: Some(5), ..change(None, Some(5)) })).await;
    assert_eq!(asked(), json!({"max": 5, "desired": 5}));
    let off = |min, max| Scaling { auto_scaling: false, min, max, desired: 5 };
    assert_eq!(scaling().await, (off(1, 5), off(5, 5)));
    // With autoscaling the limits are asked for that waited.
    rig.done(scale("workers", change(Some(true), None))).await;
    assert_eq!(asked(), json!({"autoScaling": true, "min": 1, "max": 5}));
    let on = Scaling { auto_scaling: true, min: 1, max: 5, desired: 5 };
    assert_eq!(scaling().await, (on, on));
    // Now they are held, and one that is asked for without them leaves them as they are.
    let failure = rig.accept(scale("workers", change(None, Some(9)))).await.unwrap_err();
    assert_eq!(fields(&failure), ["scaling.desired"]);
    rig.done(scale("workers", ScalingChange { min: Some(2), ..change(Some(true), Some(4)) })).await;
    assert_eq!(asked(), json!({"autoScaling": true, "min": 2, "desired": 4}));
}

#[tokio::test]
async fn a_size_is_no_wish_while_autoscaling_is_on() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let change = |auto_scaling, desired| ScalingChange { auto_scaling, desired, ..ScalingChange::default() };
    let view = || async { rig.pmks.node_groups().get("here", "prod", "workers", None).await.unwrap() };
    rig.done(scale("workers", change(Some(true), None))).await;
    // A size alone is refused, with the way out; nothing is stored.
    for asked in [change(None, Some(3)), change(Some(true), Some(3))] {
        let failure = rig.accept(scale("workers", asked)).await.unwrap_err();
        assert_eq!(fields(&failure), ["scaling.desired"]);
        assert!(failure.findings.to_string().contains("--auto-scaling false"), "{failure}");
    }
    // With limits it says where it lies in them, and is not kept as a wish.
    let limits = ScalingChange { min: Some(1), max: Some(4), ..change(None, Some(4)) };
    rig.done(scale("workers", limits)).await;
    assert_eq!(view().await.scaling.unwrap().desired, 2);
    // The autoscaler has moved the size; switched off, the group keeps it, and nobody claims another.
    let moved = Scaling { auto_scaling: true, min: 1, max: 4, desired: 3 };
    rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups[0].scaling = Some(moved);
    rig.done(scale("workers", change(Some(false), None))).await;
    let (after, seen) = (view().await, Scaling { auto_scaling: false, ..moved });
    assert_eq!((after.scaling, after.observed.unwrap().scaling), (Some(seen), Some(seen)));
    rig.done(scale("workers", change(None, Some(1)))).await;
    assert_eq!(view().await.scaling.unwrap().desired, 1);
}

#[tokio::test]
async fn a_node_group_that_has_failed_takes_no_size() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups[0].status = pmks_model::Status::Failed;
    let size = ScalingChange { desired: Some(3), ..ScalingChange::default() };
    let failure = rig.accept(scale("workers", size)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Precondition);
    assert!(failure.detail.contains("workers has failed") && failure.fix.is_some(), "{failure:?}");
}

#[tokio::test]
async fn changes_of_one_cluster_come_one_after_the_other() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().stuck.insert("node group".into());
    let first = rig.accept(add(json!({"name": "batch", "scaling": scaling()}))).await.unwrap();
    let second =
        rig.accept(scale("workers", ScalingChange { desired: Some(3), ..ScalingChange::default() })).await;
    let second = second.unwrap();
    rig.round().await;
    assert_eq!(rig.operation(&first).await.state, OperationState::Running);
    assert_eq!(rig.operation(&second).await.state, OperationState::Queued);
    rig.cloud.world().stuck.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&second).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn what_a_provider_lacks_is_unsupported_before_anything_is_stored() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let upgrade = Mutation::UpgradeNodeGroup {
        connection: "here".into(),
        cluster: "prod".into(),
        node_group: "workers".into(),
        version: String::new(),
        force: false,
    };
    assert_eq!(rig.accept(upgrade.clone()).await.unwrap_err().kind, FailureKind::Unsupported);
    assert_eq!(rig.pmks.plan(&rig.admin, upgrade).await.unwrap_err().kind, FailureKind::Unsupported);
}

#[tokio::test]
async fn limits_that_moved_while_a_size_waited_hold() {
    let rig = Rig::new().await;
    rig.cloud.world().capabilities = Some(&OTHER);
    rig.cluster().await;
    let limit =
        rig.accept(scale("workers", ScalingChange { max: Some(2), ..ScalingChange::default() })).await;
    // When it is asked for, 3 is within the limits.
    let size =
        rig.accept(scale("workers", ScalingChange { desired: Some(3), ..ScalingChange::default() })).await;
    rig.settle().await;
    assert_eq!(rig.operation(&limit.unwrap()).await.state, OperationState::Succeeded);
    let size = rig.operation(&size.unwrap()).await;
    let failure = size.error.unwrap();
    assert_eq!((size.state, failure.kind), (OperationState::Failed, FailureKind::InvalidRequest));
    assert!(failure.to_string().contains("beyond max, which is 2"), "{failure}");
}

#[tokio::test]
async fn limits_that_nobody_asked_for_give_way_where_the_cloud_keeps_none() {
    let rig = Rig::new().await;
    rig.cloud.world().capabilities = Some(&OTHER);
    rig.cluster().await;
    rig.pmks.clusters().forget(&rig.admin, "here", "prod", false).await.unwrap();
    let import = pmks_core::ImportCluster {
        name: "prod".into(),
        system_id: "prod".into(),
        take_over: false,
        node_groups: Vec::new(),
        ..pmks_core::ImportCluster::default()
    };
    rig.done(Mutation::ImportCluster { connection: "here".into(), import }).await;
    let desired = |desired| ScalingChange { desired: Some(desired), ..ScalingChange::default() };
    rig.done(scale("workers", desired(5))).await;
    rig.done(scale("workers", ScalingChange { max: Some(6), ..ScalingChange::default() })).await;
    // Now somebody did.
    let failure = rig.accept(scale("workers", desired(7))).await.unwrap_err();
    assert_eq!(fields(&failure), ["scaling.desired"]);
}

#[tokio::test]
async fn an_imported_node_group_keeps_only_what_was_asked_since() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.pmks.clusters().forget(&rig.admin, "here", "prod", false).await.unwrap();
    let import = pmks_core::ImportCluster {
        name: "prod".into(),
        system_id: "prod".into(),
        take_over: false,
        node_groups: Vec::new(),
        ..pmks_core::ImportCluster::default()
    };
    rig.done(Mutation::ImportCluster { connection: "here".into(), import }).await;
    rig.done(scale("workers", ScalingChange { max: Some(9), ..ScalingChange::default() })).await;
    // Somebody changes the size behind our back: nothing of ours claims the contrary.
    let scaling = Scaling { auto_scaling: true, min: 2, max: 9, desired: 7 };
    rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups[0].scaling = Some(scaling);
    rig.advance(1);
    let view =
        rig.pmks.node_groups().get("here", "prod", "workers", Some(std::time::Duration::ZERO)).await.unwrap();
    assert_eq!(view.scaling, Some(scaling));
}

#[tokio::test]
async fn a_node_group_of_an_imported_cluster_is_given_its_security_groups() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let groups = vec![pmks_model::Iid::unnamed("sg-theirs")];
    rig.cloud.world().clusters.get_mut("prod").unwrap().network.security_groups = groups;
    rig.pmks.clusters().forget(&rig.admin, "here", "prod", false).await.unwrap();
    let import = pmks_core::ImportCluster {
        name: "prod".into(),
        system_id: "prod".into(),
        take_over: false,
        node_groups: Vec::new(),
        ..pmks_core::ImportCluster::default()
    };
    rig.done(Mutation::ImportCluster { connection: "here".into(), import }).await;
    rig.done(add(json!({"name": "batch", "scaling": scaling()}))).await;
    let asked = rig.cloud.world().asked.get("nodeGroup.add").cloned().unwrap();
    assert_eq!(text(&asked, "/securityGroups/0/systemId"), "sg-theirs");
}
