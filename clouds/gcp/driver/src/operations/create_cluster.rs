//! The plan of a cluster: one stage, since GKE makes cluster and node pools in one call; then a census.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateCluster, DriverError, Effect, Handle, Identity, Look, Marks, Poll, Prepared, Result,
    StageContext, StageSpecification,
};
use pmks_model::{ClusterRequest, Findings, Iid, ResourceKind, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::node_pool::{self, Common};
use super::{Maker, Stage, addresses, aim, census, quota};
use crate::capabilities::{NODE_ZONES, REGIONAL, RELEASE_CHANNEL};
use crate::names::{ClusterName, Shared, last};
use crate::prerequisites::{COMPUTE, CONTAINER};
use crate::wire::compute::Region;
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, convert, machines, networks, prerequisites, versions};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeCluster>()];

/// The one stage that makes.
const CLUSTER: &str = "cluster";
/// How long a cluster with its node pools usually takes.
const EXPECTED: Duration = Duration::from_mins(6);
/// How long a cluster that was accepted may be out of sight.
pub(super) const UNSEEN: Duration = Duration::from_mins(1);
/// In how many zones a regional cluster has its nodes where nobody says.
const REGIONAL_ZONES: usize = 3;

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &CreateCluster) -> Result<Prepared> {
    let request = &asked.request;
    prerequisites::check(driver, &[COMPUTE, CONTAINER]).await?;
    let region = driver.api.get_region(driver.region()).await?;
    let mut findings = Findings::default();
    let place = Place::of(driver, request, &region, &mut findings);
    let network = check_network(driver, request, place.zones.len(), &mut findings).await?;
    let config = driver.api.server_config(&place.location).await?;
    let channel = request.options.get(RELEASE_CHANNEL).and_then(Value::as_str);
    let chosen = versions::choose(&config, &request.version, channel);
    let chosen = chosen.map_err(|says| findings.add("version", says)).ok();
    if let Some(chosen) = &chosen {
        check_versions(request, &chosen.version, &mut findings);
    }
    let common = Common {
        config: &config,
        zones: &place.zones,
        security_groups: ids(&request.security_groups),
        labels: asked.marks.onto(&request.tags),
    };
    let prefix = |index| format!("nodeGroups[{index}].");
    let choice = node_pool::choose(driver, &request.node_groups, &common, prefix, &mut findings).await?;
    let (Some((network, subnetwork)), Some(chosen), true) = (network, chosen, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    quota::check(&region, &choice.needs)?;
    let name = ClusterName {
        project: driver.api.project().to_owned(),
        location: place.location.clone(),
        name: request.name.clone(),
    };
    refuse_strangers(driver, &name, &asked.marks).await?;
    let mut prepared = Prepared::default()
        .resolved("version", chosen.says)
        .resolved("location", &place.location)
        .resolved("zones", place.zones.join(", "));
    node_pool::tell(&mut prepared, &choice.pools);
    let stage = MakeCluster {
        location: place.location,
        body: wire::CreateCluster {
            cluster: wire::NewCluster {
                name: request.name.clone(),
                initial_cluster_version: chosen.version.to_string(),
                release_channel: chosen.channel.map(|channel| wire::ReleaseChannel { channel }),
                network,
                subnetwork,
                locations: place.zones,
                ip_allocation_policy: wire::IpAllocationPolicy { use_ip_aliases: true },
                resource_labels: asked.marks.onto(&request.tags),
                node_pools: choice.pools,
            },
        },
        marks: asked.marks.clone(),
    };
    let groups = request.node_groups.iter().map(|group| group.name.clone());
    prepared.plan.stages = vec![stage.stage(), census::stage(&name, &asked.marks, groups, [CLUSTER])];
    Ok(prepared)
}

/// Where a cluster is made, and its nodes.
struct Place {
    location: String,
    zones: Vec<String>,
}

impl Place {
    fn of(driver: &GcpDriver, request: &ClusterRequest, region: &Region, findings: &mut Findings) -> Self {
        let mut known: Vec<String> = region.zones.iter().map(|url| last(url).to_owned()).collect();
        known.sort();
        let zone = driver.here.zone.as_deref();
        let regional = request.options.get(REGIONAL).and_then(Value::as_bool).unwrap_or(zone.is_none());
        let wanted = request.options.get(NODE_ZONES).and_then(Value::as_array);
        let wanted: Vec<String> =
            wanted.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Self::choose(driver.region(), zone, regional, &known, wanted).unwrap_or_else(|wrong| {
            findings.extend(wrong);
            // Some place of the region, so that the rest of the request can be judged.
            let zones = known.into_iter().take(1).collect();
            Self { location: driver.region().to_owned(), zones }
        })
    }

    fn choose(
        region: &str,
        zone: Option<&str>,
        regional: bool,
        known: &[String],
        wanted: Vec<String>,
    ) -> std::result::Result<Self, Findings> {
        let mut findings = Findings::default();
        let field = format!("options.{NODE_ZONES}");
        for strange in wanted.iter().filter(|wanted| !known.contains(wanted)) {
            findings.add(&field, format!("{strange:?} is no zone of {region}; it has {}", known.join(", ")));
        }
        let mut seen = BTreeSet::new();
        for twice in wanted.iter().filter(|wanted| !seen.insert(wanted.as_str())) {
            findings.add(&field, format!("names {twice:?} twice"));
        }
        let location = match (regional, zone) {
            (true, _) => region.to_owned(),
            (false, Some(zone)) if known.iter().any(|known| known == zone) => zone.to_owned(),
            (false, Some(zone)) => {
                findings.add("zone", format!("{zone:?} is no zone of {region}; it has {}", known.join(", ")));
                zone.to_owned()
            }
            (false, None) => {
                findings.add(format!("options.{REGIONAL}"), "a zonal cluster needs a zone of the connection");
                region.to_owned()
            }
        };
        // A zonal cluster has nodes in its control plane's zone, whatever else is named.
        if !regional && !wanted.is_empty() && !wanted.contains(&location) {
            findings.add(&field, format!("must hold the control plane's zone, {location}"));
        }
        findings.into_result()?;
        let zones = match (wanted.is_empty(), regional) {
            (false, _) => wanted,
            (true, false) => vec![location.clone()],
            (true, true) => {
                let mut zones: Vec<String> = known.to_vec();
                zones.sort_by_key(|known| zone != Some(known));
                zones.truncate(REGIONAL_ZONES);
                zones.sort();
                zones
            }
        };
        Ok(Self { location, zones })
    }
}

/// In how many zones a regional cluster has its nodes where no option names them. One call.
pub(crate) async fn zones_of_a_regional_cluster(driver: &GcpDriver) -> Result<u32> {
    let known = machines::zones(driver).await?.len();
    Ok(u32::try_from(known.min(REGIONAL_ZONES)).unwrap_or(1).max(1))
}

/// The cloud's identifiers of references.
pub(super) fn ids(references: &[Iid]) -> Vec<String> {
    references.iter().map(|iid| iid.system_id.clone()).collect()
}

/// A cluster of that name that this operation did not make is a stranger's.
async fn refuse_strangers(driver: &GcpDriver, name: &ClusterName, marks: &Marks) -> Result<()> {
    match driver.api.get_cluster(name).await {
        Ok(standing) if !marks.are_on(&standing.resource_labels) => Err(aim::taken("cluster", &name.name)),
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The network and the subnetwork as GKE takes them; the subnetwork must lie in the network. `None` beside a finding.
async fn check_network(
    driver: &GcpDriver,
    request: &ClusterRequest,
    zones: usize,
    findings: &mut Findings,
) -> Result<Option<(String, String)>> {
    let [subnet] = request.subnets.as_slice() else {
        findings.add("subnets", "GKE takes exactly one: it spans the zones of its region");
        return Ok(None);
    };
    let found = match subnet.system_id.as_str() {
        "" => None,
        id => match networks::get_subnet(driver, id).await {
            Err(error) if error.is_not_found() => None,
            found => Some(found?),
        },
    };
    let Some(found) = found else {
        let named = if subnet.system_id.is_empty() { &subnet.name_id } else { &subnet.system_id };
        findings.add("subnets[0]", format!("there is no subnet {named:?} in {}", driver.region()));
        return Ok(None);
    };
    let network = &request.network.system_id;
    if !network.is_empty() && *network != found.network {
        findings.add("subnets[0]", format!("lies in {}, not in {network}", found.network));
        return Ok(None);
    }
    findings.add_some("subnets[0]", addresses::shortage(&found.cidr, &request.node_groups, zones));
    // Of another project, which shares its network, GKE wants the whole names.
    let project = driver.api.project();
    let network = Shared::read("network", &found.network, project)?;
    Ok(Some((network.network(project), found.iid.system_id)))
}

/// Nodes are made at their cluster's version.
fn check_versions(request: &ClusterRequest, version: &pmks_model::Version, findings: &mut Findings) {
    for (index, group) in request.node_groups.iter().enumerate() {
        if let pmks_model::VersionRequest::Given(given) = &group.version
            && !given.covers(version)
        {
            let says = format!("must be the cluster's, {version}: add an older node group afterwards");
            findings.add(format!("nodeGroups[{index}].version"), says);
        }
    }
}

/// Makes a cluster with its node pools. Outputs: `{version, endpoint}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeCluster {
    location: String,
    body: wire::CreateCluster,
    marks: Marks,
}

impl MakeCluster {
    fn stage(&self) -> StageSpecification {
        let name = self.body.cluster.name.as_str();
        self.specification(CLUSTER)
            .effect(Effect::Creates)
            .identity(Identity::UniqueName)
            .visible_after(UNSEEN)
            .expected(EXPECTED)
            .subject(ResourceKind::Cluster, name)
    }

    fn name(&self, driver: &GcpDriver) -> ClusterName {
        ClusterName {
            project: driver.api.project().to_owned(),
            location: self.location.clone(),
            name: self.body.cluster.name.clone(),
        }
    }
}

#[async_trait]
impl Stage<GcpDriver> for MakeCluster {
    const KIND: &'static str = "gcp.cluster";

    /// Ours only if it carries our marks; a cluster of that name without them is a stranger's.
    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let name = self.name(driver);
        match driver.api.get_cluster(&name).await {
            Ok(cluster) => Ok(look_at(&cluster, &name, &self.marks)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let operation = driver.api.create_cluster(&self.location, &self.body).await?;
        let name = self.name(driver);
        Ok(aim::following(&name, &operation).with_system_id(name.path()))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }

    async fn remove_failed(&self, driver: &GcpDriver, context: &StageContext) -> Result<Asked> {
        let incarnation = context.incarnation.as_deref().unwrap_or_default();
        let found = aim::cluster(driver, &self.name(driver).path(), incarnation).await?;
        let Some((name, cluster)) = found else { return Ok(Asked::accepted()) };
        let status = convert::cluster_status(&cluster.status);
        if !aim::goes_anew("cluster", status, look_at(&cluster, &name, &self.marks))? {
            return Ok(Asked::accepted());
        }
        match driver.api.delete_cluster(&name).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Asked::accepted()),
        }
    }
}

fn look_at(cluster: &wire::Cluster, name: &ClusterName, marks: &Marks) -> Look {
    let (id, incarnation) = (name.path(), convert::incarnation(cluster));
    if !marks.are_on(&cluster.resource_labels) {
        return Look::failed(id, incarnation, aim::taken("cluster", &cluster.name));
    }
    let failed = |of: &str, name: &str, conditions: &[wire::StatusCondition], message: &str| {
        convert::failed_creation(of, name, conditions, message)
    };
    let broken = cluster.node_pools.iter().find(|pool| pool.status == "ERROR");
    match (convert::cluster_status(&cluster.status), broken) {
        (Status::Failed, _) => {
            let error = failed("cluster", &cluster.name, &cluster.conditions, &cluster.status_message);
            Look::failed(id, incarnation, error)
        }
        (Status::Active | Status::Degraded | Status::Updating, Some(pool)) => {
            let error = failed("node pool", &pool.name, &pool.conditions, &pool.status_message);
            Look::failed(id, incarnation, error)
        }
        (Status::Active | Status::Degraded, None) => Look::ready(
            id,
            incarnation,
            json!({"version": cluster.current_master_version, "endpoint": cluster.endpoint}),
        ),
        // A cluster that is made is also made ready; one that goes makes room for another.
        _ => Look::pending(id, incarnation, aim::says(&cluster.status, &cluster.conditions)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmks_driver::FoundState;

    fn marks(operation: &str) -> Marks {
        Marks { installation: "i".into(), operation: operation.into(), uid: "u".into() }
    }

    #[test]
    fn a_cluster_is_what_its_marks_and_states_say() {
        let name = ClusterName { project: "p".into(), location: "r1-a".into(), name: "c".into() };
        let state = |status: &str, pool: &str, operation: &str| {
            let cluster: wire::Cluster = serde_json::from_value(json!({"name": "c", "id": "1", "status": status,
                "resourceLabels": marks("o").onto(&std::collections::BTreeMap::default()), "currentMasterVersion": "1.33.1-gke.1",
                "nodePools": [{"name": "ga", "status": pool}]}))
            .unwrap();
            match look_at(&cluster, &name, &marks(operation)) {
                Look::Present(found) => match found.state {
                    FoundState::Ready(_) => format!("ready {}", found.system_id),
                    FoundState::Pending { says } => format!("pending {says}"),
                    FoundState::Failed(error) => format!("failed {:?}", error.to_failure().kind),
                },
                other => format!("{other:?}"),
            }
        };
        for (status, pool, operation, expected) in [
            ("RUNNING", "RUNNING", "o", "ready projects/p/locations/r1-a/clusters/c"),
            ("PROVISIONING", "PROVISIONING", "o", "pending PROVISIONING"),
            ("RECONCILING", "RUNNING", "o", "pending RECONCILING"),
            ("STOPPING", "STOPPING", "o", "pending STOPPING"),
            ("NEWWORD", "RUNNING", "o", "pending NEWWORD"),
            ("ERROR", "RUNNING", "o", "failed Precondition"),
            ("RUNNING", "ERROR", "o", "failed Precondition"),
            ("RUNNING", "RUNNING", "another", "failed AlreadyExists"),
        ] {
            assert_eq!(state(status, pool, operation), expected, "{status} {pool} {operation}");
        }
    }

    #[test]
    fn places_are_the_connections_zone_or_three_of_the_region() {
        let known: Vec<String> = ["r1-a", "r1-b", "r1-c", "r1-d"].map(str::to_owned).to_vec();
        let of = |zone: Option<&str>, regional: bool, wanted: &[&str]| {
            let wanted = wanted.iter().map(|zone| (*zone).to_owned()).collect();
            Place::choose("r1", zone, regional, &known, wanted)
                .map(|place| format!("{} {}", place.location, place.zones.join(",")))
                .map_err(|findings| findings.to_string())
        };
        for (zone, regional, wanted, expected) in [
            (Some("r1-b"), false, &[][..], "r1-b r1-b"),
            (Some("r1-b"), false, &["r1-b", "r1-c"], "r1-b r1-b,r1-c"),
            (None, true, &[], "r1 r1-a,r1-b,r1-c"),
            (Some("r1-d"), true, &[], "r1 r1-a,r1-b,r1-d"),
            (None, true, &["r1-c"], "r1 r1-c"),
        ] {
            assert_eq!(of(zone, regional, wanted).unwrap(), expected);
        }
        assert!(of(Some("r1-b"), false, &["r1-c"]).unwrap_err().contains("the control plane's zone, r1-b"));
        assert!(
            of(None, true, &["r1-a", "r1-a"])
                .unwrap_err()
                .contains("options.nodeZones: names \"r1-a\" twice")
        );
        assert!(of(Some("r1-x"), false, &[]).unwrap_err().contains("zone: \"r1-x\" is no zone"));
        assert!(of(None, false, &[]).unwrap_err().contains("options.regional"));
        assert!(of(None, true, &["r2-a"]).unwrap_err().contains("options.nodeZones"));
    }
}
