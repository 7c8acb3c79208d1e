//! One stage: looked at, asked for if it is absent, followed to its end.

use std::time::Duration;

use pmks_driver::{
    Driver, DriverError, ErrorKind, FailedCreate, Found, FoundState, Handle, Look, Outputs, Poll, Reaction,
    StageCalls, StageContext, StageSpecification, reaction,
};
use pmks_transport::Effect;

use crate::Rig;
use crate::executor::{MOST_ASKS, note, unexpected};
use crate::journal::Entry;

pub(crate) struct Runner<'a> {
    rig: &'a Rig,
    driver: &'a dyn Driver,
    stage: &'a StageSpecification,
    calls: &'a dyn StageCalls,
    pub(crate) context: StageContext,
    operation: String,
    pub(crate) attempt: u32,
    /// Which plan it is a stage of, for the journal.
    pub(crate) plan: String,
    /// What an earlier attempt left failed is being removed.
    replacing: bool,
    pub(crate) asks: u32,
    settle_until: Option<Duration>,
    deadline: Duration,
    /// A cloud that is busy is waited for no longer.
    busy_until: Duration,
}

/// How long a cloud may be busy with something else before a stage has failed.
const BUSY: Duration = Duration::from_hours(6);

impl<'a> Runner<'a> {
    pub(crate) fn new(
        rig: &'a Rig,
        driver: &'a dyn Driver,
        stage: &'a StageSpecification,
        calls: &'a dyn StageCalls,
        outputs: Outputs,
        index: usize,
    ) -> Self {
        let context = StageContext { outputs, ..first_context(rig) };
        let operation = format!("{}-{index}", uuid::Uuid::now_v7().simple());
        let now = rig.clock.monotonic();
        let busy_until = now + paced(rig, BUSY.as_secs()).max(Duration::from_mins(1));
        let mut runner = Self {
            rig,
            driver,
            stage,
            calls,
            context,
            operation,
            attempt: 1,
            plan: String::new(),
            replacing: false,
            asks: 0,
            settle_until: None,
            deadline: now,
            busy_until,
        };
        runner.deadline = now + runner.patience();
        runner
    }

    pub(crate) async fn run(&mut self) -> Result<serde_json::Value, DriverError> {
        let outputs = self.until_done().await?;
        self.note_identifier()?;
        note(self.rig, self.driver, || Entry::Done {
            plan: self.plan.clone(),
            stage: self.stage.name.clone(),
            outputs: outputs.clone(),
        })?;
        Ok(outputs)
    }

    fn note_identifier(&self) -> Result<(), DriverError> {
        let Some(system_id) = &self.context.system_id else { return Ok(()) };
        note(self.rig, self.driver, || Entry::Known {
            plan: self.plan.clone(),
            stage: self.stage.name.clone(),
            system_id: system_id.clone(),
            incarnation: self.context.incarnation.clone().unwrap_or_default(),
        })
    }

    /// What was asked for before may still become visible: «not found» is not believed at once.
    pub(crate) fn settle(&mut self) {
        self.settle_until = Some(self.rig.clock.monotonic() + self.visible_after());
    }

    /// Whether what was asked for is there: its identifier and incarnation, found by looking alone.
    pub(crate) async fn find(&mut self) -> Result<Option<(String, String)>, DriverError> {
        loop {
            self.check_deadline()?;
            match self.calls.look(&self.context).await {
                Ok(Look::Absent) if self.may_ask() => return Ok(None),
                Ok(Look::Present(Found { state: FoundState::Failed(error), .. }))
                    if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Replaced) =>
                {
                    return Ok(None);
                }
                Ok(Look::Present(found)) if !found.system_id.is_empty() => {
                    return Ok(Some((found.system_id, found.incarnation)));
                }
                Ok(Look::Several(ids)) => {
                    return Err(unexpected(self.driver, format!("several could be meant: {ids:?}")));
                }
                Ok(_) => {}
                Err(error) => self.react(error, Effect::Read)?,
            }
            self.pause().await;
        }
    }

    async fn until_done(&mut self) -> Result<serde_json::Value, DriverError> {
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
            note(self.rig, self.driver, || Entry::Asking {
                plan: self.plan.clone(),
                stage: self.stage.name.clone(),
                at: self.rig.clock.wall(),
                baseline: self.context.baseline.clone(),
            })?;
        }
        // A repeated ask of the same attempt carries the same token: that is what tokens are for.
        self.context.token = format!("{}-{}", self.operation, self.attempt);
        match self.calls.ask(&self.context).await {
            Ok(asked) => {
                self.settle_until = Some(self.rig.clock.monotonic() + self.visible_after());
                if asked.system_id.is_some() {
                    self.context.system_id = asked.system_id;
                    self.context.incarnation = asked.incarnation.or(self.context.incarnation.take());
                    self.note_identifier()?;
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
                if reaction(error.kind(), self.stage.effect) == Reaction::Wait {
                    // Refused because the cloud is busy: nothing was asked for.
                    self.asks -= 1;
                    self.deadline =
                        self.deadline.max(self.rig.clock.monotonic() + self.patience()).min(self.busy_until);
                }
                self.react(error, self.stage.effect)?;
                Ok(None)
            }
        }
    }

    /// A busy machine must not fail what a fast world would do in milliseconds.
    fn patience(&self) -> Duration {
        paced(self.rig, self.stage.deadline_seconds).max(Duration::from_mins(1))
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
