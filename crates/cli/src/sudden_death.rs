//! Where the program dies, for the tests that kill it: built with debug assertions, it is ended by SIGKILL at a point of
//! its store or engine that `PMKS_DIE_AT` names. A released program has none of this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pmks_driver::Environment;
use pmks_store::{KillPoints, NoKillPoints};
use rustix::process::{Signal, getpid, kill_process};

/// The points that the program passes: `PMKS_DIE_AT=store.accept.after#2` ends it at its second passing of that one.
pub(crate) fn kill_points(environment: &Environment) -> Arc<dyn KillPoints> {
    match environment.get("PMKS_DIE_AT").and_then(|text| text.split_once('#')) {
        Some((point, time)) if cfg!(debug_assertions) => Arc::new(SuddenDeath {
            point: point.to_owned(),
            left: AtomicUsize::new(time.parse().unwrap_or(1)),
        }),
        _ => Arc::new(NoKillPoints),
    }
}

/// Kills the process when the point has been passed so often.
#[derive(Debug)]
struct SuddenDeath {
    point: String,
    left: AtomicUsize,
}

#[async_trait]
impl KillPoints for SuddenDeath {
    async fn at(&self, point: &str) {
        if point == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Nothing is run after it, no destructor and no other task.
            let _ = kill_process(getpid(), Signal::KILL);
            std::future::pending::<()>().await;
        }
    }
}
