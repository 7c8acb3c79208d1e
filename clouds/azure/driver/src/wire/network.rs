//! `Microsoft.Network`: virtual networks, subnets, network security groups, interfaces of scale sets.
//!
//! Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks>

use pmks_model::Tags;
use serde::{Deserialize, Serialize};

use super::{Reference, or_default};

/// A virtual network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VirtualNetwork {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) location: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
    pub(crate) properties: VirtualNetworkProperties,
}

/// What a virtual network is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VirtualNetworkProperties {
    pub(crate) provisioning_state: String,
    pub(crate) address_space: AddressSpace,
    #[serde(deserialize_with = "or_default")]
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) resource_guid: Option<String>,
}

/// Blocks of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AddressSpace {
    #[serde(deserialize_with = "or_default")]
    pub(crate) address_prefixes: Vec<String>,
}

/// A subnet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) properties: SubnetProperties,
}

/// What a subnet is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SubnetProperties {
    pub(crate) provisioning_state: String,
    pub(crate) address_prefix: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) address_prefixes: Vec<String>,
    pub(crate) network_security_group: Option<Reference>,
    pub(crate) route_table: Option<Reference>,
    pub(crate) nat_gateway: Option<Reference>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) ip_configurations: Vec<Reference>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) delegations: Vec<serde_json::Value>,
}

impl SubnetProperties {
    /// The subnet's block: Azure writes one as a text, or as a list.
    pub(crate) fn cidr(&self) -> &str {
        self.address_prefix
            .as_deref()
            .or(self.address_prefixes.first().map(String::as_str))
            .unwrap_or_default()
    }
}

/// A network security group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) location: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
    pub(crate) properties: SecurityGroupProperties,
}

/// What a network security group is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SecurityGroupProperties {
    pub(crate) provisioning_state: String,
    pub(crate) resource_guid: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) security_rules: Vec<SecurityRule>,
    /// The subnets that it guards.
    #[serde(deserialize_with = "or_default")]
    pub(crate) subnets: Vec<Reference>,
    /// The interfaces that it guards.
    #[serde(deserialize_with = "or_default")]
    pub(crate) network_interfaces: Vec<Reference>,
}

/// A rule of a group, read and sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SecurityRule {
    pub(crate) name: String,
    pub(crate) properties: RuleProperties,
}

/// What a rule lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RuleProperties {
    pub(crate) protocol: String,
    pub(crate) access: String,
    pub(crate) direction: String,
    pub(crate) priority: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_address_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination_address_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_port_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination_port_range: Option<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) source_address_prefixes: Vec<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) destination_address_prefixes: Vec<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) destination_port_ranges: Vec<String>,
}

/// An interface of a scale set's instance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Interface {
    pub(crate) properties: InterfaceProperties,
}

/// What an interface is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct InterfaceProperties {
    pub(crate) virtual_machine: Option<Reference>,
    pub(crate) primary: Option<bool>,
    pub(crate) network_security_group: Option<Reference>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) ip_configurations: Vec<IpConfiguration>,
}

/// An address of an interface.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IpConfiguration {
    pub(crate) properties: IpConfigurationProperties,
}

/// The address itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct IpConfigurationProperties {
    #[serde(rename = "privateIPAddress")]
    pub(crate) private_ip_address: Option<String>,
    pub(crate) primary: Option<bool>,
    pub(crate) subnet: Option<Reference>,
}
