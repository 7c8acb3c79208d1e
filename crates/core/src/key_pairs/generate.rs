//! Makes an SSH key pair. The private half is given back once and kept nowhere.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use secrecy::SecretString;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::Result;
use crate::failure::unexpected;

/// A key pair in OpenSSH's forms.
#[derive(Debug)]
pub struct GeneratedKeyPair {
    /// One line: `ssh-ed25519 AAAA… name`.
    pub public_key: String,
    /// The file that `ssh -i` reads.
    pub private_key: SecretString,
}

/// A new Ed25519 pair with `name` as its comment.
///
/// # Errors
/// `Unexpected` where there are no random numbers.
pub fn generate_key_pair(name: &str) -> Result<GeneratedKeyPair> {
    let failed = |what: &str| unexpected(format!("a key pair could not be made: {what}"));
    let mut seed = Zeroizing::new([0_u8; 32]);
    SystemRandom::new().fill(seed.as_mut()).map_err(|_| failed("no random numbers"))?;
    let pair =
        Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| failed("the seed was refused"))?;
    let public =
        Ed25519PublicKey::try_from(pair.public_key().as_ref()).map_err(|error| failed(&error.to_string()))?;
    let data = Ed25519Keypair { public, private: Ed25519PrivateKey::from_bytes(&seed) };
    let key = PrivateKey::new(KeypairData::from(data), name).map_err(|error| failed(&error.to_string()))?;
    let public_key = key.public_key().to_openssh().map_err(|error| failed(&error.to_string()))?;
    let private_key = key.to_openssh(LineEnding::LF).map_err(|error| failed(&error.to_string()))?;
    Ok(GeneratedKeyPair { public_key, private_key: SecretString::from(private_key.as_str()) })
}

#[cfg(test)]
mod tests {
    use pmks_model::{Findings, KeyPairRequest};
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn both_halves_belong_together_and_no_two_pairs_are_alike() {
        let pair = generate_key_pair("mine").unwrap();
        let private = PrivateKey::from_openssh(pair.private_key.expose_secret()).unwrap();
        assert_eq!(private.public_key().to_openssh().unwrap(), pair.public_key);
        assert!(pair.public_key.starts_with("ssh-ed25519 AAAA") && pair.public_key.ends_with(" mine"));
        let mut findings = Findings::default();
        KeyPairRequest {
            name: "mine".into(),
            public_key: pair.public_key.clone(),
            tags: pmks_model::Tags::new(),
        }
        .validate(&mut findings);
        assert!(findings.is_empty(), "{findings}");
        assert_ne!(generate_key_pair("mine").unwrap().public_key, pair.public_key);
    }
}
