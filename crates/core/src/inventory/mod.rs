//! Observations of what we keep records of: kept in memory, refreshed when somebody reads and they are old.
//!
//! Asks no cloud by itself: an idle server asks nothing. A refresh that began before an operation there ended is
//! dropped by the store.

mod flights;
mod freshness;
pub(crate) mod memory;
pub(crate) mod seen;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use pmks_driver::{Detail, Driver, Listing};
use pmks_model::{Cluster, ResourceKind};
use pmks_store::{AuditEntry, NewResource, Observe, OperationFilter, Page, Resource, Store};
use pmks_transport::{Clock, Lane};
use uuid::Uuid;

use crate::Result;
use crate::drivers::{At, Drivers, Place};
use crate::failure::of_store;
use crate::records::observed_at;
use flights::{Flights, Reader};
use freshness::{Need, need};
use memory::Age;
use seen::ReadFailed;

/// How many observations are stored in one transaction.
const AT_ONCE: usize = 256;

/// What a reader wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// When it began to read.
    pub(crate) began: Timestamp,
    /// Whether an operation runs on what it reads.
    pub(crate) busy: bool,
    /// How old an observation it takes.
    pub(crate) max_age: Option<Duration>,
}

impl Asked {
    fn reader(self, since: Timestamp, now: Timestamp) -> Reader {
        Reader { since: since.min(now), began: self.began, now }
    }
}

/// The inventory. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Inventory(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    drivers: Arc<Drivers>,
    flights: Flights,
    /// Since when complete lists lack a record that is not `Missing` yet.
    absent: Mutex<HashMap<Uuid, Timestamp>>,
    /// Why the last refresh of a place failed.
    errors: Mutex<HashMap<Place, String>>,
}

impl Inventory {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, drivers: Arc<Drivers>) -> Self {
        let inner = Inner {
            store,
            clock,
            drivers,
            flights: Flights::default(),
            absent: Mutex::default(),
            errors: Mutex::default(),
        };
        Self(Arc::new(inner))
    }

    /// Why the last refresh of a place failed, if it did.
    pub(crate) fn error(&self, place: &Place) -> Option<String> {
        self.0.errors.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    /// Makes the observations of these clusters of one place new enough; all of them with one list.
    ///
    /// # Errors
    /// What the cloud says, if `max_age` made it ask before answering.
    pub(crate) async fn freshen_place(&self, at: &At, place: &Place, age: &Age, asked: Asked) -> Result<()> {
        let now = self.0.clock.wall();
        if !age.any {
            return Ok(());
        }
        // Whatever is older needs at least as much.
        match need(age.oldest, now, asked.busy, asked.max_age) {
            Need::Nothing => Ok(()),
            Need::Now => self.refresh_place(at, place, asked.reader(asked.began, now), Lane::Live).await,
            Need::Later => {
                let since = age.changed_at.unwrap_or(now);
                drop(self.refresh_place(at, place, asked.reader(since, now), Lane::Refresh));
                Ok(())
            }
        }
    }

    /// Whether the observation of one record is new enough as it is.
    pub(crate) fn is_fresh(&self, record: &Resource, asked: Asked) -> bool {
        record.system_id.is_none()
            || need(observed_at(record), self.0.clock.wall(), asked.busy, asked.max_age) == Need::Nothing
    }

    /// Makes the observation of one record, and of its parts, new enough.
    ///
    /// # Errors
    /// What the cloud says, if `max_age` made it ask before answering.
    pub(crate) async fn freshen(
        &self,
        at: &At,
        place: &Place,
        record: &Resource,
        asked: Asked,
    ) -> Result<()> {
        if record.system_id.is_none() {
            return Ok(());
        }
        let now = self.0.clock.wall();
        let later = asked.reader(record.changed_at, now);
        match need(observed_at(record), now, asked.busy, asked.max_age) {
            Need::Nothing => Ok(()),
            Need::Now => self.refresh_one(at, record, asked.reader(asked.began, now), Lane::Live).await,
            // Whoever reads one cluster soon reads the others: the list costs little more. One that was never seen has
            // just been made, and says nothing of how old the others are.
            Need::Later if record.kind == ResourceKind::Cluster && observed_at(record).is_some() => {
                drop(self.refresh_place(at, place, later, Lane::Refresh));
                Ok(())
            }
            Need::Later => {
                drop(self.refresh_one(at, record, later, Lane::Refresh));
                Ok(())
            }
        }
    }

    /// Asks for all clusters of a place with one list.
    fn refresh_place(
        &self,
        at: &At,
        place: &Place,
        reader: Reader,
        lane: Lane,
    ) -> impl Future<Output = Result<()>> + use<> {
        let (inner, at, place) = (Arc::clone(&self.0), at.clone(), place.clone());
        let key = format!("{}\n{}", place.account, place.location(ResourceKind::Cluster));
        self.0
            .flights
            .join(key, reader, move || async move { inner.listed(&at, &place, lane).await.map(drop) }.boxed())
    }

    /// The same now, for whoever needs the list itself.
    ///
    /// # Errors
    /// What the cloud says.
    pub(crate) async fn list_now(&self, at: &At, place: &Place) -> Result<Listing<Cluster>> {
        self.0.listed(at, place, Lane::Live).await
    }

    /// Keeps what a cloud said.
    pub(crate) async fn keep(&self, observations: Vec<Observe>) -> Result<()> {
        self.0.keep(observations, Vec::new()).await
    }

    /// Asks now, by itself, for what a list lacks: the list may be late, and its own answer says so or that it is gone.
    ///
    /// # Errors
    /// What the cloud says, but that it is gone.
    pub(crate) async fn look_again(&self, at: &At, record: &Resource) -> Result<()> {
        let began = self.0.clock.wall();
        let asked = Asked { began, busy: false, max_age: Some(Duration::ZERO) };
        self.refresh_one(at, record, asked.reader(began, began), Lane::Live).await
    }

    fn refresh_one(
        &self,
        at: &At,
        record: &Resource,
        reader: Reader,
        lane: Lane,
    ) -> impl Future<Output = Result<()>> + use<> {
        let (inner, at, record) = (Arc::clone(&self.0), at.clone(), record.clone());
        self.0.flights.join(record.uid.to_string(), reader, move || {
            async move { inner.read(&at, &record, lane).await }.boxed()
        })
    }
}

impl Inner {
    async fn listed(&self, at: &At, place: &Place, lane: Lane) -> Result<Listing<Cluster>> {
        let result = self.list(at, place, lane).await;
        let word = if result.is_ok() { "ok" } else { "failed" };
        metrics::counter!("pmks_refreshes_total", "result" => word).increment(1);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        match &result {
            Ok(_) => errors.remove(place),
            Err(failure) => errors.insert(place.clone(), failure.to_string()),
        };
        drop(errors);
        result
    }

    async fn list(&self, at: &At, place: &Place, lane: Lane) -> Result<Listing<Cluster>> {
        self.drivers.prove(at).await?;
        let started_at = self.clock.wall();
        let listing =
            at.driver.on_lane(lane).list_clusters(Detail::Nodes).await.map_err(|error| at.failed(&error))?;
        let observed_at = self.clock.wall();
        let clusters = self.records(place, ResourceKind::Cluster).await?;
        let groups = self.records(place, ResourceKind::NodeGroup).await?;
        let mut parts_of: HashMap<Uuid, Vec<Resource>> = HashMap::new();
        for group in groups {
            parts_of.entry(group.parent.unwrap_or_default()).or_default().push(group);
        }
        let listed: HashMap<&str, &Cluster> =
            listing.items.iter().map(|cluster| (cluster.iid.system_id.as_str(), cluster)).collect();
        let (mut observations, mut inserts, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for record in &clusters {
            let Some(system_id) = record.system_id.as_deref() else { continue };
            match listed.get(system_id) {
                Some(cluster) => {
                    let parts = parts_of.remove(&record.uid).unwrap_or_default();
                    let seen = seen::cluster(record, &parts, cluster, started_at, observed_at)?;
                    observations.extend(seen.observations);
                    inserts.extend(seen.inserts);
                    absent.extend(seen.absent);
                }
                None => absent.push(record.uid),
            }
        }
        for missed in &listing.missed {
            tracing::warn!(connection = %at.connection.name, what = %missed.what, "not read: {}", missed.failure);
        }
        self.keep(observations, inserts).await?;
        // What a partial list lacks may be there.
        if listing.is_complete() {
            self.note_absent(at, &absent, started_at).await?;
        }
        Ok(listing)
    }

    async fn read(&self, at: &At, record: &Resource, lane: Lane) -> Result<()> {
        let Some(system_id) = record.system_id.as_deref() else { return Ok(()) };
        let driver = at.driver.on_lane(lane);
        let parts = self.parts(record).await?;
        let started_at = self.clock.wall();
        let answer = match record.kind {
            ResourceKind::Cluster => {
                driver.get_cluster(system_id).await.map_err(ReadFailed::from).and_then(|cluster| {
                    Ok(seen::cluster(record, &parts, &cluster, started_at, self.clock.wall())?)
                })
            }
            ResourceKind::NodeGroup => self.read_group(&driver, record, started_at).await.map(seen_alone),
            _ => seen::read_part(&driver, record, &parts, started_at, self.clock.as_ref())
                .await
                .map(seen_alone),
        };
        match answer {
            Ok(seen) => {
                if !seen.absent.is_empty() {
                    self.drivers.prove(at).await?;
                }
                self.keep(seen.observations, seen.inserts).await?;
                self.note_absent(at, &seen.absent, started_at).await
            }
            Err(ReadFailed::Cloud(error)) if error.is_not_found() => {
                self.drivers.prove(at).await?;
                self.note_gone(at, record, started_at).await
            }
            Err(ReadFailed::Cloud(error)) => Err(at.failed(&error)),
            Err(ReadFailed::Record(failure)) => Err(failure),
        }
    }

    /// Reads a node group by itself, in the cluster that its record belongs to.
    async fn read_group(
        &self,
        driver: &Arc<dyn Driver>,
        record: &Resource,
        started_at: Timestamp,
    ) -> std::result::Result<Vec<Observe>, ReadFailed> {
        let Some(uid) = record.parent else { return Ok(Vec::new()) };
        let cluster = self.store.resource(uid).await.map_err(of_store)?;
        // Its cluster's record went meanwhile, and its own with it.
        let Some(cluster) = cluster.filter(|cluster| cluster.system_id.is_some()) else {
            return Ok(Vec::new());
        };
        seen::read_group(driver, &cluster, record, started_at, self.clock.as_ref()).await
    }

    async fn records(&self, place: &Place, kind: ResourceKind) -> Result<Vec<Resource>> {
        let filter = pmks_store::ResourceFilter {
            account: Some(place.account.clone()),
            location: Some(place.location(kind)),
            kind: Some(kind),
            ..Default::default()
        };
        self.store.resources(&filter, Page::all()).await.map_err(of_store)
    }

    async fn parts(&self, record: &Resource) -> Result<Vec<Resource>> {
        let filter = pmks_store::ResourceFilter { parent: Some(record.uid), ..Default::default() };
        self.store.resources(&filter, Page::all()).await.map_err(of_store)
    }

    async fn keep(&self, observations: Vec<Observe>, inserts: Vec<NewResource>) -> Result<()> {
        let seen: Vec<Uuid> = observations.iter().map(|observe| observe.uid).collect();
        let mut observations = observations.into_iter();
        // A list of thousands must not hold up the writer for long.
        loop {
            let some: Vec<_> = observations.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                break;
            }
            self.store.observe(some).await.map_err(of_store)?;
        }
        self.absent.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| !seen.contains(uid));
        if inserts.is_empty() {
            return Ok(());
        }
        let audit = AuditEntry {
            at: self.clock.wall(),
            who: "pmks".to_owned(),
            action: "nodeGroup.found".to_owned(),
            target: inserts
                .iter()
                .map(|new| format!("node group {}", new.name))
                .collect::<Vec<_>>()
                .join(", "),
            request_id: String::new(),
        };
        match self.store.insert_resources(inserts, audit).await {
            // Another refresh, or an operation, was faster.
            Ok(()) | Err(pmks_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(of_store(error)),
        }
    }

    /// The cloud says itself that it is not there: missing, unless it is so new that the answer may be late.
    async fn note_gone(&self, at: &At, record: &Resource, started_at: Timestamp) -> Result<()> {
        let visible_after = at.driver.capabilities().visible_after / at.specification.pace.max(1);
        let is_new = record.created_at.saturating_add(visible_after).is_ok_and(|then| started_at < then);
        if is_new || self.is_worked_on(record.uid).await? {
            return self.note_absent(at, &[record.uid], started_at).await;
        }
        self.store.mark_missing(&[record.uid], Some(started_at)).await.map_err(of_store)
    }

    async fn is_worked_on(&self, uid: Uuid) -> Result<bool> {
        let filter = OperationFilter { resource_uid: Some(uid), unfinished: true, ..Default::default() };
        Ok(!self.store.operations(&filter, Page::first(1)).await.map_err(of_store)?.is_empty())
    }

    /// Absent from two complete answers, far enough apart that the cloud cannot be merely late: missing.
    async fn note_absent(&self, at: &At, uids: &[Uuid], started_at: Timestamp) -> Result<()> {
        let visible_after = at.driver.capabilities().visible_after / at.specification.pace.max(1);
        for uid in uids {
            if self.is_worked_on(*uid).await? {
                continue;
            }
            let first = {
                let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
                *absent.entry(*uid).or_insert(started_at)
            };
            let long_enough = first.saturating_add(visible_after).is_ok_and(|then| started_at >= then);
            if first < started_at && long_enough {
                self.store.mark_missing(&[*uid], Some(first)).await.map_err(of_store)?;
            }
        }
        Ok(())
    }
}

/// What was seen of one thing that has no parts.
fn seen_alone(observations: Vec<Observe>) -> seen::Seen {
    seen::Seen { observations, ..seen::Seen::default() }
}
