//! A network security group on a subnet, or off it: how AKS takes the user's own rules. AKS itself guards the nodes'
//! interfaces by a group of its own in the node resource group, which nobody else changes.
//!
//! Source: <https://learn.microsoft.com/azure/aks/concepts-network#network-security-groups>

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Result, StageContext, StageSpecification,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::wire::network::Subnet;
use crate::{AzureDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Guard>()];

/// The stage that puts a group on a subnet, or takes it off.
pub(super) fn stage(subnet: &ArmId, group: &ArmId, on: bool) -> StageSpecification {
    let guard = Guard { subnet: subnet.clone(), group: group.clone(), on };
    guard.specification(format!("security group {} subnet {}", if on { "on" } else { "off" }, subnet.name()))
}

/// Puts a group on a subnet, or takes it off. What the subnet has beside stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Guard {
    subnet: ArmId,
    group: ArmId,
    on: bool,
}

#[async_trait]
impl Stage<AzureDriver> for Guard {
    const KIND: &'static str = "azure.subnet.securityGroup";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.subnet(&self.subnet).await {
            Ok(found) => Ok(self.look_at(&found)),
            Err(error) if error.is_not_found() && !self.on => Ok(Look::gone()),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let mut raw = match driver.api.raw_subnet(&self.subnet).await {
            Err(error) if error.is_not_found() && !self.on => return Ok(Asked::done(Value::Null)),
            answer => answer?,
        };
        let group = if self.on { json!({"id": self.group.to_string()}) } else { Value::Null };
        aim::set_property(&mut raw, "networkSecurityGroup", group);
        let accepted = driver.api.update_subnet(&self.subnet, &raw, aim::unchanged(&raw)).await?;
        Ok(aim::asked(accepted, &self.subnet))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "Subnets.Update", handle).await
    }
}

impl Guard {
    fn look_at(&self, subnet: &Subnet) -> Look {
        if let Some(look) = aim::busy(&self.subnet, "", &subnet.properties.provisioning_state) {
            return look;
        }
        let id = self.subnet.to_string();
        let standing = subnet.properties.network_security_group.as_ref();
        match (standing, self.on) {
            (Some(group), on) if self.group.is_text(&group.id) == on => Look::ready(id, "", Value::Null),
            (None, false) => Look::gone(),
            (None, true) | (Some(_), false) => Look::Absent,
            (Some(group), true) => {
                let what = format!("the subnet {} was given {} meanwhile", self.subnet.name(), group.id);
                let fix = "name that security group, or take it off the subnet".to_owned();
                let kind = ErrorKind::Precondition { what: what.clone(), fix };
                Look::failed(id, "", DriverError::new(kind, PROVIDER, what))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_gets_the_group_only_where_it_has_none() {
        let id = |kind: &str, name: &str| ArmId::new("0", "g", "Microsoft.Network", kind, name);
        let subnet = id("virtualNetworks", "n").child("subnets", "s");
        let (own, other) = (id("networkSecurityGroups", "own"), id("networkSecurityGroups", "other"));
        let found = |group: Option<&ArmId>, state: &str| -> Subnet {
            let group = group.map(|id| json!({"id": id.to_string().to_uppercase()}));
            let properties = json!({"provisioningState": state, "networkSecurityGroup": group});
            serde_json::from_value(json!({"name": "s", "properties": properties})).unwrap()
        };
        let seen = |group: Option<&ArmId>, state: &str, on: bool| {
            let guard = Guard { subnet: subnet.clone(), group: own.clone(), on };
            match guard.look_at(&found(group, state)) {
                Look::Absent => "absent",
                Look::Present(found) => match found.state {
                    pmks_driver::FoundState::Ready(_) => "ready",
                    pmks_driver::FoundState::Pending { .. } => "pending",
                    pmks_driver::FoundState::Failed(_) => "failed",
                },
                _ => "?",
            }
        };
        for (group, state, on, expected) in [
            (None, "Succeeded", true, "absent"),
            (Some(&own), "Succeeded", true, "ready"),
            (Some(&other), "Succeeded", true, "failed"),
            (Some(&own), "Updating", true, "pending"),
            (None, "Succeeded", false, "ready"),
            (Some(&own), "Succeeded", false, "absent"),
            (Some(&other), "Succeeded", false, "ready"),
        ] {
            assert_eq!(seen(group, state, on), expected, "{group:?} {state} {on}");
        }
    }
}
