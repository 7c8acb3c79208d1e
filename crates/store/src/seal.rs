//! Authenticated encryption of what lies in rows: AES-256-GCM, a data key per credential, wrapped by the master key.
//!
//! What is sealed is bound to its place (row and field), so that rows cannot be swapped unseen.

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::{Error, MasterKey, Result};

/// The bytes of a nonce, which stands before what is sealed.
const NONCE: usize = 12;

/// A key that seals the fields of one row.
pub(crate) struct DataKey(Zeroizing<Vec<u8>>);

impl DataKey {
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        rand::fill(&mut bytes)
            .map_err(|_| Error::Damaged("no random numbers to make a key from".to_owned()))?;
        Ok(Self(bytes))
    }

    pub(crate) fn wrap(&self, master: &MasterKey, row: &str) -> Result<Vec<u8>> {
        seal(master.bytes(), &place(row, "data-key"), &self.0)
    }

    pub(crate) fn unwrap(master: &MasterKey, row: &str, wrapped: &[u8]) -> Result<Self> {
        open(master.bytes(), &place(row, "data-key"), wrapped).map(Self)
    }

    pub(crate) fn seal(&self, row: &str, field: &str, plain: &[u8]) -> Result<Vec<u8>> {
        seal(&self.0, &place(row, field), plain)
    }

    pub(crate) fn open(&self, row: &str, field: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.0, &place(row, field), sealed)
    }
}

/// Lets a store recognize its master key, sealing nothing of worth.
pub(crate) fn check_value(master: &MasterKey, installation: &str) -> Result<Vec<u8>> {
    seal(master.bytes(), &place(installation, "check"), b"pmks")
}

/// Whether this is the key that the check value was made with.
pub(crate) fn is_key_of(master: &MasterKey, installation: &str, check: &[u8]) -> bool {
    open(master.bytes(), &place(installation, "check"), check).is_ok()
}

fn place(row: &str, field: &str) -> String {
    format!("{row}\n{field}")
}

fn seal(key: &[u8], place: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let failed = |_| Error::Damaged("sealing failed".to_owned());
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(failed)?;
    let mut sealed = plain.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut sealed).map_err(failed)?;
    let mut whole = nonce.as_ref().to_vec();
    whole.append(&mut sealed);
    Ok(whole)
}

fn open(key: &[u8], place: &str, whole: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let refused = || Error::Damaged("a sealed value does not belong where it stands".to_owned());
    let (nonce, sealed) = whole.split_at_checked(NONCE).ok_or_else(refused)?;
    let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| refused())?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length =
        key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut plain).map_err(|_| refused())?.len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::from_bytes([byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let key = DataKey::generate().unwrap();
        let sealed = key.seal("row", "field", b"secret").unwrap();
        assert_eq!(key.open("row", "field", &sealed).unwrap().as_slice(), b"secret");
        for (row, field) in [("other", "field"), ("row", "other"), ("row\nfield", "")] {
            assert!(key.open(row, field, &sealed).is_err(), "{row:?} {field:?}");
        }
        let mut changed = sealed.clone();
        changed[15] ^= 1;
        assert!(key.open("row", "field", &changed).is_err());
        assert!(key.open("row", "field", &sealed[..5]).is_err());
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn a_wrapped_key_needs_its_master_key_and_its_row() {
        let key = DataKey::generate().unwrap();
        let wrapped = key.wrap(&master(1), "row").unwrap();
        let again = DataKey::unwrap(&master(1), "row", &wrapped).unwrap();
        let sealed = key.seal("row", "f", b"x").unwrap();
        assert!(again.open("row", "f", &sealed).is_ok());
        assert!(DataKey::unwrap(&master(2), "row", &wrapped).is_err());
        assert!(DataKey::unwrap(&master(1), "other", &wrapped).is_err());
    }

    #[test]
    fn a_store_knows_its_master_key() {
        let check = check_value(&master(1), "i").unwrap();
        assert!(is_key_of(&master(1), "i", &check));
        assert!(!is_key_of(&master(2), "i", &check));
    }
}
