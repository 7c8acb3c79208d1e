//! What operations of the kill matrix make of the simulated Google Cloud, by kind of row: all of it, where records and
//! nodes do not say it.

use pmks_model::OperationKind;

/// By kind of row, how many more.
pub(crate) fn change(kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
    match kind {
        // A network brings its route to the Internet.
        OperationKind::NetworkCreate => Some(&[("network", 1), ("route", 1), ("subnetwork", 2)]),
        // One rule stands for the group, and there is one more for each of its rules.
        OperationKind::SecurityGroupCreate => Some(&[("firewall", 4)]),
        _ => None,
    }
}
