//! Claims: who carries an operation on, until when, and the number that all its writes carry.

use std::fmt::Write as _;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::queue::HAS_ITS_TURN;
use super::values::{from_uid, limit, millis};
use super::{Columns, Database, SKIP_LOCKED, Write};
use crate::{Claim, Claimed, Fence, Result};

/// What can go on by itself. A blocked operation goes on only to be cancelled.
const GOES_ON: &str =
    "(o.state IN ('queued', 'running') OR (o.state = 'blocked' AND o.cancel_requested = 1))";

impl Database {
    pub(super) async fn claim_operations(&self, claim: &Claim) -> Result<Vec<Claimed>> {
        // Most ticks find nothing: that costs no write.
        if self.nothing_due(claim).await? {
            return Ok(Vec::new());
        }
        let mut write = self.write("claim").await?;
        let mut claimed = Vec::new();
        for id in write.due(claim).await? {
            let row = sqlx::query(
                "UPDATE operations SET lease_owner = $2, lease_until = $3, fence = fence + 1, woken = 0 \
                 WHERE id = $1 RETURNING fence",
            )
            .bind(from_uid(id))
            .bind(from_uid(claim.owner))
            .bind(millis(claim.until))
            .fetch_one(write.on())
            .await?;
            claimed.push(Claimed {
                operation: write.operation(id).await?,
                fence: Fence { operation: id, number: row.plain("fence")? },
            });
        }
        write.commit().await?;
        Ok(claimed)
    }

    pub(super) async fn next_due_operation(&self, only: Option<Uuid>) -> Result<Option<Timestamp>> {
        let query = format!(
            "SELECT MIN(CASE WHEN o.lease_until > o.next_run_at THEN o.lease_until ELSE o.next_run_at END) AS due \
             FROM operations o WHERE {GOES_ON} AND ($1 = '' OR o.id = $1) \
             AND (o.state <> 'queued' OR {HAS_ITS_TURN})"
        );
        sqlx::query(AssertSqlSafe(query))
            .bind(only.map(from_uid).unwrap_or_default())
            .fetch_one(&self.readers)
            .await?
            .maybe_time("due")
    }

    async fn nothing_due(&self, claim: &Claim) -> Result<bool> {
        let due = sqlx::query(AssertSqlSafe(due_query(claim, "")))
            .bind(millis(claim.now))
            .bind(millis(claim.longest))
            .bind(claim.only.map(from_uid).unwrap_or_default())
            .bind(limit(claim.limit_per_connection))
            .bind(1_i64);
        let due = claim.except.iter().fold(due, |query, connection| query.bind(connection.as_str()));
        Ok(due.fetch_optional(&self.readers).await?.is_none())
    }
}

impl Write<'_> {
    async fn due(&mut self, claim: &Claim) -> Result<Vec<Uuid>> {
        let due = sqlx::query(AssertSqlSafe(due_query(claim, SKIP_LOCKED)))
            .bind(millis(claim.now))
            .bind(millis(claim.longest))
            .bind(claim.only.map(from_uid).unwrap_or_default())
            .bind(limit(claim.limit_per_connection))
            .bind(limit(claim.limit));
        let due = claim.except.iter().fold(due, |query, connection| query.bind(connection.as_str()));
        due.fetch_all(self.on()).await?.iter().map(|row| row.uid("id")).collect()
    }
}

/// A time later than the longest wait was written by a clock that stood wrong: due.
fn due_query(claim: &Claim, locking: &str) -> String {
    let mut except = String::new();
    for place in 0..claim.except.len() {
        // Writing to a String cannot fail.
        let _ = write!(except, " AND o.connection <> ${}", place + 6);
    }
    format!(
        "SELECT id FROM operations WHERE id IN (SELECT id FROM (SELECT o.id AS id, o.next_run_at AS due, \
         ROW_NUMBER() OVER (PARTITION BY o.connection ORDER BY o.next_run_at, o.queue_order) AS place \
         FROM operations o WHERE {GOES_ON} AND (o.next_run_at <= $1 OR o.next_run_at > $2) \
         AND (o.lease_until IS NULL OR o.lease_until <= $1 OR o.lease_until > $2) AND ($3 = '' OR o.id = $3){except} \
         AND (o.state <> 'queued' OR {HAS_ITS_TURN})) ranked WHERE place <= $4 ORDER BY due LIMIT $5) \
         ORDER BY next_run_at, queue_order {locking}"
    )
}
