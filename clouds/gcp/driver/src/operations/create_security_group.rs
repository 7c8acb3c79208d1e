//! The plan of a security group: the firewall rule that stands for it, then one for each of its rules.

use std::time::Duration;

use pmks_driver::{CreateSecurityGroup, DriverError, Prepared, Result, StageSpecification};
use pmks_model::{Findings, ResourceKind, Rule};

use super::aim;
use super::insert::Insert;
use crate::api::compute::{Kind, Scope};
use crate::names::Shared;
use crate::wire::compute::Firewall;
use crate::{GcpDriver, PROVIDER, marks, security_groups};

/// The stage that makes the group itself.
const GROUP: &str = "security group";
/// How long a firewall rule usually takes.
const EXPECTED: Duration = Duration::from_secs(15);
/// The names of a group's rules count them with three digits at most.
const MOST_RULES: usize = 1000;

/// Checks the network and the name, and answers the plan. Two calls, pages apart.
///
/// # Errors
/// `NotFound` without the network; `AlreadyExists` for a stranger's firewall rule of that name.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &CreateSecurityGroup) -> Result<Prepared> {
    let project = driver.api.project();
    let network = Shared::read("network", &asked.request.network.system_id, project)?;
    let (_, firewalls) = futures::try_join!(driver.api.get_network(&network), driver.api.list_firewalls())?;
    if asked.request.rules.len() > MOST_RULES {
        let mut findings = Findings::default();
        findings.add("rules", format!("at most {MOST_RULES}"));
        return Err(DriverError::invalid(PROVIDER, findings));
    }
    let name = &asked.request.name;
    let is_stranger =
        |found: &Firewall| found.name == *name && !marks::are_in(&asked.marks, &found.description);
    if firewalls.iter().any(is_stranger) {
        return Err(aim::taken("firewall rule", name));
    }
    let prepared = Prepared::of(plan(asked, &network));
    let open = Rule::let_everything_out(&asked.request.rules);
    let says =
        "not everything is to leave, so what no rule lets out is denied; Google would let everything out";
    Ok(if open { prepared } else { prepared.notice(says) })
}

fn plan(asked: &CreateSecurityGroup, network: &Shared) -> Vec<StageSpecification> {
    let request = &asked.request;
    let firewalls =
        security_groups::firewalls(&request.name, &network.network_path(), &request.rules, &asked.marks);
    let insert = |firewall: &Firewall| Insert {
        what: Kind::Firewall,
        scope: Scope::global(),
        name: firewall.name.clone(),
        // Plain structs of texts always serialize.
        body: serde_json::to_value(firewall).unwrap_or_default(),
        marks: asked.marks.clone(),
    };
    let mut stages = Vec::new();
    for (index, firewall) in firewalls.iter().enumerate() {
        stages.push(match index {
            0 => insert(firewall).stage_of(GROUP, EXPECTED, ResourceKind::SecurityGroup),
            rule => insert(firewall).stage(&format!("rule {rule}"), EXPECTED).after([GROUP]),
        });
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmks_driver::Plan;
    use serde_json::json;

    #[test]
    fn a_group_is_made_before_its_rules() {
        let rule = json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "cidr": "10.0.0.0/8"});
        let asked: CreateSecurityGroup = serde_json::from_value(json!({
            "request": {"name": "web", "network": {"nameId": "net", "systemId": "net"}, "rules": [rule]},
            "marks": {"installation": "i", "operation": "o", "uid": "u"},
        }))
        .unwrap();
        let plan = Plan::of(plan(&asked, &Shared { project: "p".into(), name: "net".into() }));
        assert_eq!(plan.defect(), None);
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["security group", "rule 1"]);
        let body = &plan.stages[1].parameters["body"];
        assert_eq!(body["allowed"], json!([{"IPProtocol": "tcp", "ports": ["22"]}]));
        assert_eq!(body["targetTags"], json!(["web"]));
        assert_eq!(body.get("id"), None);
        assert_eq!(plan.stages[0].parameters["body"]["denied"], json!([{"IPProtocol": "all"}]));
    }
}
