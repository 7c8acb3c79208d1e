//! Changes send no more than one request for each stage of their plan. That a plan has no stage too many is the kill
//! matrix's to say, by a table of each cloud.

use pmks_driver::{
    Change, ChangeNodeGroupScaling, DeleteCluster, RemoveNodeGroup, StageSpecification, UpgradeCluster,
};
use pmks_model::{Cluster, NodeGroup, ScalingChange, UpgradeRequest, UpgradeTargets, VersionRequest};

use super::versions::{minors, with_version};
use crate::executor::{Done, carry_out};
use crate::ground::{Ground, least_node_groups, marks, node_group_target, take, target};
use crate::report::check;
use crate::{Failed, Rig, Verdict};

/// Carries a change out, which sends no more than one request that changes something for each stage of its plan that
/// does; a look that something is as it should be sends none.
async fn frugally(rig: &Rig, change: &Change) -> Result<Done, Failed> {
    let mark = rig.calls.mark();
    let done = carry_out(rig, change).await?;
    let sent = rig.calls.changes_since(mark);
    let asks = |stage: &&StageSpecification| stage.effect != pmks_transport::Effect::Read;
    let stages = done.prepared.plan.stages.iter().filter(asks).count();
    check(sent.len() <= stages, || format!("{}: {stages} stages that ask, sent {sent:?}", change.kind()))?;
    Ok(done)
}

fn group<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a NodeGroup, Failed> {
    let found = cluster.node_groups.iter().find(|group| group.iid.name_id == name);
    found.ok_or_else(|| Failed(format!("there is no node group {name}")))
}

/// No change of a cluster or node group sends a request more than its plan has stages that ask for something.
pub(crate) async fn changes_send_one_request_a_stage(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let minors = minors(&rig).await?.unwrap_or_default();
    let (before, after) = match minors.as_slice() {
        [.., before, after] => (VersionRequest::Given(before.clone()), Some(after.clone())),
        _ => (VersionRequest::Default, None),
    };
    let most = rig.driver.capabilities().node_groups_at_creation.most;
    let count = least_node_groups(&rig).max(most.min(1));
    let asked = Change::CreateCluster(with_version(&ground, "pmks-frugal", count, before));
    let mut ids = frugally(&rig, &asked).await?.ids;
    let id = take(&mut ids, "pmks-frugal")?.system_id;
    let cluster = rig.driver.get_cluster(&id).await?;
    frugally(&rig, &Change::AddNodeGroup(ground.add(&cluster, "gx"))).await?;
    let cluster = rig.driver.get_cluster(&id).await?;
    let added = node_group_target(&cluster, group(&cluster, "gx")?);
    let change = ScalingChange { desired: Some(ground.size(3)), ..ScalingChange::default() };
    let scaling = ChangeNodeGroupScaling { target: added.clone(), change, marks: marks() };
    frugally(&rig, &Change::ChangeNodeGroupScaling(scaling)).await?;
    if let Some(version) = after {
        let request = UpgradeRequest {
            version: VersionRequest::Given(version),
            node_groups: UpgradeTargets::All,
            force: false,
        };
        let upgrade = UpgradeCluster { target: target(&cluster), request, marks: marks() };
        frugally(&rig, &Change::UpgradeCluster(upgrade)).await?;
    }
    frugally(&rig, &Change::RemoveNodeGroup(RemoveNodeGroup { target: added, marks: marks() })).await?;
    let asked = DeleteCluster { target: target(&cluster), delete_volumes: true, marks: marks() };
    frugally(&rig, &Change::DeleteCluster(asked)).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}
