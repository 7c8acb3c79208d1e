//! Machine types and where they are offered. A small, frozen catalogue of the types that node groups use.
//!
//! Source: <https://docs.aws.amazon.com/ec2/latest/instancetypes/>.

use super::describe::{Filters, paged};
use crate::catalogue;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Tags;
use crate::xml::Xml;

/// One type.
#[derive(Debug)]
pub(crate) struct MachineType {
    /// `t3.medium`.
    pub(crate) name: &'static str,
    /// Virtual processors.
    pub(crate) vcpus: u32,
    /// Memory.
    pub(crate) memory_mib: u32,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: &'static str,
    gpus: u32,
}

/// The sustained clock in GHz of each family, as `DescribeInstanceTypes` tells it.
const CLOCKS: [(&str, &str); 11] = [
    ("c5", "3.4"),
    ("c6g", "2.5"),
    ("c6i", "3.5"),
    ("g4dn", "2.5"),
    ("m5", "3.1"),
    ("m6g", "2.5"),
    ("m6i", "3.5"),
    ("m7i", "3.2"),
    ("r5", "3.1"),
    ("t3", "2.5"),
    ("t4g", "2.5"),
];

const fn machine(name: &'static str, vcpus: u32, memory_mib: u32, architecture: &'static str) -> MachineType {
    MachineType { name, vcpus, memory_mib, architecture, gpus: 0 }
}

/// The catalogue, by name.
pub(crate) const MACHINE_TYPES: [MachineType; 20] = [
    machine("c5.large", 2, 4096, "x86_64"),
    machine("c5.xlarge", 4, 8192, "x86_64"),
    machine("c6g.large", 2, 4096, "arm64"),
    machine("c6i.large", 2, 4096, "x86_64"),
    MachineType { name: "g4dn.xlarge", vcpus: 4, memory_mib: 16_384, architecture: "x86_64", gpus: 1 },
    machine("m5.2xlarge", 8, 32_768, "x86_64"),
    machine("m5.large", 2, 8192, "x86_64"),
    machine("m5.xlarge", 4, 16_384, "x86_64"),
    machine("m6g.large", 2, 8192, "arm64"),
    machine("m6i.large", 2, 8192, "x86_64"),
    machine("m7i.large", 2, 8192, "x86_64"),
    machine("r5.large", 2, 16_384, "x86_64"),
    machine("t3.2xlarge", 8, 32_768, "x86_64"),
    machine("t3.large", 2, 8192, "x86_64"),
    machine("t3.medium", 2, 4096, "x86_64"),
    machine("t3.micro", 2, 1024, "x86_64"),
    machine("t3.small", 2, 2048, "x86_64"),
    machine("t3.xlarge", 4, 16_384, "x86_64"),
    machine("t4g.medium", 2, 4096, "arm64"),
    machine("t4g.small", 2, 2048, "arm64"),
];

/// The type of this name.
pub(crate) fn machine_type(name: &str) -> Option<&'static MachineType> {
    MACHINE_TYPES.iter().find(|one| one.name == name)
}

/// The architecture of a type; unknown ones are taken for the commonest.
pub(crate) fn architecture(name: &str) -> &'static str {
    machine_type(name).map_or("x86_64", |one| one.architecture)
}

/// Whether a zone offers a type. `us-east-1e` is an old zone in which hardly anything newer is to be had.
pub(crate) fn is_offered(name: &str, zone: &str) -> bool {
    machine_type(name).is_some()
        && (zone != "us-east-1e" || name.starts_with("t3.") || name.starts_with("m5."))
}

/// `DescribeInstanceTypes`
pub(super) fn describe(_: &Context<'_>, query: &Query) -> Result<Xml> {
    let names = query.list("InstanceType");
    let absent: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| machine_type(name).is_none()).collect();
    if !absent.is_empty() {
        let message = format!("The following supplied instance types do not exist: [{}]", absent.join(", "));
        return Err(Error::bad("InvalidInstanceType", message));
    }
    let filters = Filters::read(
        query,
        &[
            "instance-type",
            "processor-info.supported-architecture",
            "current-generation",
            "supported-usage-class",
            "bare-metal",
            "vcpu-info.default-vcpus",
            "memory-info.size-in-mib",
            "supported-virtualization-type",
        ],
    )?;
    let wanted = MACHINE_TYPES.iter().filter(|one| {
        (names.is_empty() || names.iter().any(|name| name == one.name))
            && filters.keep(&Tags::new(), |filter| match filter {
                "instance-type" => vec![one.name.to_owned()],
                "processor-info.supported-architecture" => vec![one.architecture.to_owned()],
                "current-generation" => vec!["true".to_owned()],
                "bare-metal" => vec!["false".to_owned()],
                "vcpu-info.default-vcpus" => vec![one.vcpus.to_string()],
                "memory-info.size-in-mib" => vec![one.memory_mib.to_string()],
                "supported-virtualization-type" => vec!["hvm".to_owned()],
                _ => vec!["on-demand".to_owned(), "spot".to_owned()],
            })
    });
    paged(
        query,
        "instanceTypeSet",
        !names.is_empty(),
        wanted.map(|one| (one.name.to_owned(), written(one))).collect(),
    )
}

fn clock(name: &str) -> Option<&'static str> {
    let family = name.split('.').next()?;
    CLOCKS.iter().find(|(known, _)| *known == family).map(|(_, clock)| *clock)
}

fn written(one: &MachineType) -> Xml {
    let vcpus = Xml::new().text("defaultVCpus", one.vcpus).text("defaultCores", one.vcpus.div_ceil(2));
    let processor = Xml::new()
        .texts("supportedArchitectures", "item", [one.architecture])
        .text("manufacturer", if one.architecture == "arm64" { "AWS" } else { "Intel" })
        .maybe("sustainedClockSpeedInGhz", clock(one.name));
    let network =
        Xml::new().text("maximumNetworkInterfaces", 3).text("networkPerformance", "Up to 5 Gigabit");
    let mut xml = Xml::new()
        .text("instanceType", one.name)
        .text("currentGeneration", true)
        .text("freeTierEligible", one.name == "t3.micro")
        .texts("supportedUsageClasses", "item", ["on-demand", "spot"])
        .texts("supportedRootDeviceTypes", "item", ["ebs"])
        .texts("supportedVirtualizationTypes", "item", ["hvm"])
        .text("bareMetal", false)
        .text("hypervisor", "nitro")
        .child("processorInfo", &processor)
        .child("vCpuInfo", &vcpus)
        .child("memoryInfo", &Xml::new().text("sizeInMiB", one.memory_mib))
        .text("instanceStorageSupported", one.gpus > 0)
        .child("networkInfo", &network);
    if one.gpus > 0 {
        let memory = Xml::new().text("sizeInMiB", 16_384);
        let gpu = Xml::new()
            .text("name", "T4")
            .text("manufacturer", "NVIDIA")
            .text("count", one.gpus)
            .child("memoryInfo", &memory);
        xml =
            xml.child("gpuInfo", &Xml::new().list("gpus", "item", [gpu]).text("totalGpuMemoryInMiB", 16_384));
    }
    xml
}

/// `DescribeInstanceTypeOfferings`
pub(super) fn offerings(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let region = &context.place.region;
    let zones = || catalogue::region(region).into_iter().flat_map(catalogue::CatalogueRegion::zones);
    let kind = query.get("LocationType").unwrap_or("region");
    // Where it is (the zone's name), and how the answer names the place.
    let locations: Vec<(String, String)> = match kind {
        "region" => vec![(String::new(), region.clone())],
        "availability-zone" => zones().map(|(name, _)| (name.clone(), name)).collect(),
        "availability-zone-id" => zones().collect(),
        other => return Err(Error::invalid("LocationType", other)),
    };
    let filters = Filters::read(query, &["instance-type", "location"])?;
    let mut items = Vec::new();
    for one in &MACHINE_TYPES {
        for (_, location) in locations.iter().filter(|(zone, _)| is_offered(one.name, zone)) {
            let kept = filters.keep(&Tags::new(), |filter| {
                vec![if filter == "location" { location.clone() } else { one.name.to_owned() }]
            });
            if kept {
                let xml = Xml::new()
                    .text("instanceType", one.name)
                    .text("locationType", kind)
                    .text("location", location);
                items.push((format!("{} {location}", one.name), xml));
            }
        }
    }
    paged(query, "instanceTypeOfferingSet", false, items)
}
