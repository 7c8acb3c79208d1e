//! A service account's own key, and the assertion that it signs: a token that says who asks for which token.
//!
//! Source: <https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pmks_transport::{SignContext, SignError, Signer};
use serde::Serialize;

use super::SCOPES;

/// Whom assertions are for, wherever they are sent.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// How long an assertion is good for: the longest that Google takes.
const LIFETIME_SECONDS: i64 = 3600;
/// What the token endpoint is asked for.
const GRANT_TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";

/// A service account with its key. `Debug` shows its address alone.
#[derive(Clone)]
pub(crate) struct ServiceAccount {
    pub(crate) email: String,
    key: EncodingKey,
    key_id: Option<String>,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceAccount {
    /// With a key in PEM. Line ends that are written as `\n`, as in a JSON text that was cut out by hand, are line
    /// ends. `None` if it is no RSA key.
    pub(crate) fn new(email: &str, private_key: &str, key_id: Option<String>) -> Option<Self> {
        let pem = private_key.trim().replace("\\n", "\n");
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).ok()?;
        let account = Self { email: email.trim().to_owned(), key, key_id };
        // Only a signature shows that the key is one.
        account.assertion(Timestamp::UNIX_EPOCH).ok().map(|_| account)
    }

    /// The assertion at that time.
    fn assertion(&self, now: Timestamp) -> jsonwebtoken::errors::Result<String> {
        let issued = now.as_second();
        let claims = Claims {
            iss: &self.email,
            scope: SCOPES.join(" "),
            aud: AUDIENCE,
            iat: issued,
            exp: issued + LIFETIME_SECONDS,
        };
        encode(&Header { kid: self.key_id.clone(), ..Header::new(Algorithm::RS256) }, &claims, &self.key)
    }
}

/// Writes the assertion into each try of the call for a token, so that its dates are those of the try, corrected by
/// the cloud's own where the clocks differ.
#[derive(Clone, Debug)]
pub(crate) struct Assertion(pub(crate) ServiceAccount);

#[async_trait]
impl Signer for Assertion {
    async fn sign(&self, request: &mut Request<Bytes>, context: SignContext<'_>) -> Result<(), SignError> {
        let assertion = self
            .0
            .assertion(context.now)
            .map_err(|error| SignError::credential("the private key signs nothing").caused_by(error))?;
        *request.body_mut() = format!("grant_type={GRANT_TYPE}&assertion={assertion}").into();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        Ok(())
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
