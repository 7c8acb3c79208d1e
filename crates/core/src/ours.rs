//! What of a cloud's list is ours: what we keep a record of, and what an operation under way may have made of one that
//! has no identifier yet. Everything else is a stranger.

use std::collections::{BTreeSet, HashSet};

use pmks_model::{Iid, ResourceKind};
use uuid::Uuid;

use crate::Result;
use crate::drivers::Place;
use crate::pmks::Shared;
use crate::records::Records;

/// What of one kind in a region is ours.
pub(crate) struct Ours {
    identifiers: BTreeSet<String>,
    /// What is being made is called at the cloud.
    names: BTreeSet<String>,
}

impl Ours {
    /// Whether something at the cloud is, or may be.
    pub(crate) fn has(&self, iid: &Iid) -> bool {
        self.identifiers.contains(&iid.system_id) || self.names.contains(&iid.name_id)
    }
}

impl Shared {
    /// What is ours now. Who compares a list of the cloud's with it takes that list first.
    pub(crate) async fn ours_at_cloud(&self, place: &Place, kind: ResourceKind) -> Result<Ours> {
        self.memory.refresh().await?;
        // First what goes on: what ends after this has its identifier in the records that are read then.
        let busy: HashSet<Uuid> = self.memory.kept().activity().all().collect();
        let known = Records { store: self.store.as_ref(), place }.of_region(kind).await?;
        let (mut identifiers, mut names) = (BTreeSet::new(), BTreeSet::new());
        for record in known {
            if let Some(system_id) = record.system_id {
                identifiers.insert(system_id);
            } else if busy.contains(&record.uid) {
                names.insert(record.name_at_cloud().to_owned());
            }
        }
        Ok(Ours { identifiers, names })
    }
}
