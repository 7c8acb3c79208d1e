//! The rules of network security groups: what Azure's words for them mean in ours, and ours as Azure takes them.
//!
//! Azure lets everything out of itself that no rule denies. So a group that is not to let everything out has a denial after
//! all its rules; it is a part of the group and none of its rules. Never writes.
//!
//! Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules>

use pmks_model::{Cidr, Direction, KeyValueList, Protocol, Rule};

use crate::wire::network as wire;

/// The priority of a group's first rule, and how far apart rules lie: others fit between.
///
/// Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules>, 100 to 4096
pub(crate) const FIRST_PRIORITY: u32 = 100;
pub(crate) const PRIORITY_STEP: u32 = 10;
/// The last one of a rule that lets something through.
pub(crate) const LAST_PRIORITY: u32 = 4095;
/// The last one that there is: after every rule, before Azure's own.
const DENIAL_PRIORITY: u32 = 4096;
/// The name of the rule that denies what no other lets out.
const DENIAL: &str = "deny-other-outbound";
/// The most rules of one direction that fit so.
pub(crate) const MOST_RULES: usize = 399;

/// The rules of a group that our words can say. The others are facts: denials, service tags, application groups. That
/// everything may leave is among the rules exactly if it is so.
pub(crate) fn read(found: &[wire::SecurityRule], facts: &mut KeyValueList) -> Vec<Rule> {
    let open = everything_leaves(found);
    let mut rules = Vec::new();
    for rule in found.iter().filter(|rule| !is_denial(rule)) {
        match our_rules(&rule.properties) {
            Some(read) if open || !Rule::let_everything_out(&read) => rules.extend(read),
            // A denial comes before it.
            Some(read) => {
                rules.extend(read.into_iter().filter(|rule| rule.normal() != Rule::EVERYTHING_OUT));
                facts.add("OtherRule", other_rule(rule));
            }
            None => facts.add("OtherRule", other_rule(rule)),
        }
    }
    if open && !Rule::let_everything_out(&rules) {
        rules.push(Rule::EVERYTHING_OUT);
    }
    rules
}

/// Whether everything may leave: Azure says so itself where no rule denies anything, or none before one that lets everything
/// out. The rule with the lowest priority comes first.
pub(crate) fn everything_leaves(rules: &[wire::SecurityRule]) -> bool {
    first_denial(rules).is_none()
}

/// The denial by which not everything may leave.
pub(crate) fn first_denial(rules: &[wire::SecurityRule]) -> Option<&wire::SecurityRule> {
    let says_all = |rule: &&wire::SecurityRule| {
        Rule::let_everything_out(&our_rules(&rule.properties).unwrap_or_default())
    };
    let open_from = rules.iter().filter(says_all).map(|rule| rule.properties.priority).min();
    let denies = |rule: &&wire::SecurityRule| {
        let properties = &rule.properties;
        properties.direction.eq_ignore_ascii_case("outbound")
            && properties.access.eq_ignore_ascii_case("deny")
            && open_from.is_none_or(|open| properties.priority < open)
    };
    rules.iter().filter(denies).min_by_key(|rule| rule.properties.priority)
}

/// Whether it denies everything that no rule before it lets out, whoever made it.
pub(crate) fn denies_everything(rule: &wire::SecurityRule) -> bool {
    let properties = &rule.properties;
    let allowed = wire::RuleProperties { access: "Allow".to_owned(), ..properties.clone() };
    properties.access.eq_ignore_ascii_case("deny")
        && Rule::let_everything_out(&our_rules(&allowed).unwrap_or_default())
}

/// Whether it is the denial that we give to groups.
pub(crate) fn is_denial(rule: &wire::SecurityRule) -> bool {
    rule.name.eq_ignore_ascii_case(DENIAL) && denies_everything(rule)
}

/// The rule that denies what no other lets out, at the last place that is free.
pub(crate) fn denial(others: &[wire::SecurityRule]) -> Option<wire::SecurityRule> {
    let is_free = |priority: &u32| {
        others.iter().all(|rule| {
            rule.properties.priority != *priority
                || !rule.properties.direction.eq_ignore_ascii_case("outbound")
        })
    };
    let priority = (FIRST_PRIORITY..=DENIAL_PRIORITY).rev().find(is_free)?;
    let mut denial = azure_rule(&Rule::EVERYTHING_OUT, priority);
    DENIAL.clone_into(&mut denial.name);
    "Deny".clone_into(&mut denial.properties.access);
    denial.properties.destination_address_prefix = Some("*".to_owned());
    Some(denial)
}

/// A rule of Azure's in our words, each block of addresses with each range of ports; `None`: they cannot say it.
pub(crate) fn our_rules(properties: &wire::RuleProperties) -> Option<Vec<Rule>> {
    if !properties.access.eq_ignore_ascii_case("Allow") {
        return None;
    }
    let direction = match properties.direction.to_ascii_lowercase().as_str() {
        "inbound" => Direction::Inbound,
        "outbound" => Direction::Outbound,
        _ => return None,
    };
    let protocol = match properties.protocol.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "icmp" => Protocol::Icmp,
        "*" => Protocol::All,
        _ => return None,
    };
    let (near, far) = match direction {
        Direction::Inbound => (
            (&properties.destination_address_prefix, &properties.destination_address_prefixes),
            (&properties.source_address_prefix, &properties.source_address_prefixes),
        ),
        Direction::Outbound => (
            (&properties.source_address_prefix, &properties.source_address_prefixes),
            (&properties.destination_address_prefix, &properties.destination_address_prefixes),
        ),
    };
    let any_source_port = properties.source_port_range.as_deref().is_none_or(|port| port == "*");
    if !any_source_port || all_of(near.0.as_deref(), near.1) != ["*"] {
        return None;
    }
    let cidrs = all_of(far.0.as_deref(), far.1).into_iter().map(cidr).collect::<Option<Vec<_>>>()?;
    let ports = all_of(properties.destination_port_range.as_deref(), &properties.destination_port_ranges);
    let ports = ports.into_iter().map(|text| port_range(protocol, text)).collect::<Option<Vec<Ports>>>()?;
    let pairs = cidrs.iter().flat_map(|cidr| ports.iter().map(move |ports| (*cidr, *ports)));
    Some(
        pairs
            .map(|(cidr, ports)| Rule {
                direction,
                protocol,
                from_port: ports.range().map(|(from, _)| from),
                to_port: ports.range().map(|(_, to)| to),
                cidr,
            })
            .collect(),
    )
}

/// Azure writes one value in a field of its own, several in a list.
fn all_of<'a>(one: Option<&'a str>, several: &'a [String]) -> Vec<&'a str> {
    one.into_iter().chain(several.iter().map(String::as_str)).filter(|text| !text.is_empty()).collect()
}

fn cidr(text: &str) -> Option<Cidr> {
    if text == "*" {
        return Some(Cidr::ALL);
    }
    text.parse().or_else(|_| format!("{text}/32").parse()).ok()
}

/// The ports of a rule.
#[derive(Clone, Copy)]
enum Ports {
    /// Its protocol has none.
    Unknown,
    /// From the first to the last.
    Range(u16, u16),
}

impl Ports {
    fn range(self) -> Option<(u16, u16)> {
        match self {
            Self::Unknown => None,
            Self::Range(from, to) => Some((from, to)),
        }
    }
}

/// `None` for what our words cannot say.
fn port_range(protocol: Protocol, text: &str) -> Option<Ports> {
    match protocol {
        Protocol::Icmp | Protocol::All => (text == "*").then_some(Ports::Unknown),
        Protocol::Tcp | Protocol::Udp if text == "*" => Some(Ports::Range(0, u16::MAX)),
        Protocol::Tcp | Protocol::Udp => {
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            Some(Ports::Range(from.parse().ok()?, to.parse().ok()?))
        }
    }
}

fn other_rule(rule: &wire::SecurityRule) -> String {
    let properties = &rule.properties;
    let from = all_of(properties.source_address_prefix.as_deref(), &properties.source_address_prefixes);
    let to =
        all_of(properties.destination_address_prefix.as_deref(), &properties.destination_address_prefixes);
    let ports = all_of(properties.destination_port_range.as_deref(), &properties.destination_port_ranges);
    format!(
        "{} {} {}: protocol {}, from {} to {}, ports {}",
        rule.name,
        properties.access,
        properties.direction,
        properties.protocol,
        from.join(","),
        to.join(","),
        ports.join(",")
    )
}

/// Our rules as Azure takes them, each with a name and a priority of its own, and the denial of everything else that would
/// leave.
pub(crate) fn rules(wanted: &[Rule]) -> Vec<wire::SecurityRule> {
    let mut next = [FIRST_PRIORITY; 2];
    let mut rules = Vec::new();
    for rule in wanted {
        let place = usize::from(rule.direction == Direction::Outbound);
        let priority = next.get(place).copied().unwrap_or(FIRST_PRIORITY);
        if let Some(slot) = next.get_mut(place) {
            *slot += PRIORITY_STEP;
        }
        rules.push(azure_rule(rule, priority));
    }
    if !Rule::let_everything_out(wanted) {
        rules.extend(denial(&rules));
    }
    rules
}

/// The name of one of ours, by its place.
pub(crate) fn rule_name(direction: Direction, priority: u32) -> String {
    let word = if direction == Direction::Inbound { "inbound" } else { "outbound" };
    format!("{word}-{priority}")
}

/// Our rule as Azure takes it, at that place.
pub(crate) fn azure_rule(rule: &Rule, priority: u32) -> wire::SecurityRule {
    let any = || Some("*".to_owned());
    let far = Some(rule.cidr.to_string());
    let (direction, source, destination) = match rule.direction {
        Direction::Inbound => ("Inbound", far, any()),
        Direction::Outbound => ("Outbound", any(), far),
    };
    let protocol = match rule.protocol {
        Protocol::Tcp => "Tcp",
        Protocol::Udp => "Udp",
        Protocol::Icmp => "Icmp",
        Protocol::All => "*",
    };
    let ports = match (rule.from_port, rule.to_port) {
        (Some(from), Some(to)) if to != from => format!("{from}-{to}"),
        (Some(from), _) => from.to_string(),
        (None, _) => "*".to_owned(),
    };
    wire::SecurityRule {
        name: rule_name(rule.direction, priority),
        properties: wire::RuleProperties {
            protocol: protocol.to_owned(),
            access: "Allow".to_owned(),
            direction: direction.to_owned(),
            priority,
            source_address_prefix: source,
            destination_address_prefix: destination,
            source_port_range: any(),
            destination_port_range: Some(ports),
            ..wire::RuleProperties::default()
        },
    }
}

#[cfg(test)]
#[path = "security_rules_tests.rs"]
mod tests;
