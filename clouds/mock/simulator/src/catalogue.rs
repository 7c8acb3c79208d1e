//! What the Mock cloud offers: the regions, machine types and images of CB-Spider's Mock, and Kubernetes versions.
//!
//! Source: <https://github.com/cloud-barista/cb-spider/tree/master/cloud-control-manager/cloud-driver/drivers/mock/resources>

use serde_json::{Value, json};

/// The regions that are listed, each with what can be said of its three zones. Any other name is a region too, as with
/// CB-Spider, whose scripts use `default`.
const REGIONS: [(&str, [&str; 3]); 8] = [
    ("default", [AVAILABLE, UNAVAILABLE, AVAILABLE]),
    ("mercury", [AVAILABLE, UNAVAILABLE, AVAILABLE]),
    ("venus", [UNSAID, AVAILABLE, AVAILABLE]),
    ("mars", [AVAILABLE, AVAILABLE, UNAVAILABLE]),
    ("jupiter", [UNAVAILABLE, UNSAID, AVAILABLE]),
    ("saturn", [AVAILABLE, UNAVAILABLE, AVAILABLE]),
    ("uranus", [AVAILABLE, AVAILABLE, UNAVAILABLE]),
    ("neptune", [AVAILABLE, UNSAID, UNSAID]),
];

const AVAILABLE: &str = "available";
/// A word alone: subnets are taken in such a zone too, as CB-Spider's Mock takes them.
const UNAVAILABLE: &str = "unavailable";
const UNSAID: &str = "unsaid";

/// A machine type.
#[derive(Clone, Copy)]
pub(crate) struct MachineType {
    pub(crate) name: &'static str,
    /// Virtual processors.
    pub(crate) vcpus: u32,
    clock_ghz: f64,
    pub(crate) memory_mib: u64,
    /// How many accelerators it has: all are [`GPU`].
    gpus: u32,
}

const MACHINE_TYPES: [MachineType; 4] = [
    machine("mock-vmspec-01", 4, 2.7, 32_768, 2),
    machine("mock-vmspec-02", 4, 3.2, 32_768, 1),
    machine("mock-vmspec-03", 8, 2.7, 62_464, 0),
    machine("mock-vmspec-04", 8, 2.7, 1_024, 0),
];

const fn machine(name: &'static str, vcpus: u32, clock_ghz: f64, memory_mib: u64, gpus: u32) -> MachineType {
    MachineType { name, vcpus, clock_ghz, memory_mib, gpus }
}

/// Maker, model and memory in GB of every accelerator.
const GPU: (&str, &str, u32) = ("NVIDIA", "V100", 512);

/// What every machine type is said to be of, wherever it is asked for.
const REGION_OF_MACHINE_TYPES: &str = "common-region";

/// Number, architecture, operating system, what it is, and how large its disk is in GB.
const IMAGES: [(&str, &str, &str, &str, u32); 5] = [
    ("01", "x86_64", LINUX, "Ubuntu 18.04", 35),
    ("02", "arm64", LINUX, "CentOS 8", 40),
    ("03", "x86_64", "windows", "Windows Server 2019", 50),
    ("04", "arm64", LINUX, "Ubuntu 22.04", 35),
    ("05", "x86_64", LINUX, "Amazon Linux 2", 30),
];

const LINUX: &str = "linux";

/// The type of the disk of every image.
const DISK_TYPE: &str = "gp3";

/// The minors of Kubernetes 1 on offer: CB-Spider's Mock takes any, so old ones are here too.
const MINORS: std::ops::RangeInclusive<u32> = 24..=35;
/// The one that is taken where none is named.
const DEFAULT_MINOR: u32 = 34;
/// The patch that a minor runs by itself.
const PATCH: u32 = 3;

/// The names of a region's zones.
pub(crate) fn zones(region: &str) -> [String; 3] {
    [1, 2, 3].map(|number| format!("{region}-z{number}"))
}

/// The machine type of that name.
pub(crate) fn machine_type(name: &str) -> Option<MachineType> {
    MACHINE_TYPES.into_iter().find(|known| known.name == name)
}

/// The operating system of machines that are made from an image; of none, it is Linux.
pub(crate) fn operating_system(image: &str) -> &'static str {
    let number = image.strip_prefix("mock-vmimage-").unwrap_or_default();
    IMAGES.into_iter().find(|(known, ..)| *known == number).map_or(LINUX, |(_, _, system, ..)| system)
}

/// Major, minor and patch of a version: of a minor that is offered, or of any patch of one.
pub(crate) fn version(text: &str) -> Option<(u32, u32, u32)> {
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
    let below = text.strip_prefix("1.")?;
    let (minor, patch) = match below.split_once('.') {
        Some((minor, patch)) => (number(minor)?, number(patch)?),
        None => (number(below)?, PATCH),
    };
    MINORS.contains(&minor).then_some((1, minor, patch))
}

/// What the programs of that version call themselves: `v1.34.3`.
pub(crate) fn release(text: &str) -> String {
    version(text)
        .map_or_else(|| format!("v{text}"), |(major, minor, patch)| format!("v{major}.{minor}.{patch}"))
}

/// All of it, as one answer. `region` is the caller's.
pub(crate) fn view(region: &str) -> Value {
    let own = (!REGIONS.iter().any(|(known, _)| *known == region)).then_some((region, [AVAILABLE; 3]));
    let regions = REGIONS.into_iter().chain(own).map(|(name, statuses)| region_view(name, statuses));
    let machine_types = MACHINE_TYPES.into_iter().map(|one| {
        let (manufacturer, model, memory) = GPU;
        let gpu = json!({"manufacturer": manufacturer, "model": model, "memoryGb": memory});
        json!({"name": one.name, "vcpus": one.vcpus, "clockGhz": one.clock_ghz, "memoryMib": one.memory_mib,
            "gpus": one.gpus, "gpu": (one.gpus > 0).then_some(gpu), "architecture": "x86_64",
            "region": REGION_OF_MACHINE_TYPES})
    });
    let images = IMAGES.into_iter().map(|(number, architecture, system, says, disk)| {
        json!({"name": format!("mock-vmimage-{number}"), "displayName": format!("mock-vmimage-name-{number}"),
            "architecture": architecture, "operatingSystem": system, "description": says, "diskType": DISK_TYPE,
            "diskGb": disk})
    });
    let versions =
        MINORS.map(|minor| json!({"version": format!("1.{minor}"), "default": minor == DEFAULT_MINOR}));
    json!({
        "regions": regions.collect::<Vec<_>>(),
        "machineTypes": machine_types.collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
        "versions": versions.collect::<Vec<_>>(),
    })
}

/// A region is called `Mercury Region` towards people, and its zones `Mercury Zone 1` and so on.
fn region_view(name: &str, statuses: [&str; 3]) -> Value {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
    let title: String = first.chain(letters).collect();
    let numbered = zones(name).into_iter().zip(statuses).zip(1..);
    let zones = numbered.map(|((zone, status), number)| {
        json!({"name": zone, "displayName": format!("{title} Zone {number}"), "status": status})
    });
    json!({"name": name, "displayName": format!("{title} Region"), "zones": zones.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_minor_on_offer_or_a_patch_of_one() {
        for (text, is) in [
            ("1.30", Some((1, 30, 3))),
            ("1.30.7", Some((1, 30, 7))),
            ("1.99", None),
            ("2.30", None),
            ("1.30.", None),
            ("1.+30", None),
            ("1.30.7.1", None),
            ("", None),
        ] {
            assert_eq!(version(text), is, "{text:?}");
        }
        assert_eq!((release("1.30"), release("1.30.7")), ("v1.30.3".to_owned(), "v1.30.7".to_owned()));
    }

    #[test]
    fn an_image_says_what_its_machines_run() {
        for (image, system) in [("mock-vmimage-03", "windows"), ("mock-vmimage-01", "linux"), ("", "linux")] {
            assert_eq!(operating_system(image), system, "{image:?}");
        }
    }
}
