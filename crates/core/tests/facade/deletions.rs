//! What a deletion that failed has left, and what a new one makes of it.

use pmks_core::{Mutation, OperationView};
use pmks_driver::ErrorKind;
use pmks_model::{FailureKind, OperationState};

use super::rig::Rig;

/// The stage that removes the volume.
const VOLUME: &str = "volume vol-1";

fn delete(delete_volumes: bool) -> Mutation {
    Mutation::DeleteCluster { connection: "here".into(), cluster: "prod".into(), delete_volumes }
}

fn left(ended: &OperationView) -> Vec<String> {
    ended.remains.iter().map(|left| format!("{} {}", left.kind, left.system_id)).collect()
}

impl Rig {
    /// The cluster is gone, and what came after it failed.
    async fn half_deleted(&self, stage: &str, delete_volumes: bool) {
        self.cluster().await;
        self.fails(stage);
        let failed = self.run(delete(delete_volumes)).await;
        assert_eq!(failed.state, OperationState::Failed, "{failed:#?}");
        assert_eq!(left(&failed), [VOLUME]);
        assert!(self.cloud.world().clusters.is_empty());
    }

    fn fails(&self, stage: &str) {
        let refused = ErrorKind::Forbidden { permission: None };
        self.cloud.world().failures.insert(format!("ask {stage}"), refused);
    }

    fn heals(&self) {
        self.cloud.world().failures.clear();
    }
}

#[tokio::test]
async fn a_new_deletion_removes_what_the_last_one_could_not() {
    let rig = Rig::new().await;
    rig.half_deleted(VOLUME, true).await;
    let plan = rig.pmks.plan(&rig.admin, delete(true)).await.unwrap();
    assert!(plan.stages.iter().any(|stage| stage.name == VOLUME), "{plan:#?}");
    assert_eq!(plan.children.found.len(), 1);
    assert_eq!(plan.removals.get("vol-1").unwrap(), VOLUME);
    // As long as it cannot be done, it is not said to be, however often it is asked for.
    for _ in 0..2 {
        let again = rig.run(delete(true)).await;
        assert_eq!((again.state, left(&again)), (OperationState::Failed, vec![VOLUME.to_owned()]));
    }
    rig.heals();
    let asked = rig.cloud.count("ask volume vol-1");
    let done = rig.done(delete(true)).await;
    assert!(done.remains.is_empty(), "{done:#?}");
    assert_eq!(rig.cloud.count("ask volume vol-1"), asked + 1);
    assert_eq!(rig.pmks.clusters().get("here", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn of_a_cluster_that_is_gone_the_children_are_what_its_deletion_left() {
    let rig = Rig::new().await;
    rig.half_deleted(VOLUME, true).await;
    let left = rig.pmks.clusters().children("here", "prod").await.unwrap();
    let ids: Vec<&str> = left.found.iter().map(|child| child.system_id.as_str()).collect();
    assert_eq!(ids, ["vol-1"]);
}

#[tokio::test]
async fn what_the_last_deletion_was_to_remove_may_be_kept_now_and_is_listed() {
    let rig = Rig::new().await;
    rig.half_deleted(VOLUME, true).await;
    let done = rig.done(delete(false)).await;
    assert_eq!(left(&done), [VOLUME]);
    assert!(done.remains[0].reason.contains("it is kept"), "{done:#?}");
}

#[tokio::test]
async fn what_the_last_deletion_was_to_keep_may_be_removed_now() {
    let rig = Rig::new().await;
    rig.cloud.world().sweeps = true;
    rig.half_deleted("sweep", false).await;
    rig.heals();
    let done = rig.done(delete(true)).await;
    assert!(done.remains.is_empty(), "{done:#?}");
    assert_eq!(rig.cloud.count("ask volume vol-1"), 1);
}

#[tokio::test]
async fn what_a_cancelled_deletion_left_is_not_forgotten() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().stuck.insert(VOLUME.into());
    let first = rig.accept(delete(true)).await.unwrap();
    rig.round().await;
    rig.round().await;
    rig.pmks.operations().cancel(&rig.admin, &first.id.to_string()).await.unwrap();
    rig.settle().await;
    let cancelled = rig.operation(&first).await;
    assert_eq!((cancelled.state, left(&cancelled)), (OperationState::Cancelled, vec![VOLUME.to_owned()]));
    rig.cloud.world().stuck.clear();
    let done = rig.done(delete(true)).await;
    assert!(done.remains.is_empty() && done.stages.iter().any(|stage| stage.name == VOLUME), "{done:#?}");
}

#[tokio::test]
async fn volumes_that_the_last_deletion_could_not_see_are_not_said_to_be_removed() {
    let rig = Rig::new().await;
    rig.cloud.world().sweeps = true;
    rig.cloud.world().volumes_unseen = true;
    rig.half_deleted("sweep", false).await;
    rig.heals();
    let refused = rig.accept(delete(true)).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Precondition, "{refused:?}");
    assert!(refused.detail.contains("could not be looked at"), "{refused:?}");
    assert_eq!(left(&rig.done(delete(false)).await), [VOLUME]);
}

#[tokio::test]
async fn a_refusal_between_two_deletions_hides_nothing() {
    let rig = Rig::new().await;
    rig.half_deleted(VOLUME, true).await;
    rig.heals();
    rig.cloud.world().failures.insert("prepare".into(), ErrorKind::Forbidden { permission: None });
    assert_eq!(rig.accept(delete(true)).await.unwrap_err().kind, FailureKind::Forbidden);
    rig.heals();
    let asked = rig.cloud.count("ask volume vol-1");
    rig.done(delete(true)).await;
    assert_eq!(rig.cloud.count("ask volume vol-1"), asked + 1);
}

#[tokio::test]
async fn what_vanishes_beside_a_cluster_is_not_its_end() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.cloud.world().failures.insert("children".into(), ErrorKind::NotFound);
    let first = rig.accept(delete(true)).await.unwrap();
    // Nobody waits for the end of what is tried again.
    for _ in 0..12 {
        rig.settle().await;
    }
    let failed = rig.operation(&first).await;
    assert_eq!((failed.state, failed.stages.len()), (OperationState::Failed, 1), "{failed:#?}");
    assert_eq!(rig.cloud.count("children"), 7, "it is read again, and not for ever");
    assert!(rig.cloud.world().clusters.contains_key("prod"));
    assert_eq!(rig.get("prod").await.status, pmks_model::Status::Active);
    // It vanished once: the next look is whole.
    let again = rig.accept(delete(true)).await.unwrap();
    rig.round().await;
    rig.heals();
    for _ in 0..3 {
        rig.settle().await;
    }
    let again = rig.operation(&again).await;
    assert_eq!(again.state, OperationState::Succeeded, "{again:#?}");
    assert!(rig.cloud.world().clusters.is_empty());
}
