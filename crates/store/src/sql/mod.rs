//! The transactions, in SQL that every database of ours understands; `super` says which database it is.
//!
//! Commits are not grouped: a single writer makes one commit a transaction, and a claim takes many operations in one.

use std::sync::Arc;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Executor, Pool, SqlStr, Transaction};
use tokio::sync::{RwLock, watch};
use uuid::Uuid;

use super::{BEGIN_WRITE, Db, SKIP_LOCKED};
use crate::{AuditEntry, Error, KillPoints, MasterKey, Result, seal};

mod accept;
mod access;
mod changes;
mod claim;
mod connections;
mod filter;
mod finish;
mod operations;
mod progress;
mod queue;
mod resources;
mod rows;
mod values;

use rows::Columns;
use values::{from_uid, millis};

/// A store over one database.
pub struct Database {
    writer: Pool<Db>,
    readers: Pool<Db>,
    kill_points: Arc<dyn KillPoints>,
    /// Held for writing while it is rotated, so that nobody opens with the old key what is wrapped by the new one.
    master: RwLock<MasterKey>,
    installation: Uuid,
    newest: watch::Sender<i64>,
}

/// A transaction that writes, and the kill points around it.
struct Write<'a> {
    transaction: Transaction<'static, Db>,
    store: &'a Database,
    name: &'static str,
    newest: Option<i64>,
}

pub(super) async fn migrate(pool: &Pool<Db>, migrations: &[(i64, &'static str, &'static str)]) -> Result<()> {
    let migrations = migrations
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
        })
        .collect();
    Migrator::with_migrations(migrations).run(pool).await.map_err(Error::Migration)
}

impl Database {
    pub(super) async fn over(
        writer: Pool<Db>,
        readers: Pool<Db>,
        master: MasterKey,
        kill_points: Arc<dyn KillPoints>,
    ) -> Result<Self> {
        let installation = installation(&writer, &master).await?;
        sqlx::query(
            "UPDATE operations SET lease_owner = NULL, lease_until = NULL, fence = fence + 1 \
             WHERE lease_owner IS NOT NULL",
        )
        .execute(&writer)
        .await?;
        let newest: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM events").fetch_one(&writer).await?;
        Ok(Self {
            writer,
            readers,
            kill_points,
            master: RwLock::new(master),
            installation,
            newest: watch::Sender::new(newest),
        })
    }

    /// Ends every connection to the database. What is under way is rolled back.
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }

    async fn write(&self, name: &'static str) -> Result<Write<'_>> {
        self.kill_points.at(&format!("store.{name}.before")).await;
        let transaction = self.writer.begin_with(BEGIN_WRITE).await?;
        Ok(Write { transaction, store: self, name, newest: None })
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("installation", &self.installation).finish_non_exhaustive()
    }
}

impl Write<'_> {
    async fn commit(self) -> Result<()> {
        let kill_points = &self.store.kill_points;
        kill_points.at(&format!("store.{}.within", self.name)).await;
        self.transaction.commit().await?;
        if let Some(newest) = self.newest {
            self.store.newest.send_modify(|sequence| *sequence = newest.max(*sequence));
        }
        kill_points.at(&format!("store.{}.after", self.name)).await;
        Ok(())
    }

    fn on(&mut self) -> impl Executor<'_, Database = Db> {
        &mut *self.transaction
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
async fn installation(writer: &Pool<Db>, master: &MasterKey) -> Result<Uuid> {
    let mut transaction = writer.begin_with(BEGIN_WRITE).await?;
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
