//! The plan of another size: switch, limits and size of a pool by one request, which replaces the pool by what was read
//! of it with our change. A size that AKS' autoscaler moved meanwhile makes the request stale, and it is asked again.
//! While autoscaling is on, or is switched on, AKS takes no other size: its autoscaler brings the size to new limits.
//!
//! Source: <https://learn.microsoft.com/azure/aks/cluster-autoscaler>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, ChangeNodeGroupScaling, DriverError, Handle, Look, Poll, Prepared, Result, StageContext,
};
use pmks_model::{Findings, Scaling};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim, pool_choice};
use crate::arm_id::ArmId;
use crate::capabilities::CAPABILITIES;
use crate::quota::{self, Wanted};
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, convert, machines};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<ChangeScaling>()];

/// How long other nodes usually take.
const EXPECTED: Duration = Duration::from_mins(3);

/// Checks, computes the whole scaling that results, and answers the plan.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
    let standing = aim::standing_node_group(driver, &asked.target).await?;
    aim::refuse_stopped(&standing.cluster)?;
    let nothing = Scaling { auto_scaling: false, min: 0, max: 0, desired: 0 };
    let now = convert::scaling(&standing.pool).unwrap_or(nothing);
    let wanted = settled(CAPABILITIES.auto_scaling.apply(asked.change, now));
    let mut findings = check(&standing.pool, wanted);
    CAPABILITIES.auto_scaling.find_lost_size(asked.change, wanted, &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    refuse_without_quota(driver, &standing.pool, now, wanted).await?;
    let stage = ChangeScaling {
        cluster: standing.cluster_id,
        incarnation: convert::incarnation(&standing.cluster),
        name: standing.name.clone(),
        wanted,
    };
    let stage = stage.specification(format!("size of {}", standing.name)).expected(EXPECTED);
    let mut prepared = Prepared::of([stage]).resolved("scaling", words(wanted));
    prepared.notices.extend(CAPABILITIES.auto_scaling.waiting_limits(asked.change, wanted));
    if wanted.auto_scaling && now.desired > wanted.max {
        prepared = prepared.notice(format!(
            "{} nodes lie above the limit of {}: AKS' autoscaler removes those that it finds unneeded",
            now.desired, wanted.max
        ));
    }
    if wanted.auto_scaling && asked.change.desired.is_some_and(|desired| desired != now.desired) {
        prepared = prepared.notice(
            "autoscaling is on, so the size within the limits is left to AKS' autoscaler: switch it off to set the size",
        );
    }
    Ok(prepared)
}

/// Limits of a pool whose autoscaling is off hold nothing: a pool without nodes has none above it either.
fn settled(wanted: Scaling) -> Scaling {
    if wanted.auto_scaling { wanted } else { Scaling { max: wanted.max.max(1), ..wanted } }
}

fn check(pool: &wire::AgentPoolProfile, wanted: Scaling) -> Findings {
    let mut findings = Findings::default();
    wanted.validate("scaling", &mut findings);
    pool_choice::check_most_nodes(wanted, "scaling", &mut findings);
    let least = if wanted.auto_scaling { wanted.min } else { wanted.desired };
    if aim::is_system(pool) && least == 0 {
        let field = if wanted.auto_scaling { "scaling.min" } else { "scaling.desired" };
        findings.add(field, "must be at least 1: AKS' own pods run in this node group");
    }
    findings
}

/// More nodes need more of the quota. Two calls where there are more.
async fn refuse_without_quota(
    driver: &AzureDriver,
    pool: &wire::AgentPoolProfile,
    now: Scaling,
    wanted: Scaling,
) -> Result<()> {
    let more = wanted.desired.saturating_sub(now.desired);
    if more == 0 {
        return Ok(());
    }
    let (sizes, usages) = futures::try_join!(machines::sizes(driver), driver.api.usages())?;
    let name = pool.vm_size.as_deref().unwrap_or_default();
    let size = sizes.iter().find(|size| size.machine.name.eq_ignore_ascii_case(name));
    let wanted: Vec<Wanted> = size.map(|size| Wanted::of(size, more)).into_iter().collect();
    quota::check(&wanted, &usages)
}

fn words(scaling: Scaling) -> String {
    let Scaling { auto_scaling, min, max, desired } = scaling;
    if auto_scaling {
        format!("autoscaling on, from {min} to {max}")
    } else {
        format!("autoscaling off, {desired} nodes")
    }
}

/// Sets switch, limits and size.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeScaling {
    cluster: ArmId,
    incarnation: String,
    name: String,
    wanted: Scaling,
}

impl ChangeScaling {
    fn id(&self) -> ArmId {
        self.cluster.child("agentPools", &self.name)
    }
}

#[async_trait]
impl Stage<AzureDriver> for ChangeScaling {
    const KIND: &'static str = "azure.nodeGroup.scaling";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        let found = aim::node_group(driver, &self.cluster, &self.name, &self.incarnation).await?;
        let (_, pool) = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        Ok(look_at(&self.id(), &pool, &self.incarnation, self.wanted, context.system_id.is_some()))
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let found = aim::raw_pool(driver, &self.cluster, &self.incarnation, &self.name).await?;
        let mut raw = found.ok_or_else(|| aim::gone("node group", &self.name))?;
        change(&mut raw, self.wanted);
        let accepted = driver.api.update_pool(&self.id(), &raw, aim::unchanged(&raw)).await?;
        Ok(aim::asked(accepted, &self.id()))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "AgentPools.Update", handle).await
    }
}

/// With autoscaling on, the size stays as it was read, also outside new limits: another one is refused («Cannot manually
/// scale …»), and the autoscaler enforces the lower limit itself.
///
/// Source: <https://learn.microsoft.com/azure/aks/cluster-autoscaler#update-the-cluster-autoscaler-settings>
fn change(raw: &mut Value, wanted: Scaling) {
    let limits = |limit: u32| if wanted.auto_scaling { json!(limit) } else { Value::Null };
    aim::set_property(raw, "enableAutoScaling", json!(wanted.auto_scaling));
    aim::set_property(raw, "minCount", limits(wanted.min));
    aim::set_property(raw, "maxCount", limits(wanted.max));
    if !wanted.auto_scaling {
        aim::set_property(raw, "count", json!(wanted.desired));
    }
}

fn look_at(
    id: &ArmId,
    pool: &wire::AgentPoolProfile,
    incarnation: &str,
    wanted: Scaling,
    asked: bool,
) -> Look {
    if pool.provisioning_state == "Deleting" {
        return Look::failed(id.to_string(), incarnation, aim::gone("node group", &pool.name));
    }
    if let Some(look) = aim::busy(id, incarnation, &pool.provisioning_state) {
        return look;
    }
    let failed = matches!(pool.provisioning_state.as_str(), "Failed" | "Canceled");
    if failed && asked {
        let what = format!("the change of node group {}", pool.name);
        let error = convert::failure("AgentPools.Update", &what, pool.status.as_ref());
        return Look::failed(id.to_string(), incarnation, error);
    }
    let Some(now) = convert::scaling(pool).filter(|now| !failed && is_set(*now, wanted)) else {
        return Look::Absent;
    };
    if now.auto_scaling && now.desired < now.min {
        let says = format!("AKS' autoscaler brings {} nodes to {}", now.desired, now.min);
        return Look::pending(id.to_string(), incarnation, &says);
    }
    Look::ready(id.to_string(), incarnation, Value::Null)
}

/// Whether a pool is set as wanted. With autoscaling on that is its limits; the size is the autoscaler's.
fn is_set(now: Scaling, wanted: Scaling) -> bool {
    if wanted.auto_scaling {
        now.auto_scaling && (now.min, now.max) == (wanted.min, wanted.max)
    } else {
        !now.auto_scaling && now.desired == wanted.desired
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::FoundState;

    use super::*;

    fn scaling(auto_scaling: bool, min: u32, max: u32, desired: u32) -> Scaling {
        Scaling { auto_scaling, min, max, desired }
    }

    #[test]
    fn what_is_sent_is_what_was_read_with_our_change() {
        for (count, wanted, expected) in [
            (2, scaling(false, 1, 4, 4), json!([4, false, null, null])),
            (2, scaling(true, 1, 4, 3), json!([2, true, 1, 4])),
            (2, scaling(true, 3, 5, 3), json!([2, true, 3, 5])),
        ] {
            let mut raw = json!({"properties": {"count": count, "enableAutoScaling": false, "wordOfTomorrow": 1, "eTag": "e"}});
            change(&mut raw, wanted);
            let field = |name: &str| raw.pointer(&format!("/properties/{name}")).cloned().unwrap_or_default();
            let sent =
                json!([field("count"), field("enableAutoScaling"), field("minCount"), field("maxCount")]);
            assert_eq!(sent, expected);
            assert_eq!((field("wordOfTomorrow"), field("eTag")), (json!(1), json!("e")));
        }
    }

    #[test]
    fn a_pool_is_as_wanted_when_it_rests_so() {
        let id = ArmId::new("0", "g", "p", "managedClusters", "c").child("agentPools", "ga");
        let pool = |state: &str, auto: bool, count: u32| wire::AgentPoolProfile {
            name: "ga".into(),
            provisioning_state: state.into(),
            enable_auto_scaling: Some(auto),
            min_count: auto.then_some(1),
            max_count: auto.then_some(4),
            count: Some(count),
            ..wire::AgentPoolProfile::default()
        };
        let seen = |pool: &wire::AgentPoolProfile, wanted: Scaling, asked: bool| match look_at(
            &id, pool, "u", wanted, asked,
        ) {
            Look::Absent => "absent",
            Look::Present(found) => match found.state {
                FoundState::Ready(_) => "ready",
                FoundState::Pending { .. } => "pending",
                FoundState::Failed(_) => "failed",
            },
            _ => "?",
        };
        let (size, limits) = (scaling(false, 1, 4, 4), scaling(true, 1, 4, 2));
        for (pool, wanted, asked, expected) in [
            (pool("Succeeded", false, 4), size, false, "ready"),
            (pool("Succeeded", false, 2), size, false, "absent"),
            (pool("Succeeded", true, 4), size, false, "absent"),
            (pool("Scaling", false, 4), size, false, "pending"),
            (pool("Failed", false, 4), size, false, "absent"),
            (pool("Failed", false, 2), size, true, "failed"),
            (pool("Deleting", false, 2), size, false, "failed"),
            (pool("Succeeded", true, 3), limits, false, "ready"),
            (pool("Succeeded", true, 9), limits, false, "ready"),
            (pool("Succeeded", true, 0), limits, false, "pending"),
            (pool("Succeeded", false, 2), limits, false, "absent"),
        ] {
            assert_eq!(seen(&pool, wanted, asked), expected, "{} {wanted:?}", pool.provisioning_state);
        }
    }

    #[test]
    fn a_system_pool_is_never_empty() {
        let pool = |mode: &str| wire::AgentPoolProfile {
            mode: Some(mode.into()),
            ..wire::AgentPoolProfile::default()
        };
        let fields = |pool: &wire::AgentPoolProfile, wanted: Scaling| -> Vec<String> {
            check(pool, wanted).iter().map(|finding| finding.field.clone()).collect()
        };
        assert_eq!(fields(&pool("System"), scaling(false, 0, 4, 0)), ["scaling.desired"]);
        assert_eq!(fields(&pool("System"), scaling(true, 0, 4, 2)), ["scaling.min"]);
        assert!(fields(&pool("User"), scaling(false, 0, 4, 0)).is_empty());
        assert!(fields(&pool("System"), scaling(true, 1, 4, 2)).is_empty());
        assert_eq!(settled(scaling(false, 0, 0, 0)).max, 1);
    }
}
