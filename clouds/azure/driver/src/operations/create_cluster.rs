//! The plan of a cluster: the cluster with all its pools, which AKS makes by one request; then the role of the cluster's
//! identity on the subnet, and the user's security group on it, if one is named: where AKS makes no cluster, the subnet
//! is as it was.
//!
//! Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateCluster, DriverError, Effect, Handle, Look, Marks, Poll, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::{ClusterRequest, Findings, KubernetesVersion, ResourceKind, Status, Support, Tags, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::node_zones::Zones;
use super::pool_choice::{self, Choice, Common, Mode};
use super::{Maker, Stage, addresses, aim, node_group, role_assignment, subnet_guard, tags};
use crate::arm_id::{ArmId, CONTAINER_SERVICE, is_uuid};
use crate::capabilities::CAPABILITIES;
use crate::wire::container_service as wire;
use crate::wire::network::{Subnet, VirtualNetwork};
use crate::{AzureDriver, PROVIDER, clusters, convert, networks, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeCluster>()];

/// The stage that the role waits for.
const CLUSTER: &str = "cluster";
/// The output under which the cluster's identity stands.
const PRINCIPAL: &str = "principalId";
/// How long a cluster with its pools usually takes.
const EXPECTED: Duration = Duration::from_mins(5);
/// Who logs in to nodes by the key pair.
const NODE_USER: &str = "azureuser";

/// Checks, chooses, and answers the plan.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &CreateCluster) -> Result<Prepared> {
    let request = &asked.request;
    prerequisites::require(driver, &prerequisites::PROVIDERS).await?;
    let mut findings = Findings::default();
    tags::check(request.tags.keys(), &mut findings);
    let ground = Ground::find(driver, request, &mut findings).await?;
    let offered = clusters::versions(driver).await?;
    let version = choose_version(request, &offered, &mut findings);
    let options = Options::of(request, version.as_ref().map(|picked| picked.support), &mut findings);
    let node_group = node_group::choose(driver, request, &mut findings).await?;
    let field = |index: usize| format!("nodeGroups[{index}].");
    let zones = Zones::of_request(request, driver.here.zone.as_deref());
    let groups = request.node_groups.as_slice();
    let choices = pool_choice::choose(driver, groups, Mode::System, &zones, field, &mut findings).await?;
    let (Some(version), Some(ground), true) = (version, ground, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    let id = driver.own_id(CONTAINER_SERVICE, "managedClusters", &request.name);
    refuse_strangers(driver, &id, &asked.marks).await?;
    let mut prepared = Prepared::default().resolved("version", &version.says);
    prepared.resolved.insert("tier".to_owned(), options.tier.clone());
    prepared.resolved.insert("resource group".to_owned(), driver.group().to_owned());
    prepared.resolved.insert("node resource group".to_owned(), node_group);
    prepared.resolved.insert("network plugin".to_owned(), "azure, overlay".to_owned());
    for choice in &choices {
        choice.tell(&mut prepared);
    }
    let tags = asked.marks.onto(&request.tags);
    let pools = pools(request, &choices, &version, &ground.subnet, &tags);
    let body = body(&Facts { driver, asked, ground: &ground, options: &options, version: &version, pools });
    prepared.plan.stages = plan(&id, body, &ground, asked);
    Ok(prepared)
}

/// A cluster of that name that this operation did not make is a stranger's.
async fn refuse_strangers(driver: &AzureDriver, id: &ArmId, marks: &Marks) -> Result<()> {
    match aim::cluster(driver, id, "").await? {
        Some(standing) if !marks.are_on(&standing.tags) => Err(aim::taken("cluster", id.name())),
        _ => Ok(()),
    }
}

/// What the cluster stands on.
#[derive(Debug)]
struct Ground {
    subnet: ArmId,
    /// The security group that the subnet is to have, and has not.
    guard: Option<ArmId>,
    /// The blocks of services and pods; `None`: AKS' own.
    blocks: Option<Value>,
    public_key: Option<String>,
}

impl Ground {
    /// Reads the network, the security group and the key pair; `None` where there is a finding. One to three calls.
    async fn find(
        driver: &AzureDriver,
        request: &ClusterRequest,
        findings: &mut Findings,
    ) -> Result<Option<Self>> {
        let guard = Self::guard(driver, request, findings).await?;
        let public_key = Self::public_key(driver, request, findings).await?;
        let Some(subnet) = request.subnets.first().and_then(|iid| networks::subnet_id(&iid.system_id).ok())
        else {
            findings.add("subnets[0]", "there is no such subnet: its identifier names its network too");
            return Ok(None);
        };
        let Some(network) = subnet.parent() else { return Ok(None) };
        let found = match driver.api.network(&network).await {
            Err(error) if error.is_not_found() => None,
            answer => Some(answer?),
        };
        let Some(found) = found else {
            findings.add("subnets[0]", format!("there is no virtual network {network}"));
            return Ok(None);
        };
        if !clusters::is_in(&found.location, driver.region()) {
            findings.add("subnets[0]", format!("lies in {}, not in {}", found.location, driver.region()));
        }
        Ok(Self::of(request, subnet, &found, guard, findings).map(|ground| Self { public_key, ..ground }))
    }

    /// Checks what was read. Pure.
    fn of(
        request: &ClusterRequest,
        subnet: ArmId,
        network: &VirtualNetwork,
        guard: Option<ArmId>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let named = request.network.system_id.as_str();
        if !named.is_empty() && !subnet.parent().is_some_and(|own| own.is_text(named) || own.name() == named)
        {
            findings.add("subnets[0]", format!("lies in {}, not in {named}", network.name));
        }
        let standing =
            network.properties.subnets.iter().find(|one| one.name.eq_ignore_ascii_case(subnet.name()));
        let Some(standing) = standing else {
            findings.add("subnets[0]", format!("there is no subnet {:?} in {}", subnet.name(), network.name));
            return None;
        };
        addresses::check_subnet("subnets[0]", standing, &request.node_groups, findings);
        let guard = missing_guard(standing, guard, findings);
        match addresses::profile(network) {
            Ok(blocks) => Some(Self { subnet, guard, blocks, public_key: None }),
            Err(says) => {
                findings.add("network", says);
                None
            }
        }
    }

    async fn guard(
        driver: &AzureDriver,
        request: &ClusterRequest,
        findings: &mut Findings,
    ) -> Result<Option<ArmId>> {
        if request.security_groups.len() > 1 {
            findings.add("securityGroups", "a subnet has one network security group: name one at most");
        }
        let Some(named) = request.security_groups.first() else { return Ok(None) };
        if named.system_id.is_empty() {
            let says = format!("there is no network security group {:?}", named.name_id);
            findings.add("securityGroups[0]", says);
            return Ok(None);
        }
        let id = driver.security_group_id(&named.system_id);
        match driver.api.security_group(&id).await {
            Ok(_) => Ok(Some(id)),
            Err(error) if error.is_not_found() => {
                findings.add("securityGroups[0]", format!("there is no network security group {id}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn public_key(
        driver: &AzureDriver,
        request: &ClusterRequest,
        findings: &mut Findings,
    ) -> Result<Option<String>> {
        let mut named = request.node_groups.iter().enumerate();
        let first = named.find_map(|(index, group)| Some((index, group.key_pair.as_ref()?)));
        let Some((index, key_pair)) = first else { return Ok(None) };
        let id = driver.key_pair_id(&key_pair.system_id);
        match driver.api.ssh_public_key(&id).await {
            Ok(found) => Ok(Some(found.properties.public_key)),
            Err(error) if error.is_not_found() => {
                findings
                    .add(format!("nodeGroups[{index}].keyPair"), format!("there is no SSH public key {id}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The security group that the subnet is to get; a subnet that has another keeps it, and that is a finding.
fn missing_guard(subnet: &Subnet, wanted: Option<ArmId>, findings: &mut Findings) -> Option<ArmId> {
    let wanted = wanted?;
    match &subnet.properties.network_security_group {
        None => Some(wanted),
        Some(standing) if wanted.is_text(&standing.id) => None,
        Some(standing) => {
            let says = format!("subnet {} is guarded by {} already", subnet.name, standing.id);
            findings.add("securityGroups[0]", says);
            None
        }
    }
}

/// A version, and what AKS does for it.
#[derive(Debug, PartialEq, Eq)]
struct ChosenVersion {
    version: Version,
    says: String,
    support: Support,
    /// That of each pool.
    pools: Vec<String>,
}

fn choose_version(
    request: &ClusterRequest,
    offered: &[KubernetesVersion],
    findings: &mut Findings,
) -> Option<ChosenVersion> {
    let picked = match request.version.pick(offered) {
        Ok(picked) => picked,
        Err(says) => {
            findings.add("version", says);
            return None;
        }
    };
    let skew = CAPABILITIES.upgrade.largest_skew;
    let mut pools = Vec::new();
    for (index, group) in request.node_groups.iter().enumerate() {
        match pool_choice::pool_version(&group.version, &picked.version, skew, offered) {
            Ok(version) => pools.push(version),
            Err(says) => findings.add(format!("nodeGroups[{index}].version"), says),
        }
    }
    let support = offered.iter().find(|one| one.version == picked.version).map(|one| one.support);
    let support = support.unwrap_or(Support::Standard);
    Some(ChosenVersion { version: picked.version, says: picked.says, support, pools })
}

/// The cluster's own options, read.
#[derive(Debug, Default, PartialEq)]
struct Options {
    tier: String,
    long_term: bool,
    entra: Option<Value>,
    local_accounts: bool,
}

impl Options {
    /// Long-term support needs the tier Premium:
    /// <https://learn.microsoft.com/azure/aks/long-term-support>
    fn of(request: &ClusterRequest, support: Option<Support>, findings: &mut Findings) -> Self {
        let option = |name: &str| request.options.get(name);
        let is_on = |name: &str| option(name).and_then(Value::as_bool) == Some(true);
        let long_term = support == Some(Support::Extended);
        let tier = option("tier").and_then(Value::as_str);
        if long_term && tier.is_some_and(|tier| tier != "Premium") {
            findings.add("options.tier", "must be Premium: this version is under long-term support alone");
        }
        let entra = is_on("entra");
        for needs in ["adminGroups", "azureRbac"] {
            if !entra && option(needs).is_some_and(|value| *value != json!(false) && *value != json!([])) {
                findings.add(format!("options.{needs}"), "needs entra");
            }
        }
        let groups = option("adminGroups").and_then(Value::as_array).into_iter().flatten();
        for (index, group) in groups.enumerate() {
            if !group.as_str().is_some_and(is_uuid) {
                let says = "must be the object ID of a group, such as 00000000-0000-0000-0000-000000000000";
                findings.add(format!("options.adminGroups[{index}]"), says);
            }
        }
        let local_accounts = option("localAccounts").and_then(Value::as_bool) != Some(false);
        if !entra && !local_accounts {
            findings.add("options.localAccounts", "can be switched off only with entra: nobody could get in");
        }
        let profile = entra.then(|| {
            let groups = option("adminGroups").cloned().unwrap_or_else(|| json!([]));
            json!({"managed": true, "enableAzureRBAC": is_on("azureRbac"), "adminGroupObjectIDs": groups})
        });
        let usual = if long_term { "Premium" } else { "Free" };
        Self { tier: tier.unwrap_or(usual).to_owned(), long_term, entra: profile, local_accounts }
    }
}

fn pools(
    request: &ClusterRequest,
    choices: &[Choice],
    version: &ChosenVersion,
    subnet: &ArmId,
    tags: &Tags,
) -> Vec<Value> {
    let all = request.node_groups.iter().zip(choices).zip(&version.pools);
    all.map(|((group, choice), version)| {
        let mut properties = choice.properties(&Common { version, subnet: Some(subnet), tags });
        if let Some(fields) = properties.as_object_mut() {
            fields.insert("name".to_owned(), json!(group.name));
        }
        properties
    })
    .collect()
}

struct Facts<'a> {
    driver: &'a AzureDriver,
    asked: &'a CreateCluster,
    ground: &'a Ground,
    options: &'a Options,
    version: &'a ChosenVersion,
    pools: Vec<Value>,
}

fn body(facts: &Facts<'_>) -> Value {
    let request = &facts.asked.request;
    let mut network = json!({"networkPlugin": "azure", "networkPluginMode": "overlay"});
    if let (Some(fields), Some(Value::Object(blocks))) =
        (network.as_object_mut(), facts.ground.blocks.clone())
    {
        fields.extend(blocks);
    }
    let mut body = json!({
        "location": facts.driver.region(),
        "tags": facts.asked.marks.onto(&request.tags),
        "sku": {"name": "Base", "tier": facts.options.tier},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "kubernetesVersion": facts.version.version.to_string(),
            "dnsPrefix": dns_prefix(&request.name, &facts.asked.marks),
            "enableRBAC": true,
            "agentPoolProfiles": facts.pools,
            "networkProfile": network,
            "disableLocalAccounts": !facts.options.local_accounts,
        },
    });
    if let Some(named) = node_group::named(request) {
        aim::set_property(&mut body, "nodeResourceGroup", json!(named));
    }
    if let Some(key) = &facts.ground.public_key {
        let profile = json!({"adminUsername": NODE_USER, "ssh": {"publicKeys": [{"keyData": key}]}});
        aim::set_property(&mut body, "linuxProfile", profile);
    }
    if let Some(profile) = &facts.options.entra {
        aim::set_property(&mut body, "aadProfile", profile.clone());
    }
    if facts.options.long_term {
        aim::set_property(&mut body, "supportPlan", json!("AKSLongTermSupport"));
    }
    body
}

/// A name of the API server that no other cluster has: 1 to 54 letters, digits and hyphens.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
fn dns_prefix(name: &str, marks: &Marks) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    format!("{}-{}", plain.trim_matches('-'), marks.suffix())
}

fn plan(id: &ArmId, body: Value, ground: &Ground, asked: &CreateCluster) -> Vec<StageSpecification> {
    let cluster = MakeCluster { id: id.clone(), body, marks: asked.marks.clone() };
    let cluster = cluster
        .specification(CLUSTER)
        .effect(Effect::Creates)
        .visible_after(CAPABILITIES.visible_after)
        .expected(EXPECTED)
        .subject(ResourceKind::Cluster, asked.request.name.as_str());
    let role = role_assignment::of_new_cluster(&ground.subnet, CLUSTER, PRINCIPAL, &asked.marks);
    let mut stages = vec![cluster, role.after([CLUSTER])];
    if let Some(group) = &ground.guard {
        stages.push(subnet_guard::stage(&ground.subnet, group, true).after([CLUSTER]));
    }
    stages
}

/// Makes a cluster with its pools. Outputs: `{principalId, version}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeCluster {
    id: ArmId,
    body: Value,
    marks: Marks,
}

#[async_trait]
impl Stage<AzureDriver> for MakeCluster {
    const KIND: &'static str = "azure.cluster";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.id, "").await?;
        Ok(found.map_or(Look::Absent, |cluster| look_at(&self.id, &cluster, &self.marks)))
    }

    /// Sends `ManagedClusters.CreateOrUpdate` where nothing stands; where an earlier attempt of ours stands, sends what was
    /// read of it: AKS goes on with it then.
    async fn ask(&self, driver: &AzureDriver, context: &StageContext) -> Result<Asked> {
        if context.system_id.is_some()
            && let Some(asked) = self.go_on(driver).await?
        {
            return Ok(asked);
        }
        let accepted = driver.api.create_cluster(&self.id, &self.body).await?;
        Ok(with_incarnation(accepted, &self.id))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "ManagedClusters.Create", handle).await
    }
}

impl MakeCluster {
    async fn go_on(&self, driver: &AzureDriver) -> Result<Option<Asked>> {
        let raw = match driver.api.raw_cluster(&self.id).await {
            Err(error) if error.is_not_found() => return Ok(None),
            answer => answer?,
        };
        let tags: Tags = raw.get("tags").and_then(|tags| Tags::deserialize(tags).ok()).unwrap_or_default();
        if !self.marks.are_on(&tags) {
            return Err(aim::taken("cluster", self.id.name()));
        }
        let accepted = driver.api.update_cluster(&self.id, &raw, aim::unchanged(&raw)).await?;
        Ok(Some(with_incarnation(accepted, &self.id)))
    }
}

fn with_incarnation(accepted: crate::api::Accepted, id: &ArmId) -> Asked {
    let incarnation = accepted
        .body
        .pointer("/properties/resourceUID")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let asked = aim::asked(accepted, id);
    if incarnation.is_empty() { asked } else { asked.with_incarnation(incarnation) }
}

/// Ours only if it carries our marks; a cluster of that name without them is a stranger's.
fn look_at(id: &ArmId, cluster: &wire::ManagedCluster, marks: &Marks) -> Look {
    let incarnation = convert::incarnation(cluster);
    if !marks.are_on(&cluster.tags) {
        return Look::failed(id.to_string(), incarnation, aim::taken("cluster", id.name()));
    }
    let properties = &cluster.properties;
    let failed = |status: Option<&wire::Status>, what: &str| {
        Look::failed(
            id.to_string(),
            incarnation.clone(),
            convert::failure("ManagedClusters.Create", what, status),
        )
    };
    match convert::cluster_status(cluster) {
        Status::Failed => failed(properties.status.as_ref(), "the creation of the cluster"),
        Status::Degraded => {
            let is_ill = |pool: &&wire::AgentPoolProfile| {
                matches!(pool.provisioning_state.as_str(), "Failed" | "Canceled")
            };
            let pool = properties.agent_pool_profiles.iter().find(is_ill);
            let what = format!("node group {}", pool.map(|pool| pool.name.as_str()).unwrap_or_default());
            failed(pool.and_then(|pool| pool.status.as_ref()), &what)
        }
        Status::Active | Status::Stopped => {
            let version = convert::cluster_version(cluster).map(|version| version.to_string());
            let outputs = json!({PRINCIPAL: convert::principal(cluster), "version": version});
            Look::ready(id.to_string(), incarnation, outputs)
        }
        Status::Deleting => Look::Unsure("a cluster of that name is being deleted".to_owned()),
        _ => Look::pending(id.to_string(), incarnation, &properties.provisioning_state),
    }
}

#[cfg(test)]
#[path = "create_cluster_tests.rs"]
mod tests;
