//! The key that the owner keeps: it wraps the data keys, and lies outside the data directory.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const LENGTH: usize = 32;

/// 32 bytes that wrap every data key. `Debug` shows nothing of them, and their memory is wiped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; LENGTH]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Not 32 bytes in base64.
    #[error("a master key is 32 bytes in base64")]
    Malformed,
    /// The machine gives no random numbers.
    #[error("no random numbers to make a master key from")]
    NoRandom,
}

impl MasterKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new one.
    ///
    /// # Errors
    /// `NoRandom`.
    pub fn generate() -> Result<Self, MasterKeyError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| MasterKeyError::NoRandom)?;
        Ok(Self(bytes))
    }

    /// From base64, as an environment variable or a file holds it.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Malformed)?);
        let bytes = <[u8; LENGTH]>::try_from(bytes.as_slice()).map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// As [`Self::from_text`] reads it. It is the secret itself.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        let key = MasterKey::from_bytes([7; LENGTH]);
        assert_eq!(MasterKey::from_text(&format!(" {}\n", *key.to_text())).unwrap().bytes(), key.bytes());
        for text in ["", "abc", "AAAA", &"A".repeat(100)] {
            assert!(MasterKey::from_text(text).is_err(), "{text:?}");
        }
    }
}
