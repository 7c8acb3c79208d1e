//! Node groups of a standing cluster.

use pmks_driver::{Change, ErrorKind, RemoveNodeGroup};
use pmks_model::{Scaling, Status};

use crate::executor::{carry_out, refused};
use crate::ground::{Ground, delete_cluster, marks, node_group_target};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// A node group is added without a size, refused under a taken name, found with the least nodes, and removed, twice.
pub(crate) async fn node_groups_are_added_and_removed(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-groups").await?;
    let mut unsaid = ground.add(&cluster, "gx");
    (unsaid.request.scaling, unsaid.request.any_size) = (Scaling::fixed(1), true);
    let done = carry_out(&rig, &Change::AddNodeGroup(unsaid)).await?;
    check(done.asks.values().all(|asks| *asks <= 1), || format!("asked more than once: {:?}", done.asks))?;
    let listed = rig.driver.list_node_groups(&cluster.iid.system_id).await?;
    check(listed.is_complete(), || format!("the list is partial: {:?}", listed.missed))?;
    let group = listed.items.iter().find(|group| group.iid.name_id == "gx");
    let group = group.ok_or_else(|| Failed("the list lacks the new node group".to_owned()))?.clone();
    check_equal(&group.status, &Status::Active, "its status")?;
    check_equal(&group.nodes.len(), &ground.nodes(1), "its nodes")?;
    check_equal(&group.machine_type, &ground.machine_type, "its machine type")?;
    let alone = rig.driver.get_node_group(&cluster.iid.system_id, &group.iid.system_id).await?;
    check_equal(&alone, &group, "the node group by itself, beside the one in the list")?;
    let error = refused(&rig, &Change::AddNodeGroup(ground.add(&cluster, "gx"))).await?;
    check(*error.kind() == ErrorKind::AlreadyExists, || {
        format!("a taken name is {:?}: {error}", error.kind())
    })?;
    for _ in 0..2 {
        let asked = RemoveNodeGroup { target: node_group_target(&cluster, &group), marks: marks() };
        carry_out(&rig, &Change::RemoveNodeGroup(asked)).await?;
    }
    let gone = rig.driver.get_node_group(&cluster.iid.system_id, &group.iid.system_id).await.err();
    check(gone.is_some_and(|error| error.is_not_found()), || "it is still found".to_owned())?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}
