//! The plan of other rules for a security group that stands: a firewall rule is made for each that is to be let through,
//! then the one that stands for the group is switched on or off, then firewall rules go.
//!
//! The group's own firewall rule denies what no other lets out. It is switched on with the end of everything being let out,
//! and off with its beginning; no other change switches it.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Handle, Look, Marks, Poll, Prepared, Result, StageContext, StageSpecification,
    UpdateSecurityGroup,
};
use pmks_model::{Findings, ResourceKind, Rule};
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
    let mut standing: Vec<Rule> = said.iter().flat_map(|(_, rules, _)| rules.clone()).collect();
    let open = security_groups::everything_leaves(own);
    if open {
        standing.push(Rule::EVERYTHING_OUT);
    }
    let to_be_open =
        Rule::let_everything_out(&asked.add) || (open && !Rule::let_everything_out(&asked.remove));
    if to_be_open && !open {
        find_denial(asked, own, &mut findings);
    }
    let group = asked.iid.system_id.as_str();
    let names = (0..).map(|index| security_groups::rule_name(group, index, &asked.marks));
    let mut names = names.filter(|name| !taken.contains(&name.as_str()));
    let mut stages = added(asked, &standing, &mut names, network, &mut findings);
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let other_denial = own.iter().any(|one| one.name != group && security_groups::denies_everything(one));
    let way = Way { open, to_be_open };
    let denial = if can_have_head(asked, own, taken) {
        head(asked, own, network, way)
    } else if open && !to_be_open && !other_denial {
        names.next().and_then(|name| denial(asked, name, network, &mut findings))
    } else {
        None
    };
    stages.extend(denial.map(|stage| stage.after(before)));
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

/// Whether everything may leave, before a change and after it.
#[derive(Clone, Copy)]
struct Way {
    open: bool,
    to_be_open: bool,
}

/// Whether it is the rule that stands for its group.
fn is_head(one: &Firewall, group: &str) -> bool {
    one.name == group && one.allowed.is_empty() && one.direction == "EGRESS"
}

/// Whether a group has a rule that stands for it, or can get one: of a group that is somebody else's none is made.
fn can_have_head(asked: &UpdateSecurityGroup, own: &[&Firewall], taken: &[&str]) -> bool {
    let group = asked.iid.system_id.as_str();
    let is_ours = || own.iter().all(|one| marks::is_made_here(&asked.marks, &one.description));
    own.iter().any(|one| is_head(one, group)) || (is_ours() && !taken.contains(&group))
}

/// Has the rule that stands for the group, which denies what others do not let out, switched as it is to be. A group that
/// pmks made and that has lost it gets another one, by which the group is known from then on.
fn head(
    asked: &UpdateSecurityGroup,
    own: &[&Firewall],
    network: &str,
    way: Way,
) -> Option<StageSpecification> {
    let group = asked.iid.system_id.as_str();
    if let Some(head) = own.iter().find(|one| is_head(one, group)) {
        // What changes nothing of that leaves it as somebody may have switched it.
        let disabled = if way.open == way.to_be_open { head.disabled } else { way.to_be_open };
        let switch = Switch { name: head.name.clone(), number: head.id.clone(), disabled };
        let stage = switch.specification("everything else out").expected(EXPECTED);
        return (head.disabled != disabled).then_some(stage);
    }
    let base = security_groups::base(group, network, &asked.marks);
    let head = inserted(&security_groups::head(group, way.to_be_open, base), asked);
    Some(head.stage_of("security group", EXPECTED, ResourceKind::SecurityGroup))
}

/// A denial of what no rule lets out, for a group of somebody else's.
fn denial(
    asked: &UpdateSecurityGroup,
    name: String,
    network: &str,
    findings: &mut Findings,
) -> Option<StageSpecification> {
    if name.len() > LONGEST_NAME {
        let says = format!("the firewall rule {name}, a denial, would have a longer name than Google allows");
        find_everything(("remove", &asked.remove), &says, findings);
        return None;
    }
    let base = security_groups::base(&asked.iid.system_id, network, &asked.marks);
    let denial = security_groups::denial(name, base);
    Some(inserted(&denial, asked).stage("denial of everything else out", EXPECTED))
}

/// A denial of somebody else's by which not everything would leave.
fn find_denial(asked: &UpdateSecurityGroup, own: &[&Firewall], findings: &mut Findings) {
    let name = asked.iid.system_id.as_str();
    let base = security_groups::base(name, "", &asked.marks);
    let allowed = security_groups::of_rule(&Rule::EVERYTHING_OUT, String::new(), base);
    let others: Vec<&Firewall> =
        own.iter().copied().filter(|one| one.name != name).chain([&allowed]).collect();
    if let Some(denial) = security_groups::first_denial(&others) {
        let says = "denies some of it, and comes first: remove that one at Google";
        let says = format!("the firewall rule {} {says}", denial.name);
        find_everything(("add", &asked.add), &says, findings);
    }
}

/// What is wrong with letting everything out, or no longer.
fn find_everything((field, rules): (&str, &[Rule]), says: &str, findings: &mut Findings) {
    let is_it = |(_, rule): &(usize, &Rule)| rule.normal() == Rule::EVERYTHING_OUT;
    for (index, _) in rules.iter().enumerate().filter(is_it) {
        findings.add(format!("{field}[{index}]"), says);
    }
}

/// A firewall rule for each that is missing, under the first names that are free.
fn added(
    asked: &UpdateSecurityGroup,
    standing: &[Rule],
    names: &mut impl Iterator<Item = String>,
    network: &str,
    findings: &mut Findings,
) -> Vec<StageSpecification> {
    let group = asked.iid.system_id.as_str();
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
    use pmks_model::{Direction, Iid, Protocol};

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
        const ALL: Rule = Rule::EVERYTHING_OUT;
        let (ssh, dns) = (rule(Direction::Inbound, 22), rule(Direction::Inbound, 53));
        let out = rule(Direction::Outbound, 443);
        let suffix = marks().suffix();
        // What everything was let out by goes last; what is added closes nothing.
        let open = standing(&[ssh.clone(), ALL]);
        let stages = planned(&open, &[ssh.clone(), dns, out.clone()], &[ssh.clone(), ALL]);
        let wanted = [
            format!("rule web-02-{suffix}"),
            format!("rule web-03-{suffix}"),
            "everything else out".to_owned(),
            format!("removal of web-00-{suffix}"),
            format!("removal of web-01-{suffix}"),
        ];
        assert_eq!(stages.unwrap(), wanted);
        assert_eq!(planned(&open, from_ref(&out), &[]).unwrap(), [format!("rule web-02-{suffix}")]);
        // The last outbound rule goes, and nothing is let out; everything is, once that is asked for.
        let both = standing(&[ssh.clone(), out.clone()]);
        let last_out = planned(&both, &[], from_ref(&out)).unwrap();
        assert_eq!(last_out, [format!("removal of web-01-{suffix}")]);
        let opened = planned(&both, &[ALL], &[]).unwrap();
        assert_eq!(opened, [format!("rule web-02-{suffix}"), "everything else out".to_owned()]);
        assert!(
            planned(&both, &[ssh.clone(), out.clone()], &[rule(Direction::Inbound, 1)]).unwrap().is_empty()
        );
        // One that is switched off stands for the rule; it is enough to switch it on.
        let mut silent = standing(&[ssh.clone(), ALL]);
        silent.pop();
        assert_eq!(planned(&silent, &[], &[ALL]).unwrap(), ["everything else out"]);
        assert!(planned(&silent, &[ALL], &[]).unwrap().is_empty());
        // What stood for the group is gone: another one is as the group is.
        let headless = both[1..].to_vec();
        assert_eq!(planned(&headless, from_ref(&ssh), &[]).unwrap(), ["security group"]);
        let anew = plan_of(&headless, from_ref(&ssh), &[]).unwrap().remove(0);
        assert_eq!(anew.parameters["body"]["disabled"], json!(true), "everything may leave");
        let anew = anew.subject.unwrap();
        assert_eq!((anew.kind, anew.name.as_str()), (ResourceKind::SecurityGroup, "web"));
        let closed = plan_of(&headless, &[], &[ALL]).unwrap().remove(0);
        assert_eq!(closed.parameters["body"]["disabled"], json!(false));
    }

    #[test]
    fn a_group_of_somebody_elses_is_closed_by_a_denial() {
        const ALL: Rule = Rule::EVERYTHING_OUT;
        let (ssh, out) = (rule(Direction::Inbound, 22), rule(Direction::Outbound, 443));
        let suffix = marks().suffix();
        let mut theirs = standing(&[ssh.clone(), out.clone()])[1..].to_vec();
        for one in &mut theirs {
            one.description.clear();
        }
        assert!(planned(&theirs, &[ssh, out, ALL], &[]).unwrap().is_empty());
        let stages = plan_of(&theirs, &[], &[ALL]).unwrap();
        assert_eq!(stages.len(), 1);
        let body = &stages[0].parameters["body"];
        assert_eq!((&body["name"], &body["priority"]), (&json!(format!("web-02-{suffix}")), &json!(65_534)));
        assert_eq!((&body["denied"], &body["disabled"]), (&json!([{"IPProtocol": "all"}]), &json!(false)));
        // CB-Spider's have one already.
        let base = || security_groups::base("web", "projects/p/global/networks/net", &marks());
        let denial = |priority| Firewall {
            priority: Some(priority),
            description: String::new(),
            ..security_groups::denial("web-o-001".into(), base())
        };
        let allows = security_groups::of_rule(&ALL, "web-o-002".into(), base());
        let allows = Firewall { description: String::new(), ..allows };
        assert_eq!(planned(&[denial(65_535), allows], &[], &[ALL]).unwrap(), ["removal of web-o-002"]);
        let opened = planned(&[denial(65_535)], &[ALL], &[]).unwrap();
        assert_eq!(opened, [format!("rule web-00-{suffix}")]);
        let error = planned(&[denial(1000)], &[ALL], &[]).unwrap_err();
        let ErrorKind::InvalidRequest(findings) = error.kind() else { panic!("{error}") };
        let found: Vec<_> =
            findings.iter().map(|finding| (finding.field.as_str(), finding.says.to_string())).collect();
        assert!(found[0].0 == "add[0]" && found[0].1.contains("web-o-001 denies"), "{found:?}");
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
