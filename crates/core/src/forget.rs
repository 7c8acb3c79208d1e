//! Dropping records: what stands in the way, and what nobody knows of afterwards. The cloud is left alone.

use pmks_model::{OperationKind, ResourceKind};
use pmks_store::{Hold, HoldMode, OperationFilter, Page, Resource, ResourceFilter, WhenHeld};

use crate::failure::{not_found, of_store};
use crate::pmks::Shared;
use crate::{Caller, Reference, Result};

impl Shared {
    /// The record of a cluster, where the caller may drop it.
    pub(crate) async fn forgettable_cluster(
        &self,
        caller: &Caller,
        connection: &str,
        meant: Reference,
        abandon: bool,
    ) -> Result<Resource> {
        caller.require_operator(connection)?;
        caller.refuse_key()?;
        if abandon {
            caller.require_admin("abandoning an operation")?;
        }
        let (_, record) = self.known(connection, ResourceKind::Cluster, None, meant).await?;
        Ok(record)
    }

    /// What the newest deletion of a cluster has left, which its record alone leads to.
    pub(crate) async fn given_up_with(&self, record: &Resource) -> Result<Vec<String>> {
        let deletions = OperationFilter {
            resource_uid: Some(record.uid),
            kind: Some(OperationKind::ClusterDelete),
            ..OperationFilter::default()
        };
        let deletions = self.store.operations(&deletions, Page::all()).await.map_err(of_store)?;
        let newest = deletions.iter().filter(|one| !one.remains.is_empty()).max_by_key(|one| one.id);
        let Some(newest) = newest else { return Ok(Vec::new()) };
        let left = newest.remains.iter().filter(|left| left.kind != ResourceKind::Cluster.as_str());
        Ok(left
            .map(|left| {
                format!(
                    "{} {} is given up: no deletion will know of it, operation {} alone names it",
                    left.kind, left.system_id, newest.id
                )
            })
            .collect())
    }

    /// Refuses while an operation holds a record or one of its parts, as the store does when it is dropped.
    pub(crate) async fn require_unheld(&self, record: &Resource) -> Result<()> {
        let parts = ResourceFilter { parent: Some(record.uid), ..ResourceFilter::default() };
        let parts = self.store.resources(&parts, Page::all()).await.map_err(of_store)?;
        let held = |resource| Hold { resource, mode: HoldMode::Exclusive, when_held: WhenHeld::Refuse };
        let holds: Vec<Hold> = std::iter::once(record).chain(&parts).map(|one| held(one.uid)).collect();
        match self.store.holders(&holds).await.map_err(of_store)?.as_slice() {
            [] => Ok(()),
            holders => Err(self.held(holders).await),
        }
    }

    /// Drops a record and those of its parts.
    pub(crate) async fn forget(&self, caller: &Caller, record: &Resource, abandon: bool) -> Result<()> {
        let what = record.kind.as_str();
        let audit =
            self.audit(caller, &format!("{what}.forget"), format!("{} {}", record.kind.says(), record.name));
        match self.store.forget(record.uid, abandon, audit).await {
            Ok(()) => Ok(()),
            Err(pmks_store::Error::Held { holders }) => Err(self.held(&holders).await),
            // Somebody else dropped it since it was found: told as to whoever comes later.
            Err(pmks_store::Error::NotFound { .. }) => Err(not_found(record.kind, &record.name)),
            Err(error) => Err(of_store(error)),
        }
    }
}
