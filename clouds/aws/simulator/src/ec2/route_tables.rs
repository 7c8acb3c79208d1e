//! Route tables, their routes, and which subnets they are for.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRouteTable.html>.

use super::describe::Described;
use super::state::{Association, InternetGateway, Route, RouteTable, State};
use super::{subnets, tags, vpcs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Place;
use crate::xml::Xml;

/// The default quota of tables in a network.
const MOST_TABLES: usize = 200;

impl Described for RouteTable {
    const SET: &'static str = "routeTableSet";
    const IDS: &'static str = "RouteTableId";
    const FILTERS: &'static [&'static str] = &[
        "route-table-id",
        "vpc-id",
        "association.main",
        "association.subnet-id",
        "association.route-table-id",
        "association.route-table-association-id",
        "route.gateway-id",
        "route.destination-cidr-block",
    ];

    fn values(&self, filter: &str) -> Vec<String> {
        let associations = self.associations.iter();
        match filter {
            "vpc-id" => vec![self.vpc.clone()],
            "association.main" => associations.map(|one| one.subnet.is_none().to_string()).collect(),
            "association.subnet-id" => associations.filter_map(|one| one.subnet.clone()).collect(),
            "association.route-table-association-id" => associations.map(|one| one.id.clone()).collect(),
            "route.gateway-id" => self.routes.iter().map(|route| route.gateway.clone()).collect(),
            "route.destination-cidr-block" => {
                self.routes.iter().map(|route| route.destination.to_string()).collect()
            }
            _ => vec![self.id.clone()],
        }
    }

    fn written(&self, state: &State, place: &Place) -> Xml {
        let routes = self.routes.iter().map(|route| {
            let origin = if route.gateway == "local" { "CreateRouteTable" } else { "CreateRoute" };
            let target = if route.gateway.starts_with("nat-") { "natGatewayId" } else { "gatewayId" };
            // A gateway that is attached no longer.
            let leads = !route.gateway.starts_with("igw-")
                || state.internet_gateways.get(&route.gateway).is_some_and(|held| held.vpc.is_some());
            Xml::new()
                .text("destinationCidrBlock", route.destination)
                .text(target, &route.gateway)
                .text("state", if leads { "active" } else { "blackhole" })
                .text("origin", origin)
        });
        let associations = self.associations.iter().map(|association| {
            Xml::new()
                .text("routeTableAssociationId", &association.id)
                .text("routeTableId", &self.id)
                .maybe("subnetId", association.subnet.as_ref())
                .text("main", association.subnet.is_none())
                .child("associationState", &Xml::new().text("state", "associated"))
        });
        Xml::new()
            .text("routeTableId", &self.id)
            .text("vpcId", &self.vpc)
            .text("ownerId", &place.account)
            .list("routeSet", "item", routes)
            .list("associationSet", "item", associations)
            .list("propagatingVgwSet", "item", [])
            .and(&tags::written(&self.tags))
    }
}

/// `CreateRouteTable`; the same client token gives the same table.
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let tags = tags::at_creation(query, "route-table")?;
    let token = query.get("ClientToken").map(str::to_owned);
    let ec2 = &context.region().ec2;
    let vpc = vpcs::find(ec2, query.required("VpcId")?)?;
    let earlier = ec2.route_tables.values().find(|table| token.is_some() && table.client_token == token);
    if let Some(table) = earlier {
        let same = table.vpc == vpc.id && table.tags == tags;
        let mismatch = || {
            let message = "The client token has already been used with different parameters.";
            Error::bad("IdempotentParameterMismatch", message)
        };
        return same.then(|| answer(context, table)).ok_or_else(mismatch);
    }
    let siblings = ec2.route_tables.values().filter(|table| table.vpc == vpc.id).count();
    if context.effects.quota() || siblings >= MOST_TABLES {
        return Err(Error::bad(
            "RouteTableLimitExceeded",
            "The maximum number of route tables has been reached.",
        ));
    }
    let (vpc, local) = (vpc.id.clone(), Route { destination: vpc.cidr, gateway: "local".to_owned() });
    let table = RouteTable {
        id: context.world.new_id("rtb"),
        vpc,
        routes: vec![local],
        associations: Vec::new(),
        client_token: token,
        tags,
        created: context.now.wall,
    };
    let answer = answer(context, &table);
    context.region_mut().ec2.route_tables.insert(table.id.clone(), table);
    Ok(answer)
}

fn answer(context: &Context<'_>, table: &RouteTable) -> Xml {
    let written = Xml::new().child("routeTable", &table.written(&context.region().ec2, &context.place));
    written.maybe("clientToken", table.client_token.as_ref())
}

/// `DeleteRouteTable`
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("RouteTableId")?;
    let tables = &mut context.region_mut().ec2.route_tables;
    let table = tables.get(id).ok_or_else(|| RouteTable::not_found(id))?;
    if !table.associations.is_empty() {
        let message = format!("The routeTable '{id}' has dependencies and cannot be deleted.");
        return Err(Error::bad("DependencyViolation", message));
    }
    tables.remove(id);
    Ok(Xml::new().text("return", true))
}

/// `CreateRoute` to an internet gateway; no other target exists here.
pub(super) fn create_route(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let destination = vpcs::cidr(query.required("DestinationCidrBlock")?, "destinationCidrBlock")?;
    let gateway = query.required("GatewayId")?;
    let id = query.required("RouteTableId")?;
    let ec2 = &mut context.region_mut().ec2;
    let table = ec2.route_tables.get_mut(id).ok_or_else(|| RouteTable::not_found(id))?;
    let held: &InternetGateway = ec2.internet_gateways.get(gateway).ok_or_else(|| {
        Error::bad("InvalidGatewayID.NotFound", format!("The gateway ID '{gateway}' does not exist"))
    })?;
    if held.vpc.as_ref() != Some(&table.vpc) {
        let message = format!("route table {id} and network gateway {gateway} belong to different networks");
        return Err(Error::bad("InvalidParameterValue", message));
    }
    if table.routes.iter().any(|route| route.destination == destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(Error::bad("RouteAlreadyExists", message));
    }
    table.routes.push(Route { destination, gateway: gateway.to_owned() });
    Ok(Xml::new().text("return", true))
}

/// `DeleteRoute`
pub(super) fn delete_route(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let destination = vpcs::cidr(query.required("DestinationCidrBlock")?, "destinationCidrBlock")?;
    let id = query.required("RouteTableId")?;
    let table = context.region_mut().ec2.route_tables.get_mut(id).ok_or_else(|| RouteTable::not_found(id))?;
    let before = table.routes.len();
    table.routes.retain(|route| route.destination != destination || route.gateway == "local");
    if table.routes.len() == before {
        let message = format!("no route with destination-cidr-block {destination} in route table {id}");
        return Err(Error::bad("InvalidRoute.NotFound", message));
    }
    Ok(Xml::new().text("return", true))
}

/// `AssociateRouteTable`; the same association again gives the same answer.
pub(super) fn associate(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("RouteTableId")?;
    let subnet = subnets::find(&context.region().ec2, query.required("SubnetId")?)?.clone();
    let new = context.world.new_id("rtbassoc");
    let tables = &mut context.region_mut().ec2.route_tables;
    let table = tables.get(id).ok_or_else(|| RouteTable::not_found(id))?;
    if table.vpc != subnet.vpc {
        let message = format!("route table {id} and subnet {} belong to different networks", subnet.id);
        return Err(Error::bad("InvalidParameterValue", message));
    }
    let existing = tables.values().find_map(|table| {
        let found = table.associations.iter().find(|one| one.subnet.as_ref() == Some(&subnet.id))?;
        Some((table.id.clone(), found.id.clone()))
    });
    let association = match existing {
        Some((of, association)) if of == id => association,
        Some(_) => {
            let message = format!(
                "the specified association for route table {id} conflicts with an existing association"
            );
            return Err(Error::bad("Resource.AlreadyAssociated", message));
        }
        None => {
            if let Some(table) = tables.get_mut(id) {
                table.associations.push(Association { id: new.clone(), subnet: Some(subnet.id) });
            }
            new
        }
    };
    let state = Xml::new().text("state", "associated");
    Ok(Xml::new().text("associationId", association).child("associationState", &state))
}

/// `DisassociateRouteTable`
pub(super) fn disassociate(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("AssociationId")?;
    for table in context.region_mut().ec2.route_tables.values_mut() {
        let Some(at) = table.associations.iter().position(|one| one.id == id) else { continue };
        if table.associations.get(at).is_some_and(|one| one.subnet.is_none()) {
            let message = format!("cannot disassociate the main route table association {id}");
            return Err(Error::bad("InvalidParameterValue", message));
        }
        table.associations.remove(at);
        return Ok(Xml::new().text("return", true));
    }
    Err(Error::bad("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist")))
}
