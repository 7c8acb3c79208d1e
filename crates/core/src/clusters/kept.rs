//! Clusters as they are kept: as new as was asked for, found, shown, and cut into pages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pmks_driver::{Detail, Marks, Missed};
use pmks_model::{Children, Cluster, Failure, FailureKind, ResourceKind};
use pmks_store::Resource;
use uuid::Uuid;

use super::Interface;
use super::view::{self, Shown};
use crate::drivers::{At, Place};
use crate::failure::{not_found, of_store, unexpected};
use crate::inventory::Asked;
use crate::inventory::memory::{Kept, Record};
use crate::pmks::Shared;
use crate::preparation::Unprepared;
use crate::records::{Records, observed};
use crate::{ClusterView, Mutation, Page, PageRequest, Reference, Result, UnmanagedCluster};

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
    pub(super) async fn left_of(&self, connection: &str, cluster: String) -> Result<Children> {
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
    pub(super) async fn fresh_places(
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

    pub(super) fn view(&self, kept: &Kept, record: &Record) -> Result<ClusterView> {
        let resource = &record.resource;
        let place = Place::kept(&resource.account, &resource.location);
        self.shown(kept, &place)?.cluster(record, kept.parts(resource.uid))
    }

    /// What is written of a cluster. Where a refresh failed that shows too, and is nothing that is kept.
    pub(super) fn written(
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
    pub(super) fn page_of_clusters<T>(
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

    pub(super) async fn unmanaged_at(
        &self,
        at: &At,
    ) -> Result<(Vec<(String, UnmanagedCluster)>, Vec<Missed>)> {
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
