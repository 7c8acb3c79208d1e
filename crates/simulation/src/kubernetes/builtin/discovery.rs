//! What the cluster's API offers, in both ways that clients ask for it: aggregated in two answers, or by walking the
//! groups. Made from the table of resources alone.
//!
//! Source: <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>

use http::StatusCode;
use http::header::{ACCEPT, HOST};
use serde_json::{Value, json};

use crate::kubernetes::back::{Request, Response};
use crate::kubernetes::resource::{GROUPS, RESOURCES, REVIEWS, Resource, Review};
use crate::kubernetes::status::{json_response, typed_response};

/// The aggregated forms, newest first: what a client writes in `Accept`, and the version of the answer.
const AGGREGATED: [(&str, &str); 2] = [
    ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"),
    (
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "apidiscovery.k8s.io/v2beta1",
    ),
];

pub(super) fn is_known(path: &str) -> bool {
    paths().iter().any(|known| known == path && (path.starts_with("/api")))
}

/// The paths that `/` lists.
pub(super) fn paths() -> Vec<String> {
    let fixed = ["/api", "/api/v1", "/apis"].map(str::to_owned).into_iter();
    let groups = GROUPS.iter().flat_map(|group| [format!("/apis/{group}"), format!("/apis/{group}/v1")]);
    let rest = ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned);
    fixed.chain(groups).chain(rest).collect()
}

/// The answer of a path that [`is_known`].
pub(super) fn answer(path: &str, request: &Request) -> Response {
    let groups: &[&str] = match path {
        "/api" => &[""],
        _ => &GROUPS,
    };
    if let ("/api" | "/apis", Some((form, version))) = (path, aggregated(request)) {
        let items: Vec<Value> = groups.iter().map(|group| aggregated_group(group)).collect();
        let body =
            json!({"kind": "APIGroupDiscoveryList", "apiVersion": version, "metadata": {}, "items": items});
        return typed_response(StatusCode::OK, form, body.to_string());
    }
    let body = match path {
        "/api" => {
            let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            json!({
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
            })
        }
        "/apis" => json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": GROUPS.iter().map(|group| group_of(group)).collect::<Vec<_>>(),
        }),
        "/api/v1" => resources(""),
        _ => match path.trim_start_matches("/apis/").split_once('/') {
            Some((group, _)) => resources(group),
            None => with_kind(group_of(path.trim_start_matches("/apis/"))),
        },
    };
    json_response(StatusCode::OK, &body)
}

/// The first aggregated form that the client names, if it names one.
fn aggregated(request: &Request) -> Option<(&'static str, &'static str)> {
    let accept = request.headers.get(ACCEPT)?.to_str().ok()?;
    accept.split(',').find_map(|range| {
        let parts: Vec<&str> = range.split(';').map(str::trim).collect();
        AGGREGATED.into_iter().find(|(form, _)| form.split(';').all(|part| parts.contains(&part)))
    })
}

fn group_of(group: &str) -> Value {
    let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
    json!({"name": group, "versions": [version], "preferredVersion": version})
}

fn with_kind(mut group: Value) -> Value {
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    group
}

fn of_group(group: &str) -> (impl Iterator<Item = &'static Resource>, impl Iterator<Item = &'static Review>) {
    let resources = RESOURCES.iter().copied().filter(move |resource| resource.group == group);
    (resources, REVIEWS.iter().filter(move |review| review.group == group))
}

fn resources(group: &str) -> Value {
    let (kept, asked) = of_group(group);
    let kept = kept.flat_map(|resource| {
        let mut entry = json!({
            "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": verbs(resource),
        });
        put_names(&mut entry, resource);
        let eviction = (resource.plural == "pods").then(|| {
            json!({
                "name": "pods/eviction", "singularName": "", "namespaced": true, "group": "policy",
                "version": "v1", "kind": "Eviction", "verbs": ["create"],
            })
        });
        [Some(entry), eviction].into_iter().flatten()
    });
    let asked = asked.map(|review| {
        json!({
            "name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": false,
            "kind": review.kind, "verbs": ["create"],
        })
    });
    let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
        "resources": kept.chain(asked).collect::<Vec<_>>(),
    })
}

fn aggregated_group(group: &str) -> Value {
    let (kept, asked) = of_group(group);
    let kept = kept.map(|resource| {
        let mut entry = json!({
            "resource": resource.plural, "singularResource": resource.singular, "verbs": verbs(resource),
            "responseKind": {"group": group, "version": "v1", "kind": resource.kind},
            "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        });
        put_names(&mut entry, resource);
        if resource.plural == "pods" {
            entry["subresources"] = json!([{
                "subresource": "eviction", "verbs": ["create"],
                "responseKind": {"group": "policy", "version": "v1", "kind": "Eviction"},
            }]);
        }
        entry
    });
    let asked = asked.map(|review| {
        json!({
            "resource": review.plural, "singularResource": review.kind.to_lowercase(), "verbs": ["create"],
            "responseKind": {"group": group, "version": "v1", "kind": review.kind}, "scope": "Cluster",
        })
    });
    let resources: Vec<Value> = kept.chain(asked).collect();
    let mut metadata = json!({"creationTimestamp": null});
    if !group.is_empty() {
        metadata["name"] = group.into();
    }
    json!({"metadata": metadata, "versions": [{"version": "v1", "resources": resources, "freshness": "Current"}]})
}

fn verbs(resource: &Resource) -> Vec<&'static str> {
    let mut verbs: Vec<&str> = resource.verbs().collect();
    verbs.sort_unstable();
    verbs
}

fn put_names(entry: &mut Value, resource: &Resource) {
    if !resource.short.is_empty() {
        entry["shortNames"] = json!(resource.short);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
}
