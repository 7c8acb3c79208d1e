//! The plan of higher versions: control plane, node groups, control plane, node groups, hop by hop.
//!
//! AKS raises both one minor at a time. Source: <https://learn.microsoft.com/azure/aks/upgrade-aks-control-plane>

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{
    Asked, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification, UpgradeCluster,
    refuse_downgrade,
};
use pmks_model::{KubernetesVersion, ResourceKind, UpgradeTargets, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::upgrade_node_group::{self, Aim, newest};
use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::capabilities::CAPABILITIES;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, clusters, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RaiseControlPlane>()];

/// How long a control plane's hop usually takes.
const EXPECTED: Duration = Duration::from_mins(8);
/// For how long AKS' own objections are overruled by force.
const OVERRULED: SignedDuration = SignedDuration::from_hours(4);

/// Checks versions and skew, and answers the plan.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &UpgradeCluster) -> Result<Prepared> {
    let (id, cluster) = aim::standing_cluster(driver, &asked.target).await?;
    aim::refuse_stopped(&cluster)?;
    let now = aim::version_of(convert::cluster_version(&cluster), "cluster", &cluster.name)?;
    refuse_downgrade(PROVIDER, &asked.request.version, &now, &format!("cluster {:?}", cluster.name))?;
    let offered = clusters::versions(driver).await?;
    let picked = asked.request.version.pick(&offered).map_err(|says| aim::refused("version", says))?;
    let incarnation = convert::incarnation(&cluster);
    let facts = Facts {
        aim: Aim { id: &id, incarnation: &incarnation },
        cluster: &cluster,
        now: &now,
        offered: &offered,
        force: asked.request.force,
    };
    let stages = plan(&facts, &picked.version, &asked.request.node_groups)?;
    let prepared = Prepared::of(stages).resolved("version", picked.says);
    let failed = aim::has_failed(&cluster.properties.provisioning_state);
    let reached = now.reaches(&picked.version) && !failed;
    Ok(if reached { prepared.notice(format!("the control plane is at {now} already")) } else { prepared })
}

/// What a plan is made from.
struct Facts<'a> {
    aim: Aim<'a>,
    cluster: &'a wire::ManagedCluster,
    now: &'a Version,
    offered: &'a [KubernetesVersion],
    force: bool,
}

/// The stages from the version that is to the one that is wanted. Pure.
///
/// # Errors
/// `InvalidRequest` for names that are none, and for nodes that would lie too far behind.
fn plan(facts: &Facts<'_>, target: &Version, targets: &UpgradeTargets) -> Result<Vec<StageSpecification>> {
    let chosen = chosen_pools(facts.cluster, targets)?;
    refuse_left_behind(facts, &chosen, target)?;
    let mut levels = Vec::new();
    for pool in chosen {
        levels.push((pool, aim::version_of(convert::pool_version(pool), "node group", &pool.name)?));
    }
    let mut planner = Planner { facts, levels, stages: Vec::new(), last: Vec::new() };
    let hops = facts.now.hops_to(target);
    if hops.is_empty() {
        // An upgrade that broke off is asked for once more.
        if aim::has_failed(&facts.cluster.properties.provisioning_state) {
            planner.control_plane(facts.now);
        }
        planner.node_groups(facts.now);
    }
    for hop in &hops {
        let version = newest(hop, target, facts.offered);
        planner.control_plane(&version);
        planner.node_groups(&version);
    }
    Ok(planner.stages)
}

fn chosen_pools<'a>(
    cluster: &'a wire::ManagedCluster,
    targets: &UpgradeTargets,
) -> Result<Vec<&'a wire::AgentPoolProfile>> {
    let pools = &cluster.properties.agent_pool_profiles;
    match targets {
        UpgradeTargets::All => Ok(pools.iter().collect()),
        UpgradeTargets::None => Ok(Vec::new()),
        UpgradeTargets::Named(names) => {
            let find = |name: &String| pools.iter().find(|pool| pool.name == *name);
            let unknown: Vec<&str> =
                names.iter().filter(|name| find(name).is_none()).map(String::as_str).collect();
            if unknown.is_empty() {
                return Ok(names.iter().filter_map(find).collect());
            }
            Err(aim::refused("nodeGroups", format!("the cluster has no node group {}", unknown.join(", "))))
        }
    }
}

fn refuse_left_behind(facts: &Facts<'_>, chosen: &[&wire::AgentPoolProfile], target: &Version) -> Result<()> {
    let skew = CAPABILITIES.upgrade.largest_skew;
    for pool in &facts.cluster.properties.agent_pool_profiles {
        let goes_along = chosen.iter().any(|one| one.name == pool.name);
        let version = aim::version_of(convert::pool_version(pool), "node group", &pool.name)?;
        if !goes_along && target.minors_ahead_of(&version).is_none_or(|minors| minors > skew) {
            let says = format!(
                "node group {} is at {version}: nodes may lie at most {skew} minors behind {target}",
                pool.name
            );
            return Err(aim::refused("nodeGroups", says));
        }
    }
    Ok(())
}

/// Lays stages one after the other; node groups of one hop lie side by side.
struct Planner<'a> {
    facts: &'a Facts<'a>,
    /// The pools that go along, with the version that they have by then.
    levels: Vec<(&'a wire::AgentPoolProfile, Version)>,
    stages: Vec<StageSpecification>,
    last: Vec<String>,
}

impl Planner<'_> {
    fn control_plane(&mut self, to: &Version) {
        let stage = RaiseControlPlane {
            cluster: self.facts.aim.id.clone(),
            incarnation: self.facts.aim.incarnation.to_owned(),
            version: to.clone(),
            force: self.facts.force,
        };
        let name = format!("control plane to {to}");
        let stage = stage
            .specification(name.as_str())
            .expected(EXPECTED)
            .subject(ResourceKind::Cluster, self.facts.cluster.name.as_str())
            .finish_when_cancelled()
            .after(std::mem::take(&mut self.last));
        self.last = vec![name];
        self.stages.push(stage);
    }

    fn node_groups(&mut self, to: &Version) {
        let Facts { aim, offered, force, .. } = self.facts;
        let mut ends = Vec::new();
        for (pool, level) in &mut self.levels {
            let mut stages = upgrade_node_group::stages(aim, pool, level, to, offered, *force);
            let Some(first) = stages.first_mut() else { continue };
            first.after.clone_from(&self.last);
            ends.extend(stages.last().map(|stage| stage.name.clone()));
            self.stages.extend(stages);
            level.clone_from(to);
        }
        if !ends.is_empty() {
            self.last = ends;
        }
    }
}

/// Raises a control plane alone: its pools' versions are sent as they were read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RaiseControlPlane {
    cluster: ArmId,
    incarnation: String,
    version: Version,
    force: bool,
}

#[async_trait]
impl Stage<AzureDriver> for RaiseControlPlane {
    const KIND: &'static str = "azure.cluster.version";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        let cluster = found.ok_or_else(|| aim::gone("cluster", self.cluster.name()))?;
        Ok(look_at(&self.cluster, &cluster, &self.version, context.system_id.is_some()))
    }

    async fn ask(&self, driver: &AzureDriver, context: &StageContext) -> Result<Asked> {
        let mut raw = driver.api.raw_cluster(&self.cluster).await?;
        aim::check_raw(&raw, &self.incarnation, self.cluster.name())?;
        change(&mut raw, &self.version, self.force.then_some(context.now));
        let accepted = driver.api.update_cluster(&self.cluster, &raw, aim::unchanged(&raw)).await?;
        Ok(aim::asked(accepted, &self.cluster))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "ManagedClusters.Update", handle).await
    }
}

/// With force, AKS' objections (deprecated APIs in use) are overruled for some hours.
///
/// Source: <https://learn.microsoft.com/azure/aks/stop-cluster-upgrade-api-breaking-changes#bypass-validation-to-ignore-api-changes>
fn change(raw: &mut Value, version: &Version, forced_at: Option<Timestamp>) {
    aim::set_property(raw, "kubernetesVersion", json!(version.to_string()));
    if let Some(until) = forced_at.and_then(|now| now.checked_add(OVERRULED).ok()) {
        let settings = json!({"overrideSettings": {"forceUpgrade": true, "until": until.to_string()}});
        aim::set_property(raw, "upgradeSettings", settings);
    }
}

fn look_at(id: &ArmId, cluster: &wire::ManagedCluster, floor: &Version, asked: bool) -> Look {
    let (properties, incarnation) = (&cluster.properties, convert::incarnation(cluster));
    let word = properties.provisioning_state.as_str();
    if word == "Deleting" {
        return Look::failed(id.to_string(), incarnation, aim::gone("cluster", id.name()));
    }
    if let Some(look) = aim::busy(id, &incarnation, word) {
        return look;
    }
    let failed = aim::has_failed(word);
    if failed && asked {
        let error = convert::failure("ManagedClusters.Update", "the upgrade", properties.status.as_ref());
        return Look::failed(id.to_string(), incarnation, error);
    }
    let reached = convert::cluster_version(cluster).is_some_and(|version| version.reaches(floor));
    if reached && !failed { Look::ready(id.to_string(), incarnation, Value::Null) } else { Look::Absent }
}

#[cfg(test)]
#[path = "upgrade_cluster_tests.rs"]
mod tests;
