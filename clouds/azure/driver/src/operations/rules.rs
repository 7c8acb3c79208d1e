//! The plan of other rules for a network security group that stands: one request replaces the group by what was read of
//! it, with the changes. What our words cannot say of it stays as it is.
//!
//! Source: <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups/create-or-update>

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, Prepared, Result, StageContext, UpdateSecurityGroup,
};
use pmks_model::{Direction, Findings, Rule, Tags};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::delete_resource::refuse_strangers;
use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::security_rules::{self, FIRST_PRIORITY, LAST_PRIORITY, PRIORITY_STEP};
use crate::wire::network as wire;
use crate::{AzureDriver, PROVIDER, incarnations, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<ChangeRules>()];

/// Looks what the group has, and answers the plan. One call.
///
/// # Errors
/// `NotFound`; `Replaced` for another one than is meant; `InvalidRequest` for what Azure has no place for, and for what is a
/// part of a rule that lets through more.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &UpdateSecurityGroup) -> Result<Prepared> {
    let mut stage = ChangeRules { id: driver.security_group_id(&asked.iid.system_id), asked: asked.clone() };
    let raw = stage.body(driver).await?;
    if stage.asked.incarnation.is_empty() {
        incarnations::of_raw(&raw).clone_into(&mut stage.asked.incarnation);
    }
    Ok(Prepared::of([stage.specification("rules")]))
}

/// The rules of a group, changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeRules {
    id: ArmId,
    asked: UpdateSecurityGroup,
}

impl ChangeRules {
    /// The group as it is to be, from what it is now.
    async fn body(&self, driver: &AzureDriver) -> Result<Value> {
        let mut raw = driver.api.raw_security_group(&self.id).await?;
        let tags: Tags = raw.get("tags").and_then(|tags| Tags::deserialize(tags).ok()).unwrap_or_default();
        self.refuse_others(incarnations::of_raw(&raw), &tags)?;
        let standing = raw.pointer("/properties/securityRules").and_then(Value::as_array);
        let rules = changed(standing.map(Vec::as_slice).unwrap_or_default(), &self.asked)?;
        aim::set_property(&mut raw, "securityRules", Value::Array(rules));
        Ok(raw)
    }

    /// # Errors
    /// `Replaced`.
    fn refuse_others(&self, found: &str, tags: &Tags) -> Result<()> {
        aim::refuse_another("security group", self.id.name(), &self.asked.incarnation, found)?;
        refuse_strangers(&self.id, &self.asked.incarnation, found, tags, &self.asked.marks)
    }

    fn look_at(&self, found: &wire::SecurityGroup) -> Look {
        if let Some(look) = aim::busy(&self.id, "", &found.properties.provisioning_state) {
            return look;
        }
        if self.asked.is_there(&networks::security_group(found).rules) {
            return Look::ready(self.id.to_string(), "", Value::Null);
        }
        Look::Absent
    }
}

#[async_trait]
impl Stage<AzureDriver> for ChangeRules {
    const KIND: &'static str = "azure.securityGroup.rules";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let found = driver.api.security_group(&self.id).await?;
        self.refuse_others(incarnations::security_group(&found), &found.tags)?;
        Ok(self.look_at(&found))
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let raw = self.body(driver).await?;
        let accepted = driver.api.update_security_group(&self.id, &raw, aim::unchanged(&raw)).await?;
        Ok(aim::asked(accepted, &self.id))
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "NetworkSecurityGroups.Update", handle).await
    }
}

/// Azure's rules with the changes. The denial of what no rule lets out goes with everything being let out, and comes with
/// that being removed.
fn changed(standing: &[Value], asked: &UpdateSecurityGroup) -> Result<Vec<Value>> {
    let read = |value: &Value| {
        wire::SecurityRule::deserialize(value).map_err(|error| {
            DriverError::new(ErrorKind::Unexpected, PROVIDER, "a rule cannot be read").caused_by(error)
        })
    };
    let read = standing.iter().map(read).collect::<Result<Vec<wire::SecurityRule>>>()?;
    let was_open = security_rules::everything_leaves(&read);
    let opens = !was_open && Rule::let_everything_out(&asked.add);
    let closes = was_open && Rule::let_everything_out(&asked.remove);
    let mut findings = Findings::default();
    let (mut kept, mut raw, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for (value, rule) in standing.iter().zip(read) {
        if opens && security_rules::is_denial(&rule) {
            continue;
        }
        let said = security_rules::our_rules(&rule.properties).unwrap_or_default();
        let stays = said.iter().filter(|rule| !rule.is_among(&asked.remove)).count();
        if stays == 0 && !said.is_empty() {
            continue;
        }
        if stays < said.len() {
            find_parts(&rule.name, &said, asked, &mut findings);
        }
        ours.extend(said);
        raw.push(value.clone());
        kept.push(rule);
    }
    for (index, rule) in asked.add.iter().enumerate() {
        if rule.is_among(&ours) {
            continue;
        }
        match free_place(&kept, rule.direction) {
            Some(priority) => {
                let new = security_rules::azure_rule(rule, priority);
                raw.push(json!(new));
                kept.push(new);
                ours.push(rule.clone());
            }
            None => findings.add(format!("add[{index}]"), "the group has no place left for another rule"),
        }
    }
    if closes && !kept.iter().any(security_rules::denies_everything) {
        match security_rules::denial(&kept) {
            Some(denial) => raw.push(json!(denial)),
            None => find_everything(
                ("remove", &asked.remove),
                "the group has no place left for a denial",
                &mut findings,
            ),
        }
    }
    if opens && let Some(denial) = security_rules::first_denial(&kept) {
        let says = "denies some of it, and comes first: remove that one at Azure";
        find_everything(("add", &asked.add), &format!("Azure's rule {} {says}", denial.name), &mut findings);
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    Ok(raw)
}

/// What is wrong with letting everything out, or no longer.
fn find_everything((field, rules): (&str, &[Rule]), says: &str, findings: &mut Findings) {
    let is_it = |(_, rule): &(usize, &Rule)| rule.normal() == Rule::EVERYTHING_OUT;
    for (index, _) in rules.iter().enumerate().filter(is_it) {
        findings.add(format!("{field}[{index}]"), says);
    }
}

/// What is asked to go and is only a part of one of Azure's rules.
fn find_parts(name: &str, said: &[Rule], asked: &UpdateSecurityGroup, findings: &mut Findings) {
    for (index, _) in asked.remove.iter().enumerate().filter(|(_, rule)| rule.is_among(said)) {
        let says = format!("Azure's rule {name} lets through more than this, and would go as a whole");
        findings.add(format!("remove[{index}]"), says);
    }
}

/// The first place that is free, as rules are laid out at a group's creation, else any that is.
fn free_place(kept: &[wire::SecurityRule], direction: Direction) -> Option<u32> {
    let word = if direction == Direction::Inbound { "inbound" } else { "outbound" };
    let is_free = |priority: &u32| {
        let name = security_rules::rule_name(direction, *priority);
        !kept.iter().any(|rule| {
            let same_way = rule.properties.direction.eq_ignore_ascii_case(word);
            (same_way && rule.properties.priority == *priority) || rule.name.eq_ignore_ascii_case(&name)
        })
    };
    let step = usize::try_from(PRIORITY_STEP).unwrap_or(1);
    let mut laid_out = (FIRST_PRIORITY..=LAST_PRIORITY).step_by(step);
    laid_out.find(is_free).or_else(|| (FIRST_PRIORITY..=LAST_PRIORITY).find(is_free))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use pmks_driver::Marks;
    use pmks_model::{Iid, Protocol};

    use super::*;

    fn rule(port: u16) -> Rule {
        let cidr = "10.0.0.0/8".parse().unwrap();
        Rule {
            direction: Direction::Inbound,
            protocol: Protocol::Tcp,
            from_port: Some(port),
            to_port: None,
            cidr,
        }
    }

    fn asked(add: &[u16], remove: &[u16]) -> UpdateSecurityGroup {
        UpdateSecurityGroup {
            iid: Iid::new("g", "g"),
            incarnation: String::new(),
            add: add.iter().copied().map(rule).collect(),
            remove: remove.iter().copied().map(rule).collect(),
            marks: Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() },
        }
    }

    fn standing() -> Vec<Value> {
        let mut one = json!(security_rules::azure_rule(&rule(22), 100));
        one["etag"] = json!("W/1");
        let mut two = json!(security_rules::azure_rule(&rule(80), 120));
        two["properties"]["destinationPortRange"] = Value::Null;
        two["properties"]["destinationPortRanges"] = json!(["80", "443"]);
        let mut deny = json!(security_rules::azure_rule(&rule(25), 110));
        deny["properties"]["access"] = json!("Deny");
        vec![one, two, deny]
    }

    #[test]
    fn rules_come_and_go_and_what_we_cannot_say_stays() {
        let after = changed(&standing(), &asked(&[443, 8080], &[22, 99])).unwrap();
        assert_eq!(after[..2], standing()[1..]);
        // Port 443 stood already; the place of what went is free again.
        assert_eq!(after[2..], [json!(security_rules::azure_rule(&rule(8080), 100))]);
        let same = changed(&standing(), &asked(&[22, 80, 443], &[99])).unwrap();
        assert_eq!(same, standing());
        let next = changed(&standing(), &asked(&[1, 2], &[])).unwrap();
        let places: Vec<&Value> = next[3..].iter().map(|rule| &rule["properties"]["priority"]).collect();
        assert_eq!(places, [&json!(130), &json!(140)]);
    }

    #[test]
    fn a_part_of_a_rule_does_not_go_alone() {
        let error = changed(&standing(), &asked(&[], &[22, 443])).unwrap_err();
        let ErrorKind::InvalidRequest(findings) = error.kind() else { panic!("{error}") };
        let found: Vec<&str> = findings.iter().map(|finding| finding.field.as_str()).collect();
        assert_eq!(found, ["remove[1]"]);
        let both = changed(&standing(), &asked(&[], &[80, 443])).unwrap();
        assert_eq!(both.len(), 2);
    }

    /// What a group has after a change, in our words, and the names of its rules at Azure.
    fn after(
        standing: &[Value],
        add: &[Rule],
        remove: &[Rule],
    ) -> Result<(Vec<Value>, Vec<Rule>, Vec<String>)> {
        let asked = UpdateSecurityGroup { add: add.to_vec(), remove: remove.to_vec(), ..asked(&[], &[]) };
        let raw = changed(standing, &asked)?;
        let read: Vec<wire::SecurityRule> =
            raw.iter().map(|rule| wire::SecurityRule::deserialize(rule).unwrap()).collect();
        let rules = security_rules::read(&read, &mut pmks_model::KeyValueList::default());
        Ok((raw, rules, read.into_iter().map(|rule| rule.name).collect()))
    }

    #[test]
    fn the_denial_is_there_while_not_everything_may_leave() {
        let all = [Rule::EVERYTHING_OUT];
        let https = Rule { direction: Direction::Outbound, ..rule(443) }.normal();
        let raw =
            |rules: &[Rule]| security_rules::rules(rules).iter().map(|rule| json!(rule)).collect::<Vec<_>>();
        // One that adds closes nothing; what closes is the end of everything.
        let (open, rules, names) = after(&raw(&all), slice::from_ref(&https), &[]).unwrap();
        assert_eq!((rules, names.len()), (vec![Rule::EVERYTHING_OUT, https.clone()], 2));
        let (closed, rules, names) = after(&open, &[], &all).unwrap();
        assert_eq!(
            (rules, names.join(" ")),
            (vec![https.clone()], "outbound-110 deny-other-outbound".into())
        );
        // The last one that goes opens nothing.
        let (none, rules, names) = after(&closed, &[], slice::from_ref(&https)).unwrap();
        assert_eq!((rules, names.join(" ")), (Vec::new(), "deny-other-outbound".into()));
        let (_, rules, names) = after(&none, &all, &[]).unwrap();
        assert_eq!((rules, names.join(" ")), (all.to_vec(), "outbound-100".into()));
        // A group of somebody else's that says nothing lets everything out.
        let (_, rules, names) = after(&[], &[], &all).unwrap();
        assert_eq!((rules, names.join(" ")), (Vec::new(), "deny-other-outbound".into()));
    }

    #[test]
    fn a_group_of_somebody_elses_keeps_its_own_denial() {
        let all = [Rule::EVERYTHING_OUT];
        let mut allows = json!(security_rules::azure_rule(&Rule::EVERYTHING_OUT, 101));
        allows["name"] = json!("allow-outbound");
        let mut denies = allows.clone();
        denies["name"] = json!("deny-outbound");
        denies["properties"]["access"] = json!("Deny");
        denies["properties"]["priority"] = json!(4096);
        let (closed, rules, names) = after(&[denies.clone(), allows.clone()], &[], &all).unwrap();
        assert_eq!((rules, names.join(" ")), (Vec::new(), "deny-outbound".into()));
        let (_, rules, names) = after(&closed, &all, &[]).unwrap();
        assert_eq!((rules, names.join(" ")), (all.to_vec(), "deny-outbound outbound-100".into()));
        denies["properties"]["priority"] = json!(100);
        let error = after(&[denies], &all, &[]).unwrap_err();
        let ErrorKind::InvalidRequest(findings) = error.kind() else { panic!("{error}") };
        let found: Vec<_> =
            findings.iter().map(|finding| (finding.field.as_str(), finding.says.to_string())).collect();
        assert!(found[0].0 == "add[0]" && found[0].1.contains("deny-outbound denies"), "{found:?}");
    }

    #[test]
    fn places_run_out() {
        let full: Vec<wire::SecurityRule> = (FIRST_PRIORITY..=LAST_PRIORITY)
            .map(|place| security_rules::azure_rule(&rule(1), place))
            .collect();
        assert_eq!(free_place(&full, Direction::Inbound), None);
        assert_eq!(free_place(&full, Direction::Outbound), Some(100));
        assert_eq!(free_place(&full[1..], Direction::Inbound), Some(100));
        let uneven: Vec<wire::SecurityRule> =
            full.iter().filter(|rule| rule.properties.priority != 4095).cloned().collect();
        assert_eq!(free_place(&uneven, Direction::Inbound), Some(4095));
    }
}
