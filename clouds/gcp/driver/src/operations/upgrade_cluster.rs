//! The plan of higher versions: the control plane minor by minor, then the node pools side by side; pools that would
//! fall too far behind go before the hop that would leave them there.
//!
//! Sources: <https://cloud.google.com/kubernetes-engine/docs/how-to/upgrading-a-cluster>,
//! <https://cloud.google.com/kubernetes-engine/versioning#version-skew-policy>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification,
    UpgradeCluster, refuse_downgrade,
};
use pmks_model::{ResourceKind, Status, UpgradeTargets, Version, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::upgrade_node_group::{self, pool_version};
use super::{Maker, Stage, aim};
use crate::capabilities::CAPABILITIES;
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, convert, versions};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RaiseControlPlane>()];

/// How long a control plane's hop usually takes.
const EXPECTED: Duration = Duration::from_mins(8);

/// Checks versions and skew, and answers the plan.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &UpgradeCluster) -> Result<Prepared> {
    let (name, cluster) = aim::standing_cluster(driver, &asked.target).await?;
    let now = cluster_version(&cluster)?;
    refuse_downgrade(PROVIDER, &asked.request.version, &now, &format!("cluster {:?}", cluster.name))?;
    let config = driver.api.server_config(&name.location).await?;
    let channel = cluster.release_channel.channel.as_str();
    let (target, says) = match &asked.request.version {
        // What is reached already need not be on offer any more.
        VersionRequest::Given(given) if now.reaches(given) => {
            (now.clone(), format!("{now}, reached already"))
        }
        version => {
            let chosen = versions::choose_upgrade(&config, version, channel);
            let chosen = chosen.map_err(|says| aim::refused("version", says))?;
            if now.reaches(&chosen.version) {
                (now.clone(), format!("{now}, reached already"))
            } else {
                (chosen.version, chosen.says)
            }
        }
    };
    let hops = hops(&now, &target, &config, channel)?;
    let facts = Facts { id: name.path(), cluster: &cluster, now: &now };
    let stages = plan(&facts, &hops, &asked.request.node_groups)?;
    let mut prepared = Prepared::of(stages).resolved("version", says);
    if hops.is_empty() {
        prepared = prepared.notice(format!("the control plane is at {now} already"));
    }
    Ok(prepared)
}

/// The version of a control plane, which must be one.
pub(super) fn cluster_version(cluster: &wire::Cluster) -> Result<Version> {
    convert::version(&cluster.current_master_version).ok_or_else(|| {
        let message = format!("GKE does not say which version cluster {:?} has", cluster.name);
        DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
    })
}

/// The versions to pass through, each as GKE offers it.
fn hops(now: &Version, target: &Version, config: &wire::ServerConfig, channel: &str) -> Result<Vec<Version>> {
    let hop = |hop: Version| {
        if hop == *target {
            return Ok(hop);
        }
        let asked = VersionRequest::Given(hop.clone());
        versions::choose_upgrade(config, &asked, channel).map(|chosen| chosen.version).map_err(|_| {
            let says = format!("GKE raises one minor at a time, and offers no {hop} to pass through");
            aim::refused("version", says)
        })
    };
    now.hops_to(target).into_iter().map(hop).collect()
}

/// What a plan is made from.
struct Facts<'a> {
    id: String,
    cluster: &'a wire::Cluster,
    now: &'a Version,
}

/// The stages from the version that is to the one that is wanted. Pure.
///
/// # Errors
/// `InvalidRequest` for names that are none, and for what the skew policy makes impossible; `Precondition` for named node
/// groups of an Autopilot cluster.
fn plan(facts: &Facts<'_>, hops: &[Version], targets: &UpgradeTargets) -> Result<Vec<StageSpecification>> {
    let autopilot = facts.cluster.autopilot.enabled;
    let targets = match targets {
        UpgradeTargets::Named(_) => {
            aim::refuse_autopilot(facts.cluster)?;
            targets
        }
        // Google raises an Autopilot cluster's nodes itself, after its control plane.
        UpgradeTargets::All if autopilot => &UpgradeTargets::None,
        _ => targets,
    };
    let chosen = chosen_pools(&facts.cluster.node_pools, targets)?;
    if let Some(last) = hops.last().filter(|_| !autopilot) {
        refuse_left_behind(&facts.cluster.node_pools, &chosen, last)?;
    }
    let mut planner = Planner { facts, stages: Vec::new(), last: Vec::new() };
    let mut standing = facts.now.clone();
    let mut raised: Vec<(&wire::NodePool, Version)> = Vec::new();
    for pool in chosen {
        raised.push((pool, pool_version(pool)?));
    }
    let last = hops.last().unwrap_or(facts.now);
    let below = raised.iter().filter(|(_, version)| !version.reaches(last));
    aim::refuse_unfit(below.map(|(pool, _)| *pool))?;
    for hop in hops {
        let lags = |version: &Version| {
            hop.minors_ahead_of(version).is_none_or(|minors| minors > CAPABILITIES.upgrade.largest_skew)
        };
        if raised.iter().any(|(_, version)| lags(version)) {
            planner.pools(&mut raised, &standing);
        }
        planner.control_plane(hop);
        standing = hop.clone();
    }
    planner.pools(&mut raised, &standing);
    Ok(planner.stages)
}

/// The node pools that go along.
fn chosen_pools<'a>(
    pools: &'a [wire::NodePool],
    targets: &UpgradeTargets,
) -> Result<Vec<&'a wire::NodePool>> {
    match targets {
        UpgradeTargets::All => Ok(pools.iter().collect()),
        UpgradeTargets::None => Ok(Vec::new()),
        UpgradeTargets::Named(names) => {
            let find = |name: &String| pools.iter().find(|pool| pool.name == *name);
            let unknown: Vec<&str> =
                names.iter().filter(|name| find(name).is_none()).map(String::as_str).collect();
            if unknown.is_empty() {
                Ok(names.iter().filter_map(find).collect())
            } else {
                Err(aim::refused(
                    "nodeGroups",
                    format!("the cluster has no node group {}", unknown.join(", ")),
                ))
            }
        }
    }
}

/// Node pools that stay must lie within the skew after the last hop.
fn refuse_left_behind(pools: &[wire::NodePool], chosen: &[&wire::NodePool], last: &Version) -> Result<()> {
    let skew = CAPABILITIES.upgrade.largest_skew;
    for pool in pools.iter().filter(|pool| !chosen.iter().any(|one| one.name == pool.name)) {
        let version = pool_version(pool)?;
        if last.minors_ahead_of(&version).is_none_or(|minors| minors > skew) {
            let says = format!(
                "node group {} is at {version} and does not go along: nodes may lie at most {skew} minors behind {last}",
                pool.name
            );
            return Err(aim::refused("nodeGroups", says));
        }
    }
    Ok(())
}

/// Lays stages one after the other; node pools of one step lie side by side.
struct Planner<'a> {
    facts: &'a Facts<'a>,
    stages: Vec<StageSpecification>,
    last: Vec<String>,
}

impl Planner<'_> {
    fn control_plane(&mut self, to: &Version) {
        let cluster = self.facts.cluster;
        let stage = RaiseControlPlane {
            cluster: self.facts.id.clone(),
            incarnation: convert::incarnation(cluster),
            version: to.clone(),
        };
        let name = format!("control plane to {to}");
        let stage = stage
            .specification(name.as_str())
            .expected(EXPECTED)
            .subject(ResourceKind::Cluster, cluster.name.as_str())
            .finish_when_cancelled()
            .after(std::mem::take(&mut self.last));
        self.last = vec![name];
        self.stages.push(stage);
    }

    fn pools(&mut self, pools: &mut [(&wire::NodePool, Version)], to: &Version) {
        let mut names = Vec::new();
        let incarnation = convert::incarnation(self.facts.cluster);
        for (pool, version) in pools.iter_mut().filter(|(_, version)| !version.reaches(to)) {
            let stage = upgrade_node_group::stage(&self.facts.id, &incarnation, &pool.name, to);
            names.push(stage.name.clone());
            self.stages.push(stage.after(self.last.iter().cloned()));
            *version = to.clone();
        }
        if !names.is_empty() {
            self.last = names;
        }
    }
}

/// Raises a control plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RaiseControlPlane {
    cluster: String,
    incarnation: String,
    version: Version,
}

#[async_trait]
impl Stage<GcpDriver> for RaiseControlPlane {
    const KIND: &'static str = "gcp.cluster.version";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        Ok(look_at(&cluster, &name.path(), &self.version))
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let update = wire::ClusterUpdate {
            desired_master_version: Some(self.version.to_string()),
            etag: cluster.etag,
            ..wire::ClusterUpdate::default()
        };
        Ok(aim::following(&name, &driver.api.update_cluster(&name, update).await?))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

fn look_at(cluster: &wire::Cluster, id: &str, floor: &Version) -> Look {
    let incarnation = convert::incarnation(cluster);
    let version = convert::version(&cluster.current_master_version);
    let reached = version.is_some_and(|version| version.reaches(floor));
    match convert::cluster_status(&cluster.status) {
        Status::Deleting => Look::failed(id, incarnation, aim::gone("cluster", &cluster.name)),
        _ if reached => Look::ready(id, incarnation, Value::Null),
        Status::Updating | Status::Creating => {
            Look::pending(id, incarnation, aim::says(&cluster.status, &cluster.conditions))
        }
        _ => Look::Absent,
    }
}

#[cfg(test)]
#[path = "upgrade_cluster_tests.rs"]
mod tests;
