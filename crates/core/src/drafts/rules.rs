//! The draft of other rules for a security group that stands: what is to go is named as it stands.

use pmks_driver::{Change, UpdateSecurityGroup, validate};
use pmks_model::{Failure, FailureKind, Findings, ResourceKind, Rule, Says, SecurityGroup};
use pmks_store::Resource;

use super::{Draft, Drafting};
use crate::incarnations::told;
use crate::records::observed;
use crate::resolve::{self, iid};
use crate::{NewRule, Result};

impl Drafting<'_> {
    pub(super) async fn update_security_group(
        &self,
        name: &str,
        add: &[NewRule],
        remove: &[NewRule],
    ) -> Result<Draft> {
        let record = self.records().get(ResourceKind::SecurityGroup, None, name).await?;
        let mut findings = Findings::default();
        let mut resolved = |field: &str, rules: &[NewRule]| -> Vec<Rule> {
            let rules = rules.iter().enumerate();
            rules.map(|(at, rule)| resolve::rule(&format!("{field}[{at}]"), rule, &mut findings)).collect()
        };
        let (add, remove) = (resolved("add", add), resolved("remove", remove));
        let asked = UpdateSecurityGroup {
            iid: iid(&record),
            incarnation: told(&record).to_owned(),
            add,
            remove,
            marks: self.marks(record.uid),
        };
        let mut change = Change::UpdateSecurityGroup(asked);
        // What is wrong by itself is said first.
        let is_sound = findings.is_empty() && validate(&change, self.at.driver.capabilities()).is_empty();
        if let Change::UpdateSecurityGroup(asked) = &mut change
            && is_sound
        {
            asked.remove = self.standing(&record, std::mem::take(&mut asked.remove)).await?;
        }
        let reference = self.reference(ResourceKind::SecurityGroup, &record.name);
        let mut draft = self.draft_of(reference, record.uid, change);
        draft.findings = findings;
        Ok(draft)
    }

    /// What the group has of these rules, which are to go: each as it is named, or the rules that together are exactly it.
    /// While something goes on with the group nobody knows what it will have.
    ///
    /// # Errors
    /// `NotFound` for a rule that it does not have: its removal would be said to be done, and what it is about may stay
    /// open by others.
    async fn standing(&self, group: &Resource, remove: Vec<Rule>) -> Result<Vec<Rule>> {
        let Some(system_id) = group.system_id.as_deref().filter(|_| !remove.is_empty()) else {
            return Ok(remove);
        };
        if self.shared.memory.kept().activity().is_about(group.uid) {
            return Ok(remove);
        }
        let read = self.at.driver.get_security_group(system_id).await.ok();
        let Some(seen) = read.or_else(|| observed::<SecurityGroup>(group)) else { return Ok(remove) };
        let mut standing: Vec<Rule> = Vec::new();
        for rule in &remove {
            let own = rule.made_of(&seen.rules);
            if own.is_empty() {
                return Err(no_such_rule(&group.name, rule, &seen.rules));
            }
            for part in own.into_iter().map(Rule::normal) {
                if !part.is_among(&standing) {
                    standing.push(part);
                }
            }
        }
        Ok(standing)
    }
}

/// That a group has no such rule, and which of its rules let through what it says, or some of it.
fn no_such_rule(group: &str, rule: &Rule, rules: &[Rule]) -> Box<Failure> {
    let says = Says::kind(ResourceKind::SecurityGroup).text(format!(" {group:?} has no rule {rule}"));
    let parts: Vec<String> =
        rules.iter().filter(|known| known.overlaps(rule)).map(ToString::to_string).collect();
    let (says, fix) = if let Some(wider) = rules.iter().find(|known| known.covers(rule)) {
        let fix = "remove that one, and add what is to stay of it";
        (says.text(format!(" by itself: {wider} lets it through")), fix)
    } else if parts.is_empty() {
        (says, "remove rules as the group has them")
    } else {
        let fix = "remove these, and add what is to stay of them";
        (says.text(format!(" by itself: it has {}", parts.join("; "))), fix)
    };
    Box::new(Failure::new(FailureKind::NotFound, says).with_fix(fix))
}
