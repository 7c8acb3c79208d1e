//! Reads of networks, subnets, security groups and key pairs, and what EC2's words for them mean in ours.
//! Never writes.

use pmks_driver::{DriverError, ErrorKind, Marks, Result};
use pmks_model::{
    Cidr, Direction, Iid, KeyPair, KeyValueList, Network, Protocol, ResourceKind, Rule, SecurityGroup,
    Subnet, Tags,
};

use crate::api::Api;
use crate::api::ec2::filter;
use crate::query::{List, Tag};
use crate::wire::ec2 as wire;
use crate::{AwsDriver, PROVIDER};

/// The tag that AWS' console shows as a resource's name.
pub(crate) const NAME_TAG: &str = "Name";
/// EC2's word for every protocol.
pub(crate) const EVERY_PROTOCOL: &str = "-1";

/// The networks of the region with their subnets, ordered by name. Two calls, pages apart.
pub(crate) async fn list(driver: &AwsDriver) -> Result<Vec<Network>> {
    let (vpcs, subnets) =
        futures::try_join!(driver.api.describe_vpcs(&[]), driver.api.describe_subnets(&[]))?;
    let mut networks: Vec<Network> = vpcs.iter().map(|vpc| network(vpc, &subnets)).collect();
    networks.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(networks)
}

/// One network with its subnets. Two calls.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get(driver: &AwsDriver, id: &str) -> Result<Network> {
    let filters = [filter("vpc-id", id)];
    let (vpcs, subnets) =
        futures::try_join!(driver.api.describe_vpcs(&filters), driver.api.describe_subnets(&filters))?;
    let vpc = vpcs.iter().find(|vpc| vpc.vpc_id == id);
    let vpc = vpc.ok_or_else(|| not_found("ec2.DescribeVpcs", "VPC", id))?;
    Ok(network(vpc, &subnets))
}

/// One subnet. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get_subnet(driver: &AwsDriver, id: &str) -> Result<Subnet> {
    let subnets = driver.api.describe_subnets(&[filter("subnet-id", id)]).await?;
    let found = subnets.iter().find(|subnet| subnet.subnet_id == id);
    found.map(subnet).ok_or_else(|| not_found("ec2.DescribeSubnets", "subnet", id))
}

/// The security groups of the region, ordered by name. One call, pages apart.
pub(crate) async fn list_security_groups(driver: &AwsDriver) -> Result<Vec<SecurityGroup>> {
    let found = driver.api.describe_security_groups(&[]).await?;
    let mut groups: Vec<SecurityGroup> = found.iter().map(security_group).collect();
    groups.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(groups)
}

/// The key pairs of the region, ordered by name. One call: EC2 has no pages of them.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html>
pub(crate) async fn list_key_pairs(driver: &AwsDriver) -> Result<Vec<KeyPair>> {
    let found = driver.api.describe_key_pairs(&[]).await?;
    let mut pairs: Vec<KeyPair> = found.iter().map(key_pair).collect();
    pairs.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(pairs)
}

/// One security group. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get_security_group(driver: &AwsDriver, id: &str) -> Result<SecurityGroup> {
    let groups = driver.api.describe_security_groups(&[filter("group-id", id)]).await?;
    let found = groups.iter().find(|group| group.group_id == id);
    found.map(security_group).ok_or_else(|| no_security_group(id))
}

/// The error of a security group that is not there.
pub(crate) fn no_security_group(id: &str) -> DriverError {
    not_found("ec2.DescribeSecurityGroups", "security group", id)
}

/// One key pair, by its name or by EC2's `key-…`. One call by name, two by the other.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get_key_pair(driver: &AwsDriver, id: &str) -> Result<KeyPair> {
    find_key_pair(&driver.api, id)
        .await?
        .map(|found| key_pair(&found))
        .ok_or_else(|| not_found("ec2.DescribeKeyPairs", "key pair", id))
}

/// The key pair of that name, else of that `key-…`.
pub(crate) async fn find_key_pair(api: &Api, id: &str) -> Result<Option<wire::KeyPair>> {
    let named = api.describe_key_pairs(&[filter("key-name", id)]).await?;
    if named.is_empty() && id.starts_with("key-") {
        let identified = api.describe_key_pairs(&[filter("key-pair-id", id)]).await?;
        return Ok(identified.into_iter().next());
    }
    Ok(named.into_iter().next())
}

/// The error of what is not there, whatever it is.
pub(crate) fn missing(kind: ResourceKind, id: &str) -> DriverError {
    match kind {
        ResourceKind::Subnet => not_found("ec2.DescribeSubnets", "subnet", id),
        ResourceKind::SecurityGroup => no_security_group(id),
        ResourceKind::KeyPair => not_found("ec2.DescribeKeyPairs", "key pair", id),
        _ => not_found("ec2.DescribeVpcs", "VPC", id),
    }
}

fn not_found(action: &'static str, what: &str, id: &str) -> DriverError {
    let message = format!("there is no {what} {id:?} in this account and region");
    DriverError::new(ErrorKind::NotFound, PROVIDER, message).with_action(action)
}

/// What the resource is called at the cloud: its `Name` tag, else its identifier.
fn named(tags: &Tags, id: &str) -> Iid {
    match tags.get(NAME_TAG) {
        Some(name) if !name.is_empty() => Iid::new(name, id),
        _ => Iid::unnamed(id),
    }
}

/// The tags that a resource of ours gets at its creation: the user's, our marks, and the name for people, unless the user
/// gives that themselves. It is by the marks that what is ours is found.
pub(crate) fn tags_of(name: &str, user: &Tags, marks: &Marks) -> Tags {
    let mut tags = marks.onto(user);
    tags.entry(NAME_TAG.to_owned()).or_insert_with(|| name.to_owned());
    tags
}

fn network(vpc: &wire::Vpc, subnets: &[wire::Subnet]) -> Network {
    let tags = vpc.tag_set.to_tags();
    let mut facts = KeyValueList::default();
    facts.add("IsDefault", vpc.is_default.to_string());
    facts.add("OwnerId", &vpc.owner_id);
    facts.add("DhcpOptionsId", &vpc.dhcp_options_id);
    for block in vpc.cidr_block_association_set.entries.iter().skip(1) {
        facts.add("CidrBlock", &block.cidr_block);
    }
    let mut own: Vec<Subnet> =
        subnets.iter().filter(|subnet| subnet.vpc_id == vpc.vpc_id).map(subnet).collect();
    own.sort_by(|a, b| a.iid.cmp(&b.iid));
    Network {
        iid: named(&tags, &vpc.vpc_id),
        incarnation: String::new(),
        region: String::new(),
        cidr: vpc.cidr_block.clone(),
        subnets: own,
        state: vpc.state.clone(),
        tags,
        key_value_list: facts,
    }
}

fn subnet(found: &wire::Subnet) -> Subnet {
    let tags = found.tag_set.to_tags();
    let mut facts = KeyValueList::default();
    facts.add("State", &found.state);
    facts.add("AvailabilityZoneId", &found.availability_zone_id);
    facts.add("AvailableIpAddressCount", found.available_ip_address_count.to_string());
    facts.add("MapPublicIpOnLaunch", found.map_public_ip_on_launch.to_string());
    facts.add("DefaultForAz", found.default_for_az.to_string());
    Subnet {
        iid: named(&tags, &found.subnet_id),
        incarnation: String::new(),
        network: found.vpc_id.clone(),
        cidr: found.cidr_block.clone(),
        zone: found.availability_zone.clone(),
        tags,
        key_value_list: facts,
    }
}

fn key_pair(found: &wire::KeyPair) -> KeyPair {
    let mut facts = KeyValueList::default();
    facts.add("KeyPairId", &found.key_pair_id);
    facts.add("KeyType", &found.key_type);
    facts.add_some("CreateTime", found.create_time.as_deref());
    KeyPair {
        // EKS and EC2 take key pairs by name, which is unique in the region; `key-…` stands among the facts.
        iid: Iid::new(&found.key_name, &found.key_name),
        incarnation: found.key_pair_id.clone(),
        fingerprint: found.key_fingerprint.clone(),
        tags: found.tag_set.to_tags(),
        key_value_list: facts,
    }
}

fn security_group(found: &wire::SecurityGroup) -> SecurityGroup {
    let mut facts = KeyValueList::default();
    facts.add("Description", &found.group_description);
    let mut rules = Vec::new();
    let both =
        [(Direction::Inbound, &found.ip_permissions), (Direction::Outbound, &found.ip_permissions_egress)];
    for (direction, permissions) in both {
        for permission in &permissions.entries {
            read_permission(direction, permission, &mut rules, &mut facts);
        }
    }
    SecurityGroup {
        iid: Iid::new(&found.group_name, &found.group_id),
        incarnation: String::new(),
        network: found.vpc_id.clone(),
        rules,
        tags: found.tag_set.to_tags(),
        key_value_list: facts,
    }
}

/// Adds the rules that our words can say, and the others as facts: of other groups, prefix lists, IPv6, one type of
/// ICMP, protocols by number.
fn read_permission(
    direction: Direction,
    permission: &wire::IpPermission,
    rules: &mut Vec<Rule>,
    facts: &mut KeyValueList,
) {
    let shape = our_shape(permission);
    for range in &permission.ip_ranges.entries {
        match (shape, range.cidr_ip.parse::<Cidr>()) {
            (Some((protocol, from_port, to_port)), Ok(cidr)) => {
                rules.push(Rule { direction, protocol, from_port, to_port, cidr });
            }
            _ => facts.add("OtherRule", other_rule(direction, permission, &range.cidr_ip)),
        }
    }
    let others = permission.ipv6_ranges.entries.iter().map(|range| &range.cidr_ipv6);
    let others = others.chain(permission.groups.entries.iter().map(|pair| &pair.group_id));
    for side in others.chain(permission.prefix_list_ids.entries.iter().map(|list| &list.prefix_list_id)) {
        facts.add("OtherRule", other_rule(direction, permission, side));
    }
}

fn our_shape(permission: &wire::IpPermission) -> Option<(Protocol, Option<u16>, Option<u16>)> {
    let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
    let (from, to) = (permission.from_port, permission.to_port);
    match permission.ip_protocol.as_str() {
        "tcp" | "6" => Some((Protocol::Tcp, Some(port(from)?), Some(port(to)?))),
        "udp" | "17" => Some((Protocol::Udp, Some(port(from)?), Some(port(to)?))),
        "icmp" | "1" if from.unwrap_or(-1) == -1 => Some((Protocol::Icmp, None, None)),
        EVERY_PROTOCOL => Some((Protocol::All, None, None)),
        _ => None,
    }
}

fn other_rule(direction: Direction, permission: &wire::IpPermission, side: &str) -> String {
    let way = match direction {
        Direction::Inbound => "inbound from",
        Direction::Outbound => "outbound to",
    };
    let port = |port: Option<i32>| port.map_or_else(|| "any".to_owned(), |port| port.to_string());
    let (from, to) = (port(permission.from_port), port(permission.to_port));
    format!("{way} {side}, protocol {}, ports {from} to {to}", permission.ip_protocol)
}

/// Our rule as EC2 takes it. ICMP of every type is written -1, and every protocol has no ports.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>
pub(crate) fn permission(rule: &Rule) -> wire::IpPermission {
    let (protocol, from, to) = match rule.protocol {
        Protocol::Tcp => {
            ("tcp", rule.from_port.map(i32::from), rule.to_port.or(rule.from_port).map(i32::from))
        }
        Protocol::Udp => {
            ("udp", rule.from_port.map(i32::from), rule.to_port.or(rule.from_port).map(i32::from))
        }
        Protocol::Icmp => ("icmp", Some(-1), Some(-1)),
        Protocol::All => (EVERY_PROTOCOL, None, None),
    };
    wire::IpPermission {
        ip_protocol: protocol.to_owned(),
        from_port: from,
        to_port: to,
        ip_ranges: List { entries: vec![wire::IpRange { cidr_ip: rule.cidr.to_string() }] },
        ..wire::IpPermission::default()
    }
}

/// The rules of a group in one direction.
pub(crate) fn standing_rules(group: &wire::SecurityGroup, direction: Direction) -> Vec<Rule> {
    let (mut rules, mut facts) = (Vec::new(), KeyValueList::default());
    let permissions = match direction {
        Direction::Inbound => &group.ip_permissions,
        Direction::Outbound => &group.ip_permissions_egress,
    };
    for permission in &permissions.entries {
        read_permission(direction, permission, &mut rules, &mut facts);
    }
    rules
}

/// Whether a resource carries these marks.
pub(crate) fn is_ours(tags: &List<Tag>, marks: &Marks) -> bool {
    marks.are_on(&tags.to_tags())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{QueryService, read};

    fn rule(direction: Direction, protocol: Protocol, ports: Option<(u16, u16)>, cidr: &str) -> Rule {
        let (from_port, to_port) = (ports.map(|ports| ports.0), ports.map(|ports| ports.1));
        Rule { direction, protocol, from_port, to_port, cidr: cidr.parse().unwrap() }
    }

    const GROUPS: &str = r#"<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><securityGroupInfo><item>
      <ownerId>1</ownerId><groupId>sg-1</groupId><groupName>web</groupName><groupDescription>d</groupDescription><vpcId>vpc-1</vpcId>
      <ipPermissions>
        <item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/><ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item><item><cidrIp>0.0.0.0/0</cidrIp><description>x</description></item></ipRanges><ipv6Ranges/><prefixListIds/></item>
        <item><ipProtocol>icmp</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>
        <item><ipProtocol>-1</ipProtocol><groups><item><userId>1</userId><groupId>sg-1</groupId></item></groups><ipRanges/></item>
      </ipPermissions>
      <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissionsEgress>
      <tagSet><item><key>Name</key><value>web</value></item><item><key>empty</key><value/></item></tagSet>
    </item></securityGroupInfo></DescribeSecurityGroupsResponse>"#;

    #[test]
    fn a_group_is_read_rule_by_rule_and_what_we_cannot_say_is_a_fact() {
        let answer: wire::DescribeSecurityGroups = read(QueryService::Ec2, GROUPS).unwrap();
        let group = security_group(&answer.security_group_info.entries[0]);
        assert_eq!(group.iid, Iid::new("web", "sg-1"));
        assert_eq!(group.tags.get("empty").map(String::as_str), Some(""));
        assert_eq!(
            group.rules,
            [
                rule(Direction::Inbound, Protocol::Tcp, Some((22, 22)), "10.0.0.0/8"),
                rule(Direction::Inbound, Protocol::Tcp, Some((22, 22)), "0.0.0.0/0"),
                rule(Direction::Inbound, Protocol::Icmp, None, "0.0.0.0/0"),
                rule(Direction::Outbound, Protocol::All, None, "0.0.0.0/0"),
            ]
        );
        assert_eq!(
            group.key_value_list.get("OtherRule"),
            Some("inbound from sg-1, protocol -1, ports any to any")
        );
    }

    #[test]
    fn rules_come_back_as_they_were_sent() {
        for sent in [
            Rule { to_port: None, ..rule(Direction::Inbound, Protocol::Tcp, Some((443, 443)), "10.0.0.0/8") },
            rule(Direction::Inbound, Protocol::Udp, Some((1, 65_535)), "10.0.0.0/8"),
            rule(Direction::Inbound, Protocol::Icmp, None, "10.0.0.0/8"),
            rule(Direction::Inbound, Protocol::All, None, "10.0.0.0/8"),
        ] {
            let group = wire::SecurityGroup {
                ip_permissions: List { entries: vec![permission(&sent)] },
                ..wire::SecurityGroup::default()
            };
            assert_eq!(standing_rules(&group, Direction::Inbound), [sent.normal()]);
        }
    }

    #[test]
    fn networks_hold_their_own_subnets_under_their_names() {
        let vpcs = r"<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId><state>available</state><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet><item><cidrBlock>10.0.0.0/16</cidrBlock></item><item><cidrBlock>10.1.0.0/16</cidrBlock></item></cidrBlockAssociationSet><isDefault>false</isDefault></item></vpcSet></DescribeVpcsResponse>";
        let subnets = r"<DescribeSubnetsResponse><subnetSet>
          <item><subnetId>subnet-2</subnetId><vpcId>vpc-1</vpcId><cidrBlock>10.0.2.0/24</cidrBlock><availabilityZone>a</availabilityZone><tagSet><item><key>Name</key><value>b</value></item></tagSet></item>
          <item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><cidrBlock>10.0.1.0/24</cidrBlock><tagSet><item><key>Name</key><value>a</value></item></tagSet></item>
          <item><subnetId>subnet-3</subnetId><vpcId>vpc-2</vpcId></item>
        </subnetSet></DescribeSubnetsResponse>";
        let vpcs: wire::DescribeVpcs = read(QueryService::Ec2, vpcs).unwrap();
        let subnets: wire::DescribeSubnets = read(QueryService::Ec2, subnets).unwrap();
        let network = network(&vpcs.vpc_set.entries[0], &subnets.subnet_set.entries);
        assert_eq!(network.iid, Iid::unnamed("vpc-1"));
        assert_eq!(network.key_value_list.get("CidrBlock"), Some("10.1.0.0/16"));
        let names: Vec<&str> = network.subnets.iter().map(|subnet| subnet.iid.name_id.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
