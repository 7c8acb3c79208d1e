//! Carries a change out as the engine does: look, ask if absent, follow. One stage at a time, nothing stored.

use std::collections::BTreeMap;
use std::time::Duration;

use pmks_driver::{
    Change, Driver, DriverError, ErrorKind, FailedCreate, Found, FoundState, Handle, Look, Outputs, Poll,
    Prepared, Reaction, StageCalls, StageContext, StageSpecification, reaction,
};
use pmks_transport::Effect;

use crate::{Failed, Rig};

/// The most asks of one stage: more would be a loop.
const MOST_ASKS: u32 = 8;

/// What a change left behind.
#[derive(Debug)]
pub(crate) struct Done {
    /// What was planned and chosen.
    pub(crate) prepared: Prepared,
    /// The cloud's identifiers of the resources that it made, by our name.
    pub(crate) ids: BTreeMap<String, String>,
    /// How many asks were sent, by stage.
    pub(crate) asks: BTreeMap<String, u32>,
}

/// Prepares and carries out.
pub(crate) async fn carry_out(rig: &Rig, change: &Change) -> Result<Done, DriverError> {
    carry_out_by(rig, rig.driver.as_ref(), change).await
}

/// The same by another driver than the rig's own.
pub(crate) async fn carry_out_by(
    rig: &Rig,
    driver: &dyn Driver,
    change: &Change,
) -> Result<Done, DriverError> {
    let prepared = prepare(rig, driver, change).await?;
    attempt(rig, driver, prepared, 1).await
}

/// Carries out what was prepared before, as the given attempt of the same operation: what an earlier one left failed
/// is replaced or mended, as the capabilities say.
pub(crate) async fn attempt(
    rig: &Rig,
    driver: &dyn Driver,
    prepared: Prepared,
    attempt: u32,
) -> Result<Done, DriverError> {
    let mut course = Course { attempt, ..Course::of(rig, driver, prepared) };
    course.run_until(|_| false).await?;
    Ok(course.done)
}

/// A change under way, so that something can happen between two of its stages.
pub(crate) struct Course<'a> {
    rig: &'a Rig,
    driver: &'a dyn Driver,
    attempt: u32,
    /// What it left behind so far.
    pub(crate) done: Done,
    outputs: Outputs,
    next: usize,
}

impl<'a> Course<'a> {
    /// What was prepared, with no stage carried out yet.
    pub(crate) fn of(rig: &'a Rig, driver: &'a dyn Driver, prepared: Prepared) -> Self {
        let done = Done { prepared, ids: BTreeMap::new(), asks: BTreeMap::new() };
        Self { rig, driver, attempt: 1, done, outputs: Outputs::default(), next: 0 }
    }

    /// Carries out the stages before the next one of which `stop` holds; all that are left if there is none.
    pub(crate) async fn run_until(
        &mut self,
        stop: impl Fn(&StageSpecification) -> bool,
    ) -> Result<(), DriverError> {
        while let Some(stage) = self.done.prepared.plan.stages.get(self.next).filter(|stage| !stop(stage)) {
            // As stored and read back: what a stage needs must survive that.
            let stored = serde_json::to_value(stage).and_then(serde_json::from_value::<StageSpecification>);
            let stage = stored
                .map_err(|error| unexpected(self.driver, format!("a stage cannot be stored: {error}")))?;
            self.run(&stage).await?;
            self.next += 1;
        }
        Ok(())
    }

    async fn run(&mut self, stage: &StageSpecification) -> Result<(), DriverError> {
        let calls = self.driver.stage(stage)?;
        let outputs = self.outputs.clone();
        let mut runner = Runner::new(self.rig, self.driver, stage, calls.as_ref(), outputs, self.next);
        runner.attempt = self.attempt;
        let left = runner.run().await?;
        self.done.asks.insert(stage.name.clone(), runner.asks);
        if let (Some(subject), Some(id)) = (&stage.subject, runner.context.system_id.take()) {
            self.done.ids.insert(subject.name.clone(), id);
        }
        self.outputs.insert(&stage.name, left);
        Ok(())
    }
}

/// A preparation only reads, so a cloud that is busy is simply asked again.
pub(crate) async fn prepare(
    rig: &Rig,
    driver: &dyn Driver,
    change: &Change,
) -> Result<Prepared, DriverError> {
    let mut tries = 0;
    loop {
        match driver.prepare(change).await {
            Err(error) if tries < MOST_ASKS && reaction(error.kind(), Effect::Read) != Reaction::Fail => {
                tries += 1;
                rig.clock.sleep(Duration::from_secs(5) / rig.pace.max(1) + Duration::from_millis(100)).await;
            }
            prepared => return prepared,
        }
    }
}

struct Runner<'a> {
    rig: &'a Rig,
    driver: &'a dyn Driver,
    stage: &'a StageSpecification,
    calls: &'a dyn StageCalls,
    context: StageContext,
    operation: String,
    attempt: u32,
    /// What an earlier attempt left failed is being removed.
    replacing: bool,
    asks: u32,
    settle_until: Option<Duration>,
    deadline: Duration,
}

impl<'a> Runner<'a> {
    fn new(
        rig: &'a Rig,
        driver: &'a dyn Driver,
        stage: &'a StageSpecification,
        calls: &'a dyn StageCalls,
        outputs: Outputs,
        index: usize,
    ) -> Self {
        let context = StageContext { outputs, ..first_context(rig) };
        // A busy machine must not fail what a fast world would do in milliseconds.
        let patience = paced(rig, stage.deadline_seconds).max(Duration::from_mins(1));
        let operation = format!("{}-{index}", uuid::Uuid::now_v7().simple());
        let deadline = rig.clock.monotonic() + patience;
        Self {
            rig,
            driver,
            stage,
            calls,
            context,
            operation,
            attempt: 1,
            replacing: false,
            asks: 0,
            settle_until: None,
            deadline,
        }
    }

    async fn run(&mut self) -> Result<serde_json::Value, DriverError> {
        loop {
            self.check_deadline()?;
            match self.calls.look(&self.context).await {
                Ok(Look::Absent) if self.replacing || self.may_ask() => {
                    self.replacing = false;
                    if let Some(outputs) = self.ask_and_follow().await? {
                        return Ok(outputs);
                    }
                }
                Ok(Look::Present(Found { system_id, incarnation, state })) => {
                    if !system_id.is_empty() {
                        self.context.system_id = Some(system_id);
                    }
                    if !incarnation.is_empty() {
                        self.context.incarnation = Some(incarnation);
                    }
                    match state {
                        FoundState::Ready(outputs) => return Ok(outputs),
                        FoundState::Failed(error) => {
                            if let Some(outputs) = self.mend(error).await? {
                                return Ok(outputs);
                            }
                        }
                        FoundState::Pending { .. } => {}
                    }
                }
                Ok(Look::Several(ids)) => {
                    return Err(unexpected(self.driver, format!("several could be meant: {ids:?}")));
                }
                Ok(Look::Absent | Look::Unsure(_)) => {}
                Err(error) => self.react(error, Effect::Read)?,
            }
            self.pause().await;
        }
    }

    /// Asks for the removal of what an earlier attempt left failed, once, or asks for it again, as the cloud wants it;
    /// anything else that failed ends the stage.
    async fn mend(&mut self, found: DriverError) -> Result<Option<serde_json::Value>, DriverError> {
        let strangers = matches!(found.kind(), ErrorKind::AlreadyExists | ErrorKind::Replaced);
        if self.attempt == 1 || self.asks > 0 || strangers {
            return Err(found);
        }
        match self.driver.capabilities().failed_create {
            FailedCreate::Replace => self.replace(found).await.map(|()| None),
            FailedCreate::Repair => self.ask_and_follow().await,
        }
    }

    async fn replace(&mut self, found: DriverError) -> Result<(), DriverError> {
        if self.replacing {
            return Ok(());
        }
        match self.calls.remove_failed(&self.context).await {
            Ok(_) => {
                self.replacing = true;
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported { .. }) => Err(found),
            Err(error) => self.react(error, Effect::Idempotent),
        }
    }

    /// After an ask «not found» is believed only when it must have become visible.
    fn may_ask(&self) -> bool {
        self.settle_until.is_none_or(|until| self.rig.clock.monotonic() >= until)
    }

    async fn ask_and_follow(&mut self) -> Result<Option<serde_json::Value>, DriverError> {
        self.asks += 1;
        if self.asks > MOST_ASKS {
            return Err(unexpected(
                self.driver,
                format!("stage {:?} was asked for {MOST_ASKS} times", self.stage.name),
            ));
        }
        if self.asks == 1 {
            self.context.baseline = Some(self.calls.baseline(&self.context).await?);
        }
        // A repeated ask of the same attempt carries the same token: that is what tokens are for.
        self.context.token = format!("{}-{}", self.operation, self.attempt);
        match self.calls.ask(&self.context).await {
            Ok(asked) => {
                self.settle_until = Some(self.rig.clock.monotonic() + self.visible_after());
                if asked.system_id.is_some() {
                    self.context.system_id = asked.system_id;
                }
                if let Some(outputs) = asked.done {
                    return Ok(Some(outputs));
                }
                match asked.handle {
                    Some(handle) => self.follow(&handle).await,
                    None => Ok(None),
                }
            }
            Err(error) => {
                self.react(error, self.stage.effect)?;
                Ok(None)
            }
        }
    }

    async fn follow(&mut self, handle: &Handle) -> Result<Option<serde_json::Value>, DriverError> {
        loop {
            self.pause().await;
            self.check_deadline()?;
            match self.calls.poll(&self.context, handle).await {
                // The engine too looks for the identifier of what a cloud's own work made without naming it.
                Ok(Poll::Done(_)) if self.stage.subject.is_some() && self.context.system_id.is_none() => {
                    return Ok(None);
                }
                Ok(Poll::Done(outputs)) => return Ok(Some(outputs)),
                Ok(Poll::Failed(error)) if *error.kind() == ErrorKind::Stale => {
                    self.settle_until = None;
                    return Ok(None);
                }
                Ok(Poll::Failed(error)) => return Err(error),
                Ok(Poll::Pending { .. }) => {}
                Ok(Poll::Lost) => return Ok(None),
                Ok(Poll::Again { .. }) => {
                    self.settle_until = None;
                    self.asks = self.asks.saturating_sub(1);
                    return Ok(None);
                }
                Err(error) => self.react(error, Effect::Read)?,
            }
        }
    }

    fn react(&mut self, error: DriverError, effect: Effect) -> Result<(), DriverError> {
        match reaction(error.kind(), effect) {
            Reaction::Fail => Err(error),
            Reaction::Wait | Reaction::Retry => {
                self.settle_until = None;
                if self.deadline <= self.rig.clock.monotonic() { Err(error) } else { Ok(()) }
            }
            Reaction::LookFirst => {
                self.settle_until = Some(self.rig.clock.monotonic() + self.visible_after());
                if self.asks >= MOST_ASKS { Err(error) } else { Ok(()) }
            }
        }
    }

    fn visible_after(&self) -> Duration {
        // A request that is applied late is applied within its own time limit.
        paced(self.rig, self.stage.visible_after_seconds) + Duration::from_mins(1) / self.rig.pace.max(1)
    }

    fn check_deadline(&self) -> Result<(), DriverError> {
        if self.rig.clock.monotonic() < self.deadline {
            return Ok(());
        }
        Err(unexpected(self.driver, format!("stage {:?} did not end within its deadline", self.stage.name)))
    }

    async fn pause(&mut self) {
        let usual = paced(self.rig, self.stage.expected_seconds) / 20;
        let pause = usual.clamp(Duration::from_millis(10), Duration::from_secs(30));
        self.rig.clock.sleep(pause).await;
        self.context.now = self.rig.clock.wall();
    }
}

/// What a stage knows when nothing was asked for or found yet.
pub(crate) fn first_context(rig: &Rig) -> StageContext {
    let now = rig.clock.wall();
    StageContext {
        outputs: Outputs::default(),
        token: String::new(),
        baseline: None,
        system_id: None,
        incarnation: None,
        started_at: now,
        now,
        pace: rig.pace,
    }
}

fn paced(rig: &Rig, seconds: u64) -> Duration {
    Duration::from_secs(seconds) / rig.pace.max(1)
}

fn unexpected(driver: &dyn Driver, says: String) -> DriverError {
    DriverError::new(ErrorKind::Unexpected, driver.capabilities().provider, says)
}

/// The error that a change ends with; a change that succeeds is what fails the case.
pub(crate) async fn refused(rig: &Rig, change: &Change) -> Result<DriverError, Failed> {
    match carry_out(rig, change).await {
        Err(error) => Ok(error),
        Ok(_) => Err(Failed(format!("{} was carried out and should have been refused", change.kind()))),
    }
}
