//! Before something is removed of which no identifier is known: what its creation asked for and never heard of is
//! looked for, by the creation's own stages. So a deletion finds what a lost answer hid, and is done where there is
//! surely nothing.
//!
//! Looks alone: what is found is removed by the deletion's own plan, and so is what the creation made for it before.

use std::time::Duration;

use pmks_driver::{DriverError, ErrorKind, Found, FoundState, Look, StageSpecification};
use pmks_store::{Operation, PREFLIGHT, Resource, Result, Stage};

use super::bounded::bounded;
use super::made::{self, creations, heard_of, is_for, left_at_the_cloud};
use super::notes::Notes;
use super::preflight::Preflight;
use super::stage::context;
use super::step::Run;
use super::timing::{self, after, since};

/// What became of one stage whose answer was lost.
enum Settled {
    /// There is nothing of it.
    Nothing,
    /// It is there.
    There(Found),
    /// It cannot be said now.
    Later(DriverError),
    /// Only the user can say.
    Which(Vec<String>),
}

impl Run<'_> {
    /// Settles the creation of what is to be removed. `None`: it is settled.
    pub(super) async fn settle_creation(&mut self) -> Result<Option<Preflight>> {
        let Some(uid) = self.operation.resource_uid.filter(|_| self.operation.kind.removes()) else {
            return Ok(None);
        };
        let Some(record) = self.house.store.resource(uid).await? else { return Ok(None) };
        if record.system_id.is_some() {
            return Ok(None);
        }
        let (mut left, mut made) = (Vec::new(), Vec::new());
        for creation in creations(self.house.store.as_ref(), &record).await? {
            for stage in creation.stages.iter().filter(|stage| is_for(&creation, stage, &record)) {
                made.extend(heard_of(stage));
                if !is_unsettled(stage) {
                    continue;
                }
                let Ok(specification) =
                    serde_json::from_value::<StageSpecification>(stage.specification.clone())
                else {
                    left.push(stage.name.clone());
                    continue;
                };
                let makes_it = makes(&specification, &record);
                match self.look_for(&creation, stage, &specification).await {
                    Settled::Nothing => {}
                    Settled::There(found) if makes_it => {
                        return self.found(&record, found).await.map(|()| None);
                    }
                    Settled::There(found) => made.push(made::found(stage, found.system_id)),
                    Settled::Which(candidates) => left.push(format!("one of {}", candidates.join(", "))),
                    Settled::Later(error) => return self.not_prepared(&error).await.map(Some),
                }
            }
        }
        self.made = made;
        if left.is_empty() {
            Ok(None)
        } else {
            self.refuse(left_at_the_cloud(&record, &left)).await.map(Some)
        }
    }

    async fn look_for(
        &self,
        creation: &Operation,
        stage: &Stage,
        specification: &StageSpecification,
    ) -> Settled {
        let driver = &self.connected.driver;
        let now = self.house.clock.wall();
        let calls = match driver.stage(specification) {
            Ok(calls) => calls,
            Err(error) => return Settled::Later(error),
        };
        let context = context(creation, &stage.record, now, self.connected.pace);
        let limit = self.timing.request_limit() * 2 + Duration::from_secs(30);
        self.house.at("engine.look.before").await;
        let look = bounded(&*self.house.clock, limit, driver.capabilities(), calls.look(&context)).await;
        self.house.at("engine.look.after").await;
        super::telemetry::called("look", &specification.kind, look.is_ok());
        let later = |says: String| {
            let error = DriverError::new(ErrorKind::Unavailable, driver.capabilities().provider, says);
            Settled::Later(error)
        };
        match look {
            Ok(Look::Absent) => {
                let notes = Notes::read(&stage.record.notes);
                let certain_at = notes.certain_at.filter(|_| !self.is_over(&notes));
                match certain_at.map(|at| since(now, at)).filter(|wait| !wait.is_zero()) {
                    Some(wait) => later(format!("whether it was made shows in {} s", wait.as_secs())),
                    None => Settled::Nothing,
                }
            }
            // A stranger's thing stands where ours would: there is nothing of ours.
            Ok(Look::Present(Found { state: FoundState::Failed(error), .. }))
                if *error.kind() == ErrorKind::AlreadyExists =>
            {
                Settled::Nothing
            }
            Ok(Look::Present(found)) => Settled::There(found),
            Ok(Look::Several(candidates)) => Settled::Which(candidates),
            Ok(Look::Unsure(why)) => later(why),
            Err(error) => Settled::Later(error),
        }
    }

    /// Writes down what the thing is called at the cloud: from now on it is removed as any other.
    async fn found(&mut self, record: &Resource, found: Found) -> Result<()> {
        let now = self.house.clock.wall();
        let Some(preflight) = self.operation.stages.first_mut() else { return Ok(()) };
        preflight.record.system_id = Some(found.system_id);
        preflight.record.incarnation = Some(found.incarnation).filter(|text| !text.is_empty());
        let written = preflight.record.clone();
        let lease = after(now, timing::LEASE);
        self.house.store.record(self.fence, PREFLIGHT, written, Some(record.uid), lease, now).await
    }
}

/// Whether the cloud was asked and nobody heard what became of it.
fn is_unsettled(stage: &Stage) -> bool {
    let known = stage.record.system_id.as_deref().is_some_and(|id| !id.is_empty());
    stage.record.asked_at.is_some() && !known && Notes::read(&stage.record.notes).unsettled
}

fn makes(specification: &StageSpecification, record: &Resource) -> bool {
    let subject = specification.subject.as_ref();
    subject.is_some_and(|subject| subject.kind == record.kind && subject.name == record.name_at_cloud())
}
