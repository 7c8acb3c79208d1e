//! EC2's calls about what is attached to networks and lies in none of their subnets, one function each, as those of
//! [`super::ec2`].

use pmks_driver::Result;

use super::Api;
use super::ec2::{Filters, all_pages, read};
use crate::wire::ec2 as wire;

impl Api {
    /// The VPC endpoints that match.
    pub(crate) async fn describe_vpc_endpoints(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::VpcEndpoint>> {
        let query = read("ec2.DescribeVpcEndpoints").filters(filters);
        all_pages!(self, query, wire::DescribeVpcEndpoints, vpc_endpoint_set)
    }

    /// The VPN gateways that match.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpnGateways.html>
    pub(crate) async fn describe_vpn_gateways(&self, filters: Filters<'_>) -> Result<Vec<wire::VpnGateway>> {
        let query = read("ec2.DescribeVpnGateways").filters(filters);
        self.query(query).await.map(|answer: wire::DescribeVpnGateways| answer.vpn_gateway_set.entries)
    }

    /// The peerings of VPCs that match.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html>
    pub(crate) async fn describe_vpc_peerings(&self, filters: Filters<'_>) -> Result<Vec<wire::VpcPeering>> {
        let query = read("ec2.DescribeVpcPeeringConnections").filters(filters);
        all_pages!(self, query, wire::DescribeVpcPeerings, vpc_peering_connection_set)
    }

    /// Every egress-only internet gateway of the region: EC2 finds them by tags alone.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeEgressOnlyInternetGateways.html>
    pub(crate) async fn describe_egress_only_gateways(&self) -> Result<Vec<wire::EgressOnlyGateway>> {
        let query = read("ec2.DescribeEgressOnlyInternetGateways");
        all_pages!(self, query, wire::DescribeEgressOnlyGateways, egress_only_internet_gateway_set)
    }

    /// The carrier gateways that match.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeCarrierGateways.html>
    pub(crate) async fn describe_carrier_gateways(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::CarrierGateway>> {
        let query = read("ec2.DescribeCarrierGateways").filters(filters);
        all_pages!(self, query, wire::DescribeCarrierGateways, carrier_gateway_set)
    }

    /// The network ACLs that match.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html>
    pub(crate) async fn describe_network_acls(&self, filters: Filters<'_>) -> Result<Vec<wire::NetworkAcl>> {
        let query = read("ec2.DescribeNetworkAcls").filters(filters);
        all_pages!(self, query, wire::DescribeNetworkAcls, network_acl_set)
    }
}
