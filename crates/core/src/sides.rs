//! What both sides know of a kind, and what one of them alone does: one list of the cloud's against our records. What the
//! list says of a record is kept as what the cloud said last; only what the list lacks is asked for by itself.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use pmks_model::{FailureKind, Iid, ResourceKind, Status};
use pmks_store::Resource;
use serde::Serialize;
use uuid::Uuid;

use crate::drivers::{At, Place};
use crate::inventory::seen::{self, Said};
use crate::parts::{Known, Part};
use crate::pmks::Shared;
use crate::records::Records;
use crate::{
    ClusterView, Clusters, KeyPairView, KeyPairs, NetworkView, Networks, Reference, Result,
    SecurityGroupView, SecurityGroups, UnmanagedCluster,
};

/// How many are asked for by themselves at once.
const AT_ONCE: usize = 8;

/// What there is, by who knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides<V, S = V> {
    /// What we keep a record of, but for what the cloud has no more.
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
        let shared = &self.0.shared;
        let (at, place) = shared.drivers.proven(connection).await?;
        let started_at = shared.clock.wall();
        let listed = at.driver.list_networks().await.map_err(|error| at.failed(&error))?;
        let listed = listed.into_iter().map(|one| (one.iid.clone(), one)).collect();
        let listed = Listed { kind: ResourceKind::Network, started_at, all: listed };
        let (known, strangers) = shared.sides_of_parts(&at, &place, listed).await?;
        Ok(Sides::of(known.networks()?, |view| view.status, strangers.networks()?))
    }
}

impl SecurityGroups<'_> {
    /// All security groups there, asked now: with one list.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn sides(self, connection: &str) -> Result<Sides<SecurityGroupView>> {
        let shared = &self.0.shared;
        let (at, place) = shared.drivers.proven(connection).await?;
        let started_at = shared.clock.wall();
        let listed = at.driver.list_security_groups().await.map_err(|error| at.failed(&error))?;
        let listed = listed.into_iter().map(|one| (one.iid.clone(), one)).collect();
        let kind = ResourceKind::SecurityGroup;
        let listed = Listed { kind, started_at, all: listed };
        let (known, strangers) = shared.sides_of_parts(&at, &place, listed).await?;
        Ok(Sides::of(known.security_groups()?, |view| view.status, strangers.security_groups()?))
    }
}

impl KeyPairs<'_> {
    /// All key pairs there, asked now: with one list.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn sides(self, connection: &str) -> Result<Sides<KeyPairView>> {
        let shared = &self.0.shared;
        let (at, place) = shared.drivers.proven(connection).await?;
        let started_at = shared.clock.wall();
        let listed = at.driver.list_key_pairs().await.map_err(|error| at.failed(&error))?;
        let listed = listed.into_iter().map(|one| (one.iid.clone(), one)).collect();
        let listed = Listed { kind: ResourceKind::KeyPair, started_at, all: listed };
        let (known, strangers) = shared.sides_of_parts(&at, &place, listed).await?;
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
        let known = records.all(Some(ResourceKind::Cluster), None).await?;
        let listed: BTreeSet<&str> = listing.items.iter().map(|one| one.iid.system_id.as_str()).collect();
        let is_lacking = |record: &Resource| {
            record.system_id.as_deref().is_some_and(|system_id| !listed.contains(system_id))
        };
        let asked = known.into_iter().filter(is_lacking).map(|record| {
            async move { shared.fresh_cluster(connection, &record.name, Some(Duration::ZERO)).await.map(drop) }
                .boxed()
        });
        each(asked.collect()).await?;
        let strangers = shared.strangers(&at, &place, listing.items).await?;
        let views = shared.clusters_at(place).await?;
        Ok(Sides::of(views, |view| view.status, strangers.into_iter().map(|(_, view)| view).collect()))
    }
}

/// A list of the cloud's, with when it was asked for.
struct Listed<T> {
    kind: ResourceKind,
    started_at: jiff::Timestamp,
    all: Vec<(Iid, T)>,
}

impl Shared {
    /// What our records are by now, and what nobody keeps one of.
    async fn sides_of_parts<T: Serialize>(
        &self,
        at: &At,
        place: &Place,
        listed: Listed<T>,
    ) -> Result<(Known, Known)>
    where
        for<'a> Said<'a>: From<&'a T>,
    {
        let Listed { kind, started_at, all } = listed;
        let (connection, observed_at) = (at.connection.name.as_str(), self.clock.wall());
        let records = Records { store: self.store.as_ref(), place };
        let known = records.all(None, None).await?;
        let mut parts: HashMap<Uuid, Vec<Resource>> = HashMap::new();
        for part in known.iter().filter(|record| record.kind == ResourceKind::Subnet) {
            parts.entry(part.parent.unwrap_or_default()).or_default().push(part.clone());
        }
        let by_id: HashMap<&str, &T> = all.iter().map(|(iid, one)| (iid.system_id.as_str(), one)).collect();
        let (mut observations, mut lacking) = (Vec::new(), Vec::new());
        for record in known.iter().filter(|record| record.kind == kind) {
            let Some(system_id) = record.system_id.as_deref() else { continue };
            let parts = parts.remove(&record.uid).unwrap_or_default();
            let listed = by_id.get(system_id).map(|one| Said::from(*one));
            match listed.map(|said| seen::part(record, &parts, said, started_at, observed_at)).transpose()? {
                Some(Some(seen)) => observations.extend(seen),
                // What the list lacks may be late in it, and what has its identifier may be another one.
                Some(None) | None => lacking.push(Reference::record(record)),
            }
        }
        self.inventory.keep(observations).await?;
        let asked = lacking.into_iter().map(|meant| {
            let asked = self.get_part(connection, Part::of(kind), meant, Some(Duration::ZERO));
            async move { asked.await.map(drop) }.boxed()
        });
        each(asked.collect()).await?;
        let known = self.known_parts(place, kind, None).await?;
        Ok((known, self.unmanaged_parts(connection, place, kind, all).await?))
    }
}

/// Has each asked for, some at once. A record that went meanwhile is nothing that failed.
async fn each(asked: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    let ended = stream::iter(asked).buffered(AT_ONCE).map(|answer| match answer {
        Err(failure) if failure.kind != FailureKind::NotFound => Err(failure),
        _ => Ok(()),
    });
    ended.try_collect().await
}
