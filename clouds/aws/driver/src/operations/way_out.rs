//! The way of nodes out of their subnets, looked at before anything is made: EKS itself says that nodes did not join
//! only after it has waited some 25 minutes for them. Reads alone.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html> (nodes in public subnets),
//! <https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html>

use std::collections::BTreeSet;

use pmks_driver::{Effect, Reaction, Result, reaction};
use pmks_model::NodeGroupRequest;

use crate::AwsDriver;
use crate::api::ec2::filter;
use crate::wire::ec2::{Route, RouteTable, Subnet};

/// What helps where no subnet leads out.
pub(super) const FIX: &str = "give one of them a default route that leads on (to an internet gateway with public \
     addresses, to a NAT or transit gateway), or their network VPC endpoints";

/// Where nodes are put.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    /// The subnets that no node is put in.
    left_out: Vec<String>,
    pub(super) notices: Vec<String>,
    /// Why nodes would join from none of the subnets.
    pub(super) refusal: Option<String>,
}

impl Ways {
    /// Whether nodes are put in this subnet.
    pub(super) fn take(&self, subnet: &str) -> bool {
        !self.left_out.iter().any(|id| id == subnet)
    }

    /// Those of these subnets that nodes are put in.
    pub(super) fn taken(&self, mut subnets: Vec<String>) -> Vec<String> {
        subnets.retain(|id| self.take(id));
        subnets
    }
}

/// What a subnet lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lack {
    Route,
    Address,
}

/// Looks at the subnets of these node groups; one call, and two more where one of them leads nowhere. `is_private`:
/// whether the cluster's endpoint can be reached without the internet. What cannot be looked at is taken as good, and
/// said.
pub(super) async fn of_nodes(
    driver: &AwsDriver,
    groups: &[NodeGroupRequest],
    subnets: &[Subnet],
    is_private: bool,
) -> Result<Ways> {
    if groups.is_empty() || subnets.is_empty() {
        return Ok(Ways::default());
    }
    match look(driver, groups, subnets, is_private).await {
        Err(error) if reaction(error.kind(), Effect::Read) == Reaction::Fail => {
            let says = format!(
                "whether nodes in these subnets can join the cluster could not be looked at: {error}"
            );
            Ok(Ways { notices: vec![says], ..Ways::default() })
        }
        answer => answer,
    }
}

async fn look(
    driver: &AwsDriver,
    groups: &[NodeGroupRequest],
    subnets: &[Subnet],
    is_private: bool,
) -> Result<Ways> {
    let networks: BTreeSet<String> = subnets.iter().map(|subnet| subnet.vpc_id.clone()).collect();
    let in_them = ("vpc-id", networks.into_iter().collect::<Vec<_>>());
    let tables = driver.api.describe_route_tables(std::slice::from_ref(&in_them)).await?;
    // A launch template of the user's own may give public addresses by itself.
    let by_template = groups.iter().any(|group| group.image.starts_with("lt-"));
    let mut lacking: Vec<(&Subnet, Lack)> =
        subnets.iter().filter_map(|subnet| Some((subnet, lack(subnet, &tables)?))).collect();
    lacking.retain(|(_, lack)| !(by_template && *lack == Lack::Address));
    if lacking.is_empty() {
        return Ok(Ways::default());
    }
    // Endpoints in subnets that another account shares serve this one, which is not shown them:
    // <https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html>
    let account = driver.api.get_caller_identity().await?.account;
    lacking.retain(|(subnet, _)| subnet.owner_id.is_empty() || subnet.owner_id == account);
    let interfaces = [in_them, filter("vpc-endpoint-type", "Interface")];
    let has_endpoints = !driver.api.describe_vpc_endpoints(&interfaces).await?.is_empty();
    Ok(judge(subnets.len(), &lacking, has_endpoints, is_private))
}

/// What the subnet lacks, by the route table that is its own, else its network's main one. `None`: nothing, or nobody
/// knows.
///
/// Source: <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html>
fn lack(subnet: &Subnet, tables: &[RouteTable]) -> Option<Lack> {
    let own = tables.iter().find(|table| {
        table.association_set.entries.iter().any(|association| association.subnet_id == subnet.subnet_id)
    });
    let main = || {
        tables.iter().find(|table| {
            table.vpc_id == subnet.vpc_id
                && table.association_set.entries.iter().any(|association| association.main)
        })
    };
    let table = own.or_else(main)?;
    let mut ways = table.route_set.entries.iter().filter(|route| leads_out(route)).peekable();
    if ways.peek().is_none() {
        return Some(Lack::Route);
    }
    // EKS refuses with `Ec2SubnetInvalidConfiguration` what has no address for an internet gateway's way.
    let has_address = subnet.map_public_ip_on_launch || subnet.assign_ipv6_address_on_creation;
    (!has_address && ways.all(|route| route.gateway_id.starts_with("igw-"))).then_some(Lack::Address)
}

/// Whether a route leads to everywhere, or to one half of it, as some write it; to a prefix list that is no service's
/// of AWS it may.
fn leads_out(route: &Route) -> bool {
    let everywhere = [&route.destination_cidr_block, &route.destination_ipv6_cidr_block]
        .iter()
        .any(|destination| destination.ends_with("/0") || destination.ends_with("/1"));
    let listed = !route.destination_prefix_list_id.is_empty() && !route.gateway_id.starts_with("vpce-");
    route.state != "blackhole" && (everywhere || listed)
}

fn judge(subnets: usize, lacking: &[(&Subnet, Lack)], has_endpoints: bool, is_private: bool) -> Ways {
    let (by_endpoints, stuck): (Vec<_>, Vec<_>) =
        lacking.iter().partition(|(_, lack)| has_endpoints && *lack == Lack::Route);
    let mut ways = Ways::default();
    if !by_endpoints.is_empty() && !is_private {
        ways.notices.push(format!(
            "nodes join from {} only if the cluster's endpoint has private access, which EKS gives none by itself: aws \
             eks update-cluster-config --resources-vpc-config endpointPrivateAccess=true",
            named(&by_endpoints)
        ));
    }
    if stuck.is_empty() {
        return ways;
    }
    if stuck.len() == subnets {
        ways.refusal = Some(format!("nodes would join the cluster from none of {}", named(&stuck)));
    } else {
        ways.notices.push(format!("no nodes are put where they would not join: in {}", named(&stuck)));
        ways.left_out = stuck.iter().map(|(subnet, _)| subnet.subnet_id.clone()).collect();
    }
    ways
}

fn named(lacking: &[(&Subnet, Lack)]) -> String {
    let says = |(subnet, lack): &(&Subnet, Lack)| {
        let what = match lack {
            Lack::Route => "no default route",
            Lack::Address => "an internet gateway, and no public addresses",
        };
        format!("{} ({what})", subnet.subnet_id)
    };
    lacking.iter().map(says).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "way_out_tests.rs"]
mod tests;
