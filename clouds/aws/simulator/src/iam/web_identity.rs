//! Web identities: the providers that an account trusts and what is checked of their tokens.
//!
//! Checked: three parts, a readable header and claims, a registered issuer and audience, `exp` and `nbf` by the wall
//! clock, a subject. Not checked: the token's signature; so a simulated role proves nothing about who made a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use pmks_simulation::StateError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::World;

/// A provider of web identities.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Provider {
    /// The audiences that it is trusted for.
    pub(crate) audiences: Vec<String>,
}

/// What a token claims.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Claims {
    /// The issuer's URL.
    pub(crate) iss: String,
    /// Whom it is about.
    pub(crate) sub: String,
    /// Whom it is for.
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) aud: Vec<String>,
    exp: i64,
    nbf: Option<i64>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It cannot be read, or is not yet valid.
    Malformed,
    /// It has expired.
    Expired,
}

impl Claims {
    /// The issuer as ARNs and condition keys name it: without the scheme.
    pub(crate) fn issuer_name(&self) -> &str {
        self.iss.strip_prefix("https://").unwrap_or(&self.iss)
    }
}

/// Reads a token and checks its times.
///
/// # Errors
/// Why it is refused.
pub(crate) fn read(token: &str, wall: Timestamp) -> Result<Claims, Refused> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Err(Refused::Malformed) };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed);
    let header: Value = serde_json::from_slice(&decoded(header)?).map_err(|_| Refused::Malformed)?;
    let unsigned =
        header.get("alg").and_then(Value::as_str).is_none_or(|alg| alg.eq_ignore_ascii_case("none"));
    if unsigned || decoded(signature)?.is_empty() {
        return Err(Refused::Malformed);
    }
    let claims: Claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| Refused::Malformed)?;
    if claims.exp <= wall.as_second() {
        return Err(Refused::Expired);
    }
    if claims.nbf.is_some_and(|from| from > wall.as_second()) {
        return Err(Refused::Malformed);
    }
    Ok(claims)
}

/// The event `{"type":"registerWebIdentityProvider","issuer":URL,"audiences":[…]}`: the first account trusts it.
///
/// # Errors
/// When the issuer is no `https` URL or there is no audience.
pub(crate) fn register(world: &mut World, event: &Value) -> Result<Value, StateError> {
    let issuer = event.get("issuer").and_then(Value::as_str).filter(|issuer| issuer.starts_with("https://"));
    let issuer = issuer.ok_or_else(|| StateError("issuer must be an https URL".to_owned()))?.to_owned();
    let audiences = event.get("audiences").and_then(Value::as_array).into_iter().flatten();
    let audiences: Vec<String> = audiences.filter_map(Value::as_str).map(str::to_owned).collect();
    if audiences.is_empty() {
        return Err(StateError("audiences must not be empty".to_owned()));
    }
    let (id, account) =
        world.accounts.iter_mut().next().ok_or_else(|| StateError("there is no account".to_owned()))?;
    let name = issuer.trim_start_matches("https://").to_owned();
    account.iam.providers.insert(issuer, Provider { audiences });
    Ok(json!({"arn": format!("arn:aws:iam::{id}:oidc-provider/{name}")}))
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}
