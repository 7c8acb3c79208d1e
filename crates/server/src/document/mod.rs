//! The `OpenAPI` document, made from the routes. What is the same for every route (names in paths, headers, errors,
//! authentication) is added here, once.

mod page;
mod read_only;

use std::sync::LazyLock;

use http::Method;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{OpenApi, ToSchema};

use crate::access::{self, Access};
use crate::routes;

pub(crate) use page::page;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "pmks",
        description = "One interface to every cloud's managed Kubernetes. Times are RFC 3339 in UTC, sizes in GiB. \
                       Mutations at a cloud answer 202 with an operation; every error is an `application/problem+json`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact()
    ),
    components(schemas(pmks_api::Problem, pmks_api::Finding, pmks_api::Missing))
)]
struct Base;

/// What the routes are added to.
pub(crate) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = routes::all().split_for_parts();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, &method, operation);
        }
    }
    let components = document.components.get_or_insert_default();
    read_only::mark(components);
    for (name, scheme) in [("bearer", HttpAuthScheme::Bearer), ("basic", HttpAuthScheme::Basic)] {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
        components.add_security_scheme(name, scheme);
    }
    document
}

/// The whole document as it is kept in the repository.
pub fn document_json() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The whole document, as it is served.
pub(crate) fn served() -> &'static str {
    static SERVED: LazyLock<String> = LazyLock::new(document_json);
    &SERVED
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

fn complete(path: &str, method: &Method, operation: &mut Operation) {
    operation.operation_id = operation.operation_id.as_deref().map(camel_case);
    operation.tags = Some(vec![group(path)]);
    operation.summary = operation.summary.as_deref().map(in_one_line);
    operation.description = operation.description.as_deref().map(in_one_line);
    let mut parameters: Vec<_> = names(path).map(|name| in_path(&name)).collect();
    parameters.extend(operation.parameters.take().into_iter().flatten().filter(is_not_in_path));
    if operation.responses.responses.contains_key("202") {
        let says = "The same key and body give the same operation for 24 h; another body is refused (422).";
        parameters.push(in_header("Idempotency-Key", says, Required::False));
    }
    if *method == Method::PATCH {
        let says = "The ETag of what was read, or * for any.";
        parameters.push(in_header("If-Match", says, Required::True));
    }
    operation.parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
    describe_responses(operation);
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(pmks_api::Problem::name())));
    let error = ResponseBuilder::new()
        .description("What went wrong, and what helps")
        .content("application/problem+json", problem.build());
    operation.responses.responses.insert("default".to_owned(), error.build().into());
    if access::of(method, path) != Access::Public {
        let nothing = || std::iter::empty::<String>();
        let either = ["bearer", "basic"].map(|scheme| SecurityRequirement::new(scheme, nothing()));
        operation.security = Some(Vec::from(either));
    }
}

/// A description is required, and the status says it all.
fn describe_responses(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    let changes = responses.contains_key("202") || responses.contains_key("201");
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        let says = match status.as_str() {
            "200" if changes => "What would be done (`dryRun=plan`)",
            "201" => "It is there",
            "202" => "Accepted: the operation that carries it out",
            "204" => "Done; there is nothing to say",
            _ => "The answer",
        };
        says.clone_into(&mut response.description);
    }
}

fn is_not_in_path(parameter: &RefOr<Parameter>) -> bool {
    !matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path)
}

fn in_one_line(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// The names in braces.
fn names(path: &str) -> impl Iterator<Item = String> {
    path.split('/').filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned()))
}

/// The last plain word that a path is about: `clusters`, `networks`, …
fn group(path: &str) -> String {
    let below = path.strip_prefix("/v1/").unwrap_or(path);
    let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    let word = match parts.as_slice() {
        ["connections", "{connection}", kind, ..] | [kind, ..] => kind,
        [] => "pmks",
    };
    word.split(':').next().unwrap_or(word).to_owned()
}

fn in_path(name: &str) -> RefOr<Parameter> {
    let says = match name {
        "connection" => "Its name.",
        "operation" => "Its id.",
        "kind" => "The class of error.",
        "metric" => "Its word.",
        _ => "Our name, or the cloud's identifier.",
    };
    parameter(name, says, ParameterIn::Path, Required::True)
}

fn in_header(name: &str, says: &str, required: Required) -> RefOr<Parameter> {
    parameter(name, says, ParameterIn::Header, required)
}

fn parameter(name: &str, says: &str, place: ParameterIn, required: Required) -> RefOr<Parameter> {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(says))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
        .into()
}

/// `create_cluster` as `createCluster`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut whole, word| {
        let mut letters = word.chars();
        whole.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        whole.push_str(letters.as_str());
        whole
    })
}
