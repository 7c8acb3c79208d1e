//! Figures before anything is made: the cases run on simulated clouds of the same provider, each in a world of its own,
//! in virtual time at the real cloud's pace. What is counted and measured is what the real run would do, but for what a
//! real cloud does otherwise than its simulation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use pmks_conformance::{Case, Forgetful, Journal, Verdict};
use pmks_driver::ConnectionSpecification;
use pmks_model::FailureKind;
#[cfg(test)]
use pmks_simulation::Cloud;
use pmks_simulation::{RunningCloud, TimeSource};
use pmks_transport::{CallFacts, CallObserver, Clock, Outcome, SystemClock, VirtualClock};
use serde_json::{Value, json};

use super::connection::{Place, Surroundings};
use super::of_cloud;
use super::outcome::Figures;
use crate::error::{Error, Result};
use crate::output;
use crate::registry::{self, Entry, Simulated};

/// Certificates of simulated clusters are made in virtual time and checked in real time: virtual time begins that much
/// earlier and stays behind.
const BEHIND: Duration = Duration::from_hours(72);

/// How long nothing may happen before whoever sleeps is woken.
const STILL: Duration = Duration::from_millis(1);

/// A case as it was rehearsed.
pub(crate) struct Rehearsed {
    /// The case.
    pub(crate) case: &'static Case,
    /// What it took.
    pub(crate) figures: Figures,
    /// Why it would be skipped, or what went wrong.
    pub(crate) says: String,
}

impl Rehearsed {
    /// As a row of a table.
    pub(crate) fn row(&self) -> Value {
        json!({
            "name": self.case.name,
            "seconds": self.figures.seconds,
            "calls": self.figures.calls,
            "made": self.figures.made,
            "madeSays": self.figures.made_says(),
            "note": self.says,
        })
    }
}

/// Rehearses all of them at once, by a connection that names a zone or none: where none is named, a cluster may span
/// several, and has as many more nodes.
///
/// # Errors
/// For a provider without a simulated cloud, or one that cannot be served.
pub(crate) async fn rehearse(
    provider: &str,
    names_zone: bool,
    cases: &[&'static Case],
) -> Result<Vec<Rehearsed>> {
    let entry = registry::named(&[provider.to_owned()])?;
    let entry = *entry.first().ok_or_else(|| Error::new(FailureKind::NotFound, "no such cloud"))?;
    let count = cases.len();
    output::note(&format!("rehearsing {count} cases on a simulated cloud: some minutes for all of them"));
    let mut tasks = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let seed = u64::try_from(index).unwrap_or(0) + 1;
        tasks.push(tokio::spawn(one(entry, names_zone, case, seed)));
    }
    let mut rehearsed = Vec::with_capacity(cases.len());
    for task in tasks {
        let ended = task.await.map_err(|error| {
            Error::new(FailureKind::Unexpected, format!("the rehearsal ended abnormally: {error}"))
        })?;
        rehearsed.push(ended?);
    }
    Ok(rehearsed)
}

async fn one(entry: &'static Entry, names_zone: bool, case: &'static Case, seed: u64) -> Result<Rehearsed> {
    let mut world = World::begin(entry, seed).await?;
    if !names_zone {
        world.place.specification.zone = None;
    }
    let journal = Journal::new(Arc::new(Forgetful));
    let around = world.around(Vec::new());
    let ended = world
        .run(async {
            let rigged = world.place.rig(&around, &journal).await.map_err(|error| of_cloud(&error))?;
            let time = &around.clock;
            let began = time.monotonic();
            let says = match pmks_conformance::run(case, &rigged.rig).await {
                Ok(Verdict::Passed) => String::new(),
                Ok(Verdict::Skipped(why)) => format!("skipped: {why}"),
                Err(failed) => format!("fails in the rehearsal: {failed}"),
            };
            let figures = Figures {
                seconds: time.monotonic().saturating_sub(began).as_secs(),
                calls: rigged.calls(),
                made: journal.made(),
            };
            Ok(Rehearsed { case, figures, says })
        })
        .await;
    world.running.stop().await;
    ended
}

/// A simulated cloud in virtual time, and the connection to it.
pub(super) struct World {
    /// The connection.
    pub(super) place: Place,
    /// The simulated cloud.
    #[cfg(test)]
    pub(super) cloud: Arc<dyn Cloud>,
    time: OneTime,
    under_way: Arc<UnderWay>,
    running: RunningCloud,
}

impl World {
    /// A fresh one.
    ///
    /// # Errors
    /// When it cannot be served.
    pub(super) async fn begin(entry: &Entry, seed: u64) -> Result<Self> {
        let begin = SystemClock.wall().saturating_sub(BEHIND).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = OneTime(VirtualClock::new(begin));
        let cloud = entry.simulated(Simulated { speed: 1.0, seed, time: Arc::new(time.clone()) });
        let running = pmks_simulation::serve(Arc::clone(&cloud), 0).await.map_err(|error| {
            Error::new(FailureKind::Unavailable, format!("the rehearsal: {}", pmks_driver::chain(&error)))
        })?;
        let place = Place::of(entry.name, specification(&cloud.connection(&running.url()))?)?;
        Ok(Self {
            place,
            #[cfg(test)]
            cloud,
            time,
            under_way: Arc::default(),
            running,
        })
    }

    /// What rigs in it live by.
    pub(super) fn around(&self, mut observers: Vec<Arc<dyn CallObserver>>) -> Surroundings {
        observers.insert(0, Arc::clone(&self.under_way) as _);
        Surroundings { clock: Arc::new(self.time.clone()), observers, recorders: Vec::new() }
    }

    /// Runs `future` to its end, in virtual time.
    pub(super) async fn run<F: Future>(&self, future: F) -> F::Output {
        run_on(&self.time.0, &self.under_way, future).await
    }
}

/// Runs `future` to its end, moving the clock to the next sleeper whenever no call is under way and nothing else
/// happens.
async fn run_on<F: Future>(clock: &VirtualClock, under_way: &UnderWay, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            biased;
            output = &mut future => return output,
            () = SystemClock.sleep(STILL) => {}
        }
        if let (0, Some(wait)) = (under_way.0.load(Ordering::Relaxed), clock.next_wake()) {
            clock.advance(wait);
        }
    }
}

/// What the simulated cloud offers, as a connection to the real one's pace.
fn specification(offered: &Value) -> Result<ConnectionSpecification> {
    let text = |key: &str| offered.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let given = |key: &str| offered.get(key).cloned().unwrap_or_default();
    let whole = json!({
        "name": "rehearsal",
        "region": text("region"),
        "zone": Some(text("zone")).filter(|zone| !zone.is_empty()),
        "credential": given("credential"),
        "endpoints": given("endpoints"),
        "caCertificate": given("caCertificate"),
        "settings": offered.get("settings").cloned().unwrap_or_else(|| json!({})),
        "pace": 1,
    });
    serde_json::from_value(whole).map_err(|error| {
        Error::new(FailureKind::Unexpected, format!("the simulated cloud offers no connection: {error}"))
    })
}

/// One virtual time for the program and the world.
#[derive(Clone, Debug)]
struct OneTime(VirtualClock);

impl TimeSource for OneTime {
    fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        Clock::monotonic(&self.0)
    }
}

impl Clock for OneTime {
    fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        Clock::monotonic(&self.0)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }

    fn deadline(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.deadline(duration)
    }
}

/// How many calls are under way.
#[derive(Debug, Default)]
struct UnderWay(AtomicUsize);

#[async_trait]
impl CallObserver for UnderWay {
    async fn before(&self, _call: &CallFacts) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    async fn after(&self, call: &CallFacts, _outcome: Outcome) {
        self.abandoned(call);
    }

    fn abandoned(&self, _call: &CallFacts) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
