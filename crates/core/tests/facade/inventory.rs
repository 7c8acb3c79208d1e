//! Observations: how old, who asks, what is missing, what is found.

use std::time::Duration;

use pmks_core::{ClusterFilter, ImportResource, Mutation};
use pmks_driver::ErrorKind;
use pmks_model::{FailureKind, ScalingChange, Status};
use pmks_store::{Page as StorePage, ResourceFilter};
use serde_json::json;

use super::rig::{Rig, create, from, new_cluster};
use super::stages::{group, network};

const NOW: Option<Duration> = Some(Duration::ZERO);

#[tokio::test]
async fn a_read_serves_what_is_stored_and_refreshes_it_when_it_is_old() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.pmks.clusters().get("here", "prod", NOW).await.unwrap();
    rig.breathe().await;
    let before = rig.cloud.count("list_clusters");
    let lists = || rig.cloud.count("list_clusters") - before;
    rig.advance(250);
    rig.read("prod").await;
    rig.breathe().await;
    assert_eq!(lists(), 0);
    rig.advance(100);
    let before = rig.read("prod").await.observed_at;
    rig.breathe().await;
    assert_eq!(lists(), 1);
    assert!(rig.read("prod").await.observed_at > before);
    rig.breathe().await;
    assert_eq!(lists(), 1);
}

#[tokio::test]
async fn what_the_cloud_works_on_is_looked_at_more_often() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let seen_as = async |status| {
        rig.cloud.world().clusters.get_mut("prod").unwrap().status = status;
        rig.advance(1);
        rig.pmks.clusters().get("here", "prod", NOW).await.unwrap();
        rig.breathe().await;
    };
    // No operation here has it made, as after one that was refused a look.
    seen_as(Status::Creating).await;
    rig.cloud.world().clusters.get_mut("prod").unwrap().status = Status::Active;
    rig.advance(40);
    assert_eq!(rig.read("prod").await.status, Status::Creating);
    rig.breathe().await;
    assert_eq!(rig.read("prod").await.status, Status::Active);
    seen_as(Status::Active).await;
    rig.cloud.world().clusters.get_mut("prod").unwrap().status = Status::Degraded;
    rig.advance(40);
    rig.read("prod").await;
    rig.breathe().await;
    assert_eq!(rig.read("prod").await.status, Status::Active, "what stands still is looked at seldom");
}

#[tokio::test]
async fn whether_the_cloud_has_named_something_is_known_without_asking_it() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let waits = rig.accept(create(new_cluster("next"))).await.unwrap();
    rig.advance(3_600);
    rig.breathe().await;
    let asked = ["get_cluster", "list_clusters"].map(|call| rig.cloud.count(call));
    let named = async |cluster: &str, group: Option<&str>| {
        rig.pmks.clusters().is_identified("here", cluster, group).await.unwrap()
    };
    assert!(named("prod", None).await && named("prod", Some("workers")).await);
    assert!(!named("next", None).await && !named("next", Some("workers")).await, "{waits:?}");
    assert!(!named("nowhere", None).await && !named("prod", Some("others")).await);
    rig.breathe().await;
    assert_eq!(["get_cluster", "list_clusters"].map(|call| rig.cloud.count(call)), asked);
}

#[tokio::test]
async fn max_age_zero_asks_now_and_says_when_it_cannot() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().clusters.get_mut("prod").unwrap().status = Status::Degraded;
    assert_eq!(rig.get("prod").await.status, Status::Active);
    rig.advance(1);
    let view = rig.pmks.clusters().get("here", "prod", NOW).await.unwrap();
    assert_eq!((view.status, view.observed_at), (Status::Degraded, Some(rig.cloud.now())));
    rig.advance(1);
    rig.cloud.world().failures.insert("get_cluster".into(), ErrorKind::Unavailable);
    rig.cloud.world().failures.insert("list_clusters".into(), ErrorKind::Unavailable);
    let failure = rig.pmks.clusters().get("here", "prod", NOW).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    let all = ClusterFilter { max_age: NOW, ..ClusterFilter::default() };
    assert_eq!(
        rig.pmks.clusters().list(Some("here"), &all).await.unwrap_err().kind,
        FailureKind::Unavailable
    );
    let shown = rig.pmks.clusters().list(None, &all).await.unwrap();
    assert!(shown.items[0].refresh_error.is_some());
}

#[tokio::test]
async fn absent_from_two_complete_lists_far_enough_apart_is_missing() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let gone = rig.cloud.world().clusters.remove("prod").unwrap();
    let all = ClusterFilter { max_age: NOW, ..ClusterFilter::default() };
    let status = async || rig.pmks.clusters().list(Some("here"), &all).await.unwrap().items[0].status;
    rig.advance(1);
    assert_eq!(status().await, Status::Active);
    rig.advance(10);
    assert_eq!(status().await, Status::Active);
    rig.cloud.world().partial = true;
    rig.advance(60);
    assert_eq!(status().await, Status::Active);
    rig.cloud.world().partial = false;
    rig.advance(1);
    assert_eq!(status().await, Status::Missing);
    rig.cloud.world().clusters.insert("prod".into(), gone.clone());
    rig.advance(1);
    assert_eq!(status().await, Status::Active);
    // Another one of the same name is not ours.
    rig.cloud.world().clusters.get_mut("prod").unwrap().incarnation = "2".into();
    rig.advance(30);
    assert_eq!(status().await, Status::Active);
    rig.advance(30);
    assert_eq!(status().await, Status::Missing);
}

#[tokio::test]
async fn what_others_made_in_a_cluster_of_ours_is_found() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let request =
        from(json!({"name": "theirs", "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}}));
    rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups.push(group(&request));
    rig.advance(1);
    let view = rig.pmks.clusters().get("here", "prod", NOW).await.unwrap();
    let names: Vec<&str> = view.node_groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["theirs", "workers"]);
    assert!(view.node_groups.iter().all(|group| !group.uid.is_empty()));
}

#[tokio::test]
async fn an_answer_for_another_account_counts_for_nothing() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().accounts.insert("AK1".into(), "fake:2".into());
    // The same credential is asked anew when it is validated.
    let failure = rig.pmks.connections().validate(&rig.admin, "here").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
}

#[tokio::test]
async fn another_account_makes_nothing_missing() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let rig = rig.again().await;
    rig.cloud.world().accounts.insert("AK1".into(), "fake:2".into());
    rig.cloud.world().clusters.get_mut("prod").unwrap().incarnation = "another".into();
    for _ in 0..3 {
        rig.advance(60);
        let failure = rig.pmks.clusters().get("here", "prod", NOW).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Conflict);
    }
    assert_eq!(rig.get("prod").await.status, Status::Active);
}

#[tokio::test]
async fn what_is_read_is_what_is_stored_after_every_change_and_after_a_restart() {
    let rig = Rig::new().await;
    rig.network().await;
    let names = async |rig: &Rig| {
        let all = rig.pmks.clusters().list(None, &ClusterFilter::default()).await.unwrap();
        all.items.iter().map(|view| (view.name.clone(), view.status)).collect::<Vec<_>>()
    };
    let mut expected = Vec::new();
    for name in ["a", "b", "c"] {
        rig.done(create(new_cluster(name))).await;
        expected.push((name.to_owned(), Status::Active));
        assert_eq!(names(&rig).await, expected);
    }
    let (connection, cluster) = ("here".to_owned(), "b".to_owned());
    let delete = Mutation::DeleteCluster { connection, cluster: cluster.into(), delete_volumes: false };
    rig.accept(delete.clone()).await.unwrap();
    assert_eq!(names(&rig).await[1], ("b".to_owned(), Status::Deleting), "the answer and what is read agree");
    rig.settle().await;
    rig.pmks.clusters().forget(&rig.admin, "here", "c", false).await.unwrap();
    assert_eq!(names(&rig).await, [("a".to_owned(), Status::Active)]);
    let rig = rig.again().await;
    assert_eq!(names(&rig).await, [("a".to_owned(), Status::Active)]);
    let groups = rig.pmks.node_groups();
    let groups = groups.list("here", "a", &pmks_core::PageRequest::default(), None).await.unwrap();
    assert_eq!(groups.items.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["workers"]);
    assert!(rig.pmks.clusters().get("here", "b", None).await.is_err());
    // Somebody else's write to the same store is read as well, once the refreshes that these reads began are over.
    rig.breathe().await;
    let known = rig.store().resources(&ResourceFilter::default(), StorePage::all()).await.unwrap();
    let cluster = known.iter().find(|record| record.name == "a").unwrap();
    rig.store().mark_missing(&[cluster.uid], Some(rig.cloud.now())).await.unwrap();
    assert_eq!(names(&rig).await, [("a".to_owned(), Status::Missing)]);
}

#[tokio::test]
async fn a_refresh_that_began_before_a_change_ended_does_not_undo_it() {
    let rig = Rig::new().await;
    rig.cluster().await;
    // Reading it began a refresh, which must not be the one that is slow.
    rig.breathe().await;
    let (open, gate) = tokio::sync::watch::channel(false);
    rig.cloud.world().slow = Some(gate);
    rig.advance(400);
    let before = rig.get("prod").await.observed_at;
    rig.breathe().await;
    assert_eq!(rig.cloud.world().calls.last().unwrap(), "list_clusters");
    rig.advance(1);
    let scaling = ScalingChange { desired: Some(3), ..ScalingChange::default() };
    let (connection, cluster, node_group) = ("here".into(), "prod".into(), "workers".into());
    rig.done(Mutation::ScaleNodeGroup { connection, cluster, node_group, scaling }).await;
    rig.cloud.world().slow = None;
    open.send(true).unwrap();
    rig.breathe().await;
    let view = rig.get("prod").await;
    assert!(view.observed_at > before);
    assert_eq!(view.node_groups[0].observed.clone().unwrap().scaling.unwrap().desired, 3);
}

#[tokio::test]
async fn many_readers_ask_once() {
    let rig = Rig::new().await;
    rig.network().await;
    for name in ["a", "b"] {
        rig.done(create(new_cluster(name))).await;
    }
    rig.advance(400);
    let reads = (0..20).map(|n| rig.get(if n % 2 == 0 { "a" } else { "b" }));
    futures::future::join_all(reads).await;
    rig.breathe().await;
    assert_eq!(rig.cloud.count("list_clusters"), 1);
}

#[tokio::test]
async fn offers_are_kept_for_a_stated_while() {
    let rig = Rig::new().await;
    let discovery = rig.pmks.discovery();
    let first = discovery.versions("here", None).await.unwrap();
    assert_eq!((first.items.len(), first.observed_at), (3, rig.cloud.now()));
    rig.advance(60);
    assert_eq!(discovery.versions("here", None).await.unwrap().observed_at, first.observed_at);
    assert_eq!(rig.cloud.count("versions"), 1);
    assert!(discovery.versions("here", NOW).await.unwrap().observed_at > first.observed_at);
    rig.advance(3600);
    discovery.versions("here", None).await.unwrap();
    assert_eq!(rig.cloud.count("versions"), 3);
    assert_eq!(discovery.machine_types("here", None).await.unwrap().items[0].name, "small");
    assert!(discovery.images("here", None).await.unwrap().items.is_empty());
    assert!(discovery.regions("here", None).await.unwrap().items.is_empty());
    assert_eq!(discovery.regions("nowhere", None).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn what_the_cloud_itself_says_is_not_there_is_missing_at_once() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let status = async || rig.pmks.clusters().get("here", "prod", NOW).await.unwrap().status;
    rig.advance(60);
    assert_eq!(status().await, Status::Active);
    let gone = rig.cloud.world().clusters.remove("prod").unwrap();
    rig.advance(1);
    assert_eq!(status().await, Status::Missing);
    rig.cloud.world().clusters.insert("prod".into(), gone);
    rig.advance(1);
    assert_eq!(status().await, Status::Active);
}

#[tokio::test]
async fn what_is_so_new_that_the_answer_may_be_late_is_asked_for_again() {
    let rig = Rig::new().await;
    rig.cloud.world().networks.insert("vpc-9".into(), network("vpc-9", "", "10.9.0.0/16"));
    let import = ImportResource { name: "old".into(), system_id: "vpc-9".into() };
    rig.pmks.networks().import(&rig.admin, "here", import).await.unwrap();
    rig.cloud.world().networks.remove("vpc-9");
    let status = async || rig.pmks.networks().get("here", "old", NOW).await.unwrap().status;
    rig.advance(1);
    assert_eq!(status().await, Status::Active);
    rig.advance(30);
    assert_eq!(status().await, Status::Missing);
}
