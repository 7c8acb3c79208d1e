//! One turn of one stage: look, ask if absent, or follow; then what it came to is stored.
//!
//! ```text
//!            absent, surely                accepted                  ready
//! Waiting ───────────────────▶ Asking ───────────────▶ Following ───────────▶ Done
//!    ▲  ▲ refused: busy, stale   │ answer lost: look until sure  │ cloud's own failure
//!    │  └────────────────────────┤                               ▼
//!    └───────────────────────────┴──────────────── more to do   Failed
//! ```
//! It never asks for what may still be under way, and never follows what is not this operation's: the driver's look
//! says which is which.

use std::time::Duration;

use jiff::Timestamp;
use pmks_driver::{
    Capabilities, DriverError, Effect, ErrorKind, FailedCreate, Found, FoundState, Handle, Look, Outputs,
    Poll, Reaction, Result as DriverResult, StageCalls, StageContext, StageSpecification, reaction,
};
use pmks_model::{Failure, FailureKind, StageState};
use pmks_store::{Blocked, Operation, Result, Stage, StageRecord};
use uuid::Uuid;

use super::ask::REPEATED;
use super::bounded::bounded;
use super::notes::Notes;
use super::step::Run;
use super::telemetry;
use super::timing::{self, after};
use super::traced::Traced;

/// How often what was accepted may be gone before the stage fails.
const VANISHED: u32 = 3;

/// One turn of one stage.
pub(super) struct Turn<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) index: usize,
    pub(super) specification: &'a StageSpecification,
    pub(super) record: StageRecord,
    pub(super) notes: Notes,
    /// What is in the store.
    stored: StageRecord,
    /// Set when the user must decide.
    blocked: Option<Blocked>,
    /// Whether one list answers it and others.
    pub(super) in_crowd: bool,
}

/// What a stage is called with.
pub(super) fn context(
    operation: &Operation,
    record: &StageRecord,
    now: Timestamp,
    pace: u32,
) -> StageContext {
    let mut outputs = Outputs::default();
    for stage in operation.stages.iter().skip(1) {
        if let Some(left) = &stage.record.outputs {
            outputs.insert(&stage.name, left.clone());
        }
    }
    StageContext {
        outputs,
        token: record.token.clone(),
        baseline: record.asked_at.map(|_| record.baseline.clone()),
        system_id: record.system_id.clone(),
        incarnation: record.incarnation.clone(),
        started_at: record.started_at.unwrap_or(now),
        now,
        pace,
    }
}

impl<'a> Turn<'a> {
    pub(super) fn of(run: &'a Run<'a>, index: usize) -> Option<Self> {
        let stage: &Stage = run.operation.stages.get(index + 1)?;
        Some(Self {
            run,
            index,
            specification: run.plan.get(index)?,
            record: stage.record.clone(),
            notes: Notes::read(&stage.record.notes),
            stored: stage.record.clone(),
            blocked: None,
            in_crowd: false,
        })
    }

    /// Takes the turn, and answers what the stage came to.
    pub(super) async fn take(mut self) -> Result<(StageRecord, Option<Blocked>)> {
        if self.notes.attempt != self.run.operation.attempt {
            self.notes.begin_attempt(self.run.operation.attempt);
        }
        if self.record.started_at.is_none() {
            self.begin_reckoning();
        }
        self.notes.due = None;
        match self.run.connected.driver.stage(self.specification) {
            Ok(calls) => match (self.record.state, self.record.handle.clone()) {
                (StageState::Following, Some(handle)) => self.poll(&*calls, Handle(handle)).await?,
                _ => self.look(&*calls).await?,
            },
            Err(error) => self.fail(error.to_failure()),
        }
        self.persist_if_changed().await?;
        let (name, kind) = (&self.specification.name, &self.specification.kind);
        telemetry::stage_over(kind, &self.record);
        Traced::of(&self.run.operation).stage_over(name, kind, &self.record);
        Ok((self.record, self.blocked))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.run.house.clock.wall()
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        self.run.connected.driver.capabilities()
    }

    pub(super) fn context(&self) -> StageContext {
        context(&self.run.operation, &self.record, self.now(), self.run.connected.pace)
    }

    /// Calls the cloud, bounded, between its two kill points.
    pub(super) async fn call<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = DriverResult<T>> + Send,
    ) -> DriverResult<T> {
        let house = self.run.house;
        house.at(&format!("engine.{name}.before")).await;
        let limit = self.run.timing.request_limit() * 2 + Duration::from_secs(30);
        let answer = bounded(&*house.clock, limit, self.capabilities(), call).await;
        telemetry::called(name, &self.specification.kind, answer.is_ok());
        house.at(&format!("engine.{name}.after")).await;
        answer
    }

    async fn look(&mut self, calls: &dyn StageCalls) -> Result<()> {
        let context = self.context();
        // A list is believed that something is there, and nothing else.
        let listed = self.listed().await.and_then(|list| calls.look_in(&context, &list));
        self.in_crowd = listed.is_some();
        let answer = match listed {
            Some(Look::Present(found)) if !found.is_gone() => Ok(Look::Present(found)),
            _ => self.call("look", calls.look(&context)).await,
        };
        match answer {
            Ok(Look::Present(found)) => self.found(calls, found).await,
            Ok(Look::Absent) => self.absent(calls).await,
            Ok(Look::Several(candidates)) => {
                self.blocked = Some(Blocked {
                    reason: "which".to_owned(),
                    needs: format!(
                        "several things could be {:?}: retry with the one that is, or remove the others at the cloud",
                        self.specification.name
                    ),
                    candidates,
                    stage: Some(self.specification.name.clone()),
                });
                Ok(())
            }
            Ok(Look::Unsure(why)) => {
                // Busy is what refuses an ask: while none can be sent, the stage's own time runs.
                self.not_busy();
                self.record.detail = why;
                self.look_again(self.poll_wait());
                Ok(())
            }
            Err(error) => {
                self.unanswered(&error);
                Ok(())
            }
        }
    }

    async fn found(&mut self, calls: &dyn StageCalls, found: Found) -> Result<()> {
        self.answered();
        // A stranger's identifier in our records would be what our next deletion is aimed at.
        let strangers = matches!(&found.state, FoundState::Failed(error) if is_strangers(error));
        if !strangers && !found.system_id.is_empty() {
            self.record.system_id = Some(found.system_id);
        }
        if !strangers && !found.incarnation.is_empty() {
            self.record.incarnation = Some(found.incarnation);
        }
        match found.state {
            FoundState::Ready(outputs) => {
                self.notes.unsettled = false;
                self.done(outputs);
            }
            FoundState::Pending { says } => {
                // A removal under way leaves the ask for the new one still to come, but nothing unsettled.
                self.notes.unsettled = false;
                self.record.state = StageState::Following;
                self.record.detail = says;
                self.look_again(self.poll_wait());
            }
            FoundState::Failed(error) => return self.found_failed(calls, error).await,
        }
        Ok(())
    }

    /// What an earlier attempt left failed is asked for again, or removed first where it was to be made and the cloud
    /// wants that; what failed just now is a failure, and what is not ours is left alone.
    async fn found_failed(&mut self, calls: &dyn StageCalls, error: DriverError) -> Result<()> {
        let again = self.run.operation.attempt > 1 && !self.run.is_stopping();
        let retried = again && self.notes.asked_in < self.run.operation.attempt;
        // Whether the cloud has heard of going on with it, nobody knows: what is seen may be the old failure.
        let unheard =
            again && self.notes.unsettled && !self.replaces_failures() && self.notes.removals < REPEATED;
        if is_strangers(&error) || !(retried || unheard || self.notes.replacing) {
            self.notes.replacing = false;
            self.notes.unsettled = false;
            self.fail(error.to_failure());
            return Ok(());
        }
        if self.notes.replacing && !self.is_certain() {
            "what failed before is being removed".clone_into(&mut self.record.detail);
            self.look_again(self.poll_wait());
            return Ok(());
        }
        if unheard {
            // An ask of this attempt or of the one before may be under way.
            if !self.is_certain() {
                "it may be gone on with".clone_into(&mut self.record.detail);
                self.look_again(self.poll_wait().min(self.until_certain()));
                return Ok(());
            }
            self.notes.removals += u32::from(!retried);
        }
        if self.replaces_failures() { self.remove_failed(calls, error).await } else { self.ask(calls).await }
    }

    /// Whether what failed is removed before it is made anew. A change of what exists is only ever asked for again.
    fn replaces_failures(&self) -> bool {
        self.run.operation.kind.creates() && self.capabilities().failed_create == FailedCreate::Replace
    }

    async fn absent(&mut self, calls: &dyn StageCalls) -> Result<()> {
        self.answered();
        let following = self.record.state == StageState::Following;
        if self.notes.replacing {
            // The new thing has the whole time of a stage, however long the old one took to go.
            self.notes.forgive(timing::since(self.record.asked_at.unwrap_or_else(|| self.now()), self.now()));
            self.notes.replacing = false;
            self.notes.removals = 0;
            self.notes.unsettled = false;
            self.notes.next_generation();
            self.record.system_id = None;
            self.record.incarnation = None;
        } else if (following || self.record.state == StageState::Asking || self.may_come_late())
            && !self.is_certain()
        {
            "it is not to be seen yet".clone_into(&mut self.record.detail);
            let wait = self.poll_wait().min(self.until_certain());
            self.look_again(wait);
            return Ok(());
        } else if self.notes.unsettled && self.run.is_stopping() && !self.is_certain() {
            self.look_again(self.until_certain());
            return Ok(());
        } else if following {
            self.notes.vanished += 1;
            self.notes.next_generation();
            if self.notes.vanished > VANISHED {
                self.fail(Failure::new(
                    FailureKind::Unexpected,
                    "the cloud accepted it again and again, and it is not there",
                ));
                return Ok(());
            }
        }
        self.record.state = StageState::Waiting;
        self.record.handle = None;
        if self.run.is_stopping() {
            self.notes.unsettled = false;
            return Ok(());
        }
        self.ask(calls).await
    }

    /// Whether an ask without an answer may still make what this stage is about. Where names are unique, asking again at
    /// once would make nothing twice; but what the first ask makes after a removal would be nobody's.
    fn may_come_late(&self) -> bool {
        self.notes.unsettled && self.run.operation.kind.creates() && self.specification.subject.is_some()
    }

    async fn poll(&mut self, calls: &dyn StageCalls, handle: Handle) -> Result<()> {
        let context = self.context();
        let listed = self.listed().await.and_then(|list| calls.poll_in(&context, &handle, &list));
        self.in_crowd = listed.is_some();
        let answer = match listed {
            None | Some(Poll::Lost) => self.call("poll", calls.poll(&context, &handle)).await,
            Some(said) => Ok(said),
        };
        match answer {
            Ok(Poll::Pending { says, after }) => {
                self.answered();
                self.record.detail = says;
                let wait = after.unwrap_or_else(|| self.poll_wait());
                self.look_again(wait);
            }
            Ok(Poll::Done(outputs)) => {
                self.answered();
                if self.lacks_identifiers() {
                    self.record.handle = None;
                } else {
                    self.done(outputs);
                }
            }
            Ok(Poll::Again { says, after }) => {
                self.answered();
                self.record.state = StageState::Waiting;
                self.record.handle = None;
                self.record.detail = says;
                self.notes.vanished = 0;
                self.notes.stale = 0;
                self.notes.next_generation();
                let wait = after.unwrap_or_else(|| self.run.timing.backoff(1));
                self.look_again(wait);
            }
            Ok(Poll::Failed(error)) => self.work_failed(&error),
            Ok(Poll::Lost) => self.record.handle = None,
            Err(error) => self.unanswered(&error),
        }
        Ok(())
    }

    /// The cloud's own work came to nothing. What changed under it is read and asked for again, a few times.
    fn work_failed(&mut self, error: &DriverError) {
        if *error.kind() != ErrorKind::Stale {
            return self.fail(error.to_failure());
        }
        self.answered();
        self.record.handle = None;
        self.record.detail = error.to_string();
        self.notes.next_generation();
        self.ask_again(error);
    }

    /// A read that was not answered, or not in a way that can be believed.
    pub(super) fn unanswered(&mut self, error: &DriverError) {
        self.notes.tries += 1;
        let wait = match reaction(error.kind(), Effect::Read) {
            Reaction::Fail => return self.fail(error.to_failure()),
            Reaction::Wait => self.run.timing.busy(self.notes.tries),
            Reaction::Retry | Reaction::LookFirst => self.run.timing.backoff(self.notes.tries),
        };
        self.record.detail = format!("tried again: {error}");
        self.look_again(error.retry_after().unwrap_or(wait));
    }

    pub(super) fn done(&mut self, outputs: serde_json::Value) {
        self.record.state = StageState::Done;
        self.record.outputs = Some(outputs);
        self.record.finished_at = Some(self.now());
        self.record.detail = String::new();
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.record.state = StageState::Failed;
        self.record.finished_at = Some(self.now());
        self.record.detail.clone_from(&failure.detail);
        self.record.error = Some(failure);
    }

    /// The cloud answered: what is counted while it does not begins anew.
    pub(super) fn answered(&mut self) {
        self.notes.tries = 0;
    }

    fn lacks_identifiers(&self) -> bool {
        let absent = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        self.specification.subject.is_some()
            && self.run.operation.kind.creates()
            && (absent(&self.record.system_id) || absent(&self.record.incarnation))
    }

    fn subject(&self) -> Option<Uuid> {
        let subject = self.specification.subject.as_ref()?;
        self.run.records.get(&(subject.kind, subject.name.clone())).copied()
    }

    pub(super) async fn persist(&mut self) -> Result<()> {
        self.record.notes = self.notes.write();
        let now = self.now();
        let lease = after(now, timing::LEASE.max(self.run.timing.request_limit() * 2));
        self.run
            .house
            .store
            .record(self.run.fence, &self.specification.name, self.record.clone(), self.subject(), lease, now)
            .await?;
        self.stored = self.record.clone();
        Ok(())
    }

    /// A look is written only when it changes something.
    async fn persist_if_changed(&mut self) -> Result<()> {
        let plain = |record: &StageRecord| StageRecord {
            notes: Notes::read(&record.notes).worth_writing().write(),
            ..record.clone()
        };
        self.record.notes = self.notes.write();
        if plain(&self.record) == plain(&self.stored) {
            return Ok(());
        }
        self.persist().await
    }
}

/// Whether a look found that somebody else has the name.
fn is_strangers(error: &DriverError) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Replaced)
}
