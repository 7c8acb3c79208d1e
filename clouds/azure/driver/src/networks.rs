//! Reads of virtual networks, subnets, network security groups and SSH public keys, and what Azure's words for them
//! mean in ours. Never writes.

use pmks_driver::{DriverError, ErrorKind, Result, fingerprint};
use pmks_model::{
    Cidr, Direction, Iid, KeyPair, KeyValueList, Network, Protocol, Rule, SecurityGroup, Subnet, Tags,
};

use crate::arm_id::{ArmId, canonical_text};
use crate::clusters::{is_in, region_of};
use crate::wire::network as wire;
use crate::wire::{Reference, compute};
use crate::{AzureDriver, PROVIDER, incarnations};

/// The priority of a group's first rule, and how far apart rules lie: others fit between.
///
/// Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules>, 100 to 4096
pub(crate) const FIRST_PRIORITY: u32 = 100;
pub(crate) const PRIORITY_STEP: u32 = 10;
/// The last one.
pub(crate) const LAST_PRIORITY: u32 = 4096;
/// The most rules of one direction that fit so.
pub(crate) const MOST_RULES: usize = 399;

/// The networks of the region with their subnets, ordered by name. One call, pages apart.
pub(crate) async fn list(driver: &AzureDriver) -> Result<Vec<Network>> {
    let mut found = driver.api.networks().await?;
    found.retain(|network| is_in(&network.location, driver.region()));
    let mut networks: Vec<Network> = found.iter().map(network).collect();
    networks.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(networks)
}

/// One network with its subnets. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get(driver: &AzureDriver, id: &str) -> Result<Network> {
    Ok(network(&driver.api.network(&driver.network_id(id)).await?))
}

/// A subnet's identifier, which names its network too.
///
/// # Errors
/// `NotFound` for a text that does not.
pub(crate) fn subnet_id(text: &str) -> Result<ArmId> {
    ArmId::parse(text).filter(|id| id.is("virtualNetworks/subnets")).ok_or_else(|| {
        let message = format!("there is no subnet {text:?}: a subnet's identifier names its network too");
        DriverError::new(ErrorKind::NotFound, PROVIDER, message)
    })
}

/// The identifier of the subnet of that name in a network, or with that identifier.
pub(crate) fn subnet_within(network: &str, text: &str) -> Option<String> {
    if text.contains('/') {
        return Some(text.to_owned());
    }
    Some(ArmId::parse(network)?.child("subnets", text).to_string())
}

/// One subnet. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get_subnet(driver: &AzureDriver, id: &str) -> Result<Subnet> {
    let id = subnet_id(id)?;
    let found = driver.api.subnet(&id).await?;
    Ok(subnet(&found, &id.parent().map(|network| network.to_string()).unwrap_or_default()))
}

/// The security groups of the region, ordered by name. One call, pages apart.
pub(crate) async fn list_security_groups(driver: &AzureDriver) -> Result<Vec<SecurityGroup>> {
    let mut found = driver.api.security_groups().await?;
    found.retain(|group| is_in(&group.location, driver.region()));
    let mut groups: Vec<SecurityGroup> = found.iter().map(security_group).collect();
    groups.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(groups)
}

/// The key pairs of the region, ordered by name. One call, pages apart.
pub(crate) async fn list_key_pairs(driver: &AzureDriver) -> Result<Vec<KeyPair>> {
    let mut found = driver.api.ssh_public_keys().await?;
    found.retain(|key| is_in(&key.location, driver.region()));
    let mut pairs: Vec<KeyPair> = found.iter().map(key_pair).collect();
    pairs.sort_by(|a, b| a.iid.cmp(&b.iid));
    Ok(pairs)
}

/// One security group. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get_security_group(driver: &AzureDriver, id: &str) -> Result<SecurityGroup> {
    Ok(security_group(&driver.api.security_group(&driver.security_group_id(id)).await?))
}

/// One key pair. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get_key_pair(driver: &AzureDriver, id: &str) -> Result<KeyPair> {
    Ok(key_pair(&driver.api.ssh_public_key(&driver.key_pair_id(id)).await?))
}

/// Tags are compared in no case of letters, and marks in one: Azure keeps the case that it was given.
pub(crate) fn is_ours(tags: &Tags, marks: &pmks_driver::Marks) -> bool {
    marks.are_on(tags)
}

fn network(found: &wire::VirtualNetwork) -> Network {
    let id = canonical_text(&found.id);
    let prefixes = &found.properties.address_space.address_prefixes;
    let mut facts = KeyValueList::default();
    facts.add_some("ResourceGuid", found.properties.resource_guid.as_deref());
    facts.add_some("ResourceGroup", ArmId::parse(&found.id).map(|id| id.group().to_owned()));
    for block in prefixes.iter().skip(1) {
        facts.add("AddressPrefix", block);
    }
    let mut subnets: Vec<Subnet> = found.properties.subnets.iter().map(|one| subnet(one, &id)).collect();
    subnets.sort_by(|a, b| a.iid.cmp(&b.iid));
    Network {
        iid: Iid::new(&found.name, &id),
        incarnation: incarnations::network(found).to_owned(),
        region: region_of(&found.location),
        cidr: prefixes.first().cloned().unwrap_or_default(),
        subnets,
        state: found.properties.provisioning_state.clone(),
        tags: found.tags.clone(),
        key_value_list: facts,
    }
}

fn subnet(found: &wire::Subnet, network: &str) -> Subnet {
    let properties = &found.properties;
    let mut facts = KeyValueList::default();
    facts.add("State", &properties.provisioning_state);
    let id = |reference: &Option<Reference>| reference.as_ref().map(|one| canonical_text(&one.id));
    facts.add_some("NetworkSecurityGroup", id(&properties.network_security_group));
    facts.add_some("RouteTable", id(&properties.route_table));
    facts.add_some("NatGateway", id(&properties.nat_gateway));
    facts.add("AddressesInUse", properties.ip_configurations.len().to_string());
    Subnet {
        iid: Iid::new(&found.name, format!("{network}/subnets/{}", found.name)),
        // Azure gives a subnet nothing but its name.
        incarnation: String::new(),
        network: network.to_owned(),
        cidr: properties.cidr().to_owned(),
        // Azure's subnets span the zones of their region.
        zone: String::new(),
        tags: Tags::new(),
        key_value_list: facts,
    }
}

fn key_pair(found: &compute::SshPublicKey) -> KeyPair {
    let mut facts = KeyValueList::default();
    facts.add_some("KeyType", found.properties.public_key.split_whitespace().next());
    facts.add_some("ResourceGroup", ArmId::parse(&found.id).map(|id| id.group().to_owned()));
    KeyPair {
        iid: Iid::new(&found.name, canonical_text(&found.id)),
        incarnation: incarnations::key_pair(found),
        fingerprint: fingerprint(&found.properties.public_key),
        tags: found.tags.clone(),
        key_value_list: facts,
    }
}

/// What Azure says of a network security group, in our words.
pub(crate) fn security_group(found: &wire::SecurityGroup) -> SecurityGroup {
    let properties = &found.properties;
    let mut facts = KeyValueList::default();
    facts.add_some("ResourceGroup", ArmId::parse(&found.id).map(|id| id.group().to_owned()));
    for guarded in &properties.subnets {
        facts.add("Subnet", canonical_text(&guarded.id));
    }
    let mut rules = Vec::new();
    for rule in &properties.security_rules {
        read_rule(rule, &mut rules, &mut facts);
    }
    // A group belongs to no network: it is that of the subnet which it guards, if it guards one.
    let network = properties.subnets.first().and_then(|one| ArmId::parse(&one.id)?.parent());
    SecurityGroup {
        iid: Iid::new(&found.name, canonical_text(&found.id)),
        incarnation: incarnations::security_group(found).to_owned(),
        network: network.map(|id| id.to_string()).unwrap_or_default(),
        rules,
        tags: found.tags.clone(),
        key_value_list: facts,
    }
}

/// Adds the rules that our words can say, and the others as facts: denials, service tags, application groups.
fn read_rule(rule: &wire::SecurityRule, rules: &mut Vec<Rule>, facts: &mut KeyValueList) {
    match our_rules(&rule.properties) {
        Some(read) => rules.extend(read),
        None => facts.add("OtherRule", other_rule(rule)),
    }
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

/// Our rules as Azure takes them, each with a name and a priority of its own.
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
#[path = "networks_tests.rs"]
mod tests;
