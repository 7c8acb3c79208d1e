//! Public keys as OpenSSH writes them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The fingerprint of a public key as OpenSSH shows it, for clouds that keep none. Empty for a text that is no public key.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc4253#section-6.6>, `ssh-keygen -l`
pub fn fingerprint(public_key: &str) -> String {
    let blob = public_key.split_ascii_whitespace().nth(1).and_then(|text| STANDARD.decode(text).ok());
    blob.map(|blob| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ssh-keygen -l` says the same of these keys: the digest of the blob, without padding.
    #[test]
    fn a_fingerprint_is_what_openssh_shows() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github";
        assert_eq!(fingerprint(key), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        for none in ["", "nothing", "ssh-rsa !"] {
            assert_eq!(fingerprint(none), "", "{none}");
        }
    }
}
