//! The plan of a network: VPC, internet gateway and its attachment, the default route, subnets, each a stage of its
//! own, since EC2 makes them by calls without client tokens.
//!
//! The default route goes into the main route table that every VPC is born with: a table of our own would be one
//! more thing to make, and one association more for each subnet.

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateNetwork, DriverError, Effect, ErrorKind, Identity, Look, Marks, Prepared, Result,
    StageContext, StageSpecification,
};
use pmks_model::{Cidr, Findings, NetworkRequest, ResourceKind, Tags};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::create_subnet::{self, UNSEEN, Zones};
use super::reference::{self, ID, Reference};
use super::{Maker, Stage};
use crate::api::ec2::filter;
use crate::{AwsDriver, PROVIDER, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[
    Maker::of::<Vpc>(),
    Maker::of::<VpcAttribute>(),
    Maker::of::<Gateway>(),
    Maker::of::<GatewayAttachment>(),
    Maker::of::<MainRouteTable>(),
    Maker::of::<DefaultRoute>(),
];

const NETWORK: &str = "network";
const DNS_SUPPORT: &str = "DNS support";
const DNS_HOST_NAMES: &str = "DNS host names";
const GATEWAY: &str = "internet gateway";
const ATTACHMENT: &str = "internet gateway attachment";
const ROUTE_TABLE: &str = "main route table";
const DEFAULT_ROUTE: &str = "default route";

/// Checks sizes and zones, chooses zones where none is named, and answers the plan. One call.
///
/// # Errors
/// `InvalidRequest` for blocks that EC2 does not take and zones that cannot be used here.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &CreateNetwork) -> Result<Prepared> {
    let request = &asked.request;
    let zones = Zones::here(driver).await?;
    check(request, &zones).into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let wanted: Vec<&str> = request.subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    let chosen = zones.choose(&[], &wanted);
    let mut prepared = Prepared::of(plan(asked, &chosen));
    if !chosen.is_empty() {
        let said =
            request.subnets.iter().zip(&chosen).map(|(subnet, zone)| format!("{}: {zone}", subnet.name));
        prepared = prepared.resolved("zones", said.collect::<Vec<_>>().join(", "));
    }
    prepared.notices.extend(chosen.iter().filter_map(|zone| zones.notice(zone)));
    prepared.notices.extend(Zones::too_few(&chosen));
    Ok(prepared)
}

fn check(request: &NetworkRequest, zones: &Zones) -> Findings {
    let mut findings = Findings::default();
    create_subnet::check_size("cidr", request.cidr, &mut findings);
    for (index, subnet) in request.subnets.iter().enumerate() {
        create_subnet::check_size(&format!("subnets[{index}].cidr"), subnet.cidr, &mut findings);
        zones.check(&format!("subnets[{index}].zone"), &subnet.zone, &mut findings);
    }
    findings
}

fn plan(asked: &CreateNetwork, zones: &[String]) -> Vec<StageSpecification> {
    let (request, marks) = (&asked.request, &asked.marks);
    let network = Reference::Stage(NETWORK.to_owned());
    let tags = networks::tags_of(&request.name, &request.tags, marks);
    let vpc = Vpc { cidr: request.cidr.to_string(), tags: tags.clone(), marks: marks.clone() };
    let gateway = Gateway { tags, marks: marks.clone() };
    let attribute = |which| VpcAttribute { network: network.clone(), which };
    let attachment =
        GatewayAttachment { network: network.clone(), gateway: Reference::Stage(GATEWAY.to_owned()) };
    let table = MainRouteTable { network: network.clone() };
    let route = DefaultRoute {
        table: Reference::Stage(ROUTE_TABLE.to_owned()),
        gateway: Reference::Stage(GATEWAY.to_owned()),
    };
    let made = |stage: StageSpecification| {
        stage.effect(Effect::Creates).identity(Identity::Tag).visible_after(UNSEEN)
    };
    let mut stages = vec![
        made(vpc.specification(NETWORK)).subject(ResourceKind::Network, &request.name),
        // Not before the network, by which a deletion finds it.
        made(gateway.specification(GATEWAY)).after([NETWORK]),
        attribute(Attribute::DnsSupport).specification(DNS_SUPPORT).after([NETWORK]),
        attribute(Attribute::DnsHostNames).specification(DNS_HOST_NAMES).after([DNS_SUPPORT]),
        attachment.specification(ATTACHMENT).after([NETWORK, GATEWAY]),
        table.specification(ROUTE_TABLE).effect(Effect::Read).after([NETWORK]),
        route.specification(DEFAULT_ROUTE).after([ATTACHMENT, ROUTE_TABLE]),
    ];
    for (subnet, zone) in request.subnets.iter().zip(zones) {
        let uid = asked.subnet_uids.get(&subnet.name).unwrap_or(&marks.uid);
        let marks = Marks { uid: uid.clone(), ..marks.clone() };
        let [subnet, addresses] = create_subnet::stages(&network, subnet, zone, &marks);
        stages.extend([subnet.after([NETWORK]), addresses]);
    }
    stages
}

/// The VPC itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vpc {
    cidr: String,
    tags: Tags,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for Vpc {
    const KIND: &'static str = "aws.network";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let marked = reference::marked(&self.marks);
        let found = driver.api.describe_vpcs(&reference::filters(&marked)).await?;
        Ok(reference::look(
            context,
            &found,
            |vpc| &vpc.vpc_id,
            |vpc| reference::ready_when(vpc.state == "available", &vpc.state, json!({ID: vpc.vpc_id})),
        ))
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let made = driver.api.create_vpc(&self.cidr, &self.tags).await?;
        Ok(Asked::accepted().with_system_id(&made.vpc_id).with_incarnation(&made.vpc_id))
    }
}

/// An attribute of a VPC that EKS needs on.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Attribute {
    DnsSupport,
    DnsHostNames,
}

/// One attribute of the VPC, on. EC2 changes one at a time.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VpcAttribute {
    network: Reference,
    which: Attribute,
}

#[async_trait]
impl Stage<AwsDriver> for VpcAttribute {
    const KIND: &'static str = "aws.network.attribute";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let id = self.network.id(context)?;
        let word = match self.which {
            Attribute::DnsSupport => "enableDnsSupport",
            Attribute::DnsHostNames => "enableDnsHostnames",
        };
        let said = match driver.api.describe_vpc_attribute(id, word).await {
            Err(error) if error.is_not_found() => {
                return Ok(Look::Unsure(format!("AWS does not show {id} yet")));
            }
            said => said?,
        };
        let on = match self.which {
            Attribute::DnsSupport => said.enable_dns_support.value,
            Attribute::DnsHostNames => said.enable_dns_hostnames.value,
        };
        Ok(if on { Look::ready(id, id, json!({})) } else { Look::Absent })
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let word = match self.which {
            Attribute::DnsSupport => "EnableDnsSupport",
            Attribute::DnsHostNames => "EnableDnsHostnames",
        };
        let asked = driver.api.enable_vpc_attribute(self.network.id(context)?, word).await;
        asked.map_err(|error| self.network.settle(error))?;
        Ok(Asked::done(json!({})))
    }
}

/// The internet gateway, attached to nothing yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gateway {
    tags: Tags,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for Gateway {
    const KIND: &'static str = "aws.network.gateway";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let marked = reference::marked(&self.marks);
        let found = driver.api.describe_internet_gateways(&reference::filters(&marked)).await?;
        Ok(reference::look(
            context,
            &found,
            |gateway| &gateway.internet_gateway_id,
            |gateway| reference::ready_when(true, "", json!({ID: gateway.internet_gateway_id})),
        ))
    }

    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let made = driver.api.create_internet_gateway(&self.tags).await?;
        let id = made.internet_gateway_id;
        Ok(Asked::accepted().with_system_id(&id).with_incarnation(&id))
    }
}

/// The gateway at its VPC.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayAttachment {
    network: Reference,
    gateway: Reference,
}

#[async_trait]
impl Stage<AwsDriver> for GatewayAttachment {
    const KIND: &'static str = "aws.network.gatewayAttachment";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let (network, gateway) = (self.network.id(context)?, self.gateway.id(context)?);
        let found = driver.api.describe_internet_gateways(&[filter("internet-gateway-id", gateway)]).await?;
        let Some(found) = found.iter().find(|found| found.internet_gateway_id == gateway) else {
            return Ok(Look::Unsure(format!("AWS does not show {gateway} yet")));
        };
        Ok(match found.attachment_set.entries.first() {
            None => Look::Absent,
            // EC2 says `available` for gateways, and `attached` in its documentation.
            Some(attachment) if attachment.vpc_id == network => match attachment.state.as_str() {
                "available" | "attached" => Look::ready(gateway, gateway, json!({})),
                state => Look::pending(gateway, gateway, state),
            },
            Some(attachment) => {
                let message = format!("{gateway} is attached to {}", attachment.vpc_id);
                Look::failed(gateway, gateway, DriverError::new(ErrorKind::AlreadyExists, PROVIDER, message))
            }
        })
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let (network, gateway) = (self.network.id(context)?, self.gateway.id(context)?);
        let asked = driver.api.attach_internet_gateway(gateway, network).await;
        asked.map_err(|error| self.network.settle(error))?;
        Ok(Asked::accepted())
    }
}

/// The route table that the VPC was born with. Only looked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MainRouteTable {
    network: Reference,
}

#[async_trait]
impl Stage<AwsDriver> for MainRouteTable {
    const KIND: &'static str = "aws.network.mainRouteTable";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let network = self.network.id(context)?;
        let main = [filter("vpc-id", network), filter("association.main", "true")];
        let tables = driver.api.describe_route_tables(&main).await?;
        Ok(match tables.first() {
            Some(table) => Look::ready("", "", json!({ID: table.route_table_id})),
            None => Look::Unsure(format!("AWS does not show the main route table of {network} yet")),
        })
    }

    async fn ask(&self, _: &AwsDriver, _: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

/// The way out: everything that is not the network's own goes to the gateway.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DefaultRoute {
    table: Reference,
    gateway: Reference,
}

#[async_trait]
impl Stage<AwsDriver> for DefaultRoute {
    const KIND: &'static str = "aws.network.defaultRoute";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let (table, gateway) = (self.table.id(context)?, self.gateway.id(context)?);
        let tables = driver.api.describe_route_tables(&[filter("route-table-id", table)]).await?;
        let Some(found) = tables.iter().find(|found| found.route_table_id == table) else {
            return Ok(Look::Unsure(format!("AWS does not show {table} yet")));
        };
        let out = Cidr::ALL.to_string();
        Ok(match found.route_set.entries.iter().find(|route| route.destination_cidr_block == out) {
            None => Look::Absent,
            Some(route) if route.gateway_id == gateway && route.state == "active" => {
                Look::ready("", "", json!({}))
            }
            Some(route) if route.gateway_id == gateway => Look::pending("", "", &route.state),
            Some(route) => {
                let message = format!("the default route of {table} already leads to {}", route.gateway_id);
                Look::failed("", "", DriverError::new(ErrorKind::AlreadyExists, PROVIDER, message))
            }
        })
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let (table, gateway) = (self.table.id(context)?, self.gateway.id(context)?);
        let asked = driver.api.create_route(table, &Cidr::ALL.to_string(), gateway).await;
        asked.map_err(|error| self.gateway.settle(error))?;
        Ok(Asked::accepted())
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::Plan;
    use pmks_model::SubnetRequest;

    use super::*;

    fn asked() -> CreateNetwork {
        let subnet = |name: &str, cidr: &str| SubnetRequest {
            name: name.to_owned(),
            cidr: cidr.parse().unwrap(),
            zone: String::new(),
            tags: Tags::from([("team".to_owned(), name.to_owned())]),
        };
        CreateNetwork {
            request: NetworkRequest {
                name: "net".to_owned(),
                cidr: "10.0.0.0/16".parse().unwrap(),
                subnets: vec![subnet("a", "10.0.0.0/24"), subnet("b", "10.0.1.0/24")],
                tags: Tags::from([("team".to_owned(), "x".to_owned())]),
            },
            marks: Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() },
            subnet_uids: [("a".to_owned(), "ua".to_owned()), ("b".to_owned(), "ub".to_owned())].into(),
        }
    }

    #[test]
    fn the_plan_is_sound_and_everything_it_makes_is_marked() {
        let plan = Plan::of(plan(&asked(), &["z1".to_owned(), "z2".to_owned()]));
        assert_eq!(plan.defect(), None);
        let creating: Vec<_> = plan.stages.iter().filter(|stage| stage.effect == Effect::Creates).collect();
        let names: Vec<&str> = creating.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["network", "internet gateway", "subnet a", "subnet b"]);
        for (stage, (uid, team)) in creating.iter().zip([("u", "x"), ("u", "x"), ("ua", "a"), ("ub", "b")]) {
            assert_eq!(stage.identity, Identity::Tag, "{}", stage.name);
            assert_eq!(stage.visible_after_seconds, 300, "{}", stage.name);
            let tags = &stage.parameters["tags"];
            assert_eq!((&tags["pmks-uid"], &tags["team"]), (&json!(uid), &json!(team)), "{}", stage.name);
        }
        let subjects: Vec<_> = plan.stages.iter().filter_map(|stage| stage.subject.as_ref()).collect();
        assert_eq!(subjects.len(), 3);
        assert_eq!(creating[2].parameters["tags"]["kubernetes.io/role/elb"], "1");
    }

    #[test]
    fn sizes_that_ec2_does_not_take_are_findings() {
        let mut asked = asked().request;
        asked.cidr = "10.0.0.0/8".parse().unwrap();
        asked.subnets[1].cidr = "10.0.1.0/29".parse().unwrap();
        asked.subnets[0].zone = "nowhere".to_owned();
        let found = check(&asked, &Zones::default());
        let fields: Vec<&str> = found.iter().map(|finding| finding.field.as_str()).collect();
        assert_eq!(fields, ["cidr", "subnets[0].zone", "subnets[1].cidr"]);
    }
}
