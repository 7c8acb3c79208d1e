//! The one administrator. A guess costs a slow hash, and guesses wait for each other; the right password costs it
//! once, then a keyed hash.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::Argon2;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::{constant_time, hmac};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// A name, and what its password hashes to.
pub(super) struct Administrator {
    name: String,
    slow: Arc<Slow>,
    accepted: Mutex<Option<hmac::Tag>>,
    one_guess: Semaphore,
}

struct Slow {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl Administrator {
    /// `None` if the system gives no random bytes.
    pub(super) fn new(name: &str, password: &SecretString) -> Option<Self> {
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).ok()?;
        let hash = slow_hash(password, &salt)?;
        Some(Self {
            name: name.to_owned(),
            slow: Arc::new(Slow { salt, hash }),
            accepted: Mutex::default(),
            one_guess: Semaphore::new(1),
        })
    }

    /// Whether these are the administrator's.
    pub(super) async fn accepts(&self, key: &hmac::Key, name: &str, password: SecretString) -> bool {
        let presented = hmac::sign(key, password.expose_secret().as_bytes());
        let known = constant_time::verify_slices_are_equal(name.as_bytes(), self.name.as_bytes()).is_ok();
        if self.was_accepted(&presented) {
            return known;
        }
        let Ok(_turn) = self.one_guess.acquire().await else { return false };
        // Another request with the same password may have been first.
        if self.was_accepted(&presented) {
            return known;
        }
        let slow = Arc::clone(&self.slow);
        let right = tokio::task::spawn_blocking(move || slow.accepts(&password)).await.unwrap_or(false);
        if right {
            *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(presented);
        }
        right && known
    }

    fn was_accepted(&self, presented: &hmac::Tag) -> bool {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |tag: &hmac::Tag| {
            constant_time::verify_slices_are_equal(tag.as_ref(), presented.as_ref()).is_ok()
        };
        accepted.as_ref().is_some_and(same)
    }
}

impl Slow {
    fn accepts(&self, password: &SecretString) -> bool {
        let hash = slow_hash(password, &self.salt);
        hash.is_some_and(|hash| constant_time::verify_slices_are_equal(&hash, &self.hash).is_ok())
    }
}

fn slow_hash(password: &SecretString, salt: &[u8]) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    Argon2::default().hash_password_into(password.expose_secret().as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_is_hashed_slowly_once() {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).unwrap();
        let administrator = Administrator::new("admin", &"right".into()).unwrap();
        assert!(!administrator.accepts(&key, "admin", "wrong".into()).await);
        assert!(administrator.accepted.lock().unwrap().is_none());
        assert!(administrator.accepts(&key, "admin", "right".into()).await);
        // With the one turn taken for good, only the keyed hash can answer.
        administrator.one_guess.close();
        assert!(administrator.accepts(&key, "admin", "right".into()).await);
        assert!(!administrator.accepts(&key, "root", "right".into()).await);
        assert!(!administrator.accepts(&key, "admin", "wrong".into()).await);
    }
}
