//! The plan of a network security group: one request makes it with its rules. It belongs to no network until it guards a
//! subnet, which a cluster's creation lets it do.
//!
//! Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/create-or-update>

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateSecurityGroup, DriverError, Effect, Handle, Look, Marks, Poll, Prepared, Result,
    StageContext,
};
use pmks_model::{Direction, Findings, ResourceKind, Rule, SecurityGroupRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Maker, Stage, aim, tags};
use crate::arm_id::{ArmId, NETWORK};
use crate::capabilities::CAPABILITIES;
use crate::wire::network as wire;
use crate::{AzureDriver, PROVIDER, incarnations, networks, prerequisites, security_rules};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeSecurityGroup>()];

/// Checks the number of rules and the name, and answers the plan. Three calls.
///
/// # Errors
/// `InvalidRequest` for more rules than Azure has places for; `PrerequisiteMissing` without the resource group;
/// `AlreadyExists` for a stranger's group of that name.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &CreateSecurityGroup) -> Result<Prepared> {
    prerequisites::require(driver, &[NETWORK]).await?;
    let request = &asked.request;
    check(request).into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let body = json!({
        "location": driver.region(),
        "tags": asked.marks.onto(&request.tags),
        "properties": {"securityRules": security_rules::rules(&request.rules)},
    });
    let id = driver.own_id(NETWORK, "networkSecurityGroups", &request.name);
    let standing = driver.api.security_group(&id).await.map(|found| found.tags);
    aim::refuse_strangers(standing, &asked.marks, "security group", id.name())?;
    let stage = MakeSecurityGroup { id, body, marks: asked.marks.clone() };
    let stage = stage
        .specification("security group")
        .effect(Effect::Creates)
        .visible_after(CAPABILITIES.visible_after)
        .subject(ResourceKind::SecurityGroup, request.name.as_str());
    let prepared = Prepared::of([stage]);
    let says =
        "not everything is to leave, so a rule denies what no other lets out; Azure would let everything out";
    let open = Rule::let_everything_out(&request.rules);
    Ok(if open { prepared } else { prepared.notice(says) })
}

fn check(request: &SecurityGroupRequest) -> Findings {
    let mut findings = Findings::default();
    tags::check(request.tags.keys(), &mut findings);
    for direction in [Direction::Inbound, Direction::Outbound] {
        let count = request.rules.iter().filter(|rule| rule.direction == direction).count();
        if count > security_rules::MOST_RULES {
            let most = security_rules::MOST_RULES;
            findings.add(
                "rules",
                format!("{count} of one direction are more than the {most} that Azure has places for"),
            );
        }
    }
    findings
}

/// Makes a network security group with its rules.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeSecurityGroup {
    id: ArmId,
    body: Value,
    marks: Marks,
}

#[async_trait]
impl Stage<AzureDriver> for MakeSecurityGroup {
    const KIND: &'static str = "azure.securityGroup";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        match driver.api.security_group(&self.id).await {
            Ok(found) => Ok(look_at(&self.id, &found, &self.marks)),
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let accepted = driver.api.create_security_group(&self.id, &self.body).await?;
        Ok(aim::asked(accepted, &self.id).with_incarnation(self.id.to_string()))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "NetworkSecurityGroups.Create", handle).await
    }
}

fn look_at(id: &ArmId, found: &wire::SecurityGroup, marks: &Marks) -> Look {
    if !networks::is_ours(&found.tags, marks) {
        return Look::failed(id.to_string(), id.to_string(), aim::taken("security group", id.name()));
    }
    let incarnation = incarnations::security_group(found);
    aim::made(id, incarnation, &found.properties.provisioning_state, "security group")
}

#[cfg(test)]
mod tests {
    use pmks_model::Protocol;

    use super::*;

    #[test]
    fn rules_have_places_of_their_own_in_each_direction() {
        let rule = |direction: Direction| pmks_model::Rule {
            direction,
            protocol: Protocol::All,
            from_port: None,
            to_port: None,
            cidr: "0.0.0.0/0".parse().unwrap(),
        };
        let many = vec![rule(Direction::Inbound); security_rules::MOST_RULES];
        let both = [many.clone(), vec![rule(Direction::Outbound); security_rules::MOST_RULES]].concat();
        let asked = |rules| SecurityGroupRequest {
            name: "g".to_owned(),
            network: pmks_model::Iid::default(),
            rules,
            tags: pmks_model::Tags::new(),
        };
        assert!(check(&asked(both)).is_empty());
        assert_eq!(check(&asked([many, vec![rule(Direction::Inbound)]].concat())).iter().count(), 1);
    }
}
