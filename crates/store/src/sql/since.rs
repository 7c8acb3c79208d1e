//! What changed since a reader that keeps records in memory last asked.

use std::collections::{BTreeSet, HashSet};

use sqlx::AssertSqlSafe;

use super::operations::NOT_OVER;
use super::values::limit;
use super::{Columns, Connection, Database, Db, Write, pieces, rows};
use crate::{Changes, Result, Unfinished};

type Row = <Db as sqlx::Database>::Row;

/// The most changes of one answer: a reader that lags far behind is told in pieces.
const AT_ONCE: u32 = 1_000;

/// Rows of what is gone are dropped once they are so many more than what is there.
const DROPPED_BEYOND: i64 = 10_000;

/// What changed where any piece did.
const PIECES: &str = "pieces";

const UNFINISHED: &str = "t.id, t.kind, t.resource_uid";
const STILL: &str = "t.state IN ('queued', 'running', 'blocked') AND t.id";

impl Database {
    pub(super) async fn changes_since(&self, version: Option<i64>) -> Result<Changes> {
        // One transaction: the number and what it stands for are of the same moment.
        let mut reading = self.readers.begin().await?;
        let numbers = sqlx::query(
            "SELECT changes_dropped, (SELECT COALESCE(MAX(sequence), 0) FROM changes) AS newest FROM installation",
        );
        let numbers = numbers.fetch_one(&mut *reading).await?;
        let dropped: i64 = numbers.plain("changes_dropped")?;
        let newest = numbers.plain::<i64>("newest")?.max(dropped);
        let since = version.filter(|version| *version >= dropped);
        let mut changes = Changes { version: newest, whole: since.is_none(), ..Changes::default() };
        match since {
            Some(since) if since == newest => {}
            Some(since) => changes.read_after(&mut reading, since).await?,
            None => changes.read_whole(&mut reading).await?,
        }
        reading.commit().await?;
        Ok(changes)
    }
}

/// The number of the newest change that is still written down.
pub(super) async fn newest(connection: &mut Connection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM changes").fetch_one(connection).await?)
}

/// What was changed of one table: one answer's worth.
struct Changed<'a> {
    reading: &'a mut Connection,
    whats: HashSet<String>,
    after: i64,
    until: i64,
}

impl Changed<'_> {
    /// The rows that are still there; asks only if there can be any.
    async fn rows(
        &mut self,
        what: &'static str,
        columns: &'static str,
        table: &'static str,
        on: &'static str,
    ) -> Result<Vec<Row>> {
        if !self.whats.contains(what) {
            return Ok(Vec::new());
        }
        let query = format!(
            "SELECT {columns} FROM changes JOIN {table} t ON {on} = changes.uid \
             WHERE changes.sequence > $1 AND changes.sequence <= $2 AND changes.what = $3"
        );
        // Literals of ours; every value is bound.
        let asked = sqlx::query(AssertSqlSafe(query)).bind(self.after).bind(self.until).bind(what);
        Ok(asked.fetch_all(&mut *self.reading).await?)
    }
}

impl Changes {
    async fn read_whole(&mut self, reading: &mut Connection) -> Result<()> {
        let found = sqlx::query("SELECT * FROM connections").fetch_all(&mut *reading).await?;
        self.connections = found.iter().map(rows::connection).collect::<Result<_>>()?;
        let found = sqlx::query("SELECT * FROM api_tokens").fetch_all(&mut *reading).await?;
        self.api_tokens = found.iter().map(rows::api_token).collect::<Result<_>>()?;
        self.pieces = Some(pieces::all(reading).await?);
        let query = format!("SELECT {UNFINISHED} FROM operations t WHERE {NOT_OVER}");
        let found = sqlx::query(AssertSqlSafe(query)).fetch_all(reading).await?;
        self.operations = found.iter().map(unfinished).collect::<Result<_>>()?;
        Ok(())
    }

    /// What changed after that number, as much of it as one answer holds.
    async fn read_after(&mut self, reading: &mut Connection, after: i64) -> Result<()> {
        let written = sqlx::query(AssertSqlSafe(format!(
            "SELECT sequence, what, uid FROM changes WHERE sequence > $1 ORDER BY sequence {}",
            limit(AT_ONCE)
        )));
        let written = written.bind(after).fetch_all(&mut *reading).await?;
        let mut whats = HashSet::new();
        let mut gone = BTreeSet::new();
        for row in &written {
            let what = row.text("what")?;
            // They have no uid.
            if what != PIECES {
                gone.insert(row.uid("uid")?);
            }
            whats.insert(what);
        }
        if let Some(last) = written.last().filter(|_| u32::try_from(written.len()) == Ok(AT_ONCE)) {
            let reached = last.plain("sequence")?;
            self.more = reached < self.version;
            self.version = reached;
        }
        if whats.contains(PIECES) {
            self.pieces = Some(pieces::all(reading).await?);
        }
        let mut changed = Changed { reading, whats, after, until: self.version };
        let found = changed.rows("resource", "t.*", "resources", "t.uid").await?;
        self.resources = found.iter().map(rows::resource).collect::<Result<_>>()?;
        let found = changed.rows("connection", "t.*", "connections", "t.uid").await?;
        self.connections = found.iter().map(rows::connection).collect::<Result<_>>()?;
        let found = changed.rows("api token", "t.*", "api_tokens", "t.uid").await?;
        self.api_tokens = found.iter().map(rows::api_token).collect::<Result<_>>()?;
        let found = changed.rows("operation", UNFINISHED, "operations", STILL).await?;
        self.operations = found.iter().map(unfinished).collect::<Result<_>>()?;
        let there = (self.resources.iter().map(|found| found.uid))
            .chain(self.connections.iter().map(|found| found.uid))
            .chain(self.api_tokens.iter().map(|found| found.uid))
            .chain(self.operations.iter().map(|found| found.id));
        for uid in there {
            gone.remove(&uid);
        }
        self.gone = gone.into_iter().collect();
        Ok(())
    }
}

impl Write<'_> {
    /// Drops the rows of what is gone, once they are many.
    pub(super) async fn drop_changes(&mut self) -> Result<()> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM changes) AS rows_kept, \
             (SELECT COUNT(*) FROM resources) + (SELECT COUNT(*) FROM connections) AS records",
        )
        .fetch_one(self.on())
        .await?;
        if row.plain::<i64>("rows_kept")? <= row.plain::<i64>("records")? + DROPPED_BEYOND {
            return Ok(());
        }
        let newest = newest(self.on()).await?;
        sqlx::query("UPDATE installation SET changes_dropped = $1").bind(newest).execute(self.on()).await?;
        sqlx::query("DELETE FROM changes").execute(self.on()).await?;
        Ok(())
    }
}

fn unfinished(row: &Row) -> Result<Unfinished> {
    Ok(Unfinished { id: row.uid("id")?, kind: row.word("kind")?, resource: row.maybe_uid("resource_uid")? })
}
