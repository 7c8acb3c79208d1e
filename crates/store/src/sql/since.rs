//! What changed since a reader that keeps records in memory last asked.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Columns, Connection, Database, Db, Write, rows};
use crate::{Changes, Result, Unfinished};

/// The most changes of one answer: a reader that lags far behind is told in pieces.
const AT_ONCE: i64 = 1_000;

/// Rows of what is gone are dropped once they are so many more than what is there.
const DROPPED_BEYOND: i64 = 10_000;

const UNFINISHED: &str = "SELECT o.id, o.kind, o.resource_uid FROM operations o";
const NOT_OVER: &str = "o.state IN ('queued', 'running', 'blocked')";

impl Database {
    pub(super) async fn changes_since(&self, version: Option<i64>) -> Result<Changes> {
        // One transaction: the number and what it stands for are of the same moment.
        let mut reading = self.readers.begin().await?;
        let dropped: i64 =
            sqlx::query_scalar("SELECT changes_dropped FROM installation").fetch_one(&mut *reading).await?;
        let newest = newest(&mut reading).await?.max(dropped);
        let since = version.filter(|version| *version >= dropped);
        let mut changes = Changes { version: newest, whole: since.is_none(), ..Changes::default() };
        match since {
            Some(since) if since == newest => {}
            Some(since) => {
                changes.version = reach(&mut reading, since, newest).await?;
                changes.more = changes.version < newest;
                changes.read_between(&mut reading, since).await?;
            }
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

/// How far one answer reaches.
async fn reach(reading: &mut Connection, since: i64, newest: i64) -> Result<i64> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(sequence) FROM (SELECT sequence FROM changes WHERE sequence > $1 ORDER BY sequence LIMIT $2) part",
    )
    .bind(since)
    .bind(AT_ONCE)
    .fetch_one(reading)
    .await?;
    Ok(last.unwrap_or(newest))
}

impl Changes {
    async fn read_whole(&mut self, reading: &mut Connection) -> Result<()> {
        let found = sqlx::query("SELECT * FROM connections").fetch_all(&mut *reading).await?;
        self.connections = found.iter().map(rows::connection).collect::<Result<_>>()?;
        let found = sqlx::query("SELECT * FROM api_tokens").fetch_all(&mut *reading).await?;
        self.api_tokens = found.iter().map(rows::api_token).collect::<Result<_>>()?;
        let query = format!("{UNFINISHED} WHERE {NOT_OVER}");
        let found = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(reading).await?;
        self.operations = found.iter().map(unfinished).collect::<Result<_>>()?;
        Ok(())
    }

    async fn read_between(&mut self, reading: &mut Connection, since: i64) -> Result<()> {
        let until = self.version;
        let found = sqlx::query(
            "SELECT r.* FROM changes JOIN resources r ON r.uid = changes.uid \
             WHERE changes.sequence > $1 AND changes.sequence <= $2 AND changes.what = 'resource'",
        )
        .bind(since)
        .bind(until)
        .fetch_all(&mut *reading)
        .await?;
        self.resources = found.iter().map(rows::resource).collect::<Result<_>>()?;
        let found = sqlx::query(
            "SELECT c.* FROM changes JOIN connections c ON c.uid = changes.uid \
             WHERE changes.sequence > $1 AND changes.sequence <= $2 AND changes.what = 'connection'",
        )
        .bind(since)
        .bind(until)
        .fetch_all(&mut *reading)
        .await?;
        self.connections = found.iter().map(rows::connection).collect::<Result<_>>()?;
        let found = sqlx::query(
            "SELECT t.* FROM changes JOIN api_tokens t ON t.uid = changes.uid \
             WHERE changes.sequence > $1 AND changes.sequence <= $2 AND changes.what = 'api token'",
        )
        .bind(since)
        .bind(until)
        .fetch_all(&mut *reading)
        .await?;
        self.api_tokens = found.iter().map(rows::api_token).collect::<Result<_>>()?;
        let query = format!(
            "{UNFINISHED} JOIN changes ON changes.uid = o.id \
             WHERE changes.sequence > $1 AND changes.sequence <= $2 AND changes.what = 'operation' AND {NOT_OVER}"
        );
        let found =
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(since).bind(until).fetch_all(&mut *reading).await?;
        self.operations = found.iter().map(unfinished).collect::<Result<_>>()?;
        let there: HashSet<Uuid> = (self.resources.iter().map(|found| found.uid))
            .chain(self.connections.iter().map(|found| found.uid))
            .chain(self.api_tokens.iter().map(|found| found.uid))
            .chain(self.operations.iter().map(|found| found.id))
            .collect();
        let changed = sqlx::query("SELECT uid FROM changes WHERE sequence > $1 AND sequence <= $2")
            .bind(since)
            .bind(until)
            .fetch_all(reading)
            .await?;
        let changed = changed.iter().map(|row| row.uid("uid")).collect::<Result<Vec<Uuid>>>()?;
        self.gone = changed.into_iter().filter(|uid| !there.contains(uid)).collect();
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

fn unfinished(row: &<Db as sqlx::Database>::Row) -> Result<Unfinished> {
    let resource: Option<String> = row.plain("resource_uid")?;
    let resource = resource.map(|uid| Uuid::parse_str(&uid)).transpose();
    Ok(Unfinished {
        id: row.uid("id")?,
        kind: row.word("kind")?,
        resource: resource.map_err(|error| crate::Error::Damaged(format!("resource_uid: {error}")))?,
    })
}
