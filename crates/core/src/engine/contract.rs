//! What the engine asks of the rest of the core: drivers by connection, and what an operation means to our records.

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{Change, Driver};
use pmks_model::Failure;
use pmks_store::{NewResource, Observe, Operation, ResourceUpdate};
use uuid::Uuid;

/// Drivers by the name of their connection.
#[async_trait]
pub trait Drivers: Send + Sync {
    /// The driver of a connection, whose reads wait in the lane of looks.
    ///
    /// # Errors
    /// `Unavailable` is tried again; anything else blocks the operation until the user mends the connection.
    async fn connected(&self, connection: &str) -> Result<Connected, Failure>;
}

/// A connection at work.
#[derive(Clone)]
pub struct Connected {
    /// Its driver.
    pub driver: Arc<dyn Driver>,
    /// How many times faster than the real cloud this one works.
    pub pace: u32,
    /// Whose driver it is: another connection may bear the same name later.
    pub connection: Uuid,
    /// The place within the account that it works in.
    pub location: String,
    /// Which credential the driver acts with: its account is proven once for each.
    pub credential_revision: i64,
}

/// What an operation means to our records.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Validates an operation again when it begins, and answers the change with what is known by now: identifiers
    /// and incarnations of what was still being made when it was accepted. It never asks a cloud. `None`: there is
    /// nothing left to do (a deletion of what was never made), and the operation succeeds.
    ///
    /// # Errors
    /// What ends the operation as failed.
    async fn resolve(&self, operation: &Operation) -> Result<Option<Change>, Failure>;

    /// Reads what the operation changed, once all its stages are over, whatever its end: one or a few reads. What it
    /// answers is stored in the transaction that ends the operation. Identifiers of what stages made are in the
    /// records already. A failed read is answered by leaving the observation out.
    async fn outcome(&self, connected: &Connected, operation: &Operation, succeeded: bool) -> Outcome;
}

/// What the end of an operation makes of our records. The record that a removal is about goes without being named.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What the cloud says now.
    pub observations: Vec<Observe>,
    /// What becomes of requests and flags.
    pub updates: Vec<(Uuid, ResourceUpdate)>,
    /// Parts that exist now and have no record yet.
    pub inserts: Vec<NewResource>,
    /// Records of what is gone, beside the one that the operation is about.
    pub removes: Vec<Uuid>,
}
