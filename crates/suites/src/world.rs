//! How every suite begins a simulated cloud: on a port of its own, with a record of what is exchanged, which is held
//! against what the vendor publishes when the cloud ends.

use std::sync::Arc;

use pmks_simulation::{Cloud, RunningCloud, serve};

use crate::schema_gate::Judge;
use crate::{CloudUnderTest, Settings};

/// A simulated cloud that is served. Its end is the end of a test, which fails where an exchange is in no contract.
pub(crate) struct World {
    cloud: Arc<dyn Cloud>,
    running: Option<RunningCloud>,
    judge: Option<Arc<Judge>>,
    test: String,
}

impl World {
    /// Serves a fresh one, with something before it.
    pub(crate) async fn start(
        under_test: &dyn CloudUnderTest,
        settings: Settings,
        before: impl FnOnce(Arc<dyn Cloud>) -> Arc<dyn Cloud>,
    ) -> Self {
        let cloud = before(under_test.cloud(settings));
        let judge = Judge::of(under_test);
        if let Some(judge) = &judge {
            cloud.controls().exchanges.keep(Arc::clone(&judge.seen));
        }
        let running = Some(serve(Arc::clone(&cloud), 0).await.expect("a loopback port"));
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        Self { cloud, running, judge, test }
    }

    /// The world.
    pub(crate) fn cloud(&self) -> Arc<dyn Cloud> {
        Arc::clone(&self.cloud)
    }

    /// Where it is served.
    pub(crate) fn running(&self) -> &RunningCloud {
        self.running.as_ref().expect("it is served until it ends")
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.running().url()
    }

    /// Ends it, and waits until it does nothing any more.
    pub(crate) async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let Some(judge) = &self.judge else { return };
        let (exchanges, count) = self.cloud.controls().exchanges.take();
        let defects = judge.judge(&exchanges, count);
        if defects.is_empty() {
            return;
        }
        let says = format!("{}: not in the vendor's contract:\n{}", self.test, defects.join("\n"));
        // A second panic would end the whole program.
        if std::thread::panicking() {
            eprintln!("{says}");
        } else {
            panic!("{says}");
        }
    }
}
