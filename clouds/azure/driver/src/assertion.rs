//! The proof of a certificate's owner: a signed assertion in place of a client secret. Shows no key.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// For how long an assertion holds: Microsoft suggests no more than ten minutes.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// A certificate with its private key, ready to sign with.
#[derive(Clone)]
pub(crate) struct Certificate {
    key: EncodingKey,
    thumbprint: String,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    exp: i64,
}

impl Certificate {
    /// Reads PEM text that holds an RSA private key and, first among the certificates, its own.
    ///
    /// # Errors
    /// What is missing or cannot be read, without a word of the key.
    pub(crate) fn read(pem: &SecretString) -> Result<Self, String> {
        let text = pem.expose_secret();
        let blocks = x509_parser::pem::Pem::iter_from_buffer(text.as_bytes());
        let mut certificate = None;
        for block in blocks {
            let block = block.map_err(|_| "holds a block that is not PEM".to_owned())?;
            if block.label == "CERTIFICATE" && certificate.is_none() {
                certificate = Some(block.contents);
            }
        }
        let certificate = certificate.ok_or("holds no CERTIFICATE block")?;
        let key = private_key_block(text).ok_or("holds no PRIVATE KEY block that is not encrypted")?;
        let key = EncodingKey::from_rsa_pem(key.as_bytes())
            .map_err(|_| "holds a private key that is not RSA or cannot be read".to_owned())?;
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate));
        Ok(Self { key, thumbprint })
    }

    /// The assertion that `client` makes to `audience`, the token endpoint.
    ///
    /// # Errors
    /// Why nothing could be signed.
    pub(crate) fn assertion(
        &self,
        client: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<SecretString, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        let until = now.checked_add(LIFETIME).unwrap_or(now);
        let claims = Claims {
            aud: audience,
            iss: client,
            sub: client,
            jti: uuid::Uuid::now_v7().to_string(),
            nbf: now.as_second(),
            exp: until.as_second(),
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map(SecretString::from)
    }
}

/// The first private key in the text, as PEM of its own: the reader takes a text of one block.
fn private_key_block(text: &str) -> Option<&str> {
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY"] {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        if let Some(start) = text.find(&begin) {
            let rest = text.get(start..)?;
            let length = rest.find(&end)? + end.len();
            return rest.get(..length);
        }
    }
    None
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
