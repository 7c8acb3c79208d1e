//! Pieces of connections, their credentials sealed.

use async_trait::async_trait;

use super::values::{json, millis, word};
use super::{Columns, Connection, Database, Write, rows};
use crate::seal::DataKey;
use crate::{AuditEntry, Credential, MasterKey, Piece, PieceKind, Pieces, PutPiece, Result};

const FIELD: &str = "credential";

#[async_trait]
impl Pieces for Database {
    async fn piece_credential(&self, name: &str) -> Result<Option<Credential>> {
        self.read("piece_credential", async {
            let master = self.master.read().await;
            let row = sqlx::query(
                "SELECT revision, data_key, sealed FROM pieces \
                 WHERE kind = 'credential' AND name = $1 AND sealed IS NOT NULL",
            )
            .bind(name)
            .fetch_optional(&self.readers)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let place = place(name);
            let key = DataKey::unwrap(&master, &place, &row.plain::<Vec<u8>>("data_key")?)?;
            let field = field(row.plain("revision")?);
            Ok(Some(Credential(key.open(&place, &field, &row.plain::<Vec<u8>>("sealed")?)?)))
        })
        .await
    }

    async fn put_piece(&self, put: PutPiece, audit: AuditEntry) -> Result<()> {
        let master = self.master.read().await;
        let mut write = self.write("put_piece").await?;
        let written = write.put_piece(&master, put, &audit).await;
        write.end(written).await
    }

    async fn delete_piece(&self, kind: PieceKind, name: &str, audit: AuditEntry) -> Result<()> {
        let mut write = self.write("delete_piece").await?;
        let deleted = write.delete_piece(kind, name, &audit).await;
        write.end(deleted).await
    }
}

/// All of them, oldest first.
pub(super) async fn all(connection: &mut Connection) -> Result<Vec<Piece>> {
    let found = sqlx::query("SELECT * FROM pieces ORDER BY created_at, name").fetch_all(connection).await?;
    found.iter().map(rows::piece).collect()
}

impl Write<'_> {
    async fn put_piece(&mut self, master: &MasterKey, put: PutPiece, audit: &AuditEntry) -> Result<()> {
        let kind = word(&put.kind)?;
        let known: Option<i64> =
            sqlx::query_scalar("SELECT revision FROM pieces WHERE kind = $1 AND name = $2")
                .bind(kind.as_str())
                .bind(put.name.as_str())
                .fetch_optional(self.on())
                .await?;
        let revision = known.unwrap_or(0) + 1;
        let (data_key, sealed) = match &put.credential {
            None => (None, None),
            Some(credential) => {
                let (place, key) = (place(&put.name), DataKey::generate()?);
                let sealed = key.seal(&place, &field(revision), credential.expose())?;
                (Some(key.wrap(master, &place)?), Some(sealed))
            }
        };
        sqlx::query(
            "INSERT INTO pieces (kind, name, provider, content, data_key, sealed, revision, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
             ON CONFLICT (kind, name) DO UPDATE SET provider = excluded.provider, content = excluded.content, \
             data_key = excluded.data_key, sealed = excluded.sealed, revision = excluded.revision, \
             updated_at = excluded.updated_at",
        )
        .bind(kind.as_str())
        .bind(put.name.as_str())
        .bind(put.provider.as_str())
        .bind(json(&put.content)?)
        .bind(data_key)
        .bind(sealed)
        .bind(revision)
        .bind(millis(audit.at))
        .execute(self.on())
        .await?;
        self.audit(audit).await?;
        let about = |action: &str, name: &str| AuditEntry {
            action: action.to_owned(),
            target: format!("connection {name}"),
            ..audit.clone()
        };
        for made in put.made {
            let audit = about("connection.create", &made.name);
            self.create_connection(master, made, &audit).await?;
        }
        for (name, revision, update) in put.changed {
            let audit = about("connection.update", &name);
            self.update_connection(master, &name, Some(revision), update, &audit).await?;
        }
        Ok(())
    }

    async fn delete_piece(&mut self, kind: PieceKind, name: &str, audit: &AuditEntry) -> Result<()> {
        let deleted = sqlx::query("DELETE FROM pieces WHERE kind = $1 AND name = $2")
            .bind(word(&kind)?)
            .bind(name)
            .execute(self.on())
            .await?;
        if deleted.rows_affected() > 0 { self.audit(audit).await } else { Ok(()) }
    }

    /// Wraps the data keys of pieces anew.
    pub(super) async fn rotate_pieces(&mut self, master: &MasterKey, new: &MasterKey) -> Result<()> {
        let wrapped = sqlx::query("SELECT name, data_key FROM pieces WHERE data_key IS NOT NULL")
            .fetch_all(self.on())
            .await?;
        for row in wrapped {
            let name = row.text("name")?;
            let place = place(&name);
            let key = DataKey::unwrap(master, &place, &row.plain::<Vec<u8>>("data_key")?)?;
            sqlx::query("UPDATE pieces SET data_key = $2 WHERE kind = 'credential' AND name = $1")
                .bind(name.as_str())
                .bind(key.wrap(new, &place)?)
                .execute(self.on())
                .await?;
        }
        Ok(())
    }
}

/// Where a credential is sealed to.
fn place(name: &str) -> String {
    format!("piece {name}")
}

/// The revision is part of the place: an older credential cannot be put back unseen.
fn field(revision: i64) -> String {
    format!("{FIELD}/{revision}")
}
