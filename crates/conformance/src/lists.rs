//! A witness for an endpoint that only the driver can look into: its own lists, restricted to what the suite made.
//!
//! Cannot bring about what no driver would: those cases are skipped by the trait's defaults.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{Detail, Driver, DriverError, Marks, chain};
use pmks_model::{ResourceKind, Tags};

use crate::{INSTALLATION, Journal, Thing, Witness};

/// How often a list is read again that could not be read.
const TRIES: usize = 3;

/// The driver's own lists.
pub struct Lists {
    driver: Arc<dyn Driver>,
    journal: Journal,
    /// Identifiers of what was there before the suite.
    before: BTreeSet<String>,
    without_stranger: Option<String>,
}

impl Lists {
    /// Remembers what is there now. The driver should be one that no fault strikes and whose calls are counted apart.
    ///
    /// # Errors
    /// What the cloud says instead of its lists.
    pub async fn new(
        driver: Arc<dyn Driver>,
        journal: Journal,
        without_stranger: Option<String>,
    ) -> Result<Self, DriverError> {
        let mut lists = Self { driver, journal, before: BTreeSet::new(), without_stranger };
        lists.before = lists.listed(|_, _| true).await?.into_iter().map(|thing| thing.id).collect();
        Ok(lists)
    }

    /// Everything in the lists that `wanted` takes by name and tags.
    async fn listed(&self, wanted: impl Fn(&str, &Tags) -> bool) -> Result<Vec<Thing>, DriverError> {
        let thing = |kind: ResourceKind, id: String, name: &str| Thing {
            kind: kind.as_str().to_owned(),
            id,
            name: name.to_owned(),
        };
        let mut things = Vec::new();
        let clusters = self.driver.list_clusters(Detail::Clusters).await?;
        if let Some(missed) = clusters.missed.first() {
            let provider = self.driver.capabilities().provider;
            let says = format!("{}: {}", missed.what, missed.failure.detail);
            return Err(DriverError::new(pmks_driver::ErrorKind::Unavailable, provider, says));
        }
        for cluster in clusters.items.iter().filter(|one| wanted(&one.iid.name_id, &one.tags)) {
            // A later one of the same name is another one.
            let id = format!("{} {}", cluster.iid.system_id, cluster.incarnation);
            for group in &cluster.node_groups {
                let own = format!("{id} {}", group.iid.system_id);
                things.push(thing(ResourceKind::NodeGroup, own, &group.iid.name_id));
            }
            things.push(thing(ResourceKind::Cluster, id, &cluster.iid.name_id));
        }
        for network in self.driver.list_networks().await? {
            if !wanted(&network.iid.name_id, &network.tags) {
                continue;
            }
            for subnet in &network.subnets {
                things.push(thing(ResourceKind::Subnet, subnet.iid.system_id.clone(), &subnet.iid.name_id));
            }
            things.push(thing(ResourceKind::Network, network.iid.system_id, &network.iid.name_id));
        }
        // A cloud that makes a group for a cluster writes the cluster's tags on it: it is the cluster's part.
        let uid = |tags: &Tags| tags.get(Marks::KEYS[2]).cloned();
        let of_clusters: BTreeSet<_> =
            clusters.items.iter().filter_map(|cluster| uid(&cluster.tags)).collect();
        for group in self.driver.list_security_groups().await? {
            let is_part = uid(&group.tags).is_some_and(|uid| of_clusters.contains(&uid));
            if wanted(&group.iid.name_id, &group.tags) && !is_part {
                things.push(thing(ResourceKind::SecurityGroup, group.iid.system_id, &group.iid.name_id));
            }
        }
        for pair in self.driver.list_key_pairs().await? {
            if wanted(&pair.iid.name_id, &pair.tags) {
                // A later one of the same name is another one.
                let id = format!("{} {}", pair.iid.system_id, pair.incarnation);
                things.push(thing(ResourceKind::KeyPair, id, &pair.iid.name_id));
            }
        }
        Ok(things)
    }

    async fn all(&self) -> Result<Vec<Thing>, DriverError> {
        let own = |name: &str, tags: &Tags| {
            tags.get(Marks::KEYS[0]).map_or(name.starts_with("pmks-"), |mark| mark == INSTALLATION)
        };
        let mut things = self.listed(own).await?;
        things.retain(|thing| !self.before.contains(&thing.id));
        Ok(things)
    }
}

#[async_trait]
impl Witness for Lists {
    /// What cannot be read is a thing of its own: nobody may take it for nothing.
    async fn things(&self) -> Vec<Thing> {
        let mut tries = 1;
        loop {
            match self.all().await {
                Ok(things) => return things,
                Err(error) if tries == TRIES => {
                    let kind = "what could not be read".to_owned();
                    return vec![Thing { kind, id: chain(&error), name: String::new() }];
                }
                Err(_) => tries += 1,
            }
        }
    }

    fn journal(&self) -> Option<&Journal> {
        Some(&self.journal)
    }

    fn without_stranger(&self) -> Option<String> {
        self.without_stranger.clone()
    }
}
