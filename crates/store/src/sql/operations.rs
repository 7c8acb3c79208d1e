//! Operations: each transaction in a file of its own, the plain reads here.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::values::{flag, from_uid, limit, word};
use super::{Database, changes, rows};
use crate::{
    Accept, Accepted, AuditEntry, Begun, Blocked, Claim, Claimed, Fence, Finish, IdempotencyKey, Operation,
    OperationFilter, Operations, Page, Result, StageRecord,
};

#[async_trait]
impl Operations for Database {
    async fn accept(&self, accept: Accept) -> Result<Accepted> {
        self.accept_operation(accept).await
    }

    async fn repeated(&self, key: &IdempotencyKey) -> Result<Option<Operation>> {
        self.repeated_operation(key).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        self.claim_operations(&claim).await
    }

    async fn next_due(&self, only: Option<Uuid>) -> Result<Option<Timestamp>> {
        self.next_due_operation(only).await
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

    async fn cancel(&self, id: Uuid, now: Timestamp, audit: AuditEntry) -> Result<Operation> {
        self.cancel_operation(id, now, audit).await
    }

    async fn retry(&self, id: Uuid, now: Timestamp, audit: AuditEntry) -> Result<Operation> {
        self.retry_operation(id, now, audit).await
    }

    async fn operation(&self, id: Uuid) -> Result<Option<Operation>> {
        let mut connection = self.readers.acquire().await?;
        changes::load(&mut connection, id).await
    }

    async fn operations(&self, filter: &OperationFilter, page: Page) -> Result<Vec<Operation>> {
        let mut connection = self.readers.acquire().await?;
        let found = sqlx::query(
            "SELECT * FROM operations WHERE id > $1 AND ($2 IS NULL OR connection = $2) \
             AND ($3 IS NULL OR resource_uid = $3) AND ($4 IS NULL OR resource_name = $4) \
             AND ($5 IS NULL OR kind = $5) AND ($6 IS NULL OR state = $6) \
             AND ($7 = 0 OR state IN ('queued', 'running', 'blocked')) ORDER BY id LIMIT $8",
        )
        .bind(page.after.map(from_uid).unwrap_or_default())
        .bind(filter.connection.as_deref())
        .bind(filter.resource_uid.map(from_uid))
        .bind(filter.resource_name.as_deref())
        .bind(filter.kind.as_ref().map(word).transpose()?)
        .bind(filter.state.as_ref().map(word).transpose()?)
        .bind(flag(filter.unfinished))
        .bind(limit(page.limit))
        .fetch_all(&mut *connection)
        .await?;
        let mut operations = Vec::with_capacity(found.len());
        for row in found {
            let mut operation = rows::operation(&row)?;
            operation.stages = changes::stages(&mut connection, operation.id).await?;
            operations.push(operation);
        }
        Ok(operations)
    }
}
