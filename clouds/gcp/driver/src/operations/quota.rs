//! What node groups need of the region's quotas, before anything is asked for: Google would refuse only when half is
//! made. Pure.
//!
//! Source: <https://cloud.google.com/compute/resource-usage>

use std::collections::BTreeMap;

use pmks_driver::{DriverError, ErrorKind, Result};
use pmks_model::{MachineType, NodeGroupRequest};

use super::disks;
use crate::PROVIDER;
use crate::wire::compute::Region;

/// What the nodes of one node group need to begin with, by quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    node_group: String,
    of: BTreeMap<String, u64>,
}

impl Need {
    /// Of that many nodes of a machine type, each with a disk.
    pub(super) fn of(group: &NodeGroupRequest, machine: &MachineType, disk_gib: u32) -> Self {
        let nodes = u64::from(group.scaling.desired);
        let disk = match disks::of(&machine.name, &group.root_disk_type) {
            "pd-standard" => "DISKS_TOTAL_GB",
            "hyperdisk-balanced" => "HDB_TOTAL_GB",
            _ => "SSD_TOTAL_GB",
        };
        let of = BTreeMap::from([
            (processors(&machine.name), nodes * u64::from(machine.vcpus)),
            ("IN_USE_ADDRESSES".to_owned(), nodes),
            (disk.to_owned(), nodes * u64::from(disk_gib)),
        ]);
        Self { node_group: group.name.clone(), of }
    }
}

/// The quota of a machine family's processors: old families share one.
fn processors(machine: &str) -> String {
    match machine.split('-').next().unwrap_or_default() {
        "e2" | "n1" | "f1" | "g1" | "custom" | "" => "CPUS".to_owned(),
        family => format!("{}_CPUS", family.to_ascii_uppercase()),
    }
}

/// Whether all of it fits into what the region has left.
///
/// # Errors
/// `QuotaExceeded` with the arithmetic.
pub(super) fn check(region: &Region, needs: &[Need]) -> Result<()> {
    let mut total: BTreeMap<&str, u64> = BTreeMap::new();
    for (metric, count) in needs.iter().flat_map(|need| &need.of) {
        *total.entry(metric).or_default() += count;
    }
    let mut short = Vec::new();
    for quota in &region.quotas {
        let Some(needed) = total.get(quota.metric.as_str()) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "no quota is near 2^52")]
        let over = *needed as f64 > quota.limit - quota.usage;
        if over {
            let left = (quota.limit - quota.usage).max(0.0);
            short.push(format!(
                "{} of {}: {needed} needed, {left} left of {} ({} in use)",
                quota.metric,
                region.name,
                quota.limit,
                // Nothing may come as -0.
                quota.usage + 0.0
            ));
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    let groups: Vec<&str> = needs.iter().map(|need| need.node_group.as_str()).collect();
    let message = format!("the quotas do not hold {}: {}", groups.join(", "), short.join("; "));
    Err(DriverError::new(ErrorKind::QuotaExceeded, PROVIDER, message).with_action("compute.regions.get"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::compute::Quota;
    use serde_json::json;

    fn need(machine: &str, vcpus: u32, nodes: u32, disk: &str) -> Need {
        let group = json!({"name": "ga", "rootDiskType": disk,
            "scaling": {"autoScaling": false, "min": 0, "max": 9, "desired": nodes}});
        let machine = MachineType { name: machine.into(), vcpus, ..MachineType::default() };
        Need::of(&serde_json::from_value(group).unwrap(), &machine, 100)
    }

    fn region(quotas: &[(&str, f64, f64)]) -> Region {
        let quota = |(metric, limit, usage): &(&str, f64, f64)| Quota {
            metric: (*metric).to_owned(),
            limit: *limit,
            usage: *usage,
        };
        Region { name: "r1".into(), quotas: quotas.iter().map(quota).collect(), ..Region::default() }
    }

    #[test]
    fn what_does_not_fit_is_shown_with_the_arithmetic() {
        let needs = [need("e2-standard-4", 4, 3, ""), need("n2d-standard-2", 2, 2, "pd-standard")];
        assert!(check(&region(&[]), &needs).is_ok());
        assert!(check(&region(&[("CPUS", 24.0, 12.0), ("N2D_CPUS", 4.0, 0.0)]), &needs).is_ok());
        let error =
            check(&region(&[("CPUS", 24.0, 13.0), ("IN_USE_ADDRESSES", 8.0, 3.0)]), &needs).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::QuotaExceeded);
        assert!(error.message().contains("CPUS of r1: 12 needed, 11 left of 24 (13 in use)"), "{error}");
        assert!(!error.message().contains("IN_USE_ADDRESSES"));
        let error = check(&region(&[("SSD_TOTAL_GB", 250.0, -0.0)]), &needs).unwrap_err();
        assert!(error.message().contains("250 left of 250 (0 in use)"), "{error}");
        assert!(check(&region(&[("DISKS_TOTAL_GB", 200.0, 0.0)]), &needs).is_ok());
    }
}
