//! Clusters: made, found, refused, changed, removed.

use std::collections::BTreeMap;

use pmks_driver::{Change, DeleteCluster, Detail, ErrorKind, Presence, TagChanges, UpdateCluster, validate};
use pmks_model::{OperationKind, Status};

use crate::executor::{carry_out, refused};
use crate::ground::{Ground, delete_cluster, marks, node_group_target, target};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// A cluster is made with its node groups, is in every list as a whole, and goes with all that belongs to it.
pub(crate) async fn a_cluster_with_node_groups_comes_and_goes(rig: Rig) -> Result<Verdict, Failed> {
    let at_creation = rig.driver.capabilities().node_groups_at_creation;
    if at_creation.presence == Presence::Forbidden {
        return Ok(Verdict::Skipped("this provider takes no node groups at creation".to_owned()));
    }
    let ground = Ground::make(&rig).await?;
    let groups = at_creation.most.min(2);
    let cluster = ground.cluster_with(&rig, "pmks-whole", groups).await?;
    check_equal(&cluster.status, &Status::Active, "the cluster's status")?;
    check_equal(&cluster.node_groups.len(), &groups, "the number of node groups")?;
    for group in &cluster.node_groups {
        check_equal(&group.status, &Status::Active, &format!("the status of {}", group.iid.name_id))?;
        check_equal(&group.nodes.len(), &ground.nodes(2), &format!("the nodes of {}", group.iid.name_id))?;
        check(!group.incarnation.is_empty(), || "a node group has no incarnation".to_owned())?;
    }
    check(!cluster.incarnation.is_empty(), || "the cluster has no incarnation".to_owned())?;
    check(cluster.version.is_some(), || "the cluster has no version".to_owned())?;
    let regions = rig.driver.regions().await?;
    let in_words = cluster.region.is_empty() || regions.iter().any(|region| region.name == cluster.region);
    check(in_words, || format!("no connection names the region {:?}", cluster.region))?;
    check_equal(&cluster.network.network.system_id, &ground.network.system_id, "the cluster's network")?;
    check(cluster.access.endpoint.starts_with("https://"), || {
        format!("endpoint {:?}", cluster.access.endpoint)
    })?;
    let listed = rig.driver.list_clusters(Detail::Nodes).await?;
    check(listed.is_complete(), || format!("the list is partial: {:?}", listed.missed))?;
    let listed = listed.items.into_iter().find(|one| one.iid.system_id == cluster.iid.system_id);
    check_equal(&listed.as_ref(), &Some(&cluster), "the cluster in the list, beside the cluster by itself")?;
    check_equal(
        &rig.driver.nodes(&cluster).await?.items.len(),
        &(groups * ground.nodes(2)),
        "the number of nodes",
    )?;
    delete_cluster(&rig, &cluster).await?;
    let gone = rig.driver.get_cluster(&cluster.iid.system_id).await.err();
    check(gone.is_some_and(|error| error.is_not_found()), || "it is still found".to_owned())?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A cluster without node groups is made where the capabilities allow it, and a finding where they do not.
pub(crate) async fn a_cluster_without_node_groups_is_as_the_capabilities_say(
    rig: Rig,
) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let change = Change::CreateCluster(ground.cluster("pmks-bare", 0));
    let findings = validate(&change, rig.driver.capabilities());
    if rig.driver.capabilities().node_groups_at_creation.presence == Presence::Required {
        check(findings.iter().any(|finding| finding.field == "nodeGroups"), || {
            format!("findings: {findings}")
        })?;
    } else {
        check(findings.is_empty(), || format!("findings: {findings}"))?;
        let cluster = ground.cluster_with(&rig, "pmks-bare", 0).await?;
        check(cluster.node_groups.is_empty(), || format!("node groups: {:?}", cluster.node_groups))?;
        delete_cluster(&rig, &cluster).await?;
    }
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A cluster that another installation or operation made is `AlreadyExists`, and is left alone.
pub(crate) async fn a_strangers_name_is_never_adopted(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-taken").await?;
    let least = cluster.node_groups.len();
    let mark = rig.calls.mark();
    let error = refused(&rig, &Change::CreateCluster(ground.cluster("pmks-taken", least))).await?;
    check(*error.kind() == ErrorKind::AlreadyExists, || format!("{:?}: {error}", error.kind()))?;
    let changes = rig.calls.changes_since(mark);
    check(changes.len() <= 1, || format!("a taken name was asked for with {changes:?}"))?;
    let after = rig.driver.get_cluster(&cluster.iid.system_id).await?;
    check_equal(
        &(after.incarnation, after.tags),
        &(cluster.incarnation.clone(), cluster.tags.clone()),
        "the cluster",
    )?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// Reads of what does not exist are `NotFound`; removing it succeeds and changes nothing.
pub(crate) async fn what_does_not_exist_is_not_found(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-there").await?;
    let errors = [
        ("get_cluster", rig.driver.get_cluster("pmks-nothing").await.err()),
        ("list_node_groups", rig.driver.list_node_groups("pmks-nothing").await.err()),
        ("get_node_group", rig.driver.get_node_group(&cluster.iid.system_id, "pmks-nothing").await.err()),
    ];
    for (read, error) in errors {
        let error = error.ok_or_else(|| Failed(format!("{read} found what does not exist")))?;
        check(error.is_not_found(), || format!("{read}: {:?}: {error}", error.kind()))?;
    }
    let mut nothing = cluster.clone();
    "pmks-nothing".clone_into(&mut nothing.iid.name_id);
    "pmks-nothing".clone_into(&mut nothing.iid.system_id);
    delete_cluster(&rig, &nothing).await?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A change that is aimed at another incarnation of the same name ends as `Replaced` and touches nothing.
pub(crate) async fn another_incarnation_is_left_alone(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.cluster_with(&rig, "pmks-reborn", 1).await?;
    let mut aim = target(&cluster);
    "1970-01-01T00:00:00Z".clone_into(&mut aim.incarnation);
    let mut changes =
        vec![Change::DeleteCluster(DeleteCluster { target: aim, delete_volumes: true, marks: marks() })];
    if let Some(group) = cluster.node_groups.first() {
        let mut group_aim = node_group_target(&cluster, group);
        "1970-01-01T00:00:00Z".clone_into(&mut group_aim.incarnation);
        changes.push(Change::RemoveNodeGroup(pmks_driver::RemoveNodeGroup {
            target: group_aim,
            marks: marks(),
        }));
    }
    for change in &changes {
        let mark = rig.calls.mark();
        let error = refused(&rig, change).await?;
        check(*error.kind() == ErrorKind::Replaced, || {
            format!("{}: {:?}: {error}", change.kind(), error.kind())
        })?;
        let sent = rig.calls.changes_since(mark);
        check(sent.is_empty(), || format!("{} sent {sent:?}", change.kind()))?;
    }
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// Tags are set and removed, and everything else stays.
pub(crate) async fn a_cluster_is_updated(rig: Rig) -> Result<Verdict, Failed> {
    let capabilities = *rig.driver.capabilities();
    if !capabilities.has(OperationKind::ClusterUpdate) || capabilities.tags.is_none() {
        return Ok(Verdict::Skipped("this provider's clusters have no tags to change".to_owned()));
    }
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-tagged").await?;
    let tags: TagChanges =
        [("purpose".to_owned(), None), ("team".to_owned(), Some("blue".to_owned()))].into_iter().collect();
    for _ in 0..2 {
        let asked = UpdateCluster {
            target: target(&cluster),
            tags: tags.clone(),
            only_new_tags: false,
            options: BTreeMap::new(),
            marks: marks(),
        };
        carry_out(&rig, &Change::UpdateCluster(asked)).await?;
    }
    let after = rig.driver.get_cluster(&cluster.iid.system_id).await?;
    check_equal(&after.tags, &tags.onto(cluster.tags.clone()), "the tags")?;
    delete_cluster(&rig, &after).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}
