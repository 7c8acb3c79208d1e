//! What our records hold as JSON: what was asked for (intents) and what the cloud said (observations).
//!
//! An intent holds only what a user asked for: the record of something imported holds nothing, and no later
//! operation sends what is not there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_driver::{Marks, TagChanges};
use pmks_model::{ResourceKind, ScalingChange, Tags, is_same_identifier};
use pmks_store::{Observation, Resource, ResourceFilter, ResourceKey, Store, SystemKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::drivers::Place;
use crate::failure::{not_found, of_store, unexpected};
use crate::reference::By;
use crate::{NewRule, Reference, Result};

/// What was asked of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClusterIntent {
    pub(crate) version: String,
    pub(crate) network: String,
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) tags: Tags,
    pub(crate) options: BTreeMap<String, serde_json::Value>,
}

/// What was asked of a node group. An empty version follows the cluster: a choice is never frozen here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeGroupIntent {
    pub(crate) version: String,
    pub(crate) machine_type: String,
    pub(crate) image: String,
    pub(crate) root_disk_type: String,
    pub(crate) root_disk_size_gib: Option<u32>,
    pub(crate) key_pair: String,
    pub(crate) scaling: ScalingChange,
}

/// What was asked of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkIntent {
    pub(crate) cidr: String,
    pub(crate) tags: Tags,
}

/// What was asked of a subnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SubnetIntent {
    pub(crate) cidr: String,
    pub(crate) zone: String,
    pub(crate) tags: Tags,
}

/// What was asked of a security group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecurityGroupIntent {
    pub(crate) network: String,
    pub(crate) rules: Vec<NewRule>,
    pub(crate) tags: Tags,
}

/// What was asked of a key pair: of its halves the public one alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct KeyPairIntent {
    pub(crate) public_key: String,
    pub(crate) tags: Tags,
}

/// The tags in what was asked of anything that has some, and in what a cloud said of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tagged {
    tags: Tags,
}

/// The tags that somebody set: those that were asked for, and of something imported what it has beside them, but our
/// marks.
pub(crate) fn user_tags(record: &Resource) -> Result<Tags> {
    let seen = observed::<Tagged>(record).filter(|_| record.imported);
    let mut tags = seen.map(|seen| Marks::off(&seen.tags)).unwrap_or_default();
    tags.extend(intent::<Tagged>(record)?.tags);
    Ok(tags)
}

/// What was asked of anything, with other tags. Nothing else of it is touched, nor said where nothing was asked.
pub(crate) fn with_tags(record: &Resource, changes: &TagChanges) -> Result<serde_json::Value> {
    let tags = changes.onto(intent::<Tagged>(record)?.tags);
    let mut request = record.request.clone();
    if request.is_null() {
        request = serde_json::json!({});
    }
    if let Some(fields) = request.as_object_mut() {
        fields.insert("tags".to_owned(), stored(&tags)?);
    }
    Ok(request)
}

/// What was asked for; nothing where nothing was.
pub(crate) fn intent<T: DeserializeOwned + Default>(record: &Resource) -> Result<T> {
    if record.request.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(record.request.clone()).map_err(|error| {
        unexpected(format!("the record of {} {:?} cannot be read: {error}", record.kind.says(), record.name))
    })
}

/// An intent as it is stored.
pub(crate) fn stored<T: Serialize>(intent: &T) -> Result<serde_json::Value> {
    serde_json::to_value(intent).map_err(|error| unexpected(format!("a record cannot be written: {error}")))
}

/// What the cloud said last. What cannot be read (it was written by a newer release) is as if nothing was said.
pub(crate) fn observed<T: DeserializeOwned>(record: &Resource) -> Option<T> {
    let observation = record.observation.as_ref()?;
    serde_json::from_value(observation.value.clone())
        .inspect_err(|error| tracing::warn!(uid = %record.uid, %error, "an observation cannot be read"))
        .ok()
}

/// When the cloud was last asked.
pub(crate) fn observed_at(record: &Resource) -> Option<Timestamp> {
    record.observation.as_ref().map(|observation| observation.observed_at)
}

/// What a cloud said, as it is stored.
pub(crate) fn observation<T: Serialize>(
    value: &T,
    started_at: Timestamp,
    observed_at: Timestamp,
) -> Result<Observation> {
    Ok(Observation { value: stored(value)?, started_at, observed_at })
}

/// Our records at one place.
#[derive(Clone)]
pub(crate) struct Records<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) place: &'a Place,
}

impl Records<'_> {
    /// The record that is meant.
    pub(crate) async fn find(
        &self,
        kind: ResourceKind,
        parent: Option<Uuid>,
        meant: impl Into<Reference>,
    ) -> Result<Option<Resource>> {
        let meant = meant.into();
        let text = meant.as_str();
        match meant.by {
            By::Name => self.called(kind, parent, text).await,
            By::Identifier => self.known_as(kind, parent, text).await,
            By::Either => match self.called(kind, parent, text).await? {
                Some(found) => Ok(Some(found)),
                None => self.identified(kind, parent, text).await,
            },
            By::Record(uid) => {
                let found = self.store.resource(uid).await.map_err(of_store)?;
                Ok(found.filter(|record| record.kind == kind && self.place.holds(record)))
            }
        }
    }

    /// The record of that name.
    async fn called(&self, kind: ResourceKind, parent: Option<Uuid>, name: &str) -> Result<Option<Resource>> {
        let (account, location) = (self.place.account.clone(), self.place.location(kind));
        let key = ResourceKey { account, location, kind, parent, name: name.to_owned() };
        self.store.find_resource(&key).await.map_err(of_store)
    }

    /// The record of exactly that identifier at the cloud.
    async fn identified(
        &self,
        kind: ResourceKind,
        parent: Option<Uuid>,
        id: &str,
    ) -> Result<Option<Resource>> {
        let (account, location) = (self.place.account.clone(), self.place.location(kind));
        let key = SystemKey { account, location, kind, parent, system_id: id.to_owned() };
        self.store.find_system_id(&key).await.map_err(of_store)
    }

    /// The same, in whatever case where the cloud knows none and no other is written so.
    async fn known_as(&self, kind: ResourceKind, parent: Option<Uuid>, id: &str) -> Result<Option<Resource>> {
        if let Some(found) = self.identified(kind, parent, id).await? {
            return Ok(Some(found));
        }
        let is_it = |record: &Resource| {
            record.system_id.as_deref().is_some_and(|known| is_same_identifier(known, id))
        };
        Ok(self.all(Some(kind), parent).await?.into_iter().find(is_it))
    }

    /// The same, which must be there.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn get(
        &self,
        kind: ResourceKind,
        parent: Option<Uuid>,
        meant: impl Into<Reference>,
    ) -> Result<Resource> {
        let meant = meant.into();
        self.find(kind, parent, &meant).await?.ok_or_else(|| not_found(kind, meant.as_str()))
    }

    /// All of a kind in the region, wherever in it they have their names.
    pub(crate) async fn of_region(&self, kind: ResourceKind) -> Result<Vec<Resource>> {
        let filter = ResourceFilter {
            account: Some(self.place.account.clone()),
            kind: Some(kind),
            ..ResourceFilter::default()
        };
        let mut all = self.store.resources(&filter, pmks_store::Page::all()).await.map_err(of_store)?;
        all.retain(|record| self.place.is_in_region_of(record));
        Ok(all)
    }

    /// All of a kind, or of all kinds, clusters wherever they have their names; parts of one record, or of any.
    pub(crate) async fn all(
        &self,
        kind: Option<ResourceKind>,
        parent: Option<Uuid>,
    ) -> Result<Vec<Resource>> {
        let filter = ResourceFilter {
            account: Some(self.place.account.clone()),
            kind,
            parent,
            ..ResourceFilter::default()
        };
        let mut all = self.store.resources(&filter, pmks_store::Page::all()).await.map_err(of_store)?;
        all.retain(|record| self.place.holds(record));
        Ok(all)
    }
}
