//! Lists of everything: of one scope or of all, filtered, in pages.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList>.

use std::collections::BTreeMap;

use pmks_simulation::pages::page;
use serde_json::{Map, Value, json};

use super::collections::{collection, in_paths};
use super::filter::Filter;
use super::references::scope;
use super::state::{State, Stored, link};
use super::{Asked, catalogue_views, machine_views, subnetworks};
use crate::call::Call;
use crate::catalogue::REGIONS;
use crate::error::{Error, Result};
use crate::front::no_such_path;

/// The largest and the usual page.
const LARGEST: usize = 500;

/// One as the API shows it, with what only the whole state knows.
pub(crate) fn shown(state: &State, stored: &Stored, project: &str) -> Value {
    let mut shown = stored.view(project);
    if stored.collection == "networks" {
        shown["subnetworks"] = subnetworks::of_network(state, &stored.name, project).into();
    }
    shown
}

/// Everything of a collection with its scope, under a key by which pages are ordered.
fn everything(state: &State, called: &str, project: &str) -> Option<Vec<(String, String, Value)>> {
    let name = in_paths(called);
    let scoped = |items: Vec<(String, Value)>| {
        items
            .into_iter()
            .map(|(scope, item)| {
                (format!("{scope}/{}", item["name"].as_str().unwrap_or_default()), scope, item)
            })
            .collect()
    };
    if collection(name).is_some() {
        let stored = state.resources.values().filter(|stored| stored.collection == name);
        return Some(scoped(stored.map(|one| (one.scope.clone(), shown(state, one, project))).collect()));
    }
    match name {
        "instances" | "instanceGroupManagers" | "instanceGroups" => {
            Some(scoped(machine_views::all(state, name, project)))
        }
        "regions" | "zones" | "machineTypes" | "diskTypes" => {
            Some(scoped(catalogue_views::all(state, name, project)))
        }
        "globalOperations" | "regionOperations" | "zoneOperations" => {
            let operations = state.operations.values();
            Some(scoped(operations.map(|one| (one.scope().to_owned(), one.view(project))).collect()))
        }
        _ => None,
    }
}

/// One page of a scope.
pub(crate) fn list(call: &Call<'_>, asked: &Asked<'_>, called: &str) -> Result<Value> {
    let state = &call.held().compute;
    let items = everything(state, called, call.project).ok_or_else(|| no_such_path(&asked.route.action))?;
    let wanted = match asked.route.names.first() {
        Some(place) => scope(call, place)?,
        None => String::new(),
    };
    let here: Vec<_> = items.into_iter().filter(|(_, scope, _)| *scope == wanted).collect();
    let (items, next) = pages(asked, here)?;
    let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    let place = if wanted.is_empty() { String::new() } else { format!("{wanted}/") };
    let path = format!("projects/{}/{place}{}", call.project, in_paths(called));
    Ok(envelope(&kind(called, "List"), &path, (!items.is_empty()).then(|| items.into()), next))
}

/// One page of all scopes.
pub(crate) fn aggregated(call: &Call<'_>, asked: &Asked<'_>, called: &str) -> Result<Value> {
    let state = &call.held().compute;
    let items = everything(state, called, call.project).ok_or_else(|| no_such_path(&asked.route.action))?;
    let member = if called.ends_with("Operations") { "operations" } else { in_paths(called) };
    let zonal = items.iter().any(|(_, scope, _)| scope.starts_with("zones/")) || member == "instances";
    let (items, next) = pages(asked, items)?;
    let mut scopes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    if asked.query("returnPartialSuccess").is_none() {
        scopes = every_scope(zonal).map(|scope| (scope, Vec::new())).collect();
    }
    for (scope, item) in items {
        scopes.entry(scope).or_default().push(item);
    }
    let scopes: Map<String, Value> = scopes
        .into_iter()
        .map(|(scope, items)| {
            let held = if items.is_empty() { nothing(&scope) } else { json!({ member: items }) };
            (scope, held)
        })
        .collect();
    let path = format!("projects/{}/aggregated/{member}", call.project);
    Ok(envelope(&kind(called, "AggregatedList"), &path, Some(scopes.into()), next))
}

fn every_scope(zonal: bool) -> impl Iterator<Item = String> {
    REGIONS.iter().flat_map(move |region| {
        let own = (!zonal).then(|| format!("regions/{}", region.name));
        let zones = region.zones().filter(move |_| zonal).map(|zone| format!("zones/{zone}"));
        own.into_iter().chain(zones)
    })
}

fn nothing(scope: &str) -> Value {
    json!({"warning": {
        "code": "NO_RESULTS_ON_PAGE", "message": format!("There are no results for scope '{scope}' on this page."),
        "data": [{"key": "scope", "value": scope}],
    }})
}

fn kind(called: &str, ending: &str) -> String {
    let name = if called.ends_with("Operations") { "operation" } else { in_paths(called) };
    let one = match collection(name) {
        Some(known) => known.kind.trim_start_matches("compute#").to_owned(),
        None => name.trim_end_matches('s').to_owned(),
    };
    format!("compute#{one}{ending}")
}

fn envelope(kind: &str, path: &str, items: Option<Value>, next: Option<String>) -> Value {
    let mut list = json!({"kind": kind, "id": path, "selfLink": link(path)});
    if let Some(items) = items {
        list["items"] = items;
    }
    if let Some(next) = next {
        list["nextPageToken"] = next.into();
    }
    list
}

type Page = (Vec<(String, Value)>, Option<String>);

fn pages(asked: &Asked<'_>, items: Vec<(String, String, Value)>) -> Result<Page> {
    let filter = Filter::read(asked.query("filter").unwrap_or_default()).map_err(|says| {
        Error::invalid(format!("Invalid value for field 'filter': '{says}'. Invalid list filter expression."))
            .reason("invalid")
    })?;
    let items = items.into_iter().filter(|(.., item)| filter.fits(item));
    let items = items.map(|(key, scope, item)| (key, (scope, item))).collect();
    page(items, size(asked)?, asked.query("pageToken")).map_err(|_| {
        Error::invalid("Invalid value for field 'pageToken'. The page token is not valid.").reason("invalid")
    })
}

/// How many items a page has.
pub(crate) fn size(asked: &Asked<'_>) -> Result<usize> {
    let Some(text) = asked.query("maxResults") else { return Ok(LARGEST) };
    let wanted = text.parse::<usize>().ok().filter(|wanted| *wanted <= LARGEST);
    let wanted = wanted.ok_or_else(|| {
        let says = format!("Invalid value for field 'maxResults': '{text}'. Must be between 0 and 500.");
        Error::invalid(says).reason("invalid")
    })?;
    Ok(if wanted == 0 { LARGEST } else { wanted })
}
