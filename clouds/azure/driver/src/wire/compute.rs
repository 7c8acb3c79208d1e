//! `Microsoft.Compute`: scale sets and their instances, SSH public keys, sizes, quotas.
//!
//! Source: <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets>

use jiff::Timestamp;
use pmks_model::Tags;
use serde::Deserialize;

use super::network::IpConfiguration;
use super::{Reference, or_default};

/// A scale set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ScaleSet {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
    pub(crate) properties: ScaleSetProperties,
}

/// What a scale set is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ScaleSetProperties {
    pub(crate) virtual_machine_profile: Option<MachineProfile>,
}

/// What its instances are made by.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct MachineProfile {
    pub(crate) network_profile: Option<NetworkProfile>,
}

/// Their interfaces.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NetworkProfile {
    #[serde(deserialize_with = "or_default")]
    pub(crate) network_interface_configurations: Vec<InterfaceConfiguration>,
}

/// One of them.
///
/// Source: <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/list>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InterfaceConfiguration {
    pub(crate) properties: InterfaceConfigurationProperties,
}

/// What guards it, and where it lies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct InterfaceConfigurationProperties {
    pub(crate) network_security_group: Option<Reference>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) ip_configurations: Vec<IpConfiguration>,
}

/// An instance of a scale set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ScaleSetVm {
    pub(crate) id: String,
    pub(crate) instance_id: String,
    pub(crate) sku: Option<VmSku>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) zones: Vec<String>,
    pub(crate) properties: ScaleSetVmProperties,
}

/// An instance's size.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VmSku {
    pub(crate) name: String,
}

/// What an instance is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ScaleSetVmProperties {
    pub(crate) provisioning_state: String,
    pub(crate) vm_id: Option<String>,
    pub(crate) time_created: Option<Timestamp>,
    pub(crate) os_profile: Option<OsProfile>,
    pub(crate) storage_profile: Option<StorageProfile>,
    pub(crate) instance_view: Option<InstanceView>,
}

/// An instance's name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OsProfile {
    pub(crate) computer_name: String,
}

/// An instance's disks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct StorageProfile {
    pub(crate) os_disk: Option<OsDisk>,
}

/// The disk with its system.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OsDisk {
    /// `Linux` or `Windows`.
    pub(crate) os_type: Option<String>,
}

/// How an instance runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InstanceView {
    #[serde(deserialize_with = "or_default")]
    pub(crate) statuses: Vec<InstanceStatus>,
}

/// `PowerState/running` and the like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InstanceStatus {
    pub(crate) code: String,
}

/// An SSH public key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SshPublicKey {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) location: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
    pub(crate) properties: SshPublicKeyProperties,
}

/// The key itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SshPublicKeyProperties {
    pub(crate) public_key: String,
}

/// A size, or another thing that Compute sells.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ResourceSku {
    pub(crate) resource_type: String,
    pub(crate) name: String,
    pub(crate) family: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) location_info: Vec<LocationInfo>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) capabilities: Vec<Capability>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) restrictions: Vec<Restriction>,
}

/// Where a size is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LocationInfo {
    pub(crate) location: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) zones: Vec<String>,
}

/// What a size has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Capability {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Where this subscription may not use a size.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Restriction {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(rename = "restrictionInfo")]
    pub(crate) info: Option<RestrictionInfo>,
    pub(crate) reason_code: String,
}

/// The zones of a restriction.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RestrictionInfo {
    #[serde(deserialize_with = "or_default")]
    pub(crate) zones: Vec<String>,
}

/// A quota and what is used of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Usage {
    pub(crate) current_value: i64,
    pub(crate) limit: i64,
    pub(crate) name: UsageName,
}

/// A quota's name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UsageName {
    pub(crate) value: String,
    pub(crate) localized_value: String,
}
