//! The front door: tells the call by its path, proves the caller, and hands the call on.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use pmks_simulation::{Answered, Effects, Identified, Now};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::calls::Call;
use crate::error::{self, Error};
use crate::world::{Kind, World};

/// What the path and method of a request say.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    region: String,
    collection: String,
    verb: &'static str,
    /// The one thing that the path names.
    id: String,
    /// What of it, where the path says more.
    part: String,
}

/// What begins so is refused as a name: what a wrong credential does can be tried.
const WRONG: &str = "wrong";

/// `/v1/REGION/COLLECTION[/ID[/token|/metrics/METRIC]]`; `None` where nobody answers.
fn route(method: &Method, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (region, collection, rest) = match parts.as_slice() {
        ["v1", region, collection, rest @ ..] if !region.is_empty() => (*region, *collection, rest),
        _ => return None,
    };
    let is_kind = Kind::of(collection).is_some();
    let (verb, id) = match (method.as_str(), rest) {
        ("GET", []) if matches!(collection, "account" | "catalogue") => ("get", ""),
        ("GET", [id]) if collection == "operations" => ("get", *id),
        ("GET", [id, "metrics", _]) if collection == "nodes" => ("getMetric", *id),
        ("GET", [id, "token"]) if collection == "clusters" => ("getToken", *id),
        ("GET", []) if is_kind => ("list", ""),
        ("POST", []) if is_kind => ("create", ""),
        ("GET", [id]) if is_kind => ("get", *id),
        ("PATCH", [id]) if is_kind => ("update", *id),
        ("DELETE", [id]) if is_kind => ("delete", *id),
        _ => return None,
    };
    let part = rest.get(2).map(|part| (*part).to_owned()).unwrap_or_default();
    Some(Route {
        region: region.to_owned(),
        collection: collection.to_owned(),
        verb,
        id: id.to_owned(),
        part,
    })
}

/// What a request is about; nothing is proven yet.
pub(crate) fn identify(request: &Request<Bytes>) -> Identified {
    let service = "mock".to_owned();
    let Some(route) = route(request.method(), request.uri().path()) else {
        return Identified { service, action: "unknown".to_owned(), ..Identified::default() };
    };
    let named = match route.verb {
        "list" => query(request).remove("name"),
        "create" => body(request).get("name").and_then(Value::as_str).map(str::to_owned),
        _ => Some(route.id),
    };
    let action = format!("{}.{}", route.collection, route.verb);
    Identified { service, action, resource: named.filter(|named| !named.is_empty()), caller: None }
}

/// Proves the caller and carries out one request.
pub(crate) fn answer(world: &mut World, now: Now, request: &Request<Bytes>, effects: &Effects) -> Answered {
    let request_id = world.random.hex(16);
    let Some(account) = caller(request) else {
        return error::answer(Err(Error::unauthenticated()), request_id);
    };
    let Some(route) = route(request.method(), request.uri().path()) else {
        let path = request.uri().path();
        return error::answer(Err(Error::invalid(format!("nobody answers {path}"))), request_id);
    };
    world.account(&account);
    let mut call = Call { world, account, region: route.region, now, effects };
    let result = match (route.collection.as_str(), route.verb, Kind::of(&route.collection)) {
        ("account", ..) => Ok(call.account()),
        ("catalogue", ..) => Ok(crate::catalogue::view(&call.region)),
        ("operations", ..) => call.operation(&route.id),
        (_, "getMetric", _) => call.metric(&route.id, &route.part, &query(request)),
        (_, "getToken", _) => call.token(&route.id),
        (_, "list", Some(kind)) => call.list(kind, &query(request)),
        (_, "create", Some(kind)) => call.create(kind, body(request)),
        (_, "get", Some(kind)) => call.get(kind, &route.id),
        (_, "update", Some(kind)) => call.update(kind, &route.id, body(request)),
        (_, _, Some(kind)) => call.delete(kind, &route.id),
        (collection, ..) => Err(Error::not_found("collection", collection)),
    };
    error::answer(result, request_id)
}

/// The `MockName` that a request shows, if it is accepted.
fn caller(request: &Request<Bytes>) -> Option<String> {
    let shown = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    (!shown.is_empty() && !shown.starts_with(WRONG)).then(|| shown.to_owned())
}

fn query(request: &Request<Bytes>) -> BTreeMap<String, String> {
    form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn body(request: &Request<Bytes>) -> Map<String, Value> {
    serde_json::from_slice(request.body()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_one_call() {
        let named = |method: &str, path: &str| {
            let route = route(&method.parse().unwrap(), path)?;
            Some(format!("{} {}.{} {}", route.region, route.collection, route.verb, route.id))
        };
        for (method, path, is) in [
            ("GET", "/v1/mars/account", "mars account.get "),
            ("GET", "/v1/mars/clusters", "mars clusters.list "),
            ("POST", "/v1/mars/clusters", "mars clusters.create "),
            ("GET", "/v1/mars/clusters/c/token", "mars clusters.getToken c"),
            ("PATCH", "/v1/mars/nodeGroups/g", "mars nodeGroups.update g"),
            ("DELETE", "/v1/mars/keyPairs/k", "mars keyPairs.delete k"),
            ("GET", "/v1/mars/operations/o", "mars operations.get o"),
            ("GET", "/v1/mars/nodes/n/metrics/cpuUsage", "mars nodes.getMetric n"),
        ] {
            assert_eq!(named(method, path).as_deref(), Some(is));
        }
        for (method, path) in [
            ("GET", "/v1/mars/rockets"),
            ("PUT", "/v1/mars/clusters/c"),
            ("GET", "/"),
            ("GET", "/v1//clusters"),
        ] {
            assert_eq!(named(method, path), None, "{method} {path}");
        }
    }
}
