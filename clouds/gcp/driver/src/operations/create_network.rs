//! The plan of a network: the network, without subnetworks of Google's own making, then the user's, each a stage of its
//! own. The routes that it needs to the internet Google makes with it.
//!
//! Source: <https://cloud.google.com/vpc/docs/vpc>

use std::time::Duration;

use pmks_driver::{CreateNetwork, DriverError, Marks, Prepared, Result, StageSpecification};
use pmks_model::{Cidr, Findings, ResourceKind, SubnetRequest};

use super::insert::Insert;
use super::{aim, create_subnet};
use crate::api::compute::{Kind, Scope};
use crate::names::Shared;
use crate::prerequisites::COMPUTE;
use crate::wire::compute as wire;
use crate::{GcpDriver, PROVIDER, marks, prerequisites};

/// The stage that the subnetworks wait for.
const NETWORK: &str = "network";
/// How long a network usually takes.
const EXPECTED: Duration = Duration::from_secs(20);

/// Checks names and addresses, and answers the plan. Three calls, pages apart.
///
/// # Errors
/// `InvalidRequest` for addresses that Google does not take, and for subnets whose names others of the region have;
/// `AlreadyExists` for a stranger's network of that name.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &CreateNetwork) -> Result<Prepared> {
    prerequisites::check(driver, &[COMPUTE]).await?;
    let (networks, subnetworks) =
        futures::try_join!(driver.api.list_networks(), driver.api.list_subnetworks(driver.region()))?;
    let mut findings = Findings::default();
    for (index, subnet) in asked.request.subnets.iter().enumerate() {
        let prefix = format!("subnets[{index}].");
        create_subnet::check(&prefix, subnet, driver.region(), &mut findings);
        let taken = create_subnet::taken(&subnet.name, &marks_of(asked, subnet), &subnetworks);
        findings.add_some(format!("{prefix}name"), taken);
    }
    if !asked.request.tags.is_empty() {
        findings.add("tags", "networks of Google carry no labels");
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let name = &asked.request.name;
    let is_stranger =
        |found: &wire::Network| found.name == *name && !marks::are_in(&asked.marks, &found.description);
    if networks.iter().any(is_stranger) {
        return Err(aim::taken("network", name));
    }
    let prepared = Prepared::of(plan(asked, driver.api.project(), driver.region()));
    let block = asked.request.cidr;
    if block == Cidr::ALL {
        return Ok(prepared);
    }
    Ok(prepared.notice(format!(
        "a network of Google has no addresses of its own: {block} is what its subnets lie in"
    )))
}

fn plan(asked: &CreateNetwork, project: &str, region: &str) -> Vec<StageSpecification> {
    let (request, own) = (&asked.request, &asked.marks);
    let body = wire::NewNetwork {
        name: request.name.clone(),
        description: marks::describe(own),
        auto_create_subnetworks: false,
    };
    let network = Insert {
        what: Kind::Network,
        scope: Scope::global(),
        name: request.name.clone(),
        // Plain structs of texts always serialize.
        body: serde_json::to_value(body).unwrap_or_default(),
        marks: own.clone(),
    };
    let mut stages = vec![network.stage_of(NETWORK, EXPECTED, ResourceKind::Network)];
    let of = Shared { project: project.to_owned(), name: request.name.clone() };
    for subnet in &request.subnets {
        stages.push(create_subnet::stage(&of, subnet, region, &marks_of(asked, subnet)).after([NETWORK]));
    }
    stages
}

/// The marks of one of its subnets.
fn marks_of(asked: &CreateNetwork, subnet: &SubnetRequest) -> Marks {
    let uid = asked.subnet_uids.get(&subnet.name).unwrap_or(&asked.marks.uid);
    Marks { uid: uid.clone(), ..asked.marks.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmks_driver::{Effect, Identity, Plan};
    use serde_json::json;

    #[test]
    fn the_plan_is_sound_and_everything_it_makes_is_marked() {
        let asked: CreateNetwork = serde_json::from_value(json!({
            "request": {"name": "net", "cidr": "10.0.0.0/16", "subnets": [{"name": "a", "cidr": "10.0.0.0/24"}]},
            "marks": {"installation": "i", "operation": "o", "uid": "u"}, "subnetUids": {"a": "ua"},
        }))
        .unwrap();
        let plan = Plan::of(plan(&asked, "p", "r1"));
        assert_eq!(plan.defect(), None);
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["network", "subnet a"]);
        let bodies: Vec<_> = plan.stages.iter().map(|stage| &stage.parameters["body"]).collect();
        assert_eq!(
            *bodies[0],
            json!({"name": "net", "autoCreateSubnetworks": false,
            "description": "Made by pmks. pmks-installation=i pmks-operation=o pmks-uid=u"})
        );
        assert_eq!(
            *bodies[1],
            json!({"name": "a", "ipCidrRange": "10.0.0.0/24", "network": "projects/p/global/networks/net",
            "description": "Made by pmks. pmks-installation=i pmks-operation=o pmks-uid=ua"})
        );
        for stage in &plan.stages {
            assert_eq!(stage.effect, Effect::Idempotent);
            assert!(matches!(stage.identity, Identity::Token { .. }));
        }
        assert_eq!(plan.stages[1].parameters["scope"], "regions/r1");
    }
}
