//! What signs and reads JSON Web Tokens: the tenant's RSA key, and the keys of applications and other issuers.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/access-tokens>.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::Digest as _;

use crate::json::text;

/// The tenant's key, with the id by which its tokens name it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Keys {
    /// None where the cryptographic library had no random numbers: then no token is ever accepted.
    pair: Option<Arc<KeyPair>>,
    id: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Keys {
    /// A new key.
    pub(crate) fn new() -> Self {
        KeyPair::generate(KeySize::Rsa2048).map_or_else(
            |_| {
                tracing::error!("a key for tokens could not be made");
                Self { pair: None, id: String::new() }
            },
            Self::of,
        )
    }

    fn of(pair: KeyPair) -> Self {
        let id = encoded(&sha1::Sha1::digest(pair.public_key().as_ref()));
        Self { pair: Some(Arc::new(pair)), id }
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id});
        let signed =
            format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let signature = self.pair.as_ref().and_then(|pair| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
            Some(signature)
        });
        // An empty signature is refused by whoever reads the token.
        format!("{signed}.{}", encoded(&signature.unwrap_or_default()))
    }

    /// The claims of a token that this key has signed.
    pub(crate) fn read(&self, token: &str) -> Option<Value> {
        let token = Token::read(token)?;
        let key = self.pair.as_ref()?.public_key();
        token.is_signed_by(Verifier::Der(key.as_ref())).then_some(token.claims)
    }

    /// The public half as clients fetch it.
    pub(crate) fn public(&self) -> Value {
        let public = self.pair.as_ref().and_then(|pair| components(pair.public_key().as_ref()));
        let Some((modulus, exponent)) = public else { return json!({"keys": []}) };
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "x5t": self.id,
            "n": encoded(&modulus),
            "e": encoded(&exponent),
        }]})
    }
}

impl TryFrom<String> for Keys {
    type Error = KeyRejected;

    fn try_from(text: String) -> Result<Self, KeyRejected> {
        KeyPair::from_pkcs8(&decoded(&text).unwrap_or_default()).map(Self::of)
    }
}

impl From<Keys> for String {
    fn from(keys: Keys) -> Self {
        let der: Option<Pkcs8V1Der<'_>> = keys.pair.as_ref().and_then(|pair| pair.as_der().ok());
        der.map(|der| encoded(der.as_ref())).unwrap_or_default()
    }
}

/// A token, taken apart; nothing is proven yet.
pub(crate) struct Token {
    /// What it says of its signature.
    pub(crate) header: Value,
    /// What it claims.
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

/// What a signature is checked with.
#[derive(Clone, Copy)]
pub(crate) enum Verifier<'a> {
    /// A public key, DER.
    Der(&'a [u8]),
    /// A key of a JWKS.
    Jwk(&'a Value),
}

impl Token {
    /// Takes a token apart.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            header: serde_json::from_slice(&decoded(header)?).ok()?,
            claims: serde_json::from_slice(&decoded(claims)?).ok()?,
            signed: format!("{header}.{claims}"),
            signature: decoded(signature)?,
        })
    }

    /// Whether that key has signed it, by an algorithm that is good enough.
    pub(crate) fn is_signed_by(&self, verifier: Verifier<'_>) -> bool {
        let algorithm: &'static RsaParameters = match text(&self.header, "alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        match verifier {
            Verifier::Der(key) => {
                UnparsedPublicKey::new(algorithm, key).verify(self.signed.as_bytes(), &self.signature).is_ok()
            }
            Verifier::Jwk(key) => {
                let part = |name: &str| text(key, name).and_then(decoded);
                let (Some(n), Some(e)) = (part("n"), part("e")) else { return false };
                PublicKeyComponents { n, e }
                    .verify(algorithm, self.signed.as_bytes(), &self.signature)
                    .is_ok()
            }
        }
    }
}

/// Modulus and exponent of an `RSAPublicKey`, DER, without leading zeros.
///
/// Source: <https://datatracker.ietf.org/doc/html/rfc8017#appendix-A.1.1>.
fn components(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, _) = element(der)?;
    let (modulus, rest) = element(sequence)?;
    let (exponent, _) = element(rest)?;
    let bare = |number: &[u8]| number.iter().copied().skip_while(|digit| *digit == 0).collect();
    Some((bare(modulus), bare(exponent)))
}

/// The content of the first DER element, and what follows it.
fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, mut rest) = bytes.get(1..)?.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        length = 0;
        for _ in 0..(first & 0x7f) {
            let (&digit, after) = rest.split_first()?;
            length = length.checked_mul(256)?.checked_add(usize::from(digit))?;
            rest = after;
        }
    }
    Some((rest.get(..length)?, rest.get(length..)?))
}

/// Base64 for URLs, without padding.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// SHA-1 and SHA-256 of a certificate, as headers of tokens name it.
pub(crate) fn thumbprint(der: &[u8]) -> (String, String) {
    (encoded(&sha1::Sha1::digest(der)), encoded(&sha2::Sha256::digest(der)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_by_its_own_key_alone() {
        let keys = Keys::new();
        let token = keys.sign(&json!({"oid": "x"}));
        assert_eq!(keys.read(&token), Some(json!({"oid": "x"})));
        assert_eq!(Keys::new().read(&token), None);
        let stored: Keys = serde_json::from_value(serde_json::to_value(&keys).unwrap()).unwrap();
        assert_eq!(stored.read(&token), Some(json!({"oid": "x"})));
        assert!(!format!("{keys:?}").contains("pair"));
    }

    #[test]
    fn forged_tokens_are_not_read() {
        let keys = Keys::new();
        let token = keys.sign(&json!({"oid": "x"}));
        let parts: Vec<&str> = token.split('.').collect();
        let other = encoded(json!({"oid": "y"}).to_string().as_bytes());
        assert_eq!(keys.read(&format!("{}.{other}.{}", parts[0], parts[2])), None);
        let none = encoded(json!({"alg": "none"}).to_string().as_bytes());
        assert_eq!(keys.read(&format!("{none}.{}.", parts[1])), None);
        assert_eq!(keys.read("nonsense"), None);
    }

    #[test]
    fn the_published_key_verifies_what_the_private_one_signed() {
        let keys = Keys::new();
        let token = Token::read(&keys.sign(&json!({}))).unwrap();
        let public = keys.public();
        assert!(token.is_signed_by(Verifier::Jwk(&public["keys"][0])));
    }
}
