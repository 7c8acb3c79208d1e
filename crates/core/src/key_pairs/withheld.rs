//! The private half of a pair that pmks made, until the cloud has the public half. A key of a pair that was never made
//! opens nothing, and whoever was given it keeps it for good. Never stored: who asks again with the same idempotency key
//! hears it again for as long as this process has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pmks_model::{Failure, FailureKind, OperationState};
use pmks_transport::Clock;
use secrecy::SecretString;
use uuid::Uuid;

use crate::failure::conflict;
use crate::{Caller, OperationView, Pmks, Result};

/// How long a private half can be asked for again, from when it was asked for first: the longest that anybody waits for
/// a pair, and as long again.
const KEPT: Duration = Duration::from_mins(20);

/// Private halves that were asked for with an idempotency key, by their operations, in memory alone.
#[derive(Clone, Default)]
pub(crate) struct KeptKeys(Arc<Mutex<HashMap<Uuid, SecretString>>>);

impl KeptKeys {
    /// Keeps one for that long.
    pub(crate) fn keep(&self, clock: &dyn Clock, operation: Uuid, key: SecretString, how_long: Duration) {
        self.lock().insert(operation, key);
        let (kept, over) = (self.clone(), clock.deadline(how_long));
        tokio::spawn(async move {
            over.await;
            kept.lock().remove(&operation);
        });
    }

    /// What is kept of an operation.
    pub(crate) fn of(&self, operation: Uuid) -> Option<SecretString> {
        self.lock().get(&operation).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, SecretString>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The private half of a key pair that is being made: stored nowhere, and had only once the pair exists.
#[derive(Debug)]
pub struct PrivateKey {
    operation: OperationView,
    /// `None`: this process has it no more, or never had it.
    key: Option<SecretString>,
}

impl PrivateKey {
    /// How long who has no longer is to wait for the cloud: well below the time that a server gives a request. Some seconds
    /// are usual.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    /// Of an operation that was just taken on.
    pub(crate) fn new(pmks: &Pmks, caller: &Caller, operation: &OperationView, key: SecretString) -> Self {
        let shared = &pmks.shared;
        if caller.idempotency.is_some() {
            shared.kept_keys.keep(shared.clock.as_ref(), operation.id, key.clone(), KEPT);
        }
        Self { operation: operation.clone(), key: Some(key) }
    }

    /// Of an operation that the same request was answered with before.
    pub(crate) fn again(pmks: &Pmks, operation: &OperationView) -> Self {
        let key = pmks.shared.kept_keys.of(operation.id);
        Self { operation: operation.clone(), key }
    }

    /// The key with the operation that made the pair, at its end, if that comes within this time. Something must carry
    /// operations on meanwhile.
    ///
    /// # Errors
    /// What the creation failed by; `Timeout` if it is not over in time: nobody has the key then, so the operation is
    /// asked to stop. `AlreadyExists` where the request was made before and this process does not have its key: nobody
    /// can be told it, and a pair that is still being made is asked to stop.
    pub async fn once_made(
        mut self,
        pmks: &Pmks,
        caller: &Caller,
        within: Duration,
    ) -> Result<(OperationView, SecretString)> {
        let id = self.operation.id.to_string();
        // Nothing is worth waiting for where there is no key.
        let within = if self.key.is_some() { within } else { Duration::ZERO };
        let ended = pmks.operations().settled(&id, within).await?;
        let ended = match ended {
            None if self.key.is_none() => Some(Arc::new(pmks.operations().get(&id).await?)),
            ended => ended,
        };
        match (ended, self.key.take()) {
            (Some(operation), Some(key)) if operation.state == OperationState::Succeeded => {
                Ok((OperationView::clone(&operation), key))
            }
            (Some(operation), None) if operation.state == OperationState::Succeeded => Err(self.lost()),
            (Some(operation), _) if operation.state.is_final() => Err(match &operation.error {
                Some(failure) => Box::new(failure.clone()),
                None => conflict(format!("operation {id} was cancelled: the key pair was not made")),
            }),
            (_, None) => {
                cancel(pmks, caller, &id).await;
                Err(self.lost())
            }
            (_, Some(_)) => {
                cancel(pmks, caller, &id).await;
                Err(self.late())
            }
        }
    }

    /// The refusal of a key that nobody has any more.
    fn lost(&self) -> Box<Failure> {
        let name = &self.operation.resource.name;
        let says = format!(
            "key pair {name:?} was asked for before by this Idempotency-Key, and its private key is had no more: it was \
             told then, or was lost with the process that made it"
        );
        let fix = format!(
            "if nobody has it, delete key pair {name:?} if it was made, and create it with another Idempotency-Key"
        );
        Box::new(Failure::new(FailureKind::AlreadyExists, says).with_fix(fix))
    }

    /// The refusal of a key whose pair is not made in time.
    fn late(&self) -> Box<Failure> {
        let (id, name) = (self.operation.id, &self.operation.resource.name);
        let says = format!(
            "key pair {name:?} is not made yet, so nobody was given its private key; operation {id} was asked to stop"
        );
        let fix = format!(
            "delete key pair {name:?} if it was made all the same, and ask again, or bring a public key"
        );
        Box::new(Failure::new(FailureKind::Timeout, says).with_fix(fix))
    }
}

/// Stops a creation whose private half nobody will have.
async fn cancel(pmks: &Pmks, caller: &Caller, operation: &str) {
    // The request's idempotency key is that of the creation.
    let caller = Caller { idempotency: None, ..caller.clone() };
    if let Err(failure) = pmks.operations().cancel(&caller, operation).await {
        tracing::info!(operation, %failure, "a creation whose key nobody has could not be stopped");
    }
}

#[cfg(test)]
mod tests {
    use pmks_transport::VirtualClock;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn a_key_is_kept_for_a_while() {
        let (kept, operation) = (KeptKeys::default(), Uuid::from_u128(1));
        let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        kept.keep(&clock, operation, SecretString::from("hunter2"), Duration::from_millis(200));
        assert_eq!(kept.of(operation).unwrap().expose_secret(), "hunter2");
        assert!(kept.of(Uuid::from_u128(2)).is_none());
        let gone = async {
            while kept.of(operation).is_some() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    }
}
