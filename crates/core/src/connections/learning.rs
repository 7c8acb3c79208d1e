//! Whose account a connection is: learned by whoever reads there first, and from then on a part of the connection. What
//! others made in that account is known by it then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Result;
use crate::drivers::At;
use crate::pmks::Shared;

/// How long a reader waits until it is known whose account a connection is.
const LEARNED_WITHIN: Duration = Duration::from_secs(5);

/// For how long readers do not wait again for a cloud that said nothing within that.
const SILENT_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Credentials that were asked about in vain, by their connection: with which revision, and when.
#[derive(Default)]
pub(crate) struct Silent(Mutex<HashMap<Uuid, (i64, Timestamp)>>);

impl Silent {
    fn is(&self, at: &At, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (_, since)| now.duration_since(*since) < SILENT_FOR);
        all.get(&at.connection.uid)
            .is_some_and(|(revision, _)| *revision == at.connection.credential_revision)
    }

    fn note(&self, at: &At, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(at.connection.uid, (at.connection.credential_revision, now));
    }
}

impl Shared {
    /// A connection with its driver, for whoever reads what is known there: whose account it is is learned first, where
    /// nobody knows. Why that cannot be learned in some seconds is for whoever needs the cloud to tell: nothing is known
    /// there until then.
    pub(crate) async fn reading(&self, name: &str) -> Result<At> {
        let at = self.drivers.at(name).await?;
        if at.here().is_some() {
            return Ok(at);
        }
        // Seldom, and large: within, it would be moved with every read.
        self.learned(at).boxed().await
    }

    async fn learned(&self, at: At) -> Result<At> {
        if self.silent.is(&at, self.clock.wall()) {
            return Ok(at);
        }
        tokio::select! {
            proven = self.drivers.prove(&at) => match proven {
                Ok(_) => self.drivers.at(&at.connection.name).await,
                Err(failure) => {
                    tracing::info!(connection = %at.connection.name, %failure, "nobody knows whose account it is");
                    Ok(at)
                }
            },
            () = self.clock.deadline(LEARNED_WITHIN) => {
                tracing::warn!(connection = %at.connection.name, "the cloud does not say whose account it is");
                self.silent.note(&at, self.clock.wall());
                Ok(at)
            }
        }
    }
}
