//! A run that is cut off at any change leaves nothing behind once it was swept, whichever cloud it was.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pmks_conformance::{CASES, Entry, Journal, Left, Sink, Verdict};
use pmks_simulation::Rule;
use pmks_transport::{CallFacts, CallObserver, Effect, Outcome};
use tokio::sync::Notify;

use super::rehearsal::World;
use crate::registry::CLOUDS;

/// Keeps lines as a file would.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Sink for Lines {
    fn keep(&self, entry: &Entry, _lasting: bool) -> Result<(), String> {
        let line = serde_json::to_string(entry).map_err(|error| error.to_string())?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Ok(())
    }
}

impl Lines {
    fn read(&self) -> Vec<Entry> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Ends the process, as it were, at the so-many-th change: before it is sent, or once it is applied.
struct Death {
    at: usize,
    before: bool,
    seen: AtomicUsize,
    died: Notify,
    last: Mutex<String>,
}

impl Death {
    fn at(at: usize, before: bool) -> Arc<Self> {
        let (seen, died, last) = (AtomicUsize::new(0), Notify::new(), Mutex::default());
        Arc::new(Self { at, before, seen, died, last })
    }

    async fn die(&self) {
        self.died.notify_one();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl CallObserver for Death {
    async fn before(&self, call: &CallFacts) {
        if call.effect == Effect::Read {
            return;
        }
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if seen == self.at {
            call.action.clone_into(&mut self.last.lock().unwrap());
            if self.before {
                self.die().await;
            }
        }
    }

    async fn after(&self, call: &CallFacts, _outcome: Outcome) {
        if call.effect != Effect::Read && self.seen.load(Ordering::Relaxed) == self.at && !self.before {
            self.die().await;
        }
    }
}

fn truth(world: &World) -> BTreeSet<(String, String)> {
    world.cloud.settle();
    let rows = world.cloud.resources().into_iter();
    // A terminated machine is still listed for an hour.
    rows.filter(|row| row.state != "terminated").map(|row| (row.kind, row.id)).collect()
}

/// Dies at every `step`-th change of a case in turn, before it or after another one; answers how many there are.
async fn deaths(cloud: &'static crate::registry::Entry, name: &str, before: bool, step: usize) -> usize {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let world = World::begin(cloud, 7).await.unwrap();
    let run = async |death: &Arc<Death>, lines: &Arc<Lines>| {
        let journal = Journal::new(Arc::clone(lines) as _);
        let around = world.around(vec![Arc::clone(death) as _]);
        world
            .run(async {
                let rigged = world.place.rig(&around, &journal).await.unwrap();
                tokio::select! {
                    ended = pmks_conformance::run(case, &rigged.rig) => Some(ended),
                    () = death.died.notified() => None,
                }
            })
            .await
    };
    // Once undisturbed: what is there then are the prerequisites, which stay.
    let never = Death::at(usize::MAX, true);
    let ended = run(&never, &Arc::default()).await;
    assert_eq!(ended, Some(Ok(Verdict::Passed)), "{} {name}", cloud.name);
    let kept = truth(&world);
    let mut failed = Vec::new();
    let mut at = if before { 1 } else { 2 };
    loop {
        let (death, lines) = (Death::at(at, before), Arc::new(Lines::default()));
        if let Some(ended) = run(&death, &lines).await {
            assert_eq!(ended, Ok(Verdict::Passed), "{} {name}, past its last change", cloud.name);
            break;
        }
        let journal = Journal::of(lines.read(), Arc::clone(&lines) as _);
        let around = world.around(Vec::new());
        let left = world
            .run(async {
                let rigged = world.place.rig(&around, &journal).await.unwrap();
                pmks_conformance::sweep(&rigged.rig, &journal.begun()).await
            })
            .await;
        let remains: Vec<_> = truth(&world).difference(&kept).cloned().collect();
        if !left.is_empty() || !remains.is_empty() {
            let action = death.last.lock().unwrap().clone();
            failed.push(format!("change {at} ({action}): left {left:?}, at the cloud {remains:?}"));
            // What is left stands in the way of every later run.
            break;
        }
        at += step;
    }
    let when = if before { "before" } else { "after" };
    assert!(failed.is_empty(), "{} {name}, died {when} a change:\n{}", cloud.name, failed.join("\n"));
    at - 1
}

/// Changes of a whole cluster with its network, security group and key pair, made and removed.
/// With a step of 1 it is every change, before and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_cuts_a_run_off_nothing_is_left() {
    for cloud in CLOUDS {
        let name = "a_cluster_with_node_groups_comes_and_goes";
        let (before, after) = tokio::join!(deaths(cloud, name, true, 4), deaths(cloud, name, false, 4));
        assert!(before > 5 && after > 5, "{}: {before} and {after} changes", cloud.name);
        let subnets = "subnets_come_and_go";
        let (before, after) = tokio::join!(deaths(cloud, subnets, true, 2), deaths(cloud, subnets, false, 2));
        assert!(before > 3 && after > 3, "{}: {before} and {after} changes", cloud.name);
    }
}

/// Whatever removal is denied, from the first time on, is named as long as it stands, and goes once it is allowed:
/// although what removed the rest has ended by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_denied_is_named_and_tried_again() {
    let case = CASES.iter().find(|case| case.name == "a_cluster_with_node_groups_comes_and_goes").unwrap();
    for cloud in CLOUDS {
        let world = World::begin(cloud, 11).await.unwrap();
        let run = async |lines: &Arc<Lines>| {
            let journal = Journal::new(Arc::clone(lines) as _);
            let around = world.around(Vec::new());
            let rigged = world.run(world.place.rig(&around, &journal)).await.unwrap();
            world.run(pmks_conformance::run(case, &rigged.rig)).await
        };
        let swept = async |lines: &Arc<Lines>| {
            let journal = Journal::of(lines.read(), Arc::clone(lines) as _);
            let around = world.around(Vec::new());
            let rigged = world.run(world.place.rig(&around, &journal)).await.unwrap();
            world.run(pmks_conformance::sweep(&rigged.rig, &journal.begun())).await
        };
        assert_eq!(run(&Arc::default()).await, Ok(Verdict::Passed), "{}", cloud.name);
        let kept = truth(&world);
        let controls = world.cloud.controls();
        let called = controls.calls.records().into_iter().map(|call| (call.service, call.action));
        let removals: BTreeSet<(String, String)> = called
            .filter(|(_, action)| {
                let action = action.to_lowercase();
                ["delete", "detach", "release"].iter().any(|word| action.contains(word))
            })
            .collect();
        assert!(removals.len() > 3, "{}: {removals:?}", cloud.name);
        for (service, action) in removals {
            let denied = format!("{} without {service} {action}", cloud.name);
            controls.faults.put(vec![Rule::new(&service, &action, pmks_simulation::Effect::Deny)]);
            let lines = Arc::new(Lines::default());
            let ended = run(&lines).await;
            assert!(ended.is_err(), "{denied}: {ended:?}");
            let left = swept(&lines).await;
            let stands: Vec<_> = truth(&world).difference(&kept).cloned().collect();
            assert_eq!(left.is_empty(), stands.is_empty(), "{denied}: {left:?}, {stands:?}");
            let whole = |one: &Left| !one.kind.is_empty() && !one.system_id.is_empty();
            assert!(left.iter().all(|one| whole(one) && one.reason.len() > 20), "{denied}: {left:?}");
            controls.faults.clear();
            let left = swept(&lines).await;
            let stands: Vec<_> = truth(&world).difference(&kept).cloned().collect();
            assert!(left.is_empty() && stands.is_empty(), "{denied}, allowed: {left:?}, {stands:?}");
        }
    }
}
