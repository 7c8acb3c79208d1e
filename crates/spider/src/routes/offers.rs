//! What a cloud offers: regions with their zones, images, machine types.

use std::collections::BTreeSet;

use pmks_core::Unconnected;
use pmks_model::{FailureKind, GpuKind, Image, MachineType, Region, Zone, ZoneStatus};
use serde_json::{Value, json};

use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(super) async fn regions(call: Call) -> Answer {
    let connection = call.connection()?;
    let found = call.pmks().discovery().regions_with_zones(&connection, None, None).await?;
    Ok(Reply::list("regionzone", found.items.iter().map(region_info).collect()))
}

pub(super) async fn region(call: Call) -> Answer {
    let connection = call.connection()?;
    match call.pmks().discovery().regions_with_zones(&connection, Some(call.named(0)), None).await {
        // Of what else there is not core says so itself.
        Err(failure) if failure.kind == FailureKind::NotFound && failure.about.is_none() => {
            one(None, "Region", &call)
        }
        found => one(found?.items.first().map(region_info), "Region", &call),
    }
}

/// The same before there is a connection config: of a driver and a credential, asked at the region that
/// `RegionName` names, with its endpoints, or else where every account of the provider can ask.
pub(super) async fn regions_before(call: Call) -> Answer {
    let found = before(&call, None).await?;
    Ok(Reply::list("regionzone", found.iter().map(region_info).collect()))
}

pub(super) async fn region_before(call: Call) -> Answer {
    let name = call.named(0);
    let found = before(&call, Some(name)).await?;
    one(found.first().map(region_info), "Region", &call)
}

async fn before(call: &Call, name: Option<&str>) -> Result<Vec<Region>, Refusal> {
    let named = |key: &str| {
        let text = call.either(key)?.trim().to_owned();
        if text.is_empty() { Err(Refusal::invalid(format!("{key} is empty!"))) } else { Ok(text) }
    };
    let region = call.either("RegionName")?.trim().to_owned();
    let asked = Unconnected {
        driver: named("DriverName")?,
        credential: named("CredentialName")?,
        region: Some(region).filter(|region| !region.is_empty()),
    };
    let found = call.pmks().pieces().regions(&call.caller, &asked, name).await;
    found.map_err(|failure| Refusal::from(failure).renamed(as_asked))
}

/// What names a piece, as these requests call it.
fn as_asked(field: &str) -> Option<String> {
    let name = match field {
        "credential" => "CredentialName",
        "region" => "RegionName",
        _ => return None,
    };
    Some(name.to_owned())
}

pub(super) async fn images(call: Call) -> Answer {
    let connection = call.connection()?;
    let found = call.pmks().discovery().images(&connection, None).await?;
    Ok(Reply::list("image", image_infos(&found.items)))
}

pub(super) async fn image(call: Call) -> Answer {
    let connection = call.connection()?;
    let found = call.pmks().discovery().images(&connection, None).await?;
    let named: Vec<Image> = found.items.into_iter().filter(|item| item.name == call.named(0)).collect();
    one(image_infos(&named).pop(), "VM Image", &call)
}

pub(super) async fn machine_types(call: Call) -> Answer {
    let connection = call.connection()?;
    let view = call.pmks().connections().get(&connection).await?;
    let found = call.pmks().discovery().machine_types(&connection, None).await?;
    Ok(Reply::list("vmspec", found.items.iter().map(|item| machine_info(item, &view.region)).collect()))
}

pub(super) async fn machine_type(call: Call) -> Answer {
    let connection = call.connection()?;
    let view = call.pmks().connections().get(&connection).await?;
    let found = call.pmks().discovery().machine_types(&connection, None).await?;
    let wanted = found.items.iter().find(|item| item.name == call.named(0));
    one(wanted.map(|item| machine_info(item, &view.region)), "VM Spec", &call)
}

fn one(found: Option<Value>, what: &str, call: &Call) -> Answer {
    let absent = || Refusal::absent(format!("{what} '{}' does not exist", call.named(0)));
    found.map(Reply::Json).ok_or_else(absent)
}

fn region_info(region: &Region) -> Value {
    let display_name = first_of(&region.display_name, &region.name);
    json!({
        "Name": region.name,
        "DisplayName": display_name,
        "CSPDisplayName": display_name,
        "ZoneList": region.zones.iter().map(zone_info).collect::<Vec<_>>(),
        "KeyValueList": [],
    })
}

/// Each image once, for its name is its identifier. Where a cloud offers one for several architectures, or for that of
/// whatever machine it is taken for, the machine type says which it is, and the image has CB-Spider's word for that.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/ImageHandler.go>,
/// `ArchitectureNA`
fn image_infos(images: &[Image]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let first = images.iter().filter(|image| seen.insert(image.name.as_str()));
    first
        .map(|image| {
            let mut same = images.iter().filter(|other| other.name == image.name);
            let is_one =
                !image.architecture.is_empty() && same.all(|other| other.architecture == image.architecture);
            image_info(image, if is_one { &image.architecture } else { UNTOLD })
        })
        .collect()
}

fn zone_info(zone: &Zone) -> Value {
    let display_name = first_of(&zone.display_name, &zone.name);
    let status = match zone.status {
        ZoneStatus::Available => "Available",
        ZoneStatus::Unavailable => "Unavailable",
        ZoneStatus::Unsaid => "NotSupported",
    };
    json!({
        "Name": zone.name,
        "DisplayName": display_name,
        "CSPDisplayName": display_name,
        "Status": status,
        "KeyValueList": [],
    })
}

/// The first of the two that says something.
fn first_of<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

fn image_info(image: &Image, architecture: &str) -> Value {
    json!({
        "IId": super::shapes::pair(&image.name, &image.name),
        "Name": image.name,
        "OSArchitecture": architecture,
        "OSPlatform": if image.operating_system == "windows" { "Windows" } else { "Linux/UNIX" },
        "OSDistribution": image.description,
        "OSDiskType": first_of(&image.disk_type, UNTOLD),
        "OSDiskSizeGB": number(image.disk_size_gib),
        "ImageStatus": "Available",
        "KeyValueList": [],
    })
}

/// What a text says where the cloud tells nothing.
const UNTOLD: &str = "NA";

/// A number as a text, as all of them are; `-1` where the cloud tells none.
fn number(told: Option<impl ToString>) -> String {
    told.map_or_else(|| "-1".to_owned(), |number| number.to_string())
}

/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/VMSpecHandler.go>
fn machine_info(machine: &MachineType, region: &str) -> Value {
    let told = machine.gpu_kinds.iter().map(gpu_info);
    // Of how many there are alone, that alone is told.
    let counted = (machine.gpu_kinds.is_empty() && machine.gpus > 0)
        .then(|| gpu_info(&GpuKind { count: machine.gpus, ..GpuKind::default() }));
    let facts = machine.key_value_list.0.iter().map(|fact| json!({"Key": fact.key, "Value": fact.value}));
    json!({
        "Region": first_of(&machine.region, region),
        "Name": machine.name,
        "VCpu": {
            "Count": machine.vcpus.to_string(),
            "ClockGHz": number(machine.clock_ghz.map(|clock| format!("{clock:.1}"))),
        },
        "MemSizeMiB": machine.memory_mib.to_string(),
        "DiskSizeGB": number(machine.local_disk_mib.map(gigabytes)),
        "Gpu": told.chain(counted).collect::<Vec<_>>(),
        "KeyValueList": facts.collect::<Vec<_>>(),
    })
}

/// Makers and models are in capitals, as CB-Spider writes them.
fn gpu_info(kind: &GpuKind) -> Value {
    let all = kind.memory_mib.map(|each| each.saturating_mul(u64::from(kind.count)));
    json!({
        "Count": kind.count.to_string(),
        "Mfr": first_of(&kind.manufacturer, UNTOLD).to_uppercase(),
        "Model": first_of(&kind.model, UNTOLD).to_uppercase(),
        "MemSizeGB": number(kind.memory_mib.map(gigabytes)),
        "TotalMemSizeGB": number(all.map(gigabytes)),
    })
}

/// MiB in GB, of a thousand millions of bytes each, to the nearest: CB-Spider's conversion.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/UnitConversion.go>
fn gigabytes(mebibytes: u64) -> u64 {
    mebibytes.saturating_mul(1 << 20).saturating_add(500_000_000) / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_several_architectures_is_told_once() {
        let image = |name: &str, architecture: &str| Image {
            name: name.to_owned(),
            architecture: architecture.to_owned(),
            ..Image::default()
        };
        let all = [image("both", "arm64"), image("one", "x86_64"), image("both", "x86_64"), image("any", "")];
        let told: Vec<_> = image_infos(&all)
            .into_iter()
            .map(|told| [told["IId"]["SystemId"].clone(), told["OSArchitecture"].clone()])
            .collect();
        assert_eq!(told, [["both", "NA"], ["one", "x86_64"], ["any", "NA"]]);
    }

    #[test]
    fn what_the_cloud_tells_of_a_machine_type_is_told() {
        let kind = |model: &str, memory_mib| GpuKind {
            count: 4,
            manufacturer: "Nvidia".to_owned(),
            model: model.to_owned(),
            memory_mib,
        };
        let told = MachineType {
            clock_ghz: Some(2.5),
            local_disk_mib: Some(65_536),
            gpus: 8,
            gpu_kinds: vec![kind("A10g", Some(22_888)), kind("", None)],
            ..MachineType::default()
        };
        let shown = machine_info(&told, "here");
        assert_eq!((&shown["VCpu"]["ClockGHz"], &shown["Region"]), (&json!("2.5"), &json!("here")));
        assert_eq!(shown["DiskSizeGB"], "69");
        assert_eq!(
            shown["Gpu"],
            json!([
                {"Count": "4", "Mfr": "NVIDIA", "Model": "A10G", "MemSizeGB": "24", "TotalMemSizeGB": "96"},
                {"Count": "4", "Mfr": "NVIDIA", "Model": "NA", "MemSizeGB": "-1", "TotalMemSizeGB": "-1"},
            ])
        );
    }

    #[test]
    fn what_the_cloud_does_not_tell_is_not_made_up() {
        let counted = MachineType { gpus: 2, region: "there".to_owned(), ..MachineType::default() };
        let shown = machine_info(&counted, "here");
        assert_eq!((&shown["VCpu"]["ClockGHz"], &shown["Region"]), (&json!("-1"), &json!("there")));
        assert_eq!(shown["DiskSizeGB"], "-1");
        let none = MachineType { local_disk_mib: Some(0), ..MachineType::default() };
        assert_eq!(machine_info(&none, "here")["DiskSizeGB"], "0");
        let untold =
            json!([{"Count": "2", "Mfr": "NA", "Model": "NA", "MemSizeGB": "-1", "TotalMemSizeGB": "-1"}]);
        assert_eq!(shown["Gpu"], untold);
        assert_eq!(machine_info(&MachineType::default(), "here")["Gpu"], json!([]));
        let shown = image_info(&Image { name: "i".to_owned(), ..Image::default() }, UNTOLD);
        assert_eq!(
            (&shown["Name"], &shown["OSDiskType"], &shown["OSDiskSizeGB"]),
            (&json!("i"), &json!("NA"), &json!("-1"))
        );
    }
}
