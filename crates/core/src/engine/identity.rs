//! Who a credential acts for, proven once for each connection and credential revision before anything is believed or
//! changed: an operation is pinned to an account.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pmks_driver::{Reaction, reaction};
use pmks_store::{Blocked, Operation};
use pmks_transport::Effect;
use uuid::Uuid;

use super::House;
use super::bounded::bounded;
use super::contract::Connected;
use super::timing::Timing;

/// The account that each connection was proven to act in, with the credential revision that proved it.
#[derive(Default)]
pub(super) struct Identities(Mutex<HashMap<Uuid, (i64, String)>>);

/// Whether an operation may go on.
pub(super) enum Proof {
    /// It acts in its account.
    Proven,
    /// Cannot be said now.
    Later,
    /// It must not.
    Refused(Blocked),
}

impl House {
    pub(super) async fn prove(&self, connected: &Connected, operation: &Operation, timing: Timing) -> Proof {
        let (connection, revision) = (connected.connection, connected.credential_revision);
        let known = self.identities.lock().get(&connection).cloned();
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
                    Reaction::Wait | Reaction::Retry | Reaction::LookFirst => Proof::Later,
                };
            }
        };
        self.identities.lock().insert(connection, (revision, account.clone()));
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
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, (i64, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn blocked(needs: String) -> Blocked {
    Blocked { reason: "credential".to_owned(), needs, candidates: Vec::new(), stage: None }
}
