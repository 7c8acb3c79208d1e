//! What somebody else does beside the client, the same at every simulated cloud: events of the world, which a rule of
//! faults can let happen just before a call.
//!
//! `{"type":"vanishes","kind":KIND,"id":ID}` removes what the ground truth has under that kind and identifier, with what
//! lies in it; `isReplaced` puts another one of the same name in its place; `isChanged` changes a field of it that no
//! client of ours asked for. What is in use is refused, as the cloud refuses it to anybody.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cloud::{Cloud, Identified, StateError};
use crate::{Effect, Resource};

/// The one tag or label of what a stranger made.
pub const STRANGER: (&str, &str) = ("owner", "somebody-else");

/// The tag or label that somebody else gives to what they change.
pub const CHANGED: (&str, &str) = ("changed-by", "somebody-else");

/// What somebody else does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    /// It is gone.
    Vanishes,
    /// It is gone, and another one of the same name stands in its place.
    IsReplaced,
    /// A field of it has another value.
    IsChanged,
}

/// A deed as an event tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeedEvent {
    /// What is done.
    #[serde(rename = "type")]
    pub deed: Deed,
    /// The kind of row.
    pub kind: String,
    /// The row's identifier.
    pub id: String,
}

impl DeedEvent {
    /// Reads the event.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(event: &Value) -> Result<Self, StateError> {
        serde_json::from_value(event.clone())
            .map_err(|error| StateError(format!("the event cannot be read: {error}")))
    }

    /// Nobody does this to such a thing here.
    pub fn is_not_done(&self) -> StateError {
        StateError(format!("nobody does `{:?}` to a {} here", self.deed, self.kind))
    }

    /// There is no such thing.
    pub fn is_missing(&self) -> StateError {
        StateError(format!("there is no {} `{}`", self.kind, self.id))
    }

    /// Something else needs it.
    pub fn is_in_use(&self) -> StateError {
        StateError(format!("the {} `{}` is in use", self.kind, self.id))
    }
}

/// A deed that was done because a rule said so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Done {
    /// What was done.
    pub deed: Deed,
    /// What was there.
    pub before: Resource,
    /// What is there instead, with all that belongs to a stranger.
    pub after: Vec<Resource>,
}

/// The deeds of others since the last reset.
#[derive(Debug, Default)]
pub struct Deeds(Mutex<Vec<Done>>);

impl Deeds {
    /// All of them, oldest first.
    pub fn done(&self) -> Vec<Done> {
        self.lock().clone()
    }

    /// Forgets them.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn add(&self, done: Done) {
        self.lock().push(done);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Done>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets happen what an effect says of others, just before a call; answers whether it could. Effects of other kinds need
/// nothing.
pub(crate) fn act(cloud: &dyn Cloud, call: &Identified, effect: &Effect) -> bool {
    let Effect::Meanwhile { deed, kinds, resource } = effect else { return true };
    let Some(named) = resource.as_deref().or(call.resource.as_deref()) else { return false };
    let Some(before) = row(cloud, kinds, named) else { return false };
    let event = json!({"type": deed, "kind": before.kind, "id": before.id});
    let Ok(answer) = cloud.event(&event) else { return false };
    let after = answer.get("id").and_then(Value::as_str);
    let is_it = |row: &Resource| row.kind == before.kind && Some(row.id.as_str()) == after;
    let is_strangers = |row: &Resource| row.tags.get(STRANGER.0).is_some_and(|owner| owner == STRANGER.1);
    let after = cloud.resources().into_iter().filter(|row| is_it(row) || is_strangers(row)).collect();
    cloud.controls().deeds.add(Done { deed: *deed, before, after });
    true
}

/// The row that a request means: by its identifier, by the last part of that, or by its name.
fn row(cloud: &dyn Cloud, kinds: &[String], named: &str) -> Option<Resource> {
    let rows: Vec<Resource> =
        cloud.resources().into_iter().filter(|row| kinds.is_empty() || kinds.contains(&row.kind)).collect();
    let last = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
    let by = |is_it: &dyn Fn(&&Resource) -> bool| rows.iter().find(is_it).cloned();
    by(&|row| row.id == named)
        .or_else(|| by(&|row| row.name.as_deref() == Some(named)))
        .or_else(|| by(&|row| last(&row.id) == named))
}
