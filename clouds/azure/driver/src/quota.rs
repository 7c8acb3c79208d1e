//! Whether a subscription's quotas of processors leave room, with the arithmetic shown. Reads alone.

use std::collections::BTreeMap;

use pmks_driver::{DriverError, ErrorKind};

use crate::PROVIDER;
use crate::machines::{LEAST_VCPUS, Size};
use crate::wire::compute::Usage;

/// The quota of all families together.
const ALL: &str = "cores";

/// Nodes that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The quota of their machine type's family; empty where AKS chooses the machine type.
    family: String,
    /// What each node takes, in words.
    each: String,
    /// The virtual processors of each.
    vcpus: u32,
    /// How many.
    count: u32,
}

impl Wanted {
    /// So many of a machine type.
    pub(crate) fn of(size: &Size, count: u32) -> Self {
        let (name, vcpus) = (&size.machine.name, size.machine.vcpus);
        Self { family: size.family.clone(), each: format!("{vcpus} vCPUs of {name}"), vcpus, count }
    }

    /// So many of the machine type that AKS chooses, by what has capacity and quota then: none has fewer processors.
    ///
    /// Source: <https://learn.microsoft.com/azure/aks/core-aks-concepts#vm-size-and-image>
    pub(crate) fn of_any(count: u32) -> Self {
        let each = format!("{LEAST_VCPUS} vCPUs, the least that AKS chooses");
        Self { family: String::new(), each, vcpus: LEAST_VCPUS, count }
    }
}

/// What is short, a sentence a quota; empty if everything fits.
fn shortages(wanted: &[Wanted], usages: &[Usage]) -> Vec<String> {
    let mut families: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
    for one in wanted.iter().filter(|one| !one.family.is_empty()) {
        families.entry(one.family.as_str()).or_default().push(one);
    }
    let all: Vec<&Wanted> = wanted.iter().collect();
    let quotas = families.into_iter().chain([(ALL, all)]);
    quotas.filter_map(|(name, nodes)| shortage(name, &nodes, usages)).collect()
}

fn shortage(name: &str, nodes: &[&Wanted], usages: &[Usage]) -> Option<String> {
    let usage = usages.iter().find(|usage| usage.name.value.eq_ignore_ascii_case(name))?;
    let needed: i64 = nodes.iter().map(|one| i64::from(one.count) * i64::from(one.vcpus)).sum();
    let free = usage.limit - usage.current_value;
    if needed <= free {
        return None;
    }
    let terms: Vec<String> = nodes.iter().map(|one| format!("{} × {}", one.count, one.each)).collect();
    let says = if usage.name.localized_value.is_empty() { name } else { &usage.name.localized_value };
    Some(format!(
        "{says}: {} = {needed} vCPUs are needed, {free} are free ({} of {} are in use)",
        terms.join(" + "),
        usage.current_value,
        usage.limit
    ))
}

/// Refuses what the quotas have no room for.
///
/// # Errors
/// `QuotaExceeded` with the arithmetic of each quota that is short.
pub(crate) fn check(wanted: &[Wanted], usages: &[Usage]) -> Result<(), DriverError> {
    let short = shortages(wanted, usages);
    if short.is_empty() {
        return Ok(());
    }
    Err(DriverError::new(ErrorKind::QuotaExceeded, PROVIDER, short.join("; ")))
}

#[cfg(test)]
mod tests {
    use pmks_model::MachineType;

    use super::*;

    fn size(name: &str, family: &str, vcpus: u32) -> Size {
        let machine = MachineType { name: name.to_owned(), vcpus, ..MachineType::default() };
        Size { machine, family: family.to_owned(), ..Size::default() }
    }

    fn usage(name: &str, current: i64, limit: i64) -> Usage {
        let mut usage = Usage { current_value: current, limit, ..Usage::default() };
        name.clone_into(&mut usage.name.value);
        usage
    }

    #[test]
    fn the_arithmetic_is_shown() {
        let (d, e) = (
            size("Standard_D4s_v5", "standardDSv5Family", 4),
            size("Standard_E2s_v5", "standardESv5Family", 2),
        );
        let usages =
            [usage("cores", 2, 20), usage("standardDSv5Family", 2, 10), usage("standardESv5Family", 0, 100)];
        let wanted = |nodes_d: u32, nodes_e: u32| [Wanted::of(&d, nodes_d), Wanted::of(&e, nodes_e)];
        assert!(check(&wanted(2, 1), &usages).is_ok());
        let error = check(&wanted(3, 0), &usages).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::QuotaExceeded);
        assert_eq!(
            error.message(),
            "standardDSv5Family: 3 × 4 vCPUs of Standard_D4s_v5 = 12 vCPUs are needed, 8 are free (2 of 10 are in use)"
        );
        let error = check(&wanted(2, 6), &usages).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("cores: 2 × 4 vCPUs of Standard_D4s_v5 + 6 × 2 vCPUs of Standard_E2s_v5 = 20")
        );
        assert!(check(&wanted(99, 0), &[]).is_ok(), "what Azure does not count is left to its answer");
    }

    #[test]
    fn nodes_whose_machine_type_aks_chooses_are_counted_too() {
        let usages = [usage("cores", 2, 20)];
        assert!(check(&[Wanted::of_any(9)], &usages).is_ok());
        let d = size("Standard_D4s_v5", "standardDSv5Family", 4);
        let error = check(&[Wanted::of_any(8), Wanted::of(&d, 1)], &usages).unwrap_err();
        assert_eq!(
            error.message(),
            "cores: 8 × 2 vCPUs, the least that AKS chooses + 1 × 4 vCPUs of Standard_D4s_v5 = 20 vCPUs are needed, \
             18 are free (2 of 20 are in use)"
        );
    }
}
