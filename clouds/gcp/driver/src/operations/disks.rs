//! Which root disks machines take: each series of machine types has its own. Pure.
//!
//! A pair that does not fit is refused by Compute Engine, at the creation or node by node («pd-standard disk type cannot
//! be used by c3-standard-4 machine type.»). Only series whose disks are known are refused here; of others GKE decides.
//!
//! Sources: <https://cloud.google.com/compute/docs/disks/persistent-disks#machine_series_support>,
//! <https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support>

/// The series that take no persistent disk at all.
const HYPERDISK_ALONE: [&str; 5] = ["c4", "c4a", "c4d", "n4", "n4d"];
/// The series that take no balanced hyperdisk.
const NO_BALANCED_HYPERDISK: [&str; 9] = ["e2", "n1", "n2", "n2d", "t2a", "t2d", "c2", "c2d", "f1"];
/// The series that take no standard persistent disk.
const NO_STANDARD: [&str; 2] = ["c3", "c3d"];

/// The series of a machine type: `n2` of `n2-standard-4`.
fn series(machine_type: &str) -> &str {
    machine_type.split('-').next().unwrap_or_default()
}

/// The disk's type as it is sent; empty: left to GKE, whose default is a persistent disk.
pub(super) fn of<'a>(machine_type: &str, asked: &'a str) -> &'a str {
    match asked {
        "" | "default" if HYPERDISK_ALONE.contains(&series(machine_type)) => "hyperdisk-balanced",
        "default" => "",
        asked => asked,
    }
}

/// Why machines of that type cannot have that disk.
pub(super) fn refusal(machine_type: &str, asked: &str) -> Option<String> {
    let series = series(machine_type);
    let refused = match of(machine_type, asked) {
        "hyperdisk-balanced" => NO_BALANCED_HYPERDISK.contains(&series),
        "pd-standard" => NO_STANDARD.contains(&series) || HYPERDISK_ALONE.contains(&series),
        "pd-balanced" | "pd-ssd" => HYPERDISK_ALONE.contains(&series),
        _ => false,
    };
    refused
        .then(|| format!("{asked:?} cannot be used by {machine_type}: the series {series} takes other disks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_takes_its_own_disks() {
        for (machine, disk) in [
            ("e2-medium", "hyperdisk-balanced"),
            ("c3-standard-4", "pd-standard"),
            ("c4a-standard-2", "pd-standard"),
            ("n4-standard-2", "pd-balanced"),
        ] {
            assert!(refusal(machine, disk).is_some(), "{machine} {disk}");
        }
        for (machine, disk) in [
            ("e2-medium", ""),
            ("e2-medium", "pd-standard"),
            ("c3-standard-4", "pd-balanced"),
            ("c3-standard-4", "hyperdisk-balanced"),
            ("n4-standard-2", ""),
            ("n4-standard-2", "default"),
            ("z9-standard-2", "pd-standard"),
        ] {
            assert_eq!(refusal(machine, disk), None, "{machine} {disk}");
        }
    }
}
