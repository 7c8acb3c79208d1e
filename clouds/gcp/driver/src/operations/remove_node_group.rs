//! The plan of a node pool's end. Gone is success; what stands in another cluster of that name is left alone.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Prepared, RemoveNodeGroup, Result, StageContext};
use pmks_model::{ResourceKind, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage, aim};
use crate::wire::container as wire;
use crate::{GcpDriver, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RemoveNodePool>()];

/// How long the end of a node pool usually takes: its nodes are drained.
const EXPECTED: Duration = Duration::from_mins(4);

/// Checks and answers the plan.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &RemoveNodeGroup) -> Result<Prepared> {
    let target = &asked.target;
    let found = aim::cluster(driver, &target.cluster.iid.system_id, &target.cluster.incarnation).await?;
    if let Some((_, cluster)) = &found {
        if !aim::is_meant(&target.incarnation, cluster) {
            return Err(aim::replaced("node pool", &target.iid.system_id));
        }
        aim::refuse_autopilot(cluster)?;
    }
    let stage = RemoveNodePool {
        cluster: target.cluster.iid.system_id.clone(),
        incarnation: target.cluster.incarnation.clone(),
        pool: target.iid.system_id.clone(),
    };
    let name = &target.iid.system_id;
    Ok(Prepared::of([stage
        .specification(format!("removal of node group {name}"))
        .expected(EXPECTED)
        .subject(ResourceKind::NodeGroup, name)]))
}

/// Removes a node pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveNodePool {
    cluster: String,
    incarnation: String,
    pool: String,
}

#[async_trait]
impl Stage<GcpDriver> for RemoveNodePool {
    const KIND: &'static str = "gcp.nodePool.removal";

    async fn look(&self, driver: &GcpDriver, context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        let pool = found.as_ref().and_then(|(_, cluster)| aim::pool_of(cluster, &self.pool));
        Ok(pool.map_or_else(Look::gone, |pool| look_at(pool, &self.incarnation, context)))
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let Some((name, _)) = aim::cluster(driver, &self.cluster, &self.incarnation).await? else {
            return Ok(Asked::done(Value::Null));
        };
        match driver.api.delete_node_pool(&name, &self.pool).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => Ok(aim::following(&name, &answer?).with_system_id(&self.pool)),
        }
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

/// What failed to go before this attempt is asked for again; what fails in it has failed.
fn look_at(pool: &wire::NodePool, incarnation: &str, context: &StageContext) -> Look {
    let name = pool.name.as_str();
    match convert::node_pool_status(&pool.status) {
        Status::Deleting => Look::pending(name, incarnation, aim::says(&pool.status, &pool.conditions)),
        Status::Failed if context.system_id.is_some() => {
            let error = convert::failed_removal("node pool", name, &pool.conditions, &pool.status_message);
            Look::failed(name, incarnation, error)
        }
        _ => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::tests::context;

    #[test]
    fn what_stands_is_asked_for_and_what_goes_is_waited_for() {
        let asked = StageContext { system_id: Some("g".into()), ..context() };
        for (status, context, expected) in [
            ("RUNNING", context(), "Absent"),
            ("ERROR", context(), "Absent"),
            ("STOPPING", context(), "Pending"),
            ("ERROR", asked, "Failed"),
        ] {
            let pool = wire::NodePool { name: "g".into(), status: status.into(), ..Default::default() };
            let look = format!("{:?}", look_at(&pool, "1", &context));
            assert!(look.contains(expected), "{status}: {look}");
        }
    }
}
