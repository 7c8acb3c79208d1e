//! The simulated EC2: networks, security groups, key pairs, machines and what they are made from.
//!
//! Each call is one function in the file of what it is about; nothing here decides about clusters.

mod attachments;
mod describe;
mod group_rules;
pub(crate) mod images;
mod instances;
mod internet_gateways;
mod key_pairs;
mod launch_templates;
pub(crate) mod machine_types;
pub(crate) mod machines;
pub(crate) mod others;
mod route_tables;
mod rows;
mod security_groups;
mod state;
mod subnets;
mod tags;
pub(crate) mod volumes_of_controllers;
mod vpc_endpoints;
mod vpc_neighbours;
mod vpcs;
mod zones;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

use describe::{Described, describe};
pub(crate) use machines::{next_due, settle};
#[cfg(test)]
pub(crate) use pmks_simulation::Cidr;
pub(crate) use rows::resources;
pub(crate) use state::*;

/// Carries out one call.
pub(crate) fn handle(context: &mut Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    if query.flag("DryRun")?.unwrap_or(false) {
        // Permission was checked before; what the request itself says is not.
        return Err(Error::new(
            412,
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        ));
    }
    if action.starts_with("Describe") { read(context, action, query) } else { change(context, action, query) }
}

fn read(context: &Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    let ec2 = &context.region().ec2;
    match action {
        "DescribeAvailabilityZones" => zones::zones(context, query),
        "DescribeCarrierGateways" => describe(context, query, ec2.carrier_gateways.values()),
        "DescribeEgressOnlyInternetGateways" => describe(context, query, ec2.egress_only_gateways.values()),
        "DescribeImages" => images::describe(context, query),
        "DescribeInstanceStatus" => instances::status(context, query),
        "DescribeInstanceTypeOfferings" => machine_types::offerings(context, query),
        "DescribeInstanceTypes" => machine_types::describe(context, query),
        "DescribeInstances" => describe(context, query, ec2.instances.values()),
        "DescribeInternetGateways" => describe(context, query, ec2.internet_gateways.values()),
        "DescribeKeyPairs" => key_pairs::describe(context, query),
        "DescribeLaunchTemplateVersions" => launch_templates::describe_versions(context, query),
        "DescribeLaunchTemplates" => launch_templates::describe(context, query),
        "DescribeNetworkAcls" => vpc_neighbours::describe_acls(context, query),
        "DescribeNetworkInterfaces" => describe(context, query, ec2.network_interfaces.values()),
        "DescribeRegions" => zones::regions(query),
        "DescribeRouteTables" => describe(context, query, ec2.route_tables.values()),
        "DescribeSecurityGroupRules" => group_rules::describe_rules(context, query),
        "DescribeSecurityGroups" => describe(context, query, ec2.security_groups.values()),
        "DescribeSubnets" => describe(context, query, ec2.subnets.values()),
        "DescribeTags" => tags::describe(context, query),
        "DescribeVolumes" => describe(context, query, ec2.volumes.values()),
        "DescribeVpcAttribute" => vpcs::attribute(context, query),
        "DescribeVpcEndpoints" => describe(context, query, ec2.vpc_endpoints.values()),
        "DescribeVpcPeeringConnections" => describe(context, query, ec2.vpc_peerings.values()),
        "DescribeVpcs" => describe(context, query, ec2.vpcs.values()),
        "DescribeVpnGateways" => describe(context, query, ec2.vpn_gateways.values()),
        _ => Err(Error::unknown_action(action)),
    }
}

fn change(context: &mut Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    match action {
        "AssociateRouteTable" => route_tables::associate(context, query),
        "AttachInternetGateway" => internet_gateways::attach(context, query),
        "AuthorizeSecurityGroupEgress" => group_rules::authorize(context, query, true),
        "AuthorizeSecurityGroupIngress" => group_rules::authorize(context, query, false),
        "CreateInternetGateway" => internet_gateways::create(context, query),
        "CreateLaunchTemplate" => launch_templates::create(context, query),
        "CreateRoute" => route_tables::create_route(context, query),
        "CreateRouteTable" => route_tables::create(context, query),
        "CreateSecurityGroup" => security_groups::create(context, query),
        "CreateSubnet" => subnets::create(context, query),
        "CreateTags" => tags::create(context, query),
        "CreateVpc" => vpcs::create(context, query),
        "DeleteInternetGateway" => internet_gateways::delete(context, query),
        "DeleteKeyPair" => key_pairs::delete(context, query),
        "DeleteLaunchTemplate" => launch_templates::delete(context, query),
        "DeleteNetworkInterface" => attachments::delete_interface(context, query),
        "DeleteRoute" => route_tables::delete_route(context, query),
        "DeleteRouteTable" => route_tables::delete(context, query),
        "DeleteSecurityGroup" => security_groups::delete(context, query),
        "DeleteSubnet" => subnets::delete(context, query),
        "DeleteTags" => tags::delete(context, query),
        "DeleteVolume" => attachments::delete_volume(context, query),
        "DeleteVpc" => vpcs::delete(context, query),
        "DetachInternetGateway" => internet_gateways::detach(context, query),
        "DisassociateRouteTable" => route_tables::disassociate(context, query),
        "ImportKeyPair" => key_pairs::import(context, query),
        "ModifySubnetAttribute" => subnets::modify(context, query),
        "ModifyVpcAttribute" => vpcs::modify(context, query),
        "RevokeSecurityGroupEgress" => group_rules::revoke(context, query, true),
        "RevokeSecurityGroupIngress" => group_rules::revoke(context, query, false),
        "TerminateInstances" => instances::terminate(context, query),
        _ => Err(Error::unknown_action(action)),
    }
}

/// EC2's words for an id that does not exist, of whichever kind its prefix says.
fn not_found(id: &str) -> Error {
    match id.split('-').next().unwrap_or_default() {
        "vpc" => Vpc::not_found(id),
        "subnet" => Subnet::not_found(id),
        "igw" => InternetGateway::not_found(id),
        "rtb" => RouteTable::not_found(id),
        "sg" => SecurityGroup::not_found(id),
        "i" => Instance::not_found(id),
        "eni" => NetworkInterface::not_found(id),
        "vol" => Volume::not_found(id),
        _ => Error::bad("InvalidID", format!("The ID '{id}' is not valid")),
    }
}
