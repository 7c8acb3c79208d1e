//! The plan of other rules for a security group that stands: first what is to be let through, then what is not to be any
//! longer, so that what is replaced lets through meanwhile. One request for each direction.
//!
//! EC2's own rule that lets everything out is a rule as any other here: it goes where it is named.

use async_trait::async_trait;
use pmks_driver::{Asked, Look, Prepared, Result, StageContext, StageSpecification, UpdateSecurityGroup};
use pmks_model::{Direction, Rule};
use serde::{Deserialize, Serialize};

use super::create_security_group::{Rules, group};
use super::reference::Reference;
use super::{Maker, Stage};
use crate::wire::ec2 as wire;
use crate::{AwsDriver, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<NoRules>()];

/// EC2's word for a rule that does not stand.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
const NO_SUCH_RULE: &str = "InvalidPermission.NotFound";

/// Looks that the group is there, and answers the plan. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &UpdateSecurityGroup) -> Result<Prepared> {
    let id = asked.iid.system_id.as_str();
    match group(driver, id).await? {
        Some(_) => Ok(Prepared::of(plan(asked))),
        None => Err(networks::no_security_group(id)),
    }
}

fn plan(asked: &UpdateSecurityGroup) -> Vec<StageSpecification> {
    let id = asked.iid.system_id.as_str();
    let both = [(Direction::Inbound, "inbound"), (Direction::Outbound, "outbound")];
    let mut stages: Vec<StageSpecification> = Vec::new();
    for (direction, word) in both {
        let wanted = of(direction, &asked.add);
        if !wanted.is_empty() {
            let group = Reference::Id(id.to_owned());
            stages.push(Rules { group, direction, wanted }.specification(format!("{word} rules")));
        }
    }
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    for (direction, word) in both {
        let unwanted = of(direction, &asked.remove);
        if !unwanted.is_empty() {
            let gone = NoRules { group: id.to_owned(), direction, unwanted };
            stages.push(gone.specification(format!("removal of {word} rules")).after(before.clone()));
        }
    }
    stages
}

fn of(direction: Direction, rules: &[Rule]) -> Vec<Rule> {
    rules.iter().filter(|rule| rule.direction == direction).cloned().collect()
}

/// Rules of one direction, gone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoRules {
    group: String,
    direction: Direction,
    unwanted: Vec<Rule>,
}

impl NoRules {
    /// Those that the group has.
    fn standing(&self, group: &wire::SecurityGroup) -> Vec<wire::IpPermission> {
        let standing = networks::standing_rules(group, self.direction);
        standing.iter().filter(|rule| rule.is_among(&self.unwanted)).map(networks::permission).collect()
    }

    async fn read(&self, driver: &AwsDriver) -> Result<Vec<wire::IpPermission>> {
        let found = group(driver, &self.group).await?;
        let found = found.ok_or_else(|| networks::no_security_group(&self.group))?;
        Ok(self.standing(&found))
    }
}

#[async_trait]
impl Stage<AwsDriver> for NoRules {
    const KIND: &'static str = "aws.securityGroup.noRules";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        Ok(if self.read(driver).await?.is_empty() { Look::gone() } else { Look::Absent })
    }

    /// EC2 refuses a request as a whole if one of its rules does not stand, so only what stands is sent.
    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let standing = self.read(driver).await?;
        let asked = match self.direction {
            _ if standing.is_empty() => Ok(()),
            Direction::Inbound => driver.api.revoke_ingress(&self.group, &standing).await,
            Direction::Outbound => driver.api.revoke_egress(&self.group, &standing).await,
        };
        match asked {
            Err(error) if error.code() != Some(NO_SUCH_RULE) => Err(error),
            _ => Ok(Asked::accepted()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::{Marks, Plan};
    use pmks_model::{Iid, Protocol};

    use super::*;
    use crate::query::List;

    fn rule(direction: Direction, port: u16) -> Rule {
        let cidr = "10.0.0.0/8".parse().unwrap();
        Rule { direction, protocol: Protocol::Tcp, from_port: Some(port), to_port: None, cidr }
    }

    #[test]
    fn rules_come_before_others_go() {
        let asked = UpdateSecurityGroup {
            iid: Iid::new("g", "sg-1"),
            incarnation: String::new(),
            add: vec![rule(Direction::Inbound, 22), rule(Direction::Outbound, 443)],
            remove: vec![rule(Direction::Inbound, 23)],
            marks: Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() },
        };
        let plan = Plan::of(plan(&asked));
        assert_eq!(plan.defect(), None);
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["inbound rules", "outbound rules", "removal of inbound rules"]);
        assert_eq!(plan.stages[2].after, ["inbound rules", "outbound rules"]);
    }

    #[test]
    fn only_standing_rules_are_taken_away() {
        let (standing, other) = (rule(Direction::Inbound, 22), rule(Direction::Inbound, 23));
        let gone = NoRules {
            group: "sg-1".to_owned(),
            direction: Direction::Inbound,
            unwanted: vec![standing.clone(), rule(Direction::Inbound, 24)],
        };
        let permissions = [&standing, &other].map(networks::permission).to_vec();
        let group = wire::SecurityGroup {
            ip_permissions: List { entries: permissions },
            ..wire::SecurityGroup::default()
        };
        let sent = gone.standing(&group);
        assert_eq!(sent.iter().map(|sent| sent.from_port).collect::<Vec<_>>(), [Some(22)]);
    }
}
