//! The plan of a node group's end. Gone is success; the last pool of mode System is kept, as AKS wants it.
//!
//! Source: <https://learn.microsoft.com/azure/aks/use-system-pools>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Prepared, RemoveNodeGroup, Result, StageContext,
};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, clusters, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RemovePool>()];

/// How long the end of a pool usually takes: its nodes are drained.
const EXPECTED: Duration = Duration::from_mins(4);

/// Checks and answers the plan.
///
/// # Errors
/// `Precondition` for the last pool of mode System, and at a stopped cluster.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &RemoveNodeGroup) -> Result<Prepared> {
    let cluster = driver.cluster_id(&asked.target.cluster.iid.system_id);
    let name = clusters::pool_name(&asked.target.iid.system_id);
    if let Some((found, pool)) = aim::node_group(driver, &cluster, &name, &asked.target.incarnation).await? {
        aim::refuse_stopped(&found)?;
        refuse_last(&found, &pool)?;
    }
    let stage = RemovePool { cluster, incarnation: asked.target.incarnation.clone(), name: name.clone() };
    let stage = stage
        .specification(format!("removal of node group {name}"))
        .expected(EXPECTED)
        .subject(ResourceKind::NodeGroup, name);
    Ok(Prepared::of([stage]))
}

fn refuse_last(cluster: &wire::ManagedCluster, pool: &wire::AgentPoolProfile) -> Result<()> {
    let mut others = cluster.properties.agent_pool_profiles.iter().filter(|other| other.name != pool.name);
    if !aim::is_system(pool) || others.any(aim::is_system) {
        return Ok(());
    }
    let what = format!("node group {} is the only one that AKS' own pods run in, which AKS keeps", pool.name);
    let fix = "delete the cluster, or give another node group the mode System (az aks nodepool update --mode System)";
    let kind = ErrorKind::Precondition { what: what.clone(), fix: fix.to_owned() };
    Err(DriverError::new(kind, PROVIDER, what))
}

/// Removes a pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemovePool {
    cluster: ArmId,
    incarnation: String,
    name: String,
}

impl RemovePool {
    fn id(&self) -> ArmId {
        self.cluster.child("agentPools", &self.name)
    }
}

#[async_trait]
impl Stage<AzureDriver> for RemovePool {
    const KIND: &'static str = "azure.nodeGroup.removal";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        let id = self.id();
        Ok(found.map_or_else(Look::gone, |(_, pool)| look_at(&id, &pool, &self.incarnation, context)))
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let found = aim::raw_pool(driver, &self.cluster, &self.incarnation, &self.name).await?;
        let Some(raw) = found else { return Ok(Asked::done(Value::Null)) };
        match driver.api.delete_pool(&self.id(), aim::unchanged(&raw)).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => answer.map(|accepted| aim::asked(accepted, &self.id())),
        }
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "AgentPools.Delete", handle).await
    }
}

/// What failed to go before this attempt is asked for again; what fails in it has failed.
fn look_at(id: &ArmId, pool: &wire::AgentPoolProfile, incarnation: &str, context: &StageContext) -> Look {
    match pool.provisioning_state.as_str() {
        "Deleting" => Look::pending(id.to_string(), incarnation, "Deleting"),
        "Failed" | "Canceled" if context.system_id.is_some() => {
            let what = format!("the removal of node group {}", pool.name);
            let error = convert::failure("AgentPools.Delete", &what, pool.status.as_ref());
            Look::failed(id.to_string(), incarnation, error)
        }
        _ => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_system_pool_is_kept() {
        let pool = |name: &str, mode: &str| wire::AgentPoolProfile {
            name: name.into(),
            mode: Some(mode.into()),
            ..wire::AgentPoolProfile::default()
        };
        let cluster = |pools: Vec<wire::AgentPoolProfile>| {
            let properties = wire::ClusterProperties { agent_pool_profiles: pools, ..Default::default() };
            wire::ManagedCluster { properties, ..Default::default() }
        };
        let (system, user) = (pool("ga", "System"), pool("gb", "User"));
        let one = cluster(vec![system.clone(), user.clone()]);
        assert!(matches!(refuse_last(&one, &system).unwrap_err().kind(), ErrorKind::Precondition { .. }));
        assert!(refuse_last(&one, &user).is_ok());
        let two = cluster(vec![system.clone(), pool("gc", "System")]);
        assert!(refuse_last(&two, &system).is_ok());
    }
}
