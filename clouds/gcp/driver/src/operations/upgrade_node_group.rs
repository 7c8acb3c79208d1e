//! The plan of a node pool's higher version: GKE replaces its nodes one after the other. Versions are floors.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification,
    UpgradeNodeGroup, refuse_downgrade,
};
use pmks_model::{Status, Version, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::upgrade_cluster::cluster_version;
use super::{Maker, Stage, aim};
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<RaiseNodePool>()];

/// How long the replacement of a pool's nodes usually takes.
const EXPECTED: Duration = Duration::from_mins(10);

/// Checks and answers the plan; an empty one where the version is reached already.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &UpgradeNodeGroup) -> Result<Prepared> {
    let (name, cluster, pool) = aim::standing_pool(driver, &asked.target).await?;
    let of_cluster = cluster_version(&cluster)?;
    let now = pool_version(&pool)?;
    refuse_downgrade(PROVIDER, &asked.version, &now, &format!("node group {:?}", pool.name))?;
    let target = match &asked.version {
        VersionRequest::Default => of_cluster.clone(),
        VersionRequest::Given(given) if now.reaches(given) => now.clone(),
        VersionRequest::Given(given) if given.covers(&of_cluster) => of_cluster.clone(),
        VersionRequest::Given(given) => {
            let config = driver.api.server_config(&name.location).await?;
            offered(given, &of_cluster, &config)?
        }
    };
    if now.reaches(&target) {
        return Ok(Prepared::default().notice(format!("node group {} is at {now} already", pool.name)));
    }
    aim::refuse_unfit([&pool])?;
    let stage = stage(&name.path(), &convert::incarnation(&cluster), &pool.name, &target);
    Ok(Prepared::of([stage]).resolved("version", target.to_string()))
}

/// The newest version for nodes that matches, not above the cluster's.
fn offered(given: &Version, of_cluster: &Version, config: &wire::ServerConfig) -> Result<Version> {
    if !of_cluster.reaches(given) {
        let says =
            format!("nodes never run ahead of their cluster, which is at {of_cluster}: upgrade the cluster");
        return Err(aim::refused("version", says));
    }
    let versions = config.valid_node_versions.iter().filter_map(|text| convert::version(text));
    let best = versions.filter(|version| given.covers(version) && of_cluster.reaches(version)).max();
    best.ok_or_else(|| aim::refused("version", format!("{given} is not offered for nodes")))
}

/// The version of a node pool, which must be one.
pub(super) fn pool_version(pool: &wire::NodePool) -> Result<Version> {
    convert::version(&pool.version).ok_or_else(|| {
        let message = format!("GKE does not say which version node pool {:?} has", pool.name);
        DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
    })
}

/// The stage that raises a node pool.
pub(super) fn stage(cluster: &str, incarnation: &str, pool: &str, to: &Version) -> StageSpecification {
    let stage = RaiseNodePool {
        cluster: cluster.to_owned(),
        incarnation: incarnation.to_owned(),
        pool: pool.to_owned(),
        version: to.clone(),
    };
    // Half of the nodes old and half of them new would be worse than either: it is followed to its end.
    stage.specification(format!("node group {pool} to {to}")).expected(EXPECTED).finish_when_cancelled()
}

/// Raises a node pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RaiseNodePool {
    cluster: String,
    incarnation: String,
    pool: String,
    version: Version,
}

#[async_trait]
impl Stage<GcpDriver> for RaiseNodePool {
    const KIND: &'static str = "gcp.nodePool.version";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let (_, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let pool = aim::pool_of(&cluster, &self.pool).ok_or_else(|| aim::gone("node pool", &self.pool))?;
        Ok(look_at(pool, &self.incarnation, &self.version))
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        if aim::pool_of(&cluster, &self.pool).is_none() {
            return Err(aim::gone("node pool", &self.pool));
        }
        let update = wire::ClusterUpdate {
            desired_node_pool_id: Some(self.pool.clone()),
            desired_node_version: Some(self.version.to_string()),
            etag: cluster.etag,
            ..wire::ClusterUpdate::default()
        };
        Ok(aim::following(&name, &driver.api.update_cluster(&name, update).await?))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

/// While nodes are replaced, a pool may already say its new version.
fn look_at(pool: &wire::NodePool, incarnation: &str, floor: &Version) -> Look {
    let name = pool.name.as_str();
    let reached = convert::version(&pool.version).is_some_and(|version| version.reaches(floor));
    match convert::node_pool_status(&pool.status) {
        Status::Updating | Status::Creating => {
            Look::pending(name, incarnation, aim::says(&pool.status, &pool.conditions))
        }
        Status::Deleting => Look::failed(name, incarnation, aim::gone("node pool", name)),
        _ if reached => Look::ready(name, incarnation, Value::Null),
        _ => Look::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::tests::config;

    #[test]
    fn a_version_is_a_floor() {
        let floor: Version = "1.33.5-gke.100".parse().unwrap();
        for (status, version, expected) in [
            ("RUNNING", "1.32.9-gke.7", "Absent"),
            ("RUNNING", "1.33.5-gke.100", "Ready"),
            ("RUNNING", "1.34.1-gke.9", "Ready"),
            ("RUNNING_WITH_ERROR", "1.33.5-gke.100", "Ready"),
            ("RECONCILING", "1.33.5-gke.100", "Pending"),
            ("STOPPING", "1.33.5-gke.100", "Failed"),
        ] {
            let pool = wire::NodePool {
                name: "g".into(),
                status: status.into(),
                version: version.into(),
                ..Default::default()
            };
            let look = format!("{:?}", look_at(&pool, "1", &floor));
            assert!(look.contains(expected), "{status} {version}: {look}");
        }
    }

    #[test]
    fn nodes_never_run_ahead() {
        let of = |given: &str, cluster: &str| {
            offered(&given.parse().unwrap(), &cluster.parse().unwrap(), &config())
                .map(|version| version.to_string())
        };
        assert_eq!(of("1.33", "1.34.1-gke.10").unwrap(), "1.33.5-gke.100");
        assert!(of("1.35", "1.34.1-gke.10").unwrap_err().message().contains("never run ahead"));
        assert!(of("1.31", "1.34.1-gke.10").unwrap_err().message().contains("not offered"));
    }
}
