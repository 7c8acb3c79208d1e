//! The runs: one undisturbed, then one for each case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pmks_model::{OperationKind, OperationState, ResourceKind};
use pmks_store::{NoKillPoints, Page, ResourceFilter, Resources as _};
use pmks_transport::{Clock as _, SystemClock};

use super::clear::{is_clear, says_why};
use super::sample::sample;
use super::ways::{Calls, Case, cases};
use crate::CloudUnderTest;
use crate::kill_matrix::{HERE, MakeScene, Picture, Process, Stage, is_long, truth};

/// How one operation ended while the fault lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ended {
    /// It was not taken on.
    Refused,
    /// It failed, or waits for somebody.
    Failed,
    /// It went on.
    Succeeded,
    /// The call that was to go wrong was not made.
    Untouched,
    /// It, or the next attempt, says that somebody has to look or to decide.
    Undecided,
    /// The cloud gives nobody the means to tell a stranger's from ours.
    Untold,
}

/// What is wrong with a run.
enum Wrong {
    /// How it went: it hangs, or does not say why it failed.
    Way(String),
    /// What came of it, in the world and in our records.
    World(String),
}

impl Wrong {
    fn why(self) -> String {
        match self {
            Self::Way(why) | Self::World(why) => why,
        }
    }
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Way(why)
    }
}

/// The operation's calls go wrong, one after the other, in every way.
pub(super) async fn faults(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    let began = SystemClock.monotonic();
    let Some(stage) = Stage::set_to_try(under_test, scene).await else { return };
    let kind = stage.scene.title();
    let mark = stage.house.calls.mark();
    let before = stage.house.cloud.resources();
    let quiet = stage.run(&[]).await.unwrap_or_else(|why| panic!("{kind}, undisturbed: {why}"));
    let mut received = BTreeMap::<_, BTreeSet<String>>::new();
    for call in stage.house.cloud.controls().calls.records() {
        received.entry((call.service, call.action)).or_default().extend(call.resource);
    }
    let calls = Calls {
        sent: stage.house.calls.since(mark).into_iter().map(|call| call.action).collect(),
        received,
        kind: stage.scene.asks.kind(),
        rows: [before, stage.house.cloud.resources()],
    };
    let changes = stage.house.calls.changes_since(mark).len();
    let all = cases(under_test, &calls);
    let place = OperationKind::ALL.iter().position(|one| *one == calls.kind).unwrap_or_default();
    let chosen = if is_long() { all.clone() } else { sample(&all, place) };
    let (mut ended, mut failed) = (BTreeMap::<Ended, usize>::new(), Vec::new());
    for case in &chosen {
        match stage.strike(case, &quiet.picture, changes).await {
            Ok(end) => *ended.entry(end).or_default() += 1,
            Err(why) => failed.push(format!("{} {}: {why}", case.action, case.way)),
        }
    }
    println!(
        "{kind}: {} cases, {} tried, {ended:?}, {:.1} s",
        all.len(),
        chosen.len(),
        SystemClock.monotonic().saturating_sub(began).as_secs_f64()
    );
    assert!(
        failed.is_empty(),
        "{kind}: {} of {} cases:\n{}",
        failed.len(),
        chosen.len(),
        failed.join("\n\n")
    );
}

impl Stage {
    /// One run with the fault, and the next attempt without.
    async fn strike(&self, case: &Case, quiet: &Picture, changes: usize) -> Result<Ended, String> {
        let path = self.house.go_back(&self.moment, "fault");
        let process = self.house.process(&path, Arc::new(NoKillPoints)).await;
        let ended = match case.deed() {
            None => match self.struck(case, quiet, &process).await {
                Err(Wrong::World(_)) if case.may_be_believed() => Ok(Ended::Untold),
                struck => struck.map_err(Wrong::why),
            },
            Some(deed) => self.beside(case, (deed, changes), quiet, &process).await,
        };
        Case::end(&self.house);
        drop(process.pmks);
        process.store.close().await;
        ended
    }

    async fn struck(&self, case: &Case, quiet: &Picture, process: &Process) -> Result<Ended, Wrong> {
        let house = &self.house;
        let before = (truth::counts(house), self.names(process).await);
        case.begin(house);
        let (ended, operation) = match self.scene.ask(house, process).await {
            Err(refusal) => {
                is_clear(&refusal)?;
                if before != (truth::counts(house), self.names(process).await) {
                    return Err(Wrong::World(format!("refused ({refusal}), and yet something changed")));
                }
                Case::end(house);
                // A budget that was lowered lasts for seconds.
                house.rest().await;
                let again = self.scene.ask(house, process).await;
                let refused = |why| Wrong::World(format!("refused again, without the fault: {why}"));
                let id = again.map_err(refused)?;
                (Ended::Refused, house.drive(process, id).await?)
            }
            Ok(id) => {
                let operation = house.drive(process, id).await?;
                let struck = Case::end(house);
                if operation.state == OperationState::Succeeded {
                    (if struck { Ended::Succeeded } else { Ended::Untouched }, operation)
                } else {
                    says_why(house, &operation)?;
                    truth::accounted_for(house, process, &self.scene).await.map_err(Wrong::World)?;
                    house.rest().await;
                    let refused = |why| Wrong::World(format!("no next attempt: {why}"));
                    let id = house.retry(process, id).await.map_err(refused)?;
                    (Ended::Failed, house.drive(process, id).await?)
                }
            }
        };
        if operation.state != OperationState::Succeeded {
            return Err(Wrong::World(format!("{ended:?}, and without the fault: {operation:#?}")));
        }
        self.read_anew(process).await.map_err(Wrong::World)?;
        let judged = self.judge(process, &operation).await.and_then(|picture| picture.differs(quiet));
        // What may not be read cannot be taken away: that it stays, is said.
        let stays = operation.notices.iter().any(|notice| notice.contains(" stay: "));
        match judged {
            Err(_) if operation.kind.removes() && stays => Ok(Ended::Undecided),
            judged => judged.map(|()| ended).map_err(Wrong::World),
        }
    }

    /// Somebody reads: what an operation could not read at its end is read now.
    pub(super) async fn read_anew(&self, process: &Process) -> Result<(), String> {
        // A budget that was lowered lasts for seconds.
        self.house.rest().await;
        let (pmks, now) = (&process.pmks, Some(Duration::ZERO));
        let records = process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap();
        for record in &records {
            let name = record.name.as_str();
            let whole = records.iter().find(|one| Some(one.uid) == record.parent);
            let whole = whole.map_or("", |whole| whole.name.as_str());
            let read = async {
                match record.kind {
                    ResourceKind::Cluster => pmks.clusters().get(HERE, name, now).await.map(drop),
                    ResourceKind::NodeGroup => pmks.node_groups().get(HERE, whole, name, now).await.map(drop),
                    ResourceKind::Network => pmks.networks().get(HERE, name, now).await.map(drop),
                    ResourceKind::Subnet => pmks.subnets().get(HERE, whole, name, now).await.map(drop),
                    ResourceKind::SecurityGroup => {
                        pmks.security_groups().get(HERE, name, now).await.map(drop)
                    }
                    ResourceKind::KeyPair => pmks.key_pairs().get(HERE, name, now).await.map(drop),
                    ResourceKind::Connection => Ok(()),
                }
            };
            self.house.run(read).await.map_err(|failure| format!("{name} is not read: {failure}"))?;
        }
        Ok(())
    }

    /// What there are records of.
    async fn names(&self, process: &Process) -> BTreeSet<(&'static str, String)> {
        let records = process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap();
        records.into_iter().map(|record| (record.kind.as_str(), record.name)).collect()
    }
}
