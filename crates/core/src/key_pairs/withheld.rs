//! The private half of a pair that pmks made, until the cloud has the public half. A key of a pair that was never made
//! opens nothing, and whoever was given it keeps it for good.

use std::time::Duration;

use pmks_model::{Failure, FailureKind, OperationState};
use secrecy::SecretString;

use crate::failure::conflict;
use crate::{Caller, OperationView, Pmks, Result};

/// The private half of a key pair that is being made: stored nowhere, and had only once the pair exists.
#[derive(Debug)]
pub struct PrivateKey {
    operation: OperationView,
    key: SecretString,
}

impl PrivateKey {
    /// How long who has no longer is to wait for the cloud: well below the time that a server gives a request. Some seconds
    /// are usual.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    pub(crate) fn new(operation: &OperationView, key: SecretString) -> Self {
        Self { operation: operation.clone(), key }
    }

    /// The key with the operation that made the pair, at its end, if that comes within this time. Something must carry
    /// operations on meanwhile.
    ///
    /// # Errors
    /// What the creation failed by; `Timeout` if it is not over in time: nobody has the key then, so the operation is
    /// asked to stop.
    pub async fn once_made(
        self,
        pmks: &Pmks,
        caller: &Caller,
        within: Duration,
    ) -> Result<(OperationView, SecretString)> {
        let id = self.operation.id.to_string();
        match pmks.operations().settled(&id, within).await? {
            Some(operation) if operation.state == OperationState::Succeeded => {
                Ok((OperationView::clone(&operation), self.key))
            }
            Some(operation) if operation.state.is_final() => Err(match &operation.error {
                Some(failure) => Box::new(failure.clone()),
                None => conflict(format!("operation {id} was cancelled: the key pair was not made")),
            }),
            _ => Err(self.given_up(pmks, caller).await),
        }
    }

    /// Stops a creation whose private half nobody will have.
    async fn given_up(self, pmks: &Pmks, caller: &Caller) -> Box<Failure> {
        let (id, name) = (self.operation.id.to_string(), &self.operation.resource.name);
        // The request's idempotency key is that of the creation.
        let caller = Caller { idempotency: None, ..caller.clone() };
        if let Err(failure) = pmks.operations().cancel(&caller, &id).await {
            tracing::info!(operation = %id, %failure, "a creation whose key nobody has could not be stopped");
        }
        let says = format!(
            "key pair {name:?} is not made yet, so nobody was given its private key; operation {id} was asked to stop"
        );
        let fix = format!(
            "delete key pair {name:?} if it was made all the same, and ask again, or bring a public key"
        );
        Box::new(Failure::new(FailureKind::Timeout, says).with_fix(fix))
    }
}
