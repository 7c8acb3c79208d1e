//! What is attached to networks and lies in none of their subnets.

use serde::Deserialize;

use crate::query::List;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VpcEndpoint {
    pub(crate) vpc_endpoint_id: String,
    pub(crate) vpc_id: String,
    pub(crate) service_name: String,
    pub(crate) state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeVpcEndpoints {
    pub(crate) vpc_endpoint_set: List<VpcEndpoint>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VpnGateway {
    pub(crate) vpn_gateway_id: String,
    pub(crate) attachments: List<GatewayAttachment>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayAttachment {
    pub(crate) vpc_id: String,
    pub(crate) state: String,
}

/// EC2 has no pages of these.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeVpnGateways {
    pub(crate) vpn_gateway_set: List<VpnGateway>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VpcPeering {
    pub(crate) vpc_peering_connection_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeVpcPeerings {
    pub(crate) vpc_peering_connection_set: List<VpcPeering>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EgressOnlyGateway {
    pub(crate) egress_only_internet_gateway_id: String,
    pub(crate) attachment_set: List<GatewayAttachment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeEgressOnlyGateways {
    pub(crate) egress_only_internet_gateway_set: List<EgressOnlyGateway>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CarrierGateway {
    pub(crate) carrier_gateway_id: String,
    pub(crate) state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeCarrierGateways {
    pub(crate) carrier_gateway_set: List<CarrierGateway>,
    pub(crate) next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkAcl {
    pub(crate) network_acl_id: String,
    /// Whether its VPC was born with it.
    #[serde(rename = "default")]
    pub(crate) is_default: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeNetworkAcls {
    pub(crate) network_acl_set: List<NetworkAcl>,
    pub(crate) next_token: Option<String>,
}
