//! The private half of a pair that pmks made, until the cloud has the public half. A key of a pair that was never made
//! opens nothing, and whoever was given it keeps it for good. Never stored: who asks again with the same idempotency key,
//! or asks for the same before anybody was handed it, hears it again for as long as this process has it.

use std::sync::Arc;
use std::time::Duration;

use pmks_model::{Failure, FailureKind, OperationState, ResourceKind, Says};
use secrecy::SecretString;

use super::kept::{Asked, Handover};
use crate::failure::{already_exists, conflict, of_store};
use crate::{Accepted, Caller, Mutation, OperationView, Pmks, Result};

/// How long a private half can be asked for again, from when it was asked for first: the longest that anybody waits for
/// a pair, and as long again.
const KEPT: Duration = Duration::from_mins(20);

/// The private half of a key pair that is being made: stored nowhere, and had only once the pair exists.
#[derive(Debug)]
pub struct PrivateKey {
    operation: OperationView,
    /// `None`: this process has it no more, or never had it.
    key: Option<SecretString>,
    /// `None`: somebody else asked for the same before, and may be told it yet.
    handover: Option<Handover>,
}

impl PrivateKey {
    /// How long who has no longer is to wait for the cloud: well below the time that a server gives a request. Some seconds
    /// are usual.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    /// Of an operation that was just taken on.
    pub(crate) fn new(pmks: &Pmks, operation: &OperationView, asked: Asked, key: SecretString) -> Self {
        let (kept, clock) = (&pmks.shared.kept_keys, pmks.shared.clock.as_ref());
        let handover = kept.keep(clock, operation.id, key.clone(), asked, KEPT);
        Self { operation: operation.clone(), key: Some(key), handover: Some(handover) }
    }

    /// Of an operation that the same request was answered with before.
    pub(crate) fn again(pmks: &Pmks, operation: &OperationView) -> Self {
        let key = pmks.shared.kept_keys.of(operation.id);
        Self { operation: operation.clone(), key, handover: Some(Handover::default()) }
    }

    /// The key with the operation that made the pair, at its end, if that comes within this time, and what goes with the
    /// answer that holds it. Something must carry operations on meanwhile.
    ///
    /// # Errors
    /// What the creation failed by; `Timeout` if it is not over in time: nobody has the key then, so the operation is
    /// asked to stop. `AlreadyExists` where the request was made before and this process does not have its key: nobody
    /// can be told it, and a pair that is still being made is asked to stop; and where another one who asked for the same
    /// was handed it, or is to be.
    pub async fn once_made(
        mut self,
        pmks: &Pmks,
        caller: &Caller,
        within: Duration,
    ) -> Result<(OperationView, SecretString, Handover)> {
        let id = self.operation.id.to_string();
        // Nothing is worth waiting for where there is no key.
        let within = if self.key.is_some() { within } else { Duration::ZERO };
        let ended = pmks.operations().settled(&id, within).await?;
        let ended = match ended {
            None if self.key.is_none() => Some(Arc::new(pmks.operations().get(&id).await?)),
            ended => ended,
        };
        let handover = match self.handover.take() {
            Some(own) => own,
            // What is not its own is not its to stop.
            None if ended.is_none() => return Err(self.taken()),
            None => pmks.shared.kept_keys.turn(self.operation.id).await.ok_or_else(|| self.taken())?,
        };
        match (ended, self.key.take()) {
            (Some(operation), Some(key)) if operation.state == OperationState::Succeeded => {
                Ok((OperationView::clone(&operation), key, handover))
            }
            (Some(operation), None) if operation.state == OperationState::Succeeded => Err(self.lost()),
            (Some(operation), _) if operation.state.is_final() => Err(match &operation.error {
                Some(failure) => Box::new(failure.clone()),
                None => conflict(
                    Says::from(format!("operation {id} was cancelled: the "))
                        .then(Says::kind(ResourceKind::KeyPair))
                        .text(" was not made"),
                ),
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

    /// The refusal of who is not the one to be told it.
    fn taken(&self) -> Box<Failure> {
        already_exists(ResourceKind::KeyPair, &self.operation.resource.name)
    }

    /// The refusal of a key that nobody has any more.
    fn lost(&self) -> Box<Failure> {
        let name = &self.operation.resource.name;
        let pair = || Says::kind(ResourceKind::KeyPair);
        let says = pair().text(format!(
            " {name:?} was asked for before by this Idempotency-Key, and its private key is had no more: it was \
             told then, or was lost with the process that made it"
        ));
        let fix = Says::from("if nobody has it, delete ")
            .then(pair())
            .text(format!(" {name:?} if it was made, and create it with another Idempotency-Key"));
        Box::new(Failure::new(FailureKind::AlreadyExists, says).with_fix(fix))
    }

    /// The refusal of a key whose pair is not made in time.
    fn late(&self) -> Box<Failure> {
        let (id, name) = (self.operation.id, &self.operation.resource.name);
        let pair = || Says::kind(ResourceKind::KeyPair);
        let says = pair().text(format!(
            " {name:?} is not made yet, so nobody was given its private key; operation {id} was asked to stop"
        ));
        let fix = Says::from("delete ")
            .then(pair())
            .text(format!(" {name:?} if it was made all the same, and ask again, or bring a public key"));
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

impl Pmks {
    /// What the same caller's same request was taken on as, without an idempotency key, if the pair that it makes has the
    /// name now and nobody was handed its private half.
    pub(crate) async fn untold(&self, caller: &Caller, mutation: &Mutation) -> Result<Option<Accepted>> {
        let kept = &self.shared.kept_keys;
        let Some(asked @ Asked::Same { .. }) = Asked::of(caller, mutation) else { return Ok(None) };
        let Mutation::CreateKeyPair { connection, key_pair } = mutation else { return Ok(None) };
        let Some((id, key)) = kept.asked(&asked).and_then(|id| Some((id, kept.of(id)?))) else {
            return Ok(None);
        };
        let made = self.shared.store.operation(id).await.map_err(of_store)?;
        let Some(made) =
            made.filter(|made| !made.state.is_final() || made.state == OperationState::Succeeded)
        else {
            return Ok(None);
        };
        // What it made may be gone, and its name that of another pair.
        let known = match self.key_pairs().get(connection, &key_pair.name, None).await {
            Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
            known => known?,
        };
        if made.resource_uid.map(|uid| uid.to_string()) != Some(known.uid) {
            return Ok(None);
        }
        let operation = made.view();
        let private_key = PrivateKey { operation: operation.clone(), key: Some(key), handover: None };
        Ok(Some(Accepted { operation, waits: false, private_key: Some(private_key) }))
    }
}
