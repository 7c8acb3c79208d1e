//! The simulated Compute Engine: networks and what is in them, machines that node pools make, balancers that
//! controllers make, and the operations by which all of it changes.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1>.

mod balancers;
mod catalogue_views;
mod collections;
mod common_metadata;
mod filter;
mod firewalls;
mod lists;
mod machine_calls;
mod machine_views;
mod machines;
mod networks;
mod operations;
pub(crate) mod others;
mod quota;
mod references;
mod rows;
mod state;
mod subnetworks;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;

use crate::call::Call;
use crate::error::{Error, Result};
use crate::front::no_such_path;
use crate::messages::Messages;
use crate::route::{Route, Service};

pub(crate) use balancers::{
    controller_makes_load_balancer, controller_makes_volume, entrance_deleted, entrances, stands, volumes,
};
pub(crate) use machines::{
    Instance, Outcome, Wish, delete_group, drop_instance, group_outcome, launch, make_group, next_due,
    resize_group, settle,
};
pub(crate) use networks::make_default_network;
pub(crate) use quota::{quota_is, shortage};
pub(crate) use references::{last, no_resource};
pub(crate) use rows::resources;
pub(crate) use state::{State, Stored, key, link};
pub(crate) use subnetworks::{add_secondary_range, drop_secondary_range, free_block};

/// What bodies may say.
static MESSAGES: LazyLock<Messages> = LazyLock::new(|| Messages::read(include_str!("messages.txt")));

/// Which call a path below `/compute/v1/` is.
pub(crate) fn route(method: &Method, parts: &[&str]) -> Option<Route> {
    let ["projects", project, rest @ ..] = parts else { return None };
    let found =
        |action: String, names: &[&str]| Some(Route::new(Service::Compute, action, Some(project), names));
    match rest {
        [] => {
            (method == Method::GET).then(|| Route::new(Service::Compute, "projects.get", Some(project), &[]))
        }
        [verb @ "setCommonInstanceMetadata"] => {
            (method == Method::POST).then(|| format!("projects.{verb}")).and_then(|action| found(action, &[]))
        }
        ["aggregated", collection] if method == Method::GET => {
            let collection = if *collection == "operations" { "globalOperations" } else { collection };
            found(format!("{collection}.aggregatedList"), &[])
        }
        ["zones" | "regions"] if method == Method::GET => found(format!("{}.list", rest[0]), &[]),
        ["zones" | "regions", place] if method == Method::GET => found(format!("{}.get", rest[0]), &[place]),
        ["global", collection, inner @ ..] => {
            let collection = match *collection {
                "operations" => "globalOperations",
                "forwardingRules" => "globalForwardingRules",
                "addresses" => "globalAddresses",
                "networkEndpointGroups" => "globalNetworkEndpointGroups",
                other => other,
            };
            found(format!("{collection}.{}", verb(method, inner)?), &with("global", inner))
        }
        [kind @ ("zones" | "regions"), place, collection, inner @ ..] => {
            let collection = match (*kind, *collection) {
                ("zones", "operations") => "zoneOperations",
                ("regions", "operations") => "regionOperations",
                ("regions", "networkEndpointGroups") => "regionNetworkEndpointGroups",
                (_, other) => other,
            };
            found(format!("{collection}.{}", verb(method, inner)?), &with(place, inner))
        }
        _ => None,
    }
}

fn with<'a>(place: &'a str, inner: &[&'a str]) -> Vec<&'a str> {
    std::iter::once(place).chain(inner.first().copied()).collect()
}

fn verb<'a>(method: &Method, inner: &[&'a str]) -> Option<&'a str> {
    match (method, inner) {
        (&Method::GET, []) => Some("list"),
        (&Method::POST, []) => Some("insert"),
        (&Method::GET, [_]) => Some("get"),
        (&Method::DELETE, [_]) => Some("delete"),
        (&Method::PATCH, [_]) => Some("patch"),
        (&Method::PUT, [_]) => Some("update"),
        (&Method::POST, [_, verb]) => Some(verb),
        _ => None,
    }
}

/// The query's parameters and the body of one call.
pub(crate) struct Asked<'a> {
    pub(crate) route: &'a Route,
    query: Vec<(String, String)>,
    body: &'a [u8],
}

impl Asked<'_> {
    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The body as this message.
    ///
    /// # Errors
    /// 400 for what the message does not have.
    pub(crate) fn message(&self, message: &str) -> Result<serde_json::Map<String, Value>> {
        MESSAGES.object(message, self.body)
    }
}

/// Carries out one call.
pub(crate) fn handle(call: &mut Call<'_>, route: &Route, request: &Request<Bytes>) -> Result<Value> {
    let query = request.uri().query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let asked = Asked { route, query, body: request.body() };
    if let Some(known) = operations::repeated(call, &asked)? {
        return Ok(known);
    }
    let answer = dispatch(call, &asked)?;
    operations::remember(call, &asked, &answer);
    Ok(answer)
}

fn dispatch(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    match asked.route.action.as_str() {
        "projects.get" => Ok(catalogue_views::project(call.held())),
        "projects.setCommonInstanceMetadata" => common_metadata::set(call, asked),
        "zones.get" | "regions.get" | "machineTypes.get" | "diskTypes.get" => {
            catalogue_views::get(call, asked)
        }
        "globalOperations.get"
        | "regionOperations.get"
        | "zoneOperations.get"
        | "globalOperations.wait"
        | "regionOperations.wait"
        | "zoneOperations.wait" => operations::get(call, asked),
        "networks.insert" => networks::insert(call, asked),
        "networks.patch" => networks::patch(call, asked),
        "subnetworks.insert" => subnetworks::insert(call, asked),
        "subnetworks.patch" => subnetworks::patch(call, asked),
        "subnetworks.expandIpCidrRange" => subnetworks::expand(call, asked),
        "firewalls.insert" => firewalls::insert(call, asked),
        "firewalls.patch" | "firewalls.update" => firewalls::change(call, asked),
        "instances.get" | "instanceGroupManagers.get" | "instanceGroups.get" => {
            machine_calls::get(call, asked)
        }
        "instances.delete" => machine_calls::delete(call, asked),
        "instances.setLabels" => machine_calls::set_labels(call, asked),
        "instances.setMetadata" => machine_calls::set_metadata(call, asked),
        "instances.setTags" => machine_calls::set_tags(call, asked),
        "instanceGroupManagers.listManagedInstances" => machine_calls::list_managed(call, asked),
        "instanceGroups.listInstances" => machine_calls::list_instances(call, asked),
        action => match action.rsplit_once('.') {
            Some((collection, "list")) => lists::list(call, asked, collection),
            Some((collection, "aggregatedList")) => lists::aggregated(call, asked, collection),
            Some((collection, "get")) => references::get(call, asked, collection),
            Some((collection, "delete")) => references::delete(call, asked, collection),
            _ => Err(no_such_path(action)),
        },
    }
}

/// 400 for a field whose value cannot be.
pub(crate) fn invalid(field: &str, value: &str, says: &str) -> Error {
    Error::invalid(format!("Invalid value for field 'resource.{field}': '{value}'. {says}")).reason("invalid")
}

/// 400 for a field that must be there.
pub(crate) fn required(field: &str) -> Error {
    Error::invalid(format!("Required field 'resource.{field}' not specified")).reason("required")
}
