//! Microsoft.Network: virtual networks with subnets, network security groups with rules, and what AKS makes beside them.
//!
//! Sources: <https://learn.microsoft.com/rest/api/virtualnetwork>,
//! <https://learn.microsoft.com/rest/api/load-balancer>.

mod interfaces;
mod security_groups;
mod virtual_networks;

use std::time::Duration;

use serde_json::{Value, json};

use crate::arm::{Call, check_name, key};
use crate::error::{Error, Result};
use crate::json::{at, extend, remove, set};
use crate::operations::{self, Step};
use crate::reply::Reply;
use crate::world::Document;

/// How long a change of a network takes.
const CHANGED_AFTER: Duration = Duration::from_secs(3);
/// How long its deletion takes.
const GONE_AFTER: Duration = Duration::from_secs(10);

pub(crate) const NETWORKS: &str = "Microsoft.Network/virtualNetworks";
pub(crate) const SUBNETS: &str = "Microsoft.Network/virtualNetworks/subnets";
pub(crate) const GROUPS: &str = "Microsoft.Network/networkSecurityGroups";
const RULES: &str = "Microsoft.Network/networkSecurityGroups/securityRules";
pub(crate) const BALANCERS: &str = "Microsoft.Network/loadBalancers";
pub(crate) const ADDRESSES: &str = "Microsoft.Network/publicIPAddresses";
pub(crate) const ROUTE_TABLES: &str = "Microsoft.Network/routeTables";

pub(crate) use virtual_networks::users;

/// Carries out one call.
///
/// # Errors
/// The service's refusal.
pub(crate) fn handle(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    match action {
        "Operations_Get" => operations::get(call),
        "OperationResults_Get" => operations::result(call, call.name(2)),
        "VirtualNetworks_ListAll" => list(call, NETWORKS, false),
        "VirtualNetworks_List" => list(call, NETWORKS, true),
        "VirtualNetworks_Get" => get(call, NETWORKS),
        "VirtualNetworks_CreateOrUpdate" => virtual_networks::put(call),
        "VirtualNetworks_UpdateTags" => patch(call, NETWORKS),
        "VirtualNetworks_Delete" => virtual_networks::delete(call),
        "Subnets_List" => virtual_networks::list_subnets(call),
        "Subnets_Get" => virtual_networks::get_subnet(call),
        "Subnets_CreateOrUpdate" => virtual_networks::put_subnet(call),
        "Subnets_Delete" => virtual_networks::delete_subnet(call),
        "NetworkSecurityGroups_ListAll" => list(call, GROUPS, false),
        "NetworkSecurityGroups_List" => list(call, GROUPS, true),
        "NetworkSecurityGroups_Get" => get(call, GROUPS),
        "NetworkSecurityGroups_CreateOrUpdate" => security_groups::put(call),
        "NetworkSecurityGroups_UpdateTags" => patch(call, GROUPS),
        "NetworkSecurityGroups_Delete" => security_groups::delete(call),
        "SecurityRules_List" => security_groups::list_rules(call),
        "SecurityRules_Get" => security_groups::get_rule(call),
        "SecurityRules_CreateOrUpdate" => security_groups::put_rule(call),
        "SecurityRules_Delete" => Ok(security_groups::delete_rule(call)),
        "LoadBalancers_List" => list(call, BALANCERS, true),
        "LoadBalancers_Get" => get(call, BALANCERS),
        "PublicIPAddresses_List" => list(call, ADDRESSES, true),
        "PublicIPAddresses_Get" => get(call, ADDRESSES),
        "RouteTables_List" => list(call, ROUTE_TABLES, true),
        "NetworkInterfaces_ListVirtualMachineScaleSetNetworkInterfaces" => interfaces::of_scale_set(call),
        "NetworkInterfaces_ListVirtualMachineScaleSetVMNetworkInterfaces" => interfaces::of_machine(call),
        other => Err(Error::bad("InvalidResourceType", format!("The simulated Azure does not do {other}."))),
    }
}

/// A document of a network with what lies in it.
fn show(call: &Call<'_>, document: &Document) -> Value {
    match document.kind.as_str() {
        NETWORKS => virtual_networks::show(call.subscription(), document),
        SUBNETS => virtual_networks::show_subnet(call.subscription(), document),
        GROUPS => security_groups::show(call.subscription(), document),
        _ => document.show(),
    }
}

fn list(call: &Call<'_>, kind: &str, of_group: bool) -> Result<Reply> {
    let prefix = if of_group { key(&call.id(kind)?) } else { String::new() };
    let documents = call.subscription().documents.iter();
    let wanted = documents.filter(|(id, document)| document.kind == kind && id.starts_with(&prefix));
    call.page(wanted.map(|(id, document)| (id.clone(), show(call, document))).collect()).map(Reply::ok)
}

fn get(call: &Call<'_>, kind: &str) -> Result<Reply> {
    let id = call.id(&format!("{kind}/{}", call.name(2)))?;
    let document = call.document(&id)?;
    Ok(Reply::ok(show(call, document)).with("etag", format!("W/\"{}\"", document.etag)))
}

fn patch(call: &mut Call<'_>, kind: &str) -> Result<Reply> {
    let id = call.id(&format!("{kind}/{}", call.name(2)))?;
    call.document(&id)?;
    let (tags, etag) = (at(&call.body, "tags").clone(), call.etag());
    if let Some(document) = call.subscription_mut().documents.get_mut(&key(&id)) {
        set(&mut document.body, "tags", tags);
        document.etag = etag;
    }
    get(call, kind)
}

/// What is asked for, without what only the service says.
fn asked(body: &Value) -> Value {
    let mut body = body.clone();
    remove(&mut body, &["id", "name", "type", "etag"]);
    if let Some(properties) = body.get_mut("properties") {
        remove(properties, &["provisioningState", "resourceGuid", "ipConfigurations", "networkInterfaces"]);
    }
    body
}

/// Puts a document there, to be ready some time later.
fn store(call: &mut Call<'_>, id: &str, kind: &str, body: Value) -> (Document, bool) {
    let known = call.subscription().documents.get(&key(id)).cloned();
    let (etag, guid) = (call.etag(), call.world.random.uuid());
    let guid = known
        .as_ref()
        .and_then(|known| known.body.pointer("/properties/resourceGuid").cloned())
        .unwrap_or(guid.into());
    let mut body = body;
    crate::json::set_default(&mut body, "properties", json!({}));
    if let Some(properties) = body.get_mut("properties").filter(|_| kind == NETWORKS || kind == GROUPS) {
        extend(properties, json!({"resourceGuid": guid}));
    }
    let document = Document {
        id: known.as_ref().map_or_else(|| id.to_owned(), |known| known.id.clone()),
        kind: kind.to_owned(),
        body,
        state: "Updating".to_owned(),
        etag,
        created: known.as_ref().map_or(call.now.wall, |known| known.created),
    };
    call.subscription_mut().documents.insert(key(id), document.clone());
    (document, known.is_none())
}

/// Answers a PUT: 201 or 200 with the document, and the operation that makes it ready.
fn put_answer(call: &mut Call<'_>, document: &Document, location: &str, is_new: bool) -> Reply {
    let work =
        operations::start(call, "Microsoft.Network", location, &document.id, [(CHANGED_AFTER, Step::Ready)]);
    let reply = Reply::new(if is_new { 201 } else { 200 }, show(call, document));
    work.followed(call, reply)
}

/// Lets a document vanish.
fn delete_answer(call: &mut Call<'_>, id: &str) -> Reply {
    let location = location_of(call, id);
    if let Some(document) = call.subscription_mut().documents.get_mut(&key(id)) {
        "Deleting".clone_into(&mut document.state);
    }
    let work = operations::start(call, "Microsoft.Network", &location, id, [(GONE_AFTER, Step::Remove)]);
    work.followed(call, Reply::empty(202))
}

/// The region of a document, or of what it lies in.
fn location_of(call: &Call<'_>, id: &str) -> String {
    let parent = id.split('/').take(9).collect::<Vec<_>>().join("/");
    let documents = &call.subscription().documents;
    let found = documents.get(&key(&parent)).and_then(|document| at(&document.body, "location").as_str());
    found.unwrap_or("koreacentral").to_owned()
}

/// Whether a change of the same thing is under way.
fn not_busy(call: &Call<'_>, id: &str) -> Result<()> {
    let busy = call.subscription().documents.get(&key(id)).is_some_and(|known| known.state == "Deleting");
    if !busy {
        return Ok(());
    }
    let says = "Another operation on this or dependent resource is in progress.";
    Err(Error::new(409, "AnotherOperationInProgress", says))
}

/// What a PUT of something in a group begins with: its id and region.
fn begin(call: &Call<'_>, kind: &str) -> Result<(String, String)> {
    let name = call.name(2);
    check_name(name)?;
    call.registered("Microsoft.Network")?;
    let location = call.location(kind)?;
    let id = call.id(&format!("{kind}/{name}"))?;
    not_busy(call, &id)?;
    if let Some(known) = call.subscription().documents.get(&key(&id)) {
        let own = at(&known.body, "location").as_str().unwrap_or_default();
        call.same_location(own, &location, name)?;
        match_etag(call, known)?;
    }
    Ok((id, location))
}

/// `If-Match` alone: networks know no precondition that nothing exists.
fn match_etag(call: &Call<'_>, known: &Document) -> Result<()> {
    let bare = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
    match &call.if_match {
        Some(wanted) if wanted != "*" && bare(wanted) != known.etag => {
            let says = format!(
                "Precondition failed. Etag provided in if-match header {wanted} does not match etag W/\"{}\" of resource {} \
                 in NRP data store.",
                known.etag, known.id
            );
            Err(Error::new(412, "PreconditionFailed", says))
        }
        _ => Ok(()),
    }
}
