//! Drafts of other tags, for whatever takes some: what a merge patch says of them, and who may say it.

use std::collections::BTreeMap;

use pmks_driver::{Change, TagChanges, UpdateTags};
use pmks_model::{Failure, FailureKind, ResourceKind, Says};
use pmks_store::{Decided, Resource, ResourceUpdate};
use serde::Deserialize;
use serde_json::Value;

use super::{Draft, Drafting, shared};
use crate::Result;
use crate::failure::{invalid, stale};
use crate::incarnations::told;
use crate::mutation::Tagged;
use crate::records::user_tags;
use crate::resolve::iid;
use crate::tags::{found, require_coming_new};

/// What a PATCH of anything but a cluster may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagsPatch {
    #[serde(default)]
    tags: Wish<BTreeMap<String, Option<String>>>,
}

/// What a merge patch says of a field: present and `null` is told from absent.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7396>
#[derive(Debug, Default)]
pub(super) enum Wish<T> {
    #[default]
    Absent,
    /// `null`
    Removed,
    Given(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Wish<T> {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> std::result::Result<Self, D::Error> {
        Ok(Option::deserialize(reader)?.map_or(Self::Removed, Self::Given))
    }
}

/// What a wish for tags changes of a record's: `null` takes off all that somebody set.
pub(super) fn changes(record: &Resource, wish: Wish<BTreeMap<String, Option<String>>>) -> Result<TagChanges> {
    Ok(match wish {
        Wish::Absent => TagChanges::default(),
        Wish::Removed => user_tags(record)?.into_keys().map(|key| (key, None)).collect(),
        // What our records say already is asked for too: at the cloud it may be another by now.
        Wish::Given(tags) => TagChanges(tags),
    })
}

/// The version tag of a record: it changes with every change of what the user decides.
pub(crate) fn version_tag(record: &Resource) -> String {
    format!("{}-{}", record.uid.simple(), record.revision)
}

/// Refuses a change of what was changed since it was read.
pub(super) fn require_unchanged(record: &Resource, if_match: &str) -> Result<()> {
    if if_match == "*" || if_match == version_tag(record) {
        return Ok(());
    }
    Err(stale(Says::kind(record.kind), &record.name))
}

/// What is kept with the operation: from now on whoever read the record before it has read another one.
pub(super) fn decided(record: &Resource, update: ResourceUpdate) -> Decided {
    Decided { uid: record.uid, revision: record.revision, update }
}

impl Drafting<'_> {
    pub(super) async fn update_tags(
        &self,
        asked: Tagged,
        patch: &Value,
        if_match: &str,
        only_new: bool,
    ) -> Result<Draft> {
        let kind = asked.kind;
        // Said before anything is looked for: no name would help.
        if !self.capabilities().takes_tags(kind) {
            return Err(Box::new(Failure::new(FailureKind::Unsupported, self.capabilities().no_tags(kind))));
        }
        if kind == ResourceKind::Cluster {
            return self.update_cluster(&asked.name, patch, if_match, only_new).await;
        }
        let (network, record) = found(&self.records(), &asked).await?;
        require_unchanged(&record, if_match)?;
        let patch: TagsPatch = serde_json::from_value(patch.clone())
            .map_err(|error| invalid("", format!("of a {}, tags can change: {error}", kind.says())))?;
        let tags = changes(&record, patch.tags)?;
        self.require_new_tags(only_new, &record, &tags).await?;
        let change = Change::UpdateTags(UpdateTags {
            kind,
            iid: iid(&record),
            incarnation: told(&record).to_owned(),
            network: network.as_ref().map(iid),
            tags,
            only_new_tags: only_new,
            marks: self.marks(record.uid),
        });
        let reference = match &network {
            Some(network) => self.part_of(network, &record.name),
            None => self.reference(kind, &record.name),
        };
        let mut draft = self.draft_of(reference, record.uid, change);
        draft.holds.extend(network.as_ref().map(|network| shared(network.uid)));
        draft.decided = Some(decided(&record, ResourceUpdate::default()));
        Ok(draft)
    }

    /// Where only new tags may be set. Whoever is told that they are set need not be there when their turn comes.
    pub(super) async fn require_new_tags(
        &self,
        only_new: bool,
        record: &Resource,
        tags: &TagChanges,
    ) -> Result<()> {
        if only_new { require_coming_new(self.shared.store.as_ref(), record, tags).await } else { Ok(()) }
    }
}
