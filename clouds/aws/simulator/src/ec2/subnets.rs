//! Parts of networks, each in one zone.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html>.

use super::describe::Described;
use super::state::{State, Subnet};
use super::{tags, vpcs};
use crate::catalogue;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Place;
use crate::xml::Xml;

/// The default quota of subnets in a network.
const MOST_SUBNETS: usize = 200;

impl Described for Subnet {
    const SET: &'static str = "subnetSet";
    const IDS: &'static str = "SubnetId";
    const FILTERS: &'static [&'static str] = &[
        "subnet-id",
        "vpc-id",
        "availability-zone",
        "availabilityZone",
        "cidr-block",
        "cidr",
        "cidrBlock",
        "state",
        "map-public-ip-on-launch",
        "default-for-az",
    ];

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "subnet-id" => self.id.clone(),
            "vpc-id" => self.vpc.clone(),
            "availability-zone" | "availabilityZone" => self.zone.clone(),
            "state" => "available".to_owned(),
            "map-public-ip-on-launch" => self.map_public_ip.to_string(),
            "default-for-az" => "false".to_owned(),
            _ => self.cidr.to_string(),
        }]
    }

    fn written(&self, state: &State, place: &Place) -> Xml {
        Xml::new()
            .text("subnetId", &self.id)
            .text("subnetArn", format!("arn:aws:ec2:{}:{}:subnet/{}", place.region, place.account, self.id))
            .text("state", "available")
            .text("ownerId", &place.account)
            .text("vpcId", &self.vpc)
            .text("cidrBlock", self.cidr)
            .list("ipv6CidrBlockAssociationSet", "item", [])
            .text("availableIpAddressCount", state.free_addresses(self))
            .text("availabilityZone", &self.zone)
            .maybe("availabilityZoneId", catalogue::zone_id(&place.region, &self.zone))
            .text("defaultForAz", false)
            .text("mapPublicIpOnLaunch", self.map_public_ip)
            .text("assignIpv6AddressOnCreation", false)
            .and(&tags::written(&self.tags))
    }
}

/// `CreateSubnet`
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let cidr = vpcs::cidr(query.required("CidrBlock")?, "cidrBlock")?;
    let tags = tags::at_creation(query, "subnet")?;
    let zone = zone(context, query)?;
    let ec2 = &context.region().ec2;
    let vpc = vpcs::find(ec2, query.required("VpcId")?)?;
    if !(16..=28).contains(&cidr.bits) || !vpc.cidr.contains(cidr) {
        return Err(Error::bad("InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    let siblings: Vec<&Subnet> = ec2.subnets.values().filter(|subnet| subnet.vpc == vpc.id).collect();
    if siblings.iter().any(|subnet| subnet.cidr.overlaps(cidr)) {
        let message = format!("The CIDR '{cidr}' conflicts with another subnet");
        return Err(Error::bad("InvalidSubnet.Conflict", message));
    }
    if context.effects.quota() || siblings.len() >= MOST_SUBNETS {
        return Err(Error::bad("SubnetLimitExceeded", "The maximum number of subnets has been reached."));
    }
    let vpc = vpc.id.clone();
    let id = context.world.new_id("subnet");
    let subnet = Subnet { id, vpc, cidr, zone, map_public_ip: false, tags, created: context.now.wall };
    let answer = Xml::new().child("subnet", &subnet.written(&context.region().ec2, &context.place));
    context.region_mut().ec2.subnets.insert(subnet.id.clone(), subnet);
    Ok(answer)
}

/// The zone that the request names, by name or id; without one AWS chooses.
fn zone(context: &mut Context<'_>, query: &Query) -> Result<String> {
    let zones: Vec<(String, String)> = catalogue::region(&context.place.region)
        .into_iter()
        .flat_map(catalogue::CatalogueRegion::zones)
        .collect();
    let Some(wanted) = query.get("AvailabilityZone").or_else(|| query.get("AvailabilityZoneId")) else {
        let at = context.world.random.below(zones.len() as u64);
        return Ok(usize::try_from(at)
            .ok()
            .and_then(|at| zones.get(at))
            .map(|(name, _)| name.clone())
            .unwrap_or_default());
    };
    if let Some((name, _)) = zones.iter().find(|(name, id)| name == wanted || id == wanted) {
        return Ok(name.clone());
    }
    let names: Vec<&str> = zones.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!(
        "Value ({wanted}) for parameter availabilityZone is invalid. Subnets can currently only be created in the \
         following availability zones: {}.",
        names.join(", ")
    );
    Err(Error::bad("InvalidParameterValue", message))
}

/// `DeleteSubnet`
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = find(&context.region().ec2, query.required("SubnetId")?)?.id.clone();
    let ec2 = &mut context.region_mut().ec2;
    if ec2.network_interfaces.values().any(|interface| interface.subnet == id) {
        let message = format!("The subnet '{id}' has dependencies and cannot be deleted.");
        return Err(Error::bad("DependencyViolation", message));
    }
    ec2.subnets.remove(&id);
    for table in ec2.route_tables.values_mut() {
        table.associations.retain(|association| association.subnet.as_ref() != Some(&id));
    }
    Ok(Xml::new().text("return", true))
}

/// `ModifySubnetAttribute`
pub(super) fn modify(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = find(&context.region().ec2, query.required("SubnetId")?)?.id.clone();
    let maps =
        query.flag("MapPublicIpOnLaunch.Value")?.ok_or_else(|| Error::missing("mapPublicIpOnLaunch"))?;
    if let Some(subnet) = context.region_mut().ec2.subnets.get_mut(&id) {
        subnet.map_public_ip = maps;
    }
    Ok(Xml::new().text("return", true))
}

/// The subnet of this id.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Subnet> {
    state.subnets.get(id).ok_or_else(|| Subnet::not_found(id))
}
