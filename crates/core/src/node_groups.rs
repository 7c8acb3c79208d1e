//! Node groups of a cluster, as we keep them and as the cloud says.

use std::time::Duration;

use pmks_model::ResourceKind;

use crate::failure::not_found;
use crate::{NodeGroupView, Page, PageRequest, Pmks, Result};

/// Node groups.
#[derive(Clone, Copy, Debug)]
pub struct NodeGroups<'a>(pub(crate) &'a Pmks);

impl NodeGroups<'_> {
    /// A page of a cluster's node groups. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn list(
        self,
        connection: &str,
        cluster: &str,
        page: &PageRequest,
        max_age: Option<Duration>,
    ) -> Result<Page<NodeGroupView>> {
        let mut views = self.all(connection, cluster, max_age).await?;
        views.retain(|view| page.keeps(&view.name, view.status.as_str(), None));
        page.cut(&format!("node groups of {connection}/{cluster}"), views, |view| &view.uid)
    }

    /// One node group, by our name or the cloud's identifier.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(
        self,
        connection: &str,
        cluster: &str,
        name: &str,
        max_age: Option<Duration>,
    ) -> Result<NodeGroupView> {
        let all = self.all(connection, cluster, max_age).await?;
        let is_it = |view: &NodeGroupView| view.name == name || view.iid.system_id == name;
        all.into_iter().find(is_it).ok_or_else(|| not_found(ResourceKind::NodeGroup, name))
    }

    async fn all(
        self,
        connection: &str,
        cluster: &str,
        max_age: Option<Duration>,
    ) -> Result<Vec<NodeGroupView>> {
        let shared = &self.0.shared;
        let (at, uid) = shared.fresh_cluster(connection, cluster, max_age).await?;
        let kept = shared.memory.kept();
        let gone = || not_found(ResourceKind::Cluster, cluster);
        let record = kept.record(uid).ok_or_else(gone)?;
        let shown = shared.shown(&kept, at.here().ok_or_else(gone)?)?;
        kept.parts(uid).map(|part| shown.node_group(record, part)).collect()
    }
}
