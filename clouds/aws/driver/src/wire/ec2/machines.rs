//! Machines: instances, and the types that they may be of.

use serde::Deserialize;

use super::GroupPair;
use crate::query::{List, Tag};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeInstances {
    pub(crate) reservation_set: List<Reservation>,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Reservation {
    pub(crate) instances_set: List<Instance>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Instance {
    pub(crate) instance_id: String,
    pub(crate) image_id: String,
    pub(crate) instance_type: String,
    pub(crate) instance_state: InstanceState,
    pub(crate) instance_lifecycle: String,
    pub(crate) private_dns_name: String,
    pub(crate) dns_name: String,
    pub(crate) private_ip_address: String,
    pub(crate) ip_address: String,
    pub(crate) key_name: String,
    /// `windows`, or nothing.
    pub(crate) platform: String,
    pub(crate) launch_time: Option<String>,
    pub(crate) subnet_id: String,
    pub(crate) vpc_id: String,
    pub(crate) group_set: List<GroupPair>,
    pub(crate) placement: Placement,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InstanceState {
    pub(crate) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Placement {
    pub(crate) availability_zone: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeInstanceTypes {
    pub(crate) instance_type_set: List<InstanceType>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InstanceType {
    pub(crate) instance_type: String,
    pub(crate) current_generation: bool,
    pub(crate) bare_metal: bool,
    pub(crate) hypervisor: String,
    pub(crate) burstable_performance_supported: bool,
    pub(crate) processor_info: ProcessorInfo,
    #[serde(rename = "vCpuInfo")]
    pub(crate) vcpu_info: VcpuInfo,
    pub(crate) memory_info: MemoryInfo,
    pub(crate) network_info: NetworkInfo,
    pub(crate) gpu_info: GpuInfo,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProcessorInfo {
    pub(crate) supported_architectures: List<String>,
    pub(crate) manufacturer: String,
    pub(crate) sustained_clock_speed_in_ghz: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VcpuInfo {
    #[serde(rename = "defaultVCpus")]
    pub(crate) default_vcpus: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MemoryInfo {
    #[serde(rename = "sizeInMiB")]
    pub(crate) size_in_mib: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkInfo {
    pub(crate) network_performance: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GpuInfo {
    pub(crate) gpus: List<Gpu>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Gpu {
    pub(crate) name: String,
    pub(crate) manufacturer: String,
    pub(crate) count: u32,
    pub(crate) memory_info: Option<MemoryInfo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeInstanceTypeOfferings {
    pub(crate) instance_type_offering_set: List<InstanceTypeOffering>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InstanceTypeOffering {
    pub(crate) instance_type: String,
    pub(crate) location: String,
}
