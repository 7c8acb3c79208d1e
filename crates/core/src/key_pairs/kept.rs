//! Private halves that may be asked for again, in memory alone: so many, each for so long.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pmks_transport::Clock;
use secrecy::SecretString;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::{Caller, Mutation, NewKeyPair};

/// How many are kept; one more, and the oldest is forgotten.
const MOST: usize = 1024;

/// Private halves by the operations that make their pairs, the oldest first.
#[derive(Clone, Default)]
pub(crate) struct KeptKeys(Arc<Mutex<BTreeMap<Uuid, Kept>>>);

struct Kept {
    key: SecretString,
    asked: Asked,
    /// Held by the one who is told it next.
    turn: Arc<Turn<()>>,
    /// Ends it in time.
    end: AbortHandle,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.end.abort();
    }
}

/// By what a private half is asked for again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// The idempotency key of its request: as often as it is asked for.
    ByKey,
    /// The same request of the same caller: until it was handed over.
    Same { caller: String, connection: String, key_pair: NewKeyPair },
}

impl Asked {
    /// `None`: it makes no pair of which pmks has the private half.
    pub(crate) fn of(caller: &Caller, mutation: &Mutation) -> Option<Self> {
        match mutation {
            Mutation::CreateKeyPair { .. } if !mutation.makes_private_key() => None,
            Mutation::CreateKeyPair { .. } if caller.idempotency.is_some() => Some(Self::ByKey),
            Mutation::CreateKeyPair { connection, key_pair } => {
                let (caller, connection) = (caller.name.clone(), connection.clone());
                Some(Self::Same { caller, connection, key_pair: key_pair.clone() })
            }
            _ => None,
        }
    }
}

impl KeptKeys {
    /// Keeps one for that long. The turn is that of whoever asked.
    pub(super) fn keep(
        &self,
        clock: &dyn Clock,
        operation: Uuid,
        key: SecretString,
        asked: Asked,
        how_long: Duration,
    ) -> Handover {
        let (kept, over) = (self.clone(), clock.deadline(how_long));
        let end = tokio::spawn(async move {
            over.await;
            kept.forget(operation);
        });
        let turn = Arc::new(Turn::new(()));
        let held = Arc::clone(&turn).try_lock_owned().ok();
        let one = Kept { key, asked, turn, end: end.abort_handle() };
        let handover = self.handover(operation, &one.asked, held);
        let mut all = self.lock();
        all.insert(operation, one);
        while all.len() > MOST {
            all.pop_first();
        }
        handover
    }

    /// What is kept of an operation.
    pub(super) fn of(&self, operation: Uuid) -> Option<SecretString> {
        self.lock().get(&operation).map(|kept| kept.key.clone())
    }

    /// The last operation that was asked for so, of those whose private half is kept.
    pub(super) fn asked(&self, asked: &Asked) -> Option<Uuid> {
        self.lock().iter().rev().find(|(_, kept)| kept.asked == *asked).map(|(operation, _)| *operation)
    }

    /// Waits until nobody else is being told it; `None`: it was handed over, or is kept no more.
    pub(super) async fn turn(&self, operation: Uuid) -> Option<Handover> {
        let turn = self.lock().get(&operation).map(|kept| Arc::clone(&kept.turn))?;
        let held = turn.lock_owned().await;
        let all = self.lock();
        Some(self.handover(operation, &all.get(&operation)?.asked, Some(held)))
    }

    fn handover(&self, operation: Uuid, asked: &Asked, turn: Option<OwnedMutexGuard<()>>) -> Handover {
        let told = match asked {
            Asked::ByKey => None,
            Asked::Same { .. } => Some(Arc::new(Told { kept: self.clone(), operation, _turn: turn })),
        };
        Handover(told)
    }

    fn forget(&self, operation: Uuid) {
        self.lock().remove(&operation);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes with the answer that holds a private key. Dropped with its clones and not [completed](Self::complete), that
/// answer reached nobody: whoever asks for the same is told the key.
#[derive(Clone, Default)]
pub struct Handover(Option<Arc<Told>>);

struct Told {
    kept: KeptKeys,
    operation: Uuid,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Handover {
    /// The answer was handed over: where it was asked for without an idempotency key, nobody is told it again.
    pub fn complete(self) {
        if let Some(told) = self.0 {
            told.kept.forget(told.operation);
        }
    }
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operation = self.0.as_ref().map(|told| told.operation);
        f.debug_struct("Handover").field("operation", &operation).finish()
    }
}

#[cfg(test)]
mod tests {
    use pmks_transport::VirtualClock;
    use secrecy::ExposeSecret as _;

    use super::*;

    const LONG: Duration = Duration::from_mins(20);

    fn clock() -> VirtualClock {
        VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap())
    }

    fn same() -> Asked {
        let (caller, connection) = ("me".to_owned(), "here".to_owned());
        Asked::Same { caller, connection, key_pair: NewKeyPair::default() }
    }

    #[tokio::test]
    async fn a_key_is_kept_for_a_while() {
        let (kept, operation) = (KeptKeys::default(), Uuid::from_u128(1));
        let key = SecretString::from("hunter2");
        kept.keep(&clock(), operation, key, Asked::ByKey, Duration::from_millis(200));
        assert_eq!(kept.of(operation).unwrap().expose_secret(), "hunter2");
        assert!(kept.of(Uuid::from_u128(2)).is_none());
        let gone = async {
            while kept.of(operation).is_some() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    }

    #[tokio::test]
    async fn of_too_many_the_oldest_is_forgotten() {
        let (kept, clock) = (KeptKeys::default(), clock());
        for number in 0..=MOST as u128 {
            kept.keep(&clock, Uuid::from_u128(number), "x".into(), Asked::ByKey, LONG);
        }
        assert!(kept.of(Uuid::from_u128(0)).is_none());
        assert!(kept.of(Uuid::from_u128(1)).is_some() && kept.of(Uuid::from_u128(MOST as u128)).is_some());
    }

    #[tokio::test]
    async fn one_at_a_time_is_told_and_the_next_only_if_that_was_in_vain() {
        let (kept, operation) = (KeptKeys::default(), Uuid::from_u128(1));
        let first = kept.keep(&clock(), operation, "x".into(), same(), LONG);
        assert_eq!(kept.asked(&same()), Some(operation));
        let mut second = std::pin::pin!(kept.turn(operation));
        assert!(futures::poll!(second.as_mut()).is_pending(), "the first is being told");
        drop(first);
        let second = second.await.unwrap();
        let mut third = std::pin::pin!(kept.turn(operation));
        assert!(futures::poll!(third.as_mut()).is_pending());
        second.complete();
        assert!(third.await.is_none() && kept.asked(&same()).is_none());
    }
}
