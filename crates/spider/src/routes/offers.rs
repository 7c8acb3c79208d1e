//! What a cloud offers: regions with their zones, images, machine types.

use std::collections::BTreeSet;

use pmks_core::{PieceKind, Unconnected};
use pmks_model::{FailureKind, Image, MachineType, Region};
use serde_json::{Value, json};

use super::spellings;
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
    of_one_provider(call, &asked).await?;
    Ok(call.pmks().pieces().regions(&call.caller, &asked, name).await?)
}

/// A connection config may be put before what it is made of, so pieces of several providers are what is not there yet;
/// whoever asks by them at once has named a wrong one.
async fn of_one_provider(call: &Call, asked: &Unconnected) -> Result<(), Refusal> {
    let pieces = call.pmks().pieces();
    // What is not there core says itself.
    let Ok(driver) = pieces.get(PieceKind::Driver, &asked.driver).await else { return Ok(()) };
    let credential = Some((PieceKind::Credential, "CredentialName", asked.credential.as_str()));
    let region = asked.region.as_deref().map(|region| (PieceKind::Region, "RegionName", region));
    for (kind, key, named) in credential.into_iter().chain(region) {
        let Ok(piece) = pieces.get(kind, named).await else { continue };
        if piece.provider != driver.provider {
            let of = |provider: &str| spellings::to_spider(provider);
            let (is, wanted) = (of(&piece.provider), of(&driver.provider));
            return Err(Refusal::invalid(format!(
                "{key}: {named:?} is of {is}, and the driver {:?} of {wanted}: name one of {wanted}",
                asked.driver
            )));
        }
    }
    Ok(())
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
    let zone = |name: &String| {
        json!({
            "Name": name, "DisplayName": name, "CSPDisplayName": name, "Status": "Available", "KeyValueList": [],
        })
    };
    json!({
        "Name": region.name,
        "DisplayName": region.name,
        "CSPDisplayName": region.name,
        "ZoneList": region.zones.iter().map(zone).collect::<Vec<_>>(),
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
            image_info(image, if is_one { &image.architecture } else { "NA" })
        })
        .collect()
}

fn image_info(image: &Image, architecture: &str) -> Value {
    json!({
        "IId": super::shapes::pair(&image.name, &image.name),
        "Name": image.name,
        "OSArchitecture": architecture,
        "OSPlatform": if image.operating_system == "windows" { "Windows" } else { "Linux/UNIX" },
        "OSDistribution": image.description,
        "OSDiskType": "NA",
        "OSDiskSizeGB": "-1",
        "ImageStatus": "Available",
        "KeyValueList": [],
    })
}

/// Numbers are texts.
fn machine_info(machine: &MachineType, region: &str) -> Value {
    let gpus: Vec<Value> = (machine.gpus > 0)
        .then(|| {
            json!({
                "Count": machine.gpus.to_string(), "Mfr": "NA", "Model": "NA", "MemSizeGB": "-1",
                "TotalMemSizeGB": "-1",
            })
        })
        .into_iter()
        .collect();
    let facts = machine.key_value_list.0.iter().map(|fact| json!({"Key": fact.key, "Value": fact.value}));
    json!({
        "Region": region,
        "Name": machine.name,
        "VCpu": {"Count": machine.vcpus.to_string(), "ClockGHz": "-1"},
        "MemSizeMiB": machine.memory_mib.to_string(),
        "DiskSizeGB": "-1",
        "Gpu": gpus,
        "KeyValueList": facts.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_several_architectures_is_told_once() {
        let image = |name: &str, architecture: &str| Image {
            name: name.to_owned(),
            description: String::new(),
            architecture: architecture.to_owned(),
            operating_system: "linux".to_owned(),
            default: false,
        };
        let all = [image("both", "arm64"), image("one", "x86_64"), image("both", "x86_64"), image("any", "")];
        let told: Vec<_> = image_infos(&all)
            .into_iter()
            .map(|told| [told["IId"]["SystemId"].clone(), told["OSArchitecture"].clone()])
            .collect();
        assert_eq!(told, [["both", "NA"], ["one", "x86_64"], ["any", "NA"]]);
    }
}
