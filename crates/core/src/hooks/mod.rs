//! What an operation means to our records: what it is when it begins, and what has become of it when it ends.

mod outcome;
mod resolve_again;

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::Change;
use pmks_model::{Failure, FailureKind, OperationKind, ResourceKind};
use pmks_store::{Operation, OperationFilter, Page, Resource, Store};
use pmks_transport::Clock;

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
            let says = format!("the record of {} {:?} is gone", what.kind.says(), what.name);
            Failure::new(FailureKind::NotFound, says)
        })
    }

    /// Refuses to drop the record of something whose creation was asked for and never heard of: the record is all
    /// that tells of what may stand, and be paid for, at the cloud.
    async fn surely_not_made(&self, record: &Resource) -> Result<(), Failure> {
        let filter = OperationFilter { resource_uid: Some(record.uid), ..OperationFilter::default() };
        let all = self.store.operations(&filter, Page::all()).await.map_err(|error| *of_store(error))?;
        let unheard = |operation: &&Operation| {
            operation.kind.creates() && operation.remains.iter().any(|remains| remains.system_id.is_empty())
        };
        let Some(creation) = all.iter().rev().find(unheard) else { return Ok(()) };
        let says = format!(
            "the cloud was asked for {} {:?}, and nobody knows whether it was made (operation {})",
            record.kind.says(),
            record.name,
            creation.id
        );
        let fix = "look at the cloud, remove there what was made, then forget this record";
        Err(Failure::new(FailureKind::Precondition, says).with_fix(fix))
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
        let place = Place { account: operation.account.clone(), location };
        let records = Records { store: self.store.as_ref(), place: &place };
        let resolved = resolve_change(&records, record.as_ref(), change).await.map_err(|failure| *failure)?;
        match (&resolved, &record) {
            (None, Some(record)) if operation.kind.removes() => self.surely_not_made(record).await?,
            _ => {}
        }
        Ok(resolved)
    }

    async fn outcome(&self, connected: &Connected, operation: &Operation, succeeded: bool) -> Outcome {
        outcome::of(self, connected, operation, succeeded).await
    }
}
