//! What an operation means to our records: what it is when it begins, and what has become of it when it ends.

mod outcome;
mod resolve_again;

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::Change;
use pmks_model::{Failure, FailureKind, OperationKind, ResourceKind, Says};
use pmks_store::{Operation, Resource, Store};
use pmks_transport::Clock;

use crate::drafts::refuse_used;
use crate::drivers::Place;
use crate::engine::{Connected, Hooks, Outcome};
use crate::failure::of_store;
use crate::records::Records;

pub(crate) use resolve_again::resolve_change;

/// Our records, as the engine sees them.
pub(crate) struct RecordHooks {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl RecordHooks {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn record(&self, operation: &Operation) -> Result<Option<Resource>, Failure> {
        let Some(uid) = operation.resource_uid else { return Ok(None) };
        let found = self.store.resource(uid).await.map_err(|error| *of_store(error))?;
        let what = &operation.resource;
        found.map(Some).ok_or_else(|| {
            let says = Says::from("the record of ").then(Says::kind(what.kind));
            let says = says.text(format!(" {:?} is gone", what.name));
            Failure::new(FailureKind::NotFound, says)
        })
    }

    /// What was accepted while a removal was being checked may use what is to go. By now nothing more is: the removal
    /// holds it.
    async fn still_unused(&self, records: &Records<'_>, record: &Resource) -> crate::Result<()> {
        let network = match record.parent {
            Some(network) => self.store.resource(network).await.map_err(of_store)?,
            None => None,
        };
        refuse_used(records, record, network.as_ref()).await
    }

    /// The record of the cluster that an operation is about or in.
    async fn cluster(&self, operation: &Operation) -> Option<Resource> {
        let record = self.record(operation).await.ok()??;
        let uid = if record.kind == ResourceKind::Cluster { return Some(record) } else { record.parent? };
        self.store.resource(uid).await.ok()?
    }
}

#[async_trait]
impl Hooks for RecordHooks {
    async fn resolve(&self, operation: &Operation) -> Result<Option<Change>, Failure> {
        // An import has read all it needs when it was accepted.
        if operation.kind == OperationKind::ClusterImport {
            return Ok(None);
        }
        let change: Change = serde_json::from_value(operation.intent.clone()).map_err(|error| {
            Failure::new(FailureKind::Unexpected, format!("the intent cannot be read: {error}"))
        })?;
        let record = self.record(operation).await?;
        let location = record.as_ref().map(|record| record.location.clone()).unwrap_or_default();
        let place = Place::kept(&operation.account, &location);
        let records = Records { store: self.store.as_ref(), place: &place };
        if let (Change::DeleteResource(_), Some(record)) = (&change, &record) {
            self.still_unused(&records, record).await.map_err(|failure| *failure)?;
        }
        resolve_change(&records, record.as_ref(), change).await.map_err(|failure| *failure)
    }

    async fn outcome(&self, connected: &Connected, operation: &Operation, succeeded: bool) -> Outcome {
        outcome::of(self, connected, operation, succeeded).await
    }
}
