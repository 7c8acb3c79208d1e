//! What is written while an operation is carried out. Every write carries the fence of the claim.

use jiff::Timestamp;
use pmks_model::StageState;
use uuid::Uuid;

use super::changes::{fenced, stages as stages_of, with_stages};
use super::values::{from_uid, json, millis, number};
use super::{Database, Write, together};
use crate::{Begun, Blocked, Error, Fence, Operation, PREFLIGHT, Result, StageRecord};

impl Database {
    pub(super) async fn start_operation(
        &self,
        fence: Fence,
        preflight: StageRecord,
        now: Timestamp,
    ) -> Result<Operation> {
        let mut write = self.write("start").await?;
        let started = write.start(fence, &preflight, now).await;
        write.end(started).await
    }

    pub(super) async fn begin_operation(
        &self,
        fence: Fence,
        begun: Begun,
        preflight: StageRecord,
        now: Timestamp,
    ) -> Result<Operation> {
        let mut write = self.write("begin").await?;
        let begun = write.begin(fence, &begun, &preflight, now).await;
        write.end(begun).await
    }

    pub(super) async fn record_stage(
        &self,
        fence: Fence,
        stage: &str,
        record: StageRecord,
        subject: Option<Uuid>,
        lease: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write("record").await?;
        let recorded = write.record(fence, stage, record, subject, lease, now).await;
        write.end(recorded).await
    }

    pub(super) async fn release_operation(
        &self,
        fence: Fence,
        next_run_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write("release").await?;
        let released = write.release(fence, next_run_at, now).await;
        write.end(released).await
    }

    pub(super) async fn block_operation(
        &self,
        fence: Fence,
        blocked: Blocked,
        now: Timestamp,
    ) -> Result<Operation> {
        let mut write = self.write("block").await?;
        let blocked = write.block(fence, &blocked, now).await;
        write.end(blocked).await
    }
}

impl Write<'_> {
    async fn start(&mut self, fence: Fence, preflight: &StageRecord, now: Timestamp) -> Result<Operation> {
        let started = fenced(fence, "state = 'running', started_at = $3, updated_at = $3").bind(millis(now));
        let started = started.fetch_optional(self.on()).await?.ok_or(Error::Fenced)?;
        self.update_stage(fence.operation, PREFLIGHT, preflight).await?;
        let operation = with_stages(self.on(), &started).await?;
        self.tell(operation).await
    }

    async fn begin(
        &mut self,
        fence: Fence,
        begun: &Begun,
        preflight: &StageRecord,
        now: Timestamp,
    ) -> Result<Operation> {
        let planned = fenced(
            fence,
            "intent = $3, resolved = $4, notices = $5, children = $6, expected_seconds = $7, updated_at = $8",
        )
        .bind(json(&begun.intent)?)
        .bind(json(&begun.resolved)?)
        .bind(json(&begun.notices)?)
        .bind(json(&begun.children)?)
        .bind(number(begun.expected_seconds))
        .bind(millis(now));
        let planned = planned.fetch_optional(self.on()).await?.ok_or(Error::Fenced)?;
        let operation = with_stages(self.on(), &planned).await?;
        let is_planned = operation.stages.first().is_some_and(|first| first.record.state == StageState::Done);
        if operation.stages.len() > 1 {
            if is_planned {
                return Err(Error::Conflict("the operation has a plan already".to_owned()));
            }
            // The next attempt is prepared anew.
            sqlx::query("DELETE FROM stages WHERE operation = $1 AND name <> $2")
                .bind(from_uid(fence.operation))
                .bind(PREFLIGHT)
                .execute(self.on())
                .await?;
        }
        let mut stages = Vec::with_capacity(begun.stages.len());
        for (stage, position) in begun.stages.iter().zip(1..) {
            stages.push((fence.operation, stage.name.as_str(), position, json(&stage.specification)?));
        }
        if !together::insert_stages(self.on(), stages.into_iter()).await? {
            return Err(Error::Conflict("two stages of the plan have the same name".to_owned()));
        }
        self.update_stage(fence.operation, PREFLIGHT, preflight).await?;
        let stages = stages_of(self.on(), fence.operation).await?;
        self.tell(Operation { stages, ..operation }).await
    }

    async fn record(
        &mut self,
        fence: Fence,
        stage: &str,
        record: StageRecord,
        subject: Option<Uuid>,
        lease: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let kept = fenced(fence, "lease_until = CASE WHEN lease_until < $3 THEN $3 ELSE lease_until END");
        let kept = kept.bind(millis(lease)).fetch_optional(self.on()).await?.ok_or(Error::Fenced)?;
        let before = with_stages(self.on(), &kept).await?;
        self.update_stage(fence.operation, stage, &record).await?;
        let mut after = before.clone();
        let Some(known) = after.stages.iter_mut().find(|known| known.name == stage) else {
            return Err(Error::not_found(format!("stage {stage:?}")));
        };
        let was = std::mem::replace(&mut known.record, record);
        let identified =
            (&was.system_id, &was.incarnation) != (&known.record.system_id, &known.record.incarnation);
        if let (Some(uid), Some(system_id), true) = (subject, &known.record.system_id, identified)
            && !system_id.is_empty()
        {
            let incarnation = known.record.incarnation.as_deref().filter(|text| !text.is_empty());
            self.identify_resource(uid, system_id, incarnation, now).await?;
        }
        if after.view() != before.view() {
            self.changed_to(after, now).await?;
        }
        Ok(())
    }

    async fn release(&mut self, fence: Fence, next_run_at: Timestamp, now: Timestamp) -> Result<()> {
        let released = sqlx::query(
            "UPDATE operations SET next_run_at = CASE WHEN woken = 1 THEN $4 ELSE $3 END, woken = 0, \
             lease_owner = NULL, lease_until = NULL WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL",
        )
        .bind(from_uid(fence.operation))
        .bind(fence.number)
        .bind(millis(next_run_at))
        .bind(millis(now))
        .execute(self.on())
        .await?;
        if released.rows_affected() == 0 { Err(Error::Fenced) } else { Ok(()) }
    }

    async fn block(&mut self, fence: Fence, blocked: &Blocked, now: Timestamp) -> Result<Operation> {
        let stopped = fenced(
            fence,
            "state = 'blocked', blocked = $3, next_run_at = $4, updated_at = $4, woken = 0, lease_owner = NULL, \
             lease_until = NULL",
        )
        .bind(json(blocked)?)
        .bind(millis(now));
        let stopped = stopped.fetch_optional(self.on()).await?.ok_or(Error::Fenced)?;
        let operation = with_stages(self.on(), &stopped).await?;
        self.tell(operation).await
    }
}
