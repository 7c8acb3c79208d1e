//! The embedded store: SQLite in one file, one writer, several readers, every commit on the disk before it is
//! answered.
//!
//! Everything but opening is in `sql/`, written once against `Db`: another database is another module like this one,
//! with its own migrations, including the same files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{KillPoints, MasterKey, Result};

#[path = "sql/mod.rs"]
mod sql;

pub use sql::Database as SqliteStore;

type Db = sqlx::Sqlite;

/// A deferred transaction that turns to writing fails at once when another wrote in between.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// How a claim passes over rows that another server claims at this moment: there is one server, and one writer.
const SKIP_LOCKED: &str = "";

const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "initial", include_str!("../migrations/sqlite/0001_initial.sql")),
    (2, "token expiry", include_str!("../migrations/sqlite/0002_token_expiry.sql")),
];

impl SqliteStore {
    /// Opens the store in that file, makes it if there is none, and brings its tables up to date.
    ///
    /// The caller holds the lock of the data directory: whatever was claimed before is free again.
    ///
    /// # Errors
    /// `WrongMasterKey`; `Migration`, also for a file that a newer release wrote; `Database`.
    pub async fn open(path: &Path, master: MasterKey, kill_points: Arc<dyn KillPoints>) -> Result<Self> {
        yours_alone(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commit when the power fails: an ask without a record is an orphan.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        sql::migrate(&writer, &MIGRATIONS).await?;
        let readers =
            SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        Self::over(writer, readers, master, kill_points).await
    }
}

/// Makes the file, if there is none, so that only its owner reads it; SQLite gives its companions the same mode.
#[cfg(unix)]
fn yours_alone(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let made = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map(drop).map_err(|error| crate::Error::Database(sqlx::Error::Io(error)))
}

#[cfg(not(unix))]
fn yours_alone(_path: &Path) -> Result<()> {
    Ok(())
}
