//! The ways of networks to the internet.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html>.

use super::describe::Described;
use super::state::{InternetGateway, State};
use super::{tags, vpcs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Place;
use crate::xml::Xml;

/// The default quota in a region: as many as networks.
const MOST_GATEWAYS: usize = 5;

impl Described for InternetGateway {
    const SET: &'static str = "internetGatewaySet";
    const IDS: &'static str = "InternetGatewayId";
    const FILTERS: &'static [&'static str] =
        &["internet-gateway-id", "attachment.vpc-id", "attachment.state"];

    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "internet-gateway-id" => vec![self.id.clone()],
            "attachment.vpc-id" => self.vpc.iter().cloned().collect(),
            _ => self.vpc.iter().map(|_| "available".to_owned()).collect(),
        }
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        let attachments = self.vpc.iter().map(|vpc| Xml::new().text("vpcId", vpc).text("state", "available"));
        Xml::new()
            .text("internetGatewayId", &self.id)
            .text("ownerId", &place.account)
            .list("attachmentSet", "item", attachments)
            .and(&tags::written(&self.tags))
    }
}

/// `CreateInternetGateway`
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let tags = tags::at_creation(query, "internet-gateway")?;
    if context.effects.quota() || context.region().ec2.internet_gateways.len() >= MOST_GATEWAYS {
        let message = "The maximum number of internet gateways has been reached.";
        return Err(Error::bad("InternetGatewayLimitExceeded", message));
    }
    let gateway =
        InternetGateway { id: context.world.new_id("igw"), vpc: None, tags, created: context.now.wall };
    let answer = Xml::new().child("internetGateway", &gateway.written(&context.region().ec2, &context.place));
    context.region_mut().ec2.internet_gateways.insert(gateway.id.clone(), gateway);
    Ok(answer)
}

/// `AttachInternetGateway`
pub(super) fn attach(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let (gateway, vpc) = named(context, query)?;
    let ec2 = &mut context.region_mut().ec2;
    let attached = ec2.internet_gateways.get(&gateway).and_then(|gateway| gateway.vpc.clone());
    if let Some(attached) = attached {
        let message = format!("resource {gateway} is already attached to network {attached}");
        return Err(Error::bad("Resource.AlreadyAssociated", message));
    }
    if ec2.internet_gateways.values().any(|other| other.vpc.as_ref() == Some(&vpc)) {
        let message = format!("Network {vpc} already has an internet gateway attached");
        return Err(Error::bad("InvalidParameterValue", message));
    }
    set_vpc(ec2, &gateway, Some(vpc));
    Ok(Xml::new().text("return", true))
}

/// `DetachInternetGateway`: not while machines in the network have public addresses.
pub(super) fn detach(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let (gateway, vpc) = named(context, query)?;
    let ec2 = &mut context.region_mut().ec2;
    if ec2.internet_gateways.get(&gateway).is_none_or(|held| held.vpc.as_ref() != Some(&vpc)) {
        let message = format!("resource {gateway} is not attached to network {vpc}");
        return Err(Error::bad("Gateway.NotAttached", message));
    }
    let mapped = ec2.instances.values().any(|instance| {
        instance.vpc == vpc && instance.public_ip.is_some() && instance.state.written().1 != "terminated"
    });
    let balancers = ec2
        .network_interfaces
        .values()
        .any(|interface| interface.vpc == vpc && interface.requester.as_deref() == Some("amazon-elb"));
    if mapped || balancers {
        let message = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before \
             detaching the gateway."
        );
        return Err(Error::bad("DependencyViolation", message));
    }
    set_vpc(ec2, &gateway, None);
    Ok(Xml::new().text("return", true))
}

/// `DeleteInternetGateway`
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("InternetGatewayId")?;
    let gateways = &mut context.region_mut().ec2.internet_gateways;
    let gateway = gateways.get(id).ok_or_else(|| InternetGateway::not_found(id))?;
    if gateway.vpc.is_some() {
        let message = format!("The internetGateway '{id}' has dependencies and cannot be deleted.");
        return Err(Error::bad("DependencyViolation", message));
    }
    gateways.remove(id);
    Ok(Xml::new().text("return", true))
}

fn named(context: &Context<'_>, query: &Query) -> Result<(String, String)> {
    let id = query.required("InternetGatewayId")?;
    let ec2 = &context.region().ec2;
    let gateway = ec2.internet_gateways.get(id).ok_or_else(|| InternetGateway::not_found(id))?;
    let vpc = vpcs::find(ec2, query.required("VpcId")?)?;
    Ok((gateway.id.clone(), vpc.id.clone()))
}

fn set_vpc(state: &mut State, gateway: &str, vpc: Option<String>) {
    if let Some(gateway) = state.internet_gateways.get_mut(gateway) {
        gateway.vpc = vpc;
    }
}
