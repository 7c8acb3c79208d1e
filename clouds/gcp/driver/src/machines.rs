//! Machine types, images, regions and nodes. Never writes.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use pmks_driver::{DriverError, ErrorKind, Listing, Result};
use pmks_model::{Cluster, GpuKind, Iid, Image, KeyValueList, MachineType, Node, Region, Zone};

use crate::live::{Live, is_node, node_iid};
use crate::names::{Shared, last, region_of};
use crate::wire::compute as wire;
use crate::{GcpDriver, PROVIDER};

/// How many zones are asked about at once.
const AT_ONCE: usize = 4;

/// The VMs of a cluster, with details, ordered by identifier. Two calls, pages apart.
pub(crate) async fn nodes(driver: &GcpDriver, cluster: &Cluster) -> Result<Listing<Node>> {
    let (groups, instances) = futures::try_join!(driver.api.instance_groups(), driver.api.instances())?;
    let mut missed = Vec::new();
    let missing: BTreeSet<&String> = groups.missing.iter().chain(&instances.missing).collect();
    for scope in missing.into_iter().filter(|scope| region_of(last(scope)) == driver.region()) {
        missed.push(crate::live::miss(&format!("the nodes of {scope}"), &crate::live::unreachable(scope)));
    }
    let mut live = Live::default();
    live.add_groups(groups.found.into_iter().map(|(_, group)| group));
    let pools: Vec<(&str, &str)> = cluster
        .node_groups
        .iter()
        .flat_map(|group| {
            let facts = group.key_value_list.0.iter().filter(|fact| fact.key == "InstanceGroup");
            facts.map(|fact| (group.iid.name_id.as_str(), fact.value.as_str()))
        })
        .collect();
    let own = instances.found.iter().map(|(_, instance)| instance).filter(|instance| is_node(instance));
    let mut nodes: Vec<Node> = own
        .filter_map(|instance| {
            let pool = live.pool_of(instance, pools.iter().copied())?;
            let group = cluster.node_groups.iter().find(|group| group.iid.name_id == pool);
            let image = group.map_or("", |group| group.image.as_str());
            Some(node(instance, (pool, image), driver.api.project()))
        })
        .collect();
    nodes.sort_by(|a, b| a.iid.system_id.cmp(&b.iid.system_id));
    Ok(Listing { items: nodes, missed })
}

/// Which of its network tags are security groups the instance does not say: Google's own are among them. Nor does it say
/// its system: the image type of its pool does.
fn node(instance: &wire::Instance, (pool, image_type): (&str, &str), project: &str) -> Node {
    let interface = instance.network_interfaces.first();
    let subnet = interface
        .and_then(|interface| Shared::read("subnet", &interface.subnetwork, project).ok())
        .map(|found| Iid::unnamed(found.subnetwork(project, region_of(last(&instance.zone)))));
    let mut facts = KeyValueList::default();
    facts.add("Id", &instance.id);
    facts.add_some("Network", interface.map(|interface| last(&interface.network)));
    facts.add_some("Subnetwork", interface.map(|interface| last(&interface.subnetwork)));
    facts.add("NetworkTags", instance.tags.items.join(","));
    facts.add("CpuPlatform", &instance.cpu_platform);
    facts.add("ProvisioningModel", &instance.scheduling.provisioning_model);
    let started = [&instance.last_start_timestamp, &instance.creation_timestamp];
    let public = interface.and_then(|interface| interface.access_configs.first());
    Node {
        iid: node_iid(instance),
        node_group: pool.to_owned(),
        machine_type: last(&instance.machine_type).to_owned(),
        operating_system: operating_system(image_type).to_owned(),
        zone: last(&instance.zone).to_owned(),
        subnet: subnet.unwrap_or_default(),
        security_groups: Vec::new(),
        private_ip: interface.map(|interface| interface.network_ip.clone()).unwrap_or_default(),
        public_ip: public.map(|access| access.nat_ip.clone()).unwrap_or_default(),
        state: instance.status.clone(),
        launched_at: started.into_iter().find_map(|text| text.parse().ok()),
        key_value_list: facts,
    }
}

/// The machine types on offer in the region with the zones that have them, ordered by name. One call, and one for each
/// zone.
pub(crate) async fn machine_types(driver: &GcpDriver) -> Result<Vec<MachineType>> {
    let zones = zones(driver).await?;
    let lists: Vec<Vec<wire::MachineType>> = stream::iter(zones)
        .map(|zone| async move { driver.api.list_machine_types(&zone).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut found: BTreeMap<String, MachineType> = BTreeMap::new();
    for one in lists.into_iter().flatten().filter(|one| one.deprecated.is_none()) {
        let zone = last(&one.zone).to_owned();
        found.entry(one.name.clone()).or_insert_with(|| describe(&one)).zones.push(zone);
    }
    Ok(found.into_values().collect())
}

/// The zones of the connection's region, ordered. One call.
pub(crate) async fn zones(driver: &GcpDriver) -> Result<Vec<String>> {
    let region = driver.api.get_region(driver.region()).await?;
    let mut zones: Vec<String> = region.zones.iter().map(|url| last(url).to_owned()).collect();
    zones.sort();
    Ok(zones)
}

/// One machine type of a zone, with its processors. One call.
///
/// # Errors
/// `NotFound` where the zone has none of that name.
pub(crate) async fn machine_type(driver: &GcpDriver, zone: &str, name: &str) -> Result<MachineType> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(plain) {
        let says = format!("{zone} has no machine type {name:?}");
        return Err(DriverError::new(ErrorKind::NotFound, PROVIDER, says));
    }
    let found = driver.api.get_machine_type(zone, name).await?;
    Ok(MachineType { zones: vec![zone.to_owned()], ..describe(&found) })
}

fn describe(found: &wire::MachineType) -> MachineType {
    let architecture = match found.architecture.as_str() {
        "ARM64" => "arm64",
        // Most machine types do not say, and are of the older kind.
        _ => "x86_64",
    };
    let mut facts = KeyValueList::default();
    facts.add("Description", &found.description);
    facts.add("IsSharedCpu", found.is_shared_cpu.to_string());
    for accelerator in &found.accelerators {
        let (count, kind) = (accelerator.guest_accelerator_count, &accelerator.guest_accelerator_type);
        facts.add("Accelerator", format!("{count} × {kind}"));
    }
    MachineType {
        name: found.name.clone(),
        vcpus: found.guest_cpus,
        memory_mib: found.memory_mb,
        architecture: architecture.to_owned(),
        clock_ghz: None,
        local_disk_mib: None,
        gpus: found.accelerators.iter().map(|accelerator| accelerator.guest_accelerator_count).sum(),
        gpu_kinds: found.accelerators.iter().map(gpu_kind).collect(),
        region: String::new(),
        zones: Vec::new(),
        key_value_list: facts,
    }
}

/// What an accelerator type says of itself: its maker, what it is, and at the end of some its memory
/// (`nvidia-h100-80gb`). One word alone is what it is.
///
/// Source: <https://cloud.google.com/compute/docs/gpus#gpu-models>
fn gpu_kind(accelerator: &wire::Accelerator) -> GpuKind {
    let name = accelerator.guest_accelerator_type.as_str();
    let (manufacturer, model) = name.split_once('-').unwrap_or(("", name));
    let (last_before, last_part) = model.rsplit_once('-').unwrap_or(("", model));
    let gigabytes = last_part.strip_suffix("gb").and_then(|digits| digits.parse::<u64>().ok());
    let model = if gigabytes.is_some() && !last_before.is_empty() { last_before } else { model };
    GpuKind {
        count: accelerator.guest_accelerator_count,
        manufacturer: manufacturer.to_ascii_uppercase(),
        model: model.replace('-', " ").to_ascii_uppercase(),
        memory_mib: gigabytes.map(|size| size.saturating_mul(1_000_000_000) >> 20),
    }
}

/// The regions that the project can use, with their zones. One call.
pub(crate) async fn regions(driver: &GcpDriver) -> Result<Vec<Region>> {
    let mut all: Vec<Region> = driver
        .api
        .list_regions()
        .await?
        .into_iter()
        .map(|region| {
            let mut zones: Vec<Zone> = region.zones.iter().map(|url| Zone::named(last(url))).collect();
            zones.sort_by(|a, b| a.name.cmp(&b.name));
            Region { zones, name: region.name, display_name: String::new() }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// The image types that a node group can be made from. One call.
pub(crate) async fn images(driver: &GcpDriver) -> Result<Vec<Image>> {
    let config = driver.api.server_config(driver.location()).await?;
    let mut images: Vec<Image> =
        config.valid_image_types.iter().map(|name| image(name, &config.default_image_type)).collect();
    images.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(images)
}

fn image(name: &str, default: &str) -> Image {
    let description = match name {
        "COS_CONTAINERD" => "Container-Optimized OS with containerd",
        "UBUNTU_CONTAINERD" => "Ubuntu with containerd",
        "WINDOWS_LTSC_CONTAINERD" => "Windows Server of the long-term channel with containerd",
        "WINDOWS_SAC_CONTAINERD" => "Windows Server of the semi-annual channel with containerd",
        _ => "",
    };
    let windows = is_windows(name);
    Image {
        name: name.to_owned(),
        description: description.to_owned(),
        // An image type is of the machine type's architecture; Windows has one alone.
        architecture: if windows { "x86_64" } else { "" }.to_owned(),
        operating_system: operating_system(name).to_owned(),
        default: name.eq_ignore_ascii_case(default),
        ..Image::default()
    }
}

fn operating_system(image_type: &str) -> &'static str {
    if is_windows(image_type) { "windows" } else { "linux" }
}

/// Whether nodes of that image type are not Linux: they take no SSH keys from their metadata.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/node-images>
pub(crate) fn is_windows(image_type: &str) -> bool {
    image_type.to_ascii_uppercase().starts_with("WINDOWS")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instances_become_nodes() {
        let instance: wire::Instance = serde_json::from_value(json!({
            "id": "123", "name": "gke-c-ga-1a2b-aaaa", "zone": "https://x/zones/r1-a", "status": "RUNNING",
            "machineType": "https://x/zones/r1-a/machineTypes/e2-medium", "creationTimestamp": "2026-11-23T01:00:00.000-08:00",
            "networkInterfaces": [{"network": "https://x/global/networks/net", "networkIP": "10.0.0.2",
                "subnetwork": "https://x/projects/p/regions/r1/subnetworks/sub",
                "accessConfigs": [{"natIP": "34.1.1.1", "type": "ONE_TO_ONE_NAT"}]}],
            "tags": {"items": ["web"]}, "scheduling": {"provisioningModel": "STANDARD"},
        }))
        .unwrap();
        let node = super::node(&instance, ("ga", "COS_CONTAINERD"), "p");
        assert_eq!(node.operating_system, "linux");
        assert_eq!(node.subnet, Iid::unnamed("sub"));
        let elsewhere = super::node(&instance, ("ga", "WINDOWS_LTSC_CONTAINERD"), "q");
        assert_eq!(elsewhere.operating_system, "windows");
        assert_eq!(elsewhere.subnet, Iid::unnamed("projects/p/regions/r1/subnetworks/sub"));
        assert_eq!(node.iid, Iid::new("gke-c-ga-1a2b-aaaa", "zones/r1-a/instances/gke-c-ga-1a2b-aaaa"));
        assert_eq!(
            (node.node_group.as_str(), node.machine_type.as_str(), node.zone.as_str()),
            ("ga", "e2-medium", "r1-a")
        );
        assert_eq!((node.private_ip.as_str(), node.public_ip.as_str()), ("10.0.0.2", "34.1.1.1"));
        assert_eq!(node.launched_at.unwrap().to_string(), "2026-11-23T09:00:00Z");
    }

    #[test]
    fn machine_types_are_described_in_our_words() {
        let found: wire::MachineType = serde_json::from_value(json!({
            "name": "a2-highgpu-2g", "guestCpus": 24, "memoryMb": 174_080, "zone": "r1-a",
            "accelerators": [{"guestAcceleratorType": "nvidia-tesla-a100", "guestAcceleratorCount": 2}],
        }))
        .unwrap();
        let machine = describe(&found);
        assert_eq!((machine.vcpus, machine.memory_mib, machine.gpus), (24, 174_080, 2));
        assert_eq!(machine.key_value_list.get("Accelerator"), Some("2 × nvidia-tesla-a100"));
        assert_eq!(machine.architecture, "x86_64");
        assert_eq!(
            describe(&wire::MachineType { architecture: "ARM64".into(), ..found }).architecture,
            "arm64"
        );
    }

    #[test]
    fn accelerator_types_say_maker_model_and_memory() {
        for (name, manufacturer, model, memory_mib) in [
            ("nvidia-tesla-a100", "NVIDIA", "TESLA A100", None),
            ("nvidia-h100-80gb", "NVIDIA", "H100", Some(76_293)),
            ("nvidia-h100-mega-80gb", "NVIDIA", "H100 MEGA", Some(76_293)),
            ("nvidia-l4", "NVIDIA", "L4", None),
            ("ct5lp", "", "CT5LP", None),
        ] {
            let accelerator =
                wire::Accelerator { guest_accelerator_type: name.to_owned(), guest_accelerator_count: 2 };
            let kind = GpuKind {
                count: 2,
                manufacturer: manufacturer.to_owned(),
                model: model.to_owned(),
                memory_mib,
            };
            assert_eq!(gpu_kind(&accelerator), kind, "{name}");
        }
    }

    #[test]
    fn image_types_are_known_by_their_names() {
        assert!(image("COS_CONTAINERD", "cos_containerd").default);
        assert_eq!(image("WINDOWS_LTSC_CONTAINERD", "").operating_system, "windows");
        assert_eq!(image("NEW_THING", "").operating_system, "linux");
    }
}
