//! Clusters and node groups against the simulated AWS: from creation to their end, with everything between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pmks_driver::{
    AddNodeGroup, Change, ChangeNodeGroupScaling, ClusterCredential, Detail, ErrorKind, KubeconfigFormat,
    KubeconfigUser, PrerequisiteState, RemoveNodeGroup, UpdateCluster, UpgradeCluster, UpgradeNodeGroup,
};
use pmks_model::{ScalingChange, Status, Tags, UpgradeRequest, UpgradeTargets, VersionRequest};
use pmks_simulation::Cloud as _;
use pmks_transport::{CallFacts, CallObserver, Outcome, SystemClock, Transport};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::requests::{cluster, delete, ground, group, group_target, scaling, target};
use crate::support::{carry_out, marks, world, world_through};

#[tokio::test]
async fn a_cluster_lives_from_creation_to_its_end() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let groups = vec![group("on", scaling(true, 1, 3, 2)), group("off", scaling(false, 1, 2, 1))];
    let create = Change::CreateCluster(cluster("prod", &ground, groups, ""));
    carry_out(driver, &create).await.unwrap();
    // Twice is once: what stands and carries the marks is this operation's own.
    carry_out(driver, &create).await.unwrap();
    assert_eq!(world.count(&["cluster"]), 1);

    let seen = driver.get_cluster("prod").await.unwrap();
    assert_eq!(seen.status, Status::Active);
    assert!(!seen.incarnation.is_empty() && seen.access.endpoint.starts_with("https://"));
    assert!(seen.access.certificate_authority.contains("BEGIN CERTIFICATE"));
    assert_eq!(seen.tags.get("team").map(String::as_str), Some("blue"));
    let switches: Vec<(String, bool, usize)> = seen
        .node_groups
        .iter()
        .map(|group| (group.iid.name_id.clone(), group.scaling.unwrap().auto_scaling, group.nodes.len()))
        .collect();
    assert_eq!(switches, [("off".to_owned(), false, 1), ("on".to_owned(), true, 2)]);
    let listed = driver.list_clusters(Detail::Nodes).await.unwrap();
    assert!(listed.is_complete(), "{:?}", listed.missed);
    assert_eq!(listed.items[0].node_groups, seen.node_groups);

    let scale = Change::ChangeNodeGroupScaling(ChangeNodeGroupScaling {
        target: group_target(&seen, "off"),
        change: ScalingChange { auto_scaling: Some(true), max: Some(5), desired: Some(3), min: None },
        marks: marks("scale"),
    });
    carry_out(driver, &scale).await.unwrap();
    let off = driver.get_node_group("prod", "off").await.unwrap().scaling.unwrap();
    // The size belongs to the autoscaler from now on: only the limits are sent.
    assert_eq!(off, scaling(true, 1, 5, 1));

    let gone = Change::RemoveNodeGroup(RemoveNodeGroup {
        target: group_target(&seen, "off"),
        marks: marks("remove"),
    });
    carry_out(driver, &gone).await.unwrap();
    carry_out(driver, &gone).await.unwrap();
    carry_out(driver, &delete(&seen)).await.unwrap();
    carry_out(driver, &delete(&seen)).await.unwrap();
    assert!(driver.get_cluster("prod").await.unwrap_err().is_not_found());
    let left = ["cluster", "nodegroup", "nodeGroup", "autoScalingGroup", "instance"];
    assert_eq!(world.count(&left), 0, "{:?}", world.cloud.resources());
}

#[tokio::test]
async fn versions_rise_hop_by_hop_and_never_fall() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let versions = driver.versions().await.unwrap();
    let oldest = versions.first().unwrap().version.clone();
    let newest = versions.get(2).unwrap().version.clone();
    let create = cluster("rise", &ground, vec![group("a", scaling(false, 1, 2, 1))], &oldest.to_string());
    carry_out(driver, &Change::CreateCluster(create)).await.unwrap();
    let seen = driver.get_cluster("rise").await.unwrap();
    assert_eq!(seen.version, Some(oldest.clone()));
    let upgrade = |version: &pmks_model::Version, node_groups| {
        Change::UpgradeCluster(UpgradeCluster {
            target: target(&seen),
            request: UpgradeRequest {
                version: VersionRequest::Given(version.clone()),
                node_groups,
                force: true,
            },
            marks: marks("upgrade"),
        })
    };
    let refused = driver.prepare(&upgrade(&newest, UpgradeTargets::None)).await.unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::InvalidRequest(_)), "{refused}");
    carry_out(driver, &upgrade(&newest, UpgradeTargets::All)).await.unwrap();
    let risen = driver.get_cluster("rise").await.unwrap();
    assert_eq!(risen.version, Some(newest.clone()));
    assert_eq!(risen.node_groups[0].version, Some(newest));
    let down = driver.prepare(&upgrade(&oldest, UpgradeTargets::All)).await.unwrap_err();
    assert!(matches!(down.kind(), ErrorKind::InvalidRequest(_)), "{down}");
    let same = Change::UpgradeNodeGroup(UpgradeNodeGroup {
        target: group_target(&risen, "a"),
        version: VersionRequest::Default,
        force: false,
        marks: marks("same"),
    });
    assert!(driver.prepare(&same).await.unwrap().plan.stages.is_empty());
}

#[tokio::test]
async fn what_is_a_strangers_is_left_alone() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    carry_out(driver, &Change::CreateCluster(cluster("mine", &ground, vec![], ""))).await.unwrap();
    let mut stranger = cluster("mine", &ground, vec![], "");
    stranger.marks = marks("another");
    let error = carry_out(driver, &Change::CreateCluster(stranger)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists);
    let mut older = driver.get_cluster("mine").await.unwrap();
    older.incarnation = "2020-01-01T00:00:00Z".to_owned();
    let error = carry_out(driver, &delete(&older)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Replaced);
    assert_eq!(world.count(&["cluster"]), 1);
}

#[tokio::test]
async fn what_cannot_be_is_said_before_anything_is_asked() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let one_zone = (ground.0.clone(), vec![ground.1[0].clone()]);
    let mut bad = group("g", scaling(false, 1, 1, 1));
    bad.machine_type = "x9.huge".to_owned();
    bad.image = "plan9".to_owned();
    for (asked, says) in [
        (cluster("a", &one_zone, vec![], ""), "at least two zones"),
        (cluster("a", &ground, vec![], "1.2"), "1.2 is not offered"),
        (cluster("a", &ground, vec![bad], ""), "nodeGroups[0].machineType"),
    ] {
        let error = driver.prepare(&Change::CreateCluster(asked)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
        assert!(error.message().contains(says), "{error}");
    }
    assert_eq!(world.count(&["cluster"]), 0);
}

#[tokio::test]
async fn tags_and_node_groups_change_in_place() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    carry_out(driver, &Change::CreateCluster(cluster("c", &ground, vec![], ""))).await.unwrap();
    let seen = driver.get_cluster("c").await.unwrap();
    let update = Change::UpdateCluster(UpdateCluster {
        target: target(&seen),
        tags: [("team".to_owned(), None), ("env".to_owned(), Some("β".to_owned()))].into_iter().collect(),
        only_new_tags: false,
        options: BTreeMap::from([("supportType".to_owned(), json!("STANDARD"))]),
        marks: marks("update"),
    });
    carry_out(driver, &update).await.unwrap();
    let seen = driver.get_cluster("c").await.unwrap();
    assert_eq!(seen.tags.get("env").map(String::as_str), Some("β"));
    assert!(!seen.tags.contains_key("team") && seen.tags.contains_key("pmks-uid"));
    assert_eq!(seen.key_value_list.get("SupportType"), Some("STANDARD"));
    let add = Change::AddNodeGroup(AddNodeGroup {
        cluster: target(&seen),
        security_groups: Vec::new(),
        request: group("late", scaling(true, 0, 2, 1)),
        tags: Tags::new(),
        marks: marks("late"),
    });
    carry_out(driver, &add).await.unwrap();
    let late = driver.get_node_group("c", "late").await.unwrap();
    assert_eq!((late.status, late.scaling), (Status::Active, Some(scaling(true, 0, 2, 1))));
    assert_eq!(late.image, "AL2023_x86_64_STANDARD");
}

#[tokio::test]
async fn its_creator_is_let_in() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    carry_out(driver, &Change::CreateCluster(cluster("c", &ground, vec![], ""))).await.unwrap();
    let seen = driver.get_cluster("c").await.unwrap();
    let all = driver.prerequisites(Some(&seen)).await.unwrap();
    let access = all.iter().find(|one| one.name == "clusterAccess").unwrap();
    assert!(matches!(access.state, PrerequisiteState::Satisfied { .. }), "{access:?}");
    let KubeconfigUser::Exec(exec) = driver.kubeconfig(&seen, KubeconfigFormat::Native).await.unwrap() else {
        panic!("EKS has no lasting credential");
    };
    assert_eq!((exec.command.as_str(), exec.args[2].as_str()), ("aws", "eks"));
    assert!(driver.kubeconfig(&seen, KubeconfigFormat::Static).await.is_err());
    let ClusterCredential::Token { token, .. } = driver.generate_cluster_token(&seen).await.unwrap() else {
        panic!("EKS knows bearer tokens");
    };
    assert!(token.expose_secret().starts_with("k8s-aws-v1."));
    // The cluster's own API takes it.
    let children = driver.children(&seen).await.unwrap();
    assert!(children.unknown.is_empty(), "{:?}", children.unknown);
}

/// Counts the descriptions of node groups: all, those under way, and the most of them at once.
#[derive(Debug, Default)]
struct Descriptions {
    all: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl CallObserver for Descriptions {
    async fn before(&self, call: &CallFacts) {
        if call.action == "eks.DescribeNodegroup" {
            self.all.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
        }
    }

    async fn after(&self, call: &CallFacts, _: Outcome) {
        if call.action == "eks.DescribeNodegroup" {
            self.now.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn many_large_clusters_are_listed_a_few_calls_at_a_time() {
    let counted = Arc::new(Descriptions::default());
    let transport = Transport::builder(Arc::new(SystemClock)).observer(Arc::clone(&counted) as _).build();
    let world = world_through(transport, &[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let create = cluster("big", &ground, vec![group("g", scaling(false, 1, 1, 1))], "");
    carry_out(driver, &Change::CreateCluster(create)).await.unwrap();
    for more in [json!({"nodeGroups": 11}), json!({"clusters": 9})] {
        let mut event = json!({"type": "clustersAreCopied", "cluster": "big"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.cloud.event(&event).unwrap();
    }
    counted.all.store(0, Ordering::SeqCst);
    let listed = driver.list_clusters(Detail::Nodes).await.unwrap();
    assert!(listed.is_complete(), "{:?}", listed.missed);
    let sizes: Vec<usize> = listed.items.iter().map(|cluster| cluster.node_groups.len()).collect();
    assert_eq!(sizes, [12; 10]);
    let names: Vec<&str> = listed.items.iter().map(|cluster| cluster.iid.system_id.as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(counted.all.load(Ordering::SeqCst), 120);
    let most = counted.most.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} at once");
}
