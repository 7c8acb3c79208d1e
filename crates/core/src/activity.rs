//! What is going on with our records: operations that are not over, and why those without one were never made.

use std::collections::HashMap;

use pmks_model::{OperationKind, Status};
use pmks_store::{Operation, OperationFilter, Page, Resource, Store};
use uuid::Uuid;

use crate::Result;
use crate::failure::of_store;

/// Operations that are not over, by the record that they are about.
pub(crate) struct Activity(HashMap<Uuid, Vec<Operation>>);

impl Activity {
    /// Of one connection, or of all.
    pub(crate) async fn read(store: &dyn Store) -> Result<Self> {
        let filter = OperationFilter { unfinished: true, ..OperationFilter::default() };
        let mut by_record: HashMap<Uuid, Vec<Operation>> = HashMap::new();
        for operation in store.operations(&filter, Page::all()).await.map_err(of_store)? {
            if let Some(uid) = operation.resource_uid {
                by_record.entry(uid).or_default().push(operation);
            }
        }
        Ok(Self(by_record))
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

    /// The same for a part, which a creation of its whole makes too.
    pub(crate) fn status_of_part(
        &self,
        part: &Resource,
        whole: &Resource,
        seen: Option<(Status, String)>,
    ) -> (Status, String) {
        let of_whole = self.0.get(&whole.uid).map(Vec::as_slice).unwrap_or_default();
        if seen.is_none()
            && part.system_id.is_none()
            && !self.0.contains_key(&part.uid)
            && let Some(creation) = of_whole.iter().find(|operation| operation.kind.creates())
        {
            return (Status::Creating, format!("operation {}", creation.id));
        }
        if let Some(removal) = of_whole.iter().find(|operation| operation.kind.removes()) {
            return (Status::Deleting, format!("operation {}", removal.id));
        }
        self.status(part, seen)
    }
}
