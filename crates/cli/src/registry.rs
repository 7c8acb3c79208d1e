//! The registry of clouds: the one place of the program that names them. A new cloud is one line of `CLOUDS`.

use std::sync::Arc;

use pmks_core::Registry;
use pmks_driver::Provider;
use pmks_model::FailureKind;
use pmks_simulation::{Cloud, SystemTime, TimeSource};

use crate::error::{Error, Result};

/// A cloud: how its driver and its simulator are made.
pub(crate) struct Entry {
    /// The provider's name.
    pub(crate) name: &'static str,
    provider: fn() -> Arc<dyn Provider>,
    simulator: fn(Simulated) -> Arc<dyn Cloud>,
    /// Where the log's targets of its official crates begin that write whole requests, tokens included.
    tells_secrets: &'static [&'static str],
}

/// How a simulated cloud begins.
#[derive(Clone, Debug)]
pub(crate) struct Simulated {
    /// How many times faster than the real cloud it works; 0 stands still until told.
    pub(crate) speed: f64,
    /// What its identifiers grow from.
    pub(crate) seed: u64,
    /// The time that it lives in.
    pub(crate) time: Arc<dyn TimeSource>,
}

impl Simulated {
    /// One that lives in the process's own time.
    pub(crate) fn new(speed: f64, grown_from: u64) -> Self {
        Self { speed, seed: grown_from, time: Arc::new(SystemTime::new()) }
    }
}

/// Every cloud that this program was built with.
pub(crate) const CLOUDS: &[Entry] = &[
    Entry {
        name: "aws",
        provider: || Arc::new(pmks_aws::Aws),
        simulator: |Simulated { speed, seed, time }| {
            let settings =
                pmks_aws_simulator::Settings { speed, seed, time, ..pmks_aws_simulator::Settings::default() };
            Arc::new(pmks_aws_simulator::AwsCloud::new(settings))
        },
        tells_secrets: &["aws_"],
    },
    Entry {
        name: "azure",
        provider: || Arc::new(pmks_azure::Azure),
        simulator: |Simulated { speed, seed, time }| {
            let settings = pmks_azure_simulator::Settings {
                speed,
                seed,
                time,
                ..pmks_azure_simulator::Settings::default()
            };
            Arc::new(pmks_azure_simulator::AzureCloud::new(settings))
        },
        tells_secrets: &[],
    },
    Entry {
        name: "gcp",
        provider: || Arc::new(pmks_gcp::Gcp),
        simulator: |Simulated { speed, seed, time }| {
            let settings =
                pmks_gcp_simulator::Settings { speed, seed, time, ..pmks_gcp_simulator::Settings::default() };
            Arc::new(pmks_gcp_simulator::GcpCloud::new(settings))
        },
        tells_secrets: &[],
    },
];

/// All providers.
pub(crate) fn providers() -> Registry {
    Registry::new(CLOUDS.iter().map(|cloud| (cloud.provider)()))
}

/// Whether what a crate logs under this target may hold secrets.
pub(crate) fn tells_secrets(target: &str) -> bool {
    CLOUDS.iter().flat_map(|cloud| cloud.tells_secrets).any(|begins| target.starts_with(begins))
}

impl Entry {
    /// A fresh world of it.
    pub(crate) fn simulated(&self, how: Simulated) -> Arc<dyn Cloud> {
        (self.simulator)(how)
    }
}

/// The clouds of these names, each once; all of them if none is named.
///
/// # Errors
/// `NotFound` for a name that is none.
pub(crate) fn named(names: &[String]) -> Result<Vec<&'static Entry>> {
    if names.is_empty() {
        return Ok(CLOUDS.iter().collect());
    }
    for name in names {
        if CLOUDS.iter().all(|cloud| cloud.name != name) {
            let known: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name).collect();
            let says = format!("there is no simulated cloud {name:?}; there are {}", known.join(", "));
            return Err(Error::new(FailureKind::NotFound, says));
        }
    }
    Ok(CLOUDS.iter().filter(|cloud| names.iter().any(|name| name == cloud.name)).collect())
}
