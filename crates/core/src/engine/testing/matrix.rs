//! Lives, deaths and the comparison at the end.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pmks_model::OperationState;
use pmks_store::{Accept, MasterKey, Operation, Operations as _, SqliteStore, Store};
use pmks_transport::Clock;

use super::KillSwitch;
use crate::engine::{Drivers, Engine, Hooks, Options};

/// More ticks than any operation needs.
const TICKS: usize = 20_000;

/// One operation on one fresh cloud. It outlives the deaths of the process.
#[async_trait]
pub trait Scene: Send + Sync {
    /// The clock of the process.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Lets that time pass, in the process and at the cloud.
    async fn pass(&self, wait: Duration);

    /// Drivers as a new process makes them.
    fn drivers(&self) -> Arc<dyn Drivers>;

    /// Hooks as a new process makes them.
    fn hooks(&self, store: Arc<dyn Store>) -> Arc<dyn Hooks>;

    /// Puts in place what the operation needs: connections and records. Called once, in the first life, unkilled.
    async fn set(&self, store: &Arc<dyn Store>);

    /// The operation that is asked for. Called in every life, as a client repeats a request whose answer it did not
    /// get: it must carry the same idempotency key and identifiers each time.
    async fn asks(&self, store: &dyn Store) -> Accept;

    /// Whether the store and the cloud's ground truth agree: nothing orphaned, nothing doubled.
    ///
    /// # Errors
    /// What does not agree, for people.
    async fn judge(&self, store: &dyn Store, operation: &Operation) -> Result<(), String>;
}

/// What a matrix went through.
#[derive(Debug)]
pub struct Report {
    /// The points of the way that nobody disturbed.
    pub points: Vec<String>,
    /// The passings at which it died, and what came of it was right.
    pub deaths: Vec<usize>,
}

/// Runs the operation once undisturbed, then once for every point of that way with a death there (and another soon
/// after it, in the second life), the process being down for `downtime` each time. Of points that are not beside an
/// ask only each `stride`th is taken. Every run begins with a fresh scene and a store of its own in `directory`.
///
/// # Errors
/// The first run whose end does not agree with the ground truth, naming its point.
pub async fn kill_matrix<S, F>(
    directory: &Path,
    downtime: Duration,
    stride: usize,
    scene: impl Fn() -> F,
) -> Result<Report, String>
where
    S: Scene,
    F: Future<Output = S>,
{
    let quiet = scene().await;
    let points = survive(&quiet, &directory.join("undisturbed.sqlite"), &[], downtime).await?;
    let deaths = sampled(&points, &distinct(&points), stride);
    for at in &deaths {
        let path = directory.join(format!("{at}.sqlite"));
        // Twice: the second life ends a few points after its start, where it takes up what the first one left.
        let kills = [*at, 3 + at % 11];
        let point = points.get(*at).map_or("", String::as_str);
        survive(&scene().await, &path, &kills, downtime)
            .await
            .map_err(|why| format!("killed at passing {at} ({point}), then at {}: {why}", kills[1]))?;
    }
    Ok(Report { points, deaths })
}

/// Every `stride`th of these passings, and all that stand beside an ask: the write before it, the call itself, the
/// write after it.
pub fn sampled(points: &[String], passings: &[usize], stride: usize) -> Vec<usize> {
    let beside_an_ask = |at: usize| {
        points.iter().enumerate().skip(at.saturating_sub(14)).take(29).any(|(near, point)| {
            let asks = point.starts_with("engine.ask.") || point.starts_with("engine.remove_failed.");
            // Stages that run at once pass their points between each other's: only what the ask's own are counts.
            asks && points.get(at).is_some_and(|own| near == at || own.starts_with("store.record."))
        })
    };
    let every = |place: usize| place.is_multiple_of(stride.max(1));
    let taken = passings.iter().enumerate().filter(|(place, at)| every(*place) || beside_an_ask(**at));
    taken.map(|(_, at)| *at).collect()
}

impl Report {
    /// How often it died at a point of that name.
    pub fn died_at(&self, point: &str) -> usize {
        self.deaths.iter().filter(|at| self.points.get(**at).is_some_and(|passed| passed == point)).count()
    }
}

/// The passings after which the world stands differently: between two writes, a wait that only looks again is the
/// same wait however often.
pub fn distinct(points: &[String]) -> Vec<usize> {
    let mut writes = 0;
    let mut seen = HashMap::new();
    let mut distinct = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let times = seen.entry((writes, point)).or_insert(0);
        *times += 1;
        let waits = point.starts_with("store.claim.") || point.starts_with("store.release.");
        // Two stages may be called at once: the second passing may be the other's.
        if *times == 1 || (*times == 2 && !waits) {
            distinct.push(at);
        }
        let commits = point.starts_with("store.group.");
        if point.starts_with("store.") && point.rsplit('.').next() == Some("after") && !waits && !commits {
            writes += 1;
        }
    }
    distinct
}

/// Runs one operation to its end through deaths at these passings, one a life, and answers the points of its first
/// life.
///
/// # Errors
/// What does not agree with the ground truth, or that the operation does not end.
pub async fn survive(
    scene: &dyn Scene,
    path: &Path,
    kills: &[usize],
    downtime: Duration,
) -> Result<Vec<String>, String> {
    let first = open(path, None).await?;
    let store: Arc<dyn Store> = Arc::clone(&first.0) as _;
    scene.set(&store).await;
    first.0.close().await;
    let mut points = None;
    for kill_at in kills.iter().copied().map(Some).chain([None]) {
        let (store, switch) = open(path, kill_at).await?;
        let ended = {
            let life = live(scene, Arc::clone(&store), Arc::clone(&switch));
            tokio::select! {
                ended = life => Some(ended),
                () = switch.died() => None,
            }
        };
        points.get_or_insert_with(|| switch.passed());
        let judged = match ended {
            Some(Ok(operation)) => Some(scene.judge(&*store, &operation).await),
            Some(Err(why)) => Some(Err(why)),
            None => None,
        };
        store.close().await;
        match judged {
            Some(Ok(())) => return Ok(points.unwrap_or_default()),
            Some(Err(why)) => return Err(why),
            None => scene.pass(downtime).await,
        }
    }
    Err("the last life ended too".to_owned())
}

async fn open(path: &Path, kill_at: Option<usize>) -> Result<(Arc<SqliteStore>, Arc<KillSwitch>), String> {
    let switch = Arc::new(KillSwitch::new(kill_at));
    let key = MasterKey::from_bytes([7; 32]);
    match SqliteStore::open(path, key, Arc::clone(&switch) as _).await {
        Ok(store) => Ok((Arc::new(store), switch)),
        Err(error) => Err(pmks_driver::chain(&error)),
    }
}

async fn live(
    scene: &dyn Scene,
    store: Arc<SqliteStore>,
    switch: Arc<KillSwitch>,
) -> Result<Operation, String> {
    let accept = scene.asks(&*store).await;
    let accepted = store.accept(accept).await.map_err(|error| pmks_driver::chain(&error))?;
    let id = accepted.operation().id;
    let store: Arc<dyn Store> = store;
    let hooks = scene.hooks(Arc::clone(&store));
    let engine = Engine::with_kill_points(
        Arc::clone(&store),
        scene.clock(),
        scene.drivers(),
        hooks,
        Options::default(),
        switch,
    );
    drive(scene, &engine, &*store, id).await
}

/// Ticks, and lets time pass to the next tick, until the operation is over or blocked.
///
/// # Errors
/// That it never is.
pub async fn drive(
    scene: &dyn Scene,
    engine: &Engine,
    store: &dyn Store,
    id: uuid::Uuid,
) -> Result<Operation, String> {
    let clock = scene.clock();
    for _ in 0..TICKS {
        let failed = |error: pmks_store::Error| pmks_driver::chain(&error);
        engine.tick(clock.wall()).await.map_err(failed)?;
        engine.settle().await;
        let operation = store.operation(id).await.map_err(failed)?;
        let operation = operation.ok_or("the operation is gone")?;
        if operation.state.is_final() || operation.state == OperationState::Blocked {
            return Ok(operation);
        }
        let next = store.next_due(None).await.map_err(failed)?;
        let next: Timestamp = next.ok_or("nothing is due, and the operation is not over")?;
        let now = clock.wall();
        if next > now {
            scene.pass(Duration::try_from(next.duration_since(now)).unwrap_or_default()).await;
        }
    }
    Err("the operation does not end".to_owned())
}
