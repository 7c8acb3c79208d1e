//! RSA keys of service accounts: made here, written as Google writes them, verified against.
//!
//! The private half is kept because the world offers it to its users; it opens nothing but this simulated cloud.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A key pair. Its `Debug` shows no key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceKey {
    /// The public half: DER of `SubjectPublicKeyInfo`, in base64.
    public: String,
    /// The private half: PKCS#8 as PEM.
    private_pem: String,
}

impl ServiceKey {
    /// A new key of 2048 bits.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let private: Pkcs8V1Der = pair.as_der()?;
        let public: PublicKeyX509Der = pair.public_key().as_der()?;
        Ok(Self {
            public: STANDARD.encode(public.as_ref()),
            private_pem: pem("PRIVATE KEY", private.as_ref()),
        })
    }

    /// The private half as a key file carries it.
    pub(crate) fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// Whether the private half made this RS256 signature.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(public) = STANDARD.decode(&self.public) else { return false };
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(message, signature).is_ok()
    }
}

impl std::fmt::Debug for ServiceKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ServiceKey").finish_non_exhaustive()
    }
}

/// Whether the key of this modulus and exponent, big-endian, made this RS256 signature.
pub(crate) fn components_verify(n: &[u8], e: &[u8], message: &[u8], signature: &[u8]) -> bool {
    RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;

    use super::*;

    impl ServiceKey {
        /// Signs as a client does.
        pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
            let base64: String = self.private_pem.lines().filter(|line| !line.starts_with("-----")).collect();
            let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        }
    }

    /// The public half as a JWKS writes it.
    pub(crate) fn key_of(key: &ServiceKey, id: &str) -> serde_json::Value {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let base64: String = key.private_pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
        let public = pair.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // DER of a sequence of two integers: 256 bytes after nine of frame, and 65537 at the end.
        let (n, e) = (&public[9..265], &public[public.len() - 3..]);
        serde_json::json!({"kty": "RSA", "kid": id, "n": part(n), "e": part(e)})
    }

    #[test]
    fn a_key_verifies_its_own_signatures_and_no_others() {
        let (own, other) = (ServiceKey::generate().unwrap(), ServiceKey::generate().unwrap());
        let signature = own.sign(b"message");
        assert!(own.verifies(b"message", &signature));
        assert!(!own.verifies(b"another", &signature) && !other.verifies(b"message", &signature));
        assert!(!format!("{own:?}").contains("BEGIN"));
    }
}
