//! Wall clocks that are set, and two processes on one file: neither makes anything twice, and neither ages anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{ErrorKind, Identity};
use pmks_model::{OperationKind, OperationState};
use pmks_store::{MasterKey, NoKillPoints, Operations as _, SqliteStore, Store};
use pmks_transport::{Clock, VirtualClock};

use super::cloud::{Cloud, Fault};
use super::driver::makes;
use super::rig::{MARK, Rig, Set, creation, plans};
use crate::engine::testing::Scene as _;
use crate::engine::{Engine, Options};

const CREATE: OperationKind = OperationKind::ClusterCreate;

async fn rig() -> Rig {
    Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, creation())]))).await
}

fn set_forward(rig: &Rig, time: Duration) {
    rig.cloud().clock.set_wall(rig.set.now().saturating_add(time).unwrap());
}

#[tokio::test]
async fn a_clock_that_is_set_forward_makes_nothing_surely_absent() {
    let plan = vec![makes("group", "a", MARK, Identity::Tag)];
    for late in [5, 50] {
        let rig = Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, plan.clone())]))).await;
        rig.cloud().rule("ask", "a", 1, Fault::LostLate(Duration::from_secs(late)));
        rig.accept(CREATE, 1).await;
        rig.run_for(Duration::from_millis(1)).await;
        assert_eq!(rig.cloud().calls("ask a"), 1);
        set_forward(&rig, Duration::from_hours(5));
        assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
        rig.cloud().in_the_end();
        assert_eq!(rig.cloud().ever_made("group", "a"), 1, "late by {late} s");
    }
}

#[tokio::test]
async fn nor_does_one_that_is_set_forward_while_the_process_is_dead() {
    let plan = vec![makes("group", "a", MARK, Identity::Tag)];
    let rig = Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, plan)]))).await;
    rig.cloud().rule("ask", "a", 1, Fault::LostLate(Duration::from_secs(50)));
    rig.accept(CREATE, 1).await;
    rig.run_for(Duration::from_millis(1)).await;
    set_forward(&rig, Duration::from_hours(5));
    let rig = rig.again();
    assert_eq!(rig.run(1).await.state, OperationState::Succeeded);
    rig.cloud().in_the_end();
    assert_eq!(rig.cloud().ever_made("group", "a"), 1);
}

#[tokio::test]
async fn a_clock_that_is_set_forward_ages_no_deadline() {
    let rig = rig().await;
    for (call, name) in [("prepare", ""), ("look", "r"), ("poll", "k"), ("look", "b")] {
        rig.cloud().rule(call, name, 1, Fault::ClockSet(SignedDuration::from_hours(7)));
    }
    rig.accept(CREATE, 1).await;
    rig.run_for(Duration::from_secs(20)).await;
    set_forward(&rig, Duration::from_hours(7));
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(rig.cloud().in_the_end().len(), 5);
}

#[tokio::test]
async fn a_clock_that_steps_back_and_forth_makes_nothing_twice_and_ends_nothing_early() {
    const HOURS: [i64; 6] = [5, -9, 2, -1, 7, -4];
    for lost in ["r", "x", "k", "a"] {
        let rig = rig().await;
        rig.cloud().rule("ask", lost, 1, Fault::LostLate(Duration::from_secs(20)));
        rig.accept(CREATE, 1).await;
        for hours in HOURS.into_iter().cycle().take(60) {
            rig.run_for(Duration::from_secs(3)).await;
            let step = SignedDuration::from_hours(hours);
            rig.cloud().clock.set_wall(rig.set.now().checked_add(step).unwrap());
        }
        let ended = rig.run(1).await;
        assert_eq!(ended.state, OperationState::Succeeded, "{lost}: {:?}", ended.error);
        rig.set.judge(&*rig.store, &ended).await.unwrap();
    }
}

/// How many seconds a creation takes whose clock is set back by that much after its first ones.
async fn seconds_of_a_creation(back: Duration) -> u32 {
    let rig = rig().await;
    rig.accept(CREATE, 1).await;
    for second in 0..3_600 {
        if second == 10 {
            rig.cloud().clock.set_wall(rig.set.now().saturating_sub(back).unwrap());
        }
        rig.engine.tick(rig.set.now()).await.unwrap();
        rig.engine.settle().await;
        if rig.operation(1).await.state == OperationState::Succeeded {
            return second;
        }
        rig.set.pass(Duration::from_secs(1)).await;
    }
    panic!("it does not end: {:#?}", rig.operation(1).await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_minutes_delays_nothing() {
    let undisturbed = seconds_of_a_creation(Duration::ZERO).await;
    assert!(undisturbed > 12, "the clock is set while it is under way: {undisturbed} s");
    for minutes in [1, 9] {
        let taken = seconds_of_a_creation(Duration::from_mins(minutes)).await;
        assert!(taken <= undisturbed + 2, "{taken} s instead of {undisturbed} s, set back by {minutes} min");
    }
}

#[tokio::test]
async fn a_clock_that_stood_behind_when_a_stage_began_ages_no_deadline_when_it_is_set_right() {
    let rig = rig().await;
    let behind = rig.set.now().checked_sub(SignedDuration::from_hours(9_000)).unwrap();
    rig.cloud().clock.set_wall(behind);
    rig.cloud().rule("poll", "k", 1, Fault::ClockSet(SignedDuration::from_hours(9_000)));
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
}

#[tokio::test]
async fn a_clock_that_is_set_back_before_a_stage_begins_ages_no_deadline() {
    for (call, name) in [("prepare", ""), ("look", "r"), ("poll", "k")] {
        let rig = rig().await;
        rig.cloud().rule(call, name, 1, Fault::ClockSet(SignedDuration::from_hours(-9_000)));
        rig.accept(CREATE, 1).await;
        let ended = rig.run(1).await;
        assert_eq!(ended.state, OperationState::Succeeded, "{call} {name}: {:?}", ended.error);
    }
}

/// The cloud's clock as a process reads it: after so many looks it is set forward, once, before the next one.
#[derive(Debug)]
struct SetBetween {
    clock: VirtualClock,
    after: usize,
    looks: AtomicUsize,
}

/// Further than the deadline of any stage, and than a cloud may be busy.
const FORWARD: SignedDuration = SignedDuration::from_hours(9_000);

impl Clock for SetBetween {
    fn wall(&self) -> Timestamp {
        let shown = self.clock.wall();
        if self.looks.fetch_add(1, Ordering::Relaxed) == self.after {
            self.clock.set_wall(shown.checked_add(FORWARD).unwrap());
        }
        shown
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }
}

/// How often a creation of one thing looks at the clock until it is over, at a cloud that is busy at first. The clock is
/// set after that many looks.
async fn looks_of_a_creation(after: usize) -> usize {
    let plan = vec![makes("group", "a", MARK, Identity::Token { lifetime_seconds: 24 * 3600 })];
    let rig = Rig::new(Set::new(Cloud::new(), CREATE, plans([(CREATE, plan)]))).await;
    rig.cloud().rule("ask", "a", 1, Fault::Refused(ErrorKind::Conflict { by: "another".into() }));
    let clock = Arc::new(SetBetween { clock: rig.cloud().clock.clone(), after, looks: AtomicUsize::new(0) });
    let rig = rig.by(Arc::clone(&clock) as _);
    rig.accept(CREATE, 1).await;
    let ended = rig.run(1).await;
    assert_eq!(ended.state, OperationState::Succeeded, "set after look {after}: {:?}", ended.error);
    assert_eq!(rig.cloud().ever_made("group", "a"), 1, "set after look {after}");
    clock.looks.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_clock_that_is_set_between_any_two_looks_at_it_ages_nothing() {
    let undisturbed = looks_of_a_creation(usize::MAX).await;
    for after in 0..undisturbed {
        looks_of_a_creation(after).await;
    }
}

#[tokio::test]
async fn what_is_at_work_is_not_begun_again_when_the_clock_is_set() {
    let rig = rig().await;
    let mut slow = rig.set.accept(CREATE, 1);
    slow.operation.resource.connection = "slow".into();
    rig.store.accept(slow).await.unwrap();
    rig.engine.tick(rig.set.now()).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(rig.cloud().calls("connected"), 1);
    set_forward(&rig, Duration::from_hours(2));
    rig.engine.tick(rig.set.now()).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(rig.cloud().calls("connected"), 1);
}

#[tokio::test]
async fn two_processes_on_one_file_make_everything_once() {
    let directory = tempfile::tempdir().unwrap();
    let set = Set::new(Cloud::new(), CREATE, plans([(CREATE, creation())]));
    set.cloud.rule("ask", "a", 1, Fault::LostLate(Duration::from_secs(40)));
    let mut processes = Vec::new();
    for number in 0..2 {
        let key = MasterKey::from_bytes([7; 32]);
        let path = directory.path().join("s.sqlite");
        let store = Arc::new(SqliteStore::open(&path, key, Arc::new(NoKillPoints)).await.unwrap());
        if number == 0 {
            set.set(&(Arc::clone(&store) as Arc<dyn Store>)).await;
            store.accept(set.accept(CREATE, 1)).await.unwrap();
        }
        let shared: Arc<dyn Store> = Arc::clone(&store) as _;
        let hooks = set.hooks(Arc::clone(&shared));
        processes.push((store, Engine::new(shared, set.clock(), set.drivers(), hooks, Options::default())));
    }
    for _ in 0..400 {
        let (first, second) = (&processes[0], &processes[1]);
        let (one, two) = tokio::join!(first.1.tick(set.now()), second.1.tick(set.now()));
        one.unwrap();
        two.unwrap();
        tokio::join!(first.1.settle(), second.1.settle());
        set.pass(Duration::from_secs(1)).await;
    }
    let ended = processes[0].0.operation(uuid::Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    set.judge(&*processes[1].0, &ended).await.unwrap();
}
