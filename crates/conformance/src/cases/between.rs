//! What happens at the cloud between two stages of an operation, or behind its back.

use pmks_driver::{
    Change, ChangeNodeGroupScaling, ClusterTarget, DeleteCluster, ErrorKind, Search, StageSpecification,
    UpgradeCluster,
};
use pmks_model::{
    Children, Cluster, Iid, ResourceKind, ScalingChange, Status, Unseen, UnseenVolumes, UpgradeRequest,
    UpgradeTargets, VersionRequest,
};

use super::versions::{minors, with_version};
use crate::executor::{Course, carry_out, prepare};
use crate::ground::{
    Ground, delete_cluster, fix_prerequisites, least_node_groups, marks, node_group_target, take, target,
};
use crate::report::{check, check_equal};
use crate::{Deed, Failed, Rig, Verdict};

fn is_about_the_cluster(stage: &StageSpecification) -> bool {
    stage.subject.as_ref().is_some_and(|subject| subject.kind == ResourceKind::Cluster)
}

/// Goes on with a change until it ends, and holds that against a stranger's cluster of the same name: the error is of
/// that kind, no more changes are sent than that, and the stranger's stands as it was.
async fn left_alone(
    rig: &Rig,
    course: &mut Course<'_>,
    theirs: &Cluster,
    kind: &ErrorKind,
    most: usize,
) -> Result<(), Failed> {
    let mark = rig.calls.mark();
    let error = course.run_until(|_| false).await.err();
    let error = error.ok_or_else(|| Failed("it went on with a stranger's cluster".to_owned()))?;
    check(error.kind() == kind, || format!("{:?} instead of {kind:?}: {error}", error.kind()))?;
    let sent = rig.calls.changes_since(mark);
    check(sent.len() <= most, || format!("a stranger's cluster was met with {sent:?}"))?;
    let after = rig.driver.get_cluster(&theirs.iid.system_id).await?;
    check_equal(&after, theirs, "the stranger's cluster")
}

/// A stranger's cluster that takes the name after the preparation, and after the stages before the cluster's own, is
/// neither adopted nor changed.
pub(crate) async fn a_stranger_between_two_stages_of_a_creation_is_left_alone(
    rig: Rig,
) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let least = least_node_groups(&rig);
    let ours = Change::CreateCluster(ground.cluster("pmks-between", least));
    let prepared = prepare(&rig, rig.driver.as_ref(), &ours).await?;
    let mut course = Course::of(&rig, rig.driver.as_ref(), prepared);
    course.run_until(is_about_the_cluster).await?;
    let theirs = ground.cluster_with(&rig, "pmks-between", least).await?;
    left_alone(&rig, &mut course, &theirs, &ErrorKind::AlreadyExists, 1).await?;
    delete_cluster(&rig, &theirs).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A cluster that somebody removes and makes anew between two stages of its deletion is another one, and stays.
pub(crate) async fn a_stranger_between_two_stages_of_a_deletion_is_left_alone(
    rig: Rig,
) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let ours = ground.cluster_with(&rig, "pmks-swapped", 1).await?;
    let asked = DeleteCluster { target: target(&ours), delete_volumes: true, marks: marks() };
    let prepared = prepare(&rig, rig.driver.as_ref(), &Change::DeleteCluster(asked)).await?;
    let mut course = Course::of(&rig, rig.driver.as_ref(), prepared);
    course.run_until(is_about_the_cluster).await?;
    delete_cluster(&rig, &ours).await?;
    let theirs = ground.standing_cluster(&rig, "pmks-swapped").await?;
    left_alone(&rig, &mut course, &theirs, &ErrorKind::Replaced, 0).await?;
    delete_cluster(&rig, &theirs).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A cluster that somebody removes and makes anew before the first stage of a scaling keeps its size.
pub(crate) async fn a_stranger_before_a_scaling_is_left_alone(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let ours = ground.cluster_with(&rig, "pmks-swapped", 1).await?;
    let group = ours.node_groups.first().ok_or_else(|| Failed("no node group".to_owned()))?;
    let change = ScalingChange { desired: Some(ground.size(3)), ..ScalingChange::default() };
    let asked = ChangeNodeGroupScaling { target: node_group_target(&ours, group), change, marks: marks() };
    let prepared = prepare(&rig, rig.driver.as_ref(), &Change::ChangeNodeGroupScaling(asked)).await?;
    delete_cluster(&rig, &ours).await?;
    let theirs = ground.cluster_with(&rig, "pmks-swapped", 1).await?;
    let mut course = Course::of(&rig, rig.driver.as_ref(), prepared);
    left_alone(&rig, &mut course, &theirs, &ErrorKind::Replaced, 0).await?;
    delete_cluster(&rig, &theirs).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A status in a word that nobody knows is `Unknown`: the cluster is read all the same, by itself and in the list, and
/// is not at rest.
pub(crate) async fn an_unknown_status_word_is_unknown(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = rig.witness.can(Deed::SayStatus) {
        return Ok(Verdict::Skipped(why));
    }
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-odd").await?;
    let id = cluster.iid.system_id.as_str();
    rig.witness.say_status(id, Some("PMKS_WORD_OF_TOMORROW")).await.map_err(Failed)?;
    let found = rig.driver.get_cluster(id).await?;
    check_equal(&found.status, &Status::Unknown, "the status of an unknown word")?;
    check(!found.status.is_settled(), || "an unknown word counts as rest".to_owned())?;
    // The cloud's own facts may repeat its word.
    let (reason, facts) = (cluster.status_reason.clone(), cluster.key_value_list.clone());
    let found = Cluster { status: Status::Active, status_reason: reason, key_value_list: facts, ..found };
    check_equal(&found, &cluster, "everything but the status")?;
    let listed = rig.driver.list_clusters(pmks_driver::Detail::Clusters).await?;
    check(listed.is_complete(), || format!("the list is partial: {:?}", listed.missed))?;
    let listed = listed.items.into_iter().find(|one| one.iid.system_id == id).map(|one| one.status);
    check_equal(&listed, &Some(Status::Unknown), "the status in the list")?;
    rig.witness.say_status(id, None).await.map_err(Failed)?;
    check_equal(&rig.driver.get_cluster(id).await?.status, &Status::Active, "the status afterwards")?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// What no document knows is read over, and survives a scaling and an upgrade: what replaces sends back what it read.
pub(crate) async fn what_is_unknown_survives_scaling_and_upgrade(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = rig.witness.can(Deed::AddUnknown) {
        return Ok(Verdict::Skipped(why));
    }
    let ground = Ground::make(&rig).await?;
    let (from, to) = match minors(&rig).await? {
        Ok(minors) => match minors.as_slice() {
            [.., from, to] => (VersionRequest::Given(from.clone()), Some(to.clone())),
            _ => (VersionRequest::Default, None),
        },
        Err(_) => (VersionRequest::Default, None),
    };
    let create = Change::CreateCluster(with_version(&ground, "pmks-kept", 1, from));
    let iid = take(&mut carry_out(&rig, &create).await?.ids, "pmks-kept")?;
    let cluster = rig.driver.get_cluster(&iid.system_id).await?;
    rig.witness.add_unknown(&iid.system_id).await.map_err(Failed)?;
    check_equal(&rig.driver.get_cluster(&iid.system_id).await?, &cluster, "what is known of it")?;
    let group = cluster.node_groups.first().ok_or_else(|| Failed("no node group".to_owned()))?;
    let change = ScalingChange { desired: Some(ground.size(3)), ..ScalingChange::default() };
    let asked = ChangeNodeGroupScaling { target: node_group_target(&cluster, group), change, marks: marks() };
    carry_out(&rig, &Change::ChangeNodeGroupScaling(asked)).await?;
    check(rig.witness.keeps_unknown(&iid.system_id).await.map_err(Failed)?, || {
        "a scaling took away what it does not know".to_owned()
    })?;
    if let Some(to) = to {
        let version = VersionRequest::Given(to.clone());
        let request = UpgradeRequest { version, node_groups: UpgradeTargets::All, force: false };
        let asked = UpgradeCluster { target: target(&cluster), request, marks: marks() };
        carry_out(&rig, &Change::UpgradeCluster(asked)).await?;
        let version = rig.driver.get_cluster(&iid.system_id).await?.version;
        check(version.as_ref().is_some_and(|version| version.reaches(&to)), || format!("{version:?}"))?;
    }
    check(rig.witness.keeps_unknown(&iid.system_id).await.map_err(Failed)?, || {
        "an upgrade took away what it does not know".to_owned()
    })?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A credential that acts in another account from one moment to the next says so: who we are is asked, not remembered.
pub(crate) async fn another_account_is_told_from_the_first(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = rig.witness.can(Deed::MoveCredential) {
        return Ok(Verdict::Skipped(why));
    }
    let first = rig.driver.account_identity().await?;
    rig.witness.move_credential().await.map_err(Failed)?;
    let other = rig.driver.account_identity().await?;
    rig.witness.move_credential().await.map_err(Failed)?;
    let again = rig.driver.account_identity().await?;
    check(other.account != first.account, || format!("another account is {:?} too", other.account))?;
    check_equal(&again, &first, "who we are afterwards")?;
    Ok(Verdict::Passed)
}

/// A volume that a workload asked for outlives its cluster, or the deletion is refused naming it; it goes on request.
pub(crate) async fn volumes_of_workloads_go_on_request_alone(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = rig.witness.can(Deed::MakeVolume) {
        return Ok(Verdict::Skipped(why));
    }
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-claims").await?;
    let volume = rig.witness.make_volume(&cluster.iid.system_id).await.map_err(Failed)?;
    let children = rig.driver.children(&cluster).await?;
    let child = children.found.iter().find(|child| child.system_id == volume);
    let child = child.ok_or_else(|| Failed(format!("{volume} is not among the children {children:?}")))?;
    check_equal(&child.kind.as_str(), &pmks_model::Child::VOLUME, "what it is")?;
    let asked = DeleteCluster { target: target(&cluster), delete_volumes: false, marks: marks() };
    let mark = rig.calls.mark();
    let prepared = rig.driver.prepare(&Change::DeleteCluster(asked)).await;
    let named = match (&prepared, child.goes_with_cluster) {
        (Ok(prepared), false) => prepared.notices.iter().any(|notice| notice.contains(&volume)),
        (Err(error), true) => {
            matches!(error.kind(), ErrorKind::Precondition { what, .. } if what.contains(&volume))
        }
        _ => false,
    };
    check(named, || format!("{volume}, which goes along: {}: {prepared:?}", child.goes_with_cluster))?;
    let sent = rig.calls.changes_since(mark);
    check(sent.is_empty(), || format!("preparing sent {sent:?}"))?;
    delete_cluster(&rig, &cluster).await?;
    check(!rig.witness.things().await.iter().any(|thing| thing.id == volume), || {
        format!("{volume} was asked to go and is there")
    })?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The cluster is gone, and its last deletion could not see all that stood beside it: the next one, asked to delete the
/// volumes too, is refused, and one that is not says what may still stand. What went with the cluster is no matter any more.
pub(crate) async fn what_an_earlier_deletion_could_not_see_is_handed_on(rig: Rig) -> Result<Verdict, Failed> {
    fix_prerequisites(&rig).await?;
    let iid = Iid::new("pmks-nothing", "pmks-nothing");
    let gone = ClusterTarget { iid, incarnation: "pmks-never".to_owned() };
    let unseen =
        |what: &str, volumes| Unseen { what: what.to_owned(), why: "nobody answered".to_owned(), volumes };
    let unknown = vec![
        unseen("the volumes elsewhere", UnseenVolumes::Stay),
        unseen("the balancers", UnseenVolumes::None),
        unseen("the volumes inside", UnseenVolumes::Go),
    ];
    let search = Search { must_hear: true, known: Children { found: Vec::new(), unknown: unknown.clone() } };
    let asked = |delete_volumes| {
        Change::DeleteCluster(DeleteCluster { target: gone.clone(), delete_volumes, marks: marks() })
    };
    let mark = rig.calls.mark();
    let error = rig.driver.prepare_by(&asked(true), &search).await.err();
    let error =
        error.ok_or_else(|| Failed("volumes that nobody has seen are said to be deleted".to_owned()))?;
    let named = matches!(error.kind(), ErrorKind::Precondition { what, .. } if what.contains("the volumes elsewhere"));
    check(named, || format!("{:?}: {error}", error.kind()))?;
    let prepared = rig.driver.prepare_by(&asked(false), &search).await?;
    let still = unknown.iter().filter(|one| one.volumes != UnseenVolumes::Go).cloned().collect::<Vec<_>>();
    check_equal(&prepared.children.unknown, &still, "what is still unseen")?;
    for one in &still {
        let said = prepared.notices.iter().any(|notice| notice.contains(&one.what));
        check(said, || format!("no notice says {:?}: {:?}", one.what, prepared.notices))?;
    }
    let sent = rig.calls.changes_since(mark);
    check(sent.is_empty(), || format!("preparing sent {sent:?}"))?;
    Ok(Verdict::Passed)
}
