//! What a project finds there: itself, zones, regions, machine types, disk types.

use serde_json::{Value, json};

use super::references::no_resource;
use super::state::{State, link, time};
use super::{Asked, common_metadata, quota};
use crate::call::Call;
use crate::catalogue::{DISK_TYPES, MACHINE_TYPES, MachineType, REGIONS, Region, region, region_of};
use crate::error::Result;
use crate::world::Project;

/// A project as Compute Engine shows it.
pub(crate) fn project(project: &Project) -> Value {
    json!({
        "kind": "compute#project", "id": project.number, "name": project.id,
        "creationTimestamp": time(project.created), "selfLink": link(&format!("projects/{}", project.id)),
        "commonInstanceMetadata": common_metadata::view(project),
        "quotas": quota::view(&project.compute, None),
        "defaultServiceAccount": format!("{}-compute@developer.gserviceaccount.com", project.number),
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS", "defaultNetworkTier": "PREMIUM",
    })
}

/// Reads one of them.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let (place, name) = (asked.route.name(0), asked.route.name(1));
    let project = call.project;
    let missing = |path: String| no_resource(&format!("projects/{project}/{path}"));
    let collection = asked.route.action.split('.').next().unwrap_or_default();
    match collection {
        "regions" => region(place)
            .map(|region| region_view(&call.held().compute, region, project))
            .ok_or_else(|| missing(format!("regions/{place}"))),
        "zones" => region_of(place)
            .map(|region| zone_view(place, region, project))
            .ok_or_else(|| missing(format!("zones/{place}"))),
        _ => all(&call.held().compute, collection, project)
            .into_iter()
            .find(|(scope, one)| *scope == format!("zones/{place}") && one["name"] == name)
            .map(|(_, one)| one)
            .ok_or_else(|| missing(format!("zones/{place}/{collection}/{name}"))),
    }
}

/// Everything of a collection, each with its scope.
pub(crate) fn all(state: &State, collection: &str, project: &str) -> Vec<(String, Value)> {
    let zones = || REGIONS.iter().flat_map(|region| region.zones().map(move |zone| (region, zone)));
    match collection {
        "regions" => {
            REGIONS.iter().map(|region| (String::new(), region_view(state, region, project))).collect()
        }
        "zones" => zones().map(|(region, zone)| (String::new(), zone_view(&zone, region, project))).collect(),
        "machineTypes" => zones()
            .flat_map(|(_, zone)| {
                MACHINE_TYPES
                    .iter()
                    .map(move |machine| (format!("zones/{zone}"), machine_view(machine, &zone, project)))
            })
            .collect(),
        "diskTypes" => zones()
            .flat_map(|(_, zone)| {
                DISK_TYPES.iter().map(move |(name, size, valid, says)| {
                    let shown = json!({
                        "kind": "compute#diskType", "name": name, "description": says, "validDiskSize": valid,
                        "defaultDiskSizeGb": size.to_string(),
                        "zone": link(&format!("projects/{project}/zones/{zone}")),
                        "selfLink": link(&format!("projects/{project}/zones/{zone}/diskTypes/{name}")),
                    });
                    (format!("zones/{zone}"), shown)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn number(text: &str) -> String {
    text.bytes().fold(1_000_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000).to_string()
}

fn region_view(state: &State, region: &Region, project: &str) -> Value {
    let zones: Vec<String> =
        region.zones().map(|zone| link(&format!("projects/{project}/zones/{zone}"))).collect();
    json!({
        "kind": "compute#region", "id": number(region.name), "name": region.name, "description": region.name,
        "status": "UP", "zones": zones, "quotas": quota::view(state, Some(region.name)),
        "selfLink": link(&format!("projects/{project}/regions/{}", region.name)),
    })
}

fn zone_view(zone: &str, region: &Region, project: &str) -> Value {
    json!({
        "kind": "compute#zone", "id": number(zone), "name": zone, "description": zone, "status": "UP",
        "region": link(&format!("projects/{project}/regions/{}", region.name)),
        "selfLink": link(&format!("projects/{project}/zones/{zone}")),
    })
}

fn machine_view(machine: &MachineType, zone: &str, project: &str) -> Value {
    let mut view = json!({
        "kind": "compute#machineType", "id": number(machine.name), "name": machine.name,
        "description": format!("{} vCPUs, {} GB RAM", machine.cpus, machine.memory_mib / 1024),
        "guestCpus": machine.cpus, "memoryMb": machine.memory_mib, "isSharedCpu": machine.shared,
        "architecture": if machine.arm { "ARM64" } else { "X86_64" },
        "maximumPersistentDisks": if machine.shared { 16 } else { 128 }, "maximumPersistentDisksSizeGb": "263168",
        "zone": zone, "selfLink": link(&format!("projects/{project}/zones/{zone}/machineTypes/{}", machine.name)),
    });
    if let Some((kind, count)) = machine.accelerators {
        view["accelerators"] = json!([{"guestAcceleratorType": kind, "guestAcceleratorCount": count}]);
    }
    view
}
