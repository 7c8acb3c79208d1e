//! The metadata server of a machine that runs as the world's first service account.
//!
//! Source: <https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys>.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use pmks_simulation::{Answered, Now};
use serde_json::json;

use super::CLOUD_PLATFORM;
use super::state::LIFETIME;
use super::token_endpoint::form;
use crate::route::Route;
use crate::world::World;

/// Answers one look at the metadata; only to those who say that they know whom they ask.
pub(crate) fn answer(
    world: &mut World,
    now: Now,
    route: &Route,
    request: &Request<Bytes>,
    request_id: &str,
) -> Answered {
    let flavored = request.headers().get("metadata-flavor").is_some_and(|value| value == "Google");
    let found = if flavored { find(world, now, route, request) } else { None };
    let (status, text) = match (flavored, found) {
        (false, _) => (StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header.".to_owned()),
        (true, None) => (StatusCode::NOT_FOUND, "Not found".to_owned()),
        (true, Some(text)) => (StatusCode::OK, text),
    };
    let content_type = if text.starts_with('{') { "application/json" } else { "application/text" };
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("metadata-flavor", HeaderValue::from_static("Google"));
    let code = (!status.is_success()).then(|| status.as_u16().to_string());
    Answered { response, code, request_id: request_id.to_owned() }
}

fn find(world: &mut World, now: Now, route: &Route, request: &Request<Bytes>) -> Option<String> {
    let parts: Vec<&str> = route.names.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let account = world.auth.accounts.values().next()?.clone();
    match parts.as_slice() {
        ["project", "project-id"] => Some(account.project),
        ["project", "numeric-project-id"] => Some(world.projects.get(&account.project)?.number.clone()),
        ["universe", "universe-domain" | "universe_domain"] => Some("googleapis.com".to_owned()),
        ["instance", "service-accounts", "default", "email"] => Some(account.email),
        ["instance", "service-accounts", "default", "scopes"] => Some(format!("{CLOUD_PLATFORM}\n")),
        ["instance", "service-accounts", "default"] => Some(
            json!({"aliases": ["default"], "email": account.email, "scopes": [CLOUD_PLATFORM]}).to_string(),
        ),
        ["instance", "service-accounts", who, "token"] if *who == "default" || *who == account.email => {
            let query = form(request.uri().query().unwrap_or_default().as_bytes());
            let scopes = query.get("scopes").map_or_else(
                || vec![CLOUD_PLATFORM.to_owned()],
                |scopes| scopes.split(',').map(str::to_owned).collect(),
            );
            let principal = account.principal();
            let token = world.auth.give(principal, scopes, Some(LIFETIME), &mut world.random, now.wall);
            Some(
                json!({"access_token": token, "expires_in": LIFETIME - 1, "token_type": "Bearer"})
                    .to_string(),
            )
        }
        _ => None,
    }
}
