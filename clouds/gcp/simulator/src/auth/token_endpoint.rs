//! The OAuth 2 token endpoint: assertions of service accounts and refresh tokens of users.
//!
//! Sources: <https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>,
//! <https://developers.google.com/identity/protocols/oauth2/web-server#offline>.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use pmks_simulation::Now;
use serde_json::{Value, json};

use super::state::LIFETIME;
use super::{holder, jwt};
use crate::error::{Error, Result};
use crate::world::World;

/// Google's own name of the endpoint, which assertions are made out to wherever it is served.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// How far a client's clock may be ahead, in seconds.
const SKEW: i64 = 300;

/// Answers a request for an access token.
///
/// # Errors
/// `invalid_grant`, `invalid_scope`, `invalid_client`, `unsupported_grant_type`.
pub(crate) fn token(world: &mut World, now: Now, request: &Request<Bytes>) -> Result<Value> {
    let form = form(request.body());
    match form.get("grant_type").map(String::as_str) {
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            let assertion = form.get("assertion").ok_or_else(|| missing("assertion"))?;
            assertion_grant(world, now, assertion, own_url(request).as_deref())
        }
        Some("refresh_token") => refresh_grant(world, now, &form),
        Some(other) => Err(Error::oauth("unsupported_grant_type", format!("Invalid grant_type: {other}"))),
        None => Err(missing("grant_type")),
    }
}

fn missing(parameter: &str) -> Error {
    Error::oauth("invalid_request", format!("Missing required parameter: {parameter}"))
}

/// The URL that this very request was sent to: clients that read it in their key file make assertions out to it.
fn own_url(request: &Request<Bytes>) -> Option<String> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    Some(format!("http://{host}{}", request.uri().path()))
}

fn assertion_grant(world: &mut World, now: Now, assertion: &str, own: Option<&str>) -> Result<Value> {
    let refuse = |says: &str| Error::oauth("invalid_grant", says);
    let jwt = jwt::read(assertion).ok_or_else(|| refuse("Bad Request"))?;
    let claims = &jwt.claims;
    let account = world.auth.accounts.get(&claims.iss);
    let account = account.ok_or_else(|| refuse("Invalid grant: account not found"))?;
    let signed = account
        .keys
        .iter()
        .filter(|(id, _)| jwt.key_id.as_ref().is_none_or(|wanted| wanted == *id))
        .any(|(_, key)| jwt.is_signed(|message, signature| key.verifies(message, signature)));
    if !signed {
        return Err(refuse("Invalid JWT Signature."));
    }
    let wall = now.wall.as_second();
    let short = claims.iat <= wall + SKEW && claims.exp > wall && claims.exp - claims.iat <= 3600;
    if !short || claims.iat == 0 {
        return Err(refuse(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your \
             iat and exp values in the JWT claim.",
        ));
    }
    if !claims.is_for(|audience| audience == AUDIENCE || Some(audience) == own) {
        return Err(refuse("Invalid JWT: Failed audience check."));
    }
    if claims.sub.as_ref().is_some_and(|sub| *sub != account.email) {
        return Err(Error::written(
            401,
            "unauthorized_client",
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of \
             the scopes requested.",
        ));
    }
    let scopes = scopes(claims.scope.as_deref())?;
    let principal = account.principal();
    let token = world.auth.give(principal, scopes, Some(LIFETIME), &mut world.random, now.wall);
    Ok(json!({"access_token": token, "expires_in": LIFETIME - 1, "token_type": "Bearer"}))
}

/// The scopes of a list in one text; each is a URL or one of OpenID's words.
pub(crate) fn scopes(text: Option<&str>) -> Result<Vec<String>> {
    let scopes: Vec<String> = text.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let known = |scope: &String| {
        scope.starts_with("https://www.googleapis.com/auth/")
            || ["openid", "email", "profile"].contains(&scope.as_str())
    };
    if scopes.is_empty() || !scopes.iter().all(known) {
        return Err(Error::oauth("invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    Ok(scopes)
}

fn refresh_grant(world: &mut World, now: Now, form: &BTreeMap<String, String>) -> Result<Value> {
    let text = |key: &str| form.get(key).map_or("", String::as_str);
    let known_client = world.auth.users.values().any(|user| user.client_id == text("client_id"));
    if !known_client {
        return Err(Error::oauth("invalid_client", "The OAuth client was not found."));
    }
    let user = world.auth.users.get(text("refresh_token")).filter(|user| user.client_id == text("client_id"));
    let user = user.ok_or_else(|| Error::oauth("invalid_grant", "Token has been expired or revoked."))?;
    if user.client_secret != text("client_secret") {
        return Err(Error::oauth("invalid_client", "Unauthorized"));
    }
    let granted = format!("{} https://www.googleapis.com/auth/userinfo.email openid", super::CLOUD_PLATFORM);
    let scopes = scopes(Some(form.get("scope").unwrap_or(&granted)))?;
    let shown = scopes.join(" ");
    let principal = user.principal();
    let token = world.auth.give(principal, scopes, Some(LIFETIME), &mut world.random, now.wall);
    Ok(json!({
        "access_token": token, "expires_in": LIFETIME - 1, "scope": shown, "token_type": "Bearer",
    }))
}

/// What a token is, for those who ask `tokeninfo`.
///
/// # Errors
/// `invalid_token` when it is none.
pub(crate) fn token_info(world: &World, now: Now, request: &Request<Bytes>) -> Result<Value> {
    let mut parameters = form(request.body());
    parameters.extend(form(request.uri().query().unwrap_or_default().as_bytes()));
    let token = parameters.get("access_token").map_or("", String::as_str);
    let access = holder(&world.auth, token, None, now.wall)
        .map_err(|_| Error::oauth("invalid_token", "Invalid Value"))?;
    let expires = world.auth.tokens.get(token).and_then(|token| token.expires);
    let left = expires.map_or(LIFETIME, |expires| expires.as_second() - now.wall.as_second());
    Ok(json!({
        "azp": access.principal.unique_id, "aud": access.principal.unique_id, "scope": access.scopes.join(" "),
        "exp": (now.wall.as_second() + left).to_string(), "expires_in": left.to_string(),
        "email": access.principal.email, "email_verified": "true", "access_type": "online",
    }))
}

/// The parameters of a form.
pub(crate) fn form(bytes: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}
