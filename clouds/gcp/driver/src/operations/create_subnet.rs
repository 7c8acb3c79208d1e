//! The plan of one more subnetwork, and the stage that every subnetwork is made by.

use std::time::Duration;

use pmks_driver::{CreateSubnet, DriverError, ErrorKind, Marks, Prepared, Result, StageSpecification};
use pmks_model::{Cidr, Findings, ResourceKind, SubnetRequest};

use super::insert::Insert;
use crate::api::compute::{Kind, Scope};
use crate::names::{Shared, last, region_of};
use crate::wire::compute as wire;
use crate::{GcpDriver, PROVIDER, marks, networks};

/// How long a subnetwork usually takes.
const EXPECTED: Duration = Duration::from_secs(20);
/// The longest prefix of a subnetwork.
///
/// Source: <https://cloud.google.com/vpc/docs/subnets#valid-ranges>
const LONGEST_PREFIX: u8 = 29;

/// Checks the network, the name and the addresses, and answers the plan. Two calls, pages apart.
///
/// # Errors
/// `NotFound` without the network; `InvalidRequest` for addresses that cannot be; `AlreadyExists` for a name that
/// another subnetwork of the region has, in whatever network.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &CreateSubnet) -> Result<Prepared> {
    let request = &asked.request;
    let (network, subnetworks) = networks::get_beside(driver, &asked.network.system_id).await?;
    let mut findings = Findings::default();
    check("", request, driver.region(), &mut findings);
    for other in &network.subnets {
        if other.cidr.parse().is_ok_and(|cidr: Cidr| cidr.overlaps(request.cidr)) {
            findings.add("cidr", format!("overlaps subnet {} ({})", other.iid.name_id, other.cidr));
        }
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    if let Some(says) = taken(&request.name, &asked.marks, &subnetworks) {
        return Err(DriverError::new(
            ErrorKind::AlreadyExists,
            PROVIDER,
            format!("{:?} {says}", request.name),
        ));
    }
    let of = Shared::read("network", &asked.network.system_id, driver.api.project())?;
    Ok(Prepared::of([stage(&of, request, driver.region(), &asked.marks)]))
}

/// What is wrong with the name of a subnetwork to be made: it is unique among those of all networks in the region.
///
/// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks>, `name`
pub(super) fn taken(name: &str, marks: &Marks, subnetworks: &[wire::Subnetwork]) -> Option<String> {
    let other = subnetworks.iter().find(|other| other.name == name)?;
    let network = last(&other.network);
    (!marks::are_in(marks, &other.description)).then(|| {
        format!("is the name of a subnet of network {network:?} already: it is unique in the region")
    })
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
            let request = SubnetRequest {
                name: "s".into(),
                cidr: cidr.parse().unwrap(),
                zone: zone.into(),
                tags: pmks_model::Tags::new(),
            };
            let mut findings = Findings::default();
            check("subnets[0].", &request, "r1", &mut findings);
            findings.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        assert!(of("10.0.0.0/29", "").is_empty());
        assert!(of("10.0.0.0/8", "r1-a").is_empty());
        assert_eq!(of("10.0.0.0/30", "r2-a"), ["subnets[0].cidr", "subnets[0].zone"]);
    }

    #[test]
    fn a_name_is_taken_by_others_of_the_region_and_not_by_what_this_operation_made() {
        let marks = |operation: &str| Marks {
            installation: "i".into(),
            operation: operation.into(),
            uid: "u".into(),
        };
        let standing: Vec<wire::Subnetwork> = serde_json::from_value(serde_json::json!([
            {"name": "a", "network": "https://x/compute/v1/projects/p/global/networks/other", "description": "mine"},
            {"name": "b", "network": "n", "description": marks::describe(&marks("o"))},
        ]))
        .unwrap();
        let taken = |name: &str, operation: &str| taken(name, &marks(operation), &standing);
        assert!(taken("a", "o").unwrap().contains("network \"other\""));
        assert!(taken("b", "another").is_some());
        assert_eq!((taken("b", "o"), taken("c", "o")), (None, None));
    }
}
