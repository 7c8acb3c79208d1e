//! What is going on with our records: operations that are not over, and why those without one were never made.

use std::collections::HashMap;

use pmks_model::{OperationKind, Status};
use pmks_store::{OperationFilter, Page, Resource, Store, Unfinished};
use uuid::Uuid;

use crate::Result;
use crate::failure::of_store;

/// Operations that are not over, by the record that they are about, oldest first.
#[derive(Default)]
pub(crate) struct Activity(HashMap<Uuid, Vec<Unfinished>>);

/// For more records than this, one question about all operations is cheaper than one a record.
const FEW: usize = 32;

impl Activity {
    /// What is going on with these records.
    pub(crate) async fn about(
        store: &dyn Store,
        records: impl IntoIterator<Item = &Resource> + Send,
    ) -> Result<Self> {
        let uids: Vec<Uuid> = records.into_iter().map(|record| record.uid).collect();
        let mut activity = Self::default();
        let unfinished = OperationFilter { unfinished: true, ..OperationFilter::default() };
        if uids.len() > FEW {
            for operation in store.operations(&unfinished, Page::all()).await.map_err(of_store)? {
                activity.goes_on(operation.unfinished());
            }
            return Ok(activity);
        }
        for uid in uids {
            let filter = OperationFilter { resource_uid: Some(uid), ..unfinished.clone() };
            for operation in store.operations(&filter, Page::all()).await.map_err(of_store)? {
                activity.goes_on(operation.unfinished());
            }
        }
        Ok(activity)
    }

    /// An operation is not over.
    pub(crate) fn goes_on(&mut self, operation: Unfinished) {
        let Some(uid) = operation.resource else { return };
        let about = self.0.entry(uid).or_default();
        if let Err(place) = about.binary_search_by_key(&operation.id, |known| known.id) {
            about.insert(place, operation);
        }
    }

    /// An operation is over.
    pub(crate) fn over(&mut self, operation: Uuid) {
        self.0.retain(|_, about| {
            about.retain(|known| known.id != operation);
            !about.is_empty()
        });
    }

    /// Whether anything is going on with that record itself.
    pub(crate) fn is_about(&self, uid: Uuid) -> bool {
        self.0.contains_key(&uid)
    }

    /// Whether anything is going on with one of these records.
    pub(crate) fn busy<'a>(&self, records: impl IntoIterator<Item = &'a Resource>) -> bool {
        records.into_iter().any(|record| self.0.contains_key(&record.uid))
    }

    /// How a record is, given what the cloud said last.
    ///
    /// A creation that was asked for but has not begun at the cloud shows here and nowhere else; so does a removal.
    pub(crate) fn status(&self, record: &Resource, seen: Option<(Status, String)>) -> (Status, String) {
        let operations = self.0.get(&record.uid).map(Vec::as_slice).unwrap_or_default();
        let doing =
            |wanted: fn(OperationKind) -> bool| operations.iter().find(|operation| wanted(operation.kind));
        if let Some(removal) = doing(OperationKind::removes) {
            return (Status::Deleting, format!("operation {}", removal.id));
        }
        if let Some(since) = record.missing_since {
            return (Status::Missing, format!("the cloud has not shown it since {since}"));
        }
        match (seen, doing(OperationKind::creates)) {
            (Some((Status::Active | Status::Unknown, _)) | None, Some(creation)) => {
                (Status::Creating, format!("operation {}", creation.id))
            }
            (Some(seen), _) => seen,
            (None, None) if record.system_id.is_none() => (Status::Failed, "it was never made".to_owned()),
            (None, None) => (Status::Unknown, "the cloud was not asked yet".to_owned()),
        }
    }

    /// The same for a part, which a creation of its whole makes too. `whole_seen` is how the cloud said that the whole
    /// is: what was not looked at since it was made tells nothing of its parts.
    pub(crate) fn status_of_part(
        &self,
        part: &Resource,
        seen: Option<(Status, String)>,
        whole: &Resource,
        whole_seen: Option<Status>,
    ) -> (Status, String) {
        let of_whole = self.0.get(&whole.uid).map(Vec::as_slice).unwrap_or_default();
        if seen.is_none() && part.system_id.is_none() && !self.0.contains_key(&part.uid) {
            if let Some(creation) = of_whole.iter().find(|operation| operation.kind.creates()) {
                return (Status::Creating, format!("operation {}", creation.id));
            }
            if whole.system_id.is_some() && matches!(whole_seen, None | Some(Status::Creating)) {
                return (Status::Unknown, "the cloud was not asked yet".to_owned());
            }
        }
        if let Some(removal) = of_whole.iter().find(|operation| operation.kind.removes()) {
            return (Status::Deleting, format!("operation {}", removal.id));
        }
        self.status(part, seen)
    }
}

#[cfg(test)]
mod tests {
    use pmks_model::ResourceKind;

    use super::*;
    use crate::parts::sample;

    #[test]
    fn a_part_was_never_made_only_if_its_whole_was_looked_at_since() {
        let part = sample(ResourceKind::NodeGroup, 1, "part", None);
        let status = |whole: Option<&str>, seen| {
            let whole = sample(ResourceKind::Cluster, 2, "whole", whole.map(|id| (id, "1")));
            Activity::default().status_of_part(&part, None, &whole, seen).0
        };
        assert_eq!(status(Some("k"), None), Status::Unknown);
        assert_eq!(status(Some("k"), Some(Status::Creating)), Status::Unknown);
        assert_eq!(status(Some("k"), Some(Status::Active)), Status::Failed);
        assert_eq!(status(None, None), Status::Failed, "nor was its whole");
    }
}
