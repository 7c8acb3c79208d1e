//! What is attached to networks and lies in none of their subnets: VPN, egress-only and carrier gateways, peerings, network
//! ACLs; listed alone.
//!
//! Sources: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpnGateways.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeEgressOnlyInternetGateways.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeCarrierGateways.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html>.

use super::describe::{Described, describe};
use super::state::{CarrierGateway, EgressOnlyGateway, NetworkAcl, State, Vpc, VpcPeering, VpnGateway};
use super::tags;
use crate::context::Context;
use crate::error::Result;
use crate::query::Query;
use crate::world::{Place, Tags};
use crate::xml::Xml;

impl Described for VpnGateway {
    const SET: &'static str = "vpnGatewaySet";
    const IDS: &'static str = "VpnGatewayId";
    const FILTERS: &'static [&'static str] =
        &["vpn-gateway-id", "attachment.vpc-id", "attachment.state", "state", "type"];

    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "attachment.vpc-id" => self.vpc.iter().cloned().collect(),
            "attachment.state" => self.vpc.iter().map(|_| "attached".to_owned()).collect(),
            "state" => vec!["available".to_owned()],
            "type" => vec!["ipsec.1".to_owned()],
            _ => vec![self.id.clone()],
        }
    }

    fn written(&self, _: &State, _: &Place) -> Xml {
        let attachments = self.vpc.iter().map(|vpc| Xml::new().text("vpcId", vpc).text("state", "attached"));
        Xml::new()
            .text("vpnGatewayId", &self.id)
            .text("state", "available")
            .text("type", "ipsec.1")
            .list("attachments", "item", attachments)
            .and(&tags::written(&self.tags))
    }
}

impl VpcPeering {
    /// Whether a network cannot go while it stands.
    pub(super) fn holds(&self, vpc: &str) -> bool {
        self.status == "active" && (self.requester == vpc || self.accepter == vpc)
    }
}

impl Described for VpcPeering {
    const SET: &'static str = "vpcPeeringConnectionSet";
    const IDS: &'static str = "VpcPeeringConnectionId";
    const FILTERS: &'static [&'static str] = &[
        "vpc-peering-connection-id",
        "requester-vpc-info.vpc-id",
        "accepter-vpc-info.vpc-id",
        "status-code",
    ];

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "requester-vpc-info.vpc-id" => self.requester.clone(),
            "accepter-vpc-info.vpc-id" => self.accepter.clone(),
            "status-code" => self.status.clone(),
            _ => self.id.clone(),
        }]
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        let side = |vpc: &String| Xml::new().text("ownerId", &place.account).text("vpcId", vpc);
        Xml::new()
            .text("vpcPeeringConnectionId", &self.id)
            .child("requesterVpcInfo", &side(&self.requester))
            .child("accepterVpcInfo", &side(&self.accepter))
            .child("status", &Xml::new().text("code", &self.status))
            .and(&tags::written(&self.tags))
    }
}

impl Described for EgressOnlyGateway {
    const SET: &'static str = "egressOnlyInternetGatewaySet";
    const IDS: &'static str = "EgressOnlyInternetGatewayId";
    /// EC2 knows those about tags alone.
    const FILTERS: &'static [&'static str] = &[];

    fn values(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn written(&self, _: &State, _: &Place) -> Xml {
        let attachment = Xml::new().text("state", "attached").text("vpcId", &self.vpc);
        Xml::new()
            .text("egressOnlyInternetGatewayId", &self.id)
            .list("attachmentSet", "item", [attachment])
            .and(&tags::written(&self.tags))
    }
}

impl CarrierGateway {
    /// Whether a network cannot go while it stands.
    pub(super) fn holds(&self, vpc: &str) -> bool {
        self.vpc == vpc && self.state != "deleted"
    }
}

impl Described for CarrierGateway {
    const SET: &'static str = "carrierGatewaySet";
    const IDS: &'static str = "CarrierGatewayId";
    const FILTERS: &'static [&'static str] = &["carrier-gateway-id", "vpc-id", "state"];

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "vpc-id" => self.vpc.clone(),
            "state" => self.state.clone(),
            _ => self.id.clone(),
        }]
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        Xml::new()
            .text("carrierGatewayId", &self.id)
            .text("vpcId", &self.vpc)
            .text("state", &self.state)
            .text("ownerId", &place.account)
            .and(&tags::written(&self.tags))
    }
}

impl NetworkAcl {
    /// The one that a network is born with.
    fn born_with(vpc: &Vpc) -> Self {
        let id = vpc.id.replacen("vpc", "acl", 1);
        Self { id, vpc: vpc.id.clone(), is_default: true, tags: Tags::new() }
    }
}

/// `DescribeNetworkAcls`
pub(super) fn describe_acls(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let ec2 = &context.region().ec2;
    let born = ec2.vpcs.values().map(NetworkAcl::born_with);
    let all: Vec<NetworkAcl> = born.chain(ec2.network_acls.values().cloned()).collect();
    describe(context, query, all.iter())
}

impl Described for NetworkAcl {
    const SET: &'static str = "networkAclSet";
    const IDS: &'static str = "NetworkAclId";
    const FILTERS: &'static [&'static str] = &["network-acl-id", "vpc-id", "default"];

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "vpc-id" => self.vpc.clone(),
            "default" => self.is_default.to_string(),
            _ => self.id.clone(),
        }]
    }

    /// A new one denies everything, the default one lets everything through before that.
    fn written(&self, state: &State, place: &Place) -> Xml {
        let entry = |number: u16, action: &str, egress: bool| {
            Xml::new()
                .text("ruleNumber", number)
                .text("protocol", "-1")
                .text("ruleAction", action)
                .text("egress", egress)
                .text("cidrBlock", "0.0.0.0/0")
        };
        let allowed = [true, false].map(|egress| entry(100, "allow", egress));
        let denied = [true, false].map(|egress| entry(32767, "deny", egress));
        let entries = allowed.into_iter().filter(|_| self.is_default).chain(denied);
        let of_it = state.subnets.values().filter(|subnet| self.is_default && subnet.vpc == self.vpc);
        let associations = of_it.map(|subnet| {
            Xml::new()
                .text("networkAclAssociationId", subnet.id.replacen("subnet", "aclassoc", 1))
                .text("networkAclId", &self.id)
                .text("subnetId", &subnet.id)
        });
        Xml::new()
            .text("networkAclId", &self.id)
            .text("vpcId", &self.vpc)
            .text("default", self.is_default)
            .list("entrySet", "item", entries)
            .list("associationSet", "item", associations)
            .and(&tags::written(&self.tags))
            .text("ownerId", &place.account)
    }
}
