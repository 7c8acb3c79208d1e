//! Records of resources and what clouds said of them.

use async_trait::async_trait;
use jiff::Timestamp;
use pmks_model::Subject;
use tokio::sync::watch;
use uuid::Uuid;

use super::filter::Rows;
use super::values::{flag, from_parent, from_uid, json, maybe_millis, millis};
use super::{Database, Write, rows, together};
use crate::{
    AuditEntry, Changes, Error, NewResource, Observe, Page, Resource, ResourceFilter, ResourceKey,
    ResourceUpdate, Resources, Result, SystemKey,
};

#[async_trait]
impl Resources for Database {
    async fn insert_resources(&self, resources: Vec<NewResource>, audit: AuditEntry) -> Result<()> {
        let mut write = self.write("insert_resources").await?;
        let inserted = write.insert_resources(resources, &audit).await;
        write.end(inserted).await
    }

    async fn resource(&self, uid: Uuid) -> Result<Option<Resource>> {
        self.read("resource", async {
            let row = sqlx::query("SELECT * FROM resources WHERE uid = $1")
                .bind(from_uid(uid))
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| rows::resource(&row)).transpose()
        })
        .await
    }

    async fn find_resource(&self, key: &ResourceKey) -> Result<Option<Resource>> {
        let asked = sqlx::query(
            "SELECT * FROM resources WHERE account = $1 AND location = $2 AND kind = $3 AND parent = $4 AND name = $5",
        )
        .bind(key.account.as_str())
        .bind(key.location.as_str())
        .bind(key.kind.as_str())
        .bind(from_parent(key.parent))
        .bind(key.name.as_str());
        self.read("find_resource", async {
            let row = asked.fetch_optional(&self.readers).await?;
            row.map(|row| rows::resource(&row)).transpose()
        })
        .await
    }

    async fn find_system_id(&self, key: &SystemKey) -> Result<Option<Resource>> {
        let asked = sqlx::query(
            "SELECT * FROM resources WHERE account = $1 AND location = $2 AND kind = $3 AND parent = $4 \
             AND system_id = $5",
        )
        .bind(key.account.as_str())
        .bind(key.location.as_str())
        .bind(key.kind.as_str())
        .bind(from_parent(key.parent))
        .bind(key.system_id.as_str());
        self.read("find_system_id", async {
            let row = asked.fetch_optional(&self.readers).await?;
            row.map(|row| rows::resource(&row)).transpose()
        })
        .await
    }

    async fn resources(&self, filter: &ResourceFilter, page: Page) -> Result<Vec<Resource>> {
        let asked = Rows::after("resources", "uid", page.after.map(from_uid))
            .and("connection", filter.connection.clone())
            .and("account", filter.account.clone())
            .and("location", filter.location.clone())
            .and("kind", filter.kind.map(|kind| kind.as_str().to_owned()))
            .and("parent", filter.parent.map(from_uid))
            .and("name", filter.name.clone());
        self.read("resources", async {
            asked.fetch(&self.readers, "uid", page.limit).await?.iter().map(rows::resource).collect()
        })
        .await
    }

    async fn observe(&self, observations: Vec<Observe>) -> Result<usize> {
        let mut write = self.write("observe").await?;
        let kept = write.observe_all(observations).await;
        write.end(kept).await
    }

    async fn update_resource(
        &self,
        uid: Uuid,
        revision: Option<i64>,
        update: ResourceUpdate,
        audit: AuditEntry,
    ) -> Result<Resource> {
        let mut write = self.write("update_resource").await?;
        let updated = write.update_and_read(uid, revision, update, &audit).await;
        write.end(updated).await
    }

    async fn mark_missing(&self, uids: &[Uuid], since: Option<Timestamp>) -> Result<()> {
        let mut write = self.write("mark_missing").await?;
        let marked = write.mark_missing(uids, since).await;
        write.end(marked).await
    }

    async fn changes_since(&self, version: Option<i64>) -> Result<Changes> {
        self.read("changes_since", self.changes_since(version)).await
    }

    fn changes(&self) -> watch::Receiver<i64> {
        self.newest_change.subscribe()
    }

    async fn forget(&self, uid: Uuid, abandon: bool, audit: AuditEntry) -> Result<()> {
        let mut write = self.write("forget").await?;
        let forgotten = write.forget(uid, abandon, &audit).await;
        write.end(forgotten).await
    }
}

impl Write<'_> {
    async fn insert_resources(&mut self, resources: Vec<NewResource>, audit: &AuditEntry) -> Result<()> {
        for resource in resources {
            self.insert_resource(&resource, audit.at).await?;
        }
        self.audit(audit).await
    }

    async fn observe_all(&mut self, observations: Vec<Observe>) -> Result<usize> {
        let mut kept = 0;
        for observe in observations {
            kept += usize::from(self.observe(observe, false).await?);
        }
        Ok(kept)
    }

    async fn update_and_read(
        &mut self,
        uid: Uuid,
        revision: Option<i64>,
        update: ResourceUpdate,
        audit: &AuditEntry,
    ) -> Result<Resource> {
        self.decide(uid, revision, update, audit.at).await?;
        self.audit(audit).await?;
        self.resource(uid).await
    }

    async fn mark_missing(&mut self, uids: &[Uuid], since: Option<Timestamp>) -> Result<()> {
        for uid in uids {
            sqlx::query("UPDATE resources SET missing_since = $2 WHERE uid = $1")
                .bind(from_uid(*uid))
                .bind(maybe_millis(since))
                .execute(self.on())
                .await?;
        }
        Ok(())
    }

    pub(super) async fn forget(&mut self, uid: Uuid, abandon: bool, audit: &AuditEntry) -> Result<()> {
        self.resource(uid).await?;
        let holders = self.holders_of_record(uid).await?;
        if !holders.is_empty() && !abandon {
            return Err(Error::Held { holders });
        }
        for holder in holders {
            self.abandon(holder, audit.at).await?;
        }
        self.remove_resource(uid).await?;
        self.audit(audit).await
    }

    pub(super) async fn resource(&mut self, uid: Uuid) -> Result<Resource> {
        let row = sqlx::query("SELECT * FROM resources WHERE uid = $1")
            .bind(from_uid(uid))
            .fetch_optional(self.on())
            .await?;
        match row {
            Some(row) => rows::resource(&row),
            None => Err(Error::not_found(format!("the record {uid}"))),
        }
    }

    /// A user's change, made of what they read.
    pub(super) async fn decide(
        &mut self,
        uid: Uuid,
        revision: Option<i64>,
        update: ResourceUpdate,
        now: Timestamp,
    ) -> Result<()> {
        let known = self.resource(uid).await?;
        if revision.is_some_and(|revision| revision != known.revision) {
            return Err(Error::Stale { what: describe(&known) });
        }
        self.update_resource(uid, update, now).await
    }

    pub(super) async fn insert_resource(&mut self, new: &NewResource, now: Timestamp) -> Result<()> {
        if self.insert_unknown(new, now).await? {
            return Ok(());
        }
        Err(self.standing(new).await?)
    }

    /// What keeps a record from being made: one of its name, else one of its identifier at the cloud.
    async fn standing(&mut self, new: &NewResource) -> Result<Error> {
        let name: Option<String> = sqlx::query_scalar(
            "SELECT name FROM resources WHERE account = $1 AND location = $2 AND kind = $3 AND parent = $4 \
             AND (name = $5 OR system_id = $6) ORDER BY name = $5 DESC LIMIT 1",
        )
        .bind(new.account.as_str())
        .bind(new.location.as_str())
        .bind(new.kind.as_str())
        .bind(from_parent(new.parent))
        .bind(new.name.as_str())
        .bind(new.system_id.as_deref())
        .fetch_optional(self.on())
        .await?;
        let what = new.kind.says();
        Ok(match (name, &new.system_id) {
            (Some(name), Some(id)) if name != new.name => Error::AlreadyExists {
                what: format!("{what} {id:?} is known here as {name:?}: it"),
                about: None,
            },
            _ => Error::AlreadyExists {
                what: format!("{what} {:?}", new.name),
                about: Some(Subject { kind: new.kind, name: new.name.clone() }),
            },
        })
    }

    /// Makes a record unless its name or the cloud's identifier is known; answers whether it did.
    pub(super) async fn insert_unknown(&mut self, new: &NewResource, now: Timestamp) -> Result<bool> {
        together::insert_records(self.on(), &[(new, now)]).await
    }

    /// Keeps an observation unless something newer is known. The one that an operation's end brings was read after
    /// its last stage, so it is `newest` whatever the record says. What another record is already is not kept: it must
    /// not keep an operation from ending. Whether another incarnation is still the same thing, who observes has decided.
    pub(super) async fn observe(&mut self, observe: Observe, newest: bool) -> Result<bool> {
        let observation = &observe.observation;
        let kept = sqlx::query(
            "UPDATE resources SET observation = $2, observe_start = $3, observed_at = $4, \
             system_id = COALESCE(system_id, $5), incarnation = COALESCE(NULLIF($6, ''), incarnation), missing_since = NULL, \
             updated_at = $4 WHERE uid = $1 AND (system_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM resources other \
             WHERE other.account = resources.account AND other.location = resources.location \
             AND other.kind = resources.kind AND other.parent = resources.parent AND other.system_id = $5)) \
             AND ($7 = 1 OR ($3 >= changed_at AND (observe_start IS NULL OR $3 >= observe_start)))",
        )
        .bind(from_uid(observe.uid))
        .bind(json(&observation.value)?)
        .bind(millis(observation.started_at))
        .bind(millis(observation.observed_at))
        .bind(observe.system_id)
        .bind(observe.incarnation)
        .bind(flag(newest))
        .execute(self.on())
        .await?;
        Ok(kept.rows_affected() > 0)
    }

    pub(super) async fn update_resource(
        &mut self,
        uid: Uuid,
        update: ResourceUpdate,
        now: Timestamp,
    ) -> Result<()> {
        let resource = self.resource(uid).await?;
        sqlx::query(
            "UPDATE resources SET request = $2, protected = $3, missing_since = $4, revision = revision + 1, \
             updated_at = $5 WHERE uid = $1",
        )
        .bind(from_uid(uid))
        .bind(json(&update.request.unwrap_or(resource.request))?)
        .bind(flag(update.protected.unwrap_or(resource.protected)))
        .bind(maybe_millis(update.missing_since.unwrap_or(resource.missing_since)))
        .bind(millis(now))
        .execute(self.on())
        .await?;
        Ok(())
    }

    /// The record and those of its parts.
    pub(super) async fn remove_resource(&mut self, uid: Uuid) -> Result<()> {
        sqlx::query("DELETE FROM resources WHERE uid = $1 OR parent = $1")
            .bind(from_uid(uid))
            .execute(self.on())
            .await?;
        Ok(())
    }

    /// Writes the cloud's identifier into a record, unless another record has it.
    pub(super) async fn identify_resource(
        &mut self,
        uid: Uuid,
        system_id: &str,
        incarnation: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let written = sqlx::query(
            "UPDATE resources SET system_id = $2, incarnation = COALESCE($3, incarnation), updated_at = $4 \
             WHERE uid = $1 AND NOT EXISTS (SELECT 1 FROM resources other WHERE other.account = resources.account \
             AND other.location = resources.location AND other.kind = resources.kind \
             AND other.parent = resources.parent AND other.system_id = $2 AND other.uid <> $1)",
        )
        .bind(from_uid(uid))
        .bind(system_id)
        .bind(incarnation)
        .bind(millis(now))
        .execute(self.on())
        .await?;
        if written.rows_affected() == 0 {
            tracing::warn!(%uid, system_id, "another record has this identifier, or this record is gone");
        }
        Ok(())
    }
}

fn describe(resource: &Resource) -> String {
    format!("{} {:?}", resource.kind.says(), resource.name)
}
