//! Clusters: what we keep a record of, what the cloud says of it, and the ways in.

mod metrics;
pub(crate) mod view;
mod ways_in;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pmks_driver::{ClusterCredential, Detail, Marks, Missed};
use pmks_model::{Children, Cluster, Failure, FailureKind, Iid, Node, ResourceKind};
use pmks_store::Resource;
use uuid::Uuid;

use crate::drafts::version_tag;
use crate::drivers::{At, Place};
use crate::failure::{already_exists, not_found, of_store, unexpected, unknown};
use crate::inventory::Asked;
use crate::inventory::memory::{Kept, Record};
use crate::pmks::Shared;
use crate::preparation::Unprepared;
use crate::records::{Records, observed};
use crate::resolve::is_absent;
use crate::{
    Caller, ClusterView, KubeconfigRequest, Mutation, NodeView, Page, PageRequest, Pmks, Reference, Result,
    UnmanagedCluster,
};
pub use metrics::MetricAsked;
use view::Shown;

/// How old details of nodes may be where nobody says.
const NODES_KEPT: Duration = Duration::from_secs(15);

/// Which clusters are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFilter {
    /// The page, and what it must match.
    pub page: PageRequest,
    /// Zero asks the clouds now.
    pub max_age: Option<Duration>,
}

/// The interface in whose words clusters are written: what is written for each is kept by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// `/v1`.
    Own,
    /// `/spider`.
    Spider,
}

/// Clusters.
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a>(pub(crate) &'a Pmks);

impl Clusters<'_> {
    /// A page of the clusters that we keep a record of; of all connections where none is given.
    ///
    /// # Errors
    /// `NotFound` for the connection; with `max_age` what its cloud says.
    pub async fn list(self, connection: Option<&str>, filter: &ClusterFilter) -> Result<Page<ClusterView>> {
        let shared = &self.0.shared;
        let places = shared.fresh_places(connection, filter.max_age).await?;
        shared.page_of_clusters(connection, &places, &filter.page, |kept, record| shared.view(kept, record))
    }

    /// The same, of each cluster what `write` makes of it. That is kept until anything changes that shows in it, for
    /// whoever reads next by the same interface: what `write` makes depends on the view alone, and on what is the same
    /// as long as this process lives.
    ///
    /// # Errors
    /// As [`Clusters::list`].
    pub async fn list_written(
        self,
        connection: Option<&str>,
        filter: &ClusterFilter,
        of: Interface,
        write: &(dyn Fn(ClusterView) -> String + Sync),
    ) -> Result<Page<Arc<str>>> {
        let shared = &self.0.shared;
        let places = shared.fresh_places(connection, filter.max_age).await?;
        let troubled = places.iter().any(|place| shared.inventory.error(place).is_some());
        shared.page_of_clusters(connection, &places, &filter.page, |kept, record| {
            shared.written(kept, record, troubled, of, write)
        })
    }

    /// The clusters at the cloud that we keep no record of, asked now; with what could not be read.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says, where one connection was named.
    pub async fn unmanaged(self, connection: Option<&str>) -> Result<(Vec<UnmanagedCluster>, Vec<Missed>)> {
        let shared = &self.0.shared;
        let (mut found, mut missed, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for at in shared.each(connection).await? {
            match shared.unmanaged_at(&at).await {
                Ok((clusters, more)) => {
                    missed.extend(more);
                    found.extend(
                        clusters.into_iter().filter(|(key, _)| seen.insert(key.clone())).map(|(_, c)| c),
                    );
                }
                Err(failure) if connection.is_none() => {
                    missed.push(Missed {
                        what: format!("connection {}", at.connection.name),
                        failure: *failure,
                    });
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok((found, missed))
    }

    /// The network of a cluster at the cloud that we keep no record of, asked now: by our name where we have one, else
    /// without a name.
    ///
    /// # Errors
    /// `AlreadyExists` if we keep one; what the cloud says.
    pub async fn network_of_unmanaged(self, connection: &str, system_id: &str) -> Result<Iid> {
        let shared = &self.0.shared;
        let (at, place) = shared.drivers.proven(connection).await?;
        let records = Records { store: shared.store.as_ref(), place: &place };
        let known = records.find(ResourceKind::Cluster, None, system_id).await?;
        if known.is_some_and(|record| record.system_id.as_deref() == Some(system_id)) {
            return Err(already_exists(ResourceKind::Cluster, system_id));
        }
        let found = match at.driver.get_cluster(system_id).await {
            Err(error) if is_absent(&error) => return Err(not_found(ResourceKind::Cluster, system_id)),
            answer => answer.map_err(|error| at.failed(&error))?,
        };
        let network = found.network.network.system_id;
        let known = records.find(ResourceKind::Network, None, &network).await?;
        Ok(Iid::new(known.map(|record| record.name).unwrap_or_default(), network))
    }

    /// One cluster, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(self, connection: &str, name: &str, max_age: Option<Duration>) -> Result<ClusterView> {
        let shared = &self.0.shared;
        let (_, uid) = shared.fresh_cluster(connection, name, max_age).await?;
        let kept = shared.memory.kept();
        shared.view(&kept, kept.record(uid).ok_or_else(|| not_found(ResourceKind::Cluster, name))?)
    }

    /// The same: its version tag, and what `write` makes of it, kept as [`Clusters::list_written`] has it.
    ///
    /// # Errors
    /// As [`Clusters::get`].
    pub async fn get_written(
        self,
        connection: &str,
        name: &str,
        max_age: Option<Duration>,
        of: Interface,
        write: &(dyn Fn(ClusterView) -> String + Sync),
    ) -> Result<(String, Arc<str>)> {
        let shared = &self.0.shared;
        let (at, uid) = shared.fresh_cluster(connection, name, max_age).await?;
        let troubled = at.here().is_some_and(|place| shared.inventory.error(place).is_some());
        let kept = shared.memory.kept();
        let record = kept.record(uid).ok_or_else(|| not_found(ResourceKind::Cluster, name))?;
        Ok((version_tag(&record.resource), shared.written(&kept, record, troubled, of, write)?))
    }

    /// Drops only our record. `abandon` does so while an operation runs, and needs the role admin.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; `Conflict` while an operation runs.
    pub async fn forget(
        self,
        caller: &Caller,
        connection: &str,
        meant: impl Into<Reference>,
        abandon: bool,
    ) -> Result<()> {
        let shared = &self.0.shared;
        let record = shared.forgettable_cluster(caller, connection, meant.into(), abandon).await?;
        shared.forget(caller, &record, abandon).await
    }

    /// Refuses what [`Self::forget`] would, and drops nothing. Answers what nobody here would know of any more.
    ///
    /// # Errors
    /// Those of [`Self::forget`].
    pub async fn plan_forget(
        self,
        caller: &Caller,
        connection: &str,
        meant: impl Into<Reference>,
        abandon: bool,
    ) -> Result<Vec<String>> {
        let shared = &self.0.shared;
        let record = shared.forgettable_cluster(caller, connection, meant.into(), abandon).await?;
        if !abandon {
            shared.require_unheld(&record).await?;
        }
        shared.given_up_with(&record).await
    }

    /// A kubeconfig as YAML. The `exec` form holds no secret; the others need the role operator and are audited.
    ///
    /// # Errors
    /// `Precondition` until the cluster has an endpoint, `Unsupported`, `NotAllowed`, `NotFound`.
    pub async fn kubeconfig(
        self,
        caller: &Caller,
        connection: &str,
        name: &str,
        request: &KubeconfigRequest,
    ) -> Result<String> {
        ways_in::kubeconfig(&self.0.shared, caller, connection, name, request).await
    }

    /// What lets a client in at the Kubernetes API, for a while. Audited. It needs the role operator, or admin where it
    /// opens more than clusters.
    ///
    /// # Errors
    /// `Precondition` until the cluster has an endpoint, `NotAllowed`, `NotFound`.
    pub async fn token(self, caller: &Caller, connection: &str, name: &str) -> Result<ClusterCredential> {
        ways_in::token(&self.0.shared, caller, connection, name).await
    }

    /// What came into being because the cluster stands, asked now; of one that is gone what its deletions have left.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn children(self, connection: &str, name: &str) -> Result<Children> {
        let shared = &self.0.shared;
        let (_, record) = shared.known(connection, ResourceKind::Cluster, None, name).await?;
        if record.missing_since.is_some() {
            return shared.left_of(connection, record.name).await;
        }
        let (at, cluster) = shared.seen_cluster(connection, name).await?;
        at.driver.children(&cluster).await.map_err(|error| at.failed(&error))
    }

    /// The VMs of a cluster; `max_age` zero asks the cloud, `None` serves what is some seconds old.
    ///
    /// # Errors
    /// What the cloud says; `Unavailable` if a part of the list could not be read.
    pub async fn nodes(
        self,
        connection: &str,
        cluster: &str,
        max_age: Option<Duration>,
    ) -> Result<Vec<NodeView>> {
        let shared = &self.0.shared;
        let (at, seen) = shared.seen_cluster(connection, cluster).await?;
        let key = format!("nodes\n{connection}\n{}\n{}", seen.iid.system_id, seen.incarnation);
        let ask = async || {
            let listing = at.driver.nodes(&seen).await.map_err(|error| at.failed(&error))?;
            match listing.missed.into_iter().next() {
                None => Ok(listing.items),
                Some(missed) => Err(Box::new(missed.failure)),
            }
        };
        let dated = shared.live.get(key, shared.clock.as_ref(), max_age.unwrap_or(NODES_KEPT), ask).await?;
        let kept = shared.memory.kept();
        let whole = at.here().and_then(|place| kept.cluster(place, cluster));
        let groups: Vec<&Record> = whole.into_iter().flat_map(|it| kept.parts(it.resource.uid)).collect();
        let names = at.here().and_then(|place| kept.names(place));
        let view = |mut node: Node| {
            if let Some(names) = names {
                node.security_groups = names.iids(ResourceKind::SecurityGroup, &node.security_groups);
                if !node.subnet.system_id.is_empty() {
                    node.subnet = names.iid(ResourceKind::Subnet, &node.subnet);
                }
            }
            // The cloud says its own name of the node group.
            if let Some(group) = groups.iter().find(|it| it.resource.name_at_cloud() == node.node_group) {
                node.node_group.clone_from(&group.resource.name);
            }
            let (connection, cluster) = (connection.to_owned(), cluster.to_owned());
            NodeView { connection, cluster, node, observed_at: dated.observed_at }
        };
        Ok(dated.items.into_iter().map(view).collect())
    }

    /// One VM, by the node's name or the VM's identifier.
    ///
    /// # Errors
    /// `NotFound`, and as [`Clusters::nodes`].
    pub async fn node(
        self,
        connection: &str,
        cluster: &str,
        node: &str,
        max_age: Option<Duration>,
    ) -> Result<NodeView> {
        let all = self.nodes(connection, cluster, max_age).await?;
        let is_it = |view: &NodeView| view.node.iid.name_id == node || view.node.iid.system_id == node;
        all.into_iter().find(is_it).ok_or_else(|| unknown("node", node))
    }
}

impl Shared {
    /// The connection of that name, or all.
    pub(crate) async fn each(&self, connection: Option<&str>) -> Result<Vec<At>> {
        if let Some(name) = connection {
            return Ok(vec![self.reading(name).await?]);
        }
        let mut all = Vec::new();
        self.memory.refresh().await?;
        let connections: Vec<_> = self.memory.kept().connections().cloned().collect();
        for connection in connections {
            let name = connection.name.clone();
            match self.drivers.of(connection).await {
                Ok(at) => all.push(at),
                Err(failure) => {
                    tracing::warn!(connection = %name, %failure, "this connection cannot be used");
                }
            }
        }
        Ok(all)
    }

    /// A record at a connection.
    pub(crate) async fn known(
        &self,
        connection: &str,
        kind: ResourceKind,
        parent: Option<Uuid>,
        meant: impl Into<Reference>,
    ) -> Result<(At, Resource)> {
        let meant = meant.into();
        let at = self.reading(connection).await?;
        let place = at.place().ok_or_else(|| not_found(kind, meant.as_str()))?;
        let record = Records { store: self.store.as_ref(), place: &place }.get(kind, parent, meant).await?;
        Ok((at, record))
    }

    /// A cluster whose record, in memory, is as new as asked for.
    pub(crate) async fn fresh_cluster(
        &self,
        connection: &str,
        name: &str,
        max_age: Option<Duration>,
    ) -> Result<(At, Uuid)> {
        let began = self.clock.wall();
        let at = self.reading(connection).await?;
        let place = at.here().ok_or_else(|| not_found(ResourceKind::Cluster, name))?;
        let (record, asked) = {
            let kept = self.memory.kept();
            let record =
                &kept.cluster(place, name).ok_or_else(|| not_found(ResourceKind::Cluster, name))?.resource;
            let asked = Asked { began, busy: kept.is_busy(record.uid), max_age };
            if self.inventory.is_fresh(record, asked) {
                let uid = record.uid;
                drop(kept);
                return Ok((at, uid));
            }
            (record.clone(), asked)
        };
        Box::pin(self.inventory.freshen(&at, place, &record, asked)).await?;
        self.memory.refresh().await?;
        Ok((at, record.uid))
    }

    /// A cluster as the cloud said it is; asked for if it never was. One that the cloud has no more is not there.
    pub(crate) async fn seen_cluster(&self, connection: &str, name: &str) -> Result<(At, Cluster)> {
        for max_age in [None, Some(Duration::ZERO)] {
            let (at, uid) = self.fresh_cluster(connection, name, max_age).await?;
            // The whole of it, with node groups and nodes, is in the store alone.
            let record = self.store.resource(uid).await.map_err(of_store)?;
            // It went since it was found.
            let record = record.ok_or_else(|| not_found(ResourceKind::Cluster, name))?;
            if let Some(since) = record.missing_since {
                let says = format!("the cloud has not shown cluster {name:?} since {since}");
                let failure = Failure::new(FailureKind::NotFound, says).about(ResourceKind::Cluster, name);
                return Err(Box::new(failure));
            }
            if let Some(seen) = observed(&record) {
                return Ok((at, seen));
            }
        }
        Err(crate::failure::precondition(
            format!("cluster {name:?} is not there yet"),
            "wait until its creation has succeeded",
        ))
    }

    /// What the deletions of a cluster that is gone have left, as far as it still stands: what a new one would find.
    async fn left_of(&self, connection: &str, cluster: String) -> Result<Children> {
        let (at, place) = self.place_of(connection).await?;
        let operation = pmks_store::new_uid(self.clock.wall());
        let deletion = Mutation::DeleteCluster {
            connection: connection.to_owned(),
            cluster: cluster.into(),
            delete_volumes: false,
        };
        let draft = self.draft(&at, &place, operation, deletion).await?;
        let search = self.search(&draft).await?;
        match self.prepare(&at, &place, &draft, &search).await {
            Ok(prepared) => Ok(prepared.map_or(search.known, |prepared| prepared.children)),
            Err(Unprepared::Refused(failure) | Unprepared::NotNow(failure)) => Err(failure),
        }
    }

    /// The places of that connection, or of all, whose clusters are as new as asked for.
    async fn fresh_places(
        &self,
        connection: Option<&str>,
        max_age: Option<Duration>,
    ) -> Result<BTreeSet<Place>> {
        // Two connections of one account see the same records.
        let mut places = BTreeSet::new();
        for at in self.each(connection).await? {
            let Some(place) = at.place() else { continue };
            let refreshed = self.freshen_clusters(&at, &place, max_age).await;
            // One cloud that does not answer must not hide the clusters of the others.
            if connection.is_some() {
                refreshed?;
            }
            places.insert(place);
        }
        self.memory.refresh().await?;
        Ok(places)
    }

    /// Every cluster of a place, as it is in memory.
    pub(crate) async fn clusters_at(&self, place: Place) -> Result<Vec<ClusterView>> {
        self.memory.refresh().await?;
        let (kept, places) = (self.memory.kept(), BTreeSet::from([place]));
        kept.clusters_after(&places, None).map(|record| self.view(&kept, record)).collect()
    }

    async fn freshen_clusters(&self, at: &At, place: &Place, max_age: Option<Duration>) -> Result<()> {
        let began = self.clock.wall();
        let age = self.memory.kept().age(place);
        let busy = age.busy;
        self.inventory.freshen_place(at, place, &age, Asked { began, busy, max_age }).await
    }

    /// How what is kept at a place is shown.
    pub(crate) fn shown<'k>(&self, kept: &'k Kept, place: &Place) -> Result<Shown<'k>> {
        let names = kept.names(place).ok_or_else(|| unexpected("nothing is kept of this place"))?;
        Ok(Shown { names, activity: kept.activity(), refresh_error: self.inventory.error(place) })
    }

    fn view(&self, kept: &Kept, record: &Record) -> Result<ClusterView> {
        let resource = &record.resource;
        let place = Place::kept(&resource.account, &resource.location);
        self.shown(kept, &place)?.cluster(record, kept.parts(resource.uid))
    }

    /// What is written of a cluster. Where a refresh failed that shows too, and is nothing that is kept.
    fn written(
        &self,
        kept: &Kept,
        record: &Record,
        troubled: bool,
        of: Interface,
        write: &(dyn Fn(ClusterView) -> String + Sync),
    ) -> Result<Arc<str>> {
        if !troubled && let Some(known) = record.written(of) {
            return Ok(known);
        }
        let view = self.view(kept, record)?;
        let holds = view.refresh_error.is_none();
        let written: Arc<str> = write(view).into();
        if holds {
            record.keep_written(of, &written);
        }
        Ok(written)
    }

    /// A page of the clusters at these places. Only what is on the page is made ready to be shown.
    fn page_of_clusters<T>(
        &self,
        connection: Option<&str>,
        places: &BTreeSet<Place>,
        page: &PageRequest,
        show: impl Fn(&Kept, &Record) -> Result<T>,
    ) -> Result<Page<T>> {
        let list = &format!("clusters of {}", connection.unwrap_or("-"));
        let (size, after) = (page.size()?, page.after(list)?);
        let after = after.map(|text| text.parse()).transpose();
        let after = after.map_err(|_| crate::page::not_of_this_list())?;
        let kept = self.memory.kept();
        let wanted = |record: &&Record| {
            if page.keeps_all() {
                return true;
            }
            let (status, _) = view::status(kept.activity(), record, kept.parts(record.resource.uid));
            let asked = record.of_cluster().and_then(|said| said.asked.as_ref().ok());
            page.keeps(&record.resource.name, status.as_str(), asked.map(|asked| &asked.tags))
        };
        let found = kept.clusters_after(places, after).filter(wanted).take(size + 1);
        let shown = found.map(|record| Ok((record.resource.uid.to_string(), show(&kept, record)?)));
        let page = page.cut(list, shown.collect::<Result<Vec<_>>>()?, |(uid, _)| uid)?;
        let items = page.items.into_iter().map(|(_, shown)| shown).collect();
        Ok(Page { items, next_page_token: page.next_page_token })
    }

    async fn unmanaged_at(&self, at: &At) -> Result<(Vec<(String, UnmanagedCluster)>, Vec<Missed>)> {
        let identity = self.drivers.prove(at).await?;
        let listing = at.driver.list_clusters(Detail::Clusters).await.map_err(|error| at.failed(&error))?;
        let place = at.place_in(identity.account);
        Ok((self.strangers(at, &place, listing.items).await?, listing.missed))
    }

    /// Those of a list that we keep no record of, each with what tells it wherever it is found.
    pub(crate) async fn strangers(
        &self,
        at: &At,
        place: &Place,
        listed: Vec<Cluster>,
    ) -> Result<Vec<(String, UnmanagedCluster)>> {
        let ours = self.ours_at_cloud(place, ResourceKind::Cluster).await?;
        let [installation, ..] = Marks::KEYS;
        let strangers = listed.into_iter().filter(|cluster| !ours.has(&cluster.iid));
        let views = strangers.map(|cluster| {
            let key = format!("{}\n{}\n{}", place.account, at.specification.region, cluster.iid.system_id);
            let view = UnmanagedCluster {
                connection: at.connection.name.clone(),
                installation: cluster.tags.get(installation).cloned(),
                iid: cluster.iid,
                version: cluster.version,
                network: cluster.network,
                node_groups: cluster.node_groups,
                status: cluster.status,
                created_at: cluster.created_at,
            };
            (key, view)
        });
        Ok(views.collect())
    }
}
