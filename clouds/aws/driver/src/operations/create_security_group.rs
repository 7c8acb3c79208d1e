//! The plan of a security group with its rules.
//!
//! EC2 gives every new group a rule of its own that lets everything out. It is the one that is asked for where everything
//! is to leave; else it is removed once the outbound rules stand.

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateSecurityGroup, Look, Marks, Prepared, Result, StageContext, StageSpecification,
};
use pmks_model::{Direction, ResourceKind, Rule, Tags};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reference::{self, ID, Reference};
use super::{Maker, Stage};
use crate::api::ec2::filter;
use crate::wire::ec2 as wire;
use crate::{AwsDriver, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] =
    &[Maker::of::<Group>(), Maker::of::<Rules>(), Maker::of::<NoDefaultRule>()];

const GROUP: &str = "security group";
const INBOUND: &str = "inbound rules";
const OUTBOUND: &str = "outbound rules";
const NO_DEFAULT: &str = "removal of the default outbound rule";

/// What EC2 wants of a description is only that there is one.
const DESCRIPTION: &str = "Made by pmks";

/// Checks the network and the name, and answers the plan. Three calls.
///
/// # Errors
/// `NotFound` without the network; `AlreadyExists` for a stranger's group of that name in it.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &CreateSecurityGroup) -> Result<Prepared> {
    let (network, name) = (&asked.request.network.system_id, &asked.request.name);
    let (_, standing) = futures::try_join!(networks::get(driver, network), of_name(driver, network, name))?;
    if let Some(group) = standing.filter(|group| !networks::is_ours(&group.tag_set, &asked.marks)) {
        return Err(reference::taken(&group.group_id, "the security group", name));
    }
    let mut prepared = Prepared::of(plan(asked));
    if removes_default(&asked.request.rules) {
        let says = "not everything is to leave, so EC2's own rule that lets everything out is removed";
        prepared = prepared.notice(says);
    }
    Ok(prepared)
}

fn plan(asked: &CreateSecurityGroup) -> Vec<StageSpecification> {
    let request = &asked.request;
    let group = Group {
        network: request.network.system_id.clone(),
        name: request.name.clone(),
        tags: networks::tags_of(&request.name, &request.tags, &asked.marks),
        marks: asked.marks.clone(),
    };
    let mut stages = vec![group.specification(GROUP).subject(ResourceKind::SecurityGroup, &request.name)];
    let made = Reference::Stage(GROUP.to_owned());
    for (direction, name) in [(Direction::Inbound, INBOUND), (Direction::Outbound, OUTBOUND)] {
        // EC2 gives that one itself.
        let asked = request.rules.iter().filter(|rule| rule.normal() != Rule::EVERYTHING_OUT);
        let own: Vec<Rule> = asked.filter(|rule| rule.direction == direction).cloned().collect();
        if !own.is_empty() {
            let rules = Rules { group: made.clone(), direction, wanted: own };
            stages.push(rules.specification(name).after([GROUP]));
        }
    }
    if removes_default(&request.rules) {
        let before = if stages.iter().any(|stage| stage.name == OUTBOUND) { OUTBOUND } else { GROUP };
        stages.push(NoDefaultRule { group: made }.specification(NO_DEFAULT).after([before]));
    }
    stages
}

fn removes_default(rules: &[Rule]) -> bool {
    !Rule::let_everything_out(rules)
}

/// The group. Its name is unique in its network, so a second ask makes no second one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    network: String,
    name: String,
    tags: Tags,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for Group {
    const KIND: &'static str = "aws.securityGroup";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        Ok(match of_name(driver, &self.network, &self.name).await? {
            None => Look::Absent,
            Some(group) if networks::is_ours(&group.tag_set, &self.marks) => {
                Look::ready(&group.group_id, &group.group_id, json!({ID: group.group_id}))
            }
            Some(group) => reference::stranger(&group.group_id, "the security group", &self.name),
        })
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let id = driver.api.create_security_group(&self.network, &self.name, DESCRIPTION, &self.tags).await?;
        Ok(Asked::accepted().with_system_id(&id).with_incarnation(&id))
    }
}

/// The rules of one direction.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rules {
    pub(super) group: Reference,
    pub(super) direction: Direction,
    pub(super) wanted: Vec<Rule>,
}

impl Rules {
    /// Those that the group does not have.
    fn missing(&self, group: &wire::SecurityGroup) -> Vec<wire::IpPermission> {
        let standing = networks::standing_rules(group, self.direction);
        let missing = self.wanted.iter().filter(|rule| !rule.is_among(&standing));
        missing.map(networks::permission).collect()
    }
}

#[async_trait]
impl Stage<AwsDriver> for Rules {
    const KIND: &'static str = "aws.securityGroup.rules";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let id = self.group.id(context)?;
        Ok(match group(driver, id).await? {
            None if self.group.is_known() => return Err(networks::no_security_group(id)),
            None => Look::Unsure(format!("AWS does not show {id} yet")),
            Some(group) if self.missing(&group).is_empty() => Look::ready(id, id, json!({})),
            Some(_) => Look::Absent,
        })
    }

    /// EC2 refuses a request as a whole if one of its rules stands already, so only what is missing is sent.
    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let id = self.group.id(context)?;
        let missing = match group(driver, id).await? {
            Some(group) => self.missing(&group),
            None => self.wanted.iter().map(networks::permission).collect(),
        };
        let asked = match self.direction {
            _ if missing.is_empty() => Ok(()),
            Direction::Inbound => driver.api.authorize_ingress(id, &missing).await,
            Direction::Outbound => driver.api.authorize_egress(id, &missing).await,
        };
        asked.map_err(|error| self.group.settle(error))?;
        Ok(Asked::accepted())
    }
}

/// EC2's own outbound rule, [`Rule::EVERYTHING_OUT`], gone.
///
/// Source: <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NoDefaultRule {
    group: Reference,
}

#[async_trait]
impl Stage<AwsDriver> for NoDefaultRule {
    const KIND: &'static str = "aws.securityGroup.noDefaultRule";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let id = self.group.id(context)?;
        Ok(match group(driver, id).await? {
            None => Look::Unsure(format!("AWS does not show {id} yet")),
            Some(group)
                if Rule::let_everything_out(&networks::standing_rules(&group, Direction::Outbound)) =>
            {
                Look::Absent
            }
            Some(_) => Look::gone(),
        })
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let id = self.group.id(context)?;
        let asked = driver.api.revoke_egress(id, &[networks::permission(&Rule::EVERYTHING_OUT)]).await;
        asked.map_err(|error| self.group.settle(error))?;
        Ok(Asked::accepted())
    }
}

/// The group of that name in a network, whoever made it.
async fn of_name(driver: &AwsDriver, network: &str, name: &str) -> Result<Option<wire::SecurityGroup>> {
    let of_name = [filter("vpc-id", network), filter("group-name", name)];
    let found = driver.api.describe_security_groups(&of_name).await?;
    // EC2's filters know wildcards: a name with `*` would find others too.
    Ok(found.into_iter().find(|group| group.group_name == name))
}

/// The group of that identifier.
pub(super) async fn group(driver: &AwsDriver, id: &str) -> Result<Option<wire::SecurityGroup>> {
    let found = driver.api.describe_security_groups(&[filter("group-id", id)]).await?;
    Ok(found.into_iter().find(|group| group.group_id == id))
}

#[cfg(test)]
mod tests {
    use pmks_driver::Plan;
    use pmks_model::{Iid, Protocol, SecurityGroupRequest};

    use super::*;

    fn rule(direction: Direction, protocol: Protocol, port: Option<u16>, cidr: &str) -> Rule {
        Rule { direction, protocol, from_port: port, to_port: None, cidr: cidr.parse().unwrap() }
    }

    fn stages(rules: Vec<Rule>) -> Vec<String> {
        let asked = CreateSecurityGroup {
            request: SecurityGroupRequest {
                name: "g".to_owned(),
                network: Iid::new("n", "vpc-1"),
                rules,
                tags: Tags::new(),
            },
            marks: Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() },
        };
        let plan = Plan::of(plan(&asked));
        assert_eq!(plan.defect(), None);
        plan.stages.into_iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn the_default_outbound_rule_stays_only_where_everything_may_leave() {
        let inbound = rule(Direction::Inbound, Protocol::Tcp, Some(22), "10.0.0.0/8");
        let outbound = rule(Direction::Outbound, Protocol::Tcp, Some(443), "10.0.0.0/8");
        let everything = rule(Direction::Outbound, Protocol::All, None, "0.0.0.0/0");
        assert_eq!(stages(vec![everything.clone()]), [GROUP]);
        assert_eq!(stages(vec![inbound.clone(), everything.clone()]), [GROUP, INBOUND]);
        assert_eq!(stages(vec![inbound.clone(), outbound.clone()]), [GROUP, INBOUND, OUTBOUND, NO_DEFAULT]);
        assert_eq!(stages(vec![outbound, everything]), [GROUP, OUTBOUND]);
        assert_eq!(stages(vec![inbound]), [GROUP, INBOUND, NO_DEFAULT]);
    }

    #[test]
    fn only_missing_rules_are_sent() {
        let standing = rule(Direction::Inbound, Protocol::Tcp, Some(22), "10.0.0.0/8");
        let missing = rule(Direction::Inbound, Protocol::Tcp, Some(23), "10.0.0.0/8");
        let rules = Rules {
            group: Reference::Id("sg-1".to_owned()),
            direction: Direction::Inbound,
            wanted: vec![standing.clone(), missing],
        };
        let group = wire::SecurityGroup {
            ip_permissions: crate::query::List { entries: vec![networks::permission(&standing)] },
            ..wire::SecurityGroup::default()
        };
        let sent = rules.missing(&group);
        assert_eq!(sent.iter().map(|sent| sent.from_port).collect::<Vec<_>>(), [Some(23)]);
    }
}
