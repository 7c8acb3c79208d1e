//! The plan of the end of a network. What a VPC consists of goes with it, whoever made it: its subnets that nothing lies
//! in, its internet gateway, its route tables, and what every VPC is born with. What may be somebody's work in it – machines,
//! balancers, NAT gateways, clusters, each known by its network interface; security groups; endpoints, peerings, VPN,
//! egress-only and carrier gateways, network ACLs – holds it, is named, and is never removed.
//!
//! Source: <https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html>, what the console deletes with a VPC

use futures::FutureExt;
use pmks_driver::{Marks, Prepared, Result, StageSpecification};
use pmks_model::Iid;

use super::Stage as _;
use super::delete_resource::{Delete, What, interface_says, refuse_if_held, removal_of_gateway};
use crate::api::ec2::filter;
use crate::clusters::is_unsupported;
use crate::query::{List, Tag};
use crate::wire::ec2 as wire;
use crate::{AwsDriver, networks};

/// Looks what is in the network, and answers the plan. Thirteen calls, and one more where something in it is another
/// installation's.
///
/// # Errors
/// `Precondition` naming what holds it.
pub(super) async fn prepare(driver: &AwsDriver, iid: &Iid, marks: &Marks) -> Result<Prepared> {
    let id = iid.system_id.as_str();
    let mut content = Content::of(driver, id, marks).await?;
    let mut own = Own { marks, taken_over: None };
    if content.tags().any(|tags| !own.has(tags)) {
        // A network of another installation was taken over with all that it consists of.
        let network = driver.api.describe_vpcs(&[filter("vpc-id", id)]).await?;
        own.taken_over = network.first().and_then(|network| installation_of(&network.tag_set));
    }
    content.interfaces.sort_by(|one, other| one.network_interface_id.cmp(&other.network_interface_id));
    refuse_if_held(&Delete::of(What::Network, id), &content.holders(&own))?;
    let prepared = Prepared::of(content.plan(iid));
    let others = content.made_by_others(marks);
    if others.is_empty() {
        return Ok(prepared);
    }
    let says = format!("this goes with the network, and was not made by this pmks: {}", others.join(", "));
    Ok(prepared.notice(says))
}

/// What is attached to a network by no network interface, and is no part of it.
pub(super) async fn neighbours(driver: &AwsDriver, network: &str) -> Result<Vec<String>> {
    /// Those that hold a VPC; others are shown for some hours after their end.
    const LIVE: [&str; 3] = ["pending-acceptance", "provisioning", "active"];
    let live = || ("status-code", LIVE.map(str::to_owned).to_vec());
    let asks = [filter("requester-vpc-info.vpc-id", network), live()];
    let accepts = [filter("accepter-vpc-info.vpc-id", network), live()];
    let (within, attached) = ([filter("vpc-id", network)], [filter("attachment.vpc-id", network)]);
    // Boxed: together they are larger than a future should be.
    let (endpoints, gateways, asked, accepted, egress_only, carriers, acls) = futures::join!(
        driver.api.describe_vpc_endpoints(&within).boxed(),
        driver.api.describe_vpn_gateways(&attached).boxed(),
        driver.api.describe_vpc_peerings(&asks).boxed(),
        driver.api.describe_vpc_peerings(&accepts).boxed(),
        driver.api.describe_egress_only_gateways().boxed(),
        driver.api.describe_carrier_gateways(&within).boxed(),
        driver.api.describe_network_acls(&within).boxed(),
    );
    let mut named: Vec<String> = Vec::new();
    let endpoints = known(endpoints)?.into_iter().filter(|one| !one.state.eq_ignore_ascii_case("deleted"));
    named.extend(endpoints.map(|one| format!("VPC endpoint {} ({})", one.vpc_endpoint_id, one.service_name)));
    let is_attached = |attachments: &List<wire::GatewayAttachment>| {
        attachments.entries.iter().any(|at| at.vpc_id == network && at.state != "detached")
    };
    let gateways = known(gateways)?.into_iter().filter(|one| is_attached(&one.attachments));
    named.extend(gateways.map(|one| format!("VPN gateway {}", one.vpn_gateway_id)));
    let peerings = known(asked)?.into_iter().chain(known(accepted)?);
    named.extend(peerings.map(|one| format!("VPC peering {}", one.vpc_peering_connection_id)));
    let egress_only = known(egress_only)?.into_iter().filter(|one| is_attached(&one.attachment_set));
    named.extend(
        egress_only
            .map(|one| format!("egress-only internet gateway {}", one.egress_only_internet_gateway_id)),
    );
    let carriers = known(carriers)?.into_iter().filter(|one| one.state != "deleted");
    named.extend(carriers.map(|one| format!("carrier gateway {}", one.carrier_gateway_id)));
    let acls = known(acls)?.into_iter().filter(|one| !one.is_default);
    named.extend(acls.map(|one| format!("network ACL {}", one.network_acl_id)));
    Ok(named)
}

/// A list; an endpoint that does not have the call has nothing of the kind.
fn known<T>(list: Result<Vec<T>>) -> Result<Vec<T>> {
    match list {
        Err(error) if is_unsupported(&error) => Ok(Vec::new()),
        list => list,
    }
}

/// Whose things go with a network without anybody being asked.
struct Own<'a> {
    marks: &'a Marks,
    /// The other installation that made the network itself.
    taken_over: Option<String>,
}

impl Own<'_> {
    /// Whether this is nobody's, ours, or of the one that the network was taken over from.
    fn has(&self, tags: &List<Tag>) -> bool {
        let made_by = installation_of(tags);
        made_by.is_none_or(|made_by| made_by == self.marks.installation || Some(made_by) == self.taken_over)
    }
}

/// What is in a network.
#[derive(Debug, Default)]
struct Content {
    subnets: Vec<wire::Subnet>,
    gateways: Vec<wire::InternetGateway>,
    /// Gateways that were made for it and are attached to nothing, as an attempt that broke off leaves them.
    loose: Vec<wire::InternetGateway>,
    /// Those that a VPC is not born with.
    tables: Vec<wire::RouteTable>,
    groups: Vec<wire::SecurityGroup>,
    interfaces: Vec<wire::NetworkInterface>,
    neighbours: Vec<String>,
}

impl Content {
    async fn of(driver: &AwsDriver, network: &str, marks: &Marks) -> Result<Self> {
        let within = [filter("vpc-id", network)];
        let attached = [filter("attachment.vpc-id", network)];
        let [installation, _, uid] = Marks::KEYS.map(|key| format!("tag:{key}"));
        let ours = [filter(&installation, &marks.installation), filter(&uid, &marks.uid)];
        // Boxed: together they are larger than a future should be.
        let (subnets, gateways, mut loose, mut tables, groups, interfaces, neighbours) = futures::try_join!(
            driver.api.describe_subnets(&within).boxed(),
            driver.api.describe_internet_gateways(&attached).boxed(),
            driver.api.describe_internet_gateways(&ours).boxed(),
            driver.api.describe_route_tables(&within).boxed(),
            driver.api.describe_security_groups(&within).boxed(),
            driver.api.describe_network_interfaces(&within).boxed(),
            neighbours(driver, network).boxed(),
        )?;
        loose.retain(|gateway| gateway.attachment_set.entries.is_empty());
        tables.retain(|table| !table.association_set.entries.iter().any(|association| association.main));
        Ok(Self { subnets, gateways, loose, tables, groups, interfaces, neighbours })
    }

    /// The tags of all that the network consists of.
    fn tags(&self) -> impl Iterator<Item = &List<Tag>> {
        let subnets = self.subnets.iter().map(|subnet| &subnet.tag_set);
        let gateways = self.gateways.iter().map(|gateway| &gateway.tag_set);
        subnets.chain(gateways).chain(self.tables.iter().map(|table| &table.tag_set))
    }

    /// All that it consists of, named, with its tags.
    fn parts(&self) -> impl Iterator<Item = (String, &List<Tag>)> {
        let subnets = self.subnets.iter().map(|subnet| (subnet_says(subnet), &subnet.tag_set));
        let gateways = self.gateways.iter().map(|one| (gateway_says(&one.internet_gateway_id), &one.tag_set));
        let tables = self.tables.iter().map(|one| (table_says(&one.route_table_id), &one.tag_set));
        subnets.chain(gateways).chain(tables)
    }

    /// What holds the network: what lies in it and is no part of it, and what another installation has put there.
    fn holders(&self, own: &Own<'_>) -> Vec<String> {
        let mut held: Vec<String> = self.interfaces.iter().map(interface_says).collect();
        let others = self.parts().filter(|(_, tags)| !own.has(tags));
        held.extend(others.map(|(says, _)| format!("{says} of another pmks installation")));
        let groups = self.groups.iter().filter(|group| group.group_name != "default");
        held.extend(groups.map(|group| format!("security group {} ({})", group.group_id, group.group_name)));
        held.extend(self.neighbours.iter().cloned());
        held
    }

    /// What goes with the network and this installation did not make.
    fn made_by_others(&self, marks: &Marks) -> Vec<String> {
        let is_ours = |tags: &List<Tag>| installation_of(tags).as_ref() == Some(&marks.installation);
        self.parts().filter(|(_, tags)| !is_ours(tags)).map(|(says, _)| says).collect()
    }

    /// Subnets at once; then what nothing of them needs any more, gateways and route tables; the network last.
    fn plan(&self, iid: &Iid) -> Vec<StageSpecification> {
        let network = iid.system_id.as_str();
        let mut stages = Vec::new();
        for subnet in &self.subnets {
            let own = name_of(&subnet.tag_set).unwrap_or_default();
            stages.push(Delete::of(What::Subnet, &subnet.subnet_id).stage(&subnet_says(subnet), &own));
        }
        let subnets: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        for gateway in &self.gateways {
            let id = gateway.internet_gateway_id.as_str();
            let detached = format!("detachment of {id}");
            let attachment = Delete::attachment(id, network).specification(&detached);
            // Public addresses of what is in the subnets hold the attachment.
            stages.push(attachment.after(subnets.clone()));
            stages.push(removal_of_gateway(id).after([detached]));
        }
        stages.extend(self.loose.iter().map(|gateway| removal_of_gateway(&gateway.internet_gateway_id)));
        for table in &self.tables {
            let id = table.route_table_id.as_str();
            let own = name_of(&table.tag_set).unwrap_or_default();
            let stage = Delete::of(What::RouteTable, id).stage(&table_says(id), &own);
            // A table goes once it is no subnet's.
            stages.push(stage.after(subnets.clone()));
        }
        let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        stages.push(Delete::of(What::Network, network).stage("network", &iid.name_id).after(before));
        stages
    }
}

/// The installation of pmks that made something; `None`: none did.
fn installation_of(tags: &List<Tag>) -> Option<String> {
    let [installation, ..] = Marks::KEYS;
    tags.to_tags().remove(installation)
}

fn subnet_says(subnet: &wire::Subnet) -> String {
    let id = &subnet.subnet_id;
    name_of(&subnet.tag_set).map_or_else(|| format!("subnet {id}"), |name| format!("subnet {name} ({id})"))
}

fn gateway_says(id: &str) -> String {
    format!("internet gateway {id}")
}

fn table_says(id: &str) -> String {
    format!("route table {id}")
}

fn name_of(tags: &List<Tag>) -> Option<String> {
    tags.to_tags().remove(networks::NAME_TAG).filter(|name| !name.is_empty())
}

#[cfg(test)]
#[path = "delete_network_tests.rs"]
mod tests;
