//! Versions: chosen, refused, raised hop by hop, never lowered.

use pmks_driver::{Change, CreateCluster, ErrorKind, UpgradeCluster, UpgradeNodeGroup};
use pmks_model::{Cluster, Support, UpgradeRequest, UpgradeTargets, Version, VersionRequest};

use crate::executor::{Done, carry_out, refused};
use crate::ground::{Ground, delete_cluster, marks, node_group_target, target};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// The minors on offer that may be chosen, oldest first, or why there are none to choose from.
pub(super) async fn minors(rig: &Rig) -> Result<Result<Vec<Version>, String>, Failed> {
    let versions = match rig.driver.versions().await {
        Ok(versions) => versions,
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported { .. }) => {
            return Ok(Err(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let mut minors: Vec<Version> = versions
        .iter()
        .filter(|version| matches!(version.support, Support::Standard | Support::Extended))
        .map(|version| version.version.truncated())
        .collect();
    minors.sort();
    minors.dedup();
    Ok(Ok(minors))
}

pub(super) fn with_version(
    ground: &Ground,
    name: &str,
    node_groups: usize,
    version: VersionRequest,
) -> CreateCluster {
    let mut asked = ground.cluster(name, node_groups);
    asked.request.version = version;
    asked
}

fn to(cluster: &Cluster, version: &Version) -> Change {
    let request = UpgradeRequest {
        version: VersionRequest::Given(version.clone()),
        node_groups: UpgradeTargets::All,
        force: false,
    };
    Change::UpgradeCluster(UpgradeCluster { target: target(cluster), request, marks: marks() })
}

async fn upgrade(rig: &Rig, cluster: &Cluster, version: &Version) -> Result<Done, Failed> {
    Ok(carry_out(rig, &to(cluster, version)).await?)
}

/// `default` is what the cloud calls so, a minor is the best match, and what is not offered is a finding on `version`, as is
/// a patch that is not given.
pub(crate) async fn versions_are_chosen_and_refused(rig: Rig) -> Result<Verdict, Failed> {
    let minors = match minors(&rig).await? {
        Ok(minors) => minors,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let ground = Ground::make(&rig).await?;
    let oldest = minors.first().ok_or_else(|| Failed("no version is offered".to_owned()))?;
    for version in [VersionRequest::Default, VersionRequest::Given(oldest.clone())] {
        let change = Change::CreateCluster(with_version(&ground, "pmks-version", 1, version.clone()));
        let prepared = rig.driver.prepare(&change).await?;
        check(prepared.resolved.contains_key("version"), || format!("{version}: the choice is not said"))?;
    }
    let future = VersionRequest::Given(Version::of_minor(1, 999));
    let change = Change::CreateCluster(with_version(&ground, "pmks-version", 1, future));
    let error =
        rig.driver.prepare(&change).await.err().ok_or_else(|| Failed("1.999 was accepted".to_owned()))?;
    let ErrorKind::InvalidRequest(findings) = error.kind() else {
        return Err(Failed(format!("1.999 is {:?}", error.kind())));
    };
    check(findings.iter().any(|finding| finding.field == "version"), || format!("findings: {findings}"))?;
    let patch = patch_of(oldest)?;
    let version = VersionRequest::Given(patch.clone());
    let change = Change::CreateCluster(with_version(&ground, "pmks-version", 1, version));
    is_given_or_refused(&rig, &change, &patch).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A patch of that minor which nobody has made.
fn patch_of(minor: &Version) -> Result<Version, Failed> {
    let patch = format!("{}.98765", minor.truncated());
    patch.parse().map_err(|error| Failed(format!("{patch}: {error}")))
}

/// What is taken on is what was asked for: a patch that a cloud does not give is a finding on `version`, and never a
/// version of which nobody says that it is another one.
async fn is_given_or_refused(rig: &Rig, change: &Change, patch: &Version) -> Result<(), Failed> {
    match rig.driver.prepare(change).await {
        Ok(prepared) => {
            let says = prepared.resolved.get("version").map(String::as_str).unwrap_or_default();
            check(says.starts_with(&patch.to_string()), || format!("{patch} was taken as {says:?}"))
        }
        Err(error) => {
            let ErrorKind::InvalidRequest(findings) = error.kind() else {
                return Err(Failed(format!("{patch} is {:?}", error.kind())));
            };
            let is_of = |field: &str| field.rsplit('.').next() == Some("version");
            check(findings.iter().any(|finding| is_of(&finding.field)), || format!("findings: {findings}"))
        }
    }
}

/// A cluster two minors behind is raised through the one between, its node groups with it.
pub(crate) async fn a_cluster_is_upgraded_hop_by_hop(rig: Rig) -> Result<Verdict, Failed> {
    let minors = match minors(&rig).await? {
        Ok(minors) if minors.len() >= 3 => minors,
        Ok(minors) => return Ok(Verdict::Skipped(format!("only {} minors are offered", minors.len()))),
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let [.., from, _, newest] = minors.as_slice() else { return Err(Failed("three minors".to_owned())) };
    let ground = Ground::make(&rig).await?;
    let change =
        Change::CreateCluster(with_version(&ground, "pmks-risen", 1, VersionRequest::Given(from.clone())));
    carry_out(&rig, &change).await?;
    let before = rig.driver.list_clusters(pmks_driver::Detail::Clusters).await?.items;
    let before = before.into_iter().find(|cluster| cluster.iid.name_id == "pmks-risen");
    let before = before.ok_or_else(|| Failed("the cluster is not listed".to_owned()))?;
    let done = upgrade(&rig, &before, newest).await?;
    let hops = if rig.driver.capabilities().upgrade.one_minor_at_a_time { 2 } else { 1 };
    check(done.prepared.plan.stages.len() >= hops, || format!("the plan has no {hops} hops"))?;
    let after = rig.driver.get_cluster(&before.iid.system_id).await?;
    check(after.version.as_ref().is_some_and(|version| version.reaches(newest)), || {
        format!("{:?}", after.version)
    })?;
    for group in &after.node_groups {
        check_equal(&group.nodes.len(), &ground.nodes(2), "the nodes, those that were replaced not counted")?;
        check(group.version.as_ref().is_some_and(|version| version.reaches(newest)), || {
            format!("{:?}", group.version)
        })?;
    }
    check_equal(&after.node_groups.len(), &before.node_groups.len(), "the number of node groups")?;
    delete_cluster(&rig, &after).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A cluster at the asked version is done, and says so; a lower one is refused, and so is a patch that the cloud does not
/// give. None sends anything.
pub(crate) async fn a_version_is_a_floor(rig: Rig) -> Result<Verdict, Failed> {
    let minors = match minors(&rig).await? {
        Ok(minors) => minors,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let ground = Ground::make(&rig).await?;
    let cluster = ground.standing_cluster(&rig, "pmks-floor").await?;
    let present = cluster.version.clone().ok_or_else(|| Failed("the cluster has no version".to_owned()))?;
    let mark = rig.calls.mark();
    let done = upgrade(&rig, &cluster, &present.truncated()).await?;
    check(!done.prepared.notices.is_empty(), || {
        "nobody says that the version is reached already".to_owned()
    })?;
    let oldest = minors.first().ok_or_else(|| Failed("no version is offered".to_owned()))?;
    if oldest.is_below(&present) {
        let error = refused(&rig, &to(&cluster, oldest)).await?;
        let ErrorKind::InvalidRequest(findings) = error.kind() else {
            return Err(Failed(format!("a lower version is {:?}", error.kind())));
        };
        check(findings.iter().any(|finding| finding.field == "version"), || format!("findings: {findings}"))?;
    }
    // A patch that nobody has made is above the present one, and of its minor.
    let patch = patch_of(&present)?;
    is_given_or_refused(&rig, &to(&cluster, &patch), &patch).await?;
    let version = VersionRequest::Given(patch.clone());
    let mut more = ground.add(&cluster, "gx");
    more.request.version = version.clone();
    is_given_or_refused(&rig, &Change::AddNodeGroup(more), &patch).await?;
    for group in &cluster.node_groups {
        let target = node_group_target(&cluster, group);
        let asked = UpgradeNodeGroup { target, version: version.clone(), force: false, marks: marks() };
        is_given_or_refused(&rig, &Change::UpgradeNodeGroup(asked), &patch).await?;
    }
    let changes = rig.calls.changes_since(mark);
    check(changes.is_empty(), || format!("a version that is reached sent {changes:?}"))?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}
