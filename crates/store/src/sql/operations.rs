//! Operations: each transaction in a file of its own, the plain reads here.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::filter::Rows;
use super::values::{from_uid, word};
use super::{Database, changes, rows};
use crate::{
    Accept, Accepted, Begun, Blocked, Claim, Claimed, Fence, Finish, Hold, IdempotencyKey, Operation,
    OperationFilter, Operations, Page, Result, StageRecord, Standing, Wish,
};

/// Nested, so that the few that are not over are found by their own index and not among all by the order of the list.
pub(super) const UNFINISHED: &str =
    "id IN (SELECT id FROM operations WHERE state IN ('queued', 'running', 'blocked'))";

pub(super) const NOT_OVER: &str = "state IN ('queued', 'running', 'blocked')";

/// How many operations of each kind are not over, and since when the oldest of them waits.
pub(super) const STANDING: &str = "SELECT kind, state, COUNT(*) AS number, MIN(created_at) AS oldest FROM operations \
     WHERE state IN ('queued', 'running', 'blocked') GROUP BY kind, state";

#[async_trait]
impl Operations for Database {
    async fn accept(&self, accept: Accept) -> Result<Accepted> {
        self.accept_operation(accept).await
    }

    async fn holders(&self, holds: &[Hold]) -> Result<Vec<Uuid>> {
        self.read("holders", self.holders_of(holds)).await
    }

    async fn repeated(&self, key: &IdempotencyKey) -> Result<Option<Operation>> {
        self.read("repeated", self.repeated_operation(key)).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        self.claim_operations(&claim).await
    }

    async fn next_due(&self, only: Option<Uuid>) -> Result<Option<Timestamp>> {
        self.read("next_due", self.next_due_operation(only)).await
    }

    async fn start(&self, fence: Fence, preflight: StageRecord, now: Timestamp) -> Result<Operation> {
        self.start_operation(fence, preflight, now).await
    }

    async fn begin(
        &self,
        fence: Fence,
        begun: Begun,
        preflight: StageRecord,
        now: Timestamp,
    ) -> Result<Operation> {
        self.begin_operation(fence, begun, preflight, now).await
    }

    async fn record(
        &self,
        fence: Fence,
        stage: &str,
        record: StageRecord,
        subject: Option<Uuid>,
        lease: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        self.record_stage(fence, stage, record, subject, lease, now).await
    }

    async fn release(&self, fence: Fence, next_run_at: Timestamp, now: Timestamp) -> Result<()> {
        self.release_operation(fence, next_run_at, now).await
    }

    async fn block(&self, fence: Fence, blocked: Blocked, now: Timestamp) -> Result<Operation> {
        self.block_operation(fence, blocked, now).await
    }

    async fn finish(&self, fence: Fence, finish: Finish) -> Result<Operation> {
        self.finish_operation(fence, finish).await
    }

    async fn cancel(&self, wish: Wish) -> Result<Operation> {
        self.cancel_operation(wish).await
    }

    async fn retry(&self, wish: Wish, choice: Option<&str>) -> Result<Operation> {
        self.retry_operation(wish, choice).await
    }

    async fn operation(&self, id: Uuid) -> Result<Option<Operation>> {
        self.read("operation", async {
            let mut connection = self.readers.acquire().await?;
            changes::load(&mut connection, id).await
        })
        .await
    }

    async fn operations(&self, filter: &OperationFilter, page: Page) -> Result<Vec<Operation>> {
        self.read("operations", self.list_operations(filter, page)).await
    }

    async fn standing(&self) -> Result<Vec<Standing>> {
        self.read("standing", async {
            let rows = sqlx::query(STANDING).fetch_all(&self.readers).await?;
            rows.iter().map(rows::standing).collect()
        })
        .await
    }
}

impl Database {
    async fn list_operations(&self, filter: &OperationFilter, page: Page) -> Result<Vec<Operation>> {
        // Those of one record are few: those of all that are not over may be many.
        let unfinished = if filter.resource_uid.is_some() { NOT_OVER } else { UNFINISHED };
        let found = Rows::after("operations", "id", page.after.map(from_uid))
            .and("connection", filter.connection.clone())
            .and("resource_uid", filter.resource_uid.map(from_uid))
            .and("resource_name", filter.resource_name.clone())
            .and("kind", filter.kind.as_ref().map(word).transpose()?)
            .and("state", filter.state.as_ref().map(word).transpose()?)
            .only(unfinished, filter.unfinished)
            .fetch(&self.readers, "id", page.limit)
            .await?;
        let mut connection = self.readers.acquire().await?;
        let mut operations = Vec::with_capacity(found.len());
        for row in found {
            let mut operation = rows::operation(&row)?;
            operation.stages = changes::stages(&mut connection, operation.id).await?;
            operations.push(operation);
        }
        Ok(operations)
    }
}
