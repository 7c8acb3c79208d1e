//! The end of an operation: its state, the records and the holds, in one.

use jiff::Timestamp;
use pmks_model::OperationState;
use uuid::Uuid;

use super::values::{from_uid, maybe_json, millis};
use super::{Database, Write};
use crate::{BrokenOff, End, Error, Fence, Finish, Operation, Result};

impl Database {
    pub(super) async fn finish_operation(&self, fence: Fence, finish: Finish) -> Result<Operation> {
        let mut write = self.write("finish").await?;
        let finished = write.finish(fence, finish).await;
        write.end(finished).await
    }
}

impl Write<'_> {
    async fn finish(&mut self, fence: Fence, finish: Finish) -> Result<Operation> {
        let operation = self.fenced(fence).await?;
        let now = finish.now;
        let (state, error) = match &finish.end {
            End::Succeeded => (OperationState::Succeeded, None),
            End::Failed(failure) => (OperationState::Failed, Some(&**failure)),
            End::Cancelled => (OperationState::Cancelled, None),
        };
        self.end_operation(operation.id, state, error, &finish.remains, now).await?;
        let nothing_remains = finish.remains.is_empty();
        let broken_off = finish.broken_off.clone();
        self.keep_outcome(finish).await?;
        if let Some(uid) = operation.resource_uid {
            self.mutation_ended(uid, now).await?;
            // A removal or a change that failed leaves what is known of the creation as it was.
            if broken_off.is_some() || state == OperationState::Succeeded {
                self.break_off(uid, broken_off.as_ref()).await?;
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
        self.changed(operation.id, now).await
    }

    async fn keep_outcome(&mut self, finish: Finish) -> Result<()> {
        for resource in finish.inserts {
            // A refresh may have been faster, as it may have been with any of these: an operation ends all the same.
            self.insert_unknown(resource, finish.now).await?;
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

    async fn break_off(&mut self, uid: Uuid, broken_off: Option<&BrokenOff>) -> Result<()> {
        sqlx::query("UPDATE resources SET broken_off = $2 WHERE uid = $1")
            .bind(from_uid(uid))
            .bind(maybe_json(broken_off)?)
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
