//! Assertions instead of a secret: tokens that an application's certificate has signed, and tokens of other issuers.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>,
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>.

use serde_json::Value;

use super::keys::{Token, Verifier, decoded};
use super::token::Refused;
use super::{Application, Federated};
use crate::json::{items, number, text};

/// How far the clock of whoever signs may be ahead, in seconds.
const SKEW: i64 = 300;

/// What an assertion is held against.
pub(super) struct Expected<'a> {
    /// The client id.
    pub(super) client_id: &'a str,
    /// Whom a certificate's assertion may be for: the token endpoint or the issuer, by any of its names.
    pub(super) audiences: &'a [String],
    /// The date, in seconds.
    pub(super) now: i64,
}

/// Holds an assertion against what the application has registered.
pub(super) fn check(
    application: &Application,
    assertion: &str,
    expected: &Expected<'_>,
) -> Result<(), Refused> {
    let malformed = || Refused::client(50027, "JWT token is invalid or malformed.");
    let token = Token::read(assertion).ok_or_else(malformed)?;
    let in_time = number(&token.claims, "exp").is_some_and(|exp| exp > expected.now)
        && number(&token.claims, "nbf").is_none_or(|nbf| nbf <= expected.now + SKEW);
    if !in_time {
        let says = "Client assertion is not within its valid time range. Current time is outside of 'nbf' and 'exp'.";
        return Err(Refused::client(700_024, says));
    }
    if text(&token.claims, "iss") == Some(expected.client_id) {
        by_certificate(application, &token, expected)
    } else {
        by_issuer(application, &token)
    }
}

fn by_certificate(application: &Application, token: &Token, expected: &Expected<'_>) -> Result<(), Refused> {
    if text(&token.claims, "sub") != Some(expected.client_id) {
        return Err(Refused::client(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ));
    }
    let audience = text(&token.claims, "aud").unwrap_or_default();
    if !expected.audiences.iter().any(|known| known == audience) {
        return Err(Refused::client(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    let thumbprint = text(&token.header, "x5t#S256").or(text(&token.header, "x5t")).unwrap_or_default();
    let certificate = application
        .certificates
        .iter()
        .find(|known| [&known.sha1, &known.sha256].contains(&&thumbprint.to_owned()));
    let key = certificate.and_then(|certificate| decoded(&certificate.public_key));
    let Some(key) = key else {
        let says = "The certificate with identifier used to sign the client assertion is not registered on application.";
        return Err(Refused::client(700_027, says));
    };
    if token.is_signed_by(Verifier::Der(&key)) {
        return Ok(());
    }
    Err(Refused::client(700_027, "Client assertion failed signature validation."))
}

fn by_issuer(application: &Application, token: &Token) -> Result<(), Refused> {
    let claim = |name: &str| text(&token.claims, name).unwrap_or_default();
    let no_match = |code, what: &str, given: &str| {
        let says =
            format!("No matching federated identity record found for presented assertion {what} '{given}'.");
        Err(Refused::client(code, says))
    };
    let of_issuer: Vec<&Federated> =
        application.federated.iter().filter(|known| known.issuer == claim("iss")).collect();
    if of_issuer.is_empty() {
        return no_match(700_211, "issuer", claim("iss"));
    }
    let Some(known) = of_issuer.into_iter().find(|known| known.subject == claim("sub")) else {
        return no_match(700_213, "subject", claim("sub"));
    };
    if !audiences(&token.claims).any(|audience| audience == known.audience) {
        return no_match(700_212, "audience", claim("aud"));
    }
    let Some(keys) = &known.keys else { return Ok(()) };
    if items(crate::json::at(keys, "keys")).any(|key| token.is_signed_by(Verifier::Jwk(key))) {
        return Ok(());
    }
    Err(Refused::client(700_027, "The assertion's signature is invalid."))
}

/// One or several audiences.
fn audiences(claims: &Value) -> impl Iterator<Item = &str> {
    let audience = crate::json::at(claims, "aud");
    audience.as_str().into_iter().chain(items(audience).filter_map(Value::as_str))
}
