//! Resources as they are stored: what was asked for, what the cloud said last, and when.

use jiff::Timestamp;
use pmks_model::{OperationKind, ResourceKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ApiToken, Connection, Piece};

/// A resource's record.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Our identifier; it is also a mark at the cloud.
    pub uid: Uuid,
    /// What it is.
    pub kind: ResourceKind,
    /// The connection through which it was made or imported.
    pub connection: String,
    /// The account it is in.
    pub account: String,
    /// The place within the account: a region.
    pub location: String,
    /// The cluster of a node group, the network of a subnet.
    pub parent: Option<Uuid>,
    /// Our name of it.
    pub name: String,
    /// What the cloud calls it, where that is another name.
    pub cloud_name: Option<String>,
    /// The cloud's identifier, once known.
    pub system_id: Option<String>,
    /// What tells it from another of the same name made later, once known.
    pub incarnation: Option<String>,
    /// The request as it was asked; `null` for what was imported.
    pub request: serde_json::Value,
    /// What the cloud said last.
    pub observation: Option<Observation>,
    /// Whether its deletion is refused.
    pub protected: bool,
    /// Since when complete lists of a proven account lack it.
    pub missing_since: Option<Timestamp>,
    /// Whether it existed before pmks knew it.
    pub imported: bool,
    /// The creation that ended without having made all of it, and has not succeeded since.
    pub broken_off: Option<BrokenOff>,
    /// The removal that ended before it was gone; nothing since has succeeded on it.
    pub not_removed: Option<NotRemoved>,
    /// When an operation on it last ended: an observation that began before is not believed.
    pub changed_at: Timestamp,
    /// Rises with every change of what the user decides.
    pub revision: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
}

impl Resource {
    /// What the cloud calls it, or is to call it.
    pub fn name_at_cloud(&self) -> &str {
        self.cloud_name.as_deref().unwrap_or(&self.name)
    }
}

/// A creation that ended as failed or cancelled: what the cloud shows of it may be whole, and it is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokenOff {
    /// The operation, which can be retried.
    pub operation: Uuid,
    /// Why it failed; empty: it was cancelled.
    pub why: String,
    /// The names of the parts that were not made, if they and what hangs on them are all that is missing; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// Whether another operation on it has ended since, so that this one cannot be retried any more.
    #[serde(default)]
    pub overtaken: bool,
}

impl BrokenOff {
    /// What is left of it once that part's record is gone: nothing, where all that was missing is.
    pub(crate) fn without(mut self, part: &str) -> Option<Self> {
        let named = self.parts.len();
        self.parts.retain(|name| name != part);
        (named == 0 || !self.parts.is_empty()).then_some(self)
    }
}

/// A removal that ended as failed or cancelled after it had asked the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotRemoved {
    /// The operation, which lists what remains.
    pub operation: Uuid,
    /// Why it failed; empty: it was cancelled.
    pub why: String,
    /// Whether anything of it was removed, so that it is not whole any more.
    pub in_part: bool,
}

/// What a cloud said of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What it said: a model's `Cluster`, `NodeGroup`, `Network`, … as JSON.
    pub value: serde_json::Value,
    /// When the read began.
    pub started_at: Timestamp,
    /// When it ended.
    pub observed_at: Timestamp,
}

/// A resource's record to be made.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Our identifier.
    pub uid: Uuid,
    /// What it is.
    pub kind: ResourceKind,
    /// The connection.
    pub connection: String,
    /// The account.
    pub account: String,
    /// The place within the account.
    pub location: String,
    /// The cluster of a node group, the network of a subnet.
    pub parent: Option<Uuid>,
    /// Our name of it.
    pub name: String,
    /// What the cloud calls it, or is to call it, where that is another name.
    pub cloud_name: Option<String>,
    /// The cloud's identifier, of something that exists.
    pub system_id: Option<String>,
    /// Its incarnation, of something that exists.
    pub incarnation: Option<String>,
    /// The request as it was asked.
    pub request: serde_json::Value,
    /// What the cloud said, of something that exists.
    pub observation: Option<Observation>,
    /// Whether its deletion is refused.
    pub protected: bool,
    /// Whether it existed before pmks knew it.
    pub imported: bool,
}

/// Where a name is unique: the same cluster through two connections of one account is one record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceKey {
    /// The account.
    pub account: String,
    /// The place within the account.
    pub location: String,
    /// What it is.
    pub kind: ResourceKind,
    /// The cluster of a node group, the network of a subnet.
    pub parent: Option<Uuid>,
    /// Our name of it.
    pub name: String,
}

/// Where a cloud's identifier is unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SystemKey {
    /// The account.
    pub account: String,
    /// The place within the account.
    pub location: String,
    /// What it is.
    pub kind: ResourceKind,
    /// The cluster of a node group: its cloud's identifier may be unique within the cluster only.
    pub parent: Option<Uuid>,
    /// The cloud's identifier.
    pub system_id: String,
}

/// Which resources a list holds; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct ResourceFilter {
    /// Of this connection.
    pub connection: Option<String>,
    /// In this account.
    pub account: Option<String>,
    /// In this place.
    pub location: Option<String>,
    /// Of this kind.
    pub kind: Option<ResourceKind>,
    /// Part of this cluster or network.
    pub parent: Option<Uuid>,
    /// Of this name.
    pub name: Option<String>,
}

/// A page of a list that is ordered by uid: it survives inserts and deletes.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The last uid of the page before.
    pub after: Option<Uuid>,
    /// The most records.
    pub limit: u32,
}

impl Page {
    /// The first page, of that size.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// Everything.
    pub fn all() -> Self {
        Self::first(u32::MAX)
    }
}

/// An observation to be kept.
#[derive(Clone, Debug)]
pub struct Observe {
    /// Of which record.
    pub uid: Uuid,
    /// The cloud's identifier, where the record has none yet.
    pub system_id: Option<String>,
    /// The incarnation, where the record has none yet.
    pub incarnation: Option<String>,
    /// What the cloud said.
    pub observation: Observation,
}

/// What the user's change, or an operation's end, makes of a record; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ResourceUpdate {
    /// The request as it stands now.
    pub request: Option<serde_json::Value>,
    /// Whether its deletion is refused.
    pub protected: Option<bool>,
    /// `Some(None)`: it is there; `Some(Some(since))`: it is missing since.
    pub missing_since: Option<Option<Timestamp>>,
}

/// What changed since a reader that keeps records in memory last asked.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What to ask with next time.
    pub version: i64,
    /// Whether the reader begins anew: what it kept is to be dropped, and the records are to be read page by page.
    /// What changes while it does so comes with the next answer.
    pub whole: bool,
    /// Whether there is more: ask again with the version.
    pub more: bool,
    /// Connections that are new or changed.
    pub connections: Vec<Connection>,
    /// Records that are new or changed.
    pub resources: Vec<Resource>,
    /// Operations that are not over and began, or changed their state.
    pub operations: Vec<Unfinished>,
    /// API tokens that are new or changed.
    pub api_tokens: Vec<ApiToken>,
    /// All pieces, oldest first, where any of them changed.
    pub pieces: Option<Vec<Piece>>,
    /// Connections, records and API tokens that are gone, operations that are over.
    pub gone: Vec<Uuid>,
}

/// An operation that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Which.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// The record that it is about.
    pub resource: Option<Uuid>,
}
