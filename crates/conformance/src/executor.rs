//! Carries a change out as the engine does: look, ask if absent, follow. One stage at a time, nothing stored.

use std::collections::BTreeMap;
use std::time::Duration;

use pmks_driver::{
    Change, Driver, DriverError, ErrorKind, Outputs, Prepared, Reaction, Search, StageSpecification, reaction,
};
use pmks_transport::Effect;

use crate::journal::{Entry, plan_id};
use crate::runner::Runner;
use crate::{Failed, Rig};

/// The most asks of one stage: more would be a loop.
pub(crate) const MOST_ASKS: u32 = 8;

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
        runner.plan = plan_id(&self.done.prepared.plan);
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
    prepare_by(rig, driver, change, &Search::default()).await
}

/// The same, where children are looked for in that way.
pub(crate) async fn prepare_by(
    rig: &Rig,
    driver: &dyn Driver,
    change: &Change,
    search: &Search,
) -> Result<Prepared, DriverError> {
    let mut tries = 0;
    loop {
        match driver.prepare_by(change, search).await {
            Err(error) if tries < MOST_ASKS && reaction(error.kind(), Effect::Read) != Reaction::Fail => {
                tries += 1;
                let pause = Duration::from_secs(5) / rig.pace.max(1) + Duration::from_millis(100);
                rig.clock.sleep(error.retry_after().unwrap_or_default().max(pause)).await;
            }
            prepared => {
                if let Ok(prepared) = &prepared {
                    note(rig, driver, || Entry::Planned {
                        plan: plan_id(&prepared.plan),
                        change: Box::new(change.clone()),
                        stages: prepared.plan.stages.clone(),
                        children: prepared.children.clone(),
                    })?;
                }
                return prepared;
            }
        }
    }
}

/// Writes a line into the journal, where the witness keeps one.
pub(crate) fn note(rig: &Rig, driver: &dyn Driver, entry: impl FnOnce() -> Entry) -> Result<(), DriverError> {
    let Some(journal) = rig.witness.journal() else { return Ok(()) };
    let kept = journal.write(entry());
    kept.map_err(|why| unexpected(driver, format!("the journal could not be written: {why}")))
}

pub(crate) fn unexpected(driver: &dyn Driver, says: String) -> DriverError {
    DriverError::new(ErrorKind::Unexpected, driver.capabilities().provider, says)
}

/// The error that a change ends with; a change that succeeds is what fails the case.
pub(crate) async fn refused(rig: &Rig, change: &Change) -> Result<DriverError, Failed> {
    match carry_out(rig, change).await {
        Err(error) => Ok(error),
        Ok(_) => Err(Failed(format!("{} was carried out and should have been refused", change.kind()))),
    }
}
