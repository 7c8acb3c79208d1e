//! Acceptance: from here on the intent is never lost, and never carried out twice.

use std::time::Instant;

use jiff::Timestamp;
use uuid::Uuid;

use super::queue::refuse_lost;
use super::values::{from_parent, from_uid, millis, word};
use super::{Columns, Connection, Database, Write, changes, group, together};
use crate::{
    Accept, Accepted, Error, IdempotencyKey, NewOperation, NewResource, Operation, Result, made_nothing,
    telemetry,
};

impl Database {
    pub(super) async fn accept_operation(&self, accept: Accept) -> Result<Accepted> {
        let accept = if accept.stands_alone() {
            match self.accept_with_others(accept).await? {
                group::Told::Kept(operation) => return Ok(Accepted::New(*operation)),
                group::Told::InTheWay(accept) => *accept,
            }
        } else {
            accept
        };
        let mut write = self.write("accept").await?;
        let accepted = write.accept(accept).await;
        write.end(accepted).await
    }

    /// Most acceptances: those that wait at the same time are kept together.
    async fn accept_with_others(&self, accept: Accept) -> Result<group::Told> {
        self.kill_points.at("store.accept.before").await;
        self.refuse_if_damaged()?;
        self.refuse_if_removed()?;
        let began = Instant::now();
        let waiting = telemetry::Waiting::begin();
        let told = group::accept(&self.writer, accept).await;
        drop(waiting);
        self.ended(&told);
        if !matches!(told, Ok(group::Told::InTheWay(_))) {
            telemetry::wrote("accept", began.elapsed(), &told);
        }
        if matches!(told, Ok(group::Told::Kept(_))) {
            self.kill_points.at("store.accept.after").await;
        }
        told
    }

    pub(super) async fn repeated_operation(&self, key: &IdempotencyKey) -> Result<Option<Operation>> {
        let mut connection = self.readers.acquire().await?;
        match earlier(&mut connection, key).await? {
            Some(id) => changes::load(&mut connection, id).await,
            None => Ok(None),
        }
    }
}

/// The operation that this key made before.
async fn earlier(connection: &mut Connection, key: &IdempotencyKey) -> Result<Option<Uuid>> {
    let row = sqlx::query("SELECT body_hash, operation FROM idempotency_keys WHERE scope = $1 AND key = $2")
        .bind(key.scope.as_str())
        .bind(key.key.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    if row.text("body_hash")? != key.body_hash {
        return Err(Error::KeyReused);
    }
    row.uid("operation").map(Some)
}

impl Write<'_> {
    async fn accept(&mut self, mut accept: Accept) -> Result<Accepted> {
        let now = accept.operation.now;
        if let Some(key) = &accept.idempotency
            && let Some(id) = self.earlier(key).await?
        {
            return Ok(Accepted::Repeated(self.operation(id).await?));
        }
        if accept.joins
            && let Some(id) = self.joinable(&accept.operation).await?
        {
            let joined = self.operation(id).await?;
            let same = |at: &&str| joined.intent.pointer(at) == accept.operation.intent.pointer(at);
            if !accept.alike.iter().all(same) {
                return Err(Error::Unlike { operation: id });
            }
            self.audit(&accept.audit).await?;
            self.keep_key(accept.idempotency.as_ref(), id, now).await?;
            return Ok(Accepted::Joined(joined));
        }
        if !together::lead_as_read(self.on(), std::slice::from_ref(&accept)).await? {
            let connection = &accept.operation.resource.connection;
            return Err(Error::Conflict(format!(
                "connection {connection:?} was changed while this was asked for: ask for it again"
            )));
        }
        if accept.supersedes
            && let Some(uid) = accept.operation.resource_uid
        {
            self.supersede(uid, now).await?;
        }
        if let Some(decided) = accept.decided.take() {
            self.decide(decided.uid, Some(decided.revision), decided.update, now).await?;
        }
        for resource in &accept.resources {
            self.clear_place(resource).await?;
            self.insert_resource(resource, now).await?;
        }
        refuse_lost(self.on(), &accept.names).await?;
        let id = accept.operation.id;
        let kept = together::keep(self.on(), std::slice::from_ref(&accept)).await?;
        let kept = kept.ok_or_else(|| together::made_twice(id))?;
        self.wrote_event(kept.newest_event);
        self.refuse_held(id).await?;
        let new = kept.operations.into_iter().next().ok_or_else(|| together::made_twice(id))?;
        Ok(Accepted::New(new))
    }

    /// The operation that this key made before.
    pub(super) async fn earlier(&mut self, key: &IdempotencyKey) -> Result<Option<Uuid>> {
        earlier(self.on(), key).await
    }

    pub(super) async fn keep_key(
        &mut self,
        key: Option<&IdempotencyKey>,
        operation: Uuid,
        now: Timestamp,
    ) -> Result<()> {
        let Some(key) = key else { return Ok(()) };
        sqlx::query(
            "INSERT INTO idempotency_keys (scope, key, body_hash, operation, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(key.scope.as_str())
        .bind(key.key.as_str())
        .bind(key.body_hash.as_str())
        .bind(from_uid(operation))
        .bind(millis(now))
        .execute(self.on())
        .await?;
        Ok(())
    }

    async fn joinable(&mut self, new: &NewOperation) -> Result<Option<Uuid>> {
        let Some(uid) = new.resource_uid else {
            return Ok(None);
        };
        sqlx::query(
            "SELECT id FROM operations WHERE resource_uid = $1 AND kind = $2 \
             AND state IN ('queued', 'running', 'blocked') AND cancel_requested = 0 ORDER BY queue_order LIMIT 1",
        )
        .bind(from_uid(uid))
        .bind(word(&new.kind)?)
        .fetch_optional(self.on())
        .await?
        .map(|row| row.uid("id"))
        .transpose()
    }

    /// Stops what is about the record or a part of it.
    async fn supersede(&mut self, uid: Uuid, now: Timestamp) -> Result<()> {
        let ids: Vec<Uuid> = sqlx::query(
            "SELECT id FROM operations WHERE state IN ('queued', 'running', 'blocked') AND (resource_uid = $1 \
             OR resource_uid IN (SELECT uid FROM resources WHERE parent = $1)) ORDER BY queue_order",
        )
        .bind(from_uid(uid))
        .fetch_all(self.on())
        .await?
        .iter()
        .map(|row| row.uid("id"))
        .collect::<Result<_>>()?;
        for id in ids {
            let operation = self.operation(id).await?;
            self.stop(&operation, Some(uid), now).await?;
        }
        Ok(())
    }

    /// Removes the record of that name if its creation made nothing.
    async fn clear_place(&mut self, new: &NewResource) -> Result<()> {
        let standing = sqlx::query(
            "SELECT uid FROM resources WHERE account = $1 AND location = $2 AND kind = $3 AND parent = $4 AND name = $5 \
             AND system_id IS NULL",
        )
        .bind(new.account.as_str())
        .bind(new.location.as_str())
        .bind(new.kind.as_str())
        .bind(from_parent(new.parent))
        .bind(new.name.as_str())
        .fetch_optional(self.on())
        .await?;
        let Some(uid) = standing.map(|row| row.uid("uid")).transpose()? else { return Ok(()) };
        let ids: Vec<Uuid> = sqlx::query("SELECT id FROM operations WHERE resource_uid = $1")
            .bind(from_uid(uid))
            .fetch_all(self.on())
            .await?
            .iter()
            .map(|row| row.uid("id"))
            .collect::<Result<_>>()?;
        let mut about = Vec::with_capacity(ids.len());
        for id in ids {
            about.push(self.operation(id).await?);
        }
        if made_nothing(&about) && self.holders_of_record(uid).await?.is_empty() {
            self.remove_resource(uid).await?;
        }
        Ok(())
    }
}
