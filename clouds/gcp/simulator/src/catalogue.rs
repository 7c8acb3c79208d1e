//! The regions, zones, machine types and disk types of the simulated Google Cloud. Pure data.
//!
//! Sources: <https://cloud.google.com/compute/docs/regions-zones>,
//! <https://cloud.google.com/compute/docs/general-purpose-machines>.

/// One region: its name and the letters of its zones.
pub(crate) struct Region {
    pub(crate) name: &'static str,
    zones: &'static str,
}

impl Region {
    /// The names of its zones.
    pub(crate) fn zones(&self) -> impl Iterator<Item = String> + '_ {
        self.zones.chars().map(|letter| format!("{}-{letter}", self.name))
    }
}

/// All regions, each with the number of its block in networks of mode `auto`.
pub(crate) const REGIONS: [Region; 8] = [
    Region { name: "us-central1", zones: "abcf" },
    Region { name: "europe-west1", zones: "bcd" },
    Region { name: "us-east1", zones: "bcd" },
    Region { name: "us-west1", zones: "abc" },
    Region { name: "asia-northeast1", zones: "abc" },
    Region { name: "asia-northeast3", zones: "abc" },
    Region { name: "asia-southeast1", zones: "abc" },
    Region { name: "europe-west4", zones: "abc" },
];

/// The region of this name.
pub(crate) fn region(name: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.name == name)
}

/// The region of a zone.
pub(crate) fn region_of(zone: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.zones().any(|known| known == zone))
}

/// A kind of machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineType {
    pub(crate) name: &'static str,
    pub(crate) cpus: u32,
    pub(crate) memory_mib: u32,
    pub(crate) shared: bool,
    pub(crate) arm: bool,
    /// The type and number of the accelerators that every machine of it has.
    pub(crate) accelerators: Option<(&'static str, u32)>,
}

/// Kinds of machine that every zone has.
pub(crate) const MACHINE_TYPES: [MachineType; 21] = [
    machine("e2-micro", 2, 1024, true, false),
    machine("e2-small", 2, 2048, true, false),
    machine("e2-medium", 2, 4096, true, false),
    machine("e2-standard-2", 2, 8192, false, false),
    machine("e2-standard-4", 4, 16_384, false, false),
    machine("e2-standard-8", 8, 32_768, false, false),
    machine("e2-highmem-2", 2, 16_384, false, false),
    machine("e2-highcpu-4", 4, 4096, false, false),
    machine("n1-standard-1", 1, 3840, false, false),
    machine("n1-standard-2", 2, 7680, false, false),
    machine("n1-standard-4", 4, 15_360, false, false),
    machine("n2-standard-2", 2, 8192, false, false),
    machine("n2-standard-4", 4, 16_384, false, false),
    machine("n2-standard-8", 8, 32_768, false, false),
    machine("n2d-standard-2", 2, 8192, false, false),
    machine("n2d-standard-4", 4, 16_384, false, false),
    machine("c3-standard-4", 4, 16_384, false, false),
    machine("n4-standard-2", 2, 8192, false, false),
    machine("t2a-standard-2", 2, 8192, false, true),
    machine("c4a-standard-2", 2, 8192, false, true),
    MachineType { accelerators: Some(("nvidia-l4", 1)), ..machine("g2-standard-4", 4, 16_384, false, false) },
];

const fn machine(name: &'static str, cpus: u32, memory_mib: u32, shared: bool, arm: bool) -> MachineType {
    MachineType { name, cpus, memory_mib, shared, arm, accelerators: None }
}

/// The machine type of this name.
pub(crate) fn machine_type(name: &str) -> Option<&'static MachineType> {
    MACHINE_TYPES.iter().find(|machine| machine.name == name)
}

/// Kinds of disk: name, default size in GB, valid sizes, description.
pub(crate) const DISK_TYPES: [(&str, u32, &str, &str); 4] = [
    ("pd-standard", 500, "10GB-65536GB", "Standard Persistent Disk"),
    ("pd-balanced", 100, "10GB-65536GB", "Balanced Persistent Disk"),
    ("pd-ssd", 100, "10GB-65536GB", "SSD Persistent Disk"),
    ("hyperdisk-balanced", 100, "4GB-65536GB", "Hyperdisk Balanced"),
];

/// Whether machines of this type take disks of that one: each series has its own.
///
/// Sources: <https://cloud.google.com/compute/docs/disks/persistent-disks#machine_series_support>,
/// <https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support>.
pub(crate) fn takes_disk(machine: &str, disk: &str) -> bool {
    match machine.split('-').next().unwrap_or_default() {
        "n4" | "c4a" => disk == "hyperdisk-balanced",
        "g2" => matches!(disk, "pd-balanced" | "pd-ssd"),
        "c3" => disk != "pd-standard",
        _ => disk != "hyperdisk-balanced",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_has_its_region() {
        assert_eq!(region_of("asia-northeast3-c").map(|region| region.name), Some("asia-northeast3"));
        assert!(region_of("asia-northeast3").is_none() && region_of("asia-northeast3-d").is_none());
        assert_eq!(region("us-central1").unwrap().zones().count(), 4);
    }
}
