//! Who a credential acts for, proven once for each connection and credential revision before anything is believed or
//! changed: an operation is pinned to an account.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pmks_driver::{DriverError, Reaction, reaction};
use pmks_store::{Blocked, Operation};
use pmks_transport::Effect;
use uuid::Uuid;

use super::House;
use super::bounded::bounded;
use super::contract::Connected;
use super::timing::Timing;

/// How often an operation that has changed nothing is kept waiting for the proof, [`super::step::LATER`] apart: a
/// quarter of an hour.
const TRIES: u32 = 60;

/// How often one that has: an hour, as what it began goes on at the cloud and the next attempt finds it.
const TRIES_UNDER_WAY: u32 = 240;

/// When an operation is not waited for any more that was cancelled or superseded meanwhile: long after its next try.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// What is known of who acts.
#[derive(Default)]
pub(super) struct Identities {
    /// The account that each connection was proven to act in, with the credential revision that proved it.
    proven: Mutex<HashMap<Uuid, (i64, String)>>,
    /// How often each operation has waited for the proof since it last had it, and when it last did. A count, as a clock may
    /// be set; who does not come again is forgotten.
    waited: Mutex<HashMap<Uuid, (u32, Duration)>>,
}

/// Whether an operation may go on.
pub(super) enum Proof {
    /// It acts in its account.
    Proven,
    /// Cannot be said now.
    Later,
    /// Could not be said for as long as it is worth waiting.
    Never(DriverError),
    /// It must not.
    Refused(Blocked),
}

impl House {
    pub(super) async fn prove(&self, connected: &Connected, operation: &Operation, timing: Timing) -> Proof {
        let (connection, revision) = (connected.connection, connected.credential_revision);
        let known = self.identities.proven().get(&connection).cloned();
        let account = match known {
            Some((proven, account)) if proven == revision => Ok(account),
            _ => self.ask_identity(connected, timing).await,
        };
        let account = match account {
            Ok(account) => account,
            Err(error) => {
                return match reaction(error.kind(), Effect::Read) {
                    Reaction::Fail => {
                        Proof::Refused(blocked(format!("a credential that the cloud accepts: {error}")))
                    }
                    Reaction::Wait | Reaction::Retry | Reaction::LookFirst => {
                        self.identities.wait(operation, error, self.clock.monotonic())
                    }
                };
            }
        };
        self.identities.waited().remove(&operation.id);
        self.identities.proven().insert(connection, (revision, account.clone()));
        if operation.account.is_empty() || operation.account == account {
            Proof::Proven
        } else {
            Proof::Refused(blocked(format!(
                "a credential of account {}; the connection's acts for {account}",
                operation.account
            )))
        }
    }

    async fn ask_identity(&self, connected: &Connected, timing: Timing) -> pmks_driver::Result<String> {
        let limit = timing.request_limit() * 2;
        let capabilities = connected.driver.capabilities();
        let call = connected.driver.account_identity();
        self.at("engine.identity.before").await;
        let identity = bounded(&*self.clock, limit, capabilities, call).await;
        self.at("engine.identity.after").await;
        Ok(identity?.account)
    }
}

impl Identities {
    fn wait(&self, operation: &Operation, error: DriverError, now: Duration) -> Proof {
        let mut waited = self.waited();
        waited.retain(|_, (_, last)| now.saturating_sub(*last) < FORGOTTEN_AFTER);
        let (tries, last) = waited.entry(operation.id).or_default();
        (*tries, *last) = (*tries + 1, now);
        if *tries <= if operation.has_asked() { TRIES_UNDER_WAY } else { TRIES } {
            return Proof::Later;
        }
        waited.remove(&operation.id);
        Proof::Never(error)
    }

    /// It has ended.
    pub(super) fn forget(&self, operation: Uuid) {
        self.waited().remove(&operation);
    }

    fn proven(&self) -> MutexGuard<'_, HashMap<Uuid, (i64, String)>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waited(&self) -> MutexGuard<'_, HashMap<Uuid, (u32, Duration)>> {
        self.waited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn blocked(needs: String) -> Blocked {
    Blocked { reason: "credential".to_owned(), needs, candidates: Vec::new(), stage: None }
}
