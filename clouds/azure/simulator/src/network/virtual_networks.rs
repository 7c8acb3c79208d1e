//! Virtual networks and their subnets. A subnet is a document of its own; the network shows those that lie in it.

use serde_json::{Value, json};

use super::{NETWORKS, SUBNETS, asked, begin, delete_answer, match_etag, not_busy, put_answer, store};
use crate::arm::{Call, check_name, key};
use crate::error::{Error, Result};
use crate::json::{at, items, remove, set, text};
use crate::reply::Reply;
use crate::world::{Document, Subscription};
use pmks_simulation::Cidr;

/// The network with its subnets.
pub(super) fn show(subscription: &Subscription, network: &Document) -> Value {
    let subnets: Vec<Value> =
        subnets(subscription, &network.id).map(|subnet| show_subnet(subscription, subnet)).collect();
    let mut shown = network.show();
    if let Some(properties) = shown.get_mut("properties") {
        set(properties, "subnets", subnets);
        crate::json::set_default(properties, "virtualNetworkPeerings", json!([]));
        crate::json::set_default(properties, "enableDdosProtection", false);
    }
    shown
}

/// A subnet with the machines that have addresses in it.
pub(super) fn show_subnet(subscription: &Subscription, subnet: &Document) -> Value {
    let mut shown = subnet.show();
    let users: Vec<Value> = users(subscription, &subnet.id).into_iter().map(|id| json!({"id": id})).collect();
    if let Some(properties) = shown.get_mut("properties") {
        if !users.is_empty() {
            set(properties, "ipConfigurations", users);
        }
        crate::json::set_default(properties, "delegations", json!([]));
        crate::json::set_default(properties, "privateEndpointNetworkPolicies", "Disabled");
        crate::json::set_default(properties, "privateLinkServiceNetworkPolicies", "Enabled");
    }
    shown
}

fn subnets<'a>(subscription: &'a Subscription, network: &str) -> impl Iterator<Item = &'a Document> {
    let below = format!("{}/subnets/", key(network));
    subscription.documents.iter().filter(move |(id, _)| id.starts_with(&below)).map(|(_, document)| document)
}

/// What has addresses in a subnet: the interfaces of machines.
pub(crate) fn users(subscription: &Subscription, subnet: &str) -> Vec<String> {
    let subnet = key(subnet);
    let clusters = subscription.clusters.values();
    clusters.flat_map(|cluster| cluster.interfaces_in(&subscription.id, &subnet)).collect()
}

fn prefixes(properties: &Value, one: &str, many: &str) -> Result<Vec<Cidr>> {
    let given = at(properties, one).as_str().into_iter();
    let given = given.chain(items(at(properties, many)).filter_map(Value::as_str));
    let read = |text: &str| {
        text.parse::<Cidr>().map_err(|_| {
            Error::bad(
                "InvalidCIDRNotation",
                format!("The address prefix {text} has an invalid CIDR notation."),
            )
        })
    };
    given.map(read).collect()
}

pub(super) fn put(call: &mut Call<'_>) -> Result<Reply> {
    let (id, location) = begin(call, NETWORKS)?;
    let space = prefixes(at(&call.body, "properties.addressSpace"), "none", "addressPrefixes")?;
    check_space(&space)?;
    if space.is_empty() {
        let says = "Required property 'addressPrefixes' not found in JSON. Path 'properties.addressSpace'.";
        return Err(Error::bad("InvalidRequestFormat", format!("Cannot parse the request. {says}")));
    }
    let wanted: Vec<Value> = items(at(&call.body, "properties.subnets")).cloned().collect();
    for (number, subnet) in wanted.iter().enumerate() {
        let before = wanted.get(..number).unwrap_or_default();
        check_subnet(subnet, &space, before.iter(), call.name(2))?;
    }
    if call.effects.quota() {
        let says = "Cannot create more than 1000 virtual networks for this subscription in this region.";
        return Err(Error::bad("VirtualNetworkCountLimitReached", says));
    }
    // Subnets that are not named any more go, unless they are in use.
    let named = |subnet: &Document| {
        wanted
            .iter()
            .any(|one| text(one, "name").is_some_and(|name| name.eq_ignore_ascii_case(subnet.name())))
    };
    let gone: Vec<String> = subnets(call.subscription(), &id)
        .filter(|subnet| !named(subnet))
        .map(|subnet| subnet.id.clone())
        .collect();
    for subnet in &gone {
        not_used(call, subnet)?;
    }
    for subnet in gone {
        call.subscription_mut().documents.remove(&key(&subnet));
    }
    let mut body = asked(&call.body);
    if let Some(properties) = body.get_mut("properties") {
        remove(properties, &["subnets"]);
    }
    set(&mut body, "location", location.as_str());
    let (network, is_new) = store(call, &id, NETWORKS, body);
    for subnet in wanted {
        let below = format!("{}/subnets/{}", network.id, text(&subnet, "name").unwrap_or_default());
        store(call, &below, SUBNETS, asked(&subnet));
        if let Some(made) = call.subscription_mut().documents.get_mut(&key(&below)) {
            "Succeeded".clone_into(&mut made.state);
        }
    }
    Ok(put_answer(call, &network, &location, is_new))
}

/// What no network may hold. The code of the refusal is not public.
///
/// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>, «What address ranges can I use?».
fn check_space(space: &[Cidr]) -> Result<()> {
    let never = ["224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32"];
    for block in never {
        let overlaps = |reserved: Cidr| space.iter().any(|own| own.overlaps(reserved));
        if block.parse().is_ok_and(overlaps) {
            let says = format!("The address space must not overlap the reserved range {block}.");
            return Err(Error::bad("InvalidAddressPrefix", says));
        }
    }
    Ok(())
}

/// Holds a subnet against its network and its neighbours.
fn check_subnet<'a>(
    subnet: &Value,
    space: &[Cidr],
    neighbours: impl Iterator<Item = &'a Value>,
    network: &str,
) -> Result<()> {
    let name = text(subnet, "name").unwrap_or_default();
    check_name(name)?;
    let own = prefixes(at(subnet, "properties"), "addressPrefix", "addressPrefixes")?;
    let Some(own) = own.first() else {
        let says = format!("Address prefix is not specified for subnet {name}.");
        return Err(Error::bad("NoAddressPrefixOrPoolProvided", says));
    };
    if !space.iter().any(|space| space.contains(*own)) {
        let says = format!(
            "Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual \
             network '{network}'."
        );
        return Err(Error::bad("NetcfgInvalidSubnet", says));
    }
    for neighbour in neighbours {
        let theirs = prefixes(at(neighbour, "properties"), "addressPrefix", "addressPrefixes")?;
        if theirs.iter().any(|theirs| theirs.overlaps(*own)) {
            let says = format!(
                "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet in \
                 virtual network '{network}'."
            );
            return Err(Error::bad("NetcfgSubnetRangesOverlap", says));
        }
    }
    Ok(())
}

fn not_used(call: &Call<'_>, subnet: &str) -> Result<()> {
    match users(call.subscription(), subnet).first() {
        None => Ok(()),
        Some(user) => Err(Error::bad(
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {user} and cannot be deleted. In order to delete the subnet, delete all the \
                 resources within the subnet. See aka.ms/deletesubnet.",
                crate::arm::last(subnet)
            ),
        )),
    }
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id(&format!("{NETWORKS}/{}", call.name(2)))?;
    let Some(known) = call.subscription().documents.get(&key(&id)) else { return Ok(Reply::empty(204)) };
    match_etag(call, known)?;
    let inner: Vec<String> = subnets(call.subscription(), &id).map(|subnet| subnet.id.clone()).collect();
    for subnet in inner {
        not_used(call, &subnet)?;
    }
    Ok(delete_answer(call, &id))
}

fn network_id(call: &Call<'_>) -> Result<String> {
    let id = call.id(&format!("{NETWORKS}/{}", call.name(2)))?;
    call.document(&id).map(|network| network.id.clone())
}

pub(super) fn list_subnets(call: &Call<'_>) -> Result<Reply> {
    let id = network_id(call)?;
    let subscription = call.subscription();
    let shown = subnets(subscription, &id).map(|subnet| (key(&subnet.id), show_subnet(subscription, subnet)));
    call.page(shown.collect()).map(Reply::ok)
}

pub(super) fn get_subnet(call: &Call<'_>) -> Result<Reply> {
    let id = format!("{}/subnets/{}", network_id(call)?, call.name(3));
    let found = call.subscription().documents.get(&key(&id));
    let found = found.ok_or_else(|| Error::new(404, "NotFound", format!("Resource {id} not found.")))?;
    Ok(Reply::ok(show_subnet(call.subscription(), found)).with("etag", format!("W/\"{}\"", found.etag)))
}

pub(super) fn put_subnet(call: &mut Call<'_>) -> Result<Reply> {
    let network = network_id(call)?;
    not_busy(call, &network)?;
    let id = format!("{network}/subnets/{}", call.name(3));
    let mut subnet = asked(&call.body);
    set(&mut subnet, "name", call.name(3));
    let subscription = call.subscription();
    let owner = subscription.documents.get(&key(&network));
    let space = prefixes(
        owner.map_or(&Value::Null, |owner| at(&owner.body, "properties.addressSpace")),
        "none",
        "addressPrefixes",
    )?;
    let others = subnets(subscription, &network).filter(|other| key(&other.id) != key(&id));
    check_subnet(&subnet, &space, others.map(|other| &other.body), crate::arm::last(&network))?;
    if let Some(known) = subscription.documents.get(&key(&id)) {
        match_etag(call, known)?;
        let prefix = |body: &Value| text(body, "properties.addressPrefix").map(str::to_owned);
        if prefix(&known.body) != prefix(&subnet)
            && let Some(user) = users(subscription, &id).first()
        {
            let says = format!("Subnet {} is in use by {user} and cannot be updated.", call.name(3));
            return Err(Error::bad("InUsePrefixCannotBeDeleted", says));
        }
    }
    check_group(call, &subnet)?;
    remove(&mut subnet, &["name"]);
    let location = super::location_of(call, &id);
    let (document, is_new) = store(call, &id, SUBNETS, subnet);
    Ok(put_answer(call, &document, &location, is_new))
}

/// A subnet's security group must exist.
fn check_group(call: &Call<'_>, subnet: &Value) -> Result<()> {
    let Some(group) = text(subnet, "properties.networkSecurityGroup.id") else { return Ok(()) };
    if call.subscription().documents.contains_key(&key(group)) {
        return Ok(());
    }
    Err(Error::bad(
        "InvalidResourceReference",
        format!(
            "Resource {group} referenced by resource {} was not found. Please make sure that the referenced resource \
             exists, and that both resources are in the same region.",
            call.path
        ),
    ))
}

pub(super) fn delete_subnet(call: &mut Call<'_>) -> Result<Reply> {
    let Ok(network) = network_id(call) else { return Ok(Reply::empty(204)) };
    let id = format!("{network}/subnets/{}", call.name(3));
    if !call.subscription().documents.contains_key(&key(&id)) {
        return Ok(Reply::empty(204));
    }
    not_used(call, &id)?;
    Ok(delete_answer(call, &id))
}
