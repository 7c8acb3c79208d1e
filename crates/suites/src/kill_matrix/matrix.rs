//! The runs: one undisturbed, then one for each point that is died at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pmks_core::engine::testing::{KillSwitch, distinct};
use pmks_store::{NoKillPoints, Operation};
use pmks_transport::{Clock as _, Fault, SystemClock};

use super::MakeScene;
use super::house::{House, Moment, Process};
use super::offer::Offer;
use super::scene::Scene;
use super::truth::{self, Counts, Picture};
use crate::CloudUnderTest;

/// How many points are died at beside those of the asks, unless all are.
const SAMPLE: usize = 6;

/// How many points are died at after each lost answer, unless all are.
const SAMPLE_AFTER_LOSS: usize = 2;

/// How late a request may be applied: within its time limit and the time until it is visible.
const LATE: Duration = Duration::from_secs(45);

/// A scene that is set.
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) scene: Scene,
    pub(crate) moment: Moment,
    /// What the change is counted from.
    base: Counts,
}

/// What one run came to.
pub(crate) struct Run {
    /// The points of its first life.
    pub(crate) points: Vec<String>,
    /// The kinds of the stages that it was made of.
    stages: BTreeSet<String>,
    /// The world in the end.
    pub(crate) picture: Picture,
}

/// The operation dies at its points.
pub(crate) async fn deaths(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    let clock = SystemClock;
    let began = clock.monotonic();
    let Some(stage) = Stage::set_to_try(under_test, scene).await else { return };
    let kind = stage.scene.title();
    let set = clock.monotonic().saturating_sub(began);
    let quiet = stage.run(&[]).await.unwrap_or_else(|why| panic!("{kind}, undisturbed: {why}"));
    let all = distinct(&quiet.points);
    let chosen = sample(&quiet.points, &all);
    let mut failed = Vec::new();
    for at in &chosen {
        // Twice: the second life ends a few points after its start, where it takes up what the first one left.
        let kills = [*at, 3 + at % 11];
        let ended = stage.run(&kills).await.and_then(|run| run.picture.differs(&quiet.picture));
        if let Err(why) = ended {
            let point = quiet.points.get(*at).map_or("", String::as_str);
            failed.push(format!("killed at passing {at} ({point}), then at {}: {why}", kills[1]));
        }
    }
    println!(
        "{kind}: {} points, {} distinct, {} died at, {:.1} s ({:.1} s to set up)",
        quiet.points.len(),
        all.len(),
        chosen.len(),
        clock.monotonic().saturating_sub(began).as_secs_f64(),
        set.as_secs_f64(),
    );
    assert!(failed.is_empty(), "{kind}: {} of {} runs:\n{}", failed.len(), chosen.len(), failed.join("\n\n"));
}

/// What an operation takes that nothing disturbs.
pub(crate) struct Undisturbed {
    /// The kinds of its stages.
    pub(crate) stages: BTreeSet<String>,
    /// How often it called what changes something, by action.
    pub(crate) changes: BTreeMap<&'static str, usize>,
}

/// Runs an operation once; `None` where the cloud has nothing like the scene.
pub(crate) async fn undisturbed(
    under_test: &'static dyn CloudUnderTest,
    scene: impl Fn(&Offer) -> Option<Scene>,
) -> Option<Undisturbed> {
    let stage = Stage::set(under_test, scene).await?;
    let mark = stage.house.calls.mark();
    let run = stage.run(&[]).await.unwrap_or_else(|why| panic!("{}: {why}", stage.scene.title()));
    let mut changes = BTreeMap::new();
    for call in stage.house.calls.changes_since(mark) {
        *changes.entry(call.action).or_insert(0) += 1;
    }
    Some(Undisturbed { stages: run.stages, changes })
}

/// The answer of each changing call is lost, and the operation dies soon after.
pub(crate) async fn lost_answers(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    let clock = SystemClock;
    let began = clock.monotonic();
    let Some(stage) = Stage::set_to_try(under_test, scene).await else { return };
    let kind = stage.scene.title();
    let mark = stage.house.calls.mark();
    let quiet = stage.run(&[]).await.unwrap_or_else(|why| panic!("{kind}, undisturbed: {why}"));
    let actions: BTreeSet<&'static str> =
        stage.house.calls.changes_since(mark).into_iter().map(|call| call.action).collect();
    let (mut runs, mut failed) = (0, Vec::new());
    for action in &actions {
        for fault in [Fault::DropAnswer, Fault::ApplyLater(LATE)] {
            let mut kills = vec![None];
            let mut index = 0;
            while let Some(kill_at) = kills.get(index).copied() {
                stage.house.breaker.set(action, fault.clone(), 1);
                let ended = stage.run(kill_at.as_slice()).await;
                runs += 1;
                let struck_at = stage.house.breaker.struck_at();
                let ended = match (ended, struck_at) {
                    (_, None) => Err("the fault did not strike".to_owned()),
                    (Ok(run), Some(struck_at)) => {
                        if index == 0 {
                            kills.extend(after_loss(&run.points, struck_at).into_iter().map(Some));
                        }
                        run.picture.differs(&quiet.picture)
                    }
                    (Err(why), _) => Err(why),
                };
                if let Err(why) = ended {
                    failed.push(format!("{action} {fault:?}, killed at {kill_at:?}: {why}"));
                }
                index += 1;
            }
        }
    }
    println!(
        "{kind}, answers lost: {} actions, {runs} runs, {:.1} s",
        actions.len(),
        clock.monotonic().saturating_sub(began).as_secs_f64()
    );
    assert!(failed.is_empty(), "{kind}: {} of {runs} runs:\n{}", failed.len(), failed.join("\n\n"));
}

impl Stage {
    /// `None`, said in one visible line, where the cloud has nothing like the scene.
    pub(crate) async fn set(
        under_test: &'static dyn CloudUnderTest,
        scene: impl Fn(&Offer) -> Option<Scene>,
    ) -> Option<Self> {
        Self::set_in(House::new(under_test).await, scene).await
    }

    /// The same of a kind of operation that the matrices try in this run.
    pub(crate) async fn set_to_try(
        under_test: &'static dyn CloudUnderTest,
        scene: impl Fn(&Offer) -> Option<Scene>,
    ) -> Option<Self> {
        Self::set_to_try_in(House::new(under_test).await, scene).await
    }

    /// The same in that house.
    pub(crate) async fn set_to_try_in(house: House, scene: impl Fn(&Offer) -> Option<Scene>) -> Option<Self> {
        let under_test = house.under_test;
        let is_tried = |scene: &Scene| is_long() || under_test.is_tried_shortly(scene.asks.kind());
        let tried = |offer: &Offer| {
            let scene = scene(offer)?;
            if is_tried(&scene) {
                return Some(scene);
            }
            println!("{} is tried in long runs alone", scene.title());
            None
        };
        Self::set_in(house, tried).await
    }

    /// The same in that house.
    pub(crate) async fn set_in(house: House, scene: impl Fn(&Offer) -> Option<Scene>) -> Option<Self> {
        let path = house.path("before");
        let process = house.process(&path, Arc::new(NoKillPoints)).await;
        house.connect(&process).await;
        let Some(mut scene) = scene(&Offer::ask(&house, &process).await) else {
            println!("nothing like this scene is tried at this provider");
            return None;
        };
        let base = scene.set(&house, &process).await;
        let moment = house.moment(process, path).await;
        Some(Self { house, scene, moment, base })
    }

    /// Runs the operation to its end through deaths at these passings, one a life, and judges.
    pub(crate) async fn run(&self, kills: &[usize]) -> Result<Run, String> {
        let path = self.house.go_back(&self.moment, "run");
        let mut points = None;
        for kill_at in kills.iter().copied().map(Some).chain([None]) {
            let switch = Arc::new(KillSwitch::new(kill_at));
            self.house.breaker.watch(&switch);
            let process = self.house.process(&path, Arc::clone(&switch) as _).await;
            let ended = tokio::select! {
                ended = self.live(&process) => Some(ended),
                () = switch.died() => None,
            };
            let passed = points.get_or_insert_with(|| switch.passed()).clone();
            let judged = match ended {
                Some(Ok(operation)) => {
                    let judged = self.judge(&process, &operation).await;
                    Some(judged.map(|picture| (picture, kinds_of_stages(&operation))))
                }
                Some(Err(why)) => Some(Err(why)),
                None => None,
            };
            drop(process.pmks);
            process.store.close().await;
            if let Some(judged) = judged {
                return judged.map(|(picture, stages)| Run { points: passed, stages, picture });
            }
        }
        Err("the last life ended too".to_owned())
    }

    async fn live(&self, process: &Process) -> Result<Operation, String> {
        let asked = self.scene.ask(&self.house, process).await;
        let id = asked.map_err(|failure| format!("not taken on: {failure}"))?;
        self.house.drive(process, id).await
    }

    pub(crate) async fn judge(&self, process: &Process, operation: &Operation) -> Result<Picture, String> {
        self.house.rest().await;
        truth::judge(&self.house, process, &self.scene, &self.base, operation).await?;
        Ok(truth::picture(&self.house, process, operation.id).await)
    }
}

fn kinds_of_stages(operation: &Operation) -> BTreeSet<String> {
    let kind = |specification: &serde_json::Value| specification.get("kind")?.as_str().map(str::to_owned);
    operation.stages.iter().filter_map(|stage| kind(&stage.specification)).collect()
}

/// The points that are died at: around every ask, and of the others an even sample, or all.
fn sample(points: &[String], distinct: &[usize]) -> Vec<usize> {
    if is_long() {
        return distinct.to_vec();
    }
    let asks =
        |point: &String| point.starts_with("engine.ask.") || point.starts_with("engine.remove_failed.");
    let is_ask = |at: &usize| points.get(*at).is_some_and(asks);
    let others: Vec<usize> = distinct.iter().copied().filter(|at| !is_ask(at)).collect();
    let stride = others.len().div_ceil(SAMPLE).max(1);
    let mut chosen: Vec<usize> = distinct.iter().copied().filter(is_ask).collect();
    chosen.extend(others.into_iter().step_by(stride));
    chosen.sort_unstable();
    chosen
}

/// The points that are died at after an answer was lost: the next ones, or all.
fn after_loss(points: &[String], struck_at: usize) -> Vec<usize> {
    let later = distinct(points).into_iter().filter(|at| *at >= struck_at);
    if is_long() { later.collect() } else { later.step_by(3).take(SAMPLE_AFTER_LOSS).collect() }
}

/// Whether everything is run instead of a sample.
pub(crate) fn is_long() -> bool {
    std::env::var("PMKS_LONG").is_ok_and(|value| value == "1")
}
