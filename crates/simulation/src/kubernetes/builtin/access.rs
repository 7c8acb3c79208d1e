//! What a caller may do: everything, or what every authenticated user may (look at the API and at oneself).
//! Refusals are worded as the API server words them.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles>

use http::Method;
use serde_json::json;

use super::route::Place;
use crate::kubernetes::status::Status;
use crate::kubernetes::{Identity, Request};

/// One thing that a caller asks for.
#[derive(Debug)]
pub(super) enum Attempt<'a> {
    Objects { verb: &'a str, place: &'a Place, name: &'a str, subresource: &'a str },
    Path { verb: String, path: &'a str },
}

/// The paths that `system:discovery` and `system:public-info-viewer` give to every authenticated user.
const PUBLIC: [&str; 5] = ["/healthz", "/livez", "/readyz", "/version", "/api"];
const PUBLIC_BELOW: [&str; 3] = ["/api/", "/apis", "/openapi"];

impl<'a> Attempt<'a> {
    pub(super) fn on(verb: &'a str, place: &'a Place) -> Self {
        Self::Objects { verb, place, name: "", subresource: "" }
    }

    pub(super) fn of(self, of: &'a str) -> Self {
        match self {
            Self::Objects { verb, place, subresource, .. } => {
                Self::Objects { verb, place, name: of, subresource }
            }
            path @ Self::Path { .. } => path,
        }
    }

    pub(super) fn within(self, within: &'a str) -> Self {
        match self {
            Self::Objects { verb, place, name, .. } => {
                Self::Objects { verb, place, name, subresource: within }
            }
            path @ Self::Path { .. } => path,
        }
    }

    pub(super) fn path(method: &Method, path: &'a str) -> Self {
        Self::Path { verb: method.as_str().to_lowercase(), path }
    }

    /// A 403 unless the identity may.
    pub(super) fn check(&self, identity: &Identity) -> Result<(), Status> {
        if identity.may_do_everything() || self.is_public() {
            return Ok(());
        }
        let user = &identity.username;
        Err(match self {
            Self::Path { verb, path } => {
                let message = format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"");
                Status::forbidden(message, json!({}))
            }
            Self::Objects { verb, place, name, subresource } => {
                let resource = place.resource;
                let subject = resource.qualified() + &quoted(name);
                let asked = if subresource.is_empty() {
                    resource.plural.to_owned()
                } else {
                    format!("{}/{subresource}", resource.plural)
                };
                let scope = match &place.namespace {
                    Some(namespace) => format!("in the namespace \"{namespace}\""),
                    None => "at the cluster scope".to_owned(),
                };
                let message = format!(
                    "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{asked}\" in API group \"{}\" {scope}",
                    resource.group
                );
                Status::forbidden(message, resource.details(name))
            }
        })
    }

    fn is_public(&self) -> bool {
        match self {
            Self::Objects { .. } => false,
            Self::Path { verb, path } => {
                verb == "get"
                    && (PUBLIC.contains(path) || PUBLIC_BELOW.iter().any(|prefix| path.starts_with(prefix)))
            }
        }
    }
}

/// Nobody here may act as someone else: the back has nobody but who the cloud's authenticator named.
pub(super) fn no_impersonation(request: &Request, cluster: &str) -> Result<(), Status> {
    if request.headers.keys().any(|name| name.as_str().starts_with("impersonate-")) {
        let message = format!("the simulated cluster \"{cluster}\" does not let a user act as another one");
        return Err(Status::forbidden(message, json!({})));
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" \"{name}\"") }
}
