//! The plan of other tags or another tier of a cluster. What is not named stays as it is.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Handle, Look, Poll, Prepared, Result, StageContext, TagChanges, UpdateCluster,
};
use pmks_model::{Findings, Tags};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim, tags};
use crate::arm_id::ArmId;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<ChangeTags>(), Maker::of::<ChangeTier>()];

/// How long another tier usually takes.
const EXPECTED: Duration = Duration::from_mins(2);

/// Checks and answers the plan.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &UpdateCluster) -> Result<Prepared> {
    let mut findings = Findings::default();
    tags::check(asked.tags.keys(), &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let (cluster, found) = aim::standing_cluster(driver, &asked.target).await?;
    let incarnation = convert::incarnation(&found);
    let mut stages = Vec::new();
    if !asked.tags.is_empty() {
        let stage = ChangeTags {
            cluster: cluster.clone(),
            incarnation: incarnation.clone(),
            tags: asked.tags.clone(),
        };
        stages.push(stage.specification("tags").expected(EXPECTED));
    }
    if let Some(tier) = asked.options.get("tier").and_then(Value::as_str) {
        let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        let stage = ChangeTier { cluster, incarnation, tier: tier.to_owned() };
        stages.push(stage.specification("tier").after(before).expected(EXPECTED));
    }
    Ok(Prepared::of(stages))
}

/// Sets tags of a cluster, and takes others off.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeTags {
    cluster: ArmId,
    incarnation: String,
    tags: TagChanges,
}

#[async_trait]
impl Stage<AzureDriver> for ChangeTags {
    const KIND: &'static str = "azure.cluster.tags";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        let wanted = tags::onto(&self.tags, cluster.tags.clone()) == cluster.tags;
        Ok(look_at(&self.cluster, &cluster, wanted))
    }

    /// The list of tags is replaced as a whole, so it is read, and sent on the condition that nothing moved.
    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let raw = driver.api.raw_cluster(&self.cluster).await?;
        aim::check_raw(&raw, &self.incarnation, self.cluster.name())?;
        let now = raw.get("tags").and_then(|tags| Tags::deserialize(tags).ok()).unwrap_or_default();
        let accepted = driver
            .api
            .set_cluster_tags(&self.cluster, &tags::onto(&self.tags, now), aim::unchanged(&raw))
            .await?;
        Ok(aim::asked(accepted, &self.cluster))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "ManagedClusters.UpdateTags", handle).await
    }
}

/// Chooses the price tier.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeTier {
    cluster: ArmId,
    incarnation: String,
    tier: String,
}

#[async_trait]
impl Stage<AzureDriver> for ChangeTier {
    const KIND: &'static str = "azure.cluster.tier";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let cluster = standing(driver, &self.cluster, &self.incarnation).await?;
        let now = cluster.sku.as_ref().and_then(|sku| sku.tier.as_deref());
        Ok(look_at(&self.cluster, &cluster, now == Some(self.tier.as_str())))
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let mut raw = driver.api.raw_cluster(&self.cluster).await?;
        aim::check_raw(&raw, &self.incarnation, self.cluster.name())?;
        change_tier(&mut raw, &self.tier);
        let accepted = driver.api.update_cluster(&self.cluster, &raw, aim::unchanged(&raw)).await?;
        Ok(aim::asked(accepted, &self.cluster))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "ManagedClusters.Update", handle).await
    }
}

/// Long-term support is the tier Premium's alone: a cluster that leaves it is supported as Kubernetes is.
///
/// Source: <https://learn.microsoft.com/azure/aks/long-term-support>
fn change_tier(raw: &mut Value, tier: &str) {
    if let Some(fields) = raw.as_object_mut() {
        fields.insert("sku".to_owned(), json!({"name": "Base", "tier": tier}));
    }
    let plan = raw.pointer("/properties/supportPlan").and_then(Value::as_str);
    if plan == Some("AKSLongTermSupport") && tier != "Premium" {
        aim::set_property(raw, "supportPlan", json!("KubernetesOfficial"));
    }
}

async fn standing(driver: &AzureDriver, id: &ArmId, incarnation: &str) -> Result<wire::ManagedCluster> {
    aim::cluster(driver, id, incarnation).await?.ok_or_else(|| aim::gone("cluster", id.name()))
}

fn look_at(id: &ArmId, cluster: &wire::ManagedCluster, is_wanted: bool) -> Look {
    let incarnation = convert::incarnation(cluster);
    match aim::busy(id, &incarnation, &cluster.properties.provisioning_state) {
        Some(look) => look,
        None if is_wanted => Look::ready(id.to_string(), incarnation, Value::Null),
        None => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_term_support_ends_with_its_tier() {
        let read = json!({"sku": {"name": "Base", "tier": "Premium"}, "properties": {"supportPlan": "AKSLongTermSupport", "x": 1}});
        for (tier, plan) in [("Free", "KubernetesOfficial"), ("Premium", "AKSLongTermSupport")] {
            let mut raw = read.clone();
            change_tier(&mut raw, tier);
            let wanted =
                json!({"sku": {"name": "Base", "tier": tier}, "properties": {"supportPlan": plan, "x": 1}});
            assert_eq!(raw, wanted);
        }
    }
}
