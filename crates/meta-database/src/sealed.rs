//! Values of credentials, as CB-Spider keeps them: AES-256 in counter mode under a key that its source publishes.
//!
//! Source: CB-Spider's `cloud-info-manager/credential-info-manager/CredentialInfoManager.go`.

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

/// CB-Spider's key: a constant, known to everybody.
const KEY: &[u8] = b"cloud-barista-cb-spider-cloud-ba";

/// The value; or why it is none that CB-Spider sealed. Nothing vouches for what comes out: the mode knows no tag.
pub(crate) fn open(sealed: &str) -> Result<SecretString, &'static str> {
    let mut bytes = STANDARD.decode(sealed).map_err(|_| "it is not in base64")?;
    let (vector, value) = bytes.split_first_chunk_mut().ok_or("it is too short")?;
    let context = DecryptionContext::Iv128(FixedLength::from(*vector));
    let key = UnboundCipherKey::new(&AES_256, KEY).and_then(DecryptingKey::ctr);
    let opened = key.and_then(|key| key.decrypt(value, context).map(|value| value.to_vec()));
    let opened = opened.map_err(|_| "it cannot be decrypted")?;
    String::from_utf8(opened).map(SecretString::from).map_err(|_| "another key sealed it")
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_openssl_sealed_under_that_key_is_read() {
        // printf 'wJalrXUtnFEMI/K7MDENG' | openssl enc -aes-256-ctr -K $(printf %s KEY | xxd -p -c64) -iv 00..0f
        let sealed = "AAECAwQFBgcICQoLDA0ODwBsiy3qIrwLQ0zBTMIZB5nsevyMlw==";
        assert_eq!(open(sealed).unwrap().expose_secret(), "wJalrXUtnFEMI/K7MDENG");
    }

    #[test]
    fn what_is_no_sealed_value_is_refused() {
        for text in ["", "AAAA", "no base64!", "Hidden for security."] {
            assert!(open(text).is_err(), "{text:?}");
        }
    }
}
