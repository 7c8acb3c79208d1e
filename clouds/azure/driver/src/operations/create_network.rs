//! The plan of a network: one request makes the virtual network with its subnets; then each subnet is looked for, so that
//! its record gets its identifier.
//!
//! Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/create-or-update>

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateNetwork, DriverError, Effect, Handle, Look, Marks, Poll, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::{Cidr, Findings, NetworkRequest, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::create_subnet::{self, Within};
use super::{Maker, Stage, aim, tags};
use crate::arm_id::{ArmId, NETWORK};
use crate::capabilities::CAPABILITIES;
use crate::wire::network as wire;
use crate::{AzureDriver, PROVIDER, incarnations, networks, prerequisites};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeNetwork>()];

/// The stage that subnets wait for.
const NETWORK_STAGE: &str = "network";

/// Checks sizes and the name, and answers the plan. Three calls.
///
/// # Errors
/// `InvalidRequest` for blocks that Azure does not take; `PrerequisiteMissing` without the resource group;
/// `AlreadyExists` for a stranger's network of that name.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &CreateNetwork) -> Result<Prepared> {
    prerequisites::require(driver, &[NETWORK]).await?;
    check(&asked.request).into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let id = driver.own_id(NETWORK, "virtualNetworks", &asked.request.name);
    let standing = driver.api.network(&id).await.map(|found| found.tags);
    aim::refuse_strangers(standing, &asked.marks, "network", id.name())?;
    let prepared = Prepared::of(plan(&id, driver.region(), asked));
    Ok(prepared.resolved("resource group", driver.group()))
}

fn check(request: &NetworkRequest) -> Findings {
    let mut findings = Findings::default();
    check_size("cidr", request.cidr, &mut findings);
    check_space(request.cidr, &mut findings);
    tags::check(request.tags.keys(), &mut findings);
    for (index, subnet) in request.subnets.iter().enumerate() {
        check_size(&format!("subnets[{index}].cidr"), subnet.cidr, &mut findings);
    }
    findings
}

/// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq#how-small-and-how-large-can-virtual-networks-and-subnets-be>
pub(super) fn check_size(field: &str, cidr: Cidr, findings: &mut Findings) {
    if !(2..=29).contains(&cidr.prefix()) {
        findings.add(field, "must be a block of /2 to /29 at Azure");
    }
}

/// What no network may hold. Subnets lie within their network.
///
/// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq#what-address-ranges-can-i-use-in-my-virtual-networks>
const NEVER: [(&str, &str); 5] = [
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("168.63.129.16/32", "Azure's own name service"),
];

fn check_space(cidr: Cidr, findings: &mut Findings) {
    for (block, what) in NEVER {
        if block.parse().is_ok_and(|block: Cidr| block.overlaps(cidr)) {
            findings.add("cidr", format!("overlaps {block} ({what}), which no network at Azure may hold"));
        }
    }
}

fn plan(id: &ArmId, region: &str, asked: &CreateNetwork) -> Vec<StageSpecification> {
    let (request, marks) = (&asked.request, &asked.marks);
    let subnets: Vec<Value> = request
        .subnets
        .iter()
        .map(|subnet| json!({"name": subnet.name, "properties": {"addressPrefix": subnet.cidr.to_string()}}))
        .collect();
    let body = json!({
        "location": region,
        "tags": marks.onto(&request.tags),
        "properties": {"addressSpace": {"addressPrefixes": [request.cidr.to_string()]}, "subnets": subnets},
    });
    let network = MakeNetwork { id: id.clone(), body, marks: marks.clone() };
    let network = network
        .specification(NETWORK_STAGE)
        .effect(Effect::Creates)
        .visible_after(CAPABILITIES.visible_after)
        .subject(ResourceKind::Network, request.name.as_str());
    let mut stages = vec![network];
    for subnet in &request.subnets {
        let last: Vec<String> = stages.last().map(|stage| stage.name.clone()).into_iter().collect();
        // One after the other: Azure works on one part of a network at a time.
        stages.push(create_subnet::stage(id, subnet, Within::NewNetwork).after(last));
    }
    stages
}

/// Makes a virtual network with its subnets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeNetwork {
    id: ArmId,
    body: Value,
    marks: Marks,
}

#[async_trait]
impl Stage<AzureDriver> for MakeNetwork {
    const KIND: &'static str = "azure.network";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.network(&self.id).await {
            Ok(found) => Ok(look_at(&self.id, &found, &self.marks)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let accepted = driver.api.create_network(&self.id, &self.body).await?;
        Ok(aim::asked(accepted, &self.id).with_incarnation(self.id.to_string()))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "VirtualNetworks.Create", handle).await
    }
}

fn look_at(id: &ArmId, found: &wire::VirtualNetwork, marks: &Marks) -> Look {
    if !networks::is_ours(&found.tags, marks) {
        return Look::failed(id.to_string(), id.to_string(), aim::taken("network", id.name()));
    }
    aim::made(id, incarnations::network(found), &found.properties.provisioning_state, "network")
}

#[cfg(test)]
mod tests {
    use pmks_driver::{FoundState, Plan};
    use pmks_model::{SubnetRequest, Tags};

    use super::*;

    fn asked() -> CreateNetwork {
        let subnet = |name: &str, cidr: &str| SubnetRequest {
            name: name.to_owned(),
            cidr: cidr.parse().unwrap(),
            zone: String::new(),
            tags: Tags::new(),
        };
        let request = NetworkRequest {
            name: "n".to_owned(),
            cidr: "10.20.0.0/16".parse().unwrap(),
            subnets: vec![subnet("a", "10.20.0.0/24"), subnet("b", "10.20.1.0/24")],
            tags: Tags::new(),
        };
        let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
        CreateNetwork { request, marks, subnet_uids: std::collections::BTreeMap::new() }
    }

    #[test]
    fn one_request_makes_all_and_each_subnet_is_looked_for() {
        let id = ArmId::new("0", "g", NETWORK, "virtualNetworks", "n");
        let plan = Plan::of(plan(&id, "koreacentral", &asked()));
        assert_eq!(plan.defect(), None);
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["network", "subnet a", "subnet b"]);
        let subnets = plan.stages.first().unwrap().parameters.pointer("/body/properties/subnets").unwrap();
        assert_eq!(subnets.pointer("/1/properties/addressPrefix"), Some(&json!("10.20.1.0/24")));
    }

    #[test]
    fn blocks_are_of_azures_sizes() {
        let mut request = asked().request;
        assert!(check(&request).is_empty());
        request.subnets.iter_mut().for_each(|subnet| subnet.cidr = "10.20.0.0/30".parse().unwrap());
        let fields: Vec<String> = check(&request).iter().map(|finding| finding.field.clone()).collect();
        assert_eq!(fields, ["subnets[0].cidr", "subnets[1].cidr"]);
    }

    #[test]
    fn blocks_are_those_that_azure_takes() {
        let refused = |block: &str| {
            let mut findings = Findings::default();
            check_space(block.parse().unwrap(), &mut findings);
            findings.iter().count()
        };
        for (block, expected) in [
            ("10.0.0.0/8", 0),
            ("100.64.0.0/10", 0),
            ("240.0.0.0/8", 0),
            ("224.0.0.0/16", 1),
            ("169.254.0.0/16", 1),
            ("127.1.0.0/24", 1),
            ("168.63.0.0/16", 1),
            ("128.0.0.0/2", 2),
        ] {
            assert_eq!(refused(block), expected, "{block}");
        }
    }

    #[test]
    fn a_strangers_network_is_not_taken_over() {
        let id = ArmId::new("0", "g", NETWORK, "virtualNetworks", "n");
        let marks = asked().marks;
        let mut found = wire::VirtualNetwork::default();
        "Succeeded".clone_into(&mut found.properties.provisioning_state);
        assert!(
            matches!(look_at(&id, &found, &marks), Look::Present(found) if matches!(found.state, FoundState::Failed(_)))
        );
        found.tags = marks.onto(&Tags::new());
        assert!(
            matches!(look_at(&id, &found, &marks), Look::Present(found) if matches!(found.state, FoundState::Ready(_)))
        );
    }
}
