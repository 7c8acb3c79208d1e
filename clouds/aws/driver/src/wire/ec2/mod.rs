//! What EC2 answers, as its XML says it: only the fields that we use. Knows no word of ours.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.

#![expect(clippy::struct_field_names, reason = "the names are EC2's own")]

mod machines;
mod vpc_neighbours;

use serde::Deserialize;

use crate::query::{List, Tag};

pub(crate) use machines::*;
pub(crate) use vpc_neighbours::*;

/// `<value>true</value>`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct BooleanValue {
    #[serde(default)]
    pub(crate) value: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Vpc {
    pub(crate) vpc_id: String,
    pub(crate) state: String,
    pub(crate) cidr_block: String,
    pub(crate) is_default: bool,
    pub(crate) owner_id: String,
    pub(crate) dhcp_options_id: String,
    pub(crate) cidr_block_association_set: List<CidrBlockAssociation>,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CidrBlockAssociation {
    pub(crate) cidr_block: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreateVpc {
    pub(crate) vpc: Vpc,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeVpcs {
    pub(crate) vpc_set: List<Vpc>,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeVpcAttribute {
    pub(crate) enable_dns_support: BooleanValue,
    pub(crate) enable_dns_hostnames: BooleanValue,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Subnet {
    pub(crate) subnet_id: String,
    pub(crate) state: String,
    pub(crate) vpc_id: String,
    pub(crate) cidr_block: String,
    pub(crate) availability_zone: String,
    pub(crate) availability_zone_id: String,
    pub(crate) available_ip_address_count: u32,
    pub(crate) default_for_az: bool,
    pub(crate) map_public_ip_on_launch: bool,
    pub(crate) assign_ipv6_address_on_creation: bool,
    pub(crate) owner_id: String,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreateSubnet {
    pub(crate) subnet: Subnet,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeSubnets {
    pub(crate) subnet_set: List<Subnet>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InternetGateway {
    pub(crate) internet_gateway_id: String,
    pub(crate) attachment_set: List<InternetGatewayAttachment>,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InternetGatewayAttachment {
    pub(crate) vpc_id: String,
    pub(crate) state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreateInternetGateway {
    pub(crate) internet_gateway: InternetGateway,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeInternetGateways {
    pub(crate) internet_gateway_set: List<InternetGateway>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RouteTable {
    pub(crate) route_table_id: String,
    pub(crate) vpc_id: String,
    pub(crate) association_set: List<RouteTableAssociation>,
    pub(crate) route_set: List<Route>,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RouteTableAssociation {
    pub(crate) main: bool,
    pub(crate) subnet_id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Route {
    pub(crate) destination_cidr_block: String,
    pub(crate) destination_ipv6_cidr_block: String,
    pub(crate) destination_prefix_list_id: String,
    /// Of the targets this one alone tells: `local`, an internet or VPN gateway, a VPC endpoint.
    pub(crate) gateway_id: String,
    pub(crate) state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeRouteTables {
    pub(crate) route_table_set: List<RouteTable>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecurityGroup {
    pub(crate) group_id: String,
    pub(crate) group_name: String,
    pub(crate) group_description: String,
    pub(crate) vpc_id: String,
    pub(crate) ip_permissions: List<IpPermission>,
    pub(crate) ip_permissions_egress: List<IpPermission>,
    pub(crate) tag_set: List<Tag>,
}

/// What is let through: one protocol and port range, to or from several other sides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IpPermission {
    pub(crate) ip_protocol: String,
    pub(crate) from_port: Option<i32>,
    pub(crate) to_port: Option<i32>,
    pub(crate) ip_ranges: List<IpRange>,
    pub(crate) ipv6_ranges: List<Ipv6Range>,
    pub(crate) groups: List<GroupPair>,
    pub(crate) prefix_list_ids: List<PrefixList>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IpRange {
    pub(crate) cidr_ip: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Ipv6Range {
    pub(crate) cidr_ipv6: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GroupPair {
    pub(crate) group_id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PrefixList {
    pub(crate) prefix_list_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreateSecurityGroup {
    pub(crate) group_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeSecurityGroups {
    pub(crate) security_group_info: List<SecurityGroup>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct KeyPair {
    pub(crate) key_pair_id: String,
    pub(crate) key_name: String,
    pub(crate) key_type: String,
    pub(crate) key_fingerprint: String,
    pub(crate) create_time: Option<String>,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeKeyPairs {
    pub(crate) key_set: List<KeyPair>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AvailabilityZone {
    pub(crate) zone_name: String,
    pub(crate) zone_id: String,
    pub(crate) zone_state: String,
    pub(crate) zone_type: String,
    pub(crate) opt_in_status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeAvailabilityZones {
    pub(crate) availability_zone_info: List<AvailabilityZone>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Region {
    pub(crate) region_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeRegions {
    pub(crate) region_info: List<Region>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkInterface {
    pub(crate) network_interface_id: String,
    pub(crate) description: String,
    pub(crate) interface_type: String,
    pub(crate) requester_id: String,
    pub(crate) requester_managed: bool,
    pub(crate) status: String,
    pub(crate) subnet_id: String,
    pub(crate) vpc_id: String,
    pub(crate) attachment: Option<InterfaceAttachment>,
    pub(crate) group_set: List<GroupPair>,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InterfaceAttachment {
    pub(crate) instance_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeNetworkInterfaces {
    pub(crate) network_interface_set: List<NetworkInterface>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Volume {
    pub(crate) volume_id: String,
    pub(crate) status: String,
    pub(crate) size: u32,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeVolumes {
    pub(crate) volume_set: List<Volume>,
    pub(crate) next_token: Option<String>,
}
