//! Connections and their sealed credentials.

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::values::{from_uid, json, limit, millis};
use super::{Columns, Database, Write, rows};
use crate::seal::{self, DataKey};
use crate::{
    AuditEntry, Connection, ConnectionUpdate, Connections, Credential, Error, MasterKey, NewConnection, Page,
    Result,
};

const FIELD: &str = "credential";

#[async_trait]
impl Connections for Database {
    fn installation(&self) -> Uuid {
        self.installation
    }

    async fn create_connection(&self, new: NewConnection, audit: AuditEntry) -> Result<Connection> {
        let master = self.master.read().await;
        let mut write = self.write("create_connection").await?;
        let created = write.create_connection(&master, new, &audit).await;
        write.end(created).await
    }

    async fn connection(&self, name: &str) -> Result<Option<Connection>> {
        self.read("connection", async {
            let row = sqlx::query("SELECT * FROM connections WHERE name = $1")
                .bind(name)
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| rows::connection(&row)).transpose()
        })
        .await
    }

    async fn connections(&self, page: Page) -> Result<Vec<Connection>> {
        self.read("connections", async {
            let most = limit(page.limit);
            let asked = format!("SELECT * FROM connections WHERE uid > $1 ORDER BY uid {most}");
            let rows = sqlx::query(AssertSqlSafe(asked))
                .bind(page.after.map(from_uid).unwrap_or_default())
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(rows::connection).collect()
        })
        .await
    }

    async fn update_connection(
        &self,
        name: &str,
        revision: Option<i64>,
        update: ConnectionUpdate,
        audit: AuditEntry,
    ) -> Result<Connection> {
        let master = self.master.read().await;
        let mut write = self.write("update_connection").await?;
        let updated = write.update_connection(&master, name, revision, update, &audit).await;
        write.end(updated).await
    }

    async fn delete_connection(
        &self,
        name: &str,
        unmade: Vec<(Uuid, AuditEntry)>,
        audit: AuditEntry,
    ) -> Result<()> {
        let mut write = self.write("delete_connection").await?;
        let deleted = write.delete_connection(name, &unmade, &audit).await;
        write.end(deleted).await
    }

    async fn credential(&self, name: &str) -> Result<Option<(i64, Credential)>> {
        self.read("credential", self.open_credential(name)).await
    }

    async fn rotate(&self, new: MasterKey, audit: AuditEntry) -> Result<()> {
        let mut master = self.master.write().await;
        let mut write = self.write("rotate").await?;
        let rotated = write.rotate(&master, &new, self.installation, &audit).await;
        write.end(rotated).await?;
        *master = new;
        Ok(())
    }
}

impl Database {
    async fn open_credential(&self, name: &str) -> Result<Option<(i64, Credential)>> {
        let master = self.master.read().await;
        let row = sqlx::query(
            "SELECT s.connection, s.revision, s.data_key, s.sealed FROM credentials s \
             JOIN connections c ON c.uid = s.connection WHERE c.name = $1",
        )
        .bind(name)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let place = row.text("connection")?;
        let revision: i64 = row.plain("revision")?;
        let key = DataKey::unwrap(&master, &place, &row.plain::<Vec<u8>>("data_key")?)?;
        let plain = key.open(&place, &field(revision), &row.plain::<Vec<u8>>("sealed")?)?;
        Ok(Some((revision, Credential(plain))))
    }
}

impl Write<'_> {
    pub(super) async fn create_connection(
        &mut self,
        master: &MasterKey,
        new: NewConnection,
        audit: &AuditEntry,
    ) -> Result<Connection> {
        let (account, principal) = new.account.unzip();
        let made = sqlx::query(
            "INSERT INTO connections (uid, name, provider, specification, account, principal, credential_revision, \
             revision, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)",
        )
        .bind(from_uid(new.uid))
        .bind(new.name.as_str())
        .bind(new.provider)
        .bind(json(&new.specification)?)
        .bind(account)
        .bind(principal)
        .bind(i64::from(new.credential.is_some()))
        .bind(millis(audit.at))
        .execute(self.on())
        .await;
        unique(made, || format!("connection {:?}", new.name))?;
        if let Some(credential) = &new.credential {
            self.seal(master, new.uid, 1, credential).await?;
        }
        self.audit(audit).await?;
        self.connection(&new.name).await
    }

    pub(super) async fn update_connection(
        &mut self,
        master: &MasterKey,
        name: &str,
        revision: Option<i64>,
        update: ConnectionUpdate,
        audit: &AuditEntry,
    ) -> Result<Connection> {
        let now = self.connection(name).await?;
        if revision.is_some_and(|revision| revision != now.revision) {
            return Err(Error::Stale { what: format!("connection {name:?}") });
        }
        if let (Some(known), Some((proven, _))) = (&now.account, &update.account)
            && known != proven
            // What a proof finds never moves a connection; what somebody decides may, where nothing was made there.
            && (revision.is_none() || self.is_needed(name).await?)
        {
            return Err(Error::Conflict(format!(
                "connection {name:?} belongs to account {known}, and the credential to {proven}"
            )));
        }
        if update.moves && self.is_needed(name).await? {
            return Err(Error::Conflict(format!("something is known or going on at connection {name:?}")));
        }
        let (account, principal) = update.account.unzip();
        let credential_revision = now.credential_revision + i64::from(update.credential.is_some());
        sqlx::query(
            "UPDATE connections SET specification = $2, account = $3, principal = $4, credential_revision = $5, \
             revision = revision + 1, updated_at = $6 WHERE name = $1",
        )
        .bind(name)
        .bind(json(&update.specification.unwrap_or(now.specification))?)
        .bind(account.or(now.account))
        .bind(principal.or(now.principal))
        .bind(credential_revision)
        .bind(millis(audit.at))
        .execute(self.on())
        .await?;
        if let Some(credential) = &update.credential {
            self.seal(master, now.uid, credential_revision, credential).await?;
        }
        self.audit(audit).await?;
        self.connection(name).await
    }

    async fn known_at_connection(&mut self, name: &str) -> Result<i64> {
        let known = sqlx::query_scalar("SELECT COUNT(*) FROM resources WHERE connection = $1");
        Ok(known.bind(name).fetch_one(self.on()).await?)
    }

    /// Whether anything is known at a connection, or going on there.
    async fn is_needed(&mut self, name: &str) -> Result<bool> {
        Ok(self.known_at_connection(name).await? > 0
            || !self.unfinished_of_connection(name).await?.is_empty())
    }

    async fn delete_connection(
        &mut self,
        name: &str,
        unmade: &[(Uuid, AuditEntry)],
        audit: &AuditEntry,
    ) -> Result<()> {
        self.connection(name).await?;
        for (uid, audit) in unmade {
            // A retry may have made it meanwhile: then it is known, and refuses below.
            let made = sqlx::query("SELECT 1 FROM resources WHERE uid = $1 AND system_id IS NOT NULL")
                .bind(from_uid(*uid))
                .fetch_optional(self.on())
                .await?;
            if made.is_some() {
                continue;
            }
            match self.forget(*uid, false, audit).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let holders = self.unfinished_of_connection(name).await?;
        if !holders.is_empty() {
            return Err(Error::Held { holders });
        }
        let known = self.known_at_connection(name).await?;
        if known > 0 {
            return Err(Error::Conflict(format!(
                "{known} resources are known at connection {name:?}: delete or forget them first"
            )));
        }
        sqlx::query("DELETE FROM connections WHERE name = $1").bind(name).execute(self.on()).await?;
        self.audit(audit).await
    }

    async fn rotate(
        &mut self,
        master: &MasterKey,
        new: &MasterKey,
        installation: Uuid,
        audit: &AuditEntry,
    ) -> Result<()> {
        let wrapped =
            sqlx::query("SELECT connection, data_key FROM credentials").fetch_all(self.on()).await?;
        for row in wrapped {
            let place = row.text("connection")?;
            let key = DataKey::unwrap(master, &place, &row.plain::<Vec<u8>>("data_key")?)?;
            sqlx::query("UPDATE credentials SET data_key = $2 WHERE connection = $1")
                .bind(place.as_str())
                .bind(key.wrap(new, &place)?)
                .execute(self.on())
                .await?;
        }
        self.rotate_pieces(master, new).await?;
        sqlx::query("UPDATE installation SET key_check = $1")
            .bind(seal::check_value(new, &from_uid(installation))?)
            .execute(self.on())
            .await?;
        self.audit(audit).await
    }

    async fn connection(&mut self, name: &str) -> Result<Connection> {
        let row = sqlx::query("SELECT * FROM connections WHERE name = $1")
            .bind(name)
            .fetch_optional(self.on())
            .await?;
        match row {
            Some(row) => rows::connection(&row),
            None => Err(Error::not_connected(name)),
        }
    }

    async fn seal(
        &mut self,
        master: &MasterKey,
        connection: Uuid,
        revision: i64,
        credential: &Credential,
    ) -> Result<()> {
        let place = from_uid(connection);
        let key = DataKey::generate()?;
        sqlx::query(
            "INSERT INTO credentials (connection, revision, data_key, sealed) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (connection) DO UPDATE SET revision = excluded.revision, data_key = excluded.data_key, \
             sealed = excluded.sealed",
        )
        .bind(place.as_str())
        .bind(revision)
        .bind(key.wrap(master, &place)?)
        .bind(key.seal(&place, &field(revision), credential.expose())?)
        .execute(self.on())
        .await?;
        Ok(())
    }

    async fn unfinished_of_connection(&mut self, name: &str) -> Result<Vec<Uuid>> {
        sqlx::query(
            "SELECT id FROM operations WHERE connection = $1 AND state IN ('queued', 'running', 'blocked') \
             ORDER BY queue_order",
        )
        .bind(name)
        .fetch_all(self.on())
        .await?
        .iter()
        .map(|row| row.uid("id"))
        .collect()
    }
}

/// The revision is part of the place: an older credential of the same connection cannot be put back unseen.
fn field(revision: i64) -> String {
    format!("{FIELD}/{revision}")
}

/// The result of an insert, a violated unique index named for people.
pub(super) fn unique<T>(
    result: std::result::Result<T, sqlx::Error>,
    what: impl FnOnce() -> String,
) -> Result<T> {
    match result {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(Error::AlreadyExists { what: what(), about: None })
        }
        other => Ok(other?),
    }
}
