//! The transactions, in SQL that every database of ours understands; `super` says which database it is.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Pool, SqlStr};
use tokio::sync::{RwLock, mpsc, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{BEGIN_CHANGE, BEGIN_WRITE, Db, SKIP_LOCKED};
use crate::file::File;
use crate::{AuditEntry, DatabaseError, Error, Fault, KillPoints, MasterKey, Result, seal, telemetry};

mod group;

mod accept;
mod access;
mod changes;
mod claim;
mod connections;
mod filter;
mod finish;
mod operations;
mod pieces;
mod progress;
mod queue;
mod resources;
mod rows;
mod since;
mod together;
mod values;

pub use group::Grouping;

use rows::Columns;
use values::{from_uid, millis};

type Connection = <Db as sqlx::Database>::Connection;

/// A store over one database.
pub struct Database {
    writer: mpsc::UnboundedSender<group::Request>,
    writing: JoinHandle<()>,
    writers: Pool<Db>,
    readers: Pool<Db>,
    kill_points: Arc<dyn KillPoints>,
    /// Held for writing while it is rotated, so that nobody opens with the old key what is wrapped by the new one.
    master: RwLock<MasterKey>,
    installation: Uuid,
    newest: watch::Sender<i64>,
    newest_change: watch::Sender<i64>,
    /// Set once the file turned out to be damaged, or gone: from then on nothing is done by half of what it knew.
    damaged: OnceLock<DatabaseError>,
    file: File,
}

/// A transaction that writes, and the kill points around it. Dropped before its end, it changes nothing.
struct Write<'a> {
    turn: group::Turn,
    database: &'a Database,
    name: &'static str,
    began: Instant,
}

/// What a store is opened with.
pub(super) struct Opening {
    /// One connection, and no more.
    pub(super) writers: Pool<Db>,
    pub(super) readers: Pool<Db>,
    pub(super) master: MasterKey,
    pub(super) kill_points: Arc<dyn KillPoints>,
    pub(super) grouping: Grouping,
    pub(super) file: File,
}

pub(super) async fn migrate(pool: &Pool<Db>, migrations: &[(i64, &'static str, &'static str)]) -> Result<()> {
    let migrations = migrations
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
        })
        .collect();
    Migrator::with_migrations(migrations).run(pool).await.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        error => Error::Migration(error),
    })
}

impl Database {
    pub(super) async fn over(opening: Opening) -> Result<Self> {
        let Opening { writers, readers, master, kill_points, grouping, file } = opening;
        let installation = installation(&writers, &master).await?;
        sqlx::query(
            "UPDATE operations SET lease_owner = NULL, lease_until = NULL, fence = fence + 1 \
             WHERE lease_owner IS NOT NULL",
        )
        .execute(&writers)
        .await?;
        let newest: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM events").fetch_one(&writers).await?;
        let newest = watch::Sender::new(newest);
        let newest_change = watch::Sender::new(since::newest(&mut *writers.acquire().await?).await?);
        let (writer, requests) = mpsc::unbounded_channel();
        let serving = group::Writer {
            pool: writers.clone(),
            requests,
            grouping,
            kill_points: Arc::clone(&kill_points),
            newest_event: newest.clone(),
            newest_change: newest_change.clone(),
        };
        Ok(Self {
            writer,
            writing: tokio::spawn(serving.run()),
            writers,
            readers,
            kill_points,
            master: RwLock::new(master),
            installation,
            newest,
            newest_change,
            damaged: OnceLock::new(),
            file,
        })
    }

    /// Ends every connection to the database. What is under way is rolled back.
    ///
    /// Those that write end last: only they can bring what is committed back into the one file, and leave no other.
    pub async fn close(&self) {
        self.writing.abort();
        self.readers.close().await;
        self.writers.close().await;
    }

    async fn write(&self, name: &'static str) -> Result<Write<'_>> {
        self.kill_points.at(&format!("store.{name}.before")).await;
        self.refuse_if_damaged()?;
        self.refuse_if_removed()?;
        let began = Instant::now();
        let waiting = telemetry::Waiting::begin();
        let turn = group::turn(&self.writer).await;
        drop(waiting);
        if turn.is_err() {
            self.ended(&turn);
            telemetry::wrote(name, began.elapsed(), &turn);
        }
        Ok(Write { turn: turn?, database: self, name, began })
    }

    /// A read, measured.
    async fn read<T>(
        &self,
        name: &'static str,
        reading: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.refuse_if_damaged()?;
        self.refuse_if_removed()?;
        let began = Instant::now();
        let outcome = reading.await;
        self.ended(&outcome);
        telemetry::read(name, began.elapsed(), &outcome);
        outcome
    }

    fn refuse_if_damaged(&self) -> Result<()> {
        self.damaged.get().map_or(Ok(()), |damaged| Err(damaged.clone().into()))
    }

    /// What is written into a file that nobody finds any more is lost with the process.
    fn refuse_if_removed(&self) -> Result<()> {
        let stands = self.file.stands().map_err(Error::from);
        self.ended(&stands);
        stands
    }

    /// Counts what the database failed at, and remembers that it is damaged.
    fn ended<T>(&self, outcome: &Result<T>) {
        let Err(Error::Database(error)) = outcome else { return };
        telemetry::failed(error.fault);
        if matches!(error.fault, Fault::Corrupt | Fault::Removed) && self.damaged.set(error.clone()).is_ok() {
            tracing::error!(%error, "nothing is read or written any more: see docs/store.md");
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("installation", &self.installation).finish_non_exhaustive()
    }
}

impl Write<'_> {
    /// Ends the transaction: keeps what was written if it came to something, undoes it if not, and answers once that
    /// is on the disk.
    async fn end<T>(self, outcome: Result<T>) -> Result<T> {
        let written = outcome.is_ok();
        if written {
            self.database.kill_points.at(&format!("store.{}.within", self.name)).await;
        }
        let outcome = self.turn.end(outcome).await;
        self.database.ended(&outcome);
        telemetry::wrote(self.name, self.began.elapsed(), &outcome);
        if written {
            self.database.kill_points.at(&format!("store.{}.after", self.name)).await;
        }
        outcome
    }

    fn on(&mut self) -> &mut Connection {
        self.turn.connection()
    }

    fn wrote_event(&mut self, sequence: i64) {
        self.turn.wrote_event(sequence);
    }

    async fn audit(&mut self, entry: &AuditEntry) -> Result<()> {
        sqlx::query("INSERT INTO audit (at, who, action, target, request_id) VALUES ($1, $2, $3, $4, $5)")
            .bind(millis(entry.at))
            .bind(entry.who.as_str())
            .bind(entry.action.as_str())
            .bind(entry.target.as_str())
            .bind(entry.request_id.as_str())
            .execute(self.on())
            .await?;
        Ok(())
    }
}

/// The installation's mark; made with the first opening, and proof that the master key is the right one.
async fn installation(writers: &Pool<Db>, master: &MasterKey) -> Result<Uuid> {
    let mut transaction = writers.begin_with(BEGIN_WRITE).await?;
    let row =
        sqlx::query("SELECT uid, key_check FROM installation").fetch_optional(&mut *transaction).await?;
    if let Some(row) = row {
        let uid = row.uid("uid")?;
        let check: Vec<u8> = row.plain("key_check")?;
        return if seal::is_key_of(master, &from_uid(uid), &check) {
            Ok(uid)
        } else {
            Err(Error::WrongMasterKey)
        };
    }
    // No time in it: it is nothing's order, and the store reads no clock.
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Damaged("no random numbers".to_owned()))?;
    let uid = uuid::Builder::from_random_bytes(bytes).into_uuid();
    sqlx::query("INSERT INTO installation (one, uid, key_check) VALUES (1, $1, $2)")
        .bind(from_uid(uid))
        .bind(seal::check_value(master, &from_uid(uid))?)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(uid)
}
