//! Loading an operation, and the event that every visible change of it leaves.

use jiff::Timestamp;
use uuid::Uuid;

use super::values::{as_kept, flag, from_uid, json, maybe_json, maybe_millis, millis, word};
use super::{Columns, Connection, Write, rows};
use crate::{Error, Fence, Operation, Result, Stage, StageRecord};

pub(super) async fn load(connection: &mut Connection, id: Uuid) -> Result<Option<Operation>> {
    let row = sqlx::query("SELECT * FROM operations WHERE id = $1")
        .bind(from_uid(id))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut operation = rows::operation(&row)?;
    operation.stages = stages(connection, id).await?;
    Ok(Some(operation))
}

pub(super) async fn stages(connection: &mut Connection, id: Uuid) -> Result<Vec<Stage>> {
    sqlx::query("SELECT * FROM stages WHERE operation = $1 ORDER BY position")
        .bind(from_uid(id))
        .fetch_all(connection)
        .await?
        .iter()
        .map(rows::stage)
        .collect()
}

impl Write<'_> {
    pub(super) async fn operation(&mut self, id: Uuid) -> Result<Operation> {
        load(self.on(), id).await?.ok_or_else(|| Error::not_found(format!("operation {id}")))
    }

    /// The operation, if this claim of it is still the last one. The row stays locked until the end.
    pub(super) async fn fenced(&mut self, fence: Fence) -> Result<Operation> {
        let held = sqlx::query(
            "UPDATE operations SET fence = fence WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL",
        )
        .bind(from_uid(fence.operation))
        .bind(fence.number)
        .execute(self.on())
        .await?;
        if held.rows_affected() == 0 {
            return Err(Error::Fenced);
        }
        self.operation(fence.operation).await
    }

    /// Stores the event of an operation as it now stands, and answers it.
    pub(super) async fn changed(&mut self, id: Uuid, now: Timestamp) -> Result<Operation> {
        let operation = self.operation(id).await?;
        self.changed_to(operation, now).await
    }

    /// The same, where it is known how the operation now stands.
    pub(super) async fn changed_to(&mut self, mut operation: Operation, now: Timestamp) -> Result<Operation> {
        operation.updated_at = as_kept(now);
        sqlx::query("UPDATE operations SET updated_at = $2 WHERE id = $1")
            .bind(from_uid(operation.id))
            .bind(millis(now))
            .execute(self.on())
            .await?;
        let event = sqlx::query(
            "INSERT INTO events (operation, at, snapshot) VALUES ($1, $2, $3) RETURNING sequence",
        )
        .bind(from_uid(operation.id))
        .bind(millis(now))
        .bind(json(&operation.view())?)
        .fetch_one(self.on())
        .await?;
        self.wrote_event(event.plain("sequence")?);
        Ok(operation)
    }

    pub(super) async fn update_stage(
        &mut self,
        operation: Uuid,
        name: &str,
        record: &StageRecord,
    ) -> Result<()> {
        let written = sqlx::query(
            "UPDATE stages SET state = $3, attempts = $4, started_at = $5, asked_at = $6, finished_at = $7, \
             token = $8, handle = $9, baseline = $10, outputs = $11, system_id = $12, incarnation = $13, \
             detail = $14, error = $15, notes = $16 WHERE operation = $1 AND name = $2",
        )
        .bind(from_uid(operation))
        .bind(name)
        .bind(word(&record.state)?)
        .bind(i64::from(record.attempts))
        .bind(maybe_millis(record.started_at))
        .bind(maybe_millis(record.asked_at))
        .bind(maybe_millis(record.finished_at))
        .bind(record.token.as_str())
        .bind(maybe_json(record.handle.as_ref())?)
        .bind(json(&record.baseline)?)
        .bind(maybe_json(record.outputs.as_ref())?)
        .bind(record.system_id.as_deref())
        .bind(record.incarnation.as_deref())
        .bind(record.detail.as_str())
        .bind(maybe_json(record.error.as_ref())?)
        .bind(json(&record.notes)?)
        .execute(self.on())
        .await?;
        if written.rows_affected() == 0 {
            return Err(Error::not_found(format!("stage {name:?} of operation {operation}")));
        }
        Ok(())
    }

    /// Ends an operation in the way that its record says, whoever carries it on.
    pub(super) async fn end_operation(
        &mut self,
        id: Uuid,
        state: pmks_model::OperationState,
        error: Option<&pmks_model::Failure>,
        remains: &[pmks_model::Remains],
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE operations SET state = $2, error = $3, remains = $4, blocked = NULL, finished_at = $5, \
             lease_owner = NULL, lease_until = NULL, fence = fence + 1, woken = 0, waits_for = NULL WHERE id = $1",
        )
        .bind(from_uid(id))
        .bind(word(&state)?)
        .bind(maybe_json(error)?)
        .bind(json(&remains)?)
        .bind(millis(now))
        .execute(self.on())
        .await?;
        sqlx::query("UPDATE holds SET active = $2 WHERE operation = $1")
            .bind(from_uid(id))
            .bind(flag(false))
            .execute(self.on())
            .await?;
        Ok(())
    }
}
