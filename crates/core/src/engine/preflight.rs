//! The first stage of every operation: validated again, prepared by the driver (which reads only), and its plan
//! stored, once.

use std::time::Duration;

use pmks_driver::cluster_objects::in_order;
use pmks_driver::{Change, DriverError, ErrorKind, Prepared, Reaction, Search, reaction, validate};
use pmks_model::{Failure, FailureKind, OperationKind, StageState};
use pmks_store::{Begun, End, NewStage, PREFLIGHT, Result, StageRecord};
use pmks_transport::Effect;

use super::bounded::bounded;
use super::children;
use super::made::prepare_removal;
use super::notes::Notes;
use super::step::Run;
use super::timing;
use super::traced::Traced;

/// A preparation makes many calls, each with its own limit.
const LIMIT: Duration = Duration::from_mins(6);

/// How long the cloud may be out of reach before the operation fails, having changed nothing.
const DEADLINE_SECONDS: u64 = 15 * 60;

/// For how long of that a cluster that is to be deleted must say itself what stands in it.
const HEARING_SECONDS: u64 = 5 * 60;

/// How often what a preparation reads may change under it.
const STALE: u32 = 5;

/// What came of a preflight.
pub(super) enum Preflight {
    /// The plan is stored.
    Planned,
    /// The operation has ended, or waits.
    Over,
}

impl Run<'_> {
    /// The first write of an attempt.
    pub(super) async fn start(&mut self) -> Result<()> {
        let now = self.house.clock.wall();
        let mut record = self.preflight_record();
        if record.state == StageState::Done && self.is_to_be_heard_again() {
            record = StageRecord::default();
        }
        if record.state != StageState::Done {
            record.state = StageState::Following;
            if record.started_at.is_none() {
                record.started_at = Some(now);
                record.notes = serde_json::Value::Null;
            }
        }
        self.operation = self.house.store.start(self.fence, record, now).await?;
        Ok(())
    }

    pub(super) async fn preflight(&mut self) -> Result<Preflight> {
        if let Some(over) = self.settle_creation().await? {
            return Ok(over);
        }
        let change = match self.house.hooks.resolve(&self.operation).await {
            Ok(Some(change)) => change,
            Ok(None) if self.made.is_empty() => return self.nothing_to_do().await,
            Ok(None) => return self.remove_made().await,
            Err(failure) => return self.refuse(failure).await,
        };
        let findings = validate(&change, self.connected.driver.capabilities());
        if !findings.is_empty() {
            return self.refuse(Failure::invalid(findings)).await;
        }
        self.house.at("engine.prepare.before").await;
        let capabilities = self.connected.driver.capabilities();
        let search = self.search().await?;
        let call = self.connected.driver.prepare_by(&change, &search);
        let prepared = bounded(&*self.house.clock, LIMIT, capabilities, call).await;
        self.house.at("engine.prepare.after").await;
        super::telemetry::called("prepare", PREFLIGHT, prepared.is_ok());
        match prepared {
            Ok(prepared) => self.begin(&change, prepared).await,
            Err(error) => self.not_prepared(&error).await,
        }
    }

    /// What only the cluster knows would stay behind if its answer were not waited for; what an earlier attempt heard is
    /// not forgotten, nor what an earlier deletion left.
    async fn search(&self) -> Result<Search> {
        let mut known = children::of(&self.operation);
        if let Some(uid) = self.operation.resource_uid
            && self.operation.kind == OperationKind::ClusterDelete
        {
            let before =
                children::known_before(self.house.store.as_ref(), uid, Some(self.operation.id)).await?;
            known.found = in_order(known.found, &before.found);
            known.unknown.extend(before.unknown);
        }
        Ok(Search { must_hear: self.running() <= self.timing.deadline(HEARING_SECONDS), known })
    }

    /// Whether the next attempt of a deletion is planned anew: while the cluster stands, it may say by now what it did not
    /// say when the plan was made.
    fn is_to_be_heard_again(&self) -> bool {
        let asks_again = self.operation.attempt > 1 && self.operation.kind == OperationKind::ClusterDelete;
        asks_again
            && !children::of(&self.operation).unknown.is_empty()
            && !children::cluster_is_gone(&self.operation)
    }

    /// How long the preflight has been tried.
    fn running(&self) -> Duration {
        let record = self.preflight_record();
        let now = self.house.clock.wall();
        let mut notes = Notes::read(&record.notes);
        notes.set_clock(self.house.drift().saturating_sub(self.drift));
        notes.lasted(record.started_at.unwrap_or(now), now)
    }

    async fn begin(&mut self, change: &Change, prepared: Prepared) -> Result<Preflight> {
        if prepared.plan.stages.iter().any(|stage| stage.name == PREFLIGHT) {
            let failure = Failure::new(FailureKind::Unexpected, "the plan names a stage like the preflight");
            return self.refuse(failure).await;
        }
        let expected = self.timing.paced(prepared.plan.expected()).as_secs();
        let stages = prepared
            .plan
            .stages
            .iter()
            .map(|stage| Ok(NewStage { name: stage.name.clone(), specification: to_json(stage)? }))
            .collect::<Result<_>>()?;
        let begun = Begun {
            intent: to_json(change)?,
            stages,
            resolved: prepared.resolved,
            notices: prepared.notices,
            children: to_json(&prepared.children)?,
            expected_seconds: expected,
        };
        let now = self.house.clock.wall();
        let record = StageRecord {
            state: StageState::Done,
            finished_at: Some(now),
            detail: String::new(),
            ..self.preflight_record()
        };
        self.operation = self.house.store.begin(self.fence, begun, record.clone(), now).await?;
        self.over(&record);
        Ok(Preflight::Planned)
    }

    /// What is to be changed was never made, or needs no cloud. A plan that was made while it stood is carried out.
    async fn nothing_to_do(&mut self) -> Result<Preflight> {
        self.write_preflight(StageState::Done, None, String::new()).await?;
        if self.operation.stages.len() > 1 {
            return Ok(Preflight::Planned);
        }
        self.end_now(End::Succeeded).await?;
        Ok(Preflight::Over)
    }

    /// What is to go was never made, but something for it was.
    async fn remove_made(&mut self) -> Result<Preflight> {
        let record = match self.operation.resource_uid {
            Some(uid) => self.house.store.resource(uid).await?,
            None => None,
        };
        let change = serde_json::from_value::<Change>(self.operation.intent.clone());
        let (Some(record), Ok(change)) = (record, change) else { return self.nothing_to_do().await };
        let driver = &self.connected.driver;
        let call = prepare_removal(driver.as_ref(), &record, &self.made);
        let prepared = bounded(&*self.house.clock, LIMIT, driver.capabilities(), call).await;
        super::telemetry::called("prepare", PREFLIGHT, prepared.is_ok());
        match prepared {
            Ok(Ok(prepared)) => self.begin(&change, prepared).await,
            Ok(Err(failure)) => self.refuse(failure).await,
            Err(error) => self.not_prepared(&error).await,
        }
    }

    pub(super) async fn refuse(&mut self, failure: Failure) -> Result<Preflight> {
        self.write_preflight(StageState::Failed, Some(failure.clone()), failure.detail.clone()).await?;
        self.end_now(End::Failed(Box::new(failure))).await?;
        Ok(Preflight::Over)
    }

    pub(super) async fn not_prepared(&mut self, error: &DriverError) -> Result<Preflight> {
        let now = self.house.clock.wall();
        let mut record = self.preflight_record();
        let mut notes = Notes::read(&record.notes);
        notes.tries += 1;
        notes.stale += u32::from(*error.kind() == ErrorKind::Stale);
        notes.set_clock(self.house.drift().saturating_sub(self.drift));
        let running = self.running();
        let (wait, limit) = match reaction(error.kind(), Effect::Read) {
            Reaction::Fail => return self.refuse(error.to_failure()).await,
            Reaction::Wait => (self.timing.busy(notes.tries), self.timing.longest_busy()),
            Reaction::Retry | Reaction::LookFirst => {
                (self.timing.backoff(notes.tries), self.timing.deadline(DEADLINE_SECONDS))
            }
        };
        if running > limit || notes.stale > STALE {
            return self.refuse(error.to_failure()).await;
        }
        record.detail = format!("tried again: {error}");
        record.notes = notes.write();
        let lease = timing::after(now, timing::LEASE);
        self.house.store.record(self.fence, PREFLIGHT, record, None, lease, now).await?;
        let wait = error.retry_after().unwrap_or(wait).min(timing::LONGEST_WAIT);
        let next = timing::after(self.house.steady(), wait);
        self.house.store.release(self.fence, next, now).await?;
        Ok(Preflight::Over)
    }

    async fn write_preflight(
        &mut self,
        state: StageState,
        error: Option<Failure>,
        detail: String,
    ) -> Result<()> {
        let now = self.house.clock.wall();
        let record = StageRecord { state, error, detail, finished_at: Some(now), ..self.preflight_record() };
        if let Some(stage) = self.operation.stages.first_mut() {
            stage.record = record.clone();
        }
        let lease = timing::after(now, timing::LEASE);
        self.house.store.record(self.fence, PREFLIGHT, record.clone(), None, lease, now).await?;
        self.over(&record);
        Ok(())
    }

    fn over(&self, record: &StageRecord) {
        super::telemetry::stage_over(PREFLIGHT, record);
        Traced::of(&self.operation).stage_over(PREFLIGHT, PREFLIGHT, record);
    }

    fn preflight_record(&self) -> StageRecord {
        self.operation.stages.first().map(|stage| stage.record.clone()).unwrap_or_default()
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value> {
    serde_json::to_value(value)
        .map_err(|error| pmks_store::Error::Damaged(format!("a plan cannot be written: {error}")))
}
