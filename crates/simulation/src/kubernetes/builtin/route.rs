//! Paths of the Kubernetes API as what they name.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris>

use percent_encoding::percent_decode_str;

use crate::kubernetes::resource::{NAMESPACES, REVIEWS, Resource, Review};
use crate::kubernetes::state::store::Key;

/// A kind, in one namespace or in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) resource: &'static Resource,
    pub(super) namespace: Option<String>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) place: Place,
    pub(super) name: String,
}

impl Object {
    pub(super) fn key(&self) -> Key {
        Key::new(self.place.resource, self.place.namespace.as_deref().unwrap_or_default(), &self.name)
    }
}

/// What a path names.
#[derive(Debug)]
pub(super) enum Target {
    Collection(Place),
    Object(Object),
    Subresource(Object, String),
    Review(&'static Review),
    /// Something that is no object: health, discovery, or nothing at all.
    Path,
}

pub(super) fn target(path: &str) -> Target {
    known_target(path).unwrap_or(Target::Path)
}

fn known_target(path: &str) -> Option<Target> {
    let segments: Vec<String> = path
        .strip_prefix('/')?
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    if let [plural] = rest
        && version == "v1"
        && let Some(review) = REVIEWS.iter().find(|review| review.group == group && review.plural == *plural)
    {
        return Some(Target::Review(review));
    }
    let find = |plural: &str| Resource::find(group, version, plural);
    match rest {
        ["namespaces", namespace, plural, deeper @ ..]
            if find(plural).is_some_and(|known| known.namespaced) =>
        {
            let place = Place { resource: find(plural)?, namespace: Some((*namespace).to_owned()) };
            below(place, deeper)
        }
        [plural, deeper @ ..] => {
            let resource = find(plural)?;
            // A namespaced object is never named without its namespace.
            if resource.namespaced && !deeper.is_empty() {
                return None;
            }
            below(Place { resource, namespace: None }, deeper)
        }
        [] => None,
    }
}

fn below(place: Place, deeper: &[&str]) -> Option<Target> {
    match deeper {
        [] => Some(Target::Collection(place)),
        [name] if !name.is_empty() => Some(Target::Object(Object { place, name: (*name).to_owned() })),
        // `/api/v1/namespaces/NAME/KIND` of a kind that is not here is no subresource of the namespace.
        [_, subresource, ..]
            if place.resource == &NAMESPACES && !["status", "finalize"].contains(subresource) =>
        {
            None
        }
        [name, subresource, ..] if !name.is_empty() => {
            Some(Target::Subresource(Object { place, name: (*name).to_owned() }, (*subresource).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        match target(path) {
            Target::Collection(place) => format!("{} in {:?}", place.resource.plural, place.namespace),
            Target::Object(object) => {
                format!("{} {} in {:?}", object.place.resource.plural, object.name, object.place.namespace)
            }
            Target::Subresource(object, sub) => format!("{} of {}", sub, object.name),
            Target::Review(review) => review.kind.to_owned(),
            Target::Path => "path".to_owned(),
        }
    }

    #[test]
    fn paths_name_what_kubernetes_says() {
        for (path, expected) in [
            ("/api/v1/nodes", "nodes in None"),
            ("/api/v1/nodes/a%2Db", "nodes a-b in None"),
            ("/api/v1/pods", "pods in None"),
            ("/api/v1/pods/a", "path"),
            ("/api/v1/namespaces", "namespaces in None"),
            ("/api/v1/namespaces/a", "namespaces a in None"),
            ("/api/v1/namespaces/a/status", "status of a"),
            ("/api/v1/namespaces/a/pods", "pods in Some(\"a\")"),
            ("/api/v1/namespaces/a/pods/b", "pods b in Some(\"a\")"),
            ("/api/v1/namespaces/a/pods/b/log", "log of b"),
            ("/api/v1/namespaces/a/secrets", "path"),
            ("/apis/networking.k8s.io/v1/ingresses", "ingresses in None"),
            ("/apis/networking.k8s.io/v1beta1/ingresses", "path"),
            ("/apis/gateway.networking.k8s.io/v1/gateways", "path"),
            ("/apis/authentication.k8s.io/v1/selfsubjectreviews", "SelfSubjectReview"),
            ("/api/v1", "path"),
            ("/api/v1/", "path"),
            ("/", "path"),
            ("", "path"),
            ("//", "path"),
            ("/api/v1/namespaces//pods//", "path"),
        ] {
            assert_eq!(text(path), expected, "{path}");
        }
    }
}
