//! Whether a subscription's quotas of processors leave room, with the arithmetic shown. Reads alone.

use std::collections::BTreeMap;

use pmks_driver::{DriverError, ErrorKind};

use crate::PROVIDER;
use crate::machines::Size;
use crate::wire::compute::Usage;

/// The quota of all families together.
const ALL: &str = "cores";

/// Nodes that are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Their machine type.
    pub(crate) size: &'a Size,
    /// How many.
    pub(crate) count: u32,
}

/// What is short, a sentence a quota; empty if everything fits.
fn shortages(wanted: &[Wanted<'_>], usages: &[Usage]) -> Vec<String> {
    let mut families: BTreeMap<&str, Vec<&Wanted<'_>>> = BTreeMap::new();
    for one in wanted {
        families.entry(one.size.family.as_str()).or_default().push(one);
    }
    let all: Vec<&Wanted<'_>> = wanted.iter().collect();
    let quotas = families.into_iter().chain([(ALL, all)]);
    quotas.filter_map(|(name, nodes)| shortage(name, &nodes, usages)).collect()
}

fn shortage(name: &str, nodes: &[&Wanted<'_>], usages: &[Usage]) -> Option<String> {
    let usage = usages.iter().find(|usage| usage.name.value.eq_ignore_ascii_case(name))?;
    let needed: i64 = nodes.iter().map(|one| i64::from(one.count) * i64::from(one.size.machine.vcpus)).sum();
    let free = usage.limit - usage.current_value;
    if needed <= free {
        return None;
    }
    let terms: Vec<String> = nodes
        .iter()
        .map(|one| format!("{} × {} vCPUs of {}", one.count, one.size.machine.vcpus, one.size.machine.name))
        .collect();
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
pub(crate) fn check(wanted: &[Wanted<'_>], usages: &[Usage]) -> Result<(), DriverError> {
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
        let wanted = |nodes_d: u32, nodes_e: u32| {
            [Wanted { size: &d, count: nodes_d }, Wanted { size: &e, count: nodes_e }]
        };
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
}
