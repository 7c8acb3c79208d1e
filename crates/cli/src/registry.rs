//! The registry of clouds: the one place of the program that names them. A new cloud is one line of `CLOUDS`.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use pmks_core::Registry;
use pmks_driver::Provider;
use pmks_model::FailureKind;
use pmks_simulation::{Cloud, SystemTime, TimeSource};

use crate::at_home::AtHome;
use crate::error::{Error, Result};
use crate::exchanged;

/// A cloud: how its driver and its simulator are made.
pub(crate) struct Entry {
    /// The provider's name.
    pub(crate) name: &'static str,
    /// Whether a vendor has it. Where simulated clouds are asked for and none is named, those are meant.
    of_a_vendor: bool,
    /// Made with the folder in which what begins within this process is kept; `None`: nothing begins here.
    provider: fn(Option<&Path>) -> Arc<dyn Provider>,
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
        of_a_vendor: true,
        provider: |_| Arc::new(pmks_aws::Aws),
        simulator: |Simulated { speed, seed, time }| {
            let settings =
                pmks_aws_simulator::Settings { speed, seed, time, ..pmks_aws_simulator::Settings::default() };
            Arc::new(pmks_aws_simulator::AwsCloud::new(settings))
        },
        tells_secrets: &["aws_"],
    },
    Entry {
        name: "azure",
        of_a_vendor: true,
        provider: |_| Arc::new(pmks_azure::Azure),
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
        of_a_vendor: true,
        provider: |_| Arc::new(pmks_gcp::Gcp),
        simulator: |Simulated { speed, seed, time }| {
            let settings =
                pmks_gcp_simulator::Settings { speed, seed, time, ..pmks_gcp_simulator::Settings::default() };
            Arc::new(pmks_gcp_simulator::GcpCloud::new(settings))
        },
        tells_secrets: &[],
    },
    Entry {
        name: "mock",
        of_a_vendor: false,
        provider: |folder| match folder {
            Some(folder) => Arc::new(pmks_mock::Mock::at_home(Arc::new(AtHome::new("mock", folder)))),
            None => Arc::new(pmks_mock::Mock::default()),
        },
        simulator: |Simulated { speed, seed, time }| {
            let settings = pmks_mock_simulator::Settings {
                speed,
                seed,
                time,
                ..pmks_mock_simulator::Settings::default()
            };
            Arc::new(pmks_mock_simulator::MockCloud::new(settings))
        },
        tells_secrets: &[],
    },
];

/// All providers. What begins within this process is kept in that folder, if there is one.
pub(crate) fn providers(folder: Option<&Path>) -> Registry {
    Registry::new(CLOUDS.iter().map(|cloud| (cloud.provider)(folder)))
}

/// Whether what a crate logs under this target may hold secrets.
pub(crate) fn tells_secrets(target: &str) -> bool {
    CLOUDS.iter().flat_map(|cloud| cloud.tells_secrets).any(|begins| target.starts_with(begins))
}

#[async_trait]
impl pmks_mock::Home for AtHome {
    async fn url(&self) -> std::result::Result<url::Url, String> {
        self.begun().await.map_err(|error| error.text().trim_start_matches("error: ").to_owned())
    }
}

impl Entry {
    /// A fresh world of it.
    pub(crate) fn simulated(&self, how: Simulated) -> Arc<dyn Cloud> {
        let cloud = (self.simulator)(how);
        exchanged::keep(self.name, &*cloud);
        cloud
    }
}

/// The clouds of these names, each once; all vendors' if none is named.
///
/// # Errors
/// `NotFound` for a name that is none.
pub(crate) fn named(names: &[String]) -> Result<Vec<&'static Entry>> {
    if names.is_empty() {
        return Ok(CLOUDS.iter().filter(|cloud| cloud.of_a_vendor).collect());
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

#[cfg(test)]
mod tests {
    use pmks_model::{ResourceKind, UniqueName};

    use super::*;

    #[test]
    fn every_cloud_takes_the_names_that_are_unique() {
        let asked = ["a", "sg-01", "Web_Server.01", "운영망", "-", "9-x", "a b", &"long-".repeat(60)];
        let kinds = ResourceKind::ALL.iter().filter(|kind| **kind != ResourceKind::Connection);
        let pairs = CLOUDS.iter().flat_map(|cloud| kinds.clone().map(move |kind| (cloud, *kind)));
        for (cloud, kind) in pairs {
            let provider = (cloud.provider)(None);
            let (rule, form) = provider.capabilities().names(kind).unwrap();
            for chance in [[0; UniqueName::SUFFIX], [31; UniqueName::SUFFIX]] {
                for asked in asked {
                    let name = form.make(asked, &chance);
                    assert_eq!(rule.refusal(&name), None, "{} {kind:?} {asked:?}: {name:?}", cloud.name);
                }
            }
            // As long as it may be: all of its room is used, and no more would be.
            assert_eq!(form.make(&"a".repeat(300), &[0; UniqueName::SUFFIX]).len(), form.most);
        }
    }
}
