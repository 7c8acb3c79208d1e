//! Claims: who carries an operation on, until when, and the number that all its writes carry.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::values::{from_uid, json, millis};
use super::{Columns, Database, SKIP_LOCKED, Write, changes};
use crate::{Claim, Claimed, Fence, Result};

/// What can go on by itself. A blocked operation goes on only to be cancelled.
///
/// The first two terms are the partial index's own, word for word: without them every tick reads every operation ever
/// made, and every one that waits.
const GOES_ON: &str = "o.state IN ('queued', 'running', 'blocked') AND o.waits_for IS NULL \
     AND (o.state <> 'blocked' OR o.cancel_requested = 1)";

/// Whether an operation is the named one, or is waited for by it: what holds something before it in a way that excludes
/// it, and what holds something before that.
fn is_meant(named: &str) -> String {
    format!(
        "({named} = '' OR o.id IN (WITH RECURSIVE meant(operation) AS (SELECT {named} \
         UNION SELECT theirs.operation FROM meant JOIN holds mine ON mine.operation = meant.operation \
         JOIN holds theirs ON theirs.resource = mine.resource WHERE mine.active = 1 AND theirs.active = 1 \
         AND theirs.queue_order < mine.queue_order AND (theirs.exclusive = 1 OR mine.exclusive = 1)) \
         SELECT operation FROM meant))"
    )
}

/// What is left out, as lists: a query for each number of them would be planned anew each time that another number is at
/// work.
const LEFT_OUT: &str = "o.connection NOT IN (SELECT value FROM json_each($6)) \
     AND o.account NOT IN (SELECT value FROM json_each($7)) AND o.id NOT IN (SELECT value FROM json_each($8))";

impl Claim {
    /// The query for what is due, at most so much of it.
    fn due(&self, locking: &str, most: u32) -> Result<changes::Asked> {
        Ok(sqlx::query(AssertSqlSafe(due_query(locking)))
            .bind(millis(self.now))
            .bind(millis(self.longest))
            .bind(self.only.map(from_uid).unwrap_or_default())
            .bind(i64::from(self.limit_per_connection))
            .bind(i64::from(most))
            .bind(json(&self.except)?)
            .bind(json(&self.except_accounts)?)
            .bind(json(&self.under_way)?))
    }
}

impl Database {
    pub(super) async fn claim_operations(&self, claim: &Claim) -> Result<Vec<Claimed>> {
        // Most ticks find nothing: that costs no write.
        if self.read("due", self.nothing_due(claim)).await? {
            return Ok(Vec::new());
        }
        let mut write = self.write("claim").await?;
        let claimed = write.claim(claim).await;
        write.end(claimed).await
    }

    pub(super) async fn next_due_operation(&self, only: Option<Uuid>) -> Result<Option<Timestamp>> {
        sqlx::query(AssertSqlSafe(next_due_query()))
            .bind(only.map(from_uid).unwrap_or_default())
            .fetch_one(&self.readers)
            .await?
            .maybe_time("due")
    }

    async fn nothing_due(&self, claim: &Claim) -> Result<bool> {
        let due = claim.due("", 1)?;
        Ok(due.fetch_optional(&self.readers).await?.is_none())
    }
}

impl Write<'_> {
    async fn claim(&mut self, claim: &Claim) -> Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        for id in self.due(claim).await? {
            let row = sqlx::query(
                "UPDATE operations SET lease_owner = $2, lease_until = $3, fence = fence + 1, woken = 0 \
                 WHERE id = $1 RETURNING *",
            )
            .bind(from_uid(id))
            .bind(from_uid(claim.owner))
            .bind(millis(claim.until))
            .fetch_one(self.on())
            .await?;
            claimed.push(Claimed {
                operation: changes::with_stages(self.on(), &row).await?,
                fence: Fence { operation: id, number: row.plain("fence")? },
            });
        }
        Ok(claimed)
    }

    async fn due(&mut self, claim: &Claim) -> Result<Vec<Uuid>> {
        let due = claim.due(SKIP_LOCKED, claim.limit)?;
        due.fetch_all(self.on()).await?.iter().map(|row| row.uid("id")).collect()
    }
}

fn next_due_query() -> String {
    format!(
        "SELECT MIN(CASE WHEN o.lease_until > o.next_run_at THEN o.lease_until ELSE o.next_run_at END) AS due \
         FROM operations o WHERE {GOES_ON} AND {}",
        is_meant("$1")
    )
}

/// A time later than the longest wait was written by a clock that stood wrong: due.
fn due_query(locking: &str) -> String {
    // What is added to the limit keeps it from being one that the query is planned for, as `limit` says.
    format!(
        "SELECT id FROM operations WHERE id IN (SELECT id FROM (SELECT o.id AS id, o.next_run_at AS due, \
         ROW_NUMBER() OVER (PARTITION BY o.connection ORDER BY o.next_run_at, o.queue_order) AS place \
         FROM operations o WHERE {GOES_ON} AND (o.next_run_at <= $1 OR o.next_run_at > $2) \
         AND (o.lease_until IS NULL OR o.lease_until <= $1 OR o.lease_until > $2) AND {} AND {LEFT_OUT}) \
         ranked WHERE place <= $4 ORDER BY due LIMIT $5 + 0) ORDER BY next_run_at, queue_order {locking}",
        is_meant("$3")
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sqlx::Row as _;

    use super::super::filter::Rows;
    use super::super::operations::{NOT_OVER, STANDING, UNFINISHED};
    use super::super::queue::BEHIND;
    use super::*;
    use crate::{MasterKey, NoKillPoints, SqliteStore};

    /// How SQLite would answer a query, in its words.
    async fn plan_of(store: &SqliteStore, query: &str) -> String {
        let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")));
        let rows = explained.fetch_all(&store.readers).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn what_is_read_at_every_tick_and_read_is_found_by_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let key = MasterKey::from_bytes([1; 32]);
        let store =
            SqliteStore::open(&directory.path().join("s"), key, Arc::new(NoKillPoints)).await.unwrap();
        let of = |table, key| Rows::after(table, key, None);
        let some = || Some("x".to_owned());
        for (query, index) in [
            // Whoever waits is not looked at.
            (due_query(""), "o USING INDEX operations_ready"),
            (next_due_query(), "o USING INDEX operations_ready"),
            // Whoever shares a network with hundreds looks at none of them.
            (
                format!("UPDATE operations AS o SET waits_for = {BEHIND} WHERE o.queue_order >= 1"),
                "theirs USING INDEX holds_exclusive (resource=? AND queue_order<?)",
            ),
            (of("operations", "id").and("resource_uid", some()).query("id", 1), "operations_by_resource"),
            (
                of("operations", "id").and("resource_uid", some()).only(NOT_OVER, true).query("id", 1),
                "operations_by_resource",
            ),
            (of("resources", "uid").and("connection", some()).query("uid", 1), "resources_by_connection"),
            (of("resources", "uid").and("parent", some()).query("uid", 1), "resources_by_parent"),
            (
                of("resources", "uid").and("account", some()).and("location", some()).query("uid", 1),
                "resources_by_name",
            ),
            (of("operations", "id").only(UNFINISHED, true).query("id", u32::MAX), "operations_due"),
            (STANDING.to_owned(), "operations_due"),
        ] {
            let plan = plan_of(&store, &query).await;
            assert!(plan.contains(index), "{query}\n{plan}");
            assert!(!plan.contains("SCAN o\n") && !plan.contains("SCAN operations\n"), "{query}\n{plan}");
        }
    }
}
