//! One step of an operation: from its claim until it has to wait, is blocked, or ends.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use pmks_driver::{Cancel, Change, StageSpecification};
use pmks_model::{Child, Failure, FailureKind, OperationState, ResourceKind, StageState};
use pmks_store::{
    Blocked, Claimed, End, Error, Fence, Operation, PREFLIGHT, Page, Resource, ResourceFilter, Result,
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::House;
use super::contract::Connected;
use super::identity::Proof;
use super::notes::Notes;
use super::stage::Turn;
use super::timing::{self, Timing, is_due};
use super::traced::Traced;

/// How often stages are gone through before other operations have their turn.
const ROUNDS: usize = 100;

/// How long to wait for a connection that cannot be used now.
pub(super) const LATER: Duration = Duration::from_secs(15);

/// An operation under way.
pub(super) struct Run<'a> {
    pub(super) house: &'a House,
    pub(super) connected: Connected,
    pub(super) fence: Fence,
    pub(super) operation: Operation,
    pub(super) timing: Timing,
    /// The stages of the plan, in its order.
    pub(super) plan: Vec<StageSpecification>,
    /// The change as it was begun, where it can be read.
    pub(super) change: Option<Change>,
    /// Our records by kind and name, above all by what they are called at the cloud: so stages call what they make.
    pub(super) records: HashMap<(ResourceKind, String), Uuid>,
    /// What the creation of what is to go has made for it, where that itself was never made.
    pub(super) made: Vec<Child>,
    /// How far the wall clock had been set when this began.
    pub(super) drift: i64,
}

/// A step may begin that much late without anybody having neglected it.
const NEGLECT: Duration = Duration::from_secs(30);

/// What a stage does next.
enum Next {
    /// It is over, or does not begin any more.
    Rests,
    /// It is to be called at that time.
    At(Timestamp),
}

pub(super) async fn step(house: &House, claimed: Claimed) {
    let (id, fence) = (claimed.operation.id, claimed.fence);
    match Box::pin(take(house, claimed)).await {
        Ok(()) => {}
        Err(Error::Fenced) => tracing::info!(operation = %id, "claimed anew meanwhile: this step ends"),
        Err(error) => {
            tracing::error!(operation = %id, error = pmks_driver::chain(&error), "a step could not be stored");
            // What is stored is taken up again as after a crash; if not even this can be stored, once it can.
            match house.later(fence).await {
                Ok(()) | Err(Error::Fenced) => {}
                Err(_) => house.lock_unreleased().push(fence),
            }
        }
    }
}

async fn take(house: &House, claimed: Claimed) -> Result<()> {
    let Claimed { operation, fence } = claimed;
    let connected = match house.drivers.connected(&operation.resource.connection).await {
        Ok(connected) => connected,
        Err(failure) if operation.cancel_requested => {
            tracing::info!(operation = %operation.id, %failure, "cancelled without asking the cloud");
            return house.end_unheard(fence, &operation, End::Cancelled).await;
        }
        Err(failure) if failure.kind == FailureKind::Unavailable => return house.later(fence).await,
        Err(failure) => {
            let blocked = Blocked {
                reason: "connection".to_owned(),
                needs: failure.to_string(),
                candidates: Vec::new(),
                stage: None,
            };
            house.store.block(fence, blocked, house.clock.wall()).await?;
            return Ok(());
        }
    };
    let timing = Timing { pace: connected.pace, seed: house.options.seed ^ operation.id.as_u64_pair().1 };
    match house.prove(&connected, &operation, timing).await {
        Proof::Proven => {}
        Proof::Later => return house.later(fence).await,
        Proof::Never(_) | Proof::Refused(_) if operation.cancel_requested => {
            return house.end_unheard(fence, &operation, End::Cancelled).await;
        }
        Proof::Never(error) => {
            let failed = End::Failed(Box::new(error.to_failure()));
            return house.end_unheard(fence, &operation, failed).await;
        }
        Proof::Refused(blocked) => {
            house.store.block(fence, blocked, house.clock.wall()).await?;
            return Ok(());
        }
    }
    let run = Run {
        house,
        connected,
        fence,
        timing,
        plan: Vec::new(),
        change: None,
        made: Vec::new(),
        records: house.records(&operation).await?,
        drift: house.drift(),
        operation,
    };
    run.go().await
}

impl House {
    pub(super) async fn later(&self, fence: Fence) -> Result<()> {
        let now = self.clock.wall();
        self.store.release(fence, timing::after(self.steady(), LATER), now).await
    }

    /// The records that stages may make: the one that the operation is about, and its parts.
    async fn records(&self, operation: &Operation) -> Result<HashMap<(ResourceKind, String), Uuid>> {
        let Some(uid) = operation.resource_uid else {
            return Ok(HashMap::new());
        };
        let filter = ResourceFilter { parent: Some(uid), ..ResourceFilter::default() };
        let parts = self.store.resources(&filter, Page::all()).await?;
        let whole = self.store.resource(uid).await?;
        let all: Vec<Resource> = parts.into_iter().chain(whole).collect();
        let by_own = all.iter().map(|record| ((record.kind, record.name.clone()), record.uid));
        let by_cloud =
            all.iter().map(|record| ((record.kind, record.name_at_cloud().to_owned()), record.uid));
        Ok(by_own.chain(by_cloud).collect())
    }
}

impl Run<'_> {
    async fn go(mut self) -> Result<()> {
        // What was blocked before its first stage began has not begun either when it is resumed.
        let begun = self.operation.stages.first().is_some_and(|first| first.record.started_at.is_some());
        if !begun || matches!(self.operation.state, OperationState::Blocked | OperationState::Queued) {
            self.start().await?;
        }
        self.forgive_neglect().await?;
        if !self.is_planned() {
            if self.operation.cancel_requested {
                return self.end(End::Cancelled).await;
            }
            let span = Traced::of(&self.operation).turn(PREFLIGHT);
            match self.preflight().instrument(span).await? {
                super::preflight::Preflight::Planned => {}
                super::preflight::Preflight::Over => return Ok(()),
            }
        }
        if let Err(error) = self.read_plan() {
            let says = format!("the stored plan cannot be read: {error}");
            return self.end(End::Failed(Box::new(Failure::new(FailureKind::Unexpected, says)))).await;
        }
        self.stages().await
    }

    /// Whether the preflight is done and the plan stored.
    fn is_planned(&self) -> bool {
        self.operation.stages.first().is_some_and(|preflight| preflight.record.state == StageState::Done)
    }

    fn read_plan(&mut self) -> serde_json::Result<()> {
        let stages = self.operation.stages.iter().skip(1);
        self.plan = stages
            .map(|stage| serde_json::from_value(stage.specification.clone()))
            .collect::<serde_json::Result<_>>()?;
        self.change = serde_json::from_value(self.operation.intent.clone()).ok();
        Ok(())
    }

    /// Time during which nobody carried the operation on (a server that was down, a user who had to decide) does not
    /// count against the deadlines of its stages.
    async fn forgive_neglect(&mut self) -> Result<()> {
        let now = self.house.clock.wall();
        for stage in &mut self.operation.stages {
            let over = matches!(stage.record.state, StageState::Done | StageState::Failed);
            let Some(began) = stage.record.started_at.filter(|_| !over) else { continue };
            let neglected = timing::since(self.operation.next_run_at.max(began), self.house.steady());
            if neglected < NEGLECT {
                continue;
            }
            let mut notes = Notes::read(&stage.record.notes);
            notes.forgive(neglected);
            stage.record.notes = notes.write();
            let lease = timing::after(now, timing::LEASE);
            let record = stage.record.clone();
            self.house.store.record(self.fence, &stage.name, record, None, lease, now).await?;
        }
        Ok(())
    }

    async fn stages(mut self) -> Result<()> {
        let mut blocked = BTreeMap::new();
        for _ in 0..ROUNDS {
            let (now, steady) = (self.house.clock.wall(), self.house.steady());
            let mut due = Vec::new();
            let mut next: Option<Timestamp> = None;
            for index in (0..self.plan.len()).filter(|index| !blocked.contains_key(index)) {
                match self.next(index, steady) {
                    Next::Rests => {}
                    Next::At(at) if is_due(at, steady) => due.push(index),
                    Next::At(at) => next = Some(next.map_or(at, |next| next.min(at))),
                }
            }
            if due.is_empty() {
                return match next {
                    Some(next) => self.house.store.release(self.fence, next, now).await,
                    None => self.rest(blocked.into_values().next()).await,
                };
            }
            let turns = join_all(due.into_iter().map(|index| self.turn(index))).await;
            for turn in turns {
                let (index, record, stop) = turn?;
                if let Some(stage) = self.operation.stages.get_mut(index + 1) {
                    stage.record = record;
                }
                if let Some(stop) = stop {
                    blocked.insert(index, stop);
                }
            }
        }
        let now = self.house.clock.wall();
        self.house.store.release(self.fence, now, now).await
    }

    async fn turn(&self, index: usize) -> Result<(usize, pmks_store::StageRecord, Option<Blocked>)> {
        match Turn::of(self, index) {
            Some(turn) => {
                let name = turn.specification.name.clone();
                let span = Traced::of(&self.operation).turn(&name);
                let (record, blocked) = Box::pin(turn.take()).instrument(span).await?;
                Ok((index, record, blocked))
            }
            None => Err(Error::Damaged("a stage of the plan has no row".to_owned())),
        }
    }

    fn next(&self, index: usize, now: Timestamp) -> Next {
        let (Some(stage), Some(specification)) = (self.operation.stages.get(index + 1), self.plan.get(index))
        else {
            return Next::Rests;
        };
        let notes = Notes::read(&stage.record.notes);
        let rests = match stage.record.state {
            StageState::Done | StageState::Failed => true,
            StageState::Asking => false,
            StageState::Waiting => {
                !notes.unsettled && (self.is_stopping() || !self.is_unlocked(specification))
            }
            StageState::Following => self.operation.cancel_requested && specification.cancel == Cancel::Leave,
        };
        match notes.due {
            _ if rests => Next::Rests,
            Some(_) if stage.record.state == StageState::Asking && self.is_over(&notes) => Next::At(now),
            due => Next::At(due.unwrap_or(now)),
        }
    }

    /// Whether what was sent last can no longer be under way: its cloud ended with the process that sent it.
    pub(super) fn is_over(&self, notes: &Notes) -> bool {
        let by_another = notes.certain_by.is_some_and(|by| by.owner != self.house.owner);
        by_another && self.connected.driver.ends_with_the_process()
    }

    /// Whether no stage may begin any more.
    pub(super) fn is_stopping(&self) -> bool {
        self.operation.cancel_requested
            || self.operation.stages.iter().any(|stage| stage.record.state == StageState::Failed)
    }

    fn is_unlocked(&self, specification: &StageSpecification) -> bool {
        specification.after.iter().all(|name| {
            self.operation
                .stages
                .iter()
                .any(|stage| stage.name == *name && stage.record.state == StageState::Done)
        })
    }

    /// Nothing is left that could go on by itself.
    async fn rest(self, blocked: Option<Blocked>) -> Result<()> {
        let stages = || self.operation.stages.iter();
        if stages().all(|stage| stage.record.state == StageState::Done) {
            return self.end(End::Succeeded).await;
        }
        let failed = stages()
            .filter(|stage| stage.record.state == StageState::Failed)
            .find_map(|stage| stage.record.error.clone());
        match (failed, self.operation.cancel_requested, blocked) {
            (Some(failure), ..) => self.end(End::Failed(Box::new(failure))).await,
            (None, true, _) => self.end(End::Cancelled).await,
            (None, false, Some(blocked)) => {
                self.house.store.block(self.fence, blocked, self.house.clock.wall()).await?;
                Ok(())
            }
            (None, false, None) => {
                let failure =
                    Failure::new(FailureKind::Unexpected, "the plan has stages that can never begin");
                self.end(End::Failed(Box::new(failure))).await
            }
        }
    }
}
