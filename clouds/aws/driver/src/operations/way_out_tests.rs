//! Tables over route tables and subnets.

use super::*;
use crate::query::{QueryService, read};
use crate::wire::ec2::DescribeRouteTables;

/// A main table with this route, and one of its own for `subnet-own` with a NAT gateway.
fn tables(route: &str) -> Vec<RouteTable> {
    let local = "<item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state></item>";
    let text = format!(
        "<DescribeRouteTablesResponse><routeTableSet>
           <item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>
             <associationSet><item><main>true</main></item></associationSet>
             <routeSet>{local}{route}</routeSet></item>
           <item><routeTableId>rtb-2</routeTableId><vpcId>vpc-1</vpcId>
             <associationSet><item><subnetId>subnet-own</subnetId><main>false</main></item></associationSet>
             <routeSet>{local}<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId><state>active</state></item></routeSet></item>
         </routeTableSet></DescribeRouteTablesResponse>"
    );
    read::<DescribeRouteTables>(QueryService::Ec2, &text).unwrap().route_table_set.entries
}

fn subnet(id: &str, has_address: bool) -> Subnet {
    Subnet {
        subnet_id: id.to_owned(),
        vpc_id: "vpc-1".to_owned(),
        map_public_ip_on_launch: has_address,
        ..Subnet::default()
    }
}

fn route(destination: &str, target: &str, state: &str) -> String {
    format!("<item>{destination}{target}<state>{state}</state></item>")
}

#[test]
fn a_route_leads_out_or_not() {
    const ALL: &str = "<destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>";
    const GATEWAY: &str = "<gatewayId>igw-1</gatewayId>";
    for (destination, target, state, has_address, expected) in [
        (ALL, GATEWAY, "active", true, None),
        (ALL, GATEWAY, "active", false, Some(Lack::Address)),
        (ALL, GATEWAY, "blackhole", true, Some(Lack::Route)),
        (ALL, "<natGatewayId>nat-1</natGatewayId>", "active", false, None),
        (ALL, "<natGatewayId>nat-1</natGatewayId>", "blackhole", false, Some(Lack::Route)),
        (ALL, "<transitGatewayId>tgw-1</transitGatewayId>", "active", false, None),
        // A firewall's endpoint.
        (ALL, "<gatewayId>vpce-1</gatewayId>", "active", false, None),
        (
            "<destinationCidrBlock>0.0.0.0/1</destinationCidrBlock>",
            "<gatewayId>vgw-1</gatewayId>",
            "active",
            false,
            None,
        ),
        (
            "<destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock>",
            "<egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId>",
            "active",
            false,
            None,
        ),
        // The gateway endpoint of S3.
        (
            "<destinationPrefixListId>pl-1</destinationPrefixListId>",
            "<gatewayId>vpce-1</gatewayId>",
            "active",
            true,
            Some(Lack::Route),
        ),
        (
            "<destinationPrefixListId>pl-2</destinationPrefixListId>",
            "<transitGatewayId>tgw-1</transitGatewayId>",
            "active",
            false,
            None,
        ),
        (
            "<destinationCidrBlock>10.9.0.0/16</destinationCidrBlock>",
            "<vpcPeeringConnectionId>pcx-1</vpcPeeringConnectionId>",
            "active",
            false,
            Some(Lack::Route),
        ),
    ] {
        let tables = tables(&route(destination, target, state));
        let what = format!("{destination} {target} {state} {has_address}");
        assert_eq!(lack(&subnet("subnet-1", has_address), &tables), expected, "{what}");
        assert_eq!(lack(&subnet("subnet-own", false), &tables), None, "{what}");
    }
    let elsewhere = Subnet { vpc_id: "vpc-2".to_owned(), ..subnet("subnet-1", false) };
    assert_eq!(lack(&elsewhere, &tables("")), None, "nobody knows");
}

#[test]
fn only_where_all_subnets_lead_nowhere_it_is_refused() {
    let (first, second) = (subnet("subnet-1", false), subnet("subnet-2", false));
    let both = [(&first, Lack::Route), (&second, Lack::Address)];
    let ways = judge(2, &both, false, false);
    assert_eq!(
        ways.refusal.as_deref(),
        Some(
            "nodes would join the cluster from none of subnet-1 (no default route), subnet-2 (an internet gateway, and \
             no public addresses)"
        )
    );
    assert!(ways.take("subnet-1"), "what is refused is not changed");

    let ways = judge(3, &both, false, false);
    assert_eq!((ways.refusal.as_ref(), ways.notices.len()), (None, 1));
    assert_eq!(ways.taken(["subnet-1", "subnet-2", "subnet-3"].map(str::to_owned).to_vec()), ["subnet-3"]);

    let ways = judge(2, &both, true, false);
    assert_eq!((ways.refusal.as_ref(), ways.left_out.as_slice()), (None, &["subnet-2".to_owned()][..]));
    assert!(ways.notices[0].contains("private access"), "{:?}", ways.notices);
    assert_eq!(judge(2, &both[..1], true, true), Ways::default());
}
