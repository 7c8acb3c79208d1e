//! Clusters: what we keep a record of, what the cloud says of it, and the ways in.

mod kept;
mod metrics;
pub(crate) mod view;
mod ways_in;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pmks_driver::{ClusterCredential, Missed};
use pmks_model::{Children, Iid, Node, ResourceKind, Status};

use crate::drafts::version_tag;
use crate::failure::{already_exists, not_found, unknown};
use crate::inventory::memory::Record;
use crate::records::Records;
use crate::resolve::is_absent;
use crate::{
    Caller, ClusterView, KubeconfigRequest, NodeView, Page, PageRequest, Pmks, Reference, Result,
    UnmanagedCluster,
};
pub use metrics::MetricAsked;

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

/// A cluster as it is written for an interface.
#[derive(Clone, Debug)]
pub struct WrittenCluster {
    /// The tag of its version.
    pub version_tag: String,
    /// How it is.
    pub status: Status,
    /// What was written of it.
    pub text: Arc<str>,
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
        let meant = Reference::identifier(system_id);
        if records.find(ResourceKind::Cluster, None, meant).await?.is_some() {
            return Err(already_exists(ResourceKind::Cluster, system_id));
        }
        let found = match at.driver.get_cluster(system_id).await {
            Err(error) if is_absent(&error) => return Err(not_found(ResourceKind::Cluster, system_id)),
            answer => answer.map_err(|error| at.failed(&error))?,
        };
        let network = found.network.network.system_id;
        let known = records.find(ResourceKind::Network, None, Reference::identifier(&network)).await?;
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

    /// The same as `write` writes it, kept as [`Clusters::list_written`] has it.
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
    ) -> Result<WrittenCluster> {
        let shared = &self.0.shared;
        let (at, uid) = shared.fresh_cluster(connection, name, max_age).await?;
        let troubled = at.here().is_some_and(|place| shared.inventory.error(place).is_some());
        let kept = shared.memory.kept();
        let record = kept.record(uid).ok_or_else(|| not_found(ResourceKind::Cluster, name))?;
        let (status, _) = view::status(kept.activity(), record, kept.parts(uid));
        let text = shared.written(&kept, record, troubled, of, write)?;
        Ok(WrittenCluster { version_tag: version_tag(&record.resource), status, text })
    }

    /// Whether the cloud has an identifier of a cluster, or of that node group of it, as far as is known here: it is not
    /// asked.
    ///
    /// # Errors
    /// `NotFound` for the connection.
    pub async fn is_identified(
        self,
        connection: &str,
        cluster: &str,
        node_group: Option<&str>,
    ) -> Result<bool> {
        let shared = &self.0.shared;
        let at = shared.reading(connection).await?;
        let kept = shared.memory.kept();
        let cluster = at.here().and_then(|place| kept.cluster(place, cluster));
        let meant = match node_group {
            None => cluster,
            Some(name) => cluster
                .and_then(|whole| kept.parts(whole.resource.uid).find(|part| part.resource.name == name)),
        };
        Ok(meant.is_some_and(|record| record.resource.system_id.is_some()))
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
