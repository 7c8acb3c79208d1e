//! The plan of one more subnet, the stages that every subnet is made by, and the choice of its zone.
//! A subnet gets the network's main route table, and public addresses for its machines.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, CreateSubnet, DriverError, Effect, Identity, Look, Marks, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::{Cidr, Findings, ResourceKind, SubnetRequest, Tags};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reference::{self, ID, Reference};
use super::{Maker, Stage};
use crate::api::ec2::filter;
use crate::wire::ec2 as wire;
use crate::{AwsDriver, PROVIDER, machines, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Subnet>(), Maker::of::<PublicAddresses>()];

/// How long a new resource of EC2 may stay unseen.
///
/// Source: <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html> («up to about five minutes»)
pub(super) const UNSEEN: Duration = Duration::from_mins(5);

/// The tag by which controllers find the subnets for public balancers.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html>
const PUBLIC_BALANCERS: &str = "kubernetes.io/role/elb";

/// The zones in which EKS puts no control plane, by identifier: names differ from account to account.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
const WITHOUT_EKS: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];

/// Checks the network, the addresses and the zone, chooses the zone where none is named, and answers the plan.
/// Four calls.
///
/// # Errors
/// `NotFound` without the network; `InvalidRequest` for addresses and zones that cannot be.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &CreateSubnet) -> Result<Prepared> {
    let request = &asked.request;
    let main = [filter("vpc-id", &asked.network.system_id), filter("association.main", "true")];
    let (network, zones, tables) = futures::try_join!(
        networks::get(driver, &asked.network.system_id),
        Zones::here(driver),
        driver.api.describe_route_tables(&main),
    )?;
    let mut findings = Findings::default();
    check_size("cidr", request.cidr, &mut findings);
    for other in &network.subnets {
        if other.cidr.parse().is_ok_and(|cidr: Cidr| cidr.overlaps(request.cidr)) {
            findings.add("cidr", format!("overlaps subnet {} ({})", other.iid.name_id, other.cidr));
        }
    }
    zones.check("zone", &request.zone, &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let taken: Vec<&str> = network.subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    let zone = zones.choose(&taken, &[&request.zone]).pop().unwrap_or_default();
    let public = tables.iter().any(leads_out);
    let network = Reference::Id(asked.network.system_id.clone());
    let stages = stages(&network, request, &zone, &asked.marks);
    let mut prepared = Prepared::of(stages).resolved("zone", &zone);
    prepared.notices.extend(zones.notice(&zone));
    if !public {
        let says = "the network's main route table has no default route to an internet gateway: nodes in this subnet \
                    reach the internet, and EKS, only if somebody adds one";
        prepared = prepared.notice(says);
    }
    Ok(prepared)
}

fn leads_out(table: &wire::RouteTable) -> bool {
    let route = |route: &wire::Route| {
        route.destination_cidr_block == Cidr::ALL.to_string() && route.gateway_id.starts_with("igw-")
    };
    table.route_set.entries.iter().any(route)
}

/// EC2's subnets and networks have 16 to 65536 addresses.
///
/// Source: <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
pub(super) fn check_size(field: &str, cidr: Cidr, findings: &mut Findings) {
    if !(16..=28).contains(&cidr.prefix()) {
        findings.add(field, "must be a block of /16 to /28 at AWS");
    }
}

/// The stages by which a subnet is made, named after it.
pub(super) fn stages(
    network: &Reference,
    request: &SubnetRequest,
    zone: &str,
    marks: &Marks,
) -> [StageSpecification; 2] {
    let name = stage_name(&request.name);
    let mut tags = networks::tags_of(&request.name, &request.tags, marks);
    tags.entry(PUBLIC_BALANCERS.to_owned()).or_insert_with(|| "1".to_owned());
    let subnet = Subnet {
        network: network.clone(),
        cidr: request.cidr.to_string(),
        zone: zone.to_owned(),
        tags,
        marks: marks.clone(),
    };
    let made = subnet
        .specification(&name)
        .effect(Effect::Creates)
        .identity(Identity::Tag)
        .visible_after(UNSEEN)
        .subject(ResourceKind::Subnet, &request.name);
    let addresses = PublicAddresses { subnet: Reference::Stage(name.clone()) };
    [made, addresses.specification(format!("public addresses of {name}")).after([&name])]
}

/// The name of the stage that makes the subnet of that name.
pub(super) fn stage_name(subnet: &str) -> String {
    format!("subnet {subnet}")
}

/// A subnet. EC2 has no client token for it, so it carries our marks from the first moment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subnet {
    network: Reference,
    cidr: String,
    zone: String,
    tags: Tags,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for Subnet {
    const KIND: &'static str = "aws.subnet";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let marked = reference::marked(&self.marks);
        let found = driver.api.describe_subnets(&reference::filters(&marked)).await?;
        Ok(reference::look(
            context,
            &found,
            |subnet| &subnet.subnet_id,
            |subnet| {
                let outputs = json!({ID: subnet.subnet_id, "zone": subnet.availability_zone});
                reference::ready_when(subnet.state == "available", &subnet.state, outputs)
            },
        ))
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let network = self.network.id(context)?;
        let made = driver.api.create_subnet(network, &self.cidr, &self.zone, &self.tags).await;
        let made = made.map_err(|error| self.network.settle(error))?;
        Ok(Asked::accepted().with_system_id(&made.subnet_id).with_incarnation(&made.subnet_id))
    }
}

/// Public addresses for the machines of a subnet: without a NAT gateway, nodes reach EKS by these.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicAddresses {
    subnet: Reference,
}

#[async_trait]
impl Stage<AwsDriver> for PublicAddresses {
    const KIND: &'static str = "aws.subnet.publicAddresses";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let id = self.subnet.id(context)?;
        let found = driver.api.describe_subnets(&[filter("subnet-id", id)]).await?;
        Ok(match found.iter().find(|subnet| subnet.subnet_id == id) {
            Some(subnet) if subnet.map_public_ip_on_launch => Look::ready(id, id, json!({})),
            Some(_) => Look::Absent,
            None => Look::Unsure(format!("AWS does not show {id} yet")),
        })
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let id = self.subnet.id(context)?;
        driver.api.map_public_addresses(id).await.map_err(|error| self.subnet.settle(error))?;
        Ok(Asked::done(json!({})))
    }
}

/// The zones that subnets can be put in, and which comes first.
#[derive(Clone, Debug, Default)]
pub(super) struct Zones {
    /// By name, with the identifier; usable by this account now.
    usable: BTreeMap<String, String>,
    /// The connection's own.
    first: Option<String>,
}

impl Zones {
    /// Those of the connection's region. One call.
    pub(super) async fn here(driver: &AwsDriver) -> Result<Self> {
        let zones = driver.api.describe_availability_zones().await?;
        let usable = zones.into_iter().filter(machines::usable).map(|zone| (zone.zone_name, zone.zone_id));
        Ok(Self { usable: usable.collect(), first: driver.here.zone.clone() })
    }

    /// Adds a finding for a zone that was named and cannot be used.
    pub(super) fn check(&self, field: &str, zone: &str, findings: &mut Findings) {
        if !zone.is_empty() && !self.usable.contains_key(zone) {
            let known: Vec<&str> = self.usable.keys().map(String::as_str).collect();
            findings.add(field, format!("{zone:?} cannot be used here; usable are {}", known.join(", ")));
        }
    }

    /// The zone of each subnet: the one that was wanted, else one of those that EKS can use with the fewest subnets,
    /// the connection's own first. `taken` are the zones of subnets that stand already.
    pub(super) fn choose(&self, taken: &[&str], wanted: &[&str]) -> Vec<String> {
        let mut load: BTreeMap<&str, usize> = BTreeMap::new();
        for zone in taken.iter().chain(wanted).filter(|zone| !zone.is_empty()) {
            *load.entry(zone).or_default() += 1;
        }
        let mut chosen = Vec::new();
        for zone in wanted {
            if !zone.is_empty() {
                chosen.push((*zone).to_owned());
                continue;
            }
            let candidates = self.usable.iter().filter(|(_, id)| !WITHOUT_EKS.contains(&id.as_str()));
            let best = candidates.map(|(name, _)| name.as_str()).min_by_key(|name| {
                (load.get(name).copied().unwrap_or_default(), self.first.as_deref() != Some(name))
            });
            let best = best.unwrap_or_default();
            *load.entry(best).or_default() += 1;
            chosen.push(best.to_owned());
        }
        chosen
    }

    /// What the user should know about a zone.
    pub(super) fn notice(&self, zone: &str) -> Option<String> {
        let id = self.usable.get(zone)?;
        WITHOUT_EKS
            .contains(&id.as_str())
            .then(|| format!("EKS takes no subnet of {zone} ({id}) for a cluster's control plane"))
    }

    /// What the user should know about a network whose subnets lie in too few zones.
    pub(super) fn too_few(zones: &[String]) -> Option<String> {
        let different: BTreeSet<&String> = zones.iter().collect();
        (different.len() == 1).then(|| "EKS needs subnets in two zones, and these lie in one".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(first: Option<&str>) -> Zones {
        let usable = [("r-a", "apne2-az1"), ("r-b", "apne2-az2"), ("r-c", "apne2-az3"), ("r-x", "use1-az3")];
        Zones {
            usable: usable.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())).collect(),
            first: first.map(str::to_owned),
        }
    }

    #[test]
    fn zones_are_spread_beginning_with_the_connections_own() {
        for (first, taken, wanted, expected) in [
            (Some("r-b"), vec![], vec!["", "", "", ""], vec!["r-b", "r-a", "r-c", "r-b"]),
            (None, vec![], vec!["", ""], vec!["r-a", "r-b"]),
            (Some("r-b"), vec!["r-b"], vec![""], vec!["r-a"]),
            (Some("r-b"), vec![], vec!["", "r-b"], vec!["r-a", "r-b"]),
            (None, vec![], vec!["r-x"], vec!["r-x"]),
        ] {
            assert_eq!(zones(first).choose(&taken, &wanted), expected, "{first:?} {taken:?} {wanted:?}");
        }
    }

    #[test]
    fn zones_that_are_not_there_are_findings_and_those_without_eks_notices() {
        let mut findings = Findings::default();
        zones(None).check("zone", "r-q", &mut findings);
        zones(None).check("zone", "r-a", &mut findings);
        zones(None).check("zone", "", &mut findings);
        assert_eq!(findings.iter().count(), 1);
        assert!(zones(None).notice("r-x").unwrap().contains("use1-az3"));
        assert_eq!(zones(None).notice("r-a"), None);
        assert!(Zones::too_few(&["r-a".to_owned(), "r-a".to_owned()]).is_some());
        assert!(Zones::too_few(&["r-a".to_owned(), "r-b".to_owned()]).is_none());
    }
}
