//! Sizes, limits and the autoscaling switch.

use pmks_driver::{Change, ChangeNodeGroupScaling};
use pmks_model::{Cluster, NodeGroup, Scaling, ScalingChange};

use crate::executor::{Done, carry_out};
use crate::ground::{Ground, delete_cluster, marks, node_group_target};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

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
pub(crate) async fn node_groups_scale_up_and_down(rig: Rig) -> Result<Verdict, Failed> {
    let stand = Stand::make(&rig, "pmks-scaled").await?;
    for (change, wanted) in [
        (ScalingChange { desired: Some(4), ..ScalingChange::default() }, (1, 4, 4)),
        (ScalingChange { desired: Some(1), ..ScalingChange::default() }, (1, 4, 1)),
        (ScalingChange { min: Some(2), max: Some(3), ..ScalingChange::default() }, (2, 3, 2)),
    ] {
        stand.scale(&rig, change).await?;
        let group = stand.group(&rig).await?;
        let scaling = group.scaling.ok_or_else(|| Failed("no scaling is observed".to_owned()))?;
        check_equal(&(scaling.min, scaling.max, scaling.desired), &wanted, "the scaling")?;
        check_equal(&group.nodes.len(), &(wanted.2 as usize), "the number of nodes")?;
        let mark = rig.calls.mark();
        stand.scale(&rig, change).await?;
        let changes = rig.calls.changes_since(mark);
        check(changes.is_empty(), || format!("scaling to what is sent {changes:?}"))?;
    }
    stand.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The switch is set, read back and taken back; with it on, the size is left to the autoscaler.
pub(crate) async fn auto_scaling_is_switched_on_and_off(rig: Rig) -> Result<Verdict, Failed> {
    let stand = Stand::make(&rig, "pmks-auto").await?;
    for auto_scaling in [true, false, true] {
        let change =
            ScalingChange { auto_scaling: Some(auto_scaling), min: Some(1), max: Some(5), desired: None };
        stand.scale(&rig, change).await?;
        let found = stand.group(&rig).await?.scaling;
        let wanted = Scaling { auto_scaling, min: 1, max: 5, desired: 2 };
        check_equal(&found, &Some(wanted), "the scaling")?;
    }
    // The size lies outside the new limits, so it is moved to the nearest.
    stand.scale(&rig, ScalingChange { min: Some(3), ..ScalingChange::default() }).await?;
    let found = stand.group(&rig).await?.scaling.map(|scaling| scaling.desired);
    check_equal(&found, &Some(3), "the size within the new limits")?;
    stand.clear(&rig).await?;
    Ok(Verdict::Passed)
}
