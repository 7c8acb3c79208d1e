//! Who holds what, whose turn it is, and what becomes of those that wait.

use std::collections::HashMap;

use jiff::Timestamp;
use pmks_model::{Failure, FailureKind, OperationKind, OperationState, Says};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::values::{from_uid, millis};
use super::{Columns, Connection, Database, Write, together};
use crate::{Error, Hold, HoldMode, Operation, Result, Wish};

/// The operation that a queued one, `o`, waits for: one before it that holds what it needs alone, or that holds at all
/// what it needs alone. Migration 10 says the same where a hold is given up.
///
/// Two questions, so that each has its index: asked as one, who shares a network with many looks at all of them.
pub(super) const BEHIND: &str = "COALESCE((SELECT theirs.operation FROM holds mine JOIN holds theirs \
     ON theirs.resource = mine.resource AND theirs.active = 1 AND theirs.exclusive = 1 \
     AND theirs.queue_order < mine.queue_order WHERE mine.operation = o.id AND mine.active = 1 LIMIT 1), \
     (SELECT theirs.operation FROM holds mine JOIN holds theirs \
     ON theirs.resource = mine.resource AND theirs.active = 1 AND theirs.queue_order < mine.queue_order \
     WHERE mine.operation = o.id AND mine.active = 1 AND mine.exclusive = 1 LIMIT 1))";

/// Notes what is waited for by those that were queued at that place or later; answers it by who waits.
///
/// Where several servers write, what is waited for must be locked before it is noted: it may end meanwhile.
pub(super) async fn wait_behind(on: &mut Connection, order: i64) -> Result<HashMap<Uuid, Uuid>> {
    let noted = sqlx::query(AssertSqlSafe(format!(
        "UPDATE operations AS o SET waits_for = {BEHIND} WHERE o.queue_order >= $1 RETURNING id, waits_for"
    )));
    let mut behind = HashMap::new();
    for row in noted.bind(order).fetch_all(on).await? {
        if let Some(before) = row.maybe_uid("waits_for")? {
            behind.insert(row.uid("id")?, before);
        }
    }
    Ok(behind)
}

/// Refuses to name what is gone (`Stale`: it was there when it was read), or what a removal holds that is not over.
/// Together with the removal's own hold this decides which of the two comes first, in one transaction.
pub(super) async fn refuse_lost(on: &mut Connection, named: &[Uuid]) -> Result<()> {
    if named.is_empty() {
        return Ok(());
    }
    let places = (1..=named.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
    let standing = format!("SELECT COUNT(*) FROM resources WHERE uid IN ({places})");
    let standing = sqlx::query_scalar::<_, i64>(AssertSqlSafe(standing));
    let standing = named.iter().fold(standing, |asked, uid| asked.bind(from_uid(*uid)));
    if usize::try_from(standing.fetch_one(&mut *on).await?).ok() != Some(named.len()) {
        return Err(Error::Stale { what: "something that it names".to_owned() });
    }
    let alone = format!(
        "SELECT o.id, o.kind FROM holds JOIN operations o ON o.id = holds.operation \
         WHERE holds.active = 1 AND holds.exclusive = 1 AND holds.resource IN ({places}) ORDER BY o.queue_order"
    );
    let alone = sqlx::query(AssertSqlSafe(alone));
    let alone = named.iter().fold(alone, |asked, uid| asked.bind(from_uid(*uid)));
    let mut holders = Vec::new();
    for row in alone.fetch_all(on).await? {
        if row.word::<OperationKind>("kind")?.removes() {
            holders.push(row.uid("id")?);
        }
    }
    if holders.is_empty() { Ok(()) } else { Err(Error::Held { holders }) }
}

impl Database {
    pub(super) async fn holders_of(&self, holds: &[Hold]) -> Result<Vec<Uuid>> {
        // Each hold in its own words, so that each has its index; all in one question.
        let questions = holds.iter().enumerate().map(|(place, hold)| {
            let excludes = match hold.mode {
                HoldMode::Exclusive => "",
                HoldMode::Shared => " AND exclusive = 1",
            };
            format!(
                "SELECT operation, queue_order FROM holds WHERE active = 1{excludes} AND resource = ${}",
                place + 1
            )
        });
        let question = questions.collect::<Vec<_>>().join(" UNION ");
        if question.is_empty() {
            return Ok(Vec::new());
        }
        let asked = sqlx::query(AssertSqlSafe(format!("{question} ORDER BY queue_order")));
        let asked = holds.iter().fold(asked, |asked, hold| asked.bind(from_uid(hold.resource)));
        asked.fetch_all(&self.readers).await?.iter().map(|row| row.uid("operation")).collect()
    }

    pub(super) async fn cancel_operation(&self, wish: Wish) -> Result<Operation> {
        let mut write = self.write("cancel").await?;
        let cancelled = write.cancel(&wish).await;
        write.end(cancelled).await
    }

    pub(super) async fn retry_operation(&self, wish: Wish, choice: Option<&str>) -> Result<Operation> {
        let mut write = self.write("retry").await?;
        let retried = write.retry(&wish, choice).await;
        write.end(retried).await
    }
}

impl Write<'_> {
    async fn cancel(&mut self, wish: &Wish) -> Result<Operation> {
        if let Some(earlier) = self.repeated(wish).await? {
            return Ok(earlier);
        }
        let operation = self.operation(wish.operation).await?;
        if operation.state.is_final() {
            return Err(Error::Conflict(format!("operation {} is over: {}", operation.id, operation.state)));
        }
        self.stop(&operation, None, wish.now).await?;
        self.wished(wish).await
    }

    async fn retry(&mut self, wish: &Wish, choice: Option<&str>) -> Result<Operation> {
        if let Some(earlier) = self.repeated(wish).await? {
            return Ok(earlier);
        }
        let operation = self.operation(wish.operation).await?;
        if let Some(choice) = choice {
            self.choose(&operation, choice).await?;
        }
        match operation.state {
            OperationState::Blocked => self.resume(operation.id).await?,
            OperationState::Failed => self.queue_again(&operation, wish.now).await?,
            state => {
                return Err(Error::Conflict(format!(
                    "operation {} is {state}: only what failed or is blocked can be retried",
                    operation.id
                )));
            }
        }
        self.changed(operation.id, wish.now).await?;
        self.wished(wish).await
    }

    /// The operation as it stands, if the same request was made before.
    async fn repeated(&mut self, wish: &Wish) -> Result<Option<Operation>> {
        let Some(key) = &wish.idempotency else { return Ok(None) };
        match self.earlier(key).await? {
            Some(id) => self.operation(id).await.map(Some),
            None => Ok(None),
        }
    }

    async fn wished(&mut self, wish: &Wish) -> Result<Operation> {
        self.audit(&wish.audit).await?;
        self.keep_key(wish.idempotency.as_ref(), wish.operation, wish.now).await?;
        self.operation(wish.operation).await
    }

    /// Every other candidate counts as known before the ask: the stage finds the chosen one alone.
    async fn choose(&mut self, operation: &Operation, choice: &str) -> Result<()> {
        let blocked = operation.blocked.as_ref();
        let candidates = blocked.map(|blocked| blocked.candidates.as_slice()).unwrap_or_default();
        if !candidates.iter().any(|candidate| candidate == choice) {
            return Err(Error::Conflict(match candidates {
                [] => format!("operation {} waits for no choice", operation.id),
                some => format!("{choice:?} is none of {}", some.join(", ")),
            }));
        }
        let waits = blocked.and_then(|blocked| blocked.stage.as_deref());
        let Some(stage) = operation.stages.iter().find(|stage| waits == Some(stage.name.as_str())) else {
            return Err(Error::Conflict(format!("operation {} has no stage to choose for", operation.id)));
        };
        let mut record = stage.record.clone();
        record.baseline.retain(|known| known != choice);
        record.baseline.extend(candidates.iter().filter(|candidate| *candidate != choice).cloned());
        self.update_stage(operation.id, &stage.name, &record).await
    }

    /// Cancels what is queued, asks everything else that is not over to stop. Records that a creation brought along
    /// go with it, but for `kept`.
    pub(super) async fn stop(
        &mut self,
        operation: &Operation,
        kept: Option<Uuid>,
        now: Timestamp,
    ) -> Result<()> {
        if operation.state == OperationState::Queued && !operation.has_asked() {
            self.end_operation((operation.id, None), OperationState::Cancelled, None, &[], now).await?;
            self.drop_unmade(operation, kept).await?;
        } else {
            sqlx::query(
                "UPDATE operations SET cancel_requested = 1, woken = 1, next_run_at = $2 WHERE id = $1",
            )
            .bind(from_uid(operation.id))
            .bind(millis(now))
            .execute(self.on())
            .await?;
        }
        self.changed(operation.id, now).await?;
        Ok(())
    }

    /// Removes the records of a creation that never asked the cloud for anything, unless somebody else holds them.
    pub(super) async fn drop_unmade(&mut self, operation: &Operation, kept: Option<Uuid>) -> Result<()> {
        let Some(uid) = operation.resource_uid else {
            return Ok(());
        };
        let unmade = operation.kind.creates() && !operation.has_asked();
        if unmade && Some(uid) != kept && self.holders_of_record(uid).await?.is_empty() {
            self.remove_resource(uid).await?;
        }
        Ok(())
    }

    /// What waits behind a creation that did not succeed has nothing to work on. Removals go on.
    pub(super) async fn cancel_behind(&mut self, failed: &Operation, now: Timestamp) -> Result<()> {
        let Some(uid) = failed.resource_uid else {
            return Ok(());
        };
        let why = Failure::new(
            FailureKind::Precondition,
            Says::kind(failed.resource.kind)
                .text(format!(" {:?}, which this waited for, was not made", failed.resource.name)),
        );
        for id in self.holders_of_record(uid).await? {
            let waiting = self.operation(id).await?;
            if waiting.state == OperationState::Queued && !waiting.kind.removes() {
                self.end_operation((id, None), OperationState::Cancelled, Some(&why), &[], now).await?;
                self.drop_unmade(&waiting, None).await?;
                self.changed(id, now).await?;
            }
        }
        Ok(())
    }

    /// Operations that are not over and hold the record or a part of it, oldest first.
    pub(super) async fn holders_of_record(&mut self, uid: Uuid) -> Result<Vec<Uuid>> {
        sqlx::query(
            "SELECT DISTINCT operation, queue_order FROM holds WHERE active = 1 AND (resource = $1 \
             OR resource IN (SELECT uid FROM resources WHERE parent = $1)) ORDER BY queue_order",
        )
        .bind(from_uid(uid))
        .fetch_all(self.on())
        .await?
        .iter()
        .map(|row| row.uid("operation"))
        .collect()
    }

    /// Refuses if somebody holds what this operation would not wait for.
    pub(super) async fn refuse_held(&mut self, id: Uuid) -> Result<()> {
        let holders: Vec<Uuid> = sqlx::query(
            "SELECT DISTINCT theirs.operation, theirs.queue_order FROM holds mine JOIN holds theirs \
             ON theirs.resource = mine.resource AND theirs.operation <> mine.operation AND theirs.active = 1 \
             WHERE mine.operation = $1 AND mine.refuses = 1 AND (mine.exclusive = 1 OR theirs.exclusive = 1) \
             ORDER BY theirs.queue_order",
        )
        .bind(from_uid(id))
        .fetch_all(self.on())
        .await?
        .iter()
        .map(|row| row.uid("operation"))
        .collect::<Result<_>>()?;
        if holders.is_empty() { Ok(()) } else { Err(Error::Held { holders }) }
    }

    /// Ends an operation that its user gives up, whatever the cloud still does.
    pub(super) async fn abandon(&mut self, id: Uuid, now: Timestamp) -> Result<()> {
        let why = Failure::new(FailureKind::Conflict, "given up: its record was forgotten");
        self.end_operation((id, None), OperationState::Cancelled, Some(&why), &[], now).await?;
        self.changed(id, now).await?;
        Ok(())
    }

    async fn resume(&mut self, id: Uuid) -> Result<()> {
        // It was due when it was blocked, and is: how long ago that was does not count against its deadlines.
        sqlx::query("UPDATE operations SET state = 'running', blocked = NULL WHERE id = $1")
            .bind(from_uid(id))
            .execute(self.on())
            .await?;
        Ok(())
    }

    async fn queue_again(&mut self, operation: &Operation, now: Timestamp) -> Result<()> {
        if let Some(uid) = operation.resource_uid {
            if let Err(Error::NotFound { .. }) = self.resource(uid).await {
                let what = &operation.resource;
                let says = format!(
                    "the record of {} {:?} is gone or was made anew: ask for it again",
                    what.kind.says(),
                    what.name
                );
                return Err(Error::Conflict(says));
            }
            let newer: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM operations WHERE resource_uid = $1 AND queue_order > $2",
            )
            .bind(from_uid(uid))
            .bind(operation.queue_order)
            .fetch_one(self.on())
            .await?;
            if newer > 0 {
                return Err(Error::Conflict(
                    "only the newest operation of a resource can be retried".to_owned(),
                ));
            }
        }
        let order = together::next_queue_order(self.on()).await?;
        sqlx::query("UPDATE holds SET active = 1, queue_order = $2 WHERE operation = $1")
            .bind(from_uid(operation.id))
            .bind(order)
            .execute(self.on())
            .await?;
        self.refuse_held(operation.id).await?;
        sqlx::query(
            "UPDATE operations SET state = 'queued', error = NULL, remains = '[]', cancel_requested = 0, \
             attempt = attempt + 1, queue_order = $2, next_run_at = $3, woken = 0, started_at = NULL, \
             finished_at = NULL WHERE id = $1",
        )
        .bind(from_uid(operation.id))
        .bind(order)
        .bind(millis(now))
        .execute(self.on())
        .await?;
        wait_behind(self.on(), order).await?;
        // What was asked, its token and its notes stay: an ask that nobody settled is still looked for. What had begun
        // to wait when another stage failed gets its whole time again too. What was seen gone without having been asked
        // to go is looked at once more: that look may be why another stage failed.
        sqlx::query(
            "UPDATE stages SET state = 'waiting', started_at = NULL, finished_at = NULL, error = NULL, detail = '' \
             WHERE operation = $1 AND (state IN ('failed', 'waiting') OR (state = 'done' AND asked_at IS NULL AND \
             json_extract(specification, '$.doomed') IS NOT NULL))",
        )
        .bind(from_uid(operation.id))
        .execute(self.on())
        .await?;
        Ok(())
    }
}

impl Operation {
    /// Whether the cloud was ever asked to change something.
    pub fn has_asked(&self) -> bool {
        self.stages.iter().any(|stage| stage.record.attempts > 0)
    }
}
