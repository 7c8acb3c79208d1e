//! The Security Token Service: tokens of foreign issuers against Google's.
//!
//! The issuer's keys are those that the world was told of (event `workloadIdentityProviderIsMade`); nothing is fetched.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use pmks_simulation::Now;
use serde_json::{Value, json};

use super::state::{LIFETIME, Provider};
use super::token_endpoint::{form, scopes};
use super::{Principal, jwt, service_key};
use crate::error::{Error, Result};
use crate::world::World;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Answers a token exchange, asked for as a form or as JSON.
///
/// # Errors
/// `invalid_request`, `invalid_target`, `invalid_grant`, `invalid_scope`.
pub(crate) fn exchange(world: &mut World, now: Now, request: &Request<Bytes>) -> Result<Value> {
    let asked = Asked::read(request.body());
    let refuse = |error: &str, says: &str| Err(Error::oauth(error, says));
    if asked.text("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" {
        return refuse("invalid_request", "Invalid value for \"grant_type\".");
    }
    if asked.text("requested_token_type") != ACCESS_TOKEN {
        return refuse("invalid_request", "Invalid value for \"requested_token_type\".");
    }
    let kind = asked.text("subject_token_type");
    if !["jwt", "id_token"].iter().any(|known| kind == format!("urn:ietf:params:oauth:token-type:{known}")) {
        return refuse("invalid_request", "Invalid value for \"subject_token_type\".");
    }
    let audience = asked.text("audience");
    let Some(provider) = world.auth.providers.get(&audience) else {
        return refuse(
            "invalid_target",
            "The target service indicated by the \"audience\" parameters is invalid. \
                       This might either be because the pool or provider is disabled or deleted or because it doesn't exist.",
        );
    };
    let subject = prove(provider, &audience, &asked.text("subject_token"), now)?;
    let scopes = scopes(Some(&asked.text("scope")))?;
    let pool = audience.split("/providers/").next().unwrap_or_default();
    let member = format!("principal:{pool}/subject/{subject}");
    let principal = Principal {
        email: member.clone(),
        unique_id: subject,
        project: Some(provider.project.clone()),
        member,
    };
    let token = world.auth.give(principal, scopes, Some(LIFETIME), &mut world.random, now.wall);
    Ok(json!({
        "access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": LIFETIME - 1,
    }))
}

fn prove(provider: &Provider, audience: &str, token: &str, now: Now) -> Result<String> {
    let refuse = |says: String| Error::oauth("invalid_grant", says);
    let jwt = jwt::read(token).ok_or_else(|| refuse("The given credential is not a JWT.".to_owned()))?;
    if jwt.claims.iss != provider.issuer {
        let says = format!(
            "The issuer in ID Token {} does not match the expected ones: [{}].",
            jwt.claims.iss, provider.issuer
        );
        return Err(refuse(says));
    }
    let own = format!("https:{audience}");
    let meant = |wanted: &str| wanted == own || provider.audiences.iter().any(|known| known == wanted);
    if !jwt.claims.is_for(meant) {
        return Err(refuse(format!(
            "The audience in ID Token [{}] does not match the expected audience {own}.",
            jwt.claims.aud
        )));
    }
    if jwt.claims.exp <= now.wall.as_second() {
        return Err(refuse(format!("ID Token issued at {} is stale to sign-in.", jwt.claims.iat)));
    }
    let wanted = |key: &&Value| {
        jwt.key_id.as_deref().is_none_or(|id| key.get("kid").and_then(Value::as_str) == Some(id))
    };
    let part = |key: &Value, name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
    let signed = provider.keys.iter().filter(wanted).any(|key| {
        let (Some(n), Some(e)) = (part(key, "n"), part(key, "e")) else { return false };
        jwt.is_signed(|message, signature| service_key::components_verify(&n, &e, message, signature))
    });
    if !signed {
        return Err(refuse(
            "Error connecting to the given credential's issuer, or its signature is invalid.".to_owned(),
        ));
    }
    jwt.claims.sub.clone().ok_or_else(|| refuse("The given credential has no subject.".to_owned()))
}

/// The parameters, as a form or as JSON (whose names are in camel case).
struct Asked(Value);

impl Asked {
    fn read(body: &[u8]) -> Self {
        Self(serde_json::from_slice(body).unwrap_or_else(|_| json!(form(body))))
    }

    fn text(&self, name: &str) -> String {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let camel = words.fold(first, |text, word| {
            let (head, tail) = word.split_at(1.min(word.len()));
            format!("{text}{}{tail}", head.to_uppercase())
        });
        let found = self.0.get(name).or_else(|| self.0.get(&camel)).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    }
}
