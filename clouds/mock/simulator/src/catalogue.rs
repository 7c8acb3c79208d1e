//! What the Mock cloud offers: the regions, machine types and images of CB-Spider's Mock, and Kubernetes versions.
//!
//! Source: <https://github.com/cloud-barista/cb-spider/tree/master/cloud-control-manager/cloud-driver/drivers/mock/resources>

use serde_json::{Value, json};

/// The regions that are listed. Any other name is a region too, as with CB-Spider, whose scripts use `default`.
const REGIONS: [&str; 8] = ["default", "mercury", "venus", "mars", "jupiter", "saturn", "uranus", "neptune"];

/// A machine type: name, processors, memory in MiB, accelerators.
pub(crate) type MachineType = (&'static str, u32, u64, u32);

const MACHINE_TYPES: [MachineType; 4] = [
    ("mock-vmspec-01", 4, 32_768, 2),
    ("mock-vmspec-02", 4, 32_768, 1),
    ("mock-vmspec-03", 8, 62_464, 0),
    ("mock-vmspec-04", 8, 1_024, 0),
];

/// Name, architecture, operating system, and what it is.
const IMAGES: [(&str, &str, &str, &str); 5] = [
    ("mock-vmimage-01", "x86_64", "linux", "Ubuntu 18.04"),
    ("mock-vmimage-02", "arm64", "linux", "CentOS 8"),
    ("mock-vmimage-03", "x86_64", "windows", "Windows Server 2019"),
    ("mock-vmimage-04", "arm64", "linux", "Ubuntu 22.04"),
    ("mock-vmimage-05", "x86_64", "linux", "Amazon Linux 2"),
];

/// The minors of Kubernetes 1 on offer: CB-Spider's Mock takes any, so old ones are here too.
const MINORS: std::ops::RangeInclusive<u32> = 24..=35;
/// The one that is taken where none is named.
const DEFAULT_MINOR: u32 = 34;
/// The one patch of every minor.
const PATCH: u32 = 3;

/// The zones of a region.
pub(crate) fn zones(region: &str) -> [String; 3] {
    [1, 2, 3].map(|number| format!("{region}-z{number}"))
}

/// The machine type of that name.
pub(crate) fn machine_type(name: &str) -> Option<MachineType> {
    MACHINE_TYPES.into_iter().find(|(known, ..)| *known == name)
}

/// Major, minor and patch of a version that is offered.
pub(crate) fn version(text: &str) -> Option<(u32, u32, u32)> {
    MINORS
        .map(|minor| (1, minor, PATCH))
        .find(|(major, minor, patch)| text == format!("{major}.{minor}.{patch}"))
}

/// All of it, as one answer. `region` is the caller's.
pub(crate) fn view(region: &str) -> Value {
    let own = (!REGIONS.contains(&region)).then_some(region);
    let regions = REGIONS.into_iter().chain(own).map(|name| json!({"name": name, "zones": zones(name)}));
    let machine_types = MACHINE_TYPES.into_iter().map(|(name, vcpus, memory, gpus)| {
        json!({"name": name, "vcpus": vcpus, "memoryMib": memory, "gpus": gpus, "architecture": "x86_64"})
    });
    let images = IMAGES.into_iter().map(|(name, architecture, system, says)| {
        json!({"name": name, "architecture": architecture, "operatingSystem": system, "description": says})
    });
    let versions = MINORS
        .map(|minor| json!({"version": format!("1.{minor}.{PATCH}"), "default": minor == DEFAULT_MINOR}));
    json!({
        "regions": regions.collect::<Vec<_>>(),
        "machineTypes": machine_types.collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
        "versions": versions.collect::<Vec<_>>(),
    })
}
