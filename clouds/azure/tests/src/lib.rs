//! What the suites about Azure share: a simulated Azure in this process, and software that others wrote, installed into
//! a cache folder.

mod python;

use std::sync::Arc;

use pmks_azure_simulator::{AzureCloud, Settings};
use pmks_simulation::{Cloud, RunningCloud, ready_file, serve};

pub use python::{Python, skip, which};

/// How much faster than the real Azure the world works: a cluster takes a tenth of a second.
const SPEED: f64 = 3000.0;

/// A simulated Azure on a port of its own.
pub struct SimulatedAzure {
    cloud: Arc<AzureCloud>,
    running: RunningCloud,
}

impl SimulatedAzure {
    /// Starts one.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        let cloud = Arc::new(AzureCloud::new(Settings { speed: SPEED, ..Settings::default() }));
        let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, 0).await.expect("a loopback port");
        Self { cloud, running }
    }

    /// The ready file's content.
    pub fn ready_file(&self) -> String {
        ready_file(&[(&*self.cloud, &self.running)]).to_string()
    }

    /// The certificate of the authority behind HTTPS, PEM.
    ///
    /// # Panics
    /// If there is none.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub fn ca_certificate(&self) -> String {
        self.cloud.authority().expect("an authority").certificate_pem().to_owned()
    }

    /// Kinds of everything that exists, but for what is there from the beginning.
    pub fn remains(&self) -> Vec<String> {
        let rows = self.cloud.resources().into_iter();
        rows.map(|row| row.kind).filter(|kind| kind != "application").collect()
    }
}
