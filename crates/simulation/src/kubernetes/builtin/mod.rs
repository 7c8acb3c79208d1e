//! The built-in back: small and honest, what unmodified `kubectl` needs to read a cluster, plus the few changes that
//! draining a node and deleting a cluster's children need. What it does not do it refuses, naming itself.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON values: what is missing reads as null, and members are set only in objects made or checked here"
)]

mod access;
mod change;
mod discovery;
mod negotiation;
mod openapi;
mod options;
mod protobuf;
mod read;
mod review;
mod route;
mod selector;
mod table;
mod watch;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use self::access::Attempt;
use self::options::Options;
use self::route::{Object, Place, Target};
use super::ClusterState;
use super::back::{Back, Request, Response};
use super::status::{Status, json_response, page_not_found, typed_response};

/// Answers for a cluster from its [`ClusterState`].
#[derive(Clone, Debug)]
pub struct Builtin {
    state: ClusterState,
}

impl Builtin {
    /// A back over this content.
    pub fn new(state: ClusterState) -> Self {
        Self { state }
    }

    fn answer(&self, request: &Request) -> Result<Response, Status> {
        access::no_impersonation(request, &self.state.name())?;
        let options = Options::parse(&request.query);
        match route::target(&request.path) {
            Target::Collection(place) => self.collection(&place, request, &options),
            Target::Object(object) => self.object(&object, request, &options),
            Target::Subresource(object, subresource) => self.subresource(&object, &subresource, request),
            Target::Review(review) => self.review(review, request),
            Target::Path => self.path(request),
        }
    }

    fn collection(&self, place: &Place, request: &Request, options: &Options) -> Result<Response, Status> {
        let verb = match request.method {
            Method::GET if options.watch => "watch",
            Method::GET => "list",
            Method::POST => "create",
            Method::DELETE => "deletecollection",
            _ => return Err(self.refuse(&request.method.to_string().to_lowercase(), place)),
        };
        Attempt::on(verb, place).check(&request.identity)?;
        match verb {
            "list" => read::list(&self.state, place, request, options),
            "watch" => watch::start(&self.state, place, request, options),
            _ => Err(self.refuse(verb, place)),
        }
    }

    fn object(&self, object: &Object, request: &Request, options: &Options) -> Result<Response, Status> {
        let verb = match request.method {
            Method::GET if options.watch => "watch",
            Method::GET => "get",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => return Err(self.refuse("create", &object.place)),
        };
        Attempt::on(verb, &object.place).of(&object.name).check(&request.identity)?;
        if !object.place.resource.verbs().any(|known| known == verb) {
            return Err(self.refuse(verb, &object.place));
        }
        match verb {
            "get" => read::get(&self.state, object, request),
            "watch" => {
                watch::start(&self.state, &object.place, request, &options.clone().of_one(&object.name))
            }
            "delete" => change::delete(&self.state, object, request, options),
            _ => change::cordon(&self.state, object, request, options),
        }
    }

    fn subresource(&self, object: &Object, subresource: &str, request: &Request) -> Result<Response, Status> {
        let verb = match request.method {
            Method::GET => "get",
            Method::POST => "create",
            Method::DELETE => "delete",
            Method::PATCH => "patch",
            _ => "update",
        };
        Attempt::on(verb, &object.place).of(&object.name).within(subresource).check(&request.identity)?;
        let plural = object.place.resource.plural;
        if (plural, subresource, verb) == ("pods", "eviction", "create") {
            return change::evict(&self.state, object, request);
        }
        let cluster = self.state.name();
        Err(Status::method_not_allowed(format!(
            "the simulated cluster \"{cluster}\" has no machines behind it: it does not {verb} {plural}/{subresource}"
        )))
    }

    fn review(
        &self,
        review: &'static super::resource::Review,
        request: &Request,
    ) -> Result<Response, Status> {
        if request.method != Method::POST {
            let message = "the server does not allow this method on the requested resource";
            return Err(Status::method_not_allowed(message));
        }
        review::answer(&self.state, review, request)
    }

    /// What is no object: health, version, discovery, schema.
    fn path(&self, request: &Request) -> Result<Response, Status> {
        Attempt::path(&request.method, &request.path).check(&request.identity)?;
        let path = request.path.trim_end_matches('/');
        if !discovery::is_known(path) && !openapi::is_known(path) && !OWN_PATHS.contains(&path) {
            return Ok(page_not_found());
        }
        if request.method != Method::GET {
            let message = "the server does not allow this method on the requested resource";
            return Err(Status::method_not_allowed(message));
        }
        Ok(match path {
            "/healthz" | "/livez" | "/readyz" => {
                typed_response(StatusCode::OK, "text/plain; charset=utf-8", "ok")
            }
            "/version" => json_response(StatusCode::OK, &version(&self.state.version())),
            "" => json_response(StatusCode::OK, &json!({"paths": discovery::paths()})),
            _ if openapi::is_known(path) => openapi::answer(&self.state, path, request),
            _ => discovery::answer(path, request),
        })
    }

    fn refuse(&self, verb: &str, place: &Place) -> Status {
        let (cluster, resource) = (self.state.name(), place.resource.qualified());
        Status::method_not_allowed(format!(
            "the simulated cluster \"{cluster}\" is read-only here: it does not {verb} {resource}"
        ))
    }
}

const OWN_PATHS: [&str; 5] = ["/healthz", "/livez", "/readyz", "/version", ""];

#[async_trait]
impl Back for Builtin {
    async fn serve(&self, request: Request) -> Response {
        self.answer(&request).unwrap_or_else(|status| status.response())
    }
}

/// The answer of `/version`; what the cloud did not say of its build is left empty.
fn version(version: &str) -> Value {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    json!({
        "major": major, "minor": minor, "gitVersion": version, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    })
}
