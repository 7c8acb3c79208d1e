//! The plan of another size, other limits, or the autoscaling switch: the autoscaler's limits first, then the size.
//! With autoscaling on the size belongs to GKE; it is sent only to bring it within new limits. Limits exist only while
//! it is on.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, ChangeNodeGroupScaling, DriverError, Handle, Look, Poll, Prepared, Result, StageContext,
};
use pmks_model::{Findings, Scaling, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::node_pool::{autoscaling, per_zone, reachable};
use super::{Maker, Stage, aim};
use crate::capabilities::CAPABILITIES;
use crate::live::Live;
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<SetLimits>(), Maker::of::<SetSize>()];

/// The stage that switches the autoscaler and sets its limits.
const LIMITS: &str = "autoscaling";
/// What a plan says of a size that is not sent.
const LEFT: &str = "autoscaling is on, so the size within the limits is left to the autoscaler: switch it off to set the size";
/// How long nodes usually take to come or go.
const EXPECTED: Duration = Duration::from_mins(2);

/// Checks and answers the plan.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
    let (name, cluster, pool) = aim::standing_pool(driver, &asked.target).await?;
    aim::refuse_unfit([&pool])?;
    let size = Live::sizes(driver).await?.size(&pool).ok_or_else(|| {
        let says = format!("the size of node pool {} is not known yet", pool.name);
        DriverError::new(pmks_driver::ErrorKind::Unavailable, PROVIDER, says)
    })?;
    let now = convert::scaling(&pool, size);
    let wanted = CAPABILITIES.auto_scaling.apply(asked.change, now);
    let mut findings = Findings::default();
    wanted.validate("scaling", &mut findings);
    CAPABILITIES.auto_scaling.find_lost_size(asked.change, wanted, &mut findings);
    if wanted.auto_scaling {
        reachable(wanted, &pool.locations, "scaling.max", &mut findings);
    } else {
        per_zone(wanted.desired, &pool.locations, "scaling.desired", &mut findings);
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let common = Aim {
        cluster: name.path(),
        incarnation: convert::incarnation(&cluster),
        pool: pool.name.clone(),
        wanted,
    };
    let limits = SetLimits(common.clone()).specification(LIMITS);
    let resize = SetSize(common).specification("size").after([LIMITS]).expected(EXPECTED);
    let mut prepared = Prepared::of([limits, resize]).resolved("scaling", words(wanted));
    if wanted.auto_scaling && asked.change.desired.is_some_and(|desired| desired != now.desired) {
        prepared = prepared.notice(LEFT);
    }
    if let (true, Some(within)) = (wanted.auto_scaling, wanted.to_send(Some(size))) {
        let nodes = count(within, wanted, convert::zones(&pool)) * convert::zones(&pool);
        prepared = prepared
            .notice(format!("the {size} nodes of now lie outside the limits: {nodes} are asked for at once"));
    }
    Ok(match CAPABILITIES.auto_scaling.waiting_limits(asked.change, wanted) {
        Some(says) => prepared.notice(says),
        None => prepared,
    })
}

fn words(scaling: Scaling) -> String {
    let Scaling { auto_scaling, min, max, desired } = scaling;
    if auto_scaling {
        format!("autoscaling on, from {min} to {max}")
    } else {
        format!("autoscaling off, {desired} nodes")
    }
}

/// Which node pool, and what is wanted of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aim {
    cluster: String,
    incarnation: String,
    pool: String,
    wanted: Scaling,
}

impl Aim {
    async fn pool(&self, driver: &GcpDriver) -> Result<(crate::names::ClusterName, wire::NodePool)> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let pool = aim::pool_of(&cluster, &self.pool).ok_or_else(|| aim::gone("node pool", &self.pool))?;
        Ok((name, pool.clone()))
    }
}

/// Switches the autoscaler, and sets its limits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct SetLimits(Aim);

#[async_trait]
impl Stage<GcpDriver> for SetLimits {
    const KIND: &'static str = "gcp.nodePool.autoscaling";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let (_, pool) = self.0.pool(driver).await?;
        Ok(if has_limits(&pool, self.0.wanted) {
            Look::ready(&pool.name, &self.0.incarnation, Value::Null)
        } else {
            Look::Absent
        })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, pool) = self.0.pool(driver).await?;
        let body = wire::SetAutoscaling { autoscaling: autoscaling(self.0.wanted, convert::zones(&pool)) };
        let operation = driver.api.set_autoscaling(&name, &pool.name, &body).await?;
        Ok(aim::following(&name, &operation))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

fn has_limits(pool: &wire::NodePool, wanted: Scaling) -> bool {
    convert::limits(pool) == wanted.auto_scaling.then_some((wanted.min, wanted.max))
}

/// Sets the number of nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct SetSize(Aim);

#[async_trait]
impl Stage<GcpDriver> for SetSize {
    const KIND: &'static str = "gcp.nodePool.size";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let ((_, pool), live) = futures::try_join!(self.0.pool(driver), Live::sizes(driver))?;
        Ok(look_at(&pool, live.size(&pool), self.0.wanted, &self.0.incarnation))
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let ((name, pool), live) = futures::try_join!(self.0.pool(driver), Live::sizes(driver))?;
        let Some(total) = self.0.wanted.to_send(live.size(&pool)) else {
            return Ok(Asked::done(Value::Null));
        };
        let body = wire::SetSize { node_count: count(total, self.0.wanted, convert::zones(&pool)) };
        let operation = driver.api.set_size(&name, &pool.name, &body).await?;
        Ok(aim::following(&name, &operation))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

/// The number of nodes of each zone. Within an autoscaler's limits the total need not be a multiple of the zones: what
/// stays within them is taken.
fn count(total: u32, wanted: Scaling, zones: u32) -> u32 {
    let up = total.div_ceil(zones);
    if up * zones <= wanted.max { up } else { total / zones }
}

fn look_at(pool: &wire::NodePool, size: Option<u32>, wanted: Scaling, incarnation: &str) -> Look {
    let name = pool.name.as_str();
    match (convert::node_pool_status(&pool.status), size) {
        (Status::Deleting, _) => Look::failed(name, incarnation, aim::gone("node pool", name)),
        (Status::Updating | Status::Creating, _) => {
            Look::pending(name, incarnation, aim::says(&pool.status, &pool.conditions))
        }
        (_, None) => Look::Unsure("the size is not known yet".to_owned()),
        (_, Some(size)) if is_right(size, wanted, convert::zones(pool)) => {
            Look::ready(name, incarnation, Value::Null)
        }
        _ => Look::Absent,
    }
}

fn is_right(size: u32, wanted: Scaling, zones: u32) -> bool {
    match wanted.to_send(Some(size)) {
        None => true,
        Some(total) => size == count(total, wanted, zones) * zones,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scaling(auto_scaling: bool, min: u32, max: u32, desired: u32) -> Scaling {
        Scaling { auto_scaling, min, max, desired }
    }

    fn pool(status: &str, autoscaling: &Value) -> wire::NodePool {
        serde_json::from_value(
            json!({"name": "ga", "status": status, "locations": ["a"], "autoscaling": autoscaling}),
        )
        .unwrap()
    }

    #[test]
    fn limits_are_there_or_not() {
        let on = pool("RUNNING", &json!({"enabled": true, "minNodeCount": 1, "maxNodeCount": 5}));
        let off = pool("RUNNING", &json!({}));
        for (pool, wanted, right) in [
            (&on, scaling(true, 1, 5, 2), true),
            (&on, scaling(true, 1, 6, 2), false),
            (&on, scaling(false, 1, 5, 2), false),
            (&off, scaling(false, 1, 5, 2), true),
            (&off, scaling(true, 1, 5, 2), false),
        ] {
            assert_eq!(has_limits(pool, wanted), right, "{wanted:?}");
        }
    }

    #[test]
    fn it_is_done_when_the_size_is_there() {
        for (status, size, wanted, expected) in [
            ("RUNNING", Some(3), scaling(false, 1, 5, 3), "Ready"),
            ("RUNNING", Some(2), scaling(false, 1, 5, 3), "Absent"),
            ("RUNNING", Some(4), scaling(true, 1, 5, 3), "Ready"),
            ("RUNNING", Some(6), scaling(true, 1, 5, 3), "Absent"),
            ("RECONCILING", Some(3), scaling(false, 1, 5, 3), "Pending"),
            ("RUNNING_WITH_ERROR", Some(3), scaling(false, 1, 5, 3), "Ready"),
            ("STOPPING", Some(3), scaling(false, 1, 5, 3), "Failed"),
            ("RUNNING", None, scaling(false, 1, 5, 3), "Unsure"),
        ] {
            let look = format!("{:?}", look_at(&pool(status, &json!({})), size, wanted, "1"));
            assert!(look.contains(expected), "{status} {size:?}: {look}");
        }
    }

    #[test]
    fn a_size_within_limits_is_rounded_into_them() {
        assert_eq!(count(4, scaling(true, 4, 9, 4), 3), 2);
        assert_eq!(count(4, scaling(true, 1, 5, 4), 3), 1);
        assert_eq!(count(6, scaling(false, 6, 6, 6), 3), 2);
    }
}
