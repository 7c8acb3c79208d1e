//! The plan of a node pool, then a census.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    AddNodeGroup, Asked, DriverError, Effect, Handle, Identity, Look, Marks, Poll, Prepared, Result,
    StageContext, gather,
};
use pmks_model::{Findings, ResourceKind, Status, Version, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::create_cluster::{UNSEEN, ids};
use super::node_pool::{self, Common};
use super::{Maker, Stage, aim, census, quota};
use crate::capabilities::CAPABILITIES;
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeNodePool>()];

/// How long a node pool usually takes.
const EXPECTED: Duration = Duration::from_mins(2);

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &AddNodeGroup) -> Result<Prepared> {
    let (name, cluster) = aim::standing_cluster(driver, &asked.cluster).await?;
    aim::refuse_autopilot(&cluster)?;
    let group = asked.request.name.as_str();
    if let Some(standing) = aim::pool_of(&cluster, group)
        && !asked.marks.are_on(&standing.config.resource_labels)
    {
        return Err(aim::taken("node group", group));
    }
    let (config, region) =
        futures::try_join!(driver.api.server_config(&name.location), driver.api.get_region(driver.region()))?;
    let mut findings = Findings::default();
    let version = gather(version(&asked.request.version, &cluster, &config), &mut findings)?;
    let common = Common {
        config: &config,
        zones: &cluster.locations,
        security_groups: ids(&asked.security_groups),
        labels: asked.marks.onto(&asked.tags),
    };
    let groups = std::slice::from_ref(&asked.request);
    let choice = node_pool::choose(driver, groups, &common, |_| String::new(), &mut findings).await?;
    let (Some(version), true) = (version, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    quota::check(&region, &choice.needs)?;
    let mut prepared = Prepared::default();
    node_pool::tell(&mut prepared, &choice.pools);
    let says = version.as_ref().map_or_else(|| cluster.current_master_version.clone(), Version::to_string);
    prepared.resolved.insert("version".to_owned(), says);
    let made = format!("node group {group}");
    for pool in choice.pools {
        let stage = MakeNodePool {
            cluster: name.path(),
            incarnation: convert::incarnation(&cluster),
            body: wire::CreateNodePool {
                node_pool: wire::NewNodePool { version: version.as_ref().map(Version::to_string), ..pool },
            },
            marks: asked.marks.clone(),
        };
        let stage = stage
            .specification(made.as_str())
            .effect(Effect::Creates)
            .identity(Identity::UniqueName)
            .visible_after(UNSEEN)
            .expected(EXPECTED)
            .subject(ResourceKind::NodeGroup, group);
        prepared.plan.stages.push(stage);
    }
    let census = census::stage(&name, &asked.marks, [group.to_owned()], [made.as_str()]);
    prepared.plan.stages.push(census);
    Ok(prepared)
}

/// The nodes' version, where it is not the cluster's own: not above it, and not too far behind.
fn version(
    asked: &VersionRequest,
    cluster: &wire::Cluster,
    config: &wire::ServerConfig,
) -> Result<Option<Version>> {
    let VersionRequest::Given(given) = asked else { return Ok(None) };
    let Some(of_cluster) = convert::version(&cluster.current_master_version) else {
        return Ok(Some(given.clone()));
    };
    if given.covers(&of_cluster) {
        return Ok(None);
    }
    let offered = config.valid_node_versions.iter().filter_map(|text| convert::version(text));
    let best = offered.filter(|offered| given.covers(offered) && of_cluster.reaches(offered)).max();
    let Some(best) = best else {
        let says = format!("{given} is not offered for nodes of a cluster at {of_cluster}");
        return Err(aim::refused("version", says));
    };
    let skew = CAPABILITIES.upgrade.largest_skew;
    if of_cluster.minors_ahead_of(&best).is_none_or(|minors| minors > skew) {
        let says = format!("{best} lies more than {skew} minors behind the cluster's {of_cluster}");
        return Err(aim::refused("version", says));
    }
    Ok(Some(best))
}

/// Makes a node pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeNodePool {
    cluster: String,
    incarnation: String,
    body: wire::CreateNodePool,
    marks: Marks,
}

#[async_trait]
impl Stage<GcpDriver> for MakeNodePool {
    const KIND: &'static str = "gcp.nodePool";

    /// Ours only if it carries our marks; a node pool of that name without them is a stranger's.
    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let (_, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let pool = aim::pool_of(&cluster, &self.body.node_pool.name);
        Ok(pool.map_or(Look::Absent, |pool| look_at(pool, &self.incarnation, &self.marks)))
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, _) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let operation = driver.api.create_node_pool(&name, &self.body).await?;
        let asked = aim::following(&name, &operation).with_system_id(&self.body.node_pool.name);
        Ok(asked.with_incarnation(&self.incarnation))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }

    async fn remove_failed(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let pool = &self.body.node_pool.name;
        let Some(found) = aim::pool_of(&cluster, pool) else { return Ok(Asked::accepted()) };
        let status = convert::node_pool_status(&found.status);
        if !aim::goes_anew("node pool", status, look_at(found, &self.incarnation, &self.marks))? {
            return Ok(Asked::accepted());
        }
        match driver.api.delete_node_pool(&name, pool).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Asked::accepted()),
        }
    }
}

fn look_at(pool: &wire::NodePool, incarnation: &str, marks: &Marks) -> Look {
    let name = pool.name.as_str();
    if !marks.are_on(&pool.config.resource_labels) {
        return Look::failed(name, incarnation, aim::taken("node group", name));
    }
    match convert::node_pool_status(&pool.status) {
        Status::Active | Status::Degraded => Look::ready(name, incarnation, json!({"version": pool.version})),
        Status::Failed => {
            let error: DriverError =
                convert::failed_creation("node pool", name, &pool.conditions, &pool.status_message);
            Look::failed(name, incarnation, error)
        }
        _ => Look::pending(name, incarnation, aim::says(&pool.status, &pool.conditions)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::tests::config;

    #[test]
    fn a_node_pool_is_what_its_marks_and_state_say() {
        let marks = |operation: &str| Marks {
            installation: "i".into(),
            operation: operation.into(),
            uid: "u".into(),
        };
        let look = |status: &str, operation: &str| {
            let labels = marks("o").onto(&std::collections::BTreeMap::default());
            let pool = json!({"name": "ga", "status": status, "config": {"resourceLabels": labels}});
            format!("{:?}", look_at(&serde_json::from_value(pool).unwrap(), "1", &marks(operation)))
        };
        for (status, operation, expected) in [
            ("RUNNING", "o", "Ready"),
            ("RUNNING_WITH_ERROR", "o", "Ready"),
            ("PROVISIONING", "o", "Pending"),
            ("STOPPING", "o", "Pending"),
            ("ERROR", "o", "Failed"),
            ("RUNNING", "another", "AlreadyExists"),
        ] {
            let said = look(status, operation);
            assert!(said.contains(expected), "{status} {operation}: {said}");
        }
    }

    #[test]
    fn nodes_may_lie_two_minors_behind() {
        let of = |asked: &str, cluster: &str| {
            let cluster = wire::Cluster { current_master_version: cluster.into(), ..Default::default() };
            version(&asked.parse().unwrap(), &cluster, &config())
                .map(|version| version.map(|version| version.to_string()))
        };
        assert_eq!(of("", "1.34.1-gke.10").unwrap(), None);
        assert_eq!(of("1.34", "1.34.1-gke.10").unwrap(), None);
        assert_eq!(of("1.33", "1.34.1-gke.10").unwrap().as_deref(), Some("1.33.5-gke.100"));
        assert!(of("1.35", "1.34.1-gke.10").unwrap_err().message().contains("not offered"));
        assert!(of("1.32", "1.35.0-gke.1").unwrap_err().message().contains("more than 2 minors"));
    }
}
