//! Connections and their pieces, records, which operations go on with them, and API tokens, kept in memory: what
//! readers are answered from, and recognized by.
//!
//! It is in step with the store: before it is read its number of changes is compared, and what changed since is read.
//! With one server that is every change that was answered; with several, those of the others come as soon as they are
//! told of. It holds each record once, read, and nothing of what is over: what the store holds bounds it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use jiff::Timestamp;
use pmks_model::{Cluster, NodeGroup, ResourceKind, Status};
use pmks_store::{ApiToken, Changes, Connection, Page, Resource, ResourceFilter, Store};
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use crate::Result;
use crate::activity::Activity;
use crate::clusters::Interface;
use crate::clusters::view::Names;
use crate::drivers::Place;
use crate::failure::of_store;
use crate::pieces::Known;
use crate::records::{ClusterIntent, NodeGroupIntent, intent, observed, observed_at};

/// How many records are read at once.
const AT_ONCE: u32 = 500;

/// What is kept in memory.
pub(crate) struct Memory {
    store: Arc<dyn Store>,
    /// The number of the last change that was read. One reader brings it up to date, the others wait for that.
    version: tokio::sync::Mutex<Option<i64>>,
    /// Tells whether anything changed since that began; `None`: nothing was read yet.
    in_step: RwLock<Option<watch::Receiver<i64>>>,
    kept: RwLock<Kept>,
}

/// Connections, pieces, records, operations that are not over, API tokens.
#[derive(Default)]
pub(crate) struct Kept {
    connections: BTreeMap<Uuid, Arc<Connection>>,
    connection_names: HashMap<String, Uuid>,
    pieces: Arc<Known>,
    records: HashMap<Uuid, Record>,
    parts: HashMap<Uuid, BTreeSet<Uuid>>,
    places: HashMap<Place, AtPlace>,
    activity: Activity,
    api_tokens: HashMap<Uuid, Arc<ApiToken>>,
    /// By their hash.
    bearers: HashMap<String, Uuid>,
}

/// What is at one place.
#[derive(Default)]
struct AtPlace {
    clusters: BTreeSet<Uuid>,
    names: Names,
    /// What is no part of anything, by its kind.
    by_kind: HashMap<ResourceKind, Named>,
    /// Computed by the first reader after a change, whatever changed.
    age: OnceLock<Age>,
}

/// Records of one kind.
#[derive(Default)]
struct Named {
    by_name: HashMap<String, Uuid>,
    by_system_id: HashMap<String, Uuid>,
}

impl Named {
    fn get(&self, text: &str) -> Option<&Uuid> {
        self.by_name.get(text).or_else(|| self.by_system_id.get(text))
    }
}

/// A record, what it holds read once.
pub(crate) struct Record {
    /// The record; of clusters and node groups without what was asked for and seen.
    pub(crate) resource: Resource,
    holds: Holds,
    written: Written,
}

/// What was written of the whole cluster, in the words of each interface; empty once anything changed that shows in it.
type Written = [OnceLock<Arc<str>>; 2];

enum Holds {
    Cluster(Box<Said<ClusterIntent, Cluster>>),
    NodeGroup(Box<Said<NodeGroupIntent, NodeGroup>>),
    Other,
}

/// What was asked for and what the cloud said last.
pub(crate) struct Said<I, S> {
    pub(crate) asked: Result<I>,
    pub(crate) seen: Option<S>,
}

/// What a reader must know of the clusters of a place to say whether they are new enough.
#[derive(Clone, Copy)]
pub(crate) struct Age {
    /// Whether any of them is known at the cloud: the others have nothing to observe.
    pub(crate) any: bool,
    /// When the one that was asked for longest ago was; `None`: one never was.
    pub(crate) oldest: Option<Timestamp>,
    /// When something last changed.
    pub(crate) changed_at: Option<Timestamp>,
    /// Whether anything is going on.
    pub(crate) busy: bool,
}

impl Memory {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            version: tokio::sync::Mutex::default(),
            in_step: RwLock::default(),
            kept: RwLock::default(),
        }
    }

    /// Brings it in step with the store: what was answered before this began is in it after it.
    ///
    /// # Errors
    /// `Unavailable` if the store does not answer.
    pub(crate) async fn refresh(&self) -> Result<()> {
        if self.is_in_step() {
            return Ok(());
        }
        // Seldom, and large: within, it would be moved with every read.
        Box::pin(self.catch_up()).await.map_err(of_store)
    }

    fn is_in_step(&self) -> bool {
        let hint = self.in_step.read().unwrap_or_else(PoisonError::into_inner);
        hint.as_ref().is_some_and(|hint| !hint.has_changed().unwrap_or(true))
    }

    /// A reader that goes away within leaves the rest to the next one.
    async fn catch_up(&self) -> pmks_store::Result<()> {
        let mut version = self.version.lock().await;
        // Another reader may have been first.
        if self.is_in_step() {
            return Ok(());
        }
        // Made before anything is read: a change in between is read twice and lost never.
        let hint = self.store.changes();
        loop {
            let changes = self.store.changes_since(*version).await?;
            let (reached, whole, more) = (changes.version, changes.whole, changes.more);
            if whole {
                *version = None;
            }
            self.kept.write().unwrap_or_else(PoisonError::into_inner).apply(changes);
            if whole {
                self.read_records().await?;
            }
            *version = Some(reached);
            if !whole && !more {
                *self.in_step.write().unwrap_or_else(PoisonError::into_inner) = Some(hint);
                return Ok(());
            }
        }
    }

    /// Page by page: as rows they are many times as large as what is kept of them.
    async fn read_records(&self) -> pmks_store::Result<()> {
        let mut page = Page::first(AT_ONCE);
        loop {
            let records = self.store.resources(&ResourceFilter::default(), page).await?;
            let Some(last) = records.last().map(|record| record.uid) else { return Ok(()) };
            page.after = Some(last);
            let changes = Changes { resources: records, ..Changes::default() };
            self.kept.write().unwrap_or_else(PoisonError::into_inner).apply(changes);
        }
    }

    /// What is kept, as [`Memory::refresh`] left it.
    pub(crate) fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of which records something changed.
#[derive(Default)]
struct Touched {
    /// A name that any cluster may show.
    every: bool,
    records: Vec<Uuid>,
}

impl Touched {
    fn add(&mut self, record: &Resource) {
        self.every |= !matches!(record.kind, ResourceKind::Cluster | ResourceKind::NodeGroup);
        self.records.push(record.uid);
        self.records.extend(record.parent);
    }
}

impl Kept {
    fn apply(&mut self, changes: Changes) {
        if changes.whole {
            *self = Self::default();
        }
        let mut touched = Touched::default();
        for uid in changes.gone {
            if let Some(record) = self.drop_record(uid) {
                touched.add(&record);
            }
            touched.records.extend(self.activity.over(uid));
            if let Some(connection) = self.connections.remove(&uid) {
                self.connection_names.remove(&connection.name);
            }
            if let Some(token) = self.api_tokens.remove(&uid) {
                self.bearers.remove(&token.hash);
            }
        }
        for connection in changes.connections {
            self.connection_names.insert(connection.name.clone(), connection.uid);
            self.connections.insert(connection.uid, Arc::new(connection));
        }
        if let Some(pieces) = changes.pieces {
            self.pieces = Arc::new(Known::of(pieces));
        }
        for resource in changes.resources {
            touched.add(&resource);
            self.drop_record(resource.uid);
            self.keep_record(Record::of(resource));
        }
        for token in changes.api_tokens {
            self.bearers.insert(token.hash.clone(), token.uid);
            self.api_tokens.insert(token.uid, Arc::new(token));
        }
        for operation in changes.operations {
            touched.records.extend(operation.resource);
            self.activity.goes_on(operation);
        }
        self.outdate(touched);
    }

    /// Drops what was made of what changed: the ages of places, what was written of records and of what they are a part
    /// of.
    fn outdate(&mut self, touched: Touched) {
        for at in self.places.values_mut() {
            at.age.take();
        }
        if touched.every {
            self.records.values_mut().for_each(|record| record.written = Written::default());
        }
        for uid in touched.records {
            let Some(record) = self.records.get_mut(&uid) else { continue };
            record.written = Written::default();
            if let Some(parent) = record.resource.parent
                && let Some(whole) = self.records.get_mut(&parent)
            {
                whole.written = Written::default();
            }
        }
    }

    fn keep_record(&mut self, record: Record) {
        let resource = &record.resource;
        if let Some(parent) = resource.parent {
            self.parts.entry(parent).or_default().insert(resource.uid);
        }
        if resource.kind != ResourceKind::NodeGroup {
            self.places.entry(place(resource).whole()).or_default().names.add(resource);
        }
        let at = self.places.entry(place(resource)).or_default();
        if resource.kind == ResourceKind::Cluster {
            at.clusters.insert(resource.uid);
        }
        if resource.parent.is_none() {
            let named = at.by_kind.entry(resource.kind).or_default();
            named.by_name.insert(resource.name.clone(), resource.uid);
            if let Some(system_id) = &resource.system_id {
                named.by_system_id.insert(system_id.clone(), resource.uid);
            }
        }
        self.records.insert(resource.uid, record);
    }

    fn drop_record(&mut self, uid: Uuid) -> Option<Resource> {
        let resource = self.records.remove(&uid)?.resource;
        if let Some(parent) = resource.parent
            && let Some(parts) = self.parts.get_mut(&parent)
        {
            parts.remove(&uid);
            if parts.is_empty() {
                self.parts.remove(&parent);
            }
        }
        if let Some(at) = self.places.get_mut(&place(&resource).whole()) {
            at.names.remove(&resource);
        }
        if let Some(at) = self.places.get_mut(&place(&resource)) {
            at.clusters.remove(&uid);
            if let Some(named) = at.by_kind.get_mut(&resource.kind) {
                if named.by_name.get(&resource.name) == Some(&uid) {
                    named.by_name.remove(&resource.name);
                }
                if let Some(system_id) = &resource.system_id
                    && named.by_system_id.get(system_id) == Some(&uid)
                {
                    named.by_system_id.remove(system_id);
                }
            }
        }
        Some(resource)
    }

    /// The connection of that name.
    pub(crate) fn connection(&self, name: &str) -> Option<&Arc<Connection>> {
        self.connections.get(self.connection_names.get(name)?)
    }

    /// All connections, ordered by uid.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.connections.values()
    }

    /// What connections are made of.
    pub(crate) fn pieces(&self) -> &Arc<Known> {
        &self.pieces
    }

    /// The API token of that hash, revoked or expired ones too.
    pub(crate) fn api_token(&self, hash: &str) -> Option<&Arc<ApiToken>> {
        self.api_tokens.get(self.bearers.get(hash)?)
    }

    /// The cluster of that name, else of that identifier at the cloud.
    pub(crate) fn cluster(&self, place: &Place, name: &str) -> Option<&Record> {
        self.find(place, ResourceKind::Cluster, None, name)
    }

    /// The record of that name, else of that identifier at the cloud; of a part, within its whole.
    pub(crate) fn find(
        &self,
        place: &Place,
        kind: ResourceKind,
        parent: Option<Uuid>,
        name: &str,
    ) -> Option<&Record> {
        if let Some(whole) = parent {
            let parts = || self.parts(whole).filter(|part| part.resource.kind == kind);
            let of_name = parts().find(|part| part.resource.name == name);
            return of_name.or_else(|| parts().find(|part| part.resource.system_id.as_deref() == Some(name)));
        }
        let at = self.places.get(&Place::kept(&place.account, &place.location(kind)))?;
        self.records.get(at.by_kind.get(&kind)?.get(name)?)
    }

    /// The record of that uid.
    pub(crate) fn record(&self, uid: Uuid) -> Option<&Record> {
        self.records.get(&uid)
    }

    /// The parts of a record, ordered by uid.
    pub(crate) fn parts(&self, uid: Uuid) -> impl Iterator<Item = &Record> {
        self.parts.get(&uid).into_iter().flatten().filter_map(|part| self.records.get(part))
    }

    /// The clusters after that uid, in any of these places, ordered by uid.
    pub(crate) fn clusters_after<'a>(
        &'a self,
        places: &'a BTreeSet<Place>,
        after: Option<Uuid>,
    ) -> impl Iterator<Item = &'a Record> {
        let later = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let mut at: Vec<_> = places
            .iter()
            .filter_map(|place| self.places.get(place))
            .map(|at| at.clusters.range((later, std::ops::Bound::Unbounded)).copied().peekable())
            .collect();
        std::iter::from_fn(move || {
            let waiting = at.iter_mut().filter_map(|uids| Some((uids.peek().copied()?, uids)));
            let (next, uids) = waiting.min_by_key(|(next, _)| *next)?;
            uids.next();
            self.records.get(&next)
        })
    }

    /// Our names at a place.
    pub(crate) fn names(&self, place: &Place) -> Option<&Names> {
        self.places.get(&place.whole()).map(|at| &at.names)
    }

    /// What is going on.
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// How old the observations of a place's clusters are.
    pub(crate) fn age(&self, place: &Place) -> Age {
        let nothing = Age { any: false, oldest: None, changed_at: None, busy: false };
        self.places.get(place).map_or(nothing, |at| *at.age.get_or_init(|| self.age_of(at, nothing)))
    }

    fn age_of(&self, at: &AtPlace, mut age: Age) -> Age {
        for record in at.clusters.iter().filter_map(|uid| self.records.get(uid)) {
            let resource = &record.resource;
            age.changed_at = age.changed_at.max(Some(resource.changed_at));
            age.busy = age.busy || self.is_busy(resource.uid);
            if resource.system_id.is_some() {
                let at = observed_at(resource);
                age.oldest = if age.any { age.oldest.min(at) } else { at };
                age.any = true;
            }
        }
        age
    }

    /// Whether anything is going on with a record or a part of it: here, or as the cloud said last, which may work on
    /// what an operation has given up.
    pub(crate) fn is_busy(&self, uid: Uuid) -> bool {
        let is_idle = self.activity.is_idle();
        let parts = self.parts.get(&uid).into_iter().flatten();
        std::iter::once(&uid).chain(parts).any(|uid| {
            (!is_idle && self.activity.is_about(*uid))
                || self.records.get(uid).is_some_and(Record::is_worked_on)
        })
    }
}

impl Record {
    fn of(mut resource: Resource) -> Self {
        let holds = match resource.kind {
            ResourceKind::Cluster => {
                let asked = intent(&resource);
                let mut seen: Option<Cluster> = observed(&resource);
                // They have records of their own.
                if let Some(seen) = &mut seen {
                    seen.node_groups = Vec::new();
                }
                Holds::Cluster(Box::new(Said { asked, seen }))
            }
            ResourceKind::NodeGroup => {
                let (asked, seen) = (intent(&resource), observed(&resource));
                Holds::NodeGroup(Box::new(Said { asked, seen }))
            }
            _ => return Self { resource, holds: Holds::Other, written: Written::default() },
        };
        resource.request = Value::Null;
        if let Some(observation) = &mut resource.observation {
            observation.value = Value::Null;
        }
        Self { resource, holds, written: Written::default() }
    }

    /// What was written of the whole cluster for that interface, unless anything changed since that shows in it.
    pub(crate) fn written(&self, of: Interface) -> Option<Arc<str>> {
        self.written_for(of).get().cloned()
    }

    /// Keeps it until anything changes.
    pub(crate) fn keep_written(&self, of: Interface, written: &Arc<str>) {
        // Another reader may have been first, with the same.
        let _ = self.written_for(of).set(Arc::clone(written));
    }

    fn written_for(&self, of: Interface) -> &OnceLock<Arc<str>> {
        let [own, spider] = &self.written;
        match of {
            Interface::Own => own,
            Interface::Spider => spider,
        }
    }

    /// What is held of a cluster.
    pub(crate) fn of_cluster(&self) -> Option<&Said<ClusterIntent, Cluster>> {
        match &self.holds {
            Holds::Cluster(said) => Some(said),
            Holds::NodeGroup(_) | Holds::Other => None,
        }
    }

    /// What is held of a node group.
    pub(crate) fn of_node_group(&self) -> Option<&Said<NodeGroupIntent, NodeGroup>> {
        match &self.holds {
            Holds::NodeGroup(said) => Some(said),
            Holds::Cluster(_) | Holds::Other => None,
        }
    }

    /// Whether the cloud worked on it when it was seen last.
    fn is_worked_on(&self) -> bool {
        let seen = match &self.holds {
            Holds::Cluster(said) => said.seen.as_ref().map(|seen| seen.status),
            Holds::NodeGroup(said) => said.seen.as_ref().map(|seen| seen.status),
            Holds::Other => None,
        };
        self.resource.missing_since.is_none()
            && matches!(seen, Some(Status::Creating | Status::Updating | Status::Deleting))
    }
}

fn place(resource: &Resource) -> Place {
    Place::kept(&resource.account, &resource.location)
}
