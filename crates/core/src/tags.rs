//! Tags of whatever takes some: those that a record has, and those that operations that are not over will set or take off.

use pmks_driver::{Change, TagChanges};
use pmks_model::{Failure, FailureKind, ResourceKind, Says, Tags};
use pmks_store::{OperationFilter, Page, Resource, Store};

use crate::failure::of_store;
use crate::records::{Records, user_tags};
use crate::{Pmks, Result, Tagged};

impl Pmks {
    /// The tags that something will have once the operations about it that are not over are.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn tags_to_be(&self, connection: &str, asked: &Tagged) -> Result<Tags> {
        let (_, place) = self.shared.place_of(connection).await?;
        let records = Records { store: self.shared.store.as_ref(), place: &place };
        let (_, record) = found(&records, asked).await?;
        to_be(records.store, &record).await
    }
}

/// The record of what has tags, and that of the network that a subnet is a part of.
pub(crate) async fn found(records: &Records<'_>, asked: &Tagged) -> Result<(Option<Resource>, Resource)> {
    let network = match &asked.network {
        Some(network) => Some(records.get(ResourceKind::Network, None, network).await?),
        None => None,
    };
    let parent = network.as_ref().map(|network| network.uid);
    let record = records.get(asked.kind, parent, &asked.name).await?;
    Ok((network, record))
}

/// The tags of a record once the operations about it that are not over are.
async fn to_be(store: &dyn Store, record: &Resource) -> Result<Tags> {
    let filter =
        OperationFilter { resource_uid: Some(record.uid), unfinished: true, ..OperationFilter::default() };
    let mut operations = store.operations(&filter, Page::all()).await.map_err(of_store)?;
    // Whoever was told to read again began before others that came before it into the queue.
    operations.sort_by_key(|operation| operation.queue_order);
    let changes = operations.into_iter().filter_map(|operation| {
        match serde_json::from_value(operation.intent).ok()? {
            Change::UpdateTags(asked) => Some(asked.tags),
            Change::UpdateCluster(asked) => Some(asked.tags),
            _ => None,
        }
    });
    let coming: TagChanges = changes.flat_map(|changes| changes.0).collect();
    // Read after them: what one of them set that is over by now is in it.
    let record = store.resource(record.uid).await.map_err(of_store)?.unwrap_or_else(|| record.clone());
    Ok(coming.onto(user_tags(&record)?))
}

/// Refuses to set tags that a record has, or will have once the operations before are over. Of what was accepted after
/// `record` was read the store tells whoever decides about it.
pub(crate) async fn require_coming_new(
    store: &dyn Store,
    record: &Resource,
    wanted: &TagChanges,
) -> Result<()> {
    require_new(record, &to_be(store, record).await?, wanted)
}

/// Refuses to set tags that stand.
pub(crate) fn require_new(record: &Resource, standing: &Tags, wanted: &TagChanges) -> Result<()> {
    match wanted.set().keys().find(|key| standing.contains_key(*key)) {
        None => Ok(()),
        Some(key) => {
            let says = Says::from(format!("tag {key:?} already exists on "));
            let says = says.then(Says::kind(record.kind)).text(format!(" {:?}", record.name));
            Err(Box::new(Failure::new(FailureKind::AlreadyExists, says)))
        }
    }
}
