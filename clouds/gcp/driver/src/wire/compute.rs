//! Compute Engine v1. Numbers of 64 bits travel as texts.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1>

#![expect(clippy::struct_field_names, reason = "the names are Compute Engine's own")]

use std::collections::BTreeMap;

use pmks_model::Tags;
use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Page<T> {
    #[serde(default = "Vec::new")]
    pub(crate) items: Vec<T>,
    #[serde(default)]
    pub(crate) next_page_token: String,
}

/// A page of a list over every zone and region: what is found, by scope (`zones/Z`, `regions/R`, `global`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de> + Default"))]
pub(crate) struct AggregatedPage<T> {
    #[serde(default = "BTreeMap::new")]
    pub(crate) items: BTreeMap<String, T>,
    #[serde(default)]
    pub(crate) next_page_token: String,
    /// Scopes that did not answer.
    #[serde(default)]
    pub(crate) unreachables: Vec<String>,
}

/// Compute Engine's own work.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) operation_type: String,
    /// `PENDING`, `RUNNING` or `DONE`.
    pub(crate) status: String,
    /// The incarnation of what it works on.
    pub(crate) target_id: String,
    pub(crate) error: Option<OperationErrors>,
    pub(crate) http_error_status_code: Option<u16>,
}

/// Why it failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OperationErrors {
    pub(crate) errors: Vec<OperationError>,
}

/// One reason.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OperationError {
    /// Such as `RESOURCE_IN_USE_BY_ANOTHER_RESOURCE`.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) auto_create_subnetworks: Option<bool>,
    /// URLs.
    pub(crate) subnetworks: Vec<String>,
    pub(crate) mtu: Option<u32>,
    pub(crate) routing_config: RoutingConfig,
    /// The addresses of a network of the oldest kind, which has no subnetworks.
    #[serde(rename = "IPv4Range")]
    pub(crate) ipv4_range: String,
}

/// Whose routes a network learns.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RoutingConfig {
    pub(crate) routing_mode: String,
}

/// A network that is asked for: one without subnetworks of its own making.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewNetwork {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) auto_create_subnetworks: bool,
}

/// A subnetwork, which spans the zones of its region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Subnetwork {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// A URL.
    pub(crate) network: String,
    pub(crate) ip_cidr_range: String,
    pub(crate) region: String,
    pub(crate) purpose: String,
    pub(crate) private_ip_google_access: bool,
    pub(crate) gateway_address: String,
    pub(crate) secondary_ip_ranges: Vec<SecondaryRange>,
}

/// Addresses for pods or services.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecondaryRange {
    pub(crate) range_name: String,
    pub(crate) ip_cidr_range: String,
}

/// A subnetwork that is asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSubnetwork {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) network: String,
    pub(crate) ip_cidr_range: String,
}

/// A firewall rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Firewall {
    #[serde(skip_serializing)]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// A URL.
    pub(crate) network: String,
    /// `INGRESS` or `EGRESS`.
    pub(crate) direction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u32>,
    pub(crate) disabled: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed: Vec<Traffic>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) denied: Vec<Traffic>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) source_ranges: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) destination_ranges: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) source_tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) target_tags: Vec<String>,
}

/// What a firewall rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Traffic {
    #[serde(rename = "IPProtocol")]
    pub(crate) protocol: String,
    /// `22` or `8000-9000`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<String>,
}

/// A region with what a project may use of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Region {
    pub(crate) name: String,
    /// URLs.
    pub(crate) zones: Vec<String>,
    pub(crate) quotas: Vec<Quota>,
}

/// A limit of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Quota {
    pub(crate) metric: String,
    pub(crate) limit: f64,
    pub(crate) usage: f64,
}

/// A machine type of a zone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MachineType {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) guest_cpus: u32,
    pub(crate) memory_mb: u64,
    pub(crate) zone: String,
    pub(crate) is_shared_cpu: bool,
    pub(crate) architecture: String,
    pub(crate) accelerators: Vec<Accelerator>,
    pub(crate) deprecated: Option<Deprecation>,
}

/// What computes beside the processors.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Accelerator {
    pub(crate) guest_accelerator_type: String,
    pub(crate) guest_accelerator_count: u32,
}

/// That something is about to go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deprecation {
    pub(crate) state: String,
}

/// Managed instance groups of one scope.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InstanceGroupManagers {
    pub(crate) instance_group_managers: Vec<InstanceGroupManager>,
}

/// A managed instance group: the nodes of one node pool in one zone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InstanceGroupManager {
    pub(crate) name: String,
    /// A URL.
    pub(crate) zone: String,
    /// What its instances' names begin with.
    pub(crate) base_instance_name: String,
    pub(crate) target_size: u32,
}

/// Instances of one scope.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Instances {
    pub(crate) instances: Vec<Instance>,
}

/// An instance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) name: String,
    /// A URL.
    pub(crate) zone: String,
    /// A URL.
    pub(crate) machine_type: String,
    pub(crate) status: String,
    pub(crate) network_interfaces: Vec<NetworkInterface>,
    pub(crate) creation_timestamp: String,
    pub(crate) last_start_timestamp: String,
    pub(crate) cpu_platform: String,
    pub(crate) scheduling: Scheduling,
    pub(crate) tags: NetworkTags,
}

/// How an instance is scheduled.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Scheduling {
    pub(crate) provisioning_model: String,
}

/// What firewall rules aim at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NetworkTags {
    pub(crate) items: Vec<String>,
}

/// How an instance is on a network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkInterface {
    /// A URL.
    pub(crate) network: String,
    /// A URL.
    pub(crate) subnetwork: String,
    #[serde(rename = "networkIP")]
    pub(crate) network_ip: String,
    pub(crate) access_configs: Vec<AccessConfig>,
}

/// How it is reached from outside.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccessConfig {
    #[serde(rename = "natIP")]
    pub(crate) nat_ip: String,
}

/// Forwarding rules of one scope.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ForwardingRules {
    pub(crate) forwarding_rules: Vec<ForwardingRule>,
}

/// The front of a balancer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ForwardingRule {
    pub(crate) name: String,
    /// What made it writes here for whom, as JSON.
    pub(crate) description: String,
    #[serde(rename = "IPAddress")]
    pub(crate) ip_address: String,
    /// A URL, where it leads to a proxy or a target pool.
    pub(crate) target: String,
    /// A URL, where it leads to a backend service.
    pub(crate) backend_service: String,
}

/// Network endpoint groups of one scope.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkEndpointGroups {
    pub(crate) network_endpoint_groups: Vec<NetworkEndpointGroup>,
}

/// The backends of a balancer in one zone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NetworkEndpointGroup {
    pub(crate) name: String,
    /// What made it writes here for whom, as JSON.
    pub(crate) description: String,
}

/// Disks of one scope.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Disks {
    pub(crate) disks: Vec<Disk>,
}

/// A disk.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Disk {
    pub(crate) name: String,
    pub(crate) status: String,
    /// What made it writes here for whom, as JSON.
    pub(crate) description: String,
    pub(crate) labels: Tags,
}
