//! The runs: one undisturbed, then one for each case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pmks_driver::Marks;
use pmks_model::{Failure, FailureKind, OperationState, ResourceKind};
use pmks_store::{NoKillPoints, Operation, Page, ResourceFilter, Resources as _};
use pmks_transport::{Clock as _, SystemClock};
use uuid::Uuid;

use super::ways::{Calls, Case, cases};
use crate::CloudUnderTest;
use crate::kill_matrix::{HERE, MakeScene, Picture, Process, Stage, is_long, truth};

/// How many cases of a scene are tried, unless all are.
const SAMPLE: usize = 8;

/// How one operation ended while the fault lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// It was not taken on.
    Refused,
    /// It failed, or waits for somebody.
    Failed,
    /// It went on.
    Succeeded,
    /// The call that was to go wrong was not made.
    Untouched,
}

/// The operation's calls go wrong, one after the other, in every way.
pub(super) async fn faults(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    let began = SystemClock.monotonic();
    let Some(stage) = Stage::set(under_test, scene).await else { return };
    let kind = stage.scene.title();
    let mark = stage.house.calls.mark();
    let quiet = stage.run(&[]).await.unwrap_or_else(|why| panic!("{kind}, undisturbed: {why}"));
    let received = stage.house.cloud.controls().calls.records();
    let calls = Calls {
        sent: stage.house.calls.since(mark).into_iter().map(|call| call.action).collect(),
        received: received.into_iter().map(|call| (call.service, call.action)).collect(),
    };
    let all = cases(under_test, &calls);
    let chosen = sample(&all);
    let (mut ended, mut failed) = (BTreeMap::<Ended, usize>::new(), Vec::new());
    for case in &chosen {
        match stage.strike(case, &quiet.picture).await {
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

/// All cases, or every so-manieth: neighbours are ways of one call, and an odd step meets another way of the next one, if
/// not every way.
fn sample(all: &[Case]) -> Vec<Case> {
    if is_long() {
        return all.to_vec();
    }
    let step = (all.len() / SAMPLE).max(1) | 1;
    all.iter().step_by(step).cloned().collect()
}

impl Stage {
    /// One run with the fault, and the next attempt without.
    async fn strike(&self, case: &Case, quiet: &Picture) -> Result<Ended, String> {
        let path = self.house.go_back(&self.moment, "fault");
        let process = self.house.process(&path, Arc::new(NoKillPoints)).await;
        let ended = self.struck(case, quiet, &process).await;
        Case::end(&self.house);
        drop(process.pmks);
        process.store.close().await;
        ended
    }

    async fn struck(&self, case: &Case, quiet: &Picture, process: &Process) -> Result<Ended, String> {
        let house = &self.house;
        let before = (truth::counts(house), self.names(process).await);
        case.begin(house);
        let (ended, operation) = match self.scene.ask(house, process).await {
            Err(refusal) => {
                is_clear(&refusal)?;
                if before != (truth::counts(house), self.names(process).await) {
                    return Err(format!("refused ({refusal}), and yet something changed"));
                }
                Case::end(house);
                // A budget that was lowered lasts for seconds.
                house.rest().await;
                let again = self.scene.ask(house, process).await;
                let id = again.map_err(|why| format!("refused again, without the fault: {why}"))?;
                (Ended::Refused, house.drive(process, id).await?)
            }
            Ok(id) => {
                let operation = house.drive(process, id).await?;
                let struck = Case::end(house);
                if operation.state == OperationState::Succeeded {
                    (if struck { Ended::Succeeded } else { Ended::Untouched }, operation)
                } else {
                    says_why(&operation)?;
                    self.is_accounted_for(process).await?;
                    house.rest().await;
                    let id =
                        house.retry(process, id).await.map_err(|why| format!("no next attempt: {why}"))?;
                    (Ended::Failed, house.drive(process, id).await?)
                }
            }
        };
        if operation.state != OperationState::Succeeded {
            return Err(format!("{ended:?}, and without the fault: {operation:#?}"));
        }
        self.read_anew(process).await?;
        self.judge(process, &operation).await?.differs(quiet)?;
        Ok(ended)
    }

    /// Somebody reads: what an operation could not read at its end is read now.
    async fn read_anew(&self, process: &Process) -> Result<(), String> {
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

    /// What carries a mark has its record, and no record has two.
    async fn is_accounted_for(&self, process: &Process) -> Result<(), String> {
        let [.., uid] = Marks::KEYS;
        let records = process.store.resources(&ResourceFilter::default(), Page::all()).await.unwrap();
        for kind in truth::RECORDED {
            let Some(word) = self.house.under_test.word(kind) else { continue };
            let mut seen = BTreeSet::new();
            for row in self.house.cloud.resources().into_iter().filter(|row| row.kind == word) {
                let Some(mark) = row.tags.get(uid).and_then(|mark| Uuid::parse_str(mark).ok()) else {
                    continue;
                };
                let is_known = records.iter().any(|record| record.uid == mark);
                let of_parent =
                    records.iter().any(|record| record.kind == kind && record.parent == Some(mark));
                if !is_known || (!of_parent && !seen.insert(mark)) {
                    return Err(format!("an orphan or a second one: {row:#?}"));
                }
            }
        }
        Ok(())
    }
}

/// An operation that did not succeed says why.
fn says_why(operation: &Operation) -> Result<(), String> {
    match (&operation.error, &operation.blocked) {
        (Some(failure), _) => is_clear(failure),
        (None, Some(_)) => Ok(()),
        (None, None) => Err(format!("it ended as {} and says nothing: {operation:#?}", operation.state)),
    }
}

/// A failure says what failed, and is none of our own.
fn is_clear(failure: &Failure) -> Result<(), String> {
    let is_ours = failure.kind == FailureKind::Unexpected && failure.provider.is_none();
    if failure.detail.is_empty() || is_ours {
        return Err(format!("no clear failure: {failure:?}"));
    }
    Ok(())
}
