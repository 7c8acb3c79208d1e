//! One simulated cloud and the processes that live and die before it, all on one virtual clock: hours pass in
//! milliseconds, and everything else (requests over loopback, the store's file, the product's facade) is real.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pmks_conformance::CallLog;
use pmks_core::engine::testing::KillSwitch;
use pmks_core::{Accepted, Caller, Idempotency, Mutation, NewConnection, Options, Pmks, Registry};
use pmks_driver::Environment;
use pmks_model::{Failure, OperationState};
use pmks_simulation::{Cloud, Rule, TimeSource};
use pmks_store::{KillPoints, MasterKey, Operation, Operations as _, SqliteStore, Store};
use pmks_transport::{
    CallFacts, Clock, Effect, Fault, FaultLayer, MemoryRecorder, SystemClock, Transport, VirtualClock,
};
use serde_json::json;
use uuid::Uuid;

use crate::fault_matrix::Reshaper;
use crate::retold::retold;
use crate::world::World;
use crate::{CloudUnderTest, Settings};

/// The one connection.
pub const HERE: &str = "here";

/// More ticks than any operation needs.
const TICKS: usize = 5_000;

/// How long, in real time, nothing may happen before whoever sleeps is woken.
const PATIENCE: Duration = Duration::from_millis(10);

/// In which steps time passes that is not moved by hand.
const STEP: Duration = Duration::from_millis(4);

/// How long everything that an operation set going may take to come to rest.
const REST: Duration = Duration::from_hours(1);

/// The certificates of simulated clusters are made in virtual time and checked in real time: virtual time begins that
/// much earlier and stays behind.
pub(crate) const BEHIND: Duration = Duration::from_hours(48);

/// The world's clock is the process's.
#[derive(Debug)]
pub(crate) struct OneTime(pub(crate) VirtualClock);

impl TimeSource for OneTime {
    fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

/// Time that passes until this is dropped.
pub(crate) struct Flow(tokio::task::JoinHandle<()>);

impl Drop for Flow {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A world with a directory for stores.
pub(crate) struct House {
    pub(crate) under_test: &'static dyn CloudUnderTest,
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) calls: CallLog,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) reshaper: Arc<Reshaper>,
    clock: VirtualClock,
    world: World,
    directory: tempfile::TempDir,
    pace: u32,
    recorder: Option<Arc<MemoryRecorder>>,
}

/// Where an operation begins: the world, our records, and the date.
pub(crate) struct Moment {
    world: serde_json::Value,
    store: PathBuf,
    wall: Timestamp,
}

/// One process.
pub(crate) struct Process {
    pub(crate) pmks: Pmks,
    pub(crate) store: Arc<SqliteStore>,
}

impl House {
    pub(crate) async fn new(under_test: &'static dyn CloudUnderTest) -> Self {
        Self::at_pace(under_test, 1).await
    }

    /// Its cloud works that many times faster than a real one, and its processes wait so much less.
    pub(crate) async fn at_pace(under_test: &'static dyn CloudUnderTest, pace: u32) -> Self {
        let begin = SystemClock.wall().saturating_sub(BEHIND).unwrap();
        let clock = VirtualClock::new(begin);
        let time = Arc::new(OneTime(clock.clone()));
        let settings = Settings { seed: 1, speed: f64::from(pace), time };
        let reshaper = Arc::new(Reshaper::default());
        let world = World::start(under_test, settings, |cloud| retold(cloud, Arc::clone(&reshaper))).await;
        // In memory where the machine has such a folder: thousands of stores wait for no disk.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self {
            under_test,
            cloud: world.cloud(),
            calls: CallLog::default(),
            breaker: Arc::default(),
            reshaper,
            clock,
            world,
            directory,
            pace,
            recorder: None,
        }
    }

    /// What its processes exchange with the cloud is kept there.
    pub(crate) fn recorded(self, recorder: &Arc<MemoryRecorder>) -> Self {
        Self { recorder: Some(Arc::clone(recorder)), ..self }
    }

    /// A process on the store of that name, made if there is none.
    pub(crate) async fn process(&self, path: &Path, kill_points: Arc<dyn KillPoints>) -> Process {
        let key = MasterKey::from_bytes([7; 32]);
        let store = Arc::new(SqliteStore::open(path, key, Arc::clone(&kill_points)).await.unwrap());
        let mut transport = Transport::builder(Arc::new(self.clock.clone()))
            .observer(Arc::new(self.calls.clone()))
            .faults(Arc::clone(&self.breaker) as _);
        if let Some(recorder) = &self.recorder {
            transport = transport.recorder(Arc::clone(recorder) as _);
        }
        let options = Options {
            store: Arc::clone(&store) as Arc<dyn Store>,
            registry: Registry::new([self.under_test.provider()]),
            transport: transport.build(),
            environment: Environment::default(),
            allow_ambient: false,
            allow_endpoints: true,
            unique_cloud_names: false,
            engine: pmks_core::engine::Options::default(),
        };
        let pmks = Pmks::open_with_kill_points(options, kill_points).await.unwrap();
        Process { pmks, store }
    }

    /// The path of a store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.sqlite"))
    }

    /// Gives a process the connection.
    pub(crate) async fn connect(&self, process: &Process) {
        let mut asked = self.cloud.connection(&self.world.url());
        asked["name"] = json!(HERE);
        asked["pace"] = json!(self.pace);
        asked["settings"] = json!(self.under_test.settings());
        let asked: NewConnection = serde_json::from_value(asked).unwrap();
        process.pmks.connections().create(&Caller::local("me"), asked).await.unwrap();
    }

    /// The world and the records of a process, which ends.
    pub(crate) async fn moment(&self, process: Process, path: PathBuf) -> Moment {
        drop(process.pmks);
        process.store.close().await;
        Moment { world: self.cloud.snapshot().unwrap(), store: path, wall: self.clock.wall() }
    }

    /// Changes what is otherwise changed from outside alone.
    pub(crate) fn change_world(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut world = self.cloud.snapshot().unwrap();
        change(&mut world);
        self.cloud.restore(world).unwrap();
    }

    /// Goes back to a moment, with a copy of its store under that name.
    pub(crate) fn go_back(&self, moment: &Moment, name: &str) -> PathBuf {
        let path = self.path(name);
        self.go_back_at(moment, &path);
        path
    }

    /// The same, with a copy of its store there.
    pub(crate) fn go_back_at(&self, moment: &Moment, path: &Path) {
        self.clock.set_wall(moment.wall);
        self.cloud.restore(moment.world.clone()).unwrap();
        self.cloud.controls().calls.clear();
        // A store that was closed may leave what it wrote last in its log.
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (with_suffix(&moment.store, suffix), with_suffix(path, suffix));
            match std::fs::copy(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => drop(std::fs::remove_file(&to)),
                copied => drop(copied.unwrap()),
            }
        }
    }

    /// Lets time pass, for the process and in the world.
    pub(crate) async fn pass(&self, wait: Duration) {
        self.clock.advance(wait);
        self.cloud.settle();
        tokio::task::yield_now().await;
    }

    /// Lets time pass as it does for everybody, from the present date on, as long as what is answered lives: for processes
    /// beside this one.
    pub(crate) fn flow(&self) -> Flow {
        self.present();
        let (clock, cloud) = (self.clock.clone(), Arc::clone(&self.cloud));
        let mut at = SystemClock.monotonic();
        Flow(tokio::spawn(async move {
            loop {
                tokio::time::sleep(STEP).await;
                let now = SystemClock.monotonic();
                clock.advance(now.saturating_sub(at));
                cloud.settle();
                at = now;
            }
        }))
    }

    /// The date becomes the present one.
    pub(crate) fn present(&self) {
        self.clock.set_wall(SystemClock.wall());
    }

    /// A future, run to its end while whoever sleeps on the clock is woken in time.
    pub(crate) async fn run<F: Future>(&self, future: F) -> F::Output {
        self.clock.run(PATIENCE, Box::pin(future)).await
    }

    /// Ticks, and lets time pass to the next tick, until the operation is over or blocked.
    pub(crate) async fn drive(&self, process: &Process, id: Uuid) -> Result<Operation, String> {
        let mut last = None;
        for _ in 0..TICKS {
            let engine = process.pmks.engine();
            self.run(async {
                engine.tick(self.clock.wall()).await.unwrap();
                engine.settle().await;
            })
            .await;
            let operation = process.store.operation(id).await.unwrap().ok_or("the operation is gone")?;
            if operation.state.is_final() || operation.state == OperationState::Blocked {
                return Ok(operation);
            }
            let next = process.store.next_due(None).await.unwrap();
            let next = next.ok_or("nothing is due, and the operation is not over")?;
            last = Some(operation);
            let now = self.clock.wall();
            if next > now {
                self.pass(Duration::try_from(next.duration_since(now)).unwrap()).await;
            }
        }
        Err(format!("the operation does not end: {last:#?}"))
    }

    /// Asks for a mutation as a client does that repeats itself until it is answered.
    pub(crate) async fn accept(
        &self,
        process: &Process,
        mutation: &Mutation,
    ) -> Result<Accepted, Box<Failure>> {
        let idempotency = Idempotency {
            key: "once".to_owned(),
            method: "POST".to_owned(),
            path: mutation.kind().to_string(),
            body_hash: "the same".to_owned(),
        };
        let caller = Caller { idempotency: Some(idempotency), ..Caller::local("me") };
        self.run(process.pmks.accept(&caller, mutation.clone())).await
    }

    /// Asks for the next attempt of a failed operation, as a client does that repeats itself until it is answered.
    pub(crate) async fn retry(&self, process: &Process, id: Uuid) -> Result<Uuid, Box<Failure>> {
        let path = format!("operations/{id}/retry");
        let idempotency = Idempotency {
            key: "again".to_owned(),
            method: "POST".to_owned(),
            path,
            body_hash: String::new(),
        };
        let caller = Caller { idempotency: Some(idempotency), ..Caller::local("me") };
        self.run(process.pmks.operations().retry(&caller, &id.to_string(), None)).await.map(|_| id)
    }

    /// Carries a mutation out whose call the cloud answers well and ends as failed; the operation must fail of it.
    pub(crate) async fn failed(&self, process: &Process, mutation: Mutation, rule: Rule) -> Uuid {
        self.cloud.controls().faults.add(rule);
        let accepted = self.run(process.pmks.accept(&Caller::local("me"), mutation)).await.unwrap();
        let operation = self.drive(process, accepted.operation.id).await.unwrap();
        self.cloud.controls().faults.clear();
        assert_eq!(operation.state, OperationState::Failed, "{operation:#?}");
        operation.id
    }

    /// Carries a mutation out, undisturbed; it must succeed.
    pub(crate) async fn done(&self, process: &Process, mutation: Mutation) {
        let accepted = self.run(process.pmks.accept(&Caller::local("me"), mutation)).await.unwrap();
        let operation = self.drive(process, accepted.operation.id).await.unwrap();
        assert_eq!(operation.state, OperationState::Succeeded, "{operation:#?}");
    }

    /// What nobody waits for (a balancer that is being made) comes to its end.
    pub(crate) async fn rest(&self) {
        self.pass(REST).await;
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(suffix);
    whole.into()
}

/// A fault layer with few rules; it knows how far the process was when one first struck.
#[derive(Default)]
pub(crate) struct Breaker(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    rules: Vec<Striking>,
    switch: Option<Arc<KillSwitch>>,
    struck_at: Option<usize>,
}

/// The next calls, so many, meet a fault.
struct Striking {
    calls: Calls,
    fault: Fault,
    left: usize,
}

/// Which calls meet a fault.
#[derive(Clone, Debug)]
pub(crate) enum Calls {
    /// Those of an action.
    Of(String),
    /// Those to the clusters' own APIs.
    ToClusters,
    /// Those that change something.
    Changing,
}

impl Calls {
    fn are(&self, call: &CallFacts) -> bool {
        match self {
            Self::Of(action) => action == call.action,
            Self::ToClusters => call.action.starts_with("kubernetes."),
            Self::Changing => call.effect != Effect::Read,
        }
    }
}

impl Breaker {
    /// The next calls of the action, so many, meet the fault.
    pub(crate) fn set(&self, action: &str, fault: Fault, left: usize) {
        self.put(vec![(Calls::Of(action.to_owned()), fault, left)]);
    }

    /// These calls, so many, meet these faults.
    pub(crate) fn put(&self, rules: Vec<(Calls, Fault, usize)>) {
        let rules = rules.into_iter().map(|(calls, fault, left)| Striking { calls, fault, left }).collect();
        *self.lock() = Pending { rules, ..Pending::default() };
    }

    /// No call meets it any more; answers whether one did.
    pub(crate) fn clear(&self) -> bool {
        let mut pending = self.lock();
        pending.rules.clear();
        pending.struck_at.is_some()
    }

    /// The points that the present process passes.
    pub(crate) fn watch(&self, switch: &Arc<KillSwitch>) {
        self.lock().switch = Some(Arc::clone(switch));
    }

    /// How many points had been passed when it first struck; `None`: it has not.
    pub(crate) fn struck_at(&self) -> Option<usize> {
        self.lock().struck_at
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultLayer for Breaker {
    fn fault(&self, call: &CallFacts) -> Fault {
        let mut pending = self.lock();
        let Pending { rules, switch, struck_at } = &mut *pending;
        match rules.iter_mut().find(|rule| rule.left > 0 && rule.calls.are(call)) {
            Some(rule) => {
                rule.left -= 1;
                struck_at.get_or_insert_with(|| switch.as_ref().map_or(0, |switch| switch.passed().len()));
                rule.fault.clone()
            }
            None => Fault::Pass,
        }
    }
}
