//! Events, audit, API tokens, and what is dropped by age.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use tokio::sync::watch;
use uuid::Uuid;

use super::connections::unique;
use super::values::{from_uid, json, limit, maybe_millis, millis, word};
use super::{Database, Write, rows};
use crate::{Access, ApiToken, AuditEntry, AuditFilter, AuditLine, Error, Event, NewApiToken, Result};

/// How often 32 bytes are written to find out whether something can be kept: 64 KiB, more than an operation takes.
const PROBE: usize = 2_048;

#[async_trait]
impl Access for Database {
    async fn events_after(&self, sequence: i64, operation: Option<Uuid>, most: u32) -> Result<Vec<Event>> {
        // Only what is asked for stands in the query: those of one operation have an index of their own.
        let of_one = if operation.is_some() { " AND operation = $2" } else { "" };
        let asked = sqlx::query(AssertSqlSafe(format!(
            "SELECT * FROM events WHERE sequence > $1{of_one} ORDER BY sequence {}",
            limit(most)
        )))
        .bind(sequence);
        let asked = operation.map(from_uid).into_iter().fold(asked, sqlx::query::Query::bind);
        self.read("events_after", async {
            asked.fetch_all(&self.readers).await?.iter().map(rows::event).collect()
        })
        .await
    }

    fn events(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    async fn audit(&self, entry: AuditEntry) -> Result<()> {
        let mut write = self.write("audit").await?;
        let written = write.audit(&entry).await;
        write.end(written).await
    }

    async fn audit_log(&self, filter: &AuditFilter, most: u32) -> Result<Vec<AuditLine>> {
        // Without a condition that may be absent the place is found by the key, however long the log is.
        let asked = sqlx::query(AssertSqlSafe(format!(
            "SELECT * FROM audit WHERE at >= $1 AND at < $2 AND sequence < $3 ORDER BY sequence DESC {}",
            limit(most)
        )))
        .bind(maybe_millis(filter.since).unwrap_or(i64::MIN))
        .bind(maybe_millis(filter.until).unwrap_or(i64::MAX))
        .bind(filter.before.unwrap_or(i64::MAX));
        self.read("audit_log", async {
            asked.fetch_all(&self.readers).await?.iter().map(rows::audit_line).collect()
        })
        .await
    }

    async fn create_api_token(&self, token: NewApiToken, audit: AuditEntry) -> Result<ApiToken> {
        let mut write = self.write("create_api_token").await?;
        let inserted = write.insert_api_token(&token, &audit).await;
        write.end(inserted).await?;
        Ok(ApiToken {
            uid: token.uid,
            name: token.name,
            hash: token.hash,
            role: token.role,
            connections: token.connections,
            created_at: audit.at,
            expires_at: token.expires_at,
            revoked_at: None,
        })
    }

    async fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.read("api_tokens", async {
            let rows = sqlx::query("SELECT * FROM api_tokens ORDER BY uid").fetch_all(&self.readers).await?;
            rows.iter().map(rows::api_token).collect()
        })
        .await
    }

    async fn revoke_api_token(&self, name: &str, audit: AuditEntry) -> Result<()> {
        let mut write = self.write("revoke_api_token").await?;
        let revoked = write.revoke_api_token(name, &audit).await;
        write.end(revoked).await
    }

    async fn prune(&self, events_before: Timestamp, keys_before: Timestamp) -> Result<()> {
        let mut write = self.write("prune").await?;
        let pruned = write.prune(events_before, keys_before).await;
        write.end(pruned).await
    }

    async fn probe(&self) -> Result<()> {
        let mut write = self.write("probe").await?;
        let written = write.probe().await;
        write.end(written).await
    }

    async fn ping(&self) -> Result<()> {
        self.read("ping", async {
            sqlx::query("SELECT 1").fetch_one(&self.readers).await?;
            Ok(())
        })
        .await
    }
}

impl Write<'_> {
    async fn probe(&mut self) -> Result<()> {
        let mut chance = [0; 32];
        aws_lc_rs::rand::fill(&mut chance).map_err(|_| Error::Damaged("no random numbers".to_owned()))?;
        sqlx::query("UPDATE probe SET content = $1").bind(chance.repeat(PROBE)).execute(self.on()).await?;
        Ok(())
    }

    async fn insert_api_token(&mut self, token: &NewApiToken, audit: &AuditEntry) -> Result<()> {
        let made = sqlx::query(
            "INSERT INTO api_tokens (uid, name, hash, role, connections, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(from_uid(token.uid))
        .bind(token.name.as_str())
        .bind(token.hash.as_str())
        .bind(word(&token.role)?)
        .bind(json(&token.connections)?)
        .bind(millis(audit.at))
        .bind(maybe_millis(token.expires_at))
        .execute(self.on())
        .await;
        unique(made, || format!("API token {:?}", token.name))?;
        self.audit(audit).await
    }

    async fn revoke_api_token(&mut self, name: &str, audit: &AuditEntry) -> Result<()> {
        let revoked = sqlx::query(
            "UPDATE api_tokens SET revoked_at = $2 WHERE (name = $1 OR uid = $1) AND revoked_at IS NULL",
        )
        .bind(name)
        .bind(millis(audit.at))
        .execute(self.on())
        .await?;
        if revoked.rows_affected() == 0 {
            return Err(Error::not_found(format!("API token {name:?}")));
        }
        self.audit(audit).await
    }

    async fn prune(&mut self, events_before: Timestamp, keys_before: Timestamp) -> Result<()> {
        sqlx::query("DELETE FROM events WHERE at < $1")
            .bind(millis(events_before))
            .execute(self.on())
            .await?;
        sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
            .bind(millis(keys_before))
            .execute(self.on())
            .await?;
        self.drop_changes().await
    }
}
