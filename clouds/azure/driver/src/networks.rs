//! Reads of virtual networks, subnets, network security groups and SSH public keys, and what Azure's words for them
//! mean in ours. Never writes.

use pmks_driver::{DriverError, ErrorKind, Result, fingerprint};
use pmks_model::{Iid, KeyPair, KeyValueList, Network, SecurityGroup, Subnet, Tags};

use crate::arm_id::{ArmId, canonical_text};
use crate::clusters::{is_in, region_of};
use crate::wire::network as wire;
use crate::wire::{Reference, compute};
use crate::{AzureDriver, PROVIDER, incarnations, security_rules};

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
    // As its network's own answer writes it, whatever case was asked for.
    let network = subnet_id(&found.id).unwrap_or(id).parent();
    Ok(subnet(&found, &network.map(|network| network.to_string()).unwrap_or_default()))
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
    let rules = security_rules::read(&properties.security_rules, &mut facts);
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

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
