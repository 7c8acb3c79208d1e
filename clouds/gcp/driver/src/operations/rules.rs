//! The plan of other rules for a security group that stands: a firewall rule is made for each that is to be let through,
//! then the one that stands for the group is switched on or off, then firewall rules go.
//!
//! The group's own firewall rule lets nothing else out, and is on only where an outbound rule is named.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Handle, Look, Marks, Poll, Prepared, Result, StageContext, StageSpecification,
    UpdateSecurityGroup,
};
use pmks_model::{Direction, Findings, ResourceKind, Rule};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::delete_resource::Delete;
use super::insert::{Insert, request_id};
use super::{Maker, Stage, aim};
use crate::api::compute::{Kind, Scope};
use crate::names::Shared;
use crate::wire::compute::Firewall;
use crate::{GcpDriver, PROVIDER, convert, marks, security_groups};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Switch>()];

/// How long a firewall rule usually takes.
const EXPECTED: Duration = Duration::from_secs(15);
/// The longest name of a firewall rule.
///
/// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>, `name`
const LONGEST_NAME: usize = 63;

/// Looks what the group has, and answers the plan. One call, pages apart.
///
/// # Errors
/// `NotFound`; `Replaced` for another one than is meant; `InvalidRequest` for what is a part of a firewall rule that does more.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &UpdateSecurityGroup) -> Result<Prepared> {
    let firewalls = driver.api.list_firewalls().await?;
    let name = asked.iid.system_id.as_str();
    let own = security_groups::of_network(name, &firewalls);
    let head = own.first().ok_or_else(|| security_groups::not_found(name))?;
    let found = security_groups::incarnation(name, head);
    aim::refuse_another("security group", name, &asked.incarnation, found)?;
    let [installation, ..] = Marks::KEYS;
    let mark = marks::tags_of(&head.description).get(installation).cloned();
    // Where its number is known that tells it; else the marks do.
    if asked.incarnation.is_empty() && mark.is_some_and(|mark| mark != asked.marks.installation) {
        return Err(aim::replaced("security group", name));
    }
    let project = driver.api.project();
    let network = Shared::read("network", &convert::network_name(&head.network, project), project)?;
    let taken: Vec<&str> = firewalls.iter().map(|firewall| firewall.name.as_str()).collect();
    plan(asked, &own, &taken, &network.network_path()).map(Prepared::of)
}

fn plan(
    asked: &UpdateSecurityGroup,
    own: &[&Firewall],
    taken: &[&str],
    network: &str,
) -> Result<Vec<StageSpecification>> {
    let mut findings = Findings::default();
    let said: Vec<(&Firewall, Vec<Rule>, bool)> = own
        .iter()
        .map(|firewall| {
            let (rules, whole) = security_groups::said_by(firewall);
            (*firewall, rules, whole)
        })
        .collect();
    let standing: Vec<Rule> = said.iter().flat_map(|(_, rules, _)| rules.clone()).collect();
    let mut stages = added(asked, &standing, taken, network, &mut findings);
    let outbound = |rule: &&Rule| rule.direction == Direction::Outbound;
    let stays = standing.iter().filter(|rule| !rule.is_among(&asked.remove));
    let any_outbound = stays.chain(&asked.add).any(|rule| outbound(&rule));
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    stages.extend(head(asked, own, taken, network, !any_outbound).map(|stage| stage.after(before)));
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    for (firewall, rules, whole) in &said {
        if !rules.iter().any(|rule| rule.is_among(&asked.remove)) {
            continue;
        }
        let goes = *whole && firewall.target_tags.len() == 1;
        if !goes || rules.iter().any(|rule| !rule.is_among(&asked.remove)) {
            find_parts(firewall, rules, asked, &mut findings);
            continue;
        }
        let doomed = Delete {
            what: Kind::Firewall,
            scope: Scope::global(),
            name: firewall.name.clone(),
            number: firewall.id.clone(),
        };
        let stage = doomed.stage(&format!("removal of {}", firewall.name)).after(before.clone());
        stages.push(stage.removes("firewallRule", &firewall.name, &firewall.name));
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    Ok(stages)
}

/// Has the rule that stands for the group, which denies what others do not let out, switched as it is to be. A group that
/// pmks made and that has lost it gets another one, by which the group is known from then on.
fn head(
    asked: &UpdateSecurityGroup,
    own: &[&Firewall],
    taken: &[&str],
    network: &str,
    disabled: bool,
) -> Option<StageSpecification> {
    let group = asked.iid.system_id.as_str();
    let denies = |one: &&&Firewall| one.name == group && one.allowed.is_empty() && one.direction == "EGRESS";
    if let Some(head) = own.iter().find(denies) {
        let switch = Switch { name: head.name.clone(), number: head.id.clone(), disabled };
        let stage = switch.specification("everything else out").expected(EXPECTED);
        return (head.disabled != disabled).then_some(stage);
    }
    let is_ours = own.iter().all(|one| marks::is_made_here(&asked.marks, &one.description));
    if !is_ours || taken.contains(&group) {
        return None;
    }
    let base = security_groups::base(group, network, &asked.marks);
    let head = inserted(&security_groups::head(group, disabled, base), asked);
    Some(head.stage_of("security group", EXPECTED, ResourceKind::SecurityGroup))
}

/// A firewall rule for each that is missing, under the first names that are free.
fn added(
    asked: &UpdateSecurityGroup,
    standing: &[Rule],
    taken: &[&str],
    network: &str,
    findings: &mut Findings,
) -> Vec<StageSpecification> {
    let group = asked.iid.system_id.as_str();
    let names = (0..).map(|index| security_groups::rule_name(group, index, &asked.marks));
    let mut names = names.filter(|name| !taken.contains(&name.as_str()));
    let mut stages = Vec::new();
    for (index, rule) in asked.add.iter().enumerate().filter(|(_, rule)| !rule.is_among(standing)) {
        let Some(name) = names.next() else { break };
        if name.len() > LONGEST_NAME {
            let says = format!("its firewall rule {name} would have a longer name than Google allows");
            findings.add(format!("add[{index}]"), says);
            continue;
        }
        let base = security_groups::base(group, network, &asked.marks);
        let firewall = security_groups::of_rule(rule, name.clone(), base);
        stages.push(inserted(&firewall, asked).stage(&format!("rule {name}"), EXPECTED));
    }
    stages
}

fn inserted(firewall: &Firewall, asked: &UpdateSecurityGroup) -> Insert {
    Insert {
        what: Kind::Firewall,
        scope: Scope::global(),
        name: firewall.name.clone(),
        // Plain structs of texts always serialize.
        body: serde_json::to_value(firewall).unwrap_or_default(),
        marks: asked.marks.clone(),
    }
}

/// What is asked to go and is only a part of what a firewall rule does.
fn find_parts(firewall: &Firewall, rules: &[Rule], asked: &UpdateSecurityGroup, findings: &mut Findings) {
    for (index, _) in asked.remove.iter().enumerate().filter(|(_, rule)| rule.is_among(rules)) {
        let says =
            format!("the firewall rule {} does more than this, and would go as a whole", firewall.name);
        findings.add(format!("remove[{index}]"), says);
    }
}

/// Whether the rule that stands for the group keeps everything in that no other lets out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Switch {
    name: String,
    /// What no later one of that name has.
    number: String,
    disabled: bool,
}

#[async_trait]
impl Stage<GcpDriver> for Switch {
    const KIND: &'static str = "gcp.firewall.switch";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let found: Firewall = driver.api.get(Kind::Firewall, &Scope::global(), &self.name).await?;
        if found.id != self.number {
            return Err(aim::replaced("firewall rule", &self.name));
        }
        let right = found.disabled == self.disabled;
        Ok(if right { Look::ready(&self.name, &self.number, Value::Null) } else { Look::Absent })
    }

    /// By its number, which no later one of that name has. Google's contract wants the name in a patch, too.
    ///
    /// Source: <https://compute.googleapis.com/discovery/v1/apis/compute/v1/rest>, `Firewall.name`, `annotations`
    async fn ask(&self, driver: &GcpDriver, context: &StageContext) -> Result<Asked> {
        let body = json!({"name": self.name, "disabled": self.disabled});
        let operation = driver.api.patch_firewall(&self.number, &body, request_id(&context.token)).await?;
        Ok(aim::following_compute(&Scope::global(), &operation))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_compute(driver, handle, Value::Null).await
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use pmks_driver::{ErrorKind, Plan};
    use pmks_model::{Iid, Protocol};

    use super::*;

    fn rule(direction: Direction, port: u16) -> Rule {
        let cidr = "10.0.0.0/8".parse().unwrap();
        Rule { direction, protocol: Protocol::Tcp, from_port: Some(port), to_port: None, cidr }
    }

    fn marks() -> Marks {
        Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() }
    }

    fn planned(standing: &[Firewall], add: &[Rule], remove: &[Rule]) -> Result<Vec<String>> {
        Ok(plan_of(standing, add, remove)?.into_iter().map(|stage| stage.name).collect())
    }

    fn plan_of(standing: &[Firewall], add: &[Rule], remove: &[Rule]) -> Result<Vec<StageSpecification>> {
        let asked = UpdateSecurityGroup {
            iid: Iid::new("web", "web"),
            incarnation: String::new(),
            add: add.to_vec(),
            remove: remove.to_vec(),
            marks: marks(),
        };
        let own = security_groups::of_network("web", standing);
        let taken: Vec<&str> = standing.iter().map(|one| one.name.as_str()).collect();
        let plan = Plan::of(plan(&asked, &own, &taken, "projects/p/global/networks/net")?);
        assert_eq!(plan.defect(), None);
        Ok(plan.stages)
    }

    fn standing(rules: &[Rule]) -> Vec<Firewall> {
        security_groups::firewalls("web", "projects/p/global/networks/net", rules, &marks())
    }

    #[test]
    fn rules_come_before_others_go_and_the_group_is_switched_between() {
        let (ssh, dns) = (rule(Direction::Inbound, 22), rule(Direction::Inbound, 53));
        let out = rule(Direction::Outbound, 443);
        let suffix = marks().suffix();
        let stages = planned(&standing(from_ref(&ssh)), &[ssh.clone(), dns, out.clone()], from_ref(&ssh));
        let wanted = [
            format!("rule web-01-{suffix}"),
            format!("rule web-02-{suffix}"),
            "everything else out".to_owned(),
            format!("removal of web-00-{suffix}"),
        ];
        assert_eq!(stages.unwrap(), wanted);
        let both = standing(&[ssh.clone(), out.clone()]);
        let last_out = planned(&both, &[], from_ref(&out)).unwrap();
        assert_eq!(last_out, ["everything else out".to_owned(), format!("removal of web-01-{suffix}")]);
        assert!(
            planned(&both, &[ssh.clone(), out.clone()], &[rule(Direction::Inbound, 1)]).unwrap().is_empty()
        );
        // What stood for the group is gone; a group of somebody else's never had it.
        let mut headless = both[1..].to_vec();
        assert_eq!(planned(&headless, from_ref(&ssh), &[]).unwrap(), ["security group"]);
        let anew = plan_of(&headless, from_ref(&ssh), &[]).unwrap().remove(0).subject.unwrap();
        assert_eq!((anew.kind, anew.name.as_str()), (ResourceKind::SecurityGroup, "web"));
        for one in &mut headless {
            one.description.clear();
        }
        assert!(planned(&headless, &[ssh, out], &[]).unwrap().is_empty());
    }

    #[test]
    fn a_part_of_a_firewall_rule_does_not_go_alone() {
        let ssh = rule(Direction::Inbound, 22);
        let mut wide = standing(from_ref(&ssh));
        wide[1].source_ranges.push("192.168.0.0/16".to_owned());
        let error = planned(&wide, &[], from_ref(&ssh)).unwrap_err();
        assert!(error.to_string().contains("remove[0]"), "{error}");
        let mut shared = standing(from_ref(&ssh));
        shared[1].target_tags.push("db".to_owned());
        let error = planned(&shared, &[], &[ssh]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
    }

    #[test]
    fn names_that_are_too_long_are_found() {
        let long = "a".repeat(60);
        let asked = UpdateSecurityGroup {
            iid: Iid::new(&long, &long),
            incarnation: String::new(),
            add: vec![rule(Direction::Inbound, 22)],
            remove: Vec::new(),
            marks: marks(),
        };
        assert!(plan(&asked, &[], &[], "n").is_err());
    }
}
