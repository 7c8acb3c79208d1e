//! One object, or a list of them: whole, as a table or as metadata, selected and in pages.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::negotiation::{self, Form};
use super::options::Options;
use super::route::{Object, Place};
use super::selector::Selector;
use super::table;
use crate::kubernetes::ClusterState;
use crate::kubernetes::back::{Request, Response};
use crate::kubernetes::state::store::{Key, Store};
use crate::kubernetes::status::{Status, json_response};

/// Where the next page begins.
///
/// Source: <https://github.com/kubernetes/apiserver/blob/master/pkg/storage/continue.go>
#[derive(Serialize, Deserialize)]
struct Continuation {
    v: String,
    rv: u64,
    start: [String; 2],
}

/// A page of a list, with what its metadata says.
struct Page {
    objects: Vec<Arc<Value>>,
    metadata: Value,
}

pub(super) fn get(state: &ClusterState, object: &Object, request: &Request) -> Result<Response, Status> {
    let form = form_of(request)?;
    let found = state
        .read(|world| world.store.get(&object.key()).cloned())
        .ok_or_else(|| Status::not_found(object.place.resource, &object.name))?;
    let body = match form {
        Form::Whole => Value::clone(&found),
        Form::Metadata => table::metadata_of(&found),
        Form::Table => {
            let metadata = json!({"resourceVersion": found["metadata"]["resourceVersion"]});
            table::table(object.place.resource, &[found], &metadata, &request.query, state.now(), true)
        }
    };
    Ok(json_response(StatusCode::OK, &body))
}

pub(super) fn list(
    state: &ClusterState,
    place: &Place,
    request: &Request,
    options: &Options,
) -> Result<Response, Status> {
    let form = form_of(request)?;
    let selector = Selector::parse(place, options)?;
    let Page { objects, metadata } = state.read(|world| page(&world.store, place, &selector, options))?;
    let body = match form {
        Form::Table => table::table(place.resource, &objects, &metadata, &request.query, state.now(), true),
        Form::Metadata => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "items": objects.iter().map(|object| table::metadata_of(object)).collect::<Vec<_>>(),
        }),
        Form::Whole => json!({
            "kind": format!("{}List", place.resource.kind), "apiVersion": place.resource.api_version(),
            "metadata": metadata, "items": objects.iter().map(|object| item(object)).collect::<Vec<_>>(),
        }),
    };
    Ok(json_response(StatusCode::OK, &body))
}

pub(super) fn form_of(request: &Request) -> Result<Form, Status> {
    negotiation::form(&request.headers).ok_or_else(Status::not_acceptable)
}

/// Items of a list do not repeat what the list says of their kind.
fn item(object: &Value) -> Value {
    let mut item = object.clone();
    if let Some(fields) = item.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    item
}

fn page(store: &Store, place: &Place, selector: &Selector, options: &Options) -> Result<Page, Status> {
    let current = store.version();
    if let Some(asked) = options.resource_version {
        if asked > current {
            return Err(Status::too_new(asked, current));
        }
        if options.exact && asked != current {
            return Err(Status::expired(format!(
                "The resourceVersion for the provided list is too old: {asked}"
            )));
        }
    }
    let after = options.continuation.as_deref().map(|token| decode(token, store)).transpose()?;
    let is_after = |key: &Key| {
        after.as_ref().is_none_or(|after| [&key.namespace, &key.name] > [&after.start[0], &after.start[1]])
    };
    let mut found = store
        .list(place.resource, place.namespace.as_deref())
        .filter(|(key, object)| is_after(key) && selector.matches(object));
    let limit = options.limit.unwrap_or(usize::MAX);
    let taken: Vec<_> = found.by_ref().take(limit).collect();
    let remaining = found.count();
    // All pages say the first one's version: a watch from there misses nothing that changed between them.
    let version = after.map_or(current, |after| after.rv);
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let (Some((last, _)), true) = (taken.last(), remaining > 0) {
        metadata["continue"] = encode(version, last).into();
        if selector.is_everything() {
            metadata["remainingItemCount"] = remaining.into();
        }
    }
    Ok(Page { objects: taken.into_iter().map(|(_, object)| Arc::clone(object)).collect(), metadata })
}

fn encode(version: u64, last: &Key) -> String {
    let start = json!({"v": "meta.k8s.io/v1", "rv": version, "start": [last.namespace, last.name]});
    URL_SAFE_NO_PAD.encode(start.to_string())
}

fn decode(token: &str, store: &Store) -> Result<Continuation, Status> {
    let unreadable = || Status::bad_request("continue key is not valid");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| unreadable())?;
    let continuation: Continuation = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
    if continuation.v != "meta.k8s.io/v1" || continuation.rv > store.version() {
        return Err(unreadable());
    }
    if store.changes_after(continuation.rv).is_none() {
        return Err(Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You must start a new \
             list without the continue parameter.",
        ));
    }
    Ok(continuation)
}
