//! The embedded store: SQLite in one file, one writer, several readers, every commit on the disk before it is
//! answered.
//!
//! Everything but opening is in `sql/`, written once against `Db`: another database is another module like this one,
//! with its own migrations, including the same files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::file::File;
use crate::{KillPoints, MasterKey, Result};

#[path = "sql/mod.rs"]
mod sql;

pub use sql::{Database as SqliteStore, Grouping};

type Db = sqlx::Sqlite;

/// A deferred transaction that turns to writing fails at once when another wrote in between.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// The same, with the savepoint of its first change.
const BEGIN_CHANGE: &str = "BEGIN IMMEDIATE; SAVEPOINT change";

/// How a claim passes over rows that another server claims at this moment: there is one server, and one writer.
const SKIP_LOCKED: &str = "";

const MIGRATIONS: [(i64, &str, &str); 13] = [
    (1, "initial", include_str!("../migrations/sqlite/0001_initial.sql")),
    (2, "token expiry", include_str!("../migrations/sqlite/0002_token_expiry.sql")),
    (3, "changes", include_str!("../migrations/sqlite/0003_changes.sql")),
    (4, "turns", include_str!("../migrations/sqlite/0004_turns.sql")),
    (5, "probe", include_str!("../migrations/sqlite/0005_probe.sql")),
    (6, "traces", include_str!("../migrations/sqlite/0006_traces.sql")),
    (7, "broken off", include_str!("../migrations/sqlite/0007_broken_off.sql")),
    (8, "not removed", include_str!("../migrations/sqlite/0008_not_removed.sql")),
    (9, "token changes", include_str!("../migrations/sqlite/0009_token_changes.sql")),
    (10, "whose turn", include_str!("../migrations/sqlite/0010_whose_turn.sql")),
    (11, "pieces", include_str!("../migrations/sqlite/0011_pieces.sql")),
    (12, "cloud names", include_str!("../migrations/sqlite/0012_cloud_names.sql")),
    (13, "piece changes", include_str!("../migrations/sqlite/0013_piece_changes.sql")),
];

impl SqliteStore {
    /// Opens the store in that file, makes it if there is none, and brings its tables up to date.
    ///
    /// The caller holds the lock of the data directory: whatever was claimed before is free again.
    ///
    /// # Errors
    /// `WrongMasterKey`; `Migration`, also for a file that a newer release wrote; `Database`, also for a file that is
    /// damaged.
    pub async fn open(path: &Path, master: MasterKey, kill_points: Arc<dyn KillPoints>) -> Result<Self> {
        Self::open_grouping(path, master, kill_points, Grouping::default()).await
    }

    /// The same, with other bounds of what shares a commit.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_grouping(
        path: &Path,
        master: MasterKey,
        kill_points: Arc<dyn KillPoints>,
        grouping: Grouping,
    ) -> Result<Self> {
        yours_alone(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commit when the power fails: an ask without a record is an orphan.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writers = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // A file does not hang up.
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        refuse_damaged(&writers).await?;
        sql::migrate(&writers, &MIGRATIONS).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await?;
        let file = File::opened(path);
        Self::over(sql::Opening { writers, readers, master, kill_points, grouping, file }).await
    }
}

/// A file with a hole in it is refused before anything is done by half of what it knew.
async fn refuse_damaged(writers: &sqlx::SqlitePool) -> Result<()> {
    let says: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writers).await?;
    if says == "ok" { Ok(()) } else { Err(crate::DatabaseError::corrupt(says).into()) }
}

/// Makes the file, if there is none, so that only its owner reads it; SQLite gives its companions the same mode.
#[cfg(unix)]
fn yours_alone(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let made = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map(drop).map_err(|error| sqlx::Error::Io(error).into())
}

#[cfg(not(unix))]
fn yours_alone(_path: &Path) -> Result<()> {
    Ok(())
}
