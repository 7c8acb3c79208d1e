//! Networks. With each come its main route table and its default security group.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html>.

use pmks_simulation::{Cidr, Now};

use super::describe::Described;
use super::state::{Association, GroupRule, Peer, Route, RouteTable, SecurityGroup, State, Vpc};
use super::tags;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{Place, Tags, World};
use crate::xml::Xml;

/// The default quota of networks in a region.
///
/// Source: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
const MOST_VPCS: usize = 5;

impl Described for Vpc {
    const SET: &'static str = "vpcSet";
    const IDS: &'static str = "VpcId";
    const FILTERS: &'static [&'static str] = &[
        "vpc-id",
        "cidr",
        "cidr-block",
        "cidr-block-association.cidr-block",
        "state",
        "is-default",
        "isDefault",
        "owner-id",
    ];

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "vpc-id" => self.id.clone(),
            "state" => "available".to_owned(),
            "is-default" | "isDefault" => "false".to_owned(),
            "owner-id" => String::new(),
            _ => self.cidr.to_string(),
        }]
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        let association = Xml::new()
            .text("cidrBlock", self.cidr)
            .text("associationId", &self.association_id)
            .child("cidrBlockState", &Xml::new().text("state", "associated"));
        Xml::new()
            .text("vpcId", &self.id)
            .text("ownerId", &place.account)
            .text("state", "available")
            .text("cidrBlock", self.cidr)
            .list("cidrBlockAssociationSet", "item", [association])
            .text("dhcpOptionsId", "default")
            .text("instanceTenancy", "default")
            .text("isDefault", false)
            .and(&tags::written(&self.tags))
    }
}

/// `CreateVpc`
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let cidr = cidr(query.required("CidrBlock")?, "cidrBlock")?;
    if !(16..=28).contains(&cidr.bits) {
        return Err(Error::bad("InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    let tags = tags::at_creation(query, "vpc")?;
    if context.effects.quota() || context.region().ec2.vpcs.len() >= MOST_VPCS {
        return Err(Error::bad("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
    }
    let vpc = Vpc {
        id: context.world.new_id("vpc"),
        cidr,
        association_id: context.world.new_id("vpc-cidr-assoc"),
        dns_support: true,
        dns_hostnames: false,
        tags,
        created: context.now.wall,
    };
    add_what_comes_with(context.world, &context.place, context.now, &vpc);
    let answer = Xml::new().child("vpc", &vpc.written(&context.region().ec2, &context.place));
    context.region_mut().ec2.vpcs.insert(vpc.id.clone(), vpc);
    Ok(answer)
}

/// What comes and goes with every network: its main route table and its default security group.
pub(super) fn add_what_comes_with(world: &mut World, place: &Place, now: Now, vpc: &Vpc) {
    let table = RouteTable {
        id: world.new_id("rtb"),
        vpc: vpc.id.clone(),
        routes: vec![Route { destination: vpc.cidr, gateway: "local".to_owned() }],
        associations: vec![Association { id: world.new_id("rtbassoc"), subnet: None }],
        client_token: None,
        tags: Tags::new(),
        created: now.wall,
    };
    world.region_mut(place).ec2.route_tables.insert(table.id.clone(), table);
    let id = world.new_id("sg");
    let mut rule = |egress, peer| GroupRule {
        id: world.new_id("sgr"),
        egress,
        protocol: "-1".to_owned(),
        from_port: None,
        to_port: None,
        peer,
        description: None,
        tags: Tags::new(),
    };
    let rules = vec![rule(false, Peer::Group(id.clone())), rule(true, Peer::Ipv4("0.0.0.0/0".to_owned()))];
    let group = SecurityGroup {
        id: id.clone(),
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc: vpc.id.clone(),
        rules,
        tags: Tags::new(),
        created: now.wall,
    };
    world.region_mut(place).ec2.security_groups.insert(id, group);
}

/// `DeleteVpc`
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = find(&context.region().ec2, query.required("VpcId")?)?.id.clone();
    let ec2 = &mut context.region_mut().ec2;
    let depends = ec2.subnets.values().any(|subnet| subnet.vpc == id)
        || ec2.internet_gateways.values().any(|gateway| gateway.vpc.as_ref() == Some(&id))
        || ec2.network_interfaces.values().any(|interface| interface.vpc == id)
        || ec2.security_groups.values().any(|group| group.vpc == id && group.name != "default")
        || ec2.route_tables.values().any(|table| table.vpc == id && !table.is_main())
        || ec2.vpc_endpoints.values().any(|endpoint| endpoint.vpc == id)
        || ec2.vpn_gateways.values().any(|gateway| gateway.vpc.as_ref() == Some(&id))
        || ec2.vpc_peerings.values().any(|peering| peering.holds(&id))
        || ec2.network_acls.values().any(|acl| acl.vpc == id)
        || ec2.egress_only_gateways.values().any(|gateway| gateway.vpc == id)
        || ec2.carrier_gateways.values().any(|gateway| gateway.holds(&id));
    if depends {
        let message = format!("The vpc '{id}' has dependencies and cannot be deleted.");
        return Err(Error::bad("DependencyViolation", message));
    }
    ec2.vpcs.remove(&id);
    ec2.security_groups.retain(|_, group| group.vpc != id);
    ec2.route_tables.retain(|_, table| table.vpc != id);
    Ok(Xml::new().text("return", true))
}

/// `ModifyVpcAttribute`: one attribute a call, as EC2 wants it.
pub(super) fn modify(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = find(&context.region().ec2, query.required("VpcId")?)?.id.clone();
    let support = query.flag("EnableDnsSupport.Value")?;
    let hostnames = query.flag("EnableDnsHostnames.Value")?;
    let vpc = context.region_mut().ec2.vpcs.get_mut(&id).ok_or_else(|| Vpc::not_found(&id))?;
    match (support, hostnames) {
        (Some(support), None) => vpc.dns_support = support,
        (None, Some(hostnames)) => vpc.dns_hostnames = hostnames,
        _ => {
            let message = "Exactly one attribute must be specified";
            return Err(Error::bad("InvalidParameterCombination", message));
        }
    }
    Ok(Xml::new().text("return", true))
}

/// `DescribeVpcAttribute`
pub(super) fn attribute(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let vpc = find(&context.region().ec2, query.required("VpcId")?)?;
    let named = query.required("Attribute")?;
    let value = match named {
        "enableDnsSupport" => vpc.dns_support,
        "enableDnsHostnames" => vpc.dns_hostnames,
        "enableNetworkAddressUsageMetrics" => false,
        _ => return Err(Error::invalid("attribute", named)),
    };
    Ok(Xml::new().text("vpcId", &vpc.id).child(named, &Xml::new().text("value", value)))
}

/// The network of this id.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Vpc> {
    state.vpcs.get(id).ok_or_else(|| Vpc::not_found(id))
}

/// A block of addresses that a request gives.
pub(super) fn cidr(text: &str, parameter: &str) -> Result<Cidr> {
    text.parse().map_err(|_| {
        let message =
            format!("Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.");
        Error::bad("InvalidParameterValue", message)
    })
}
