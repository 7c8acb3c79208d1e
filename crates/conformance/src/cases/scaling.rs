//! Sizes, limits and the autoscaling switch.

use std::time::Duration;

use pmks_driver::{Change, ChangeNodeGroupScaling, ErrorKind};
use pmks_model::{Cluster, NodeGroup, Scaling, ScalingChange};

use crate::executor::{Done, carry_out, refused};
use crate::ground::{Ground, delete_cluster, marks, node_group_target};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// How long machines may come and go after the cloud's own work is over.
const NODES_SETTLE: Duration = Duration::from_mins(10);

struct Stand {
    ground: Ground,
    cluster: Cluster,
}

impl Stand {
    async fn make(rig: &Rig, name: &str) -> Result<Self, Failed> {
        let ground = Ground::make(rig).await?;
        let mut cluster = ground.standing_cluster(rig, name).await?;
        if cluster.node_groups.is_empty() {
            carry_out(rig, &Change::AddNodeGroup(ground.add(&cluster, "ga"))).await?;
            cluster = rig.driver.get_cluster(&cluster.iid.system_id).await?;
        }
        Ok(Self { ground, cluster })
    }

    async fn group(&self, rig: &Rig) -> Result<NodeGroup, Failed> {
        let group = self.cluster.node_groups.first().ok_or_else(|| Failed("no node group".to_owned()))?;
        Ok(rig.driver.get_node_group(&self.cluster.iid.system_id, &group.iid.system_id).await?)
    }

    /// The node group once it has that many nodes. A cloud's own work may be over before the machines that it asked for
    /// have come, or those that it sent away have gone.
    async fn group_of(&self, rig: &Rig, nodes: usize) -> Result<NodeGroup, Failed> {
        let within = (NODES_SETTLE / rig.pace.max(1)).max(Duration::from_secs(5));
        let until = rig.clock.monotonic() + within;
        loop {
            let group = self.group(rig).await?;
            if group.nodes.len() == nodes || rig.clock.monotonic() >= until {
                return Ok(group);
            }
            let pause = (Duration::from_secs(15) / rig.pace.max(1)).max(Duration::from_millis(10));
            rig.clock.sleep(pause).await;
        }
    }

    async fn scale(&self, rig: &Rig, change: ScalingChange) -> Result<Done, Failed> {
        let target = node_group_target(&self.cluster, &self.group(rig).await?);
        let asked = ChangeNodeGroupScaling { target, change, marks: marks() };
        Ok(carry_out(rig, &Change::ChangeNodeGroupScaling(asked)).await?)
    }

    async fn clear(self, rig: &Rig) -> Result<(), Failed> {
        delete_cluster(rig, &self.cluster).await?;
        self.ground.clear(rig).await
    }
}

/// The number of nodes follows what was asked for; what was not asked for stays; asking for what is changes nothing.
/// Limits that the cloud does not keep are observed at the size, and a plan says that they wait.
pub(crate) async fn node_groups_scale_up_and_down(rig: Rig) -> Result<Verdict, Failed> {
    let here = rig.driver.capabilities().auto_scaling;
    let stand = Stand::make(&rig, "pmks-scaled").await?;
    let of = |steps| Some(stand.ground.size(steps));
    for (change, wanted) in [
        (ScalingChange { desired: of(4), ..ScalingChange::default() }, (1, 4, 4)),
        (ScalingChange { desired: of(1), ..ScalingChange::default() }, (1, 4, 1)),
        (ScalingChange { min: of(2), max: of(3), ..ScalingChange::default() }, (2, 3, 2)),
    ] {
        let wanted = (stand.ground.size(wanted.0), stand.ground.size(wanted.1), stand.ground.size(wanted.2));
        let (min, max, size) = wanted;
        let done = stand.scale(&rig, change).await?;
        let group = stand.group_of(&rig, size as usize).await?;
        let observed = if here.keeps_limits { wanted } else { (size, size, size) };
        let scaling = group.scaling.ok_or_else(|| Failed("no scaling is observed".to_owned()))?;
        check_equal(&(scaling.min, scaling.max, scaling.desired), &observed, "the scaling")?;
        check_equal(&group.nodes.len(), &(size as usize), "the number of nodes")?;
        let whole = Scaling { auto_scaling: false, min, max, desired: size };
        if let Some(says) = here.waiting_limits(change, whole) {
            let notices = &done.prepared.notices;
            check(notices.contains(&says), || format!("{says:?} is not in the plan's notices {notices:?}"))?;
        }
        let mark = rig.calls.mark();
        stand.scale(&rig, change).await?;
        let changes = rig.calls.changes_since(mark);
        check(changes.is_empty(), || format!("scaling to what is sent {changes:?}"))?;
    }
    stand.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The switch is set, read back and taken back; with it on, the size is left to the autoscaler, which may be at work.
pub(crate) async fn auto_scaling_is_switched_on_and_off(rig: Rig) -> Result<Verdict, Failed> {
    let stand = Stand::make(&rig, "pmks-auto").await?;
    let of = |steps| stand.ground.size(steps);
    for auto_scaling in [true, false, true] {
        let change = ScalingChange {
            auto_scaling: Some(auto_scaling),
            min: Some(of(1)),
            max: Some(of(5)),
            desired: None,
        };
        stand.scale(&rig, change).await?;
        check_scaling(&rig, &stand, Scaling { auto_scaling, min: of(1), max: of(5), desired: of(2) }).await?;
    }
    // A size that is asked for with limits is the autoscaler's all the same, and the plan says so.
    let size = stand.group(&rig).await?.scaling.map_or(of(2), |scaling| scaling.desired);
    let size = if size < of(5) { size + of(1) } else { size - of(1) };
    let change =
        ScalingChange { auto_scaling: Some(true), min: Some(of(1)), max: Some(of(5)), desired: Some(size) };
    let mark = rig.calls.mark();
    let done = stand.scale(&rig, change).await?;
    let changes = rig.calls.changes_since(mark);
    check(changes.is_empty(), || format!("a size that is the autoscaler's sent {changes:?}"))?;
    check(!done.prepared.notices.is_empty(), || "the plan does not say that the size is left".to_owned())?;
    // Nobody would set a size now: it is refused, and nothing changes.
    let target = node_group_target(&stand.cluster, &stand.group(&rig).await?);
    let change = ScalingChange { desired: Some(of(4)), ..ScalingChange::default() };
    let asked = ChangeNodeGroupScaling { target, change, marks: marks() };
    let error = refused(&rig, &Change::ChangeNodeGroupScaling(asked)).await?;
    check(matches!(error.kind(), ErrorKind::InvalidRequest(found) if !found.is_empty()), || {
        format!("a size under autoscaling is refused without a finding: {error}")
    })?;
    check_scaling(&rig, &stand, Scaling { auto_scaling: true, min: of(1), max: of(5), desired: of(2) })
        .await?;
    // The size may lie outside the new limits, so that it is moved to the nearest.
    stand.scale(&rig, ScalingChange { min: Some(of(3)), ..ScalingChange::default() }).await?;
    check_scaling(&rig, &stand, Scaling { auto_scaling: true, min: of(3), max: of(5), desired: of(3) })
        .await?;
    stand.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The switch and the limits are as wanted; the size too, unless the cloud's own autoscaler moves it.
async fn check_scaling(rig: &Rig, stand: &Stand, wanted: Scaling) -> Result<(), Failed> {
    let here = rig.driver.capabilities().auto_scaling;
    let found = stand.group(rig).await?.scaling.ok_or_else(|| Failed("no scaling is observed".to_owned()))?;
    let size = if here.managed { found.desired } else { wanted.desired };
    let (min, max) =
        if here.keeps_limits || wanted.auto_scaling { (wanted.min, wanted.max) } else { (size, size) };
    check_equal(&found, &Scaling { min, max, desired: size, ..wanted }, "the scaling")?;
    check((wanted.min..=wanted.max).contains(&size), || {
        format!("{size} nodes lie outside {} to {}", wanted.min, wanted.max)
    })
}
