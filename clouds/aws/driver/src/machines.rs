//! Machine types, images, regions and nodes. Never writes.

use std::collections::{BTreeMap, BTreeSet};

use pmks_driver::{DriverError, ErrorKind, Listing, Result};
use pmks_model::{Cluster, GpuKind, Iid, Image, KeyValueList, MachineType, Node, Region, Zone};

use crate::api::ec2::filter;
use crate::wire::ec2 as wire;
use crate::{AwsDriver, PROVIDER};

/// The tag by which EKS marks the instances of its node groups with their cluster.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html>
const CLUSTER_TAG: &str = "eks:cluster-name";
/// The same, with their node group.
const NODE_GROUP_TAG: &str = "eks:nodegroup-name";

/// The states of instances that are nodes or will be: not those that are gone or go.
const LIVING: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// How large the disk of an AMI type is made: none smaller can be made of its snapshot. `None` where nobody says it.
///
/// Sources: <https://github.com/awslabs/amazon-eks-ami/pull/1581> (Amazon Linux 2023),
/// <https://github.com/awslabs/amazon-eks-ami/issues/1142> (Amazon Linux 2)
pub(crate) fn least_disk_gib(ami_type: &str) -> Option<u32> {
    match ami_type {
        name if name.starts_with("AL2023_") => Some(20),
        name if name.starts_with("AL2_") => Some(8),
        _ => None,
    }
}

/// The last minor version of Kubernetes that EKS has an AMI type for. `None`: no end is known.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-deprecation-faqs.html>
pub(crate) fn last_minor(ami_type: &str) -> Option<(u32, u32)> {
    ami_type.starts_with("AL2_").then_some((1, 32))
}

/// Why there is no AMI of this type for that version of Kubernetes; `None`: there is one, as far as is known.
pub(crate) fn ends_before(ami_type: &str, version: &str) -> Option<String> {
    let wanted = version.parse::<pmks_model::Version>().ok()?;
    let (major, minor) = last_minor(ami_type).filter(|last| wanted.minor() > *last)?;
    Some(format!("EKS has no {ami_type} for Kubernetes {version}: it ends with {major}.{minor}"))
}

/// The VMs of a cluster, with details, ordered by identifier. One call, pages apart.
pub(crate) async fn nodes(driver: &AwsDriver, cluster: &Cluster) -> Result<Listing<Node>> {
    let tag = format!("tag:{CLUSTER_TAG}");
    let states = LIVING.iter().map(|state| (*state).to_owned()).collect();
    let own = [filter(&tag, &cluster.iid.system_id), ("instance-state-name", states)];
    let instances = driver.api.describe_instances(&own).await?;
    let mut nodes: Vec<Node> = instances.iter().map(node).collect();
    nodes.sort_by(|a, b| a.iid.system_id.cmp(&b.iid.system_id));
    Ok(Listing::complete(nodes))
}

/// A Kubernetes node of EKS is called by its private host name.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>
fn node_iid(instance: &wire::Instance) -> Iid {
    match instance.private_dns_name.as_str() {
        "" => Iid::unnamed(&instance.instance_id),
        name => Iid::new(name, &instance.instance_id),
    }
}

/// EC2 says `windows` of an instance, or nothing.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html>, `platform`
fn node(instance: &wire::Instance) -> Node {
    let tags = instance.tag_set.to_tags();
    let mut facts = KeyValueList::default();
    facts.add("ImageId", &instance.image_id);
    facts.add("KeyName", &instance.key_name);
    facts.add("SubnetId", &instance.subnet_id);
    facts.add("VpcId", &instance.vpc_id);
    facts.add("PublicDnsName", &instance.dns_name);
    facts.add("InstanceLifecycle", &instance.instance_lifecycle);
    facts.add_some("Name", tags.get(crate::networks::NAME_TAG).map(String::as_str));
    let groups = instance.group_set.entries.iter();
    Node {
        iid: node_iid(instance),
        node_group: tags.get(NODE_GROUP_TAG).cloned().unwrap_or_default(),
        machine_type: instance.instance_type.clone(),
        operating_system: if instance.platform.eq_ignore_ascii_case("windows") { "windows" } else { "linux" }
            .to_owned(),
        zone: instance.placement.availability_zone.clone(),
        subnet: Iid::unnamed(&instance.subnet_id),
        security_groups: groups.map(|group| Iid::unnamed(&group.group_id)).collect(),
        private_ip: instance.private_ip_address.clone(),
        public_ip: instance.ip_address.clone(),
        state: instance.instance_state.name.clone(),
        launched_at: instance.launch_time.as_deref().and_then(|text| text.parse().ok()),
        key_value_list: facts,
    }
}

/// The machine types on offer in the region with the zones that have them, ordered by name. Two lists, paged.
pub(crate) async fn machine_types(driver: &AwsDriver) -> Result<Vec<MachineType>> {
    let (types, offerings) = futures::try_join!(
        driver.api.describe_instance_types(&[]),
        driver.api.describe_instance_type_offerings(&[])
    )?;
    let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for offering in offerings {
        zones.entry(offering.instance_type).or_default().insert(offering.location);
    }
    let zones_of = |name: &str| zones.get(name).into_iter().flatten().cloned().collect();
    let mut all: Vec<MachineType> =
        types.iter().map(|found| describe(found, zones_of(&found.instance_type))).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// One machine type by name, with its zones. Asked before node groups are made: its architecture decides the default
/// image.
///
/// # Errors
/// `NotFound` where the region has none of that name.
pub(crate) async fn machine_type(driver: &AwsDriver, name: &str) -> Result<MachineType> {
    let of = [filter("instance-type", name)];
    let (types, offerings) = futures::try_join!(
        driver.api.describe_instance_types(&of),
        driver.api.describe_instance_type_offerings(&of)
    )?;
    // EC2's filters know wildcards, so that `t3.*` would find several.
    let found = types.iter().find(|found| found.instance_type == name).ok_or_else(|| {
        let message = format!("{} has no machine type {name:?}", driver.region());
        DriverError::new(ErrorKind::NotFound, PROVIDER, message).with_action("ec2.DescribeInstanceTypes")
    })?;
    let zones: BTreeSet<String> = offerings.into_iter().map(|offering| offering.location).collect();
    Ok(describe(found, zones.into_iter().collect()))
}

/// The accelerators of one kind, with the memory of each.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GpuDeviceInfo.html>
fn gpu_kind(gpu: &wire::Gpu) -> GpuKind {
    GpuKind {
        count: gpu.count,
        manufacturer: gpu.manufacturer.clone(),
        model: gpu.name.clone(),
        memory_mib: gpu.memory_info.as_ref().map(|memory| memory.size_in_mib).filter(|size| *size > 0),
    }
}

/// As CB-Spider writes it, whose clients read out of it which architectures the processor knows.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ProcessorInfo.html>;
/// <https://github.com/cloud-barista/cb-tumblebug/blob/main/src/core/resource/spec.go>, `extractArchitecture`
fn processor(info: &wire::ProcessorInfo) -> String {
    let architectures = info.supported_architectures.entries.join(",");
    let manufacturer = Some(&info.manufacturer).filter(|maker| !maker.is_empty());
    let parts = [
        manufacturer.map(|maker| format!("Manufacturer:{maker}")),
        Some(format!("SupportedArchitectures:[{architectures}]")),
        info.sustained_clock_speed_in_ghz.map(|ghz| format!("SustainedClockSpeedInGhz:{ghz}")),
    ];
    format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(","))
}

fn describe(found: &wire::InstanceType, zones: Vec<String>) -> MachineType {
    let architectures = &found.processor_info.supported_architectures.entries;
    // Old types name i386 beside x86_64; the Macs of EC2 are not for nodes and keep their own word.
    let architecture = ["x86_64", "arm64"]
        .into_iter()
        .find(|known| architectures.iter().any(|word| word == known))
        .map_or_else(|| architectures.first().cloned().unwrap_or_default(), str::to_owned);
    let mut facts = KeyValueList::default();
    facts.add("CurrentGeneration", found.current_generation.to_string());
    facts.add("BareMetal", found.bare_metal.to_string());
    facts.add("BurstablePerformanceSupported", found.burstable_performance_supported.to_string());
    facts.add("Hypervisor", &found.hypervisor);
    facts.add("NetworkPerformance", &found.network_info.network_performance);
    facts.add("ProcessorInfo", processor(&found.processor_info));
    for gpu in &found.gpu_info.gpus.entries {
        facts.add("Gpu", format!("{} × {} {}", gpu.count, gpu.manufacturer, gpu.name));
    }
    MachineType {
        name: found.instance_type.clone(),
        vcpus: found.vcpu_info.default_vcpus,
        memory_mib: found.memory_info.size_in_mib,
        architecture,
        clock_ghz: found.processor_info.sustained_clock_speed_in_ghz,
        // Instance stores are several, and nothing that nodes use: CB-Spider tells none of them.
        local_disk_mib: None,
        gpus: found.gpu_info.gpus.entries.iter().map(|gpu| gpu.count).sum(),
        gpu_kinds: found.gpu_info.gpus.entries.iter().map(gpu_kind).collect(),
        region: String::new(),
        zones,
        key_value_list: facts,
    }
}

/// The regions that the account can use, with the zones of the connection's own. Two calls.
pub(crate) async fn regions(driver: &AwsDriver) -> Result<Vec<Region>> {
    let (regions, zones) =
        futures::try_join!(driver.api.describe_regions(), driver.api.describe_availability_zones())?;
    let mut own: Vec<Zone> =
        zones.into_iter().filter(usable).map(|zone| Zone::named(zone.zone_name)).collect();
    own.sort_by(|a, b| a.name.cmp(&b.name));
    let mut all: Vec<Region> = regions
        .into_iter()
        .map(|region| Region {
            zones: if region.region_name == driver.region() { own.clone() } else { Vec::new() },
            name: region.region_name,
            display_name: String::new(),
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Whether subnets and nodes can be put there now: a whole zone, not a local or wavelength one.
pub(crate) fn usable(zone: &wire::AvailabilityZone) -> bool {
    let whole = matches!(zone.zone_type.as_str(), "" | "availability-zone");
    whole && zone.zone_state == "available" && zone.opt_in_status != "not-opted-in"
}

/// The images that a node group can be made from. No call.
pub(crate) fn images() -> Vec<Image> {
    let own = AMI_TYPES.iter().map(|ami| Image {
        name: ami.name.to_owned(),
        description: ami.says.to_owned(),
        architecture: ami.architecture.to_owned(),
        operating_system: if ami.name.starts_with("WINDOWS") { "windows" } else { "linux" }.to_owned(),
        disk_size_gib: least_disk_gib(ami.name),
        default: ami.name == DEFAULT_AMI_TYPE,
        ..Image::default()
    });
    own.collect()
}

/// An AMI type of EKS: an image family that EKS itself keeps up to date.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AmiType {
    /// EKS' word.
    pub(crate) name: &'static str,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: &'static str,
    says: &'static str,
}

const fn ami(name: &'static str, architecture: &'static str, says: &'static str) -> AmiType {
    AmiType { name, architecture, says }
}

/// What a node group of x86 machines is made from where nobody chooses.
pub(crate) const DEFAULT_AMI_TYPE: &str = "AL2023_x86_64_STANDARD";
/// The same of Arm machines.
pub(crate) const DEFAULT_ARM_AMI_TYPE: &str = "AL2023_ARM_64_STANDARD";

/// EKS' AMI types. `CUSTOM` is not among them: it is said by a launch template or an AMI's identifier.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html>, `amiType`
pub(crate) const AMI_TYPES: &[AmiType] = &[
    ami("AL2023_x86_64_STANDARD", "x86_64", "Amazon Linux 2023"),
    ami("AL2023_ARM_64_STANDARD", "arm64", "Amazon Linux 2023"),
    ami("AL2023_x86_64_NVIDIA", "x86_64", "Amazon Linux 2023 with NVIDIA drivers"),
    ami("AL2023_ARM_64_NVIDIA", "arm64", "Amazon Linux 2023 with NVIDIA drivers"),
    ami("AL2023_x86_64_NEURON", "x86_64", "Amazon Linux 2023 with AWS Neuron"),
    ami("BOTTLEROCKET_x86_64", "x86_64", "Bottlerocket"),
    ami("BOTTLEROCKET_ARM_64", "arm64", "Bottlerocket"),
    ami("BOTTLEROCKET_x86_64_FIPS", "x86_64", "Bottlerocket with FIPS cryptography"),
    ami("BOTTLEROCKET_ARM_64_FIPS", "arm64", "Bottlerocket with FIPS cryptography"),
    ami("BOTTLEROCKET_x86_64_NVIDIA", "x86_64", "Bottlerocket with NVIDIA drivers"),
    ami("BOTTLEROCKET_ARM_64_NVIDIA", "arm64", "Bottlerocket with NVIDIA drivers"),
    ami(
        "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
        "x86_64",
        "Bottlerocket with NVIDIA drivers and FIPS cryptography",
    ),
    ami("BOTTLEROCKET_ARM_64_NVIDIA_FIPS", "arm64", "Bottlerocket with NVIDIA drivers and FIPS cryptography"),
    ami("AL2_x86_64", "x86_64", "Amazon Linux 2, up to Kubernetes 1.32"),
    ami("AL2_x86_64_GPU", "x86_64", "Amazon Linux 2 with GPU support, up to Kubernetes 1.32"),
    ami("AL2_ARM_64", "arm64", "Amazon Linux 2, up to Kubernetes 1.32"),
    ami("WINDOWS_CORE_2019_x86_64", "x86_64", "Windows Server 2019 Core"),
    ami("WINDOWS_FULL_2019_x86_64", "x86_64", "Windows Server 2019 Full"),
    ami("WINDOWS_CORE_2022_x86_64", "x86_64", "Windows Server 2022 Core"),
    ami("WINDOWS_FULL_2022_x86_64", "x86_64", "Windows Server 2022 Full"),
    ami("WINDOWS_CORE_2025_x86_64", "x86_64", "Windows Server 2025 Core"),
    ami("WINDOWS_FULL_2025_x86_64", "x86_64", "Windows Server 2025 Full"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{QueryService, read};

    #[test]
    fn instances_become_nodes() {
        let xml = r"<DescribeInstancesResponse><reservationSet><item><reservationId>r</reservationId><instancesSet><item>
          <instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState>
          <privateDnsName>ip-10-0-0-1.ap-northeast-2.compute.internal</privateDnsName><dnsName/><reason/><instanceType>t3.medium</instanceType>
          <launchTime>2026-11-23T10:00:00.000Z</launchTime><placement><availabilityZone>ap-northeast-2a</availabilityZone><tenancy>default</tenancy></placement>
          <privateIpAddress>10.0.0.1</privateIpAddress><ipAddress>3.3.3.3</ipAddress><subnetId>subnet-1</subnetId>
          <groupSet><item><groupId>sg-1</groupId><groupName>g</groupName></item><item><groupId>sg-2</groupId></item></groupSet>
          <platform>windows</platform><tagSet><item><key>eks:cluster-name</key><value>c</value></item><item><key>eks:nodegroup-name</key><value>workers</value></item></tagSet>
        </item></instancesSet></item></reservationSet></DescribeInstancesResponse>";
        let answer: wire::DescribeInstances = read(QueryService::Ec2, xml).unwrap();
        let node = super::node(&answer.reservation_set.entries[0].instances_set.entries[0]);
        assert_eq!(node.iid, Iid::new("ip-10-0-0-1.ap-northeast-2.compute.internal", "i-1"));
        assert_eq!(
            (node.node_group.as_str(), node.state.as_str(), node.public_ip.as_str()),
            ("workers", "running", "3.3.3.3")
        );
        assert_eq!(node.launched_at.unwrap().to_string(), "2026-11-23T10:00:00Z");
        assert_eq!(node.operating_system, "windows");
        assert_eq!(super::node(&wire::Instance::default()).operating_system, "linux");
        assert_eq!(node.subnet, Iid::unnamed("subnet-1"));
        assert_eq!(node.security_groups, [Iid::unnamed("sg-1"), Iid::unnamed("sg-2")]);
    }

    #[test]
    fn the_end_of_an_ami_type_is_what_its_description_says() {
        for ami in AMI_TYPES {
            let said = ami.says.split_once("up to Kubernetes ").map(|(_, version)| version.to_owned());
            let last = last_minor(ami.name).map(|(major, minor)| format!("{major}.{minor}"));
            assert_eq!(last, said, "{}", ami.name);
        }
    }

    #[test]
    fn machine_types_are_described_in_our_words() {
        let xml = r"<DescribeInstanceTypesResponse><instanceTypeSet><item><instanceType>g4dn.12xlarge</instanceType><currentGeneration>true</currentGeneration>
          <bareMetal>false</bareMetal><hypervisor>nitro</hypervisor><processorInfo><supportedArchitectures><item>i386</item><item>x86_64</item></supportedArchitectures><sustainedClockSpeedInGhz>2.5</sustainedClockSpeedInGhz></processorInfo>
          <vCpuInfo><defaultVCpus>48</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>196608</sizeInMiB></memoryInfo>
          <gpuInfo><gpus><item><name>T4</name><manufacturer>NVIDIA</manufacturer><count>4</count><memoryInfo><sizeInMiB>16384</sizeInMiB></memoryInfo></item></gpus></gpuInfo></item></instanceTypeSet><nextToken/></DescribeInstanceTypesResponse>";
        let answer: wire::DescribeInstanceTypes = read(QueryService::Ec2, xml).unwrap();
        let found = describe(&answer.instance_type_set.entries[0], vec!["a".to_owned()]);
        assert_eq!((found.vcpus, found.memory_mib, found.gpus), (48, 196_608, 4));
        let gpu = GpuKind {
            count: 4,
            manufacturer: "NVIDIA".to_owned(),
            model: "T4".to_owned(),
            memory_mib: Some(16_384),
        };
        assert_eq!((found.clock_ghz, found.gpu_kinds.as_slice()), (Some(2.5), [gpu].as_slice()));
        let silent = describe(&wire::InstanceType::default(), Vec::new());
        assert_eq!((silent.clock_ghz, silent.gpu_kinds), (None, Vec::new()));
        assert_eq!(
            (found.architecture.as_str(), found.key_value_list.get("Gpu")),
            ("x86_64", Some("4 × NVIDIA T4"))
        );
        let processor = "{SupportedArchitectures:[i386,x86_64],SustainedClockSpeedInGhz:2.5}";
        assert_eq!(found.key_value_list.get("ProcessorInfo"), Some(processor));
    }
}
