//! What records say of creations and deletions that did not come to their end, and of parts that failed.

use std::time::Duration;

use pmks_core::{ClusterFilter, Mutation, NewKeyPair, NewNodeGroup, OperationView, PageRequest};
use pmks_driver::ErrorKind;
use pmks_model::{OperationState, Status};
use serde_json::{Value, json};

use super::networks::group;
use super::rig::{Rig, create, from, new_cluster, new_network};

fn tag(value: &str) -> Mutation {
    let patch: Value = json!({"tags": {"a": value}});
    Mutation::UpdateCluster { connection: "here".into(), cluster: "prod".into(), patch, if_match: "*".into() }
}

fn delete() -> Mutation {
    Mutation::DeleteCluster { connection: "here".into(), cluster: "prod".into(), delete_volumes: false }
}

fn add() -> Mutation {
    let scaling = json!({"autoScaling": false, "min": 1, "max": 3, "desired": 1});
    let node_group: NewNodeGroup = from(json!({"name": "workers", "scaling": scaling}));
    Mutation::AddNodeGroup { connection: "here".into(), cluster: "prod".into(), node_group }
}

fn remove() -> Mutation {
    let (connection, cluster) = ("here".into(), "prod".into());
    Mutation::RemoveNodeGroup { connection, cluster, node_group: "workers".into() }
}

impl Rig {
    async fn seen(&self) -> (Status, String) {
        self.advance(1);
        let view = self.pmks.clusters().get("here", "prod", Some(Duration::ZERO)).await.unwrap();
        (view.status, view.status_reason)
    }

    fn quota(&self, call: &str) {
        self.cloud.world().failures.insert(call.into(), ErrorKind::QuotaExceeded);
    }

    fn has_quota(&self) {
        self.cloud.world().failures.clear();
    }
}

const WHOLE: (Status, String) = (Status::Active, String::new());

#[tokio::test]
async fn a_cluster_whose_node_group_failed_is_degraded_and_names_it() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let says = |status, reason: &str| {
        let mut world = rig.cloud.world();
        let group = &mut world.clusters.get_mut("prod").unwrap().node_groups[0];
        (group.status, group.status_reason) = (status, reason.to_owned());
    };
    says(Status::Failed, "no capacity");
    let told = "node group workers has failed: no capacity".to_owned();
    assert_eq!(rig.seen().await, (Status::Degraded, told));
    let degraded = PageRequest { state: Some("Degraded".into()), ..PageRequest::default() };
    let filter = ClusterFilter { page: degraded, max_age: None };
    assert_eq!(rig.pmks.clusters().list(Some("here"), &filter).await.unwrap().items.len(), 1);
    says(Status::Active, "");
    assert_eq!(rig.seen().await, WHOLE);
}

#[tokio::test]
async fn what_was_never_made_is_missing_whatever_else_succeeds() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.quota("ask node group workers");
    let mut asked = new_cluster("prod");
    let mut other = asked.node_groups[0].clone();
    other.name = "other".into();
    asked.node_groups.push(other);
    let failed = rig.run(create(asked)).await;
    rig.has_quota();
    rig.done(tag("b")).await;
    let (status, reason) = rig.seen().await;
    assert_eq!(status, Status::Degraded);
    assert!(reason.contains("remove workers and add it anew, or delete the cluster"), "{reason}");
    // What can be done no more is not offered.
    assert!(!reason.contains("retry"), "{reason}");
    let retried = rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await;
    assert_eq!(retried.unwrap_err().kind, pmks_model::FailureKind::Conflict);
    rig.done(remove()).await;
    assert_eq!(rig.seen().await, WHOLE);
    // One that is added in its stead has a creation of its own.
    rig.quota("ask node group");
    assert_eq!(rig.run(add()).await.state, OperationState::Failed);
    assert_eq!(rig.seen().await, WHOLE);
    assert_eq!(rig.get("prod").await.node_groups[1].status, Status::Failed);
}

#[tokio::test]
async fn a_retry_makes_what_a_creation_left_whole() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.quota("ask node group workers");
    let failed = rig.run(create(new_cluster("prod"))).await;
    let (status, reason) = rig.seen().await;
    assert!(status == Status::Degraded && reason.contains("retry operation"), "{reason}");
    rig.has_quota();
    rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.seen().await, WHOLE);
}

#[tokio::test]
async fn a_deletion_that_failed_is_told_of_until_something_succeeds() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.quota("ask cluster");
    let failed = rig.run(delete()).await;
    let (status, reason) = rig.seen().await;
    // Nothing of it was removed.
    assert_eq!(status, Status::Active);
    assert!(reason.contains("the deletion of the cluster failed (quota-exceeded"), "{reason}");
    assert!(reason.contains(&failed.id.to_string()), "{reason}");
    rig.has_quota();
    rig.done(tag("b")).await;
    assert_eq!(rig.seen().await, WHOLE);
}

#[tokio::test]
async fn what_a_failed_deletion_took_away_is_missing_at_once() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.quota("ask cluster");
    let deletion = rig.accept(delete()).await.unwrap();
    rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&deletion).await.state, OperationState::Failed);
    let view = rig.get("prod").await;
    assert_eq!(view.node_groups[0].status, Status::Missing);
}

#[tokio::test]
async fn a_deletion_that_failed_after_its_end_tells_what_to_do() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().sweeps = true;
    rig.quota("ask sweep");
    rig.run(delete()).await;
    let view = rig.get("prod").await;
    assert_eq!(view.status, Status::Missing);
    assert!(view.status_reason.contains("delete the cluster again"), "{view:?}");
}

#[tokio::test]
async fn a_network_tells_of_its_failed_deletion() {
    let rig = Rig::new().await;
    let network = new_network("net");
    rig.done(Mutation::CreateNetwork { connection: "here".into(), network }).await;
    let delete = Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() };
    let reason = async || rig.pmks.networks().get("here", "net", None).await.unwrap().status_reason;
    rig.quota("ask removal");
    let failed = rig.run(delete).await;
    let [left] = failed.remains.as_slice() else { panic!("{failed:#?}") };
    assert_eq!((left.kind.as_str(), left.system_id.as_str()), ("network", "net-0001"));
    assert!(left.reason.contains("ask removal was scripted to fail"), "{left:?}");
    assert!(reason().await.contains("the deletion of the network failed"), "{}", reason().await);
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
