//! Tags as Azure takes them: it knows no case in their keys, and keeps one of those that differ in case alone. And the calls
//! about the tags of one resource, whatever it is.
//!
//! Source: <https://github.com/MicrosoftDocs/azure-docs/issues/57888>, which does not say which value is kept; here it is
//! the last one.

use serde_json::{Map, Value, json};

use crate::arm::{Call, key, no_such_resource};
use crate::error::{Error, Result};
use crate::json::{at, set, text};
use crate::reply::Reply;

/// The most tags of a resource.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>.
const MOST: usize = 50;

/// `Tags_GetAtScope`
pub(crate) fn get(call: &mut Call<'_>) -> Result<Reply> {
    call.name_scope();
    show(call)
}

fn show(call: &Call<'_>) -> Result<Reply> {
    let tags = standing(call)?;
    Ok(Reply::ok(json!({
        "id": format!("{}/providers/Microsoft.Resources/tags/default", call.scope), "name": "default",
        "type": "Microsoft.Resources/tags", "properties": {"tags": tags},
    })))
}

/// The tags of the resource that the call is about.
fn standing(call: &Call<'_>) -> Result<Map<String, Value>> {
    let scope = key(&call.scope);
    let subscription = call.subscription();
    let document = subscription.documents.get(&scope).map(|known| &known.body);
    let cluster = || subscription.clusters.get(&scope).map(|known| &known.body);
    let body = document.or_else(cluster).ok_or_else(|| no_such_resource(&call.scope))?;
    Ok(at(body, "tags").as_object().cloned().unwrap_or_default())
}

/// `Tags_UpdateAtScope`: `Merge` leaves others alone, `Delete` takes those off that are named with their value or with an
/// empty one, `Replace` all others.
///
/// Source: <https://learn.microsoft.com/rest/api/resources/tags/update-at-scope>.
pub(crate) fn update(call: &mut Call<'_>) -> Result<Reply> {
    call.name_scope();
    let mut tags = standing(call)?;
    let named = at(&call.body, "properties.tags").as_object().cloned().unwrap_or_default();
    let wish = |known: &str| {
        named.iter().find(|(name, _)| name.to_lowercase() == known.to_lowercase()).map(|(_, value)| value)
    };
    match text(&call.body, "operation").unwrap_or_default() {
        "Merge" => {
            tags.retain(|known, _| wish(known).is_none());
            tags.extend(named);
        }
        "Replace" => tags = named,
        "Delete" => tags.retain(|known, value| {
            wish(known)
                .is_none_or(|wanted| wanted.as_str().is_some_and(|text| !text.is_empty()) && wanted != value)
        }),
        other => {
            let says = format!("The operation '{other}' is invalid: it is one of Replace, Merge and Delete.");
            return Err(Error::invalid("operation", says));
        }
    }
    if tags.len() > MOST {
        let says = format!("A resource can have at most {MOST} tags.");
        return Err(Error::invalid("properties.tags", says));
    }
    let (scope, etag) = (key(&call.scope), call.etag());
    let subscription = call.subscription_mut();
    if let Some(document) = subscription.documents.get_mut(&scope) {
        set(&mut document.body, "tags", Value::Object(tags));
        if !document.etag.is_empty() {
            document.etag = etag;
        }
    } else if let Some(cluster) = subscription.clusters.get_mut(&scope) {
        set(&mut cluster.body, "tags", Value::Object(tags));
        cluster.etag = etag;
    }
    show(call)
}

/// A request's body with each tag once: those of the resource, and those of pools within it.
pub(crate) fn merged(mut body: Value) -> Value {
    merge(&mut body);
    if let Some(properties) = body.get_mut("properties") {
        merge(properties);
        let pools = properties.get_mut("agentPoolProfiles").and_then(Value::as_array_mut);
        pools.into_iter().flatten().for_each(merge);
    }
    body
}

fn merge(holder: &mut Value) {
    let Some(tags) = holder.get_mut("tags").and_then(Value::as_object_mut) else { return };
    let mut kept: Map<String, Value> = Map::new();
    for (key, value) in std::mem::take(tags) {
        let same: Vec<String> =
            kept.keys().filter(|other| other.to_lowercase() == key.to_lowercase()).cloned().collect();
        for other in same {
            kept.remove(&other);
        }
        kept.insert(key, value);
    }
    *tags = kept;
}
