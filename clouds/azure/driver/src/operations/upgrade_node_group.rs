//! The plan of a node group's higher version: AKS replaces its nodes one after the other. Versions are floors.
//!
//! Source: <https://learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification, UpgradeNodeGroup,
    refuse_downgrade,
};
use pmks_model::{KubernetesVersion, Says, Version, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, clusters, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RaisePool>()];

/// How long the replacement of a pool's nodes usually takes.
const EXPECTED: Duration = Duration::from_mins(10);

/// Checks and answers the plan; an empty one where the version is reached already.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &UpgradeNodeGroup) -> Result<Prepared> {
    let standing = aim::standing_node_group(driver, &asked.target).await?;
    aim::refuse_stopped(&standing.cluster)?;
    let name = standing.name.as_str();
    let of_cluster =
        aim::version_of(convert::cluster_version(&standing.cluster), "cluster", &standing.cluster.name)?;
    let now = aim::version_of(convert::pool_version(&standing.pool), "node group", name)?;
    refuse_downgrade(PROVIDER, &asked.version, &now, &format!("node group {name:?}"))?;
    let offered = clusters::versions(driver).await?;
    let target =
        target(&asked.version, &of_cluster, &offered).map_err(|says| aim::refused("version", says))?;
    if now.reaches(&target) && !aim::has_failed(&standing.pool.provisioning_state) {
        return Ok(Prepared::default().notice(format!("node group {name} is at {now} already")));
    }
    let cluster = Aim { id: &standing.cluster_id, incarnation: &convert::incarnation(&standing.cluster) };
    let stages = stages(&cluster, &standing.pool, &now, &target, &offered, asked.force);
    Ok(Prepared::of(stages).resolved("version", target.to_string()))
}

/// The wanted version, never ahead of the cluster's.
fn target(
    asked: &VersionRequest,
    of_cluster: &Version,
    offered: &[KubernetesVersion],
) -> std::result::Result<Version, Says> {
    match asked {
        VersionRequest::Default => Ok(of_cluster.clone()),
        VersionRequest::Given(wanted) if wanted.covers(of_cluster) => Ok(of_cluster.clone()),
        VersionRequest::Given(wanted) if !of_cluster.reaches(wanted) => Err(format!(
            "nodes never run ahead of their cluster, which is at {of_cluster}: upgrade the cluster"
        )
        .into()),
        VersionRequest::Given(_) => asked.pick(offered).map(|picked| picked.version),
    }
}

/// The cluster of a plan.
pub(super) struct Aim<'a> {
    pub(super) id: &'a ArmId,
    pub(super) incarnation: &'a str,
}

/// The stages that raise a pool, one minor at a time, each after the one before. One that has the version and has failed
/// is asked for it once more: an upgrade that broke off leaves nodes of both versions.
///
/// Source: <https://learn.microsoft.com/azure/aks/upgrade-cluster>, «you can't skip minor versions»
pub(super) fn stages(
    cluster: &Aim<'_>,
    pool: &wire::AgentPoolProfile,
    now: &Version,
    to: &Version,
    offered: &[KubernetesVersion],
    force: bool,
) -> Vec<StageSpecification> {
    let mut stages: Vec<StageSpecification> = Vec::new();
    let mut hops = now.hops_to(to);
    if hops.is_empty() && aim::has_failed(&pool.provisioning_state) {
        hops.push(now.clone());
    }
    for hop in hops {
        let version = if hop == *now { hop } else { newest(&hop, to, offered) };
        let stage = RaisePool {
            cluster: cluster.id.clone(),
            incarnation: cluster.incarnation.to_owned(),
            name: pool.name.clone(),
            version: version.clone(),
            force,
        };
        let before: Vec<String> = stages.last().map(|stage| stage.name.clone()).into_iter().collect();
        // Half of the nodes old and half of them new would be worse than either: it is followed to its end.
        let stage = stage
            .specification(format!("node group {} to {version}", pool.name))
            .after(before)
            .expected(EXPECTED)
            .finish_when_cancelled();
        stages.push(stage);
    }
    stages
}

/// The newest patch on offer of a minor on the way; the target as it is.
pub(super) fn newest(hop: &Version, target: &Version, offered: &[KubernetesVersion]) -> Version {
    if hop == target {
        return hop.clone();
    }
    let fitting = offered.iter().map(|one| &one.version).filter(|version| hop.covers(version));
    fitting.max().unwrap_or(hop).clone()
}

/// Raises a pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RaisePool {
    cluster: ArmId,
    incarnation: String,
    name: String,
    version: Version,
    force: bool,
}

impl RaisePool {
    fn id(&self) -> ArmId {
        self.cluster.child("agentPools", &self.name)
    }
}

#[async_trait]
impl Stage<AzureDriver> for RaisePool {
    const KIND: &'static str = "azure.nodeGroup.version";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        let (_, pool) = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        Ok(look_at(&self.id(), &pool, &self.incarnation, &self.version, context))
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let found = aim::raw_pool(driver, &self.cluster, &self.incarnation, &self.name).await?;
        let mut raw = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        change(&mut raw, &self.version, self.force);
        let accepted = driver.api.update_pool(&self.id(), &raw, aim::unchanged(&raw)).await?;
        Ok(aim::asked(accepted, &self.id()))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "AgentPools.Update", handle).await
    }
}

/// With force, nodes whose pods cannot be moved are set aside, and the upgrade goes on.
///
/// Source: <https://learn.microsoft.com/azure/aks/upgrade-cluster#set-undrainable-node-behavior>
fn change(raw: &mut Value, version: &Version, force: bool) {
    aim::set_property(raw, "orchestratorVersion", json!(version.to_string()));
    if force {
        let mut settings = raw.pointer("/properties/upgradeSettings").cloned().unwrap_or_default();
        if !settings.is_object() {
            settings = json!({});
        }
        if let Some(fields) = settings.as_object_mut() {
            fields.insert("undrainableNodeBehavior".to_owned(), json!("Cordon"));
        }
        aim::set_property(raw, "upgradeSettings", settings);
    }
}

fn look_at(
    id: &ArmId,
    pool: &wire::AgentPoolProfile,
    incarnation: &str,
    floor: &Version,
    context: &StageContext,
) -> Look {
    if pool.provisioning_state == "Deleting" {
        return Look::failed(id.to_string(), incarnation, aim::gone("node group", &pool.name));
    }
    if let Some(look) = aim::busy(id, incarnation, &pool.provisioning_state) {
        return look;
    }
    let failed = aim::has_failed(&pool.provisioning_state);
    if failed && context.system_id.is_some() {
        let what = format!("the upgrade of node group {}", pool.name);
        return Look::failed(
            id.to_string(),
            incarnation,
            convert::failure("AgentPools.Update", &what, pool.status.as_ref()),
        );
    }
    let reached = convert::pool_version(pool).is_some_and(|version| version.reaches(floor));
    if reached && !failed { Look::ready(id.to_string(), incarnation, Value::Null) } else { Look::Absent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    pub(crate) fn offered(texts: &[&str]) -> Vec<KubernetesVersion> {
        let one = |text: &&str| KubernetesVersion {
            version: version(text),
            support: pmks_model::Support::Standard,
            default: false,
            end_of_standard_support: None,
            end_of_extended_support: None,
        };
        texts.iter().map(one).collect()
    }

    #[test]
    fn a_pool_rises_minor_by_minor_by_the_newest_patch() {
        let id = ArmId::new("0", "g", "p", "managedClusters", "c");
        let pool = wire::AgentPoolProfile { name: "ga".into(), ..wire::AgentPoolProfile::default() };
        let offered = offered(&["1.33.1", "1.33.5", "1.34.0", "1.35.0", "1.35.2"]);
        let names = |from: &str, to: &str| -> Vec<String> {
            let aim = Aim { id: &id, incarnation: "u" };
            let stages = stages(&aim, &pool, &version(from), &version(to), &offered, false);
            let plan = pmks_driver::Plan::of(stages);
            assert_eq!(plan.defect(), None);
            plan.stages.into_iter().map(|stage| stage.name).collect()
        };
        assert_eq!(
            names("1.32.9", "1.35.0"),
            ["node group ga to 1.33.5", "node group ga to 1.34.0", "node group ga to 1.35.0"]
        );
        assert_eq!(names("1.35.0", "1.35.2"), ["node group ga to 1.35.2"]);
        assert!(names("1.35.2", "1.35.2").is_empty());
    }

    #[test]
    fn an_upgrade_that_broke_off_is_asked_for_once_more() {
        let id = ArmId::new("0", "g", "p", "managedClusters", "c");
        let aim = Aim { id: &id, incarnation: "u" };
        let now = version("1.35.2");
        for (word, more) in [("Succeeded", 0), ("Failed", 1), ("Canceled", 1)] {
            let pool = wire::AgentPoolProfile {
                name: "ga".into(),
                provisioning_state: word.into(),
                ..wire::AgentPoolProfile::default()
            };
            assert_eq!(stages(&aim, &pool, &now, &now, &offered(&["1.35.2"]), false).len(), more, "{word}");
        }
    }

    #[test]
    fn nodes_never_run_ahead() {
        let offered = offered(&["1.33.5", "1.34.0", "1.34.2"]);
        let of_cluster = version("1.34.0");
        let chosen =
            |text: &str| target(&text.parse().unwrap(), &of_cluster, &offered).map(|found| found.to_string());
        assert_eq!(chosen("default").as_deref(), Ok("1.34.0"));
        assert_eq!(chosen("1.34").as_deref(), Ok("1.34.0"));
        assert_eq!(chosen("1.33").as_deref(), Ok("1.33.5"));
        assert!(chosen("1.35").unwrap_err().plain().contains("never run ahead"));
        assert!(chosen("1.34.2").is_err());
    }

    #[test]
    fn force_sets_nodes_aside_and_keeps_the_other_settings() {
        let mut raw = json!({"properties": {"upgradeSettings": {"maxSurge": "10%"}, "count": 2}});
        change(&mut raw, &version("1.34.0"), true);
        let wanted = json!({"properties": {"count": 2, "orchestratorVersion": "1.34.0",
            "upgradeSettings": {"maxSurge": "10%", "undrainableNodeBehavior": "Cordon"}}});
        assert_eq!(raw, wanted);
    }
}
