//! The plan of a node group: one agent pool of mode User, in the subnet of the cluster's first pool.
//!
//! Source: <https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    AddNodeGroup, Asked, DriverError, Effect, Handle, Look, Marks, Poll, Prepared, Result, StageContext,
};
use pmks_model::{Findings, ResourceKind, Tags};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::node_zones::Zones;
use super::pool_choice::{self, Common, Mode};
use super::{Maker, Stage, addresses, aim};
use crate::arm_id::ArmId;
use crate::capabilities::CAPABILITIES;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, clusters, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakePool>()];

/// How long a new pool usually takes.
const EXPECTED: Duration = Duration::from_mins(3);

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &AddNodeGroup) -> Result<Prepared> {
    let request = &asked.request;
    let (cluster_id, cluster) = aim::standing_cluster(driver, &asked.cluster).await?;
    aim::refuse_stopped(&cluster)?;
    if let Some(standing) = aim::pool(&cluster, &request.name)
        && !asked.marks.are_on(&standing.tags)
    {
        return Err(aim::taken("node group", &request.name));
    }
    let mut findings = Findings::default();
    let version = version(driver, request, &cluster, &mut findings).await?;
    let subnet =
        cluster.properties.agent_pool_profiles.first().and_then(|pool| pool.vnet_subnet_id.as_deref());
    let subnet = subnet.and_then(ArmId::parse);
    if let Some(id) = &subnet {
        let found = driver.api.subnet(id).await?;
        addresses::check_subnet("scaling", &found, std::slice::from_ref(request), &mut findings);
    }
    check_key_pair(driver, request, &cluster, &mut findings).await?;
    let groups = std::slice::from_ref(request);
    let zones = Zones::of_standing(&cluster, driver.here.zone.as_deref());
    let field = |_| String::new();
    let choices = pool_choice::choose(driver, groups, Mode::User, &zones, field, &mut findings).await?;
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let mut prepared = Prepared::default().resolved("version", &version);
    let tags = asked.marks.onto(&asked.tags);
    for choice in choices {
        choice.tell(&mut prepared);
        let common = Common { version: &version, subnet: subnet.as_ref(), tags: &tags };
        let stage = MakePool {
            cluster: cluster_id.clone(),
            incarnation: convert::incarnation(&cluster),
            name: choice.name.clone(),
            body: json!({"properties": choice.properties(&common)}),
            marks: asked.marks.clone(),
        };
        let stage = stage
            .specification(format!("node group {}", choice.name))
            .effect(Effect::Creates)
            .visible_after(CAPABILITIES.visible_after)
            .expected(EXPECTED)
            .subject(ResourceKind::NodeGroup, choice.name.as_str());
        prepared.plan.stages.push(stage);
    }
    Ok(prepared)
}

async fn version(
    driver: &AzureDriver,
    request: &pmks_model::NodeGroupRequest,
    cluster: &wire::ManagedCluster,
    findings: &mut Findings,
) -> Result<String> {
    let of_cluster = aim::version_of(convert::cluster_version(cluster), "cluster", &cluster.name)?;
    let offered = match &request.version {
        pmks_model::VersionRequest::Default => Vec::new(),
        pmks_model::VersionRequest::Given(_) => clusters::versions(driver).await?,
    };
    let skew = CAPABILITIES.upgrade.largest_skew;
    Ok(pool_choice::pool_version(&request.version, &of_cluster, skew, &offered).unwrap_or_else(|says| {
        findings.add("version", says);
        String::new()
    }))
}

/// The key pair is the cluster's: another one for a node group is a finding.
async fn check_key_pair(
    driver: &AzureDriver,
    request: &pmks_model::NodeGroupRequest,
    cluster: &wire::ManagedCluster,
    findings: &mut Findings,
) -> Result<()> {
    let Some(named) = &request.key_pair else { return Ok(()) };
    let id = driver.key_pair_id(&named.system_id);
    let key = match driver.api.ssh_public_key(&id).await {
        Err(error) if error.is_not_found() => {
            findings.add("keyPair", format!("there is no SSH public key {id}"));
            return Ok(());
        }
        answer => answer?.properties.public_key,
    };
    let profile = cluster.properties.linux_profile.as_ref();
    let keys = profile.map(|profile| profile.ssh.public_keys.as_slice()).unwrap_or_default();
    if !keys.iter().any(|known| known.key_data.trim() == key.trim()) {
        findings
            .add("keyPair", "is another one than the cluster's: at AKS all nodes of a cluster have the same");
    }
    Ok(())
}

/// Makes an agent pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakePool {
    cluster: ArmId,
    incarnation: String,
    name: String,
    body: Value,
    marks: Marks,
}

impl MakePool {
    fn id(&self) -> ArmId {
        self.cluster.child("agentPools", &self.name)
    }

    /// Sends what was read of an earlier attempt of ours: AKS goes on with it then.
    async fn go_on(&self, driver: &AzureDriver) -> Result<Option<Asked>> {
        let raw = aim::raw_pool(driver, &self.cluster, &self.incarnation, &self.name).await?;
        let Some(raw) = raw else { return Ok(None) };
        let tags = raw.pointer("/properties/tags").and_then(|tags| Tags::deserialize(tags).ok());
        if !self.marks.are_on(&tags.unwrap_or_default()) {
            return Err(aim::taken("node group", &self.name));
        }
        let accepted = driver.api.update_pool(&self.id(), &raw, aim::unchanged(&raw)).await?;
        Ok(Some(aim::asked(accepted, &self.id()).with_incarnation(&self.incarnation)))
    }
}

#[async_trait]
impl Stage<AzureDriver> for MakePool {
    const KIND: &'static str = "azure.nodeGroup";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        let cluster = found.ok_or_else(|| aim::gone("cluster", self.cluster.name()))?;
        Ok(match aim::pool(&cluster, &self.name) {
            None => Look::Absent,
            Some(pool) => look_at(&self.id(), pool, &self.incarnation, &self.marks),
        })
    }

    async fn ask(&self, driver: &AzureDriver, context: &StageContext) -> Result<Asked> {
        if context.system_id.is_some()
            && let Some(asked) = self.go_on(driver).await?
        {
            return Ok(asked);
        }
        let accepted = driver.api.create_pool(&self.id(), &self.body).await?;
        Ok(aim::asked(accepted, &self.id()).with_incarnation(&self.incarnation))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "AgentPools.Create", handle).await
    }
}

/// Ours only if it carries our marks.
fn look_at(id: &ArmId, pool: &wire::AgentPoolProfile, incarnation: &str, marks: &Marks) -> Look {
    let text = id.to_string();
    if !marks.are_on(&pool.tags) {
        return Look::failed(text, incarnation, aim::taken("node group", &pool.name));
    }
    match pool.provisioning_state.as_str() {
        "Succeeded" => Look::ready(text, incarnation, Value::Null),
        "Failed" | "Canceled" => {
            let what = format!("the creation of node group {}", pool.name);
            Look::failed(
                text,
                incarnation,
                convert::failure("AgentPools.Create", &what, pool.status.as_ref()),
            )
        }
        "Deleting" => Look::Unsure("a node group of that name is being removed".to_owned()),
        word => Look::pending(text, incarnation, word),
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::FoundState;

    use super::*;

    #[test]
    fn a_pool_is_ours_by_its_marks_and_there_by_its_state() {
        let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
        let id = ArmId::new("0", "g", "Microsoft.ContainerService", "managedClusters", "c")
            .child("agentPools", "ga");
        let seen = |state: &str, tags: Tags| {
            let pool = wire::AgentPoolProfile {
                name: "ga".into(),
                provisioning_state: state.into(),
                tags,
                ..Default::default()
            };
            match look_at(&id, &pool, "u1", &marks) {
                Look::Present(found) => {
                    assert_eq!(
                        (found.system_id.as_str(), found.incarnation.as_str()),
                        (id.to_string().as_str(), "u1")
                    );
                    match found.state {
                        FoundState::Ready(_) => "ready".to_owned(),
                        FoundState::Pending { says } => says,
                        FoundState::Failed(error) => format!("{:?}", error.to_failure().kind),
                    }
                }
                Look::Unsure(_) => "unsure".to_owned(),
                _ => "?".to_owned(),
            }
        };
        let ours = marks.onto(&Tags::new());
        for (state, expected) in [
            ("Succeeded", "ready"),
            ("Creating", "Creating"),
            ("Updating", "Updating"),
            ("Failed", "Precondition"),
            ("Deleting", "unsure"),
        ] {
            assert_eq!(seen(state, ours.clone()), expected);
        }
        assert_eq!(seen("Succeeded", Tags::new()), "AlreadyExists");
    }
}
