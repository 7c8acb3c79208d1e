//! The plan of one more subnet, and the stage that every subnet is made or found by. Subnets carry no tags: one in a
//! network that this operation made is ours; in any other it is ours only if it came after it was asked for.
//!
//! Source: <https://learn.microsoft.com/rest/api/virtualnetwork/subnets/create-or-update>

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateSubnet, DriverError, Effect, Handle, Identity, Look, Poll, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::{Cidr, Findings, ResourceKind, SubnetRequest};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::create_network::check_size;
use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::capabilities::CAPABILITIES;
use crate::wire::network as wire;
use crate::{AzureDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeSubnet>()];

/// Checks the network and the addresses, and answers the plan. One call.
///
/// # Errors
/// `NotFound` without the network; `InvalidRequest` for addresses that cannot be; `AlreadyExists` for a taken name.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &CreateSubnet) -> Result<Prepared> {
    let network = driver.network_id(&asked.network.system_id);
    let found = driver.api.network(&network).await?;
    check(&asked.request, &found)
        .into_result()
        .map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    if found.properties.subnets.iter().any(|one| one.name.eq_ignore_ascii_case(&asked.request.name)) {
        return Err(aim::taken("subnet", &asked.request.name));
    }
    Ok(Prepared::of([stage(&network, &asked.request, Within::StandingNetwork)]))
}

fn check(request: &SubnetRequest, network: &wire::VirtualNetwork) -> Findings {
    let mut findings = Findings::default();
    check_size("cidr", request.cidr, &mut findings);
    for other in &network.properties.subnets {
        let block = other.properties.cidr();
        if block.parse().is_ok_and(|cidr: Cidr| cidr.overlaps(request.cidr)) {
            findings.add("cidr", format!("overlaps subnet {} ({block})", other.name));
        }
    }
    findings
}

/// In what network a subnet is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Within {
    /// One that an earlier stage has made with it.
    NewNetwork,
    /// One that stood before.
    StandingNetwork,
}

/// The stage that makes a subnet, or finds it in the network that was made with it.
pub(super) fn stage(network: &ArmId, request: &SubnetRequest, within: Within) -> StageSpecification {
    let id = network.child("subnets", &request.name);
    let identity = if within == Within::NewNetwork { Identity::UniqueName } else { Identity::Baseline };
    let stage = MakeSubnet { id, cidr: request.cidr.to_string(), within };
    stage
        .specification(format!("subnet {}", request.name))
        .effect(Effect::Creates)
        .identity(identity)
        .visible_after(CAPABILITIES.visible_after)
        .subject(ResourceKind::Subnet, request.name.as_str())
}

/// Makes a subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeSubnet {
    id: ArmId,
    cidr: String,
    within: Within,
}

#[async_trait]
impl Stage<AzureDriver> for MakeSubnet {
    const KIND: &'static str = "azure.subnet";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        match driver.api.subnet(&self.id).await {
            Ok(found) => Ok(self.look_at(&found, context)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let body = json!({"properties": {"addressPrefix": self.cidr}});
        let accepted = driver.api.create_subnet(&self.id, &body).await?;
        Ok(aim::asked(accepted, &self.id).with_incarnation(self.id.to_string()))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "Subnets.Create", handle).await
    }
}

impl MakeSubnet {
    /// It was looked for in vain before it was asked for, so that one which stands now was made since; with other
    /// addresses it is a stranger's all the same.
    fn look_at(&self, found: &wire::Subnet, context: &StageContext) -> Look {
        let before = self.within == Within::StandingNetwork && context.baseline.is_none();
        if before || found.properties.cidr() != self.cidr {
            return Look::failed(
                self.id.to_string(),
                self.id.to_string(),
                aim::taken("subnet", self.id.name()),
            );
        }
        aim::made(&self.id, "", &found.properties.provisioning_state, "subnet")
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::FoundState;

    use super::super::tests::context;
    use super::*;

    fn subnet(cidr: &str, state: &str) -> wire::Subnet {
        let properties = json!({"addressPrefix": cidr, "provisioningState": state});
        serde_json::from_value(json!({"name": "s", "properties": properties})).unwrap()
    }

    #[test]
    fn a_subnet_is_ours_where_nothing_stood_before() {
        let id = ArmId::new("0", "g", "Microsoft.Network", "virtualNetworks", "n").child("subnets", "s");
        let seen = |within: Within, asked: bool, found: &wire::Subnet| {
            let stage = MakeSubnet { id: id.clone(), cidr: "10.0.0.0/24".into(), within };
            let context = StageContext { baseline: asked.then(Vec::new), ..context() };
            match stage.look_at(found, &context) {
                Look::Present(found) => match found.state {
                    FoundState::Ready(_) => "ready",
                    FoundState::Pending { .. } => "pending",
                    FoundState::Failed(_) => "failed",
                },
                _ => "?",
            }
        };
        let (there, making, other) = (
            subnet("10.0.0.0/24", "Succeeded"),
            subnet("10.0.0.0/24", "Updating"),
            subnet("10.0.9.0/24", "Succeeded"),
        );
        for (within, asked, found, expected) in [
            (Within::NewNetwork, false, &there, "ready"),
            (Within::NewNetwork, false, &making, "pending"),
            (Within::NewNetwork, true, &other, "failed"),
            (Within::StandingNetwork, false, &there, "failed"),
            (Within::StandingNetwork, true, &there, "ready"),
            (Within::StandingNetwork, true, &other, "failed"),
        ] {
            assert_eq!(seen(within, asked, found), expected, "{within:?} {asked}");
        }
    }

    #[test]
    fn addresses_overlap_no_other_subnet() {
        let request = |cidr: &str| SubnetRequest {
            name: "t".into(),
            cidr: cidr.parse().unwrap(),
            zone: String::new(),
            tags: pmks_model::Tags::new(),
        };
        let mut network = wire::VirtualNetwork::default();
        network.properties.subnets.push(subnet("10.0.0.0/24", "Succeeded"));
        assert!(check(&request("10.0.1.0/24"), &network).is_empty());
        assert_eq!(check(&request("10.0.0.128/25"), &network).iter().count(), 1);
        assert_eq!(check(&request("10.0.0.128/30"), &network).iter().count(), 2);
    }
}
