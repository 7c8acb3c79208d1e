//! The plan of one more subnetwork, and the stage that every subnetwork is made by.

use std::time::Duration;

use pmks_driver::{CreateSubnet, DriverError, Marks, Prepared, Result, StageSpecification};
use pmks_model::{Cidr, Findings, ResourceKind, SubnetRequest};

use super::insert::Insert;
use crate::api::compute::{Kind, Scope};
use crate::names::{Shared, region_of};
use crate::wire::compute as wire;
use crate::{GcpDriver, PROVIDER, marks, networks};

/// How long a subnetwork usually takes.
const EXPECTED: Duration = Duration::from_secs(20);
/// The longest prefix of a subnetwork.
///
/// Source: <https://cloud.google.com/vpc/docs/subnets#valid-ranges>
const LONGEST_PREFIX: u8 = 29;

/// Checks the network and the addresses, and answers the plan. Two calls.
///
/// # Errors
/// `NotFound` without the network; `InvalidRequest` for addresses that cannot be.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &CreateSubnet) -> Result<Prepared> {
    let request = &asked.request;
    let network = networks::get(driver, &asked.network.system_id).await?;
    let mut findings = Findings::default();
    check("", request, driver.region(), &mut findings);
    for other in &network.subnets {
        if other.cidr.parse().is_ok_and(|cidr: Cidr| cidr.overlaps(request.cidr)) {
            findings.add("cidr", format!("overlaps subnet {} ({})", other.iid.name_id, other.cidr));
        }
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let of = Shared::read("network", &asked.network.system_id, driver.api.project())?;
    Ok(Prepared::of([stage(&of, request, driver.region(), &asked.marks)]))
}

/// What Google asks of a subnetwork. A zone has no meaning; one of the region is let pass.
pub(super) fn check(prefix: &str, request: &SubnetRequest, region: &str, findings: &mut Findings) {
    if request.cidr.prefix() > LONGEST_PREFIX {
        findings.add(
            format!("{prefix}cidr"),
            format!("must be a block of /{LONGEST_PREFIX} or more addresses at Google"),
        );
    }
    if !request.zone.is_empty() && region_of(&request.zone) != region {
        findings.add(format!("{prefix}zone"), format!("{:?} does not lie in {region}", request.zone));
    }
}

/// The stage that makes a subnetwork, named after it.
pub(super) fn stage(
    network: &Shared,
    request: &SubnetRequest,
    region: &str,
    marks: &Marks,
) -> StageSpecification {
    let body = wire::NewSubnetwork {
        name: request.name.clone(),
        description: marks::describe(marks),
        network: network.network_path(),
        ip_cidr_range: request.cidr.to_string(),
    };
    let subnetwork = Insert {
        what: Kind::Subnetwork,
        scope: Scope::region(region),
        name: request.name.clone(),
        // Plain structs of texts always serialize.
        body: serde_json::to_value(body).unwrap_or_default(),
        marks: marks.clone(),
    };
    subnetwork.stage_of(&format!("subnet {}", request.name), EXPECTED, ResourceKind::Subnet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_google_does_not_take_is_a_finding() {
        let of = |cidr: &str, zone: &str| {
            let request = SubnetRequest { name: "s".into(), cidr: cidr.parse().unwrap(), zone: zone.into() };
            let mut findings = Findings::default();
            check("subnets[0].", &request, "r1", &mut findings);
            findings.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        assert!(of("10.0.0.0/29", "").is_empty());
        assert!(of("10.0.0.0/8", "r1-a").is_empty());
        assert_eq!(of("10.0.0.0/30", "r2-a"), ["subnets[0].cidr", "subnets[0].zone"]);
    }
}
