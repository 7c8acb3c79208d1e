//! A witness for an endpoint that only the driver can look into: its own lists, restricted to what the suite made, and
//! the journal for what no list shows.
//!
//! Cannot bring about what no driver would: those cases are skipped by the trait's defaults. A second security group or
//! key pair that nobody asked for would not be seen, because no list has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{Change, Detail, Driver, DriverError, Marks, chain};
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
        Ok(things)
    }

    /// Security groups and key pairs that the journal names and the cloud still has.
    async fn unlisted(&self) -> Result<Vec<Thing>, DriverError> {
        let mut standing = BTreeMap::new();
        for begun in self.journal.begun() {
            match &begun.change {
                Change::CreateSecurityGroup(asked) => {
                    let made = begun.made(ResourceKind::SecurityGroup, &asked.request.name);
                    standing.extend(
                        made.map(|(id, _)| ((ResourceKind::SecurityGroup, id), asked.request.name.clone())),
                    );
                }
                Change::CreateKeyPair(asked) => {
                    let made = begun.made(ResourceKind::KeyPair, &asked.request.name);
                    standing.extend(
                        made.map(|(id, _)| ((ResourceKind::KeyPair, id), asked.request.name.clone())),
                    );
                }
                // The deletion's own look has found it gone.
                Change::DeleteResource(asked) if begun.is_done() => {
                    standing.remove(&(asked.kind, asked.iid.system_id.clone()));
                }
                _ => {}
            }
        }
        let mut things = Vec::new();
        for ((kind, id), name) in standing {
            let read = match kind {
                ResourceKind::SecurityGroup => self.driver.get_security_group(&id).await.map(drop),
                _ => self.driver.get_key_pair(&id).await.map(drop),
            };
            match read {
                Ok(()) => things.push(Thing { kind: kind.as_str().to_owned(), id, name }),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
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
        things.extend(self.unlisted().await?);
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
