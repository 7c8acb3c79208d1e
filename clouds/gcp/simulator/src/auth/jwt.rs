//! JSON web tokens: taken apart, their times and signatures checked. RS256 only.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc7519>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// A token taken apart; nothing is proven yet.
pub(crate) struct Jwt<'a> {
    /// The id of the key that is said to have signed it.
    pub(crate) key_id: Option<String>,
    /// What it claims.
    pub(crate) claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

/// What a token claims.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: Option<String>,
    pub(crate) aud: Value,
    pub(crate) scope: Option<String>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
}

impl Claims {
    /// Whether it is meant for one of these.
    pub(crate) fn is_for(&self, wanted: impl Fn(&str) -> bool) -> bool {
        match &self.aud {
            Value::String(one) => wanted(one),
            Value::Array(many) => many.iter().filter_map(Value::as_str).any(wanted),
            _ => false,
        }
    }
}

/// Takes a token apart. `None`: it is none, or not signed by RS256.
pub(crate) fn read(token: &str) -> Option<Jwt<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return None;
    }
    Some(Jwt {
        key_id: header.get("kid").and_then(Value::as_str).map(str::to_owned),
        claims: serde_json::from_slice(&decode(claims)?).ok()?,
        signed,
        signature: decode(signature)?,
    })
}

impl Jwt<'_> {
    /// Whether `verifies` accepts its signature over what it signs.
    pub(crate) fn is_signed(&self, verifies: impl FnOnce(&[u8], &[u8]) -> bool) -> bool {
        verifies(self.signed.as_bytes(), &self.signature)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::auth::ServiceKey;

    /// A token with these claims, signed by this key.
    pub(crate) fn sign(key: &ServiceKey, key_id: &str, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": key_id});
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn only_what_its_key_signed_is_signed() {
        let key = ServiceKey::generate().unwrap();
        let token = sign(&key, "k1", &serde_json::json!({"iss": "me", "aud": "you", "iat": 1, "exp": 2}));
        let read_back = read(&token).unwrap();
        assert!(read_back.is_signed(|message, signature| key.verifies(message, signature)));
        assert_eq!((read_back.claims.iss.as_str(), read_back.key_id.as_deref()), ("me", Some("k1")));
        assert!(read_back.claims.is_for(|audience| audience == "you"));
        let changed = token.replacen('.', ".e30", 1);
        assert!(
            read(&changed)
                .is_none_or(|jwt| !jwt.is_signed(|message, signature| key.verifies(message, signature)))
        );
        let none = format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
        assert!(read(&none).is_none() && read("nonsense").is_none());
    }
}
