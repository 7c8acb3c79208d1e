//! A scripted cloud: one in-memory world behind the driver's traits. It does at once what it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use pmks_driver::{Capabilities, DriverError, ErrorKind, Result};
use pmks_model::{Cluster, KeyPair, Network, SecurityGroup, Subnet};
use pmks_transport::{Clock, VirtualClock};

pub(crate) const PROVIDER: &str = "fake";

/// What exists, which calls came, and what goes wrong.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of a test's own")]
pub(crate) struct World {
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) networks: BTreeMap<String, Network>,
    pub(crate) subnets: BTreeMap<String, Subnet>,
    pub(crate) security_groups: BTreeMap<String, SecurityGroup>,
    pub(crate) key_pairs: BTreeMap<String, KeyPair>,
    /// What node groups are made from, where they are.
    pub(crate) templates: BTreeSet<String>,
    pub(crate) calls: Vec<String>,
    /// Calls that fail, by name.
    pub(crate) failures: BTreeMap<String, ErrorKind>,
    /// The account that each access key acts for.
    pub(crate) accounts: BTreeMap<String, String>,
    /// Lists are partial.
    pub(crate) partial: bool,
    /// What the driver was asked to do with the last change of each kind.
    pub(crate) asked: BTreeMap<String, serde_json::Value>,
    /// Stages of these kinds do not end until they are taken out.
    pub(crate) stuck: BTreeSet<String>,
    /// What the cloud can do, where it is not the usual.
    pub(crate) capabilities: Option<&'static Capabilities>,
    /// The deletion of a cluster has a stage after its end.
    pub(crate) sweeps: bool,
    /// The end of a cluster takes its volumes along.
    pub(crate) volumes_go: bool,
    /// Nobody sees whether there are volumes beside.
    pub(crate) volumes_unseen: bool,
    /// What the looks of these stages could take for theirs, once they have asked.
    pub(crate) several: BTreeMap<String, Vec<String>>,
    /// Each node group gets a template of its own, made before it.
    pub(crate) makes_templates: bool,
    /// Templates can be made, and not removed.
    pub(crate) keeps_templates: bool,
    /// Calls that are not answered.
    pub(crate) hangs: Vec<&'static str>,
    /// Nobody is told whom a credential acts for, as long as this is so.
    pub(crate) silent: bool,
    /// Lists are read at once and answered when this is opened.
    pub(crate) slow: Option<tokio::sync::watch::Receiver<bool>>,
    made: u64,
}

/// The world, shared by every driver and by the test.
#[derive(Clone)]
pub(crate) struct Cloud {
    world: Arc<Mutex<World>>,
    pub(crate) clock: VirtualClock,
}

impl Cloud {
    pub(crate) fn new(clock: VirtualClock) -> Self {
        let world = World {
            accounts: BTreeMap::from([
                ("AK1".to_owned(), "fake:1".to_owned()),
                ("AK1b".to_owned(), "fake:1".to_owned()),
                ("AK2".to_owned(), "fake:2".to_owned()),
            ]),
            ..World::default()
        };
        Self { world: Arc::new(Mutex::new(world)), clock }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Notes a call and fails it if the script says so.
    pub(crate) fn call(&self, name: &str) -> Result<MutexGuard<'_, World>> {
        let mut world = self.world();
        world.calls.push(name.to_owned());
        match world.failures.get(name).cloned() {
            Some(kind) => Err(DriverError::new(kind, PROVIDER, format!("{name} was scripted to fail"))),
            None => Ok(world),
        }
    }

    /// Does not come back from a call that is not answered, as long as that is so.
    pub(crate) async fn answer(&self, name: &str) {
        while self.world().hangs.contains(&name) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// How often a call came.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.world().calls.iter().filter(|call| *call == name).count()
    }
}

impl World {
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}-{:04}", self.made)
    }
}

pub(crate) fn found<T: Clone>(map: &BTreeMap<String, T>, id: &str) -> Result<T> {
    // No case is known in identifiers, as at some clouds.
    let same = map.iter().find(|(known, _)| known.eq_ignore_ascii_case(id));
    same.map(|(_, found)| found.clone())
        .ok_or_else(|| DriverError::new(ErrorKind::NotFound, PROVIDER, format!("no {id}")))
}
