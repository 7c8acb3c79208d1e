//! What both sides know of a kind, and what one of them alone does: one list of the cloud's against our records. What the
//! list says of a record is kept as what the cloud said last; only what the list lacks, of parts too, is asked for by itself.

use std::collections::HashMap;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use pmks_model::{Cluster, Iid, KeyPair, Network, NodeGroup, ResourceKind, SecurityGroup, Status};
use pmks_store::Resource;
use uuid::Uuid;

use crate::drivers::At;
use crate::inventory::seen;
use crate::listed::Listed;
use crate::parts::Known;
use crate::pmks::Shared;
use crate::records::Records;
use crate::{
    ClusterView, Clusters, KeyPairView, KeyPairs, NetworkView, Networks, Result, SecurityGroupView,
    SecurityGroups, UnmanagedCluster,
};

/// How many are asked for by themselves at once.
const AT_ONCE: usize = 8;

/// What there is, by who knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides<V, S = V> {
    /// What we keep a record of, but for what the cloud has no more: of parts too, which are not told of what is gone.
    pub known: Vec<V>,
    /// What we keep a record of, and the cloud has no more.
    pub gone: Vec<V>,
    /// What the cloud has, and we keep no record of. It has no uid.
    pub strangers: Vec<S>,
}

impl<V, S> Sides<V, S> {
    fn of(views: Vec<V>, status: fn(&V) -> Status, strangers: Vec<S>) -> Self {
        let (gone, known) = views.into_iter().partition(|view| status(view) == Status::Missing);
        Self { known, gone, strangers }
    }
}

impl<V, S> Sides<V, S> {
    /// The same with its strangers in other words.
    pub fn with_strangers<T>(self, word: impl Fn(S) -> T) -> Sides<V, T> {
        let Self { known, gone, strangers } = self;
        Sides { known, gone, strangers: strangers.into_iter().map(word).collect() }
    }
}

impl Networks<'_> {
    /// All networks there, asked now: with one list.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn sides(self, connection: &str) -> Result<Sides<NetworkView>> {
        let (known, strangers) = self.0.shared.sides_of_parts::<Network>(connection).await?;
        let mut views = known.networks()?;
        for view in &mut views {
            view.subnets.retain(|subnet| subnet.status != Status::Missing);
        }
        Ok(Sides::of(views, |view| view.status, strangers.networks()?))
    }
}

impl SecurityGroups<'_> {
    /// All security groups there, asked now: with one list.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn sides(self, connection: &str) -> Result<Sides<SecurityGroupView>> {
        let (known, strangers) = self.0.shared.sides_of_parts::<SecurityGroup>(connection).await?;
        Ok(Sides::of(known.security_groups()?, |view| view.status, strangers.security_groups()?))
    }
}

impl KeyPairs<'_> {
    /// All key pairs there, asked now: with one list.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn sides(self, connection: &str) -> Result<Sides<KeyPairView>> {
        let (known, strangers) = self.0.shared.sides_of_parts::<KeyPair>(connection).await?;
        Ok(Sides::of(known.key_pairs()?, |view| view.status, strangers.key_pairs()?))
    }
}

impl Clusters<'_> {
    /// All clusters there, asked now: with one list.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says, also of a part of the list alone.
    pub async fn sides(self, connection: &str) -> Result<Sides<ClusterView, UnmanagedCluster>> {
        let shared = &self.0.shared;
        let (at, place) = shared.drivers.proven(connection).await?;
        let listing = shared.inventory.list_now(&at, &place).await?;
        if let Some(missed) = listing.missed.into_iter().next() {
            return Err(Box::new(missed.failure));
        }
        let records = Records { store: shared.store.as_ref(), place: &place };
        let known = records.all(None, None).await?;
        shared.look_at_each(&at, lacking_of(&known, &listing.items)).await?;
        let strangers = shared.strangers(&at, &place, listing.items).await?;
        let mut views = shared.clusters_at(place).await?;
        for view in &mut views {
            view.node_groups.retain(|group| group.status != Status::Missing);
        }
        Ok(Sides::of(views, |view| view.status, strangers.into_iter().map(|(_, view)| view).collect()))
    }
}

/// The records of clusters that a list of the cloud's lacks, and of node groups that their cluster lacks in it.
fn lacking_of<'r>(known: &'r [Resource], listed: &[Cluster]) -> Vec<&'r Resource> {
    let clusters: HashMap<&str, &Cluster> =
        listed.iter().map(|one| (one.iid.system_id.as_str(), one)).collect();
    let of_uid: HashMap<Uuid, &Resource> = known.iter().map(|record| (record.uid, record)).collect();
    let in_list = |record: &Resource| {
        let listed = clusters.get(record.system_id.as_deref()?).copied()?;
        is_seen(record, &listed.iid, &listed.incarnation).then_some(listed)
    };
    let is_lacking = |record: &&Resource| match record.kind {
        ResourceKind::Cluster => record.system_id.is_some() && in_list(record).is_none(),
        ResourceKind::NodeGroup => {
            let whole = record.parent.and_then(|uid| of_uid.get(&uid)).and_then(|whole| in_list(whole));
            // Of a cluster that is lacking itself its own answer says it.
            let is_it = |group: &NodeGroup| is_seen(record, &group.iid, &group.incarnation);
            record.system_id.is_some() && whole.is_some_and(|whole| !whole.node_groups.iter().any(is_it))
        }
        _ => false,
    };
    known.iter().filter(is_lacking).collect()
}

/// Whether what a list tells is what a record is of, and no other one of its identifier.
fn is_seen(record: &Resource, iid: &Iid, incarnation: &str) -> bool {
    record.system_id.as_deref() == Some(&iid.system_id) && !seen::is_another(record, incarnation)
}

impl Shared {
    /// Has each asked for by itself, some at once.
    async fn look_at_each(&self, at: &At, records: impl IntoIterator<Item = &Resource>) -> Result<()> {
        let asked: Vec<_> =
            records.into_iter().map(|record| self.inventory.look_again(at, record).boxed()).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }

    /// What our records are by now, and what nobody keeps one of.
    async fn sides_of_parts<T: Listed>(&self, connection: &str) -> Result<(Known, Known)> {
        let (at, place) = self.drivers.proven(connection).await?;
        let started_at = self.clock.wall();
        let all = T::list(at.driver.as_ref()).await.map_err(|error| at.failed(&error))?;
        let observed_at = self.clock.wall();
        let records = Records { store: self.store.as_ref(), place: &place };
        let known = records.all(None, None).await?;
        let mut parts: HashMap<Uuid, Vec<Resource>> = HashMap::new();
        for part in known.iter().filter(|record| record.kind == ResourceKind::Subnet) {
            parts.entry(part.parent.unwrap_or_default()).or_default().push(part.clone());
        }
        let by_id: HashMap<&str, &T> = all.iter().map(|one| (one.iid().system_id.as_str(), one)).collect();
        let (mut observations, mut lacking) = (Vec::new(), Vec::new());
        for record in known.iter().filter(|record| record.kind == T::KIND) {
            let Some(system_id) = record.system_id.as_deref() else { continue };
            let parts = parts.remove(&record.uid).unwrap_or_default();
            let listed = by_id.get(system_id).map(|one| one.said());
            match listed.map(|said| seen::part(record, &parts, said, started_at, observed_at)).transpose()? {
                Some(Some(seen)) => {
                    let is_lacking = |part: &&Resource| {
                        part.system_id.is_some() && seen.iter().all(|one| one.uid != part.uid)
                    };
                    lacking.extend(parts.iter().filter(is_lacking).cloned());
                    observations.extend(seen);
                }
                // What the list lacks may be late in it, and what has its identifier may be another one.
                Some(None) | None => lacking.push(record.clone()),
            }
        }
        self.inventory.keep(observations).await?;
        self.look_at_each(&at, &lacking).await?;
        let known = self.known_parts(&place, T::KIND, None).await?;
        Ok((known, self.strangers_of(connection, &place, &all).await?))
    }
}
