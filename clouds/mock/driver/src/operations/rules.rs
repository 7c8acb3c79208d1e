//! The plan of other rules for a security group that stands: one request with what comes and what goes.

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Prepared, Result, Stage, StageContext, UpdateSecurityGroup};
use pmks_model::{Rule, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::target::gone;
use super::{EXPECTED, asked, follow};
use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, convert};

/// Looks that the group is there, and answers the plan.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn prepare(driver: &MockDriver, asked: &UpdateSecurityGroup) -> Result<Prepared> {
    driver.api.get(Kind::SecurityGroup, &asked.iid.system_id).await?;
    let stage = ChangeRules { asked: asked.clone() };
    Ok(Prepared::of([stage.specification("rules").expected(EXPECTED)]))
}

/// The rules of a group, changed. Identifiers are never given again: the group is the one that is meant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeRules {
    asked: UpdateSecurityGroup,
}

impl ChangeRules {
    fn look_at(&self, found: &Thing) -> Look {
        let id = found.id.as_str();
        match convert::status(&found.state) {
            Status::Deleting => Look::failed(id, id, gone(Kind::SecurityGroup, &found.name)),
            Status::Active if self.asked.is_there(&found.rules) => Look::ready(id, id, Value::Null),
            Status::Active | Status::Failed => Look::Absent,
            _ => Look::pending(id, id, format!("it is {}", found.state)),
        }
    }

    /// What is missing comes in one form; what goes is written as it stands.
    fn body(&self, found: &Thing) -> Value {
        let add: Vec<Rule> = self.asked.missing(&found.rules).map(Rule::normal).collect();
        let remove: Vec<&Rule> =
            found.rules.iter().filter(|rule| rule.is_among(&self.asked.remove)).collect();
        json!({"addRules": add, "removeRules": remove})
    }
}

#[async_trait]
impl Stage<MockDriver> for ChangeRules {
    const KIND: &'static str = "mock.rules";

    async fn look(&self, driver: &MockDriver, _: &StageContext) -> Result<Look> {
        let found = driver.api.get(Kind::SecurityGroup, &self.asked.iid.system_id).await?;
        Ok(self.look_at(&found))
    }

    async fn ask(&self, driver: &MockDriver, _: &StageContext) -> Result<Asked> {
        let found = driver.api.get(Kind::SecurityGroup, &self.asked.iid.system_id).await?;
        driver.api.update(Kind::SecurityGroup, &found.id, &self.body(&found)).await.map(asked)
    }

    async fn poll(&self, driver: &MockDriver, _: &StageContext, handle: &Handle) -> Result<Poll> {
        follow(driver, handle).await
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::Marks;
    use pmks_model::{Direction, Iid, Protocol};

    use super::*;

    fn rule(port: u16, to_port: Option<u16>) -> Rule {
        let cidr = "10.0.0.0/8".parse().unwrap();
        Rule { direction: Direction::Inbound, protocol: Protocol::Tcp, from_port: Some(port), to_port, cidr }
    }

    #[test]
    fn only_what_differs_is_asked_for() {
        let change = ChangeRules {
            asked: UpdateSecurityGroup {
                iid: Iid::new("g", "g-1"),
                incarnation: String::new(),
                add: vec![rule(22, None), rule(443, None)],
                remove: vec![rule(80, Some(80)), rule(81, None)],
                marks: Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() },
            },
        };
        let rules = vec![rule(22, Some(22)), rule(80, None)];
        let found = Thing { state: "Active".to_owned(), rules, ..Thing::default() };
        assert_eq!(
            change.body(&found),
            json!({"addRules": [rule(443, Some(443))], "removeRules": [rule(80, None)]})
        );
        assert!(matches!(change.look_at(&found), Look::Absent));
        let after = Thing { rules: vec![rule(22, None), rule(443, Some(443))], ..found.clone() };
        assert!(format!("{:?}", change.look_at(&after)).contains("Ready"));
        let busy = Thing { state: "Updating".to_owned(), ..found };
        assert!(format!("{:?}", change.look_at(&busy)).contains("Pending"));
    }
}
