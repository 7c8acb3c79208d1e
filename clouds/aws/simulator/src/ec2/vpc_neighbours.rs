//! What is attached to networks and lies in none of their subnets: VPN gateways and peerings; listed alone.
//!
//! Sources: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpnGateways.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html>.

use super::describe::Described;
use super::state::{State, VpcPeering, VpnGateway};
use super::tags;
use crate::world::Place;
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
