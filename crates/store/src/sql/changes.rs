//! Loading an operation, and the event that every visible change of it leaves.

use jiff::Timestamp;
use pmks_model::{Failure, OperationState, Remains};
use sqlx::AssertSqlSafe;
use sqlx::query::Query;
use uuid::Uuid;

use super::values::{as_kept, flag, from_uid, json, maybe_json, maybe_millis, millis, word};
use super::{Columns, Connection, Db, Write, rows};
use crate::{Error, Fence, Operation, Result, Stage, StageRecord};

type Row = <Db as sqlx::Database>::Row;

/// A query that holds all its values.
pub(super) type Asked = Query<'static, Db, <Db as sqlx::Database>::Arguments>;

pub(super) async fn load(connection: &mut Connection, id: Uuid) -> Result<Option<Operation>> {
    let row = sqlx::query("SELECT * FROM operations WHERE id = $1")
        .bind(from_uid(id))
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => with_stages(connection, &row).await.map(Some),
        None => Ok(None),
    }
}

/// The operation of a row, with its stages.
pub(super) async fn with_stages(connection: &mut Connection, row: &Row) -> Result<Operation> {
    let mut operation = rows::operation(row)?;
    operation.stages = stages(connection, operation.id).await?;
    Ok(operation)
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
        self.tell(operation).await
    }

    /// Stores the event of an operation that stands so in its row, with the time at which it changed; answers it.
    pub(super) async fn tell(&mut self, operation: Operation) -> Result<Operation> {
        let event = sqlx::query(
            "INSERT INTO events (operation, at, snapshot) VALUES ($1, $2, $3) RETURNING sequence",
        )
        .bind(from_uid(operation.id))
        .bind(millis(operation.updated_at))
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

    /// Ends an operation, whoever carries it on, or who has that claim of it; answers its row.
    pub(super) async fn end_operation(
        &mut self,
        (id, claim): (Uuid, Option<i64>),
        state: OperationState,
        error: Option<&Failure>,
        remains: &[Remains],
        now: Timestamp,
    ) -> Result<Row> {
        let ended = sqlx::query(
            "UPDATE operations SET state = $3, error = $4, remains = $5, blocked = NULL, finished_at = $6, \
             updated_at = $6, lease_owner = NULL, lease_until = NULL, fence = fence + 1, woken = 0, waits_for = NULL \
             WHERE id = $1 AND ($2 IS NULL OR (fence = $2 AND lease_owner IS NOT NULL)) RETURNING *",
        )
        .bind(from_uid(id))
        .bind(claim)
        .bind(word(&state)?)
        .bind(maybe_json(error)?)
        .bind(json(&remains)?)
        .bind(millis(now))
        .fetch_optional(self.on())
        .await?;
        let ended = ended.ok_or(Error::Fenced)?;
        sqlx::query("UPDATE holds SET active = $2 WHERE operation = $1")
            .bind(from_uid(id))
            .bind(flag(false))
            .execute(self.on())
            .await?;
        Ok(ended)
    }
}

/// A change of the operation's own row, if this claim of it is still the last one: answers the row as it is then, and
/// none if it is not. The row stays locked until the end. `$1` and `$2` are taken.
pub(super) fn fenced(fence: Fence, set: &'static str) -> Asked {
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE operations SET {set} WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL RETURNING *"
    )))
    .bind(from_uid(fence.operation))
    .bind(fence.number)
}
