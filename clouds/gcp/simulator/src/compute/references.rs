//! Resources found by what a call or another resource says of them; read, removed, and refused while in use.

use serde_json::{Map, Value};

use super::collections::{collection, in_paths};
use super::operations::{self, End};
use super::state::{State, Stored, key, link};
use super::{Asked, lists};
use crate::call::Call;
use crate::catalogue;
use crate::error::{Error, Result};
use crate::front::no_such_path;

/// How long a removal takes.
const REMOVING: std::time::Duration = std::time::Duration::from_secs(12);

/// 404 of a path.
pub(crate) fn no_resource(path: &str) -> Error {
    Error::not_found(format!("The resource '{path}' was not found"))
}

/// The last part of a link or path.
pub(crate) fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

/// The scope that a call's path names.
///
/// # Errors
/// 400 for a zone or region that does not exist.
pub(crate) fn scope(call: &Call<'_>, place: &str) -> Result<String> {
    if place == "global" {
        return Ok(place.to_owned());
    }
    if catalogue::region(place).is_some() {
        return Ok(format!("regions/{place}"));
    }
    if catalogue::region_of(place).is_some() {
        return Ok(format!("zones/{place}"));
    }
    let kind = if place.rsplit('-').next().is_some_and(|end| end.len() == 1) { "zone" } else { "region" };
    Err(Error::invalid(format!(
        "Invalid value for field '{kind}': '{place}'. Unknown {kind} in project '{}'.",
        call.project
    ))
    .reason("invalid"))
}

/// What a call's path names: by its name, or by its number.
///
/// Source: the parameters' patterns, as in <https://compute.googleapis.com/discovery/v1/apis/compute/v1/rest>: a name,
/// or `[1-9][0-9]{0,19}`.
///
/// # Errors
/// 404 where there is none.
pub(crate) fn find<'a>(call: &'a Call<'_>, asked: &Asked<'_>, called: &str) -> Result<&'a Stored> {
    let collection = in_paths(called);
    let scope = scope(call, asked.route.name(0))?;
    let name = asked.route.name(1);
    let resources = &call.held().compute.resources;
    let found = resources.get(&key(collection, &scope, name)).or_else(|| {
        let mut here = resources.values().filter(|one| one.collection == collection && one.scope == scope);
        here.find(|one| one.id == name)
    });
    found.ok_or_else(|| no_resource(&format!("projects/{}/{scope}/{collection}/{name}", call.project)))
}

/// Reads one.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>, called: &str) -> Result<Value> {
    if collection(in_paths(called)).is_none() {
        return Err(no_such_path(&asked.route.action));
    }
    find(call, asked, called).map(|found| lists::shown(&call.held().compute, found, call.project))
}

/// Removes one, unless something uses it.
pub(crate) fn delete(call: &mut Call<'_>, asked: &Asked<'_>, called: &str) -> Result<Value> {
    if collection(in_paths(called)).is_none() {
        return Err(no_such_path(&asked.route.action));
    }
    let found = find(call, asked, called)?.clone();
    ready(&found, call.project)?;
    if let Some(user) = user_of(&call.held().compute, &found, call.project) {
        return Err(in_use(&found, call.project, &user));
    }
    operations::begin(call, "delete", &found, End::Gone, REMOVING)
}

/// Refuses what is being made or removed.
pub(crate) fn ready(found: &Stored, project: &str) -> Result<()> {
    if found.busy.is_none() {
        return Ok(());
    }
    let says = format!("The resource '{}' is not ready", found.path(project));
    Err(Error::invalid(says).reason("resourceNotReady"))
}

/// 400 for what another resource uses.
pub(crate) fn in_use(found: &Stored, project: &str, user: &str) -> Error {
    Error::invalid(in_use_words(found, project, user)).reason("resourceInUseByAnotherResource")
}

/// Compute Engine's words for it.
pub(crate) fn in_use_words(found: &Stored, project: &str, user: &str) -> String {
    let kind = collection(&found.collection).map_or("", |known| known.row);
    format!("The {kind} resource '{}' is already being used by '{user}'", found.path(project))
}

/// The path of a resource that refers to this one. Routes that came with a network go with it.
pub(crate) fn user_of(state: &State, found: &Stored, project: &str) -> Option<String> {
    let own = link(&found.path(project));
    let by_itself = |other: &Stored| other.collection == "routes" && other.name.starts_with("default-route-");
    let stored = state
        .resources
        .values()
        .filter(|other| other.key() != found.key() && !by_itself(other))
        .find(|other| mentions(&other.body, &own))
        .map(|other| other.path(project));
    stored.or_else(|| {
        let machine = state.instances.values().find(|instance| instance.mentions(&own, project));
        machine.map(|instance| {
            format!("projects/{project}/zones/{}/instances/{}", instance.wish.zone, instance.name)
        })
    })
}

fn mentions(body: &Map<String, Value>, link: &str) -> bool {
    fn inner(value: &Value, link: &str) -> bool {
        match value {
            Value::String(text) => text == link,
            Value::Array(items) => items.iter().any(|item| inner(item, link)),
            Value::Object(members) => mentions(members, link),
            _ => false,
        }
    }
    // What uses a disk or an address is named in it; that is no use of the user.
    body.iter().filter(|(key, _)| *key != "users").any(|(_, value)| inner(value, link))
}

/// The resource of a collection that a field refers to, by link, partial path or name.
///
/// # Errors
/// 404 in Compute Engine's words, or 400 while it is being made or removed.
pub(crate) fn referred<'a>(
    call: &'a Call<'_>,
    collection: &str,
    scope: &str,
    field: &str,
    reference: &str,
) -> Result<&'a Stored> {
    let found = call.held().compute.resources.get(&key(collection, scope, last(reference)));
    let found = found.ok_or_else(|| {
        let path = format!("projects/{}/{scope}/{collection}/{}", call.project, last(reference));
        super::invalid(
            field,
            reference,
            &format!(
                "The referenced {} resource '{path}' cannot be found.",
                collection.trim_end_matches('s')
            ),
        )
        .reason("invalid")
    })?;
    ready(found, call.project)?;
    Ok(found)
}

/// Checks a name that a user gives.
///
/// # Errors
/// 400 for a name that cannot be, 409 for one that is taken.
pub(crate) fn new_name(
    call: &Call<'_>,
    body: &Map<String, Value>,
    collection: &str,
    scope: &str,
) -> Result<String> {
    let name = body.get("name").and_then(Value::as_str).ok_or_else(|| super::required("name"))?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(plain)
        && name.chars().all(|c| plain(c) || c == '-');
    if !fits {
        let pattern = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
        return Err(super::invalid("name", name, pattern));
    }
    if call.held().compute.resources.contains_key(&key(collection, scope, name)) {
        let path = format!("projects/{}/{scope}/{collection}/{name}", call.project);
        return Err(Error::new(
            crate::error::Code::AlreadyExists,
            format!("The resource '{path}' already exists"),
        ));
    }
    Ok(name.to_owned())
}
