//! The plans of clusters.

use pmks_driver::cluster_objects::{gone_already, unseen_before};
use pmks_driver::{
    CreateCluster, DeleteCluster, DriverError, Prepared, Result, Search, UpdateCluster, UpgradeCluster,
    refuse_downgrade, refuse_unfit,
};
use pmks_model::{Children, Findings, ResourceKind, UpgradeTargets, VersionRequest};
use serde_json::json;

use super::change::{Change, To};
use super::make::Make;
use super::remove::Remove;
use super::target::{Target, refused};
use super::{ground, node_groups};
use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, PROVIDER, convert};

/// The stage that node groups wait for.
const CLUSTER: &str = "cluster";

/// A cluster, then its node groups side by side.
///
/// # Errors
/// `AlreadyExists`; `InvalidRequest` with everything that is wrong.
pub(crate) async fn create(driver: &MockDriver, asked: &CreateCluster) -> Result<Prepared> {
    let request = &asked.request;
    let mut findings = Findings::default();
    ground::check(driver, &request.network.system_id, &request.subnets, &mut findings).await?;
    let catalogue = driver.api.catalogue().await?;
    let picked = convert::pick(&request.version, &catalogue.versions);
    let picked = picked.map_err(|says| findings.add("version", says)).ok();
    let version = picked.as_ref().map(|picked| picked.version.to_string()).unwrap_or_default();
    let ids = |references: &[pmks_model::Iid]| {
        references.iter().map(|iid| iid.system_id.clone()).collect::<Vec<_>>()
    };
    let body = json!({
        "version": version, "network": request.network.system_id, "subnetIds": ids(&request.subnets),
        "securityGroups": ids(&request.security_groups),
    });
    let cluster = Make::new(Kind::Cluster, &request.name, body, &request.tags, &asked.marks);
    let mut stages = vec![cluster.stage(CLUSTER)];
    for (index, group) in request.node_groups.iter().enumerate() {
        let (prefix, ours) = (format!("nodeGroups[{index}]."), (&request.tags, &asked.marks));
        let made = node_groups::make(group, &version, &prefix, &catalogue, ours, &mut findings);
        let made = made.of_cluster(&request.name).within_what(CLUSTER);
        stages.push(made.stage(format!("node group {}", group.name)));
    }
    let (Some(picked), true) = (picked, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    ground::refuse_strangers(driver, Kind::Cluster, "", &request.name, &asked.marks).await?;
    Ok(Prepared::of(stages).resolved("version", picked.says))
}

/// The end of a cluster. All that came into being because it stood goes with it: the cloud takes that along.
///
/// # Errors
/// `Replaced`.
pub(crate) async fn delete(driver: &MockDriver, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
    let target = Target::cluster(&asked.target);
    let found = target.find(driver).await?;
    let stage = Remove::Named(target).stage("removal of the cluster");
    let mut prepared = Prepared::of([stage.subject(ResourceKind::Cluster, &asked.target.iid.name_id)]);
    if let Some((cluster, _)) = found {
        prepared.children.found = convert::children(&cluster);
    } else {
        prepared.notices.push(gone_already(&asked.target.iid.system_id, &search.known.found));
        let unknown = unseen_before(&search.known);
        prepared.notices.extend(unknown.iter().map(|what| format!("could not be looked at: {what}")));
        prepared.children = Children { found: Vec::new(), unknown };
    }
    Ok(prepared)
}

/// Other tags.
///
/// # Errors
/// `NotFound`, `Replaced`.
pub(crate) async fn update(driver: &MockDriver, asked: &UpdateCluster) -> Result<Prepared> {
    let target = Target::cluster(&asked.target);
    target.standing(driver).await?;
    let to = To { labels: asked.tags.clone(), ..To::default() };
    Ok(Prepared::of([Change { target, to }.stage("tags")]))
}

/// A higher version of a cluster, in one step, and then of its node groups side by side.
///
/// # Errors
/// `NotFound`, `Replaced`; `InvalidRequest` for a version that is lower or not offered, and for names of node groups
/// that are none.
pub(crate) async fn upgrade(driver: &MockDriver, asked: &UpgradeCluster) -> Result<Prepared> {
    let target = Target::cluster(&asked.target);
    let (cluster, _) = target.standing(driver).await?;
    let now = node_groups::version(&cluster)?;
    let request = &asked.request;
    refuse_downgrade(PROVIDER, &request.version, &now, &format!("cluster {:?}", cluster.name))?;
    node_groups::refuse_patch(&request.version, &now)?;
    let (to, says) = match &request.version {
        VersionRequest::Given(given) if now.reaches(given) => {
            (now.clone(), format!("{now}, reached already"))
        }
        version => {
            let offered = driver.api.catalogue().await?.versions;
            let picked = convert::pick(version, &offered).map_err(|says| refused("version", says))?;
            // The default may be lower than what is there.
            if now.reaches(&picked.version) {
                (now.clone(), picked.says)
            } else {
                (picked.version, picked.says)
            }
        }
    };
    let below = chosen(&cluster, &request.node_groups)?
        .into_iter()
        .filter(|group| convert::version(&group.version).is_none_or(|version| !version.reaches(&to)));
    let below: Vec<&Thing> = below.collect();
    refuse_unfit(PROVIDER, &below.iter().map(|group| convert::node_group(group)).collect::<Vec<_>>())?;
    let mut prepared = Prepared::default().resolved("version", says);
    let mut before = Vec::new();
    if now.reaches(&to) {
        prepared = prepared.notice(format!("the control plane is at {now} already"));
    } else {
        let change = Change { target: target.clone(), to: To { version: Some(to.clone()), ..To::default() } };
        let stage = change.stage(format!("control plane to {to}")).finish_when_cancelled();
        before.push(stage.name.clone());
        prepared.plan.stages.push(stage.subject(ResourceKind::Cluster, &cluster.name));
    }
    for group in below {
        let stage = node_groups::raise(target.group(group), &to);
        prepared.plan.stages.push(stage.after(before.iter().cloned()));
    }
    Ok(prepared)
}

/// The node groups that go along.
fn chosen<'a>(cluster: &'a Thing, targets: &UpgradeTargets) -> Result<Vec<&'a Thing>> {
    let named = match targets {
        UpgradeTargets::All => return Ok(cluster.node_groups.iter().collect()),
        UpgradeTargets::None => return Ok(Vec::new()),
        UpgradeTargets::Named(names) => names,
    };
    let find = |name: &String| cluster.node_groups.iter().find(|group| group.name == *name);
    let unknown: Vec<&str> = named.iter().filter(|name| find(name).is_none()).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(named.iter().filter_map(find).collect());
    }
    Err(refused("nodeGroups", format!("the cluster has no node group {}", unknown.join(", "))))
}
