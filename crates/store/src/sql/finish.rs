//! The end of an operation: its state, the records and the holds, in one.

use jiff::Timestamp;
use pmks_model::OperationState;
use uuid::Uuid;

use super::values::{from_uid, maybe_json, millis};
use super::{Database, Write, changes};
use crate::{BrokenOff, End, Error, Fence, Finish, NotRemoved, Operation, Resource, Result};

impl Database {
    pub(super) async fn finish_operation(&self, fence: Fence, finish: Finish) -> Result<Operation> {
        let mut write = self.write("finish").await?;
        let finished = write.finish(fence, finish).await;
        write.end(finished).await
    }
}

impl Write<'_> {
    async fn finish(&mut self, fence: Fence, finish: Finish) -> Result<Operation> {
        let now = finish.now;
        let (state, error) = match &finish.end {
            End::Succeeded => (OperationState::Succeeded, None),
            End::Failed(failure) => (OperationState::Failed, Some(&**failure)),
            End::Cancelled => (OperationState::Cancelled, None),
        };
        let claim = (fence.operation, Some(fence.number));
        let ended = self.end_operation(claim, state, error, &finish.remains, now).await?;
        let operation = changes::with_stages(self.on(), &ended).await?;
        let nothing_remains = finish.remains.is_empty();
        let (broken_off, not_removed) = (finish.broken_off.clone(), finish.not_removed.clone());
        self.keep_outcome(finish).await?;
        if let Some(uid) = operation.resource_uid {
            self.mutation_ended(uid, now).await?;
            match self.resource(uid).await {
                Ok(record) => self.mark(&operation, record, state, broken_off, not_removed).await?,
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            match state {
                OperationState::Succeeded if operation.kind.removes() => self.remove_resource(uid).await?,
                OperationState::Cancelled if nothing_remains => self.drop_unmade(&operation, None).await?,
                _ => {}
            }
        }
        if operation.kind.creates() && state != OperationState::Succeeded {
            self.cancel_behind(&operation, now).await?;
        }
        self.tell(operation).await
    }

    async fn keep_outcome(&mut self, finish: Finish) -> Result<()> {
        for resource in finish.inserts {
            // A refresh may have been faster, as it may have been with any of these: an operation ends all the same.
            self.insert_unknown(&resource, finish.now).await?;
        }
        for observe in finish.observations {
            self.observe(observe, true).await?;
        }
        for (uid, update) in finish.updates {
            match self.update_resource(uid, update, finish.now).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for uid in finish.removes {
            self.remove_resource(uid).await?;
        }
        Ok(())
    }

    /// Keeps which creation and which removal of the record did not come to its end.
    async fn mark(
        &mut self,
        operation: &Operation,
        record: Resource,
        state: OperationState,
        broken_off: Option<BrokenOff>,
        not_removed: Option<NotRemoved>,
    ) -> Result<()> {
        let succeeded = state == OperationState::Succeeded;
        if succeeded && operation.kind.removes() {
            return self.part_is_gone(&record).await;
        }
        let broken_off = match broken_off {
            None if succeeded && operation.kind.creates() => None,
            // Whatever else succeeds on it makes none of what is missing.
            None => record.broken_off.clone().map(|mark| BrokenOff { overtaken: true, ..mark }),
            new => new,
        };
        let not_removed = if succeeded { None } else { not_removed.or_else(|| record.not_removed.clone()) };
        if broken_off == record.broken_off && not_removed == record.not_removed {
            return Ok(());
        }
        self.keep_marks(record.uid, broken_off.as_ref(), not_removed.as_ref()).await
    }

    /// What is removed from its whole is not missing there any more, also where one of its name is made again.
    async fn part_is_gone(&mut self, part: &Resource) -> Result<()> {
        let Some(whole) = part.parent else { return Ok(()) };
        let whole = match self.resource(whole).await {
            Err(Error::NotFound { .. }) => return Ok(()),
            whole => whole?,
        };
        let Some(mark) = whole.broken_off else { return Ok(()) };
        let broken_off = mark.without(&part.name);
        self.keep_marks(whole.uid, broken_off.as_ref(), whole.not_removed.as_ref()).await
    }

    async fn keep_marks(
        &mut self,
        uid: Uuid,
        broken_off: Option<&BrokenOff>,
        not_removed: Option<&NotRemoved>,
    ) -> Result<()> {
        sqlx::query("UPDATE resources SET broken_off = $2, not_removed = $3 WHERE uid = $1")
            .bind(from_uid(uid))
            .bind(maybe_json(broken_off)?)
            .bind(maybe_json(not_removed)?)
            .execute(self.on())
            .await?;
        Ok(())
    }

    /// From now on nothing is believed of the record, its parts and its whole that was read before.
    async fn mutation_ended(&mut self, uid: Uuid, now: Timestamp) -> Result<()> {
        sqlx::query(
            "UPDATE resources SET changed_at = $2 WHERE uid = $1 OR parent = $1 \
             OR uid = (SELECT parent FROM resources WHERE uid = $1)",
        )
        .bind(from_uid(uid))
        .bind(millis(now))
        .execute(self.on())
        .await?;
        Ok(())
    }
}
