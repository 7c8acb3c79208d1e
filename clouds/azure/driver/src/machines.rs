//! Reads of machine types, images, regions and nodes. Never writes.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use pmks_driver::{Listing, Result};
use pmks_model::{Cluster, Iid, Image, KeyValueList, MachineType, Node, Region, Zone};

use crate::arm_id::{ArmId, canonical_text};
use crate::clusters::miss;
use crate::wire::compute as wire;
use crate::wire::{Reference, network};
use crate::{AzureDriver, accelerators, convert};

/// How many scale sets are read at once.
const AT_ONCE: usize = 8;

/// The tag by which AKS says which pool a scale set is of.
///
/// Source: <https://github.com/Azure/AgentBaker/blob/master/pkg/agent/datamodel/const.go>; seen in every node resource
/// group, and what CB-Spider goes by.
const POOL_TAG: &str = "aks-managed-poolName";

/// What a node group is made from where nobody chooses.
pub(crate) const DEFAULT_IMAGE: &str = "Ubuntu";

/// The scale sets of one cluster, by the pool that each is of: those in its node resource group.
pub(crate) fn scale_sets_of(group: Option<&str>, sets: &[wire::ScaleSet]) -> Vec<(String, ArmId)> {
    let Some(group) = group else { return Vec::new() };
    let of_group = sets.iter().filter_map(|set| {
        let id = ArmId::parse(&set.id).filter(|id| id.group().eq_ignore_ascii_case(group))?;
        let tag = set.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(POOL_TAG));
        Some((tag?.1.clone(), id))
    });
    of_group.collect()
}

/// A node's names: Kubernetes knows it by its host name.
pub(crate) fn node_iid(instance: &wire::ScaleSetVm) -> Option<Iid> {
    let name = instance.properties.os_profile.as_ref().map_or("", |profile| profile.computer_name.as_str());
    let id = canonical_text(&instance.id);
    (instance.properties.provisioning_state != "Deleting")
        .then(|| if name.is_empty() { Iid::unnamed(id) } else { Iid::new(name, id) })
}

/// The VMs of a cluster, with details: one list of scale sets, and two a scale set.
pub(crate) async fn nodes(driver: &AzureDriver, cluster: &Cluster) -> Result<Listing<Node>> {
    let Some(group) = cluster.key_value_list.get(convert::NODE_RESOURCE_GROUP) else {
        return Ok(Listing::complete(Vec::new()));
    };
    let sets = match driver.api.scale_sets(group).await {
        Err(error) if error.is_not_found() => return Ok(Listing::complete(Vec::new())),
        sets => sets?,
    };
    let mut listing = Listing::complete(Vec::new());
    let calls: Vec<_> = scale_sets_of(Some(group), &sets)
        .into_iter()
        .map(|(pool, set)| async move {
            let read =
                futures::join!(driver.api.instances(&set, true), driver.api.scale_set_interfaces(&set));
            (pool, read)
        })
        .collect();
    let read: Vec<_> = stream::iter(calls).buffered(AT_ONCE).collect().await;
    for (pool, (instances, interfaces)) in read {
        let places = match interfaces {
            Ok(interfaces) => places(&interfaces),
            Err(error) if error.is_not_found() => BTreeMap::new(),
            Err(error) => {
                listing.missed.push(miss(&format!("the addresses of node group {pool}"), &error));
                BTreeMap::new()
            }
        };
        match instances {
            Ok(instances) => {
                listing.items.extend(instances.iter().filter_map(|one| node(&pool, one, &places)));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => listing.missed.push(miss(&format!("the nodes of node group {pool}"), &error)),
        }
    }
    listing.items.sort_by(|a, b| a.iid.system_id.cmp(&b.iid.system_id));
    Ok(listing)
}

/// Where an instance is in the network.
#[derive(Default)]
struct InNetwork {
    private_ip: String,
    subnet: Iid,
    security_groups: Vec<Iid>,
}

/// Where each instance is, by its identifier in lower case.
fn places(interfaces: &[network::Interface]) -> BTreeMap<String, InNetwork> {
    let mut places = BTreeMap::new();
    for interface in interfaces.iter().filter(|one| one.properties.primary != Some(false)) {
        let owner = interface.properties.virtual_machine.as_ref().map(|owner| canonical_text(&owner.id));
        let configurations = &interface.properties.ip_configurations;
        let primary = configurations.iter().find(|one| one.properties.primary == Some(true));
        let (Some(owner), Some(own)) = (owner, primary.or(configurations.first())) else { continue };
        let iid = |of: &Reference| Iid::unnamed(canonical_text(&of.id));
        let place = InNetwork {
            private_ip: own.properties.private_ip_address.clone().unwrap_or_default(),
            subnet: own.properties.subnet.as_ref().map(iid).unwrap_or_default(),
            // Nearly always it is the subnet that has one.
            security_groups: interface.properties.network_security_group.iter().map(iid).collect(),
        };
        places.insert(owner.to_lowercase(), place);
    }
    places
}

/// Its system is told by its disk.
///
/// Source: <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-vms/list>, `osDisk.osType`
fn node(pool: &str, instance: &wire::ScaleSetVm, places: &BTreeMap<String, InNetwork>) -> Option<Node> {
    let iid = node_iid(instance)?;
    let nowhere = InNetwork::default();
    let place = places.get(&iid.system_id.to_lowercase()).unwrap_or(&nowhere);
    let properties = &instance.properties;
    let mut facts = KeyValueList::default();
    facts.add("InstanceId", &instance.instance_id);
    facts.add_some("VmId", properties.vm_id.as_deref());
    facts.add("ProvisioningState", &properties.provisioning_state);
    let power = properties
        .instance_view
        .as_ref()
        .and_then(|view| view.statuses.iter().find_map(|status| status.code.strip_prefix("PowerState/")));
    let disk = properties.storage_profile.as_ref().and_then(|profile| profile.os_disk.as_ref());
    let system = disk.and_then(|disk| disk.os_type.as_deref()).unwrap_or_default().to_ascii_lowercase();
    Some(Node {
        node_group: pool.to_owned(),
        operating_system: system,
        machine_type: instance.sku.as_ref().map(|sku| sku.name.clone()).unwrap_or_default(),
        zone: instance.zones.first().cloned().unwrap_or_default(),
        subnet: place.subnet.clone(),
        security_groups: place.security_groups.clone(),
        private_ip: place.private_ip.clone(),
        public_ip: String::new(),
        state: power.unwrap_or(&properties.provisioning_state).to_owned(),
        launched_at: properties.time_created,
        key_value_list: facts,
        iid,
    })
}

/// A machine type, with what only AKS' own choices need.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Size {
    /// As users see it.
    pub(crate) machine: MachineType,
    /// The family whose quota it uses up.
    pub(crate) family: String,
    /// Whether its managed disks are premium ones.
    pub(crate) premium: bool,
    /// How many GiB of a node's disk fit on the host itself; `None`: Azure does not say.
    pub(crate) host_disk_gib: Option<u64>,
    /// Why this subscription may not use it here; empty if it may.
    pub(crate) restricted: String,
}

/// The machine types on offer in the region that AKS takes, ordered by name. One list, paged.
pub(crate) async fn machine_types(driver: &AzureDriver) -> Result<Vec<MachineType>> {
    let all = sizes(driver).await?;
    let fits = |size: &Size| size.restricted.is_empty() && size.machine.vcpus >= LEAST_VCPUS;
    let mut machines: Vec<MachineType> = all.into_iter().filter(fits).map(|size| size.machine).collect();
    machines.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(machines)
}

/// AKS takes no smaller nodes.
///
/// Source: <https://learn.microsoft.com/azure/aks/quotas-skus-regions#restricted-vm-sizes>
pub(crate) const LEAST_VCPUS: u32 = 2;

/// Every machine type of the region, those that this subscription may not use too.
pub(crate) async fn sizes(driver: &AzureDriver) -> Result<Vec<Size>> {
    let skus = driver.api.resource_skus().await?;
    let machines = skus.iter().filter(|sku| sku.resource_type == "virtualMachines");
    Ok(machines.map(|sku| size(sku, driver.region())).collect())
}

fn size(sku: &wire::ResourceSku, region: &str) -> Size {
    let has = |name: &str| sku.capabilities.iter().find(|one| one.name == name).map(|one| one.value.as_str());
    let mut zones: Vec<String> = sku
        .location_info
        .iter()
        .filter(|info| crate::clusters::is_in(&info.location, region))
        .flat_map(|info| info.zones.clone())
        .collect();
    let mut restricted = String::new();
    for restriction in &sku.restrictions {
        if restriction.kind == "Location" {
            restricted.clone_from(&restriction.reason_code);
        }
        let closed = restriction.info.as_ref().map(|info| info.zones.as_slice()).unwrap_or_default();
        if restriction.kind == "Zone" {
            zones.retain(|zone| !closed.contains(zone));
        }
    }
    zones.sort();
    zones.dedup();
    let mut facts = KeyValueList::default();
    facts.add("Family", &sku.family);
    for name in ["PremiumIO", "EphemeralOSDiskSupported", "AcceleratedNetworkingEnabled", "HyperVGenerations"]
    {
        facts.add_some(name, has(name));
    }
    let gpus = has("GPUs").and_then(|text| text.parse().ok()).unwrap_or_default();
    Size {
        machine: MachineType {
            name: sku.name.clone(),
            vcpus: has("vCPUs").and_then(|text| text.parse().ok()).unwrap_or_default(),
            memory_mib: mebibytes(has("MemoryGB").unwrap_or_default()),
            architecture: if has("CpuArchitectureType") == Some("Arm64") { "arm64" } else { "x86_64" }
                .to_owned(),
            clock_ghz: None,
            // Its «MB» are MiB, as CB-Spider takes them too:
            // <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/drivers/azure/resources/VMSpecHandler.go>
            local_disk_mib: has("MaxResourceVolumeMB").and_then(|text| text.parse().ok()),
            gpus,
            gpu_kinds: (gpus > 0).then(|| accelerators::gpu_kind(&sku.name, gpus)).into_iter().collect(),
            region: String::new(),
            zones,
            key_value_list: facts,
        },
        family: sku.family.clone(),
        premium: has("PremiumIO") == Some("True"),
        host_disk_gib: host_disk(has),
        restricted,
    }
}

/// The room for a node's disk on the host itself: the cache of older sizes, the temporary or the `NVMe` disk of newer ones.
/// Where several are told, the largest counts, so that none is refused which Azure would take.
///
/// Source: <https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks>
fn host_disk<'a>(has: impl Fn(&str) -> Option<&'a str>) -> Option<u64> {
    if has("EphemeralOSDiskSupported") == Some("False") {
        return Some(0);
    }
    let places = [("CachedDiskBytes", 1 << 30), ("MaxResourceVolumeMB", 1024), ("NvmeDiskSizeInMiB", 1024)];
    let room = |(name, of_gib): (&str, u64)| Some(has(name)?.parse::<u64>().ok()? / of_gib);
    places.into_iter().filter_map(room).max().filter(|gib| *gib > 0)
}

/// Azure writes memory as a decimal number of GiB: `16`, `0.5`, `1.75`.
fn mebibytes(text: &str) -> u64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let thousandths: u64 =
        format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or_default();
    whole.parse::<u64>().unwrap_or_default() * 1024 + thousandths * 1024 / 1000
}

/// The regions that the subscription sees, with their zones. One call.
pub(crate) async fn regions(driver: &AzureDriver) -> Result<Vec<Region>> {
    let locations = driver.api.locations().await?;
    let physical =
        locations.into_iter().filter(|one| matches!(one.metadata.region_type.as_str(), "" | "Physical"));
    let mut all: Vec<Region> = physical
        .map(|location| {
            let mappings = location.availability_zone_mappings.into_iter();
            let mut zones: Vec<Zone> = mappings.map(|zone| Zone::named(zone.logical_zone)).collect();
            zones.sort_by(|a, b| a.name.cmp(&b.name));
            Region { name: location.name, display_name: location.display_name, zones }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

const fn image(name: &'static str, says: &'static str) -> (&'static str, &'static str) {
    (name, says)
}

/// AKS' operating systems for Linux nodes. Windows needs more than a cluster of pmks has.
///
/// Source: <https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update#ossku>
const IMAGES: &[(&str, &str)] = &[
    image("Ubuntu", "Ubuntu, of the release that AKS pairs with the Kubernetes version"),
    image("Ubuntu2204", "Ubuntu 22.04"),
    image("Ubuntu2404", "Ubuntu 24.04"),
    image("AzureLinux", "Azure Linux, of the release that AKS pairs with the Kubernetes version"),
    image("AzureLinux3", "Azure Linux 3"),
    image("AzureContainerLinux", "Azure Container Linux"),
];

/// The images that a node group can be made from, for either architecture. No call.
pub(crate) fn images() -> Vec<Image> {
    let all = IMAGES.iter().flat_map(|(name, says)| {
        ["x86_64", "arm64"].map(|architecture| Image {
            name: (*name).to_owned(),
            description: (*says).to_owned(),
            architecture: architecture.to_owned(),
            operating_system: "linux".to_owned(),
            default: *name == DEFAULT_IMAGE,
            ..Image::default()
        })
    });
    all.collect()
}

/// Whether AKS has such an image for Linux nodes.
pub(crate) fn is_image(name: &str) -> bool {
    IMAGES.iter().any(|(known, _)| *known == name)
}

/// The names of all images, for people.
pub(crate) fn image_names() -> String {
    IMAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SET: &str =
        "/subscriptions/0/resourceGroups/MC_g/providers/Microsoft.Compute/virtualMachineScaleSets/aks-ga-1";

    #[test]
    fn scale_sets_belong_to_pools_by_their_tag_and_group() {
        let set = |id: &str, tags: serde_json::Value| -> wire::ScaleSet {
            serde_json::from_value(json!({"id": id, "name": "s", "tags": tags})).unwrap()
        };
        let sets = [
            set(&SET.replace("MC_g", "mc_G"), json!({"aks-managed-poolName": "ga"})),
            set(SET, json!({"AKS-managed-poolname": "gb"})),
            set(SET, json!({"other": "gc"})),
            set(SET, serde_json::Value::Null),
            set(&SET.replace("MC_g", "MC_other"), json!({"aks-managed-poolName": "gd"})),
        ];
        let pools: Vec<String> =
            scale_sets_of(Some("MC_g"), &sets).into_iter().map(|(pool, _)| pool).collect();
        assert_eq!(pools, ["ga", "gb"]);
        assert!(scale_sets_of(None, &sets).is_empty());
    }

    #[test]
    fn instances_become_nodes() {
        let instance: wire::ScaleSetVm = serde_json::from_value(json!({
            "id": format!("{SET}/virtualMachines/0"), "instanceId": "0", "sku": {"name": "Standard_D4s_v5"}, "zones": ["1"],
            "properties": {"provisioningState": "Succeeded", "vmId": "v", "timeCreated": "2026-11-23T10:00:00Z",
                "osProfile": {"computerName": "aks-ga-1-vmss000000"}, "storageProfile": {"osDisk": {"osType": "Windows"}},
                "instanceView": {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}]}},
        }))
        .unwrap();
        let subnet = |networks: &str| {
            format!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/{networks}/net/subnets/sub"
            )
        };
        let interface: network::Interface = serde_json::from_value(json!({"properties": {"primary": true,
            "virtualMachine": {"id": format!("{SET}/virtualMachines/0").to_uppercase()},
            "ipConfigurations": [{"properties": {"privateIPAddress": "10.0.0.9", "primary": false}},
                {"properties": {"privateIPAddress": "10.0.0.4", "primary": true, "subnet": {"id": subnet("VIRTUALNETWORKS")}}}],
            "networkSecurityGroup": null}}))
        .unwrap();
        let node = node("ga", &instance, &places(&[interface])).unwrap();
        assert_eq!(node.subnet, Iid::unnamed(subnet("virtualNetworks")));
        assert_eq!(node.operating_system, "windows");
        assert_eq!(node.iid, Iid::new("aks-ga-1-vmss000000", format!("{SET}/virtualMachines/0")));
        assert_eq!(
            (node.private_ip.as_str(), node.state.as_str(), node.zone.as_str(), node.node_group.as_str()),
            ("10.0.0.4", "running", "1", "ga")
        );
        let mut going = instance;
        "Deleting".clone_into(&mut going.properties.provisioning_state);
        assert_eq!(node_iid(&going), None);
    }

    #[test]
    fn sizes_are_described_in_our_words_with_what_is_closed() {
        let sku: wire::ResourceSku = serde_json::from_value(json!({
            "resourceType": "virtualMachines", "name": "Standard_B1ls", "family": "standardBSFamily",
            "locationInfo": [{"location": "KoreaCentral", "zones": ["3", "1", "2"]}, {"location": "koreasouth", "zones": ["9"]}],
            "capabilities": [{"name": "vCPUs", "value": "1"}, {"name": "MemoryGB", "value": "0.5"},
                {"name": "CpuArchitectureType", "value": "x64"}, {"name": "PremiumIO", "value": "True"}],
            "restrictions": [{"type": "Zone", "restrictionInfo": {"zones": ["2"]}, "reasonCode": "NotAvailableForSubscription"}],
        }))
        .unwrap();
        let found = size(&sku, "koreacentral");
        assert_eq!((found.machine.vcpus, found.machine.memory_mib), (1, 512));
        assert_eq!(found.machine.zones, ["1", "3"]);
        assert!(found.premium && found.restricted.is_empty());
        assert_eq!((found.host_disk_gib, found.machine.local_disk_mib), (None, None));
        let mut local = sku;
        local
            .capabilities
            .push(wire::Capability { name: "MaxResourceVolumeMB".into(), value: "16384".into() });
        assert_eq!(size(&local, "koreacentral").machine.local_disk_mib, Some(16_384));
        assert_eq!(mebibytes("16"), 16_384);
        assert_eq!(mebibytes("1.75"), 1792);
    }

    #[test]
    fn the_host_has_room_for_a_disk_where_azure_says_so() {
        let room = |told: &[(&str, &'static str)]| {
            let told: BTreeMap<String, &'static str> =
                told.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            host_disk(|name| told.get(name).copied())
        };
        let supported = ("EphemeralOSDiskSupported", "True");
        for (told, expected) in [
            (vec![("EphemeralOSDiskSupported", "False"), ("MaxResourceVolumeMB", "16384")], Some(0)),
            (vec![supported, ("CachedDiskBytes", "92341796864"), ("MaxResourceVolumeMB", "14336")], Some(86)),
            (vec![supported, ("CachedDiskBytes", "0"), ("MaxResourceVolumeMB", "153600")], Some(150)),
            (vec![supported, ("MaxResourceVolumeMB", "0"), ("NvmeDiskSizeInMiB", "225280")], Some(220)),
            (vec![supported, ("MaxResourceVolumeMB", "0")], None),
            (vec![], None),
        ] {
            assert_eq!(room(&told), expected, "{told:?}");
        }
    }
}
