//! Network security groups and their rules. A rule is a document of its own; the group shows those that lie in it.

use serde_json::{Value, json};

use super::{GROUPS, RULES, SUBNETS, asked, begin, delete_answer, match_etag, put_answer, store};
use crate::arm::{Call, check_name, key};
use crate::error::{Error, Result};
use crate::json::{at, items, number, remove, set, text};
use crate::reply::Reply;
use crate::world::{Document, Subscription};

/// The group with its rules, its default rules and the subnets that it guards.
pub(super) fn show(subscription: &Subscription, group: &Document) -> Value {
    let rules: Vec<Value> = rules(subscription, &group.id).map(Document::show).collect();
    let subnets: Vec<Value> =
        subnets(subscription, &group.id).map(|subnet| json!({"id": subnet.id})).collect();
    let mut shown = group.show();
    if let Some(properties) = shown.get_mut("properties") {
        set(properties, "securityRules", rules);
        set(properties, "defaultSecurityRules", default_rules(group));
        if !subnets.is_empty() {
            set(properties, "subnets", subnets);
        }
    }
    shown
}

fn rules<'a>(subscription: &'a Subscription, group: &str) -> impl Iterator<Item = &'a Document> {
    let below = format!("{}/securityrules/", key(group));
    subscription.documents.iter().filter(move |(id, _)| id.starts_with(&below)).map(|(_, document)| document)
}

fn subnets<'a>(subscription: &'a Subscription, group: &str) -> impl Iterator<Item = &'a Document> {
    let group = key(group);
    subscription.documents.values().filter(move |document| {
        document.kind == SUBNETS
            && text(&document.body, "properties.networkSecurityGroup.id").is_some_and(|id| key(id) == group)
    })
}

/// Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules>.
fn default_rules(group: &Document) -> Vec<Value> {
    let rule = |name: &str, priority: u32, direction: &str, access: &str, from: &str, to: &str| {
        json!({
            "id": format!("{}/defaultSecurityRules/{name}", group.id), "name": name,
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": "Succeeded", "description": name, "protocol": "*", "sourcePortRange": "*",
                "destinationPortRange": "*", "sourceAddressPrefix": from, "destinationAddressPrefix": to,
                "access": access, "priority": priority, "direction": direction,
            },
        })
    };
    vec![
        rule("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
        rule("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
        rule("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
        rule("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
        rule("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
        rule("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
    ]
}

pub(super) fn put(call: &mut Call<'_>) -> Result<Reply> {
    let (id, location) = begin(call, GROUPS)?;
    let wanted: Vec<Value> = items(at(&call.body, "properties.securityRules")).cloned().collect();
    for (number, rule) in wanted.iter().enumerate() {
        check_rule(rule, wanted.get(..number).unwrap_or_default().iter())?;
    }
    if call.effects.quota() {
        let says =
            "Cannot create more than 5000 network security groups for this subscription in this region.";
        return Err(Error::bad("NetworkSecurityGroupCountLimitReached", says));
    }
    let below = format!("{}/securityrules/", key(&id));
    call.subscription_mut().documents.retain(|id, _| !id.starts_with(&below));
    let mut body = asked(&call.body);
    if let Some(properties) = body.get_mut("properties") {
        remove(properties, &["securityRules", "defaultSecurityRules", "subnets"]);
    }
    set(&mut body, "location", location.as_str());
    let (group, is_new) = store(call, &id, GROUPS, body);
    for rule in wanted {
        let below = format!("{}/securityRules/{}", group.id, text(&rule, "name").unwrap_or_default());
        store(call, &below, RULES, asked(&rule));
        if let Some(made) = call.subscription_mut().documents.get_mut(&key(&below)) {
            "Succeeded".clone_into(&mut made.state);
        }
    }
    Ok(put_answer(call, &group, &location, is_new))
}

/// Holds a rule against the protocol and its neighbours.
fn check_rule<'a>(rule: &Value, neighbours: impl Iterator<Item = &'a Value>) -> Result<()> {
    let name = text(rule, "name").unwrap_or_default();
    check_name(name)?;
    let has = |name: &str| {
        let property = at(rule, &format!("properties.{name}")).clone();
        !property.is_null() && property != json!([])
    };
    let missing = |what: &str| {
        let says =
            format!("Security rule parameter {what} for rule with Id {name} cannot be null or empty value.");
        Err(Error::bad("SecurityRuleParameterNotSpecified", says))
    };
    for property in ["protocol", "access", "direction", "priority"] {
        if !has(property) {
            return missing(property);
        }
    }
    let pairs = [
        ("sourceAddressPrefix", "sourceAddressPrefixes"),
        ("destinationAddressPrefix", "destinationAddressPrefixes"),
        ("sourcePortRange", "sourcePortRanges"),
        ("destinationPortRange", "destinationPortRanges"),
    ];
    for (one, many) in pairs {
        if !has(one) && !has(many) {
            return missing(one);
        }
    }
    let priority = number(rule, "properties.priority").unwrap_or_default();
    if !(100..=4096).contains(&priority) {
        let says =
            format!("Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096.");
        return Err(Error::bad("SecurityRuleInvalidPriority", says));
    }
    for neighbour in neighbours {
        let same = |what: &str| at(neighbour, what) == at(rule, what);
        if same("properties.priority") && same("properties.direction") {
            let says = format!(
                "Security rule {name} conflicts with rule {}. Rules cannot have the same Priority and Direction.",
                text(neighbour, "name").unwrap_or_default()
            );
            return Err(Error::bad("SecurityRuleConflict", says));
        }
    }
    Ok(())
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id(&format!("{GROUPS}/{}", call.name(2)))?;
    let Some(known) = call.subscription().documents.get(&key(&id)) else { return Ok(Reply::empty(204)) };
    match_etag(call, known)?;
    if let Some(subnet) = subnets(call.subscription(), &id).next() {
        let says = format!(
            "Network security group {id} cannot be deleted because it is in use by the following resources: {}. In order \
             to delete the Network security group, remove the association with the resource(s). To learn how to do \
             this, see aka.ms/deletensg.",
            subnet.id
        );
        return Err(Error::bad("InUseNetworkSecurityGroupCannotBeDeleted", says));
    }
    Ok(delete_answer(call, &id))
}

fn group_id(call: &Call<'_>) -> Result<String> {
    let id = call.id(&format!("{GROUPS}/{}", call.name(2)))?;
    call.document(&id).map(|group| group.id.clone())
}

pub(super) fn list_rules(call: &Call<'_>) -> Result<Reply> {
    let id = group_id(call)?;
    let shown = rules(call.subscription(), &id).map(|rule| (key(&rule.id), rule.show()));
    call.page(shown.collect()).map(Reply::ok)
}

pub(super) fn get_rule(call: &Call<'_>) -> Result<Reply> {
    let id = format!("{}/securityRules/{}", group_id(call)?, call.name(3));
    let found = call.subscription().documents.get(&key(&id));
    let missing = || Error::new(404, "NotFound", format!("Resource {id} not found."));
    found.map(|rule| Reply::ok(rule.show())).ok_or_else(missing)
}

pub(super) fn put_rule(call: &mut Call<'_>) -> Result<Reply> {
    let group = group_id(call)?;
    let id = format!("{group}/securityRules/{}", call.name(3));
    let mut rule = asked(&call.body);
    set(&mut rule, "name", call.name(3));
    let others: Vec<Value> = rules(call.subscription(), &group)
        .filter(|other| key(&other.id) != key(&id))
        .map(Document::show)
        .collect();
    check_rule(&rule, others.iter())?;
    remove(&mut rule, &["name"]);
    let location = super::location_of(call, &id);
    let (document, is_new) = store(call, &id, RULES, rule);
    Ok(put_answer(call, &document, &location, is_new))
}

pub(super) fn delete_rule(call: &mut Call<'_>) -> Reply {
    let Ok(group) = group_id(call) else { return Reply::empty(204) };
    let id = format!("{group}/securityRules/{}", call.name(3));
    if !call.subscription().documents.contains_key(&key(&id)) {
        return Reply::empty(204);
    }
    delete_answer(call, &id)
}
