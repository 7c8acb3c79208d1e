//! The rules of security groups: put, taken back, listed one by one.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html>.

use super::describe::{Described, Kept, describe};
use super::state::{GroupRule, Peer, SecurityGroup, State};
use super::{tags, vpcs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{Place, Tags};
use crate::xml::Xml;

/// The default quota of rules in one direction.
const MOST_RULES: usize = 60;

/// Filters of groups that look at their inbound rules.
pub(super) const PERMISSION_FILTERS: [&str; 3] =
    ["ip-permission.cidr", "ip-permission.group-id", "ip-permission.protocol"];

/// What a filter of [`PERMISSION_FILTERS`] compares.
pub(super) fn permission_values(group: &SecurityGroup, filter: &str) -> Vec<String> {
    let inbound = group.rules.iter().filter(|rule| !rule.egress);
    inbound
        .filter_map(|rule| match (filter, &rule.peer) {
            ("ip-permission.cidr", Peer::Ipv4(cidr)) => Some(cidr.clone()),
            ("ip-permission.group-id", Peer::Group(id)) => Some(id.clone()),
            ("ip-permission.protocol", _) => Some(rule.protocol.clone()),
            _ => None,
        })
        .collect()
}

/// The rules of one direction as `DescribeSecurityGroups` writes them: peers of the same ports together.
pub(super) fn permissions(group: &SecurityGroup, egress: bool, place: &Place) -> Vec<Xml> {
    let mut ports: Vec<&GroupRule> = Vec::new();
    let rules = || group.rules.iter().filter(|rule| rule.egress == egress);
    for rule in rules() {
        if !ports.iter().any(|other| same_ports(other, rule)) {
            ports.push(rule);
        }
    }
    let written = |first: &GroupRule| {
        let (mut v4, mut v6, mut groups, mut lists) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for rule in rules().filter(|rule| same_ports(rule, first)) {
            let described = Xml::new().maybe("description", rule.description.as_ref());
            match &rule.peer {
                Peer::Ipv4(cidr) => v4.push(Xml::new().text("cidrIp", cidr).and(&described)),
                Peer::Ipv6(cidr) => v6.push(Xml::new().text("cidrIpv6", cidr).and(&described)),
                Peer::Group(id) => {
                    groups
                        .push(Xml::new().text("userId", &place.account).text("groupId", id).and(&described));
                }
                Peer::PrefixList(id) => lists.push(Xml::new().text("prefixListId", id).and(&described)),
            }
        }
        Xml::new()
            .text("ipProtocol", &first.protocol)
            .maybe("fromPort", first.from_port)
            .maybe("toPort", first.to_port)
            .list("groups", "item", groups)
            .list("ipRanges", "item", v4)
            .list("ipv6Ranges", "item", v6)
            .list("prefixListIds", "item", lists)
    };
    ports.into_iter().map(written).collect()
}

fn same_ports(one: &GroupRule, other: &GroupRule) -> bool {
    one.protocol == other.protocol && one.from_port == other.from_port && one.to_port == other.to_port
}

/// `AuthorizeSecurityGroupIngress` and `…Egress`: all rules or none.
pub(super) fn authorize(context: &mut Context<'_>, query: &Query, egress: bool) -> Result<Xml> {
    let id = group_id(context, query)?;
    let given_tags = tags::at_creation(query, "security-group-rule")?;
    let mut new = read(query, egress)?;
    if new.is_empty() {
        return Err(Error::missing("ipPermissions"));
    }
    for rule in &mut new {
        rule.id = context.world.new_id("sgr");
        rule.tags.clone_from(&given_tags);
    }
    let quota = context.effects.quota();
    let ec2 = &mut context.region_mut().ec2;
    for rule in &new {
        if let Peer::Group(peer) = &rule.peer
            && !ec2.security_groups.contains_key(peer)
        {
            return Err(SecurityGroup::not_found(peer));
        }
    }
    let group = ec2.security_groups.get_mut(&id).ok_or_else(|| SecurityGroup::not_found(&id))?;
    for (at, rule) in new.iter().enumerate() {
        if group.rules.iter().chain(new.iter().take(at)).any(|other| other.same(rule)) {
            return Err(Error::bad("InvalidPermission.Duplicate", duplicate(rule)));
        }
    }
    if quota || group.rules.iter().filter(|rule| rule.egress == egress).count() + new.len() > MOST_RULES {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(Error::bad("RulesPerSecurityGroupLimitExceeded", message));
    }
    group.rules.extend(new.clone());
    let place = &context.place;
    let written = new.iter().map(|rule| written(rule, &id, place));
    Ok(Xml::new().text("return", true).list("securityGroupRuleSet", "item", written))
}

fn duplicate(rule: &GroupRule) -> String {
    let peer = match &rule.peer {
        Peer::Ipv4(peer) | Peer::Ipv6(peer) | Peer::Group(peer) | Peer::PrefixList(peer) => peer,
    };
    let what = match (rule.protocol.as_str(), rule.from_port, rule.to_port) {
        ("-1", ..) => "ALL".to_owned(),
        (protocol, Some(from), Some(to)) => {
            format!("{}, from port: {from}, to port: {to}", protocol.to_uppercase())
        }
        (protocol, ..) => protocol.to_uppercase(),
    };
    format!("the specified rule \"peer: {peer}, {what}, ALLOW\" already exists")
}

/// `RevokeSecurityGroupIngress` and `…Egress`, by rule id or by what the rule says.
pub(super) fn revoke(context: &mut Context<'_>, query: &Query, egress: bool) -> Result<Xml> {
    let id = group_id(context, query)?;
    let rule_ids = query.list("SecurityGroupRuleId");
    let wanted = read(query, egress)?;
    let groups = &mut context.region_mut().ec2.security_groups;
    let group = groups.get_mut(&id).ok_or_else(|| SecurityGroup::not_found(&id))?;
    let has_id =
        |rule_id: &String| group.rules.iter().any(|rule| rule.egress == egress && rule.id == *rule_id);
    if let Some(absent) = rule_ids.iter().find(|rule_id| !has_id(rule_id)) {
        let message = format!("The security group rule ID '{absent}' does not exist");
        return Err(Error::bad("InvalidSecurityGroupRuleId.NotFound", message));
    }
    if wanted.iter().any(|rule| !group.rules.iter().any(|held| held.same(rule))) {
        let message = "The specified rule does not exist in this security group.";
        return Err(Error::bad("InvalidPermission.NotFound", message));
    }
    group.rules.retain(|rule| !(rule_ids.contains(&rule.id) || wanted.iter().any(|gone| gone.same(rule))));
    Ok(Xml::new().text("return", true))
}

fn group_id(context: &Context<'_>, query: &Query) -> Result<String> {
    let id = query.required("GroupId")?;
    let held = context.region().ec2.security_groups.get(id);
    held.map(|group| group.id.clone()).ok_or_else(|| SecurityGroup::not_found(id))
}

/// The rules that a request names, one for each peer.
fn read(query: &Query, egress: bool) -> Result<Vec<GroupRule>> {
    let mut rules = Vec::new();
    for permission in query.structures("IpPermissions") {
        let (protocol, from_port, to_port) = ports(&permission)?;
        let rule = |peer, structure: &Query| GroupRule {
            id: String::new(),
            egress,
            protocol: protocol.clone(),
            from_port,
            to_port,
            peer,
            description: structure.get("Description").map(str::to_owned),
            tags: Tags::new(),
        };
        let before = rules.len();
        for range in permission.structures("IpRanges") {
            let cidr = vpcs::cidr(range.required("CidrIp")?, "cidrIp")?;
            rules.push(rule(Peer::Ipv4(cidr.to_string()), &range));
        }
        for range in permission.structures("Ipv6Ranges") {
            rules.push(rule(Peer::Ipv6(ipv6(range.required("CidrIpv6")?)?), &range));
        }
        for group in permission.structures("Groups") {
            rules.push(rule(Peer::Group(group.required("GroupId")?.to_owned()), &group));
        }
        for list in permission.structures("PrefixListIds") {
            rules.push(rule(Peer::PrefixList(list.required("PrefixListId")?.to_owned()), &list));
        }
        if rules.len() == before {
            let message = "Invalid value 'null' for portRange or peer. At least one peer must be specified.";
            return Err(Error::bad("InvalidParameterValue", message));
        }
    }
    if let Some(cidr) = query.get("CidrIp") {
        let (protocol, from_port, to_port) = ports(query)?;
        let peer = Peer::Ipv4(vpcs::cidr(cidr, "cidrIp")?.to_string());
        let (id, tags) = (String::new(), Tags::new());
        rules.push(GroupRule { id, egress, protocol, from_port, to_port, peer, description: None, tags });
    }
    Ok(rules)
}

/// A block of IPv6 in the form of text that EC2 keeps.
fn ipv6(text: &str) -> Result<String> {
    let read = text.split_once('/').and_then(|(address, bits)| {
        let address: std::net::Ipv6Addr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 128)?;
        Some(format!("{address}/{bits}"))
    });
    read.ok_or_else(|| Error::invalid("cidrIpv6", text))
}

fn ports(query: &Query) -> Result<(String, Option<i32>, Option<i32>)> {
    let protocol = match query.required("IpProtocol")?.to_lowercase().as_str() {
        "-1" | "all" => "-1".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        named @ ("tcp" | "udp" | "icmp" | "icmpv6") => named.to_owned(),
        number if number.parse::<u8>().is_ok() => number.to_owned(),
        other => {
            return Err(Error::bad(
                "InvalidParameterValue",
                format!("Invalid value '{other}' for IP protocol."),
            ));
        }
    };
    let (from, to): (Option<i32>, Option<i32>) = (query.number("FromPort")?, query.number("ToPort")?);
    match protocol.as_str() {
        "tcp" | "udp" => {
            let (Some(from), Some(to)) = (from, to) else {
                let message =
                    "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
                return Err(Error::bad("InvalidParameterValue", message));
            };
            if !(0..=65_535).contains(&from) || !(0..=65_535).contains(&to) {
                let message =
                    format!("Invalid value '{from}-{to}' for portRange. Must be between 0 and 65535.");
                return Err(Error::bad("InvalidParameterValue", message));
            }
            if from > to {
                let message =
                    "Invalid TCP/UDP port range. The from port must not be greater than the to port.";
                return Err(Error::bad("InvalidParameterValue", message));
            }
            Ok((protocol, Some(from), Some(to)))
        }
        "icmp" | "icmpv6" => Ok((protocol, Some(from.unwrap_or(-1)), Some(to.unwrap_or(-1)))),
        // EC2 drops ports of all other protocols.
        _ => Ok((protocol, None, None)),
    }
}

/// One rule with the group that it belongs to, as `DescribeSecurityGroupRules` lists it.
struct Listed<'a> {
    rule: &'a GroupRule,
    group: &'a str,
}

impl Kept for Listed<'_> {
    fn id(&self) -> &str {
        &self.rule.id
    }

    fn tags(&self) -> &Tags {
        &self.rule.tags
    }
}

impl Described for Listed<'_> {
    const SET: &'static str = "securityGroupRuleSet";
    const IDS: &'static str = "SecurityGroupRuleId";
    const FILTERS: &'static [&'static str] = &["group-id", "security-group-rule-id"];

    fn not_found(id: &str) -> Error {
        let message = format!("The security group rule ID '{id}' does not exist");
        Error::bad("InvalidSecurityGroupRuleId.NotFound", message)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![if filter == "group-id" { self.group.to_owned() } else { self.rule.id.clone() }]
    }

    fn written(&self, _: &State, place: &Place) -> Xml {
        written(self.rule, self.group, place)
    }
}

/// `DescribeSecurityGroupRules`
pub(super) fn describe_rules(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let groups = context.region().ec2.security_groups.values();
    let listed = groups.flat_map(|group| group.rules.iter().map(|rule| Listed { rule, group: &group.id }));
    let listed: Vec<Listed<'_>> = listed.collect();
    describe(context, query, listed.iter())
}

fn written(rule: &GroupRule, group: &str, place: &Place) -> Xml {
    let peer = match &rule.peer {
        Peer::Ipv4(cidr) => Xml::new().text("cidrIpv4", cidr),
        Peer::Ipv6(cidr) => Xml::new().text("cidrIpv6", cidr),
        Peer::PrefixList(id) => Xml::new().text("prefixListId", id),
        Peer::Group(id) => {
            let referenced = Xml::new().text("groupId", id).text("userId", &place.account);
            Xml::new().child("referencedGroupInfo", &referenced)
        }
    };
    Xml::new()
        .text("securityGroupRuleId", &rule.id)
        .text("groupId", group)
        .text("groupOwnerId", &place.account)
        .text("isEgress", rule.egress)
        .text("ipProtocol", &rule.protocol)
        .text("fromPort", rule.from_port.unwrap_or(-1))
        .text("toPort", rule.to_port.unwrap_or(-1))
        .and(&peer)
        .maybe("description", rule.description.as_ref())
        .and(&tags::written(&rule.tags))
}
