//! What the simulated cloud offers to the scenes: versions, zones, a machine type, by the product's own reads.

use std::collections::BTreeSet;
use std::str::FromStr;

use pmks_driver::Capabilities;
use pmks_model::Version;

use super::house::{HERE, House, Process};
use crate::CloudUnderTest;

/// The least and most subnets that a scene's network has.
const SUBNETS: usize = 2;

/// What there is to choose from.
pub struct Offer {
    /// The cloud.
    pub under_test: &'static dyn CloudUnderTest,
    /// What it can do.
    pub capabilities: &'static Capabilities,
    /// The zones of the connection's region; none where subnets lie in no zone.
    pub zones: Vec<String>,
    /// The smallest machine type that runs Kubernetes, in all zones.
    pub machine_type: String,
    /// The minor version that clusters get by default.
    pub new: String,
    /// The one above `old`.
    pub between: String,
    /// Two minors below `new`, or one where there are no two.
    pub old: String,
}

impl Offer {
    pub(crate) async fn ask(house: &House, process: &Process) -> Self {
        let capabilities = house.under_test.provider().capabilities();
        let discovery = process.pmks.discovery();
        let regions = house.run(discovery.regions(HERE, None)).await.unwrap().items;
        let zones = regions.into_iter().flat_map(|region| region.zones).map(|zone| zone.name).collect();
        let machines = house.run(discovery.machine_types(HERE, None)).await.unwrap().items;
        let mut fit: Vec<_> = machines
            .into_iter()
            .filter(|machine| machine.vcpus >= 2 && machine.memory_mib >= 4096 && machine.gpus == 0)
            .filter(|machine| machine.architecture == "x86_64")
            .collect();
        // In as many zones as any, the smallest first.
        fit.sort_by_key(|machine| {
            (std::cmp::Reverse(machine.zones.len()), machine.vcpus, machine.memory_mib, machine.name.clone())
        });
        let versions = house.run(discovery.versions(HERE, None)).await.unwrap().items;
        let default = versions.iter().find(|version| version.default).expect("a default version");
        let new = default.version.minor();
        let below: BTreeSet<(u32, u32)> =
            versions.iter().map(|version| version.version.minor()).filter(|minor| *minor < new).collect();
        let mut below = below.into_iter().rev().take(2);
        let one_below = below.next().expect("a version below the default");
        let (old, between) = below.next().map_or((one_below, new), |two_below| (two_below, one_below));
        let word = |(major, minor): (u32, u32)| Version::of_minor(major, minor).to_string();
        Self {
            under_test: house.under_test,
            capabilities,
            zones: if capabilities.zonal_subnets { zones } else { Vec::new() },
            machine_type: fit.first().expect("a machine type").name.clone(),
            new: word(new),
            between: word(between),
            old: word(old),
        }
    }

    /// The names of the subnets of a scene's network.
    pub fn subnets(&self) -> Vec<String> {
        (0..SUBNETS.max(self.needed_subnets())).map(|index| format!("sub-{index}")).collect()
    }

    /// How many of them a cluster needs.
    pub fn needed_subnets(&self) -> usize {
        let zones = if self.capabilities.zonal_subnets { self.capabilities.minimum_zones } else { 1 };
        self.capabilities.minimum_subnets.max(zones).max(1)
    }

    /// The zone of the subnet with that number; empty where subnets lie in no zone.
    pub fn zone(&self, index: usize) -> String {
        self.zones.get(index % self.zones.len().max(1)).cloned().unwrap_or_default()
    }

    /// How many node groups a cluster has at least when it is made.
    pub fn least_node_groups(&self) -> usize {
        usize::from(self.capabilities.node_groups_at_creation.presence == pmks_driver::Presence::Required)
    }
}

/// Whether what a row says is of a minor version.
pub(crate) fn is_of_minor(said: &str, minor: &str) -> bool {
    let of = |text: &str| Version::from_str(text).map(|version| version.minor()).ok();
    of(said).is_some() && of(said) == of(minor)
}
