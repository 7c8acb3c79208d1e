//! Creations that the cloud itself ends as failed, and what the next attempt of the same operation makes of them.

use pmks_driver::{Change, ErrorKind, FailedCreate, Prepared, StageSpecification};
use pmks_model::{Cluster, ResourceKind, Status};

use crate::executor::{attempt, carry_out, prepare};
use crate::ground::{Ground, delete_cluster};
use crate::report::{check, check_equal};
use crate::{Deed, Failed, Rig, Verdict};

/// Whether the witness can let both fail.
fn fails_creations(rig: &Rig) -> Result<(), String> {
    [ResourceKind::Cluster, ResourceKind::NodeGroup]
        .into_iter()
        .try_for_each(|kind| rig.witness.can(Deed::FailNext(kind)))
}

/// Carries a creation out that the cloud ends as failed, and answers its plan.
async fn failed(rig: &Rig, change: &Change) -> Result<Prepared, Failed> {
    let prepared = prepare(rig, rig.driver.as_ref(), change).await?;
    match attempt(rig, rig.driver.as_ref(), prepared.clone(), 1).await {
        Err(error) if *error.kind() == ErrorKind::AlreadyExists => Err(error.into()),
        Err(_) => Ok(prepared),
        Ok(_) => Err(Failed(format!("{} succeeded and should have failed at the cloud", change.kind()))),
    }
}

/// The next attempt of the same operation makes one good thing of what failed.
async fn retried(rig: &Rig, change: &Change) -> Result<(), Failed> {
    let prepared = failed(rig, change).await?;
    attempt(rig, rig.driver.as_ref(), prepared, 2).await?;
    Ok(())
}

async fn cluster_named(rig: &Rig, name: &str) -> Result<Cluster, Failed> {
    let listed = rig.driver.list_clusters(pmks_driver::Detail::Nodes).await?;
    let mut named = listed.items.into_iter().filter(|cluster| cluster.iid.name_id == name);
    match (named.next(), named.next()) {
        (Some(cluster), None) => Ok(cluster),
        (None, _) => Err(Failed(format!("there is no cluster {name:?}"))),
        (Some(_), Some(_)) => Err(Failed(format!("there are several clusters {name:?}"))),
    }
}

/// What the cloud ended as failed comes right at a retry, as the capabilities say: removed and asked for anew, or gone on
/// with. One good cluster and one good node group at the end; the cluster another one than the failed one, or the same.
pub(crate) async fn a_failed_creation_comes_right_at_a_retry(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = fails_creations(&rig) {
        return Ok(Verdict::Skipped(why));
    }
    let ground = Ground::make(&rig).await?;
    rig.witness.fail_next(ResourceKind::Cluster).await.map_err(Failed)?;
    let create = Change::CreateCluster(ground.cluster("pmks-mended", 1));
    let prepared = failed(&rig, &create).await?;
    let broken = cluster_named(&rig, "pmks-mended").await?;
    check_equal(&broken.status, &Status::Failed, "the status of what failed")?;
    let error = attempt(&rig, rig.driver.as_ref(), prepared.clone(), 1).await.err();
    check(error.is_some(), || "the same attempt took what had failed for its own success".to_owned())?;
    attempt(&rig, rig.driver.as_ref(), prepared, 2).await?;
    let cluster = cluster_named(&rig, "pmks-mended").await?;
    check_equal(&cluster.status, &Status::Active, "the cluster's status")?;
    let is_another = cluster.incarnation != broken.incarnation;
    let replaces = rig.driver.capabilities().failed_create == FailedCreate::Replace;
    check_equal(&is_another, &replaces, "whether it is another one than the one that failed")?;

    rig.witness.fail_next(ResourceKind::NodeGroup).await.map_err(Failed)?;
    retried(&rig, &Change::AddNodeGroup(ground.add(&cluster, "gz"))).await?;
    let listed = rig.driver.list_node_groups(&cluster.iid.system_id).await?.items;
    let made: Vec<Status> =
        listed.iter().filter(|group| group.iid.name_id == "gz").map(|group| group.status).collect();
    check_equal(&made, &vec![Status::Active], "the node groups of that name")?;
    let cluster = cluster_named(&rig, "pmks-mended").await?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The failed cluster and the failed node group of somebody else are no operation's to remove or to go on with, whichever
/// attempt it is.
pub(crate) async fn a_strangers_failure_is_left_alone(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = fails_creations(&rig) {
        return Ok(Verdict::Skipped(why));
    }
    let ground = Ground::make(&rig).await?;
    // Planned while nothing stands there: a name that is taken is refused before.
    let ours = Change::CreateCluster(ground.cluster("pmks-theirs", 1));
    let planned = prepare(&rig, rig.driver.as_ref(), &ours).await?;
    rig.witness.fail_next(ResourceKind::Cluster).await.map_err(Failed)?;
    failed(&rig, &Change::CreateCluster(ground.cluster("pmks-theirs", 1))).await?;
    let theirs = cluster_named(&rig, "pmks-theirs").await?;
    left_alone(&rig, planned, |stage| is_about(stage, ResourceKind::Cluster)).await?;
    check_equal(&cluster_named(&rig, "pmks-theirs").await?.incarnation, &theirs.incarnation, "the cluster")?;
    delete_cluster(&rig, &theirs).await?;

    let done = carry_out(&rig, &Change::CreateCluster(ground.cluster("pmks-host", 1))).await?;
    let host = done.ids.get("pmks-host").cloned().unwrap_or_default();
    let host = rig.driver.get_cluster(&host).await?;
    let planned = prepare(&rig, rig.driver.as_ref(), &Change::AddNodeGroup(ground.add(&host, "gy"))).await?;
    rig.witness.fail_next(ResourceKind::NodeGroup).await.map_err(Failed)?;
    failed(&rig, &Change::AddNodeGroup(ground.add(&host, "gy"))).await?;
    let theirs = node_group(&rig, &host, "gy").await?;
    left_alone(&rig, planned, |stage| is_about(stage, ResourceKind::NodeGroup)).await?;
    check_equal(&node_group(&rig, &host, "gy").await?, &theirs, "the node group")?;
    delete_cluster(&rig, &rig.driver.get_cluster(&host.iid.system_id).await?).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

async fn node_group(rig: &Rig, cluster: &Cluster, name: &str) -> Result<String, Failed> {
    let listed = rig.driver.list_node_groups(&cluster.iid.system_id).await?.items;
    let found = listed.into_iter().find(|group| group.iid.name_id == name);
    found.map(|group| group.incarnation).ok_or_else(|| Failed(format!("there is no node group {name:?}")))
}

fn is_about(stage: &StageSpecification, kind: ResourceKind) -> bool {
    stage.subject.as_ref().is_some_and(|subject| subject.kind == kind)
}

/// A second attempt ends as `AlreadyExists`, the removal itself refuses, and neither sends a change.
async fn left_alone(
    rig: &Rig,
    planned: Prepared,
    of: impl Fn(&StageSpecification) -> bool,
) -> Result<(), Failed> {
    let stage = planned.plan.stages.iter().find(|stage| of(stage)).cloned();
    let stage = stage.ok_or_else(|| Failed("no stage of the plan makes it".to_owned()))?;
    // What comes before it in the plan is not what this is about.
    let alone = Prepared {
        plan: pmks_driver::Plan::of([StageSpecification { after: Vec::new(), ..stage.clone() }]),
        ..planned
    };
    let mark = rig.calls.mark();
    let Err(error) = attempt(rig, rig.driver.as_ref(), alone, 2).await else {
        return Err(Failed("a stranger's failure was replaced".to_owned()));
    };
    check(*error.kind() == ErrorKind::AlreadyExists, || format!("{:?}: {error}", error.kind()))?;
    let calls = rig.driver.stage(&stage)?;
    let context = crate::runner::first_context(rig);
    let Err(error) = calls.remove_failed(&context).await else {
        return Err(Failed("the removal of a stranger's failure was asked for".to_owned()));
    };
    let is_refused = match rig.driver.capabilities().failed_create {
        FailedCreate::Replace => *error.kind() == ErrorKind::AlreadyExists,
        FailedCreate::Repair => matches!(error.kind(), ErrorKind::Unsupported { .. }),
    };
    check(is_refused, || format!("{:?}: {error}", error.kind()))?;
    let changes = rig.calls.changes_since(mark);
    check(changes.is_empty(), || format!("a stranger's failure was met with {changes:?}"))
}
